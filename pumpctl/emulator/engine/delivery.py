"""The delivery engine: goes from event to event and gives what the plan says.

Events are a step of the schedule, a bolus that starts or ends, a full hour of
the local label, an alarm's threshold, a motor that stops or turns again, the
end of a bridge. Between two of them the flow is constant, so a month takes as
many steps as it has events. The engine knows nothing of the line, of keys, or of
how a plan came to be; nothing from outside can reach it but `set_plan`, a bolus,
`end_boluses` and time. What must be durable it leaves to its `Keeper`.
"""

from __future__ import annotations

from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL, PlugFlow, pure
from pumpctl.emulator.body.tip import Tally
from pumpctl.emulator.body.world import World
from pumpctl.emulator.engine import past as history
from pumpctl.emulator.engine.alarms import AlarmBoard
from pumpctl.emulator.engine.battery import Battery
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from pumpctl.emulator.engine.exact import ZERO, Ratio, ratio
from pumpctl.emulator.engine.hunger import STOPPED_TOO_LONG_MS, Hunger
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.plan import Keeper, Plan, bolus_data, missed_data
from pumpctl.emulator.engine.schedule import Due, bolus_flow
from pumpctl.emulator.engine.self_tests import MOTOR_CHECK_MS
from pumpctl.emulator.engine.turns import Turns
from pumpctl.emulator.memory.retained import Bolus, Metering
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind
from pumpctl.wire.codes import Battery as BatteryWord

MOST_BOLUSES = 8
_MOST_STARTS = 254


class Delivery:
    """The engine and everything that it moves."""

    def __init__(
        self,
        *,
        clock: Clock,
        world: World,
        world_ahead: int,
        alarms: AlarmBoard,
        battery: Battery,
        pulse: int,
        metering: Metering,
        plan: Plan,
        state_version: int,
        keeper: Keeper,
    ) -> None:
        self.clock = clock
        self.world = world
        self.world_ahead = world_ahead
        """The world's time less the counter."""
        self.alarms = alarms
        self.battery = battery
        self.motor = Motor(
            pulse=pulse,
            pulses=metering.pulses,
            lost=metering.lost,
            carry=ratio(
                int.from_bytes(metering.carry_num, "big"),
                int.from_bytes(metering.carry_den, "big"),
            ),
        )
        self.line = PlugFlow(metering.line)
        """What the pump believes of the line, and has given past its tip."""
        self.past_tip = Tally(metering.given)
        self.batch = metering.batch
        self.reservoir = metering.reservoir
        """The pump's estimate, nL: the fill less the pulses, never below nothing (PMP-03)."""
        self.boluses = list(metering.boluses)
        self.turns = Turns(metering.served, metering.turn_since, metering.turn_until)
        self.hours_until = metering.hours_until
        self.last_bolus_end = metering.last_bolus_end
        self.last_order_end = metering.last_order_end
        self.patient_starts = metering.patient_starts
        self.stalled_since = metering.stalled_since
        self.hunger = Hunger(metering.starving_since, metering.fed_since)
        self.past = metering.past
        self.plan = plan
        self.state_version = state_version
        """Only noted in the hour records."""
        self._keeper = keeper

    # --- from outside -----------------------------------------------------------------

    def advance(self, to: int) -> None:
        """Deliver until the counter stands at `to`, everything that happens then included."""
        self._happen()
        while self.clock.counter < to:
            flow, turns = self.flow(), self.world.turns(self.world_time)
            step, left = self._until_next(flow, turns), to - self.clock.counter
            self._run(flow, min(step, left), turns)
            if left < step:  # nothing happens before `to`, nor at it
                self._note_instant()
            else:
                self._happen()

    def set_plan(self, plan: Plan) -> None:
        """From this instant on give this. Running boluses go on, unless it is a stop."""
        self.plan = plan
        if plan.stopped_at is not None:
            self.end_boluses()
        self.hunger.note(self.clock.counter, self._halts)
        self._note_rate()
        self._alarm()

    def give(self, bolus: Bolus) -> None:
        """Begin a bolus that was accepted; its log entry is written by whoever accepted it."""
        self.boluses.append(bolus)
        self.past = history.note_started(self.past, bolus.started, bolus.dose, bolus.over)

    def end_boluses(self, kinds: frozenset[BolusKind] | None = None) -> None:
        """End those that run, or those of these kinds, with what they have given."""
        for bolus in list(self.boluses):
            if kinds is None or bolus.kind in kinds:
                self.end(bolus)

    def note_patient_start(self, counter: int) -> None:
        """A dose of the patient's own began; what is more than a day old counts no more."""
        recent = [each for each in self.patient_starts if each > counter - DAY_MS]
        self.patient_starts = (*recent[-_MOST_STARTS:], counter)

    def start_scheduled(self, due: Due) -> None:
        """Give a scheduled bolus now; where that cannot be, it is logged as missed."""
        day, minute = due.start // DAY_MS, due.start % DAY_MS // MINUTE_MS
        bolus = Bolus(
            BolusKind.SCHEDULED,
            due.bolus.dose,
            due.bolus.over,
            self.plan.concentration,
            self.clock.counter,
            day,
            minute,
            bytes(16),
            0,
        )
        if self.plan.stopped_at is not None or len(self.boluses) >= MOST_BOLUSES:
            self.miss(due)
            return
        self._keeper.record(LogKind.BOLUS_STARTED, bolus.dose, bolus.over, bolus_data(bolus))
        self.give(bolus)

    def miss(self, due: Due) -> None:
        """Say that a scheduled bolus was not given."""
        data = missed_data(due, self.plan.concentration, self.clock.counter)
        self._keeper.record(LogKind.BOLUS_MISSED, due.bolus.dose, due.bolus.over, data)

    def check_motor(self) -> None:
        """Does a motor that stood still turn again? Then the schedule goes on where it is now.

        A motor that is not driven shows nothing: on a stopped pump a stall is not over.
        """
        if self.stalled_since is None or self.plan.stopped_at is not None:
            return
        if self.world.turns(self.world_time):
            self.stalled_since = None
            self.hunger.note(self.clock.counter, self._halts)
            self._note_rate()
            self._alarm()

    # --- figures ------------------------------------------------------------------------

    @property
    def world_time(self) -> int:
        """The world's own counter."""
        return self.clock.counter + self.world_ahead

    def flow(self) -> Ratio:
        """What the motor is asked for now, nL/ms."""
        if self.plan.stopped_at is not None:
            return ZERO
        flow = self.plan.steady
        if self.plan.schedule is not None:
            flow = self.plan.schedule.flow(self.clock.local)
        for bolus in self.boluses:
            flow = flow.plus(bolus_flow(bolus.dose, bolus.over, self.plan.concentration))
        return flow

    def rate(self) -> int:
        """The basal dose rate that is asked for now, ng/day."""
        if self.plan.stopped_at is not None:
            return 0
        if self.plan.schedule is not None:
            return self.plan.schedule.rate(self.clock.local)
        return self.plan.steady_rate

    def given(self, bolus: Bolus) -> Ratio:
        """What this bolus has given so far, ng: of a stall, nothing."""
        elapsed = min(bolus.over, self.clock.counter - bolus.started) - bolus.lost
        return ratio(bolus.dose * max(0, elapsed), bolus.over)

    @property
    def starving_since(self) -> int | None:
        """Counter since which nothing was delivered, by stop or stall; some hours do not end it."""
        return self.hunger.since

    @property
    def starved(self) -> bool:
        """More than 48 hours without drug, and not yet fed again (STP-03)?"""
        return self.hunger.starved(self.clock.counter)

    # --- from event to event ----------------------------------------------------------------

    def _until_next(self, flow: Ratio, turns: bool) -> int:
        """Milliseconds until something happens."""
        clock, counter, plan = self.clock, self.clock.counter, self.plan
        ahead = [HOUR_MS - clock.local % HOUR_MS]
        if plan.schedule is not None:
            ahead.append(plan.schedule.next_change(clock.local) - clock.local)
            due = self.turns.next(plan.schedule)
            if due is not None:
                ahead.append(due.start - clock.local)
        ahead += [bolus.started + bolus.over - counter for bolus in self.boluses]
        pulses: list[int] = []
        if turns and self.stalled_since is None:
            pulses += [
                -(-(self.reservoir - threshold) // self.motor.pulse)
                for threshold in (plan.low_alarm, 0)
                if self.reservoir > threshold
            ]
            if plan.bridge_end is not None:
                pulses.append(plan.bridge_end - self.motor.pulses)
        elif turns or self.stalled_since is None:  # it stops, or turns again: seen by a pulse
            pulses.append(1)
            if plan.bridge_end is not None:
                pulses.append(plan.bridge_end - self.motor.pulses)
        if pulses and (wait := self.motor.until(flow, min(pulses))) is not None:
            ahead.append(wait)
        if self.stalled_since is not None:
            ahead.append(MOTOR_CHECK_MS - counter % MOTOR_CHECK_MS)
        ahead += [edge - counter for edge in self.hunger.edges() if edge > counter]
        ahead.append(self.battery.next_edge(counter) - counter)
        edge = self.world.next_edge(self.world_time)
        if edge is not None:
            ahead.append(edge - self.world_time)
        return max(1, min(ahead))

    def _run(self, flow: Ratio, ms: int, turns: bool) -> None:
        due = self.motor.run(flow, ms, turns=turns)
        self.battery.idle(ms)
        self.battery.pulses(due)  # a motor that stands still is driven, too
        if due and turns:
            self.world.pump(due, self.world_time, self.world_time + ms)
            volume = due * self.motor.pulse
            fluid = pure(
                volume * PL_PER_NL, self.plan.drug, self.plan.reservoir_concentration, self.batch
            )
            for plug in self.line.push(fluid):
                self.past_tip.add(plug)
            self.reservoir = max(0, self.reservoir - volume)
        if not turns and self.boluses:
            self.boluses = [bolus._replace(lost=bolus.lost + ms) for bolus in self.boluses]
        self.clock.counter += ms
        if due and not turns and self.stalled_since is None:
            self.stalled_since = self.clock.counter

    def _happen(self) -> None:
        """All that is due at this very instant; done again, it finds nothing to do."""
        clock = self.clock
        for bolus in [b for b in self.boluses if b.started + b.over <= clock.counter]:
            self.end(bolus)
        if self.plan.bridge_end is not None and self.motor.pulses >= self.plan.bridge_end:
            # What the next program had scheduled before this instant was not its to give.
            self.turns.reach(clock.local - 1)
            self._keeper.bridge_over()
        hour = clock.local // HOUR_MS
        if hour > self.hours_until:
            self.hours_until = hour
            data = self._hour_data()
            self._keeper.record(LogKind.HOUR, self.reservoir, self.state_version, data)
        while (due := self.turns.next(self.plan.schedule)) is not None and due.start <= clock.local:
            self.turns.reach(due.start)
            self.start_scheduled(due)
        self.turns.reach(clock.local)
        self.hunger.note(self.clock.counter, self._halts)
        self._look_at_motor()
        self.battery.look(clock.counter)
        if self.battery.ended(clock.counter) and self.plan.stopped_at is None:
            self._keeper.cell_dead()
        self._note_rate()
        self._alarm()

    def _note_instant(self) -> None:
        """All that is left of `_happen` at an instant between two events."""
        self.turns.reach(self.clock.local)
        self._note_rate()
        self.tell_world()

    def _look_at_motor(self) -> None:
        """Has it stood still too long; and, every 20 minutes, does it turn again?"""
        counter, since = self.clock.counter, self.stalled_since
        if since is None:
            return
        if counter % MOTOR_CHECK_MS == 0:
            self.check_motor()
        if self.stalled_since is None:
            return
        delivers = self.plan.schedule is not None and self.plan.stopped_at is None
        starving = since if self.starving_since is None else self.starving_since
        if delivers and counter - starving >= STOPPED_TOO_LONG_MS:
            self._keeper.starved()

    @property
    def _halts(self) -> list[int]:
        """Since when a stop or a stall keeps delivery off."""
        return [at for at in (self.plan.stopped_at, self.stalled_since) if at is not None]

    def _note_rate(self) -> None:
        rate = 0 if self.stalled_since is not None else self.rate()
        self.past = history.note_rate(self.past, self.clock.counter, rate)

    def _hour_data(self) -> bytes:
        """Mass past the tip in ng (all drugs), concentration of metering, basal rate now."""
        mass = sum(given.mass for given in self.past_tip.entries()) // FG_PER_NG
        concentration = self.plan.concentration.to_bytes(4, "big")
        return mass.to_bytes(8, "big") + concentration + self.rate().to_bytes(8, "big")

    def end(self, bolus: Bolus) -> None:
        """It is over, with what it has given."""
        given, data = self.given(bolus).half_up(), bolus_data(bolus)
        if not self._keeper.settled(bolus, given, data):
            self._keeper.record(LogKind.BOLUS_ENDED, bolus.dose, given, data)
        self.boluses.remove(bolus)
        self.last_bolus_end = self.clock.counter
        if bolus.kind in (BolusKind.SINGLE, BolusKind.PRIME):
            self.last_order_end = self.clock.counter
        self.past = history.note_ended(
            self.past,
            self.clock.counter,
            started=bolus.started,
            dose=bolus.dose,
            over=bolus.over,
        )

    def _alarm(self) -> None:
        counter, starving = self.clock.counter, self.starving_since
        starving = starving if self._halts else None
        cell = self.battery.state(counter)
        found = [
            (AlarmCode.LOW_RESERVOIR, self.reservoir <= self.plan.low_alarm),
            (AlarmCode.EMPTY_RESERVOIR, self.reservoir == 0),
            (AlarmCode.MOTOR_STALL, self.stalled_since is not None),
            (AlarmCode.ELECTIVE_REPLACEMENT, cell is not BatteryWord.GOOD),
            (AlarmCode.END_OF_SERVICE, cell is BatteryWord.END_OF_SERVICE),
        ]
        too_long = starving is not None and counter - starving >= STOPPED_TOO_LONG_MS
        on_fallback = self.plan.schedule is None
        if too_long or not on_fallback:  # after a stall it stays until a program is activated
            found.append((AlarmCode.STOPPED_TOO_LONG, too_long))
        some = bool(self.alarms.raised)  # nearly always there is none, and none is to be cleared
        for code, on in found:
            if on or some:
                self.alarms.put(code, on, utc=self.clock.utc, counter=counter)
        self.tell_world()

    def tell_world(self) -> None:
        """A magnetic field that begins during a critical alarm is worse than another."""
        self.world.note_alarms(self.alarms.critical, self.world_time)

    # --- to be saved ---------------------------------------------------------------------------

    def metering(self) -> Metering:
        """Everything that goes on from here at the next start."""
        return Metering(
            self.motor.pulses,
            self.motor.lost,
            _big(self.motor.carry.num),
            _big(self.motor.carry.den),
            self.reservoir,
            self.line.plugs,
            self.batch,
            self.past_tip.entries(),
            tuple(self.boluses),
            self.turns.served,
            self.turns.since,
            self.turns.until,
            self.hours_until,
            self.last_bolus_end,
            self.last_order_end,
            self.patient_starts,
            self.stalled_since,
            self.hunger.since,
            self.hunger.fed,
            self.past,
        )


def _big(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
