"""The screen of a program, and of going on with one after a stop.

What is "new" comes from the pump's read-back alone (CNF-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import LABEL, Shown, dates, row
from pumpctl.cli.profile.text import hours_text, patient_dose_text
from pumpctl.pump.readbacks import ProgramBack
from pumpctl.quantities import Rate
from pumpctl.therapy import figures as sums
from pumpctl.therapy.compare import percent_text, share_text
from pumpctl.therapy.moment import DAY_NAMES
from pumpctl.therapy.program import Mode, Program

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """The rows of old and new; new in bold, from the pump's read-back."""
    old, back = shown.old, _back(shown)
    new = back.program
    was = sums.week(old) if old is not None else None
    stopped = shown.plan.kind == "resume"
    yield row("", "stored" if stopped else "now", "new")
    for days in _alike(old, back):
        before = None if was is None else was[days[0]].daily_dose
        after = Rate(back.days[days[0]].daily_dose.quanta)
        change = _change_text(old, 0 if before is None else before.quanta, after.quanta)
        yield row(f"daily dose  {_day_label(days)}", before, after, change)
    hour = max(day.largest_hour for day in back.days)
    old_hour = None if was is None else max(day.largest_hour for day in was)
    change = _change_text(old, 0 if old_hour is None else old_hour.quanta, hour.quanta)
    yield row("largest hour", old_hour, hour, change)
    volume = max(day.volume for day in back.days)
    flow = None if old is None else sums.flow_of_largest_day(old)
    yield row("flow, largest day", flow, f"{volume}/day")
    held = ""
    if shown.state is not None:
        same = (new.drug, new.concentration) == (shown.state.drug, shown.state.concentration)
        held = ", as the pump holds it" if same else ", NOT what the pump holds"
    yield Text(f"  {'drug':{LABEL}}{new.drug} {new.concentration}{held}")


def bounds(shown: Shown) -> Iterator[Text]:
    """What it can come to at most and at least, the course of the day, the next dates."""
    old, back = shown.old, _back(shown)
    new = back.program
    for held, label in ((old, "patient dose, now"), (new, "patient dose, new")):
        if held is not None and held.patient_dose is not None:
            yield Text(f"  {label:{LABEL}}{patient_dose_text(held.patient_dose)}")
    patient = sums.largest_24h_with_patient_doses(old) if old is not None else None
    yield row("24 h, patient doses too", patient, back.largest_24h)
    smallest = min(day.daily_dose for day in back.days)
    share = share_text(new.fallback.quanta, smallest.quanta)
    note = "" if share == "100 %" else f"{share} of the least day"
    yield row("fallback", None if old is None else old.fallback, new.fallback, note)
    for line in hours_text(new):
        yield Text("  " + line)
    yield from dates(new, shown)


def done(applied: AppliedPlan) -> str:
    """What runs now."""
    state = applied.state
    what = "Resumed" if applied.plan.kind == "resume" else "Activated"
    today = (
        ""
        if state.program is None
        else f", {sums.daily_dose_rounded(state.program, state.clock.day)} today"
    )
    return f"{what} and verified on pump {state.serial}: {state.delivery.value}{today}"


def _back(shown: Shown) -> ProgramBack:
    back = shown.readback
    assert isinstance(back, ProgramBack)  # noqa: S101  the road has compared its kind
    return back


def _change_text(old: Program | None, before: int, after: int) -> str:
    """The change in percent; minimum rate is no dose that a percentage could be of."""
    if old is not None and old.mode is Mode.MINIMUM:
        return "from minimum"
    return percent_text(before, after)


def _alike(old: Program | None, back: ProgramBack) -> list[tuple[int, ...]]:
    """Neighbouring days with the same old and new dose, together."""
    was = sums.week(old) if old is not None else None
    groups: list[list[int]] = []
    keys: list[tuple[object, object]] = []
    for day in range(7):
        key = (None if was is None else was[day].daily_dose, back.days[day].daily_dose)
        if keys and keys[-1] == key:
            groups[-1].append(day)
        else:
            groups.append([day])
            keys.append(key)
    return [tuple(group) for group in groups]


def _day_label(days: tuple[int, ...]) -> str:
    if len(days) == 7:
        return "every day"
    first, last = DAY_NAMES[days[0]], DAY_NAMES[days[-1]]
    return first if first == last else f"{first}-{last}"
