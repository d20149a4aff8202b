"""`profile plot`: a chart in the terminal or in a file, and the same as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumpctl.cli.profile.compare import Read
from pumpctl.cli.profile.json import basal_text, bolus_json, days_json, drug_json, hash_text
from pumpctl.cli.profile.text import can_write
from pumpctl.quantities import Rate, round_half_up
from pumpctl.report.chart import title_rows, wrapped
from pumpctl.report.program_chart import Side, program_chart
from pumpctl.report.text_chart import ASCII, UNICODE, plain, text_chart
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.figures import daily_doses, largest_hour
from pumpctl.therapy.hours import alike_days, boluses_of, largest_hour_start, stretches
from pumpctl.therapy.moment import DAY_MS, clock_text
from pumpctl.therapy.program import DAY_MINUTES, Program

if TYPE_CHECKING:
    from pumpctl.report.chart import Chart

_WIDTH = 79


def chart_of(new: Read, old: Read | None) -> Chart:
    """The chart of one profile, or of the change from an old one."""
    return program_chart(_side(new), None if old is None else _side(old))


def _side(read: Read) -> Side:
    told = hash_text(read.program)
    name = read.file.name if told is None else f"{read.file.name}, program {told[:16]}"
    return Side(name, read.program, None if read.patient is None else read.patient.tag)


def chart_text(chart: Chart) -> str:
    """The chart for a terminal of 80 columns, in the letters that it can write."""
    signs = "".join((*UNICODE.blocks, UNICODE.above, UNICODE.bolus, UNICODE.gone, "→·┴┤━"))
    letters = UNICODE if can_write(signs) else ASCII
    lines = [*title_rows(chart.title, _WIDTH), *chart.subtitles]
    lines = [plain(line, letters) for line in lines]
    for panel in chart.panels:
        lines += ["", *text_chart(panel, letters)]
    lines.append("")
    for note in chart.notes:
        lines += wrapped(plain(note, letters), _WIDTH)
    return "\n".join(lines)


def plot_json(new: Read, old: Read | None, file: Path | None) -> dict[str, Any]:
    """What is drawn, as data: every step and bolus of each kind of day, exact."""
    programs = [new.program] if old is None else [old.program, new.program]
    groups = alike_days(*programs)
    return {
        "file": None if file is None else str(file),
        "old": None if old is None else _series(old, groups),
        "new": _series(new, groups),
    }


def _series(read: Read, groups: tuple[tuple[int, ...], ...]) -> dict[str, Any]:
    program = read.program
    return {
        "file": str(read.file),
        "hash": hash_text(program),
        "patient": None if read.patient is None else read.patient.tag,
        "drug": drug_json(program),
        "days": [_day_series(program, days) for days in groups],
    }


def _day_series(program: Program, days: tuple[int, ...]) -> dict[str, Any]:
    day = days[0]
    curve = Curve(program)
    start = largest_hour_start(program, day, curve)
    return {
        "days": days_json(days),
        "daily_dose": str(Rate(round_half_up(daily_doses(program)[day]))),
        "largest_hour": str(largest_hour(program, day, curve)),
        "largest_hour_from": "24:00" if start == DAY_MS else clock_text(start // 60_000),
        "steps": [
            {
                "from": clock_text(stretch.start),
                "to": "24:00" if stretch.end == DAY_MINUTES else clock_text(stretch.end),
                "basal": basal_text(stretch.rate),
            }
            for stretch in stretches(program, day)
        ],
        "boluses": [bolus_json(bolus, program) for bolus in boluses_of(program, day)],
    }
