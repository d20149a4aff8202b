"""After an MRI scan: does the pump deliver again, and is that shown?

Two interrogations show it, where between them the motor has moved what the pump's own
orders ask for: program, running bolus, boluses of the patient's own. A pump that only
says that it delivers has shown nothing. Values in, values out (C5.9 of docs/safety.md);
what was recorded, and how a pump is asked, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from fractions import Fraction
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume, round_half_up
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.delivery import NOTHING, in_volume, rest_of, when_moved
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.mri import STALL, Look, Point, seen
from pumpctl.therapy.state import Delivery, Priority, PumpState

PULSES: Final = 10
"""Between the two looks (own choice): one pulse more or less is then a tenth of the flow,
and a motor that stands still cannot be taken for one that turns."""
CLOCK_WITHIN_MS: Final = MINUTE_MS
"""TIM-02: beyond it a schedule is at other hours than it was."""


class Verdict(Enum):
    """What one look after a scan came to."""

    FAULT = "fault"
    FIRST = "first"
    EARLY = "early"
    CLOSED = "closed"


class Judged(NamedTuple):
    """A look, judged."""

    verdict: Verdict
    needed: tuple[Point, ...]
    """Why the visit cannot be closed; nothing where it is."""
    accepted: tuple[Point, ...]
    """What differs, and was taken for a reason that somebody gave."""
    due: Fraction | None
    """Pulses that the pump's orders ask for since the first look; None without one."""
    moved: int | None
    look_again: Moment | None
    """By the pump's clock, rounded up to 1 ms; None where no time can be told."""


def judge(
    state: PumpState,
    log: tuple[LogEntry, ...],
    pulse: Volume,
    *,
    before: Look | None,
    first: Look | None,
    difference_ms: int,
    reason: str | None,
) -> Judged:
    """Does the pump deliver again, and is that shown?

    `log` since the first look; `pulse` the volume of one; `difference_ms` the pump's
    clock less the station's, used where nothing was recorded before the scan. A reason
    accepts another program or clock than before, and nothing else.
    """
    now = seen(state)
    log = () if first is None else tuple(e for e in log if e.counter_ms >= first.counter_ms)
    faults = _faults(state)
    changed = _changed(now, before, difference_ms, "CLOCK_LOST" in now.alarms)
    accepted = changed if reason else ()
    if faults:
        needed = (*faults, *(() if reason else changed))
        return Judged(Verdict.FAULT, needed, accepted, None, None, None)
    open_points = () if reason else changed
    if first is None or _disturbed(first, now, log):
        return _first(state, pulse, open_points, accepted)
    due = _due(state, log, first, now, pulse)
    moved = now.pulses - first.pulses
    if due < PULSES:
        again = _again(state, pulse, first, now)
        early = _second_look(again)
        return Judged(Verdict.EARLY, (early, *open_points), accepted, due, moved, again)
    if abs(moved - due) > 1:
        told = _first(state, pulse, open_points, accepted)
        text = (
            f"the motor moved {moved} pulses where {decimal(due)} were due: it does not give "
            "what the program orders"
        )
        return told._replace(needed=(Point("PULSES", text), *told.needed), due=due, moved=moved)
    verdict = Verdict.EARLY if open_points else Verdict.CLOSED
    return Judged(verdict, open_points, accepted, due, moved, None)


def _first(
    state: PumpState, pulse: Volume, open_points: tuple[Point, ...], accepted: tuple[Point, ...]
) -> Judged:
    """This look is the first of two."""
    now = seen(state)
    again = _again(state, pulse, now, now)
    needed = (_second_look(again), *open_points)
    return Judged(Verdict.FIRST, needed, accepted, None, None, again)


def _second_look(again: Moment | None) -> Point:
    when = "later: nobody can say when the program moves enough"
    if again is not None:
        when = f"after {again.plus(-again.utc_ms % MINUTE_MS).label()} by the pump's clock"
    return Point("SECOND_LOOK", f"a second look, {when} ({PULSES} pulses must be due by then)")


def _faults(state: PumpState) -> tuple[Point, ...]:
    """Why this pump is not one that delivers what it should."""
    found: list[Point] = []
    codes = {alarm.code for alarm in state.alarms}
    if state.delivery is Delivery.STALLED or STALL in codes:
        found.append(Point("STALLED", "the motor stands still: NOTHING is given"))
    if state.delivery is Delivery.FALLBACK or (state.program is None and not found):
        text = "the pump is on its FALLBACK rate, not on its program"
        found.append(Point("FALLBACK", text))
    elif state.program is None:
        text = "its program is lost or put aside: should the motor turn, it gives the FALLBACK rate"
        found.append(Point("FALLBACK", text))
    if state.delivery in (Delivery.STOPPED, Delivery.EMPTY):
        found.append(Point("NOT_DELIVERING", f"the pump is {state.delivery.value.upper()}"))
    found += [
        Point("ALARM", f"{alarm.code} since {alarm.since.label()}: {alarm.cause}")
        for alarm in state.alarms
        if alarm.priority is Priority.CRITICAL and alarm.code != STALL
    ]
    return tuple(found)


def _changed(now: Look, before: Look | None, difference_ms: int, lost: bool) -> tuple[Point, ...]:
    """What is not as it was before the scan, apart from delivery."""
    found: list[Point] = []
    if before is not None and now.program_hash not in (None, before.program_hash):
        found.append(Point("PROGRAM", "the program is not the one that ran before the scan"))
    shift = difference_ms if before is None else now.epoch_ms - before.epoch_ms
    if lost or abs(shift) > CLOCK_WITHIN_MS:
        than = "the station's" if before is None else "before the scan"
        text = f"the pump's clock is {abs(shift) // 1_000} s off, against {than}"
        found.append(Point("CLOCK", "the pump has lost its clock" if lost else text))
    return tuple(found)


def _disturbed(first: Look, now: Look, log: Iterable[LogEntry]) -> bool:
    """Did anything happen since the first look after which it shows nothing any more?"""
    if (first.boot, first.state_version) != (now.boot, now.state_version):
        return True
    if first.bridge is not now.bridge or (now.bridge and first.rate != now.rate):
        return True
    alarms = (entry for entry in log if entry.kind == "alarm_raised")
    return any(entry.get("priority") == Priority.CRITICAL.name for entry in alarms) or any(
        entry.kind in ("bolus_missed", "bridge_ended") for entry in log
    )


def _due(
    state: PumpState, log: Iterable[LogEntry], first: Look, now: Look, pulse: Volume
) -> Fraction:
    """Pulses that schedule and boluses ask for between two looks, exact but for the carry.

    The motor owes less than one pulse at each end.
    """
    start, end = first.clock.label_ms, now.clock.label_ms
    course = _ordered(state, start, end) + _rest(first) + _begun(log, first, all_=now.bridge)
    # A bridge is metered at what is at the tip (REF-08).
    concentration = state.line.at_tip.concentration if now.bridge else state.concentration
    return in_volume(course, concentration).between(start, end) / pulse.quanta


def _ordered(state: PumpState, start: int, end: int) -> Course:
    """ng by the running program. In a bridge another one is played, which only the pump
    knows: then by the rate that both looks showed."""
    if state.program is not None and state.bridge is None:
        return course_of(state.program, start, end)
    rate = 0 if state.rate is None else state.rate.quanta
    return Course(
        [Piece(start, end, Fraction(rate * (end - start), DAY_MS))] if end > start else []
    )


def _rest(first: Look) -> Course:
    """ng still to come of the bolus that ran at the first look."""
    bolus = first.bolus
    if bolus is None or bolus.started.label_ms >= first.clock.label_ms:
        return NOTHING  # one that begins at this very instant is in the schedule or in the log
    return rest_of(bolus, first.clock)


def _begun(log: Iterable[LogEntry], first: Look, *, all_: bool) -> Course:
    """ng of boluses that began since the first look: all, or those that are in no schedule."""
    pieces: list[Piece] = []
    for entry in log:
        if entry.kind != "bolus_started":
            continue
        dose, over = entry.get("dose_ng"), entry.get("over_ms")
        asked_for = all_ or entry.get("bolus_kind") != "SCHEDULED"
        if asked_for and isinstance(dose, int) and isinstance(over, int):
            begins = first.epoch_ms + entry.counter_ms
            pieces.append(Piece(begins, begins + over, dose))
    return Course(pieces)


def _again(state: PumpState, pulse: Volume, first: Look, now: Look) -> Moment | None:
    """When `PULSES` of them have been due since the first look; None for never."""
    wanted = PULSES * pulse.quanta
    if now.bridge:
        rate = 0 if state.rate is None else state.rate.quanta
        if not rate:
            return None
        ng = Fraction(wanted * state.line.at_tip.concentration.quanta, 1_000)
        return first.clock.plus(int(ng * DAY_MS / rate) + 1)
    assert state.program is not None  # noqa: S101  a slip of ours: that is one of `_faults`
    at = when_moved(state.program, wanted, first.clock, _rest(first))
    return None if at is None else max(at.plus(1), now.clock)


def decimal(exact: Fraction) -> str:
    """Pulses with one decimal, half up."""
    tenths = round_half_up(exact * 10)
    return f"{tenths // 10}.{tenths % 10}"
