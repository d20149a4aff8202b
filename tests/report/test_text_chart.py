"""Charts in the terminal: golden ones, every width, plain letters, nothing drawn as nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.report.chart import (
    Axis,
    Chart,
    Line,
    Panel,
    Stem,
    decimal,
    scale_step,
    ticks,
    title_rows,
    wrapped,
)
from pumpctl.report.program_chart import Side, program_chart
from pumpctl.report.text_chart import ASCII, UNICODE, Letters, plain, text_chart
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS
from pumpctl.therapy.profile import read_profile
from pumpctl.therapy.program import Program
from tests.property.test_program_properties import programs
from tests.therapy.samples import even, flex, minimum

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "charts"
NEW = [
    ("438 mcg", "463.2 mcg"),
    ("376 mcg", "393 mcg"),
    ("26 mcg", "28 mcg"),
    ("15 mcg", "16.3 mcg"),
    ('"14 mcg', '"14.5 mcg'),
    ('dose = "20 mcg"', 'dose = "22.5 mcg"'),
    ('"07:00", "21:00"', '"07:00", "22:00"'),
]


def side(name: str, *changes: tuple[str, str]) -> Side:
    text = (ROOT / "profiles" / f"{name}.toml").read_text("utf-8")
    for old, new in changes:
        text = text.replace(old, new)
    found = read_profile(text, name)
    assert found.program is not None and found.profile is not None
    return Side(f"{name}.toml", found.program, found.profile.patient.tag)


def of(program: Program) -> Side:
    return Side("case.toml", program, "P-1")


def drawn(chart: Chart, letters: Letters = UNICODE) -> str:
    lines = [chart.title, *chart.subtitles]
    for panel in chart.panels:
        lines += ["", *text_chart(panel, letters)]
    return plain("\n".join([*lines, "", *chart.notes]), letters) + "\n"


@pytest.mark.parametrize(
    ("name", "chart", "letters"),
    [
        ("flex", program_chart(side("flex")), UNICODE),
        ("flex-plain", program_chart(side("flex")), ASCII),
        ("scheduled-boluses", program_chart(side("scheduled-boluses")), UNICODE),
        ("change", program_chart(side("flex", *NEW), side("flex")), UNICODE),
        ("change-plain", program_chart(side("flex", *NEW), side("flex")), ASCII),
    ],
)
def test_golden(name: str, chart: Chart, letters: Letters) -> None:
    """Looked at by a person when they were written; `git diff` shows what became of them."""
    text = drawn(chart, letters)
    assert text == (GOLDEN / f"{name}.txt").read_text("utf-8")
    assert text.isascii() is (letters is ASCII)


@pytest.mark.parametrize("letters", [UNICODE, ASCII], ids=["blocks", "plain"])
@settings(max_examples=25, deadline=None)
@given(new=programs(), old=programs() | st.none())
def test_eighty_columns_hold_any_program(
    letters: Letters, new: Program, old: Program | None
) -> None:
    chart = program_chart(of(new), None if old is None else of(old))
    for panel in chart.panels:
        lines = text_chart(panel, letters)
        at = next(at for at, line in enumerate(lines) if panel.unit in line)
        assert all(len(line) <= 79 and line == line.rstrip() for line in lines[at:])
        assert len(lines) <= 7 + letters.rows + 3


def test_a_chart_of_text_holds_one_line_or_two() -> None:
    line = Line("", ((0, 1),))
    for lines in ((), (line,) * 3):
        with pytest.raises(ValueError, match="one line or two"):
            text_chart(Panel("", "", "", Axis.DAY, 0, DAY_MS, lines))


def area(*lines: Line, letters: Letters = UNICODE, stems: tuple[Stem, ...] = ()) -> list[str]:
    """The rows of the area alone, the highest first."""
    panel = Panel("", "", "mcg/h", Axis.DAY, 0, DAY_MS, lines, stems)
    return [line[7:].ljust(72) for line in text_chart(panel, letters)[len(lines) + 1 : -2]]


def line(*values: Fraction | int) -> Line:
    """As many equal stretches of a day."""
    return Line("x", tuple((at * DAY_MS // len(values), each) for at, each in enumerate(values)))


def test_an_area_stands_as_high_as_its_value() -> None:
    rows = area(line(12, 6, Fraction(1, 2), 0))
    bars = ["".join(row[column] for row in rows).strip() for column in (0, 18, 36, 54)]
    assert bars == ["█" * 12, "█" * 6, "▄", ""]


def test_a_peak_between_two_columns_is_not_lost() -> None:
    """A column stands for 20 minutes; a rate that lasts one minute is drawn."""
    minute = DAY_MS // 1440
    peaked = Line("x", ((0, 5), (601 * minute, 10), (602 * minute, 5)))
    assert area(peaked)[-10:][0].count("█") == 1


@pytest.mark.parametrize(
    ("new", "old"),
    [(10, Fraction(10_001, 1_000)), (10, Fraction(9_999, 1_000)), (Fraction(1, 1_000), 0), (10, 2)],
)
@pytest.mark.parametrize("letters", [UNICODE, ASCII], ids=["blocks", "plain"])
def test_a_difference_is_never_drawn_as_none(
    letters: Letters, new: Fraction | int, old: Fraction | int
) -> None:
    same = area(line(new), line(new), letters=letters)
    assert area(line(new), line(old), letters=letters) != same
    assert area(line(old), line(new), letters=letters) != area(
        line(old), line(old), letters=letters
    )


def test_dashes_stand_at_the_old_value() -> None:
    rows = area(line(12), line(6))
    assert [at for at, row in enumerate(reversed(rows)) if "▄" in row or "▀" in row] == [5]
    rows = area(line(6), line(12))
    assert [at for at, row in enumerate(reversed(rows)) if "▔" in row] == [11]
    assert area(line(6), line(12))[-12].count("▔") == 24, "in every third column"


def test_labels_are_all_there_or_none_is() -> None:
    few = (Stem(0, "1 mcg"), Stem(DAY_MS - MINUTE_MS, "2 mcg"))
    lines = text_chart(Panel("", "", "mcg/h", Axis.DAY, 0, DAY_MS, (line(1),), few))
    assert lines[2] == " " * 7 + "00:00 1 mcg" + " " * 50 + "23:59 2 mcg"
    assert lines[3] == "  mcg/h▼" + " " * 70 + "▼"
    many = tuple(Stem(at * DAY_MS // 24, "5 mcg", gone=at % 2 > 0) for at in range(24))
    lines = text_chart(Panel("", "", "mcg/h", Axis.DAY, 0, DAY_MS, (line(1),), many))
    assert lines[2] == "  mcg/h" + "▼  ▽  " * 11 + "▼  ▽"
    assert not any("5 mcg" in row for row in lines)


def test_two_boluses_in_one_column_show_the_one_that_is_given() -> None:
    stems = (Stem(0, "", gone=True), Stem(60_000, ""), Stem(120_000, "", gone=True))
    lines = text_chart(Panel("", "", "mcg/h", Axis.DAY, 0, DAY_MS, (line(1),), stems))
    assert lines[2] == "  mcg/h▼"


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (8 * DAY_MS, "0 1 2 3 4 5 6 7 8 d"),
        (int(41.76 * 3_600_000), "0 10 20 30 40 h"),
        (30 * 60_000, "0 5 10 15 20 25 30 min"),
        (4 * 60_000, "0 1 2 3 4 min"),
        (90 * DAY_MS, "0 20 40 60 80 d"),
    ],
)
def test_elapsed_time_is_told_in_its_own_unit(span: int, told: str) -> None:
    """As for what leaves the catheter's tip."""
    panel = Panel("tip", "baclofen", "mcg/day", Axis.ELAPSED, 0, span, (line(1, 2),))
    assert text_chart(panel)[-1].split() == told.split()


def test_ticks_begin_where_the_panel_begins() -> None:
    panel = Panel("", "", "", Axis.ELAPSED, 5 * DAY_MS, 9 * DAY_MS, (line(1),))
    assert [(tick.at // DAY_MS, tick.label) for tick in ticks(panel)][:2] == [(5, "0"), (5, "0.5")]


@given(st.fractions(0, 10**6, max_denominator=10**6), st.integers(3, 20))
def test_the_scale_is_round_and_holds_the_largest(largest: Fraction, most: int) -> None:
    step = scale_step(largest, most)
    digits = decimal(step).replace(".", "").strip("0")
    assert digits in {"1", "2", "25", "5"}
    assert step * most >= largest
    smaller = {"25": Fraction(5, 4)}.get(digits, Fraction(2))
    assert largest <= 0 or step / smaller * most < largest, "no finer one would do"


@pytest.mark.requirement("UNI-06")
def test_a_chart_tells_mass_volume_and_concentration() -> None:
    chart = program_chart(side("flex"))
    assert chart.title == "baclofen 2000 mcg/mL · patient P-0417"
    assert chart.panels[0].lines[0].label == "438 mcg/day = 0.219 mL/day"
    assert chart.panels[0].mark == "largest hour 46 mcg = 0.023 mL, from 06:10"
    assert chart.notes == (
        "bolus 20 mcg = 0.01 mL over 10 min at 07:00, 21:00, every day",
        (
            "patient doses, not drawn: 10 mcg over 5 min, lockout 4 h, at most 3 in 24 h; "
            "468 mcg in 24 h with all of them"
        ),
        "fallback 216 mcg/day, only if the stored program is damaged",
        "▼ a bolus on top of the basal rate; the height of its mark means nothing",
    )


def test_old_and_new_are_told_apart() -> None:
    chart = program_chart(side("flex", *NEW), side("flex"))
    assert chart.subtitles == ("old: flex.toml", "new: flex.toml")
    new, old = chart.panels[0].lines
    assert new.label == "new 472.2 mcg/day = 0.2361 mL/day (+7.8 %)"
    assert old.label == "old 438 mcg/day = 0.219 mL/day"
    assert [(stem.label, stem.gone) for stem in chart.panels[0].stems] == [
        ("20 → 22.5 mcg", False), ("20 mcg removed", True), ("22.5 mcg new", False)
    ]  # fmt: skip
    slower = side("flex", ('over = "10 min"', 'over = "30 min"'))
    labels = [stem.label for stem in program_chart(slower, side("flex")).panels[0].stems]
    assert labels == ["20 mcg, now over 30 min"] * 2
    assert {panel.top for panel in chart.panels} == {Fraction(28)}, "one scale for all"


def test_a_long_title_is_parted_between_its_parts() -> None:
    assert title_rows("drug · patient", 14) == ["drug · patient"]
    assert title_rows("drug · patient", 13) == ["drug", "patient"]
    assert title_rows("drug · a long patient", 7) == ["drug", "a long", "patient"]


def test_a_number_is_not_parted_from_its_unit() -> None:
    assert wrapped("at most 3 in 24 h and 468 mcg", 16) == [
        "at most 3 in",
        "  24 h and",
        "  468 mcg",
    ]


@pytest.mark.requirement("UNI-06")
def test_another_patient_drug_or_concentration_is_said_in_the_title() -> None:
    old = of(even(concentration=500))
    assert program_chart(of(even()), old).title == (
        "baclofen 500 mcg/mL → 2000 mcg/mL · patient P-1"
    )
    assert [line.label for line in program_chart(of(even()), old).panels[0].lines] == [
        "new 450 mcg/day = 0.225 mL/day at 2000 mcg/mL (0 %)",
        "old 450 mcg/day = 0.9 mL/day at 500 mcg/mL",
    ]
    other = Side("x", even()._replace(drug="mor\x1bphine"), None)
    assert program_chart(other, old).title == (
        "baclofen 500 mcg/mL → mor?phine 2000 mcg/mL · PATIENTS DIFFER: P-1, not said"
    )


def test_the_largest_hour_is_marked_where_it_is() -> None:
    flat = program_chart(of(minimum())).panels
    assert [(panel.marked, panel.mark) for panel in flat] == [
        (None, "largest hour 4 mcg = 0.002 mL")
    ]
    assert program_chart(of(minimum())).notes == (
        "minimum rate: a declared flow, and the fallback too",
    )
    rising = program_chart(of(flex([[(0, "10")]] * 6 + [[(0, "20")]]))).panels
    marks = {panel.title: (panel.marked, panel.mark) for panel in rising}
    assert marks["Mon-Sat"] == (None, "largest hour 10 mcg = 0.005 mL")
    late = program_chart(of(flex([[(0, "10")], [(0, "20"), (60, "10")]] + [[(0, "10")]] * 5)))
    assert late.panels[0].title == "Mon, Wed-Sun"
    assert late.panels[0].mark == "largest hour 20 mcg = 0.01 mL, from the next midnight"
