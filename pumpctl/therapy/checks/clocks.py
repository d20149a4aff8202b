"""May the pump's clock be set so? How far, what it does to scheduled doses, to windows.

A setting gives nothing by itself, but it moves the schedule under the patient (TIM-03).
The pump judges windows and flow at the new label by its own memory. Which of the two
clocks is the wrong one, only the person at the station can say (TIM-02).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, round_half_up, round_up
from pumpctl.therapy.checks.bands import exceeds, sources_of
from pumpctl.therapy.checks.library_words import EXPIRED_SOURCE, EXPIRED_WHY, expired
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.clock_set import ClockEffect
from pumpctl.therapy.course import Course
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.findings import Finding, Seen, Severity, placed
from pumpctl.therapy.library import Library, Limits, Sourced, window_text
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.therapy.windows import Over, courses_worse

_SHIPPED = DEFAULT.listed[0].windows
_CLOCKS = "Clocks that were wrong, and changes to daylight-saving time, moved schedules."


class ClockCase(NamedTuple):
    """One setting, with everything that it is held against."""

    shift: int
    """ms by which the face goes forward."""
    pump: PumpState
    effect: ClockEffect | None
    """None where nothing is scheduled that anybody here could know: fallback, bridge."""
    past: Course | None
    """ng that were really given until now, by the old face; None where nobody knows."""
    whole: bool
    """Whether every earlier setting of this clock is known."""
    library: Library
    now: Moment
    """The station's clock."""

    @property
    def limits(self) -> Limits:
        """The library's limits for what the reservoir holds, or the nearest to them."""
        return self.library.nearest(self.pump.drug, self.pump.concentration)


clock_check = Checks[ClockCase]()
"""Of a setting of the pump's clock."""


def check_clock(
    shift: int,
    pump: PumpState,
    effect: ClockEffect | None,
    *,
    past: Course | None,
    whole: bool,
    now: Moment,
    library: Library = DEFAULT,
) -> tuple[Finding, ...]:
    """All findings of setting the clock so, hard ones first; the terms are `ClockCase`'s."""
    case = ClockCase(shift, pump, effect, past, whole, library, now)
    return placed(clock_check.run(case), None)


def size_text(ms: int) -> str:
    """`+1 h`, `-59 min`: to the nearest second."""
    seconds = whole = round_half_up(Fraction(abs(ms), 1_000))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    told = " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
    return f"{'-' if ms < 0 and whole else '+'}{told}"


@clock_check(
    "CLOCK_SET_FAR",
    Severity.SOFT,
    source="this project's choice",
    why="A clock that is off by more than a day was lost, or the station's is the wrong one: then "
    "the patient's doses would move to wrong hours and weekdays. Look at a third clock first.",
    incident=_CLOCKS,
)
def clock_set_far(case: ClockCase) -> Iterator[Seen]:
    """The clocks are not more than a day apart."""
    if abs(case.shift) > DAY_MS:
        yield Seen(
            f"the pump's clock would be set by {size_text(case.shift)}: it shows "
            f"{case.pump.clock.label()}, the station's {case.now.label()}",
            value=size_text(case.shift),
            limit="24 h",
        )


@clock_check(
    "CLOCK_SET_MISSED",
    Severity.NOTE,
    source="TIM-03",
    why="Scheduled boluses that a clock jumps over are not made up, but for the last one where it "
    "is at most 2 hours back. Wait until they were given, or know that they are missing.",
    incident=_CLOCKS,
)
def clock_set_missed(case: ClockCase) -> Iterator[Seen]:
    """No scheduled bolus is jumped over and not given."""
    effect = case.effect
    lost = 0 if effect is None else effect.jumped - (effect.late is not None)
    if effect is not None and lost:
        last = effect.missed[-1].label
        what = f"the bolus of {last} is" if lost == 1 else f"{lost} boluses up to {last} are"
        yield Seen(f"{what} jumped over and not given", value=str(lost), limit="none")


@clock_check(
    "CLOCK_SET_LATE",
    Severity.NOTE,
    source="TIM-03",
    why="Of the scheduled boluses that are jumped over the last is given at once, where it lies at "
    "most 2 hours back and the limits allow it.",
)
def clock_set_late(case: ClockCase) -> Iterator[Seen]:
    """Say which dose begins at the very instant at which the clock is set."""
    if case.effect is None or case.effect.late is None:
        return
    if case.pump.delivery is Delivery.STOPPED:
        return
    late = case.effect.late
    yield Seen(
        f"the bolus of {late.label}, {late.dose} over {late.over}, is given as the clock is set",
        value=str(late.dose),
    )


@clock_check(
    "CLOCK_SET_SILENT",
    Severity.NOTE,
    source="TIM-03",
    why="A scheduled bolus is given at most once: what had its turn is not repeated when a clock "
    "that was set back shows its time again.",
)
def clock_set_silent(case: ClockCase) -> Iterator[Seen]:
    """Say which doses the new face shows once more without giving them."""
    silent = () if case.effect is None else case.effect.silent
    if silent:
        labels = ", ".join(due.label[-5:] for due in silent[:6])
        more = "" if len(silent) <= 6 else " and more"
        yield Seen(
            f"not repeated in the next 24 h: the boluses of {labels}{more} had their turn",
            value=str(len(silent)),
        )


@clock_check(
    "CLOCK_SET_UNSEEN",
    Severity.NOTE,
    source="TIM-02",
    why="Which doses a setting moves is computed from the program that is played. In a bridge, or "
    "on the fallback rate, that is not the stored one, and the pump alone knows.",
)
def clock_set_unseen(case: ClockCase) -> Iterator[Seen]:
    """What is played is the stored program."""
    if case.effect is None:
        yield Seen(
            f"the pump does not play its stored program ({case.pump.delivery.value}): which "
            "doses this moves is not computed here",
            value=case.pump.delivery.value,
            limit="delivering",
        )


@clock_check(
    "CLOCK_SET_PAST_UNKNOWN",
    Severity.NOTE,
    source="LIM-05, TIM-03",
    why="What was given before, and every earlier setting, decide which windows fill up and which "
    "boluses have had their turn. The pump judges both by its own memory.",
)
def clock_set_past_unknown(case: ClockCase) -> Iterator[Seen]:
    """The course until now and all settings of this clock are known."""
    if case.effect is not None and (case.past is None or not case.whole):
        missing = [
            *(["what was given until now"] if case.past is None else []),
            *([] if case.whole else ["every earlier setting of this clock"]),
        ]
        yield Seen(f"not known here: {' and '.join(missing)}", value="unknown")


@clock_check("LIBRARY_EXPIRED", Severity.SOFT, source=EXPIRED_SOURCE, why=EXPIRED_WHY)
def clock_library_expired(case: ClockCase) -> Iterator[Seen]:
    """The library is valid; the same program goes on, so a reason is enough."""
    yield from expired(case.library, case.now.date, Severity.SOFT)


def _worst(case: ClockCase, length: Duration, limit: Sourced[Mass]) -> Over | None:
    """The fullest window that the setting overfills; None where the schedule alone does it."""
    effect = case.effect
    if effect is None or case.past is None or case.pump.delivery is Delivery.STOPPED:
        return None
    now = effect.new.label_ms
    past = case.past.moved(effect.new.label_ms - case.pump.clock.label_ms)
    without, with_it = effect.courses
    ends = max([now + DAY_MS, *past.breaks[-1:]])
    alone = 0 if case.pump.program is None else Curve(case.pump.program).peak(length.quanta)[0]
    for over in courses_worse(past, with_it, without, now, ends, [(length, limit.value)]):
        if over.mass > alone:
            return over
    return None


def _seen(over: Over, limit: Sourced[Mass]) -> Seen:
    value = str(Mass(round_up(over.mass)))
    return Seen(
        f"across the jump {value} in {window_text(over.length)}, above {limit.value}: from "
        f"{Moment(over.start).label()} on by the new clock",
        value=value,
        limit=f"{limit.value} in any {window_text(over.length)}",
        source=limit.source,
    )


_WINDOW_WHY = (
    "A clock that is set forward brings scheduled doses nearer to those that were given: windows "
    "are judged by elapsed time, whatever the face shows."
)


@clock_check(
    "CLOCK_SET_WINDOW",
    Severity.HARD,
    source=sources_of(each.hard for each in _SHIPPED),
    why=_WINDOW_WHY,
    incident=_CLOCKS,
)
def clock_set_window(case: ClockCase) -> Iterator[Seen]:
    """No window of elapsed time is filled above its hard limit by the setting."""
    for window in case.limits.windows:
        over = _worst(case, window.length, window.hard)
        if over is not None:
            yield _seen(over, window.hard)


@clock_check(
    "CLOCK_SET_WINDOW_SOFT",
    Severity.SOFT,
    source=sources_of(each.soft for each in _SHIPPED),
    why=f"{_WINDOW_WHY} Above the soft limit it needs a reason.",
    incident=_CLOCKS,
)
def clock_set_window_soft(case: ClockCase) -> Iterator[Seen]:
    """No window of elapsed time is filled beyond what needs a reason."""
    for length, soft, hard in case.limits.windows:
        over = _worst(case, length, soft) if soft is not None else None
        if soft is not None and over is not None and not exceeds(over.mass, hard):
            yield _seen(over, soft)
