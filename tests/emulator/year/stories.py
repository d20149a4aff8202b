"""One pump's story, drawn from a seed: done to the emulator, and told to the oracle.

Whether the pump takes an act is the pump's to say; what it then gives is the
oracle's. At every act and at instants between, pulses, volumes and masses of both
are held against each other, and every hour that the log names.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import BolusKind, Drug, LogKind
from pumpctl.wire.logentry import LogEntry, unpack
from pumpctl.wire.program import Program, program_hash
from tests.emulator.support import MONDAY, TAG, Bench
from tests.emulator.year import draw
from tests.emulator.year.draw import DAY, HOUR, MINUTE
from tests.emulator.year.oracle import PULSE, SCHEDULED, Ended, Oracle
from tests.oracles.tally import Tally

CAPACITY = {"SP40": 40_000_000, "SP20": 20_000_000}
HIGHEST = 2000
"""pg/nL: what one pulse weighs at most is 0.2 mcg."""
ONE_PULSE_NG = PULSE * HIGHEST // 1000


class Apart(AssertionError):
    """The two are not of one mind."""


class Worst(NamedTuple):
    """The largest differences that were found."""

    pulses: int = 0
    ng: Fraction = Fraction(0)
    """Past the tip: the world's truth, and what the pump believes."""
    volume: int = 0
    """pL in the reservoir."""

    def or_worse(self, other: Worst) -> Worst:
        return Worst(*(max(pair) for pair in zip(self, other, strict=True)))


class Story:
    """One pump's."""

    def __init__(self, seed: int, number: int, tally: Tally) -> None:
        self.name = f"seed {seed}, story {number}"
        self.dice = dice = Random(f"year {seed} {number}")
        self.tally = tally
        self.worst = Worst()
        model = dice.choice(sorted(CAPACITY))
        self.capacity = CAPACITY[model]
        concentration = dice.choice(draw.CONCENTRATIONS)
        volume = dice.randint(self.capacity // 4, self.capacity)
        offset, start = dice.choice((0, 60, -300, 330)), MONDAY + dice.randrange(7 * DAY)
        self.bench = Bench(
            model=model, concentration=concentration, volume=volume, frozen=True,
            offset_min=offset, start=start,
        )  # fmt: skip
        if dice.random() < 0.4:
            self.core.world.calibrate(dice.randint(-60_000, 60_000))
            self.core.save()
            tally.add("pumps with a calibration error")
        self.offset = offset
        self.operation = 0
        self.read_to = 1
        self.started: list[tuple[int, int, int]] = []
        self.ended: list[Ended] = []
        self.injected: tuple[int, int] | None = None
        """(pulses at an injection without a bridge, old concentration)."""
        world = self.core.world
        program = self.bench.get(m.GetProgram(), m.ProgramReport).program
        self.oracle = Oracle(
            program,
            filled=volume,
            line=world.line.volume,
            pulse=world.pulse,
            label=start + offset * MINUTE,
            least_flow=draw.LEAST_FLOW,
        )

    @property
    def core(self) -> Any:
        return self.bench.core

    @property
    def now(self) -> int:
        counter = self.core.clock.counter
        assert isinstance(counter, int)
        return counter

    def tell(self, days: int) -> None:
        """Live through so many days; Apart where the two differ."""
        todo: list[tuple[int, Callable[[], None]]] = [
            (16, self.program), (12, self.bolus), (14, self.patient), (5, self.cancel),
            (5, self.stop), (9, self.refill), (4, self.repair), (7, self.stall), (2, self.field),
            (6, self.clock), (2, self.boot), (18, lambda: None),
        ]  # fmt: skip
        weights = [weight for weight, _ in todo]
        self.program()
        while self.now < days * DAY:
            self.wait(draw.a_gap(self.dice))
            if self.oracle.estimate < 2_000_000 and self.dice.random() < 0.7:
                self.refill()
            else:
                self.dice.choices([act for _, act in todo], weights)[0]()
            self.recover()
        self.compare()
        self.tally.add("days", self.now // DAY)
        self.tally.add("pulses", self.oracle.given)
        self.tally.add("pulses lost to stalls", self.oracle.lost)
        self.tally.add("stalls found", self.oracle.stalls)
        self.tally.add("fallbacks", self.oracle.fallbacks)
        self.tally.add("bridges passed", self.oracle.bridges_passed)
        self.tally.add("boluses: scheduled", len(self.oracle.started))
        self.tally.add("boluses: scheduled, given late after a clock set", self.oracle.late)

    # --- time ---------------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        """Time goes on, in one piece or in several."""
        self.bench.firmware.advance(ms)
        self.compare()

    def compare(self) -> None:
        """Are the two of one mind at this instant, and at each hour since the last time?"""
        oracle, engine, world = self.oracle, self.core.engine, self.core.world
        oracle.run(self.now)
        self.read_log()
        motor = engine.motor
        owed = oracle.due - (motor.pulses + motor.lost) * PULSE
        given = Fraction(sum(each.mass for each in world.given))
        believed = Fraction(sum(each.mass for each in engine.past_tip.entries()))
        apart = max(abs(given - oracle.world.passed), abs(believed - oracle.belief.passed))
        here = Worst(
            max(abs(motor.pulses - oracle.given), abs(motor.lost - oracle.lost)),
            apart / 1_000_000,
            abs(world.reservoir.volume - oracle.world.volume),
        )
        self.worst = self.worst.or_worse(here)
        self.tally.add("instants compared")
        self.same("pulses", motor.pulses, oracle.given)
        self.same("pulses lost", motor.lost, oracle.lost)
        self.same("estimate of the reservoir", engine.reservoir, oracle.estimate)
        self.same("volume in the reservoir", world.reservoir.volume, oracle.world.volume)
        self.same("boluses begun by the schedule", self.started, self._wanted_starts())
        self.same("ends of boluses", sorted(self.ended), sorted(oracle.ended))
        carry = Fraction(motor.carry.num, motor.carry.den)
        if not 0 <= owed < PULSE or abs(carry - owed) > Fraction(1, 2**100):
            raise Apart(f"{self}: carry {carry}, and {owed} nL are owed")
        if here.ng > ONE_PULSE_NG:
            raise Apart(f"{self}: past the tip {given} and {believed} fg, wanted "
                        f"{oracle.world.passed} and {oracle.belief.passed}")  # fmt: skip
        self.started, self.ended = [], []
        oracle.started_told()

    def read_log(self) -> None:
        """Hours, starts and ends that are new in the log."""
        log = self.core.log
        for raw in log.read(self.read_to, log.next):
            entry = unpack(raw)
            if entry.kind is LogKind.HOUR:
                self.tally.add("hours compared")
                self.same("pulses at the hour", entry.pulses, self.oracle.pulses_at(entry.counter))
            elif entry.kind is LogKind.BOLUS_ENDED:
                self.ended.append(Ended(entry.counter, entry.a, entry.b))
            elif entry.kind is LogKind.BOLUS_STARTED:
                self._note_start(entry)
        self.read_to = log.next
        self.oracle.course.clear()
