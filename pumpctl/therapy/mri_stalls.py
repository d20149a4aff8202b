"""What a scan has cost, by the pump's own log, and what to do for a pump that does not deliver.

Hours by the pump's counter, mass by its program; nothing of it is ever made up (STP-03).
Values in, values out; no visit, no record and no screen is known here.
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, round_half_up
from pumpctl.therapy.course import course_of
from pumpctl.therapy.delivery import time_text
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.mri import STALL, guidance_for
from pumpctl.therapy.practice import STOPPED_HARD
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState


class Stall(NamedTuple):
    """A time in which the motor stood still, by the pump's log."""

    since: Moment
    until: Moment | None
    lasts: Duration
    """So far, where it has not ended; by the pump's counter."""
    missed: Mass | None
    """By the program, half up to 1 ng; None where the program that ran is not known."""


class Fallback(NamedTuple):
    """When the fallback rate took over."""

    since: Moment
    lasts: Duration


def stalls(log: Iterable[LogEntry], now: PumpState, program: Program | None) -> tuple[Stall, ...]:
    """Every stall that this part of the log tells of; `program` ran through them."""
    found: list[Stall] = []
    since: tuple[Moment, int] | None = None
    for entry in log:
        if entry.get("alarm") != STALL:
            continue
        if entry.kind == "alarm_raised":
            since = (entry.time, entry.counter_ms)
        elif entry.kind == "alarm_cleared" and since is not None:
            found.append(_stall(since, (entry.time, entry.counter_ms), program, over=True))
            since = None
    raised = next((alarm for alarm in now.alarms if alarm.code == STALL), None)
    if since is None and raised is not None:  # it began before this part of the log
        since = (raised.since, now.counter_ms - (now.clock.utc_ms - raised.since.utc_ms))
    if since is not None:
        found.append(_stall(since, (now.clock, now.counter_ms), program, over=False))
    return tuple(found)


def _stall(
    since: tuple[Moment, int], until: tuple[Moment, int], program: Program | None, *, over: bool
) -> Stall:
    lasts = max(0, until[1] - since[1])
    missed = None
    if program is not None:
        start = since[0].label_ms
        course = course_of(program, start - DAY_MS, start + lasts)
        missed = Mass(round_half_up(course.between(start, start + lasts)))
    return Stall(since[0], until[0] if over else None, Duration(lasts), missed)


def fallback(log: Iterable[LogEntry], now: PumpState) -> Fallback | None:
    """The last time it took over, in this part of the log, where it still is in force."""
    taken = [entry for entry in log if entry.kind == "fallback"]
    if now.program is not None or not taken:
        return None
    return Fallback(taken[-1].time, Duration(now.counter_ms - taken[-1].counter_ms))


def without_drug(now: PumpState, stood: tuple[Stall, ...]) -> Duration | None:
    """How long nothing has been given, by a stop or a stall; None where something is given."""
    stands = _standing(stood)
    if now.stopped_for is not None:
        return now.stopped_for
    return None if stands is None else stands.lasts


def _standing(stood: tuple[Stall, ...]) -> Stall | None:
    return stood[-1] if stood and stood[-1].until is None else None


def advice(now: PumpState, stood: tuple[Stall, ...]) -> tuple[str, ...]:
    """What to do for a pump that does not give its program; nothing for one that does."""
    found: list[str] = []
    stands = _standing(stood)
    without = without_drug(now, stood)
    still = now.delivery in (Delivery.STOPPED, Delivery.STALLED, Delivery.EMPTY)
    if not still and now.program is not None:
        return ()
    if without is not None:
        found.append(f"NOTHING has been given for {time_text(without.quanta)}, by the pump's log.")
    if still:
        found.append(
            "Withdrawal begins 12 to 96 h after the last drug: watch the patient, and call a "
            "physician who knows this therapy even if it is mild."
        )
    guidance = guidance_for(now.model)
    if stands is not None and guidance is not None:
        found.append(
            f"Out of the field this model looks at its motor every {guidance.recovers_within}: "
            "look again then. If it still stands, it does not resume by itself: have the pump "
            "examined at once; delivery must be restored."
        )
    if now.program is None:
        rate = "" if now.rate is None or still else f", {now.rate},"
        found.append(
            f"The FALLBACK rate{rate} is in force, not the program; the old dose does not come "
            "back by itself. It ends with a new program: pumpctl program push."
        )
    if any(stall.lasts.quanta > STOPPED_HARD.value.quanta for stall in stood):
        found.append(
            "More than 48 h without drug: the old dose may stop the breathing. Begin anew by the "
            "starting rule, with a second person."
        )
    found.append("Never catch up: no bolus and no higher dose for what was not given.")
    return tuple(found)
