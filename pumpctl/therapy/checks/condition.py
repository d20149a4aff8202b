"""In what condition is the pump? Clock, alarms, reservoir, battery, what is running."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Duration
from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.compare import is_reduction
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import BatteryState, Priority, PumpState, clock_difference_ms


def critical_alarms(pump: PumpState) -> Iterator[Seen]:
    """Each critical alarm in words: before a change, and before a bolus."""
    for alarm in pump.alarms:
        if alarm.priority is Priority.CRITICAL:
            yield Seen(
                f"critical alarm {alarm.code} since {alarm.since.label()}: {alarm.cause}",
                value=alarm.code,
                limit="no critical alarm",
            )


def _clock_matters(old: Program | None, new: Program) -> bool:
    """Whether a clock that is off is a reason to refuse: not for a reduction (TIM-02)."""
    return new.by_time_of_day and not (old is not None and is_reduction(old, new))


def _clock_seen(case: PumpCase) -> Iterator[Seen]:
    apart = clock_difference_ms(case.pump.clock, case.now)
    limit = practice.CLOCK.value
    if abs(apart) > limit.quanta:
        size = Duration(-(-abs(apart) // 1_000) * 1_000)
        yield Seen(
            f"the pump's clock is {size} {'ahead of' if apart > 0 else 'behind'} the station's "
            f"({case.pump.clock.label()}, {case.now.label()})",
            value=f"{'+' if apart > 0 else '-'}{size}",
            limit=str(limit),
            path=("program", "mode"),
            source=practice.CLOCK.source,
        )


@pump_check(
    "CLOCK_DIFFERENCE",
    Severity.HARD,
    source=practice.CLOCK.source,
    why="A schedule by time of day gives its doses at the hours of the pump's clock. One of the "
    "two clocks is wrong: find out which, and set the pump's with `clock` if it is that one. "
    "Continuous and minimum rate, and reductions, are not refused.",
    incident="Clocks that were wrong, and changes to daylight-saving time, moved the hours of "
    "time-of-day schedules.",
)
def clock_difference(case: PumpCase) -> Iterator[Seen]:
    """A schedule by time of day needs two clocks that agree."""
    if _clock_matters(case.pump.program, case.program):
        yield from _clock_seen(case)


@pump_check(
    "CLOCK_OFF",
    Severity.NOTE,
    source=practice.CLOCK.source,
    why="The clocks differ. This program may go on all the same, but later schedules will not.",
)
def clock_off(case: PumpCase) -> Iterator[Seen]:
    """Say that the clocks differ, where that is no reason to refuse."""
    if not _clock_matters(case.pump.program, case.program):
        yield from _clock_seen(case)


@pump_check(
    "ALARM_CRITICAL",
    Severity.SOFT,
    source="ALM-02",
    why="A critical alarm says that the pump may not deliver what it is told. Look at its cause "
    "before changing the dose of a patient who may not have had the last one.",
    incident="After an MRI scan a pump that was alarming did not resume.",
)
def alarm_critical(case: PumpCase) -> Iterator[Seen]:
    """No critical alarm is active."""
    yield from critical_alarms(case.pump)


@pump_check(
    "ALARM_ACTIVE",
    Severity.NOTE,
    source="ALM-02",
    why="An alarm that has not been cleared; it is shown before any change of therapy.",
)
def alarm_active(case: PumpCase) -> Iterator[Seen]:
    """Show the other alarms."""
    for alarm in case.pump.alarms:
        if alarm.priority is not Priority.CRITICAL:
            yield Seen(
                f"alarm {alarm.code} since {alarm.since.label()}: {alarm.cause}", value=alarm.code
            )


@pump_check(
    "LOW_ALARM_CAPACITY",
    Severity.HARD,
    source="pump model",
    why="An alarm volume at or above the reservoir's capacity rings for ever, and is ignored.",
)
def low_alarm_capacity(case: PumpCase) -> Iterator[Seen]:
    """The alarm volume is below this pump's capacity."""
    alarm, capacity = case.program.low_alarm, case.pump.capacity
    if alarm >= capacity:
        yield Seen(
            f"an alarm volume of {alarm} in a reservoir of {capacity}",
            value=str(alarm),
            limit=f"below {capacity}",
            path=("reservoir", "low_alarm"),
        )


@pump_check(
    "RESERVOIR_LOW",
    Severity.NOTE,
    source="arithmetic",
    why="The reservoir is at its alarm volume, old or new: plan the refill before the change.",
)
def reservoir_low(case: PumpCase) -> Iterator[Seen]:
    """The reservoir is above the alarm volume that the program sets."""
    alarm, left = case.program.low_alarm, case.pump.reservoir
    if left <= alarm:
        yield Seen(
            f"{left} are left, and the alarm volume is {alarm}",
            value=str(left),
            limit=str(alarm),
            path=("reservoir", "low_alarm"),
        )


@pump_check(
    "REFILL_OVERDUE",
    Severity.NOTE,
    source=practice.REFILL_DAYS.source,
    why="The drug in the reservoir is older than the longest refill interval.",
)
def refill_overdue(case: PumpCase) -> Iterator[Seen]:
    """The last fill is not older than the longest interval."""
    days, source = practice.REFILL_DAYS
    if case.pump.filled_at is None:
        return
    due = case.pump.filled_at.date.plus(days)
    if case.now.date > due:
        yield Seen(
            f"filled on {case.pump.filled_at.date}: a refill was due by {due}",
            value=str(case.now.date),
            limit=str(due),
            source=source,
        )


@pump_check(
    "BATTERY_LOW",
    Severity.NOTE,
    source="practice: replaced at least 3 months ahead; the pump stops 90 days after ERI",
    why="A pump at the end of its battery stops, and a stopped pump means withdrawal.",
    incident="FDA, Mar 2012: a programmer's software computed wrong replace-by dates; 9 cases.",
)
def battery_low(case: PumpCase) -> Iterator[Seen]:
    """The pump's replacement is not near."""
    state, replace_by = case.pump.battery
    near = replace_by is not None and replace_by <= case.now.date.plus(
        practice.REPLACE_AHEAD_DAYS.value
    )
    if near or state is not BatteryState.OK:
        when = f"the pump is to be replaced by {replace_by}" if replace_by else "battery low"
        yield Seen(f"{when} (battery: {state.value})", value=state.value)


@pump_check(
    "BOLUS_RUNNING",
    Severity.NOTE,
    source="BOL-08",
    why="A running bolus goes on when a program is activated.",
)
def bolus_running(case: PumpCase) -> Iterator[Seen]:
    """Say that a bolus is running."""
    bolus = case.pump.bolus
    if bolus is not None:
        yield Seen(
            f"a bolus of {bolus.dose} is running until {bolus.ends.label()}; it goes on",
            value=str(bolus.dose),
        )
