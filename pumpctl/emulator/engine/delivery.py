"""The delivery engine: goes from event to event and gives what the plan says.

Events are a step of the schedule, a bolus that starts or ends, a full hour of
the local label, an alarm's threshold. Between two of them the flow is constant,
so a month takes as many steps as it has events. The engine knows nothing of the
line, of keys, or of how a plan came to be; nothing from outside can reach it
but `set_plan`, `end_boluses` and time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL, Fluid
from pumpctl.emulator.engine.alarms import AlarmBoard
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from pumpctl.emulator.engine.exact import ZERO, Ratio, ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.schedule import Due, Schedule, bolus_flow
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind

STOPPED_TOO_LONG_MS = 48 * HOUR_MS
MOST_BOLUSES = 8
Record = Callable[[LogKind, int, int, bytes], None]


class Plan(NamedTuple):
    """What to give, from an instant on."""

    schedule: Schedule | None
    """None: the steady flow alone, as on the fallback rate."""
    steady: Ratio
    """nL/ms"""
    steady_rate: int
    """ng/day"""
    concentration: int
    """pg/nL at which doses are metered."""
    low_alarm: int
    """nL"""
    stopped_at: int | None
    """Counter of the stop; None while the pump delivers."""


class Delivery:
    """The engine and everything that it moves."""

    def __init__(
        self,
        *,
        clock: Clock,
        motor: Motor,
        fluid: Fluid,
        alarms: AlarmBoard,
        reservoir: int,
        boluses: tuple[Bolus, ...],
        boluses_until: int,
        hours_until: int,
        plan: Plan,
        state_version: int,
        record: Record,
    ) -> None:
        self.clock = clock
        self.motor = motor
        self.fluid = fluid
        self.alarms = alarms
        self.reservoir = reservoir
        """The pump's estimate, nL: the fill less the pulses, never below nothing (PMP-03)."""
        self.boluses = list(boluses)
        self.boluses_until = boluses_until
        self.hours_until = hours_until
        self.plan = plan
        self.state_version = state_version
        """Only noted in the hour records."""
        self._record = record

    def advance(self, to: int) -> None:
        """Deliver until the counter stands at `to`, everything that happens then included."""
        self._happen()
        while self.clock.counter < to:
            flow = self.flow()
            step = min(to - self.clock.counter, self._until_next(flow))
            self._run(flow, step)
            self._happen()

    def set_plan(self, plan: Plan) -> None:
        """From this instant on give this. Running boluses go on, unless it is a stop."""
        self.plan = plan
        if plan.stopped_at is not None:
            self.end_boluses(self.clock.counter)
        self._alarm()

    def end_boluses(self, started_until: int) -> None:
        """End the boluses that began up to this counter, with what they have given."""
        for bolus in [each for each in self.boluses if each.started <= started_until]:
            self._end(bolus)

    def flow(self) -> Ratio:
        """What the motor is asked for now, nL/ms."""
        if self.plan.stopped_at is not None:
            return ZERO
        flow = self.plan.steady
        if self.plan.schedule is not None:
            flow = self.plan.schedule.flow(self.clock.local)
        for bolus in self.boluses:
            flow = flow.plus(bolus_flow(bolus.dose, bolus.over, bolus.concentration))
        return flow

    def rate(self) -> int:
        """The basal dose rate now, ng/day."""
        if self.plan.stopped_at is not None:
            return 0
        if self.plan.schedule is not None:
            return self.plan.schedule.rate(self.clock.local)
        return self.plan.steady_rate

    def given(self, bolus: Bolus) -> Ratio:
        """What this bolus has given so far, ng."""
        elapsed = min(bolus.over, self.clock.counter - bolus.started)
        return ratio(bolus.dose * elapsed, bolus.over)

    def _until_next(self, flow: Ratio) -> int:
        """Milliseconds until something happens."""
        clock = self.clock
        ahead = [HOUR_MS - clock.local % HOUR_MS]
        if self.plan.schedule is not None:
            ahead.append(self.plan.schedule.next_change(clock.local) - clock.local)
            due = self._next_scheduled()
            if due is not None:
                ahead.append(due.start - clock.local)
        ahead += [bolus.started + bolus.over - clock.counter for bolus in self.boluses]
        for threshold in (self.plan.low_alarm, 0):
            if self.reservoir > threshold:
                pulses = -(-(self.reservoir - threshold) // self.motor.pulse)
                wait = self.motor.until(flow, pulses)
                if wait is not None:
                    ahead.append(wait)
        if self.plan.stopped_at is not None:
            too_long = self.plan.stopped_at + STOPPED_TOO_LONG_MS - clock.counter
            if too_long > 0:
                ahead.append(too_long)
        return max(1, min(ahead))

    def _next_scheduled(self) -> Due | None:
        if self.plan.schedule is None:
            return None
        return self.plan.schedule.next_bolus(self.boluses_until)

    def _run(self, flow: Ratio, ms: int) -> None:
        pulses = self.motor.run(flow, ms)
        if pulses:
            self.fluid.move(pulses * self.motor.pulse * PL_PER_NL)
            self.reservoir = max(0, self.reservoir - pulses * self.motor.pulse)
        self.clock.counter += ms

    def _happen(self) -> None:
        """All that is due at this very instant; done again, it finds nothing to do."""
        clock = self.clock
        for bolus in [b for b in self.boluses if b.started + b.over <= clock.counter]:
            self._end(bolus)
        hour = clock.local // HOUR_MS
        if hour > self.hours_until:
            self.hours_until = hour
            self._record(LogKind.HOUR, self.reservoir, self.state_version, self._hour_data())
        while (due := self._next_scheduled()) is not None and due.start <= clock.local:
            self.boluses_until = due.start
            self._start(due)
        self.boluses_until = max(self.boluses_until, clock.local)
        self._alarm()

    def _hour_data(self) -> bytes:
        """Mass past the tip in ng (all drugs), concentration of metering, basal rate now."""
        mass = sum(given.mass for given in self.fluid.given) // FG_PER_NG
        concentration = self.plan.concentration.to_bytes(4, "big")
        return mass.to_bytes(8, "big") + concentration + self.rate().to_bytes(8, "big")

    def _start(self, due: Due) -> None:
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
        )
        missed = self.plan.stopped_at is not None or len(self.boluses) >= MOST_BOLUSES
        kind = LogKind.BOLUS_MISSED if missed else LogKind.BOLUS_STARTED
        self._record(kind, bolus.dose, bolus.over, _bolus_data(bolus))
        if not missed:
            self.boluses.append(bolus)

    def _end(self, bolus: Bolus) -> None:
        self.boluses.remove(bolus)
        given = self.given(bolus).half_up()
        self._record(LogKind.BOLUS_ENDED, bolus.dose, given, _bolus_data(bolus))

    def _alarm(self) -> None:
        stopped = self.plan.stopped_at
        self._put(AlarmCode.LOW_RESERVOIR, self.reservoir <= self.plan.low_alarm)
        self._put(AlarmCode.EMPTY_RESERVOIR, self.reservoir == 0)
        self._put(
            AlarmCode.STOPPED_TOO_LONG,
            stopped is not None and self.clock.counter - stopped >= STOPPED_TOO_LONG_MS,
        )

    def _put(self, code: AlarmCode, on: bool) -> None:
        self.alarms.put(code, on, utc=self.clock.utc, counter=self.clock.counter)


def _bolus_data(bolus: Bolus) -> bytes:
    """Kind, identity (local date and minute), concentration, counter at its start."""
    return (
        int(bolus.kind).to_bytes(2, "big")
        + bolus.day.to_bytes(4, "big")
        + bolus.minute.to_bytes(2, "big")
        + bolus.concentration.to_bytes(4, "big")
        + bolus.started.to_bytes(8, "big")
    )
