"""Does the volume go in, stay in, and last? Pocket fill, capacity, the next visit (REF-02)."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Volume
from pumpctl.therapy import practice
from pumpctl.therapy.checks.refills import RefillCase, refill_check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.forecast import whole_periods
from pumpctl.therapy.refill import Meaning, pocket_limit


@refill_check(
    "REFILL_POCKET_FILL",
    Severity.SOFT,
    source=pocket_limit(Volume(0)).source,
    why="Less in the reservoir than was injected: the rest may lie beside it, where the whole "
    "charge acts within hours. Keep the patient under observation, aspirate the pocket.",
    incident="1996 to 2010: 8 deaths and 270 events of drug injected beside the reservoir "
    "(FDA 2011).",
)
def refill_pocket_fill(case: RefillCase) -> Iterator[Seen]:
    """What was injected is in the reservoir, where a sensor can see it."""
    record, limit = case.record, pocket_limit(case.pump.capacity)
    if record.sensed is None or record.sensed >= record.volume:
        return
    missing = record.volume - record.sensed
    if missing > limit.value:
        yield Seen(
            f"{record.volume} should be in the reservoir, the sensor shows {record.sensed}: the "
            "drug may lie beside the reservoir (pocket fill); do not let the patient go",
            value=str(missing),
            limit=str(limit.value),
            source=limit.source,
        )


@refill_check(
    "REFILL_SENSOR",
    Severity.SOFT,
    source="REF-01",
    why="More in the reservoir than was injected: it was not fully drained, or the sensor is "
    "wrong. The computed volume is kept beside the sensed one.",
    incident="A reservoir sensor that showed wrong volumes (2013).",
)
def refill_sensor(case: RefillCase) -> Iterator[Seen]:
    """The sensor does not show more than there can be."""
    record, limit = case.record, pocket_limit(case.pump.capacity)
    if record.sensed is None or record.sensed <= record.volume:
        return
    surplus = record.sensed - record.volume
    if surplus > limit.value:
        yield Seen(
            f"the sensor shows {record.sensed}, {surplus} more than there should be: the reservoir "
            "was not fully drained, or the sensor is wrong",
            value=str(surplus),
            limit=str(limit.value),
        )


@refill_check(
    "REFILL_NO_SENSOR",
    Severity.NOTE,
    source="REF-01",
    why="Drug injected beside the reservoir is the worst that can happen at a refill, and without "
    "a sensor nothing here can see it. It is the hand at the needle that knows.",
)
def refill_no_sensor(case: RefillCase) -> Iterator[Seen]:
    """Say that a pocket fill cannot be seen."""
    if case.record.sensed is None:
        yield Seen(
            "no sensed volume: a pocket fill (drug beside the reservoir) cannot be seen here; "
            "aspirate to see that the needle is in the reservoir, and watch the patient"
        )


@refill_check(
    "REFILL_OVER_CAPACITY",
    Severity.HARD,
    source="REF-02",
    why="An overfilled reservoir is under pressure and can give more than it is told.",
)
def refill_over_capacity(case: RefillCase) -> Iterator[Seen]:
    """What is left and what is injected fit into the reservoir."""
    record, capacity = case.record, case.pump.capacity
    if record.volume > capacity:
        yield Seen(
            f"{record.left} left and {record.injected} injected are more than the reservoir's "
            f"{capacity}",
            value=str(record.volume),
            limit=str(capacity),
        )
        return
    possible = record.not_drained + record.injected
    if record.discrepancy.meaning is not Meaning.WITHIN and possible > capacity:
        yield Seen(
            f"if the drain was incomplete, {record.not_drained} are still inside and the reservoir "
            f"of {capacity} would hold {possible}",
            value=str(possible),
            limit=str(capacity),
            severity=Severity.SOFT,
        )


@refill_check(
    "REFILL_TOO_SMALL",
    Severity.HARD,
    source=practice.REFILL_BEFORE_LOW_DAYS.source,
    why="A fill that ends before the next visit ends in withdrawal, which can kill: fill more, or "
    "plan the visit earlier. At or below the alarm volume it is no fill at all.",
)
def refill_too_small(case: RefillCase) -> Iterator[Seen]:
    """The fill lasts until seven days after the next visit; a bridge takes its part first.

    Refused where it does not last until the visit; within the seven days it is soft.
    """
    start, low_alarm = case.record.at, case.program.low_alarm
    usable = Volume(max(0, case.record.volume.quanta - case.bridge_volume.quanta))
    if usable <= low_alarm:
        yield Seen(
            f"{usable} in the reservoir is not above the low-reservoir alarm",
            value=str(usable),
            limit=f"above {low_alarm}",
        )
        return
    low = start.date.plus(whole_periods(case.program, usable, low_alarm, start))
    by = low.plus(-practice.REFILL_BEFORE_LOW_DAYS.value)
    wanted = case.next_visit or start.date.plus(1)
    if by < wanted:
        planned = "the next visit is planned" if case.next_visit else "a refill can be at earliest"
        yield Seen(
            f"{usable} reach the low-reservoir alarm on {low}, so the refill is due by {by}; "
            f"{planned} on {wanted}",
            value=str(by),
            limit=str(wanted),
            severity=None if low < wanted else Severity.SOFT,
        )


@refill_check(
    "REFILL_AGAIN",
    Severity.SOFT,
    source=practice.REFILL_APART.source,
    why="A refill sets a volume, and setting it twice hides what was delivered in between. One "
    "order is one refill, but each station knows only its own: this one may have been recorded "
    "from another station, or before this station's journal was restored.",
)
def refill_again(case: RefillCase) -> Iterator[Seen]:
    """No other station has recorded a refill of this pump within a day."""
    before, least = case.elsewhere, practice.REFILL_APART.value
    if before is not None and case.pump.clock.utc_ms - before.utc_ms < least.quanta:
        yield Seen(
            f"a refill of {before.label()} is in the pump's log, and on no record here: is this "
            "the same one?",
            value=str(before),
            limit=f"{least} apart",
        )


@refill_check(
    "REFILL_INTERVAL",
    Severity.SOFT,
    source=practice.REFILL_DAYS.source,
    why="Beyond the longest refill interval nobody has shown that drug and pump are still good, "
    "however much is left.",
)
def refill_interval(case: RefillCase) -> Iterator[Seen]:
    """The next visit is within the longest interval, and before the drug expires."""
    record, visit = case.record, case.next_visit
    longest = record.at.date.plus(practice.REFILL_DAYS.value)
    for limit, what in ((longest, "the longest interval"), (record.expiry, "the drug's expiry")):
        if visit is not None and visit > limit:
            yield Seen(
                f"the next visit on {visit} is after {what}, {limit}",
                value=str(visit),
                limit=str(limit),
            )
