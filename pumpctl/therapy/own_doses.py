"""The patient's own doses, as they stand: how many are left, and until when it is locked.

Values in, words out. Whether a dose is given is decided by the pump alone (BOL-04).
"""

from __future__ import annotations

from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.program import PatientDose
from pumpctl.therapy.state import PatientDoseState


def left_text(own: PatientDose | None, now: PatientDoseState, clock: Moment) -> str:
    """`3 of 3 left`, or also until when it is locked, and by which of the two rules.

    A time is rounded up to the minute: at what is shown here it is really allowed.
    """
    most = "" if own is None else f" of {own.max_per_24h}"
    if now.next_at is None:
        return f"{now.left}{most} left"
    until = until_text(now.next_at, clock)
    if not now.left:
        return f"none{most} left until {until} (counted over 24 h, or lockout)"
    rule = "" if own is None else f" ({own.lockout} after the last bolus)"
    return f"{now.left}{most} left, locked until {until}{rule}"


def until_text(at: Moment, clock: Moment) -> str:
    """`when_text` of something to come, rounded up to the minute."""
    return when_text(at.plus(-at.utc_ms % MINUTE_MS), clock)


def when_text(at: Moment, clock: Moment) -> str:
    """`14:20`, with the date where it is another day than the clock's."""
    return at.label() if at.date != clock.date else at.label()[-5:]
