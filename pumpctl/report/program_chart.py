"""A program as a chart: each kind of day, then the week where days differ; old beside new."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate, round_half_up, round_up
from pumpctl.report.chart import HOUR_MS, Axis, Chart, Line, Panel, Stem
from pumpctl.therapy import figures
from pumpctl.therapy.compare import bolus_lines, days_label, percent_text
from pumpctl.therapy.curve import WEEK_MS, Curve
from pumpctl.therapy.difference import Difference, Edit, difference
from pumpctl.therapy.hours import (
    alike_days,
    boluses_of,
    even_day,
    hours,
    largest_hour_start,
    stretches,
    volume_half_up,
    week_stretches,
)
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, clock_text
from pumpctl.therapy.program import Mode, Program, ScheduledBolus

MEASURE, UNIT = "basal rate", "mcg/h"


class Side(NamedTuple):
    """A program, where it comes from, and whom it is for (None: not said)."""

    name: str
    program: Program
    tag: str | None


def program_chart(new: Side, old: Side | None = None) -> Chart:
    """The chart of a program, or of the change from an old one to it."""
    program = new.program
    both = [program] if old is None else [program, old.program]
    changed = None if old is None else difference(old.program, program)
    groups = alike_days(*both)
    panels = [_day(days, new, old, changed) for days in groups]
    if len(groups) > 1:
        panels.append(_week(new, old, changed))
    top = max(panel.largest() for panel in panels)
    panels = [panel._replace(top=top) for panel in panels]
    names = [new.name] if old is None else [f"old: {old.name}", f"new: {new.name}"]
    title, *heads = (_printable(text) for text in (_title(new, old), *names))
    return Chart(title, tuple(heads), tuple(panels), _notes(new, old))


def _printable(text: str) -> str:
    """Names of files and drugs may hold anything; a picture and a terminal may not."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


# --- titles and notes -------------------------------------------------------------------


def _title(new: Side, old: Side | None) -> str:
    drug = f"{new.program.drug} {new.program.concentration}"
    whom = f"patient {new.tag or 'not said'}"
    if old is not None:
        was = old.program
        if was.drug != new.program.drug:
            drug = f"{was.drug} {was.concentration} → {drug}"
        elif was.concentration != new.program.concentration:
            drug = f"{was.drug} {was.concentration} → {new.program.concentration}"
        if old.tag != new.tag:
            whom = f"PATIENTS DIFFER: {old.tag or 'not said'}, {new.tag or 'not said'}"
    return f"{drug} · {whom}"


def _notes(new: Side, old: Side | None) -> tuple[str, ...]:
    after = _told(new.program)
    before = after if old is None else _told(old.program)
    notes = [f"old: {line}" for line in before if line not in after]
    notes += [line if line in before else f"new: {line}" for line in after]
    if any(side.program.boluses for side in (new, old) if side is not None):
        notes.append("▼ a bolus on top of the basal rate; the height of its mark means nothing")
    return tuple(notes)


def _told(program: Program) -> list[str]:
    """What a picture of the basal rate does not show by itself."""
    told = [f"bolus {line}" for line in bolus_lines(program)]
    dose = program.patient_dose
    if dose is not None:
        most = figures.largest_24h_with_patient_doses(program)
        told.append(
            f"patient doses, not drawn: {dose.dose} over {dose.over}, lockout {dose.lockout}, "
            f"at most {dose.max_per_24h} in 24 h; {most} in 24 h with all of them"
        )
    if program.mode is Mode.MINIMUM:
        told.append("minimum rate: a declared flow, and the fallback too")
    else:
        told.append(f"fallback {program.fallback}, only if the stored program is damaged")
    return told


# --- panels ---------------------------------------------------------------------------------


def _day(days: tuple[int, ...], new: Side, old: Side | None, changed: Difference | None) -> Panel:
    day = days[0]
    lines = [Line(_dose_text(new, day, old), _points(new.program, day))]
    if old is not None:
        doses = (figures.daily_doses(side.program)[day] for side in (old, new))
        label = f"new {lines[0].label} ({percent_text(*doses)})"
        before = Line(f"old {_dose_text(old, day, new)}", _points(old.program, day))
        lines = [lines[0]._replace(label=label), before]
    marked, mark = _largest_hour(new.program, day)
    return Panel(
        title=days_label(days),
        measure=MEASURE,
        unit=UNIT,
        axis=Axis.DAY,
        start=0,
        end=DAY_MS,
        lines=tuple(lines),
        stems=_stems(new.program, day, changed),
        marked=marked,
        mark=mark if old is None else f"new {mark}",
    )


def _dose_text(side: Side, day: int, other: Side | None) -> str:
    """The day's dose and its volume; the concentration too where another one stands beside it."""
    dose = figures.daily_doses(side.program)[day]
    concentration = side.program.concentration
    told = f"{Rate(round_half_up(dose))} = {volume_half_up(dose, concentration)}/day"
    if other is not None and other.program.concentration != concentration:
        told += f" at {concentration}"
    return told


def _points(program: Program, day: int) -> tuple[tuple[int, Fraction], ...]:
    return tuple(
        (stretch.start * MINUTE_MS, _per_hour(stretch.rate)) for stretch in stretches(program, day)
    )


def _per_hour(rate: Rate) -> Fraction:
    return Fraction(rate.quanta, 24_000)


def _largest_hour(program: Program, day: int) -> tuple[tuple[int, int] | None, str]:
    """Where the largest hour of a day lies; nowhere in particular on an even day."""
    curve = Curve(program)
    mass = figures.largest_hour(program, day, curve)
    told = f"largest hour {mass} = {volume_half_up(mass.quanta, program.concentration)}"
    if even_day(program, day) and mass.quanta == round_up(hours(program, day)[0].basal):
        return None, told
    start = largest_hour_start(program, day, curve)
    if start == DAY_MS:
        return None, f"{told}, from the next midnight"
    told += f", from {clock_text(start // MINUTE_MS)}"
    return (start, min(start + HOUR_MS, DAY_MS)), told


def _stems(program: Program, day: int, changed: Difference | None) -> tuple[Stem, ...]:
    """The boluses of a day; beside an old program each says what became of it."""
    edits = [edit for edit in changed.boluses if edit.day == day] if changed else []
    named = []
    for bolus in boluses_of(program, day):
        edit = next((each for each in edits if each.new == bolus), None)
        label = str(bolus.dose)
        if edit is not None:
            label = f"{bolus.dose} new" if edit.old is None else _changed(edit.old, bolus)
        named.append(Stem(bolus.at * MINUTE_MS, label))
    named += [
        Stem(edit.at * MINUTE_MS, f"{edit.old.dose} removed", gone=True)
        for edit in edits
        if edit.edit is Edit.REMOVED and edit.old is not None
    ]
    return tuple(sorted(named))


def _changed(old: ScheduledBolus, new: ScheduledBolus) -> str:
    if old.dose == new.dose:
        return f"{new.dose}, now over {new.over}"
    return f"{old.dose.text_in('mcg').removesuffix(' mcg')} → {new.dose}"


def _week(new: Side, old: Side | None, changed: Difference | None) -> Panel:
    lines = [Line("" if old is None else "new", _week_points(new.program))]
    if old is not None:
        lines.append(Line("old", _week_points(old.program)))
    stems = [
        Stem(day * DAY_MS + stem.at, "", stem.gone)
        for day in range(7)
        for stem in _stems(new.program, day, changed)
    ]
    return Panel("The week", MEASURE, UNIT, Axis.WEEK, 0, WEEK_MS, tuple(lines), tuple(stems))


def _week_points(program: Program) -> tuple[tuple[int, Fraction], ...]:
    return tuple((time, _per_hour(rate)) for time, rate in week_stretches(program))
