"""The days ahead as a table, of one program or of two side by side."""

from __future__ import annotations

from collections.abc import Sequence

from pumpctl.quantities import Volume
from pumpctl.therapy.forecast import DayAhead, Outlook, side_by_side
from pumpctl.therapy.library import window_text
from pumpctl.therapy.moment import DAY_NAMES, Date
from pumpctl.therapy.program import Program


def outlook_lines(seen: Outlook, program: Program, volume: Volume) -> list[str]:
    """Each day's mass, volume and largest windows, and what is left at its end."""
    own = program.patient_dose is not None
    lengths = [window_text(length) for length in seen.windows]
    heads = ["", "dose mcg", "= mL", *(f"{length} mcg" for length in lengths), "left mL"]
    rows = [[*heads, *(["all doses mL"] if own else []), ""]]
    for day in seen.days:
        row = [_date(day.date), _bare(day.mass), _bare(day.volume), *map(_bare, day.windows)]
        row += [_bare(day.left_scheduled)]
        row += [_bare(day.left_with_patient_doses)] if own else []
        rows.append([*row, _warning(day, program)])
    lines = [_title(seen, volume, f"at {program.concentration}"), *_table(rows), ""]
    lines.append(f"  {' and '.join(lengths)}: the largest that start on that day.")
    if own:
        lines.append("  Doses and windows by schedule: no patient dose is in them.")
        lines.append(
            "  Left at the end of the day by schedule, and with all permitted patient doses."
        )
    else:
        lines.append("  Left at the end of the day.")
    dates = [[label, date] for label, date, _ in _dates(seen, seen)]
    dates[-1].append(f"({seen.refill.because.value})")
    lines += ["", *("  " + f"{' '.join((f'{label:14}', *more))}" for label, *more in dates)]
    return [*lines, "  All dates with every permitted patient dose taken."] if own else lines


def side_by_side_lines(
    old: Outlook, new: Outlook, programs: tuple[Program, Program], volume: Volume
) -> list[str]:
    """The same days under two programs, each from the same volume of its own solution."""
    rows = [["", "old mcg", "= mL", "left mL", "", "new mcg", "= mL", "left mL", ""]]
    for date, before, after in side_by_side(old, new):
        row = [_date(date)]
        for day, program in zip((before, after), programs, strict=True):
            row += [_bare(day.mass), _bare(day.volume), _bare(day.left_with_patient_doses)]
            row.append(_warning(day, program))
        rows.append(row)
    dates = [["", "old", "new"], *_dates(old, new)]
    lines = [_title(new, volume, "under each of them"), *_table(rows), "", *_table(dates)]
    told = ["  Left at the end of the day, every permitted patient dose taken."]
    if any(program.patient_dose is not None for program in programs):
        told.insert(0, "  Doses by schedule: no patient dose is in them.")
    return [*lines, "", *told]


def _title(seen: Outlook, volume: Volume, how: str) -> str:
    return f"Day by day from {volume} on {seen.start.label()}, {how}"


def _dates(old: Outlook, new: Outlook) -> list[list[str]]:
    return [
        ["low reservoir", str(old.low_date), str(new.low_date)],
        ["empty", str(old.empty_date), str(new.empty_date)],
        ["refill by", str(old.refill.date), str(new.refill.date)],
    ]


def _date(date: Date) -> str:
    return f"{DAY_NAMES[date.weekday]} {date}"


def _bare(quantity: object) -> str:
    """The number alone: its unit heads the column."""
    return str(quantity).partition(" ")[0]


def _warning(day: DayAhead, program: Program) -> str:
    if not day.left_with_patient_doses:
        return "EMPTY"
    return "LOW" if day.left_with_patient_doses < program.low_alarm else ""


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [f"{row[0]:{widths[0]}}"]
        cells += [
            f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True) if width
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
