"""One pump's story, drawn from a seed: done to the emulator, and told to the oracle.

Whether the pump takes an act is the pump's to say; what it then gives is the
oracle's.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import BolusKind, Drug, Holds
from pumpctl.wire.messages_implant import GetImplant, Implant, ImplantRecord, Part, StageImplant
from pumpctl.wire.program import program_hash
from tests.emulator.support import MONDAY, TAG, Bench, op
from tests.emulator.year import draw
from tests.emulator.year.demand import DAY, HOUR, MINUTE
from tests.emulator.year.judge import Judge
from tests.emulator.year.oracle import Oracle
from tests.emulator.year.slugs import fluid
from tests.oracles.tally import Tally

CAPACITY = {"SP20": 20_000_000, "SP40": 40_000_000}
_NL = 1_000
"""pL"""


class Deadlock(Exception):
    """A bridge that hardly moves, or a stop in one, and the least flow is an increase."""


class Story:
    """One pump's."""

    def __init__(self, seed: int, number: int, tally: Tally) -> None:
        self.dice = dice = Random(f"year {seed} {number}")
        self.tally = tally
        model = dice.choice(sorted(CAPACITY))
        self.capacity = CAPACITY[model]
        volume = dice.randint(self.capacity // 4, self.capacity)
        self.offset = dice.choice((0, 60, -300, 330))
        start = MONDAY + dice.randrange(7 * DAY)
        self.bench = Bench(
            model=model,
            concentration=dice.choice(draw.CONCENTRATIONS),
            volume=volume,
            frozen=True,
            offset_min=self.offset,
            start=start,
        )
        if dice.random() < 0.4:
            self.core.world.calibrate(dice.randint(-60_000, 60_000))
            self.core.save()
            tally.add("pumps with a calibration error")
        self.running = self.bench.get(m.GetProgram(), m.ProgramReport).program
        self.oracle = Oracle(
            self.running,
            filled=volume,
            line=self.core.world.line.volume,
            pulse=self.core.world.pulse,
            label=start + self.offset * MINUTE,
        )
        self.judge = Judge(f"seed {seed}, story {number}", self.bench, self.oracle, tally)
        self.operation = 0
        self.seen: Any = None
        """The last read-back."""
        self.ahead = 0
        """ms by which the label is a whole year wrong."""
        self.forgotten: int | None = None
        """The concentration before a refill that no bridge was made for."""
        self.bounds = self.record.tubing + self.record.catheter_low, self.line

    @property
    def core(self) -> Any:
        return self.bench.core

    @property
    def now(self) -> int:
        counter = self.core.clock.counter
        assert isinstance(counter, int)
        return counter

    @property
    def record(self) -> ImplantRecord:
        """The line as the pump keeps it."""
        return self.bench.get(GetImplant(), Implant).record

    @property
    def line(self) -> int:
        """nL, by the upper bound."""
        return self.record.tubing + self.record.catheter_high

    @property
    def reservoir(self) -> int:
        """pg/nL of what the pump knows to be in it."""
        return self.oracle.concentration

    def tell(self, days: int) -> None:
        """Live through so many days; Apart where the two differ."""
        todo: list[tuple[int, Callable[[], None]]] = [
            (16, self.program),
            (12, self.bolus),
            (14, self.patient),
            (4, self.cancel),
            (4, self.stop),
            (9, self.refill),
            (4, self.repair),
            (6, self.stall),
            (2, self.field),
            (6, self.clock),
            (2, self.boot),
            (2, self.revise),
        ]
        weights, what = zip(*todo, strict=True)
        if self.dice.random() < 0.5:
            self.revise()
        self.program()
        try:
            while self.now < days * DAY:
                self.wait(draw.a_gap(self.dice))
                if self.oracle.estimate < 2_000_000 and self.dice.random() < 0.6:
                    self.refill()
                else:
                    self.dice.choices(what, weights)[0]()
                self.recover()
        except Deadlock:
            self.tally.add("stories cut short: a bridge, and every program an increase")
        self.wait(1)
        oracle, add = self.oracle, self.tally.add
        add("days", self.now // DAY)
        add("pulses given", oracle.given)
        add("pulses lost to stalls", oracle.lost)
        add("stalls found by a pulse", oracle.stalls)
        add("fallback after 48 h of stall", oracle.fallbacks)
        add("bridges that passed", oracle.bridges_passed)
        add("boluses: scheduled", oracle.scheduled)
        add("boluses: late after a clock set", oracle.late)

    def wait(self, ms: int) -> None:
        """Time goes on, in one piece or in two, sometimes in another process."""
        part = self.dice.randint(0, ms) if self.dice.random() < 0.2 else 0
        for each in (part, ms - part):
            self.bench.firmware.advance(each)
            self.judge.compare()
        if self.dice.random() < 0.02:
            self.bench.attach()
            self.tally.add("process restarts")

    def recover(self) -> None:
        """Nobody leaves a patient without drug for ever, or on a fallback or a wrong year."""
        bridging = self.oracle.bridge is not None
        if self.core.control.stopped_at is not None and (bridging or self.dice.random() < 0.6):
            self.wait(self.dice.randint(1, 40 * HOUR) if bridging else draw.a_gap(self.dice))
            self.resume() if self.dice.random() < 0.7 else self.program()
        elif self.core.on_fallback and self.dice.random() < 0.4:
            self.program()
        if self.ahead and self.dice.random() < 0.5:
            self.set_clock(-self.ahead, self.offset)

    # --- what a clinic does -----------------------------------------------------------------

    def program(self) -> None:
        program = draw.a_program(self.dice, self.reservoir)
        if self.oracle.starved and self.dice.random() < 0.8:
            program = draw.a_start(self.dice, self.reservoir)
        played = self.oracle.played()
        if self.oracle.bridge is not None and played is not None and self.dice.random() < 0.7:
            program = draw.a_reduction(self.dice, played, self.reservoir) or program
        if self.done(m.StageProgram(TAG, program)):
            self.oracle.set_program(self.now, program)
            self.running = program
            self.tally.add(f"programs: {program.mode.name.lower().replace('_', ' ')}")

    def bolus(self) -> None:
        self._bolus(BolusKind.SINGLE, *draw.a_dose(self.dice, 50_000))

    def revise(self) -> None:
        """Another catheter, or an aspiration: what is free of drug is then primed, or not."""
        dice, old = self.dice, self.record
        high = dice.randint(100_000, 300_000)
        free = Part(Holds.FREE, Drug.BACLOFEN, 0)
        drug = Part(Holds.DRUG, Drug.BACLOFEN, self.reservoir)
        holds = [(drug, drug), (drug, free), (free, free)][dice.randrange(3)]
        record = old._replace(
            catheter_low=high - dice.choice((0, dice.randrange(60_000))),
            catheter_high=high,
            tubing_holds=holds[0],
            catheter_holds=holds[1],
        )
        if not self.done(StageImplant(TAG, record)):
            return
        catheter, tubing = (
            fluid(volume * _NL, part.concentration)
            for volume, part in ((high, holds[1]), (old.tubing, holds[0]))
        )
        self.oracle.reline(self.now, catheter, tubing)
        self.bounds = old.tubing + record.catheter_low, old.tubing + high
        self.tally.add("implant's record revised")
        if holds[1] is free:
            self.prime(high + (old.tubing if holds[0] is free else 0))

    def prime(self, free: int) -> None:
        """Up to so many nL."""
        most = min(200_000, free * self.reservoir // 1000)
        dose = self.dice.randint(most // 2, most)
        self._bolus(BolusKind.PRIME, dose, dose * draw.SLOW + self.dice.randrange(MINUTE))

    def _bolus(self, kind: BolusKind, dose: int, over: int) -> None:
        if self.done(acts.StageBolus(TAG, kind, dose, over)):
            self.oracle.bolus(self.now, dose, over, kind.name)
            self.tally.add(f"boluses: {kind.name.lower()}")
            self.disturb(over)

    def patient(self) -> None:
        own = self.running.patient_dose
        refused = self.bench.firmware.patient_dose()
        if refused is not None or own is None:
            self.tally.add("patient doses refused")
            return
        self.oracle.bolus(self.now, own.dose, own.over, "PATIENT")
        self.tally.add("boluses: patient's own")
        self.disturb(own.over)

    def disturb(self, over: int) -> None:
        """Something happens while a bolus runs."""
        if self.dice.random() < 0.4:
            self.wait(self.dice.randrange(over))
            self.tally.add("boluses: disturbed while they ran")
            self.dice.choice(
                (self.cancel, self.stop, self.boot, self.program, self.stall, self.clock,
                 self.refill)
            )()  # fmt: skip

    def cancel(self) -> None:
        self.bench.get(m.CancelBolus(self.next_op(), bytes(32)), m.Done)
        self.tally.add("boluses: cut short by a cancel", len(self.oracle.running))
        self.oracle.cancel(self.now)
        self.tally.add("cancels")

    def stop(self) -> None:
        self.bench.get(m.Stop(self.next_op(), bytes(32)), m.Done)
        self.oracle.stop(self.now)
        self.tally.add("stops")

    def resume(self) -> None:
        if self.done(acts.StageResume(TAG, program_hash(self.running))):
            self.oracle.resume(self.now)
            self.tally.add("resumes")

    def refill(self) -> None:
        """Needle and syringe, or only the record of them; recorded minutes to a day later."""
        dice, world = self.dice, self.core.world
        by_hand = dice.random() < 0.5 or bool(world.air)
        residual = dice.choice((0, 0, dice.randrange(1_000_000)))
        there = world.reservoir.volume // _NL
        drained = max(0, there - residual)
        injected = dice.randint(self.capacity // 3, self.capacity - (there - drained))
        concentration = dice.choice((self.reservoir, *draw.CONCENTRATIONS))
        volume = there - drained + injected
        since = self.core.engine.motor.pulses
        if by_hand:
            # all of it, to the last pL, where nothing is to be left
            out = drained * _NL if residual else world.reservoir.volume
            world.drain(out)
            world.fill(injected * _NL, Drug.BACLOFEN, concentration, self.now)
            self.core.save()
            self.oracle.run(self.now)
            self.oracle.world.drain(out)
            self.oracle.world.fill(injected * _NL, concentration)
        self.wait(dice.choice((0, dice.randint(1, HOUR), dice.randint(1, DAY))))
        staged = self._staged_refill(drained, injected, volume, since, concentration)
        self.tally.add("refills: by hand" if by_hand else "refills: by the record alone")
        displaced = self.core.engine.motor.pulses - since
        if displaced * 100_000 > self.core.world.line.volume:
            self.tally.add("refills: recorded when the line's volume had passed")
        self._tell_refill(staged, None if by_hand else (drained, injected))

    def _staged_refill(
        self, drained: int, injected: int, volume: int, since: int, concentration: int
    ) -> acts.StageRefill:
        """Activated; in a bridge nothing is increased, and some wait until it has passed."""
        for attempt in range(60):
            bridge, running, played = None, self.oracle.bridge, self.oracle.played()
            another = concentration != self.reservoir
            if self.dice.random() < (0.65 if another else 0.15) or (running and another):
                old = self.reservoir if running is None else running.concentration
                bridge = acts.Bridge(self.dice.randint(*self.bounds), Drug.BACLOFEN, old)
            program = draw.a_program(self.dice, concentration)
            if running is not None and played is not None:
                less = draw.a_reduction(self.dice, played, concentration)
                program = less or draw.the_least(concentration)
            staged = acts.StageRefill(
                TAG, drained, injected, volume, self.core.clock.utc, since, bridge, program
            )
            if self.done(staged):
                return staged
            if attempt > 5:
                self.wait(DAY)
        assert self.oracle.bridge is not None
        raise Deadlock

    def _tell_refill(self, staged: acts.StageRefill, by_record: tuple[int, int] | None) -> None:
        old, bridge = self.reservoir, staged.bridge
        another = staged.program.concentration != old
        word = "without" if bridge is None else "with"
        self.tally.add(f"refills: {'another' if another else 'same'} concentration, {word} bridge")
        self.forgotten = old if another and bridge is None else None
        self.oracle.refill(
            self.now,
            staged.program,
            volume=staged.volume,
            since=staged.since,
            bridge=None if bridge is None else (bridge.volume, bridge.old_concentration),
            by_record=by_record,
        )
        self.running = staged.program

    def repair(self) -> None:
        """The bridge that was forgotten; or one for no good reason."""
        old, before = self.forgotten, self.oracle.before
        if old is None:
            old = self.dice.choice(draw.CONCENTRATIONS)
        order = acts.StageBridge(
            TAG,
            acts.Bridge(self.dice.randint(*self.bounds), Drug.BACLOFEN, old),
            self.core.control.fill.since,
        )
        if self.done(order):
            assert isinstance(self.seen, acts.BridgeReadback)
            plays_before = before is not None and self.seen.program_hash == program_hash(before)
            self.oracle.repair(self.now, order.bridge.volume, old, plays_before=plays_before)
            self.tally.add("bridges repaired")
            self.tally.add("bridges repaired that play what ran before", plays_before)

    def clock(self) -> None:
        shift, offset = draw.a_shift(self.dice)
        self.set_clock(shift, max(-720, min(720, self.offset + offset)))

    def set_clock(self, shift: int, offset: int) -> None:
        if not self.done(acts.StageClock(shift, offset)):
            return
        change = shift + (offset - self.offset) * MINUTE
        self.oracle.clock(self.now, change)
        self.offset = offset
        self.ahead = shift if shift >= 365 * DAY else 0
        self.tally.add(f"clock sets: {'forward' if change >= 0 else 'back'}")

    # --- what happens to a pump ---------------------------------------------------------------

    def stall(self) -> None:
        self._hold(FaultKind.STALL, draw.a_stall(self.dice))

    def field(self) -> None:
        self._hold(FaultKind.MRI, self.dice.randint(5 * MINUTE, 2 * HOUR))
        self.tally.add("motors stuck after a magnetic field", self.oracle.stuck)

    def _hold(self, kind: FaultKind, ms: int) -> None:
        until = self.now + ms
        self.core.catch_up()
        self.core.world.add(Fault(kind, self.now, until, 0))
        self.core.save()
        self.oracle.hold(self.now, until, field=kind is FaultKind.MRI)
        self.tally.add("holds: magnetic fields" if kind is FaultKind.MRI else "holds: stalls")

    def boot(self) -> None:
        self.bench.boot()
        self.oracle.boot(self.now)
        self.tally.add("boots")

    # --- the road ------------------------------------------------------------------------------

    def next_op(self) -> bytes:
        self.operation += 1
        return op(self.operation)

    def done(self, message: Any) -> bool:
        """Staged, read back, and activated at once or a little later."""
        staged = self.bench.ask(message)
        if isinstance(staged, m.Staged):
            self.seen = self.bench.ask(m.GetReadback())
            if self.dice.random() < 0.3:
                self.wait(self.dice.randint(1, 25_000))
            self.operation += 1
            staged = self.bench.activate(staged, self.operation)
        if isinstance(staged, m.Refusal):
            self.tally.add(f"acts refused: {staged.code.name}")
            return False
        assert isinstance(staged, m.Done), staged
        return True
