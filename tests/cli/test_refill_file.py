"""A visit file: what is taken, and everything that is wrong with one, in one go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import VisitSyntax
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.workflows.refill.file import read_visit
from pumpctl.workflows.refill.visit import kept_of, visit_from
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, written
from tests.helpers.visits import PORT, visit_file, visit_text

WHOLE = visit_text(
    serial="SP40-000123",
    left="0.2 mL",
    at="2026-11-23T10:05:00+01:00",
    ampoule='{ mass = "40 mg", volume = "20 mL" }',
    next_visit="2027-02-01",
    reasons={"REFILL_DISCREPANCY": "drained twice"},
)


def findings(text: str) -> list[tuple[str, int | None, int | None]]:
    """Ids with their places."""
    return [(each.id, each.line, each.column) for each in read_visit(text, "v.toml").findings]


def test_a_whole_visit_is_read_as_it_is_written() -> None:
    visit = read_visit(WHOLE, "v.toml").visit
    assert visit is not None and visit.drawn is not None and visit.injected is not None
    assert (visit.patient, visit.serial) == ("P-0417", "SP40-000123")
    assert (visit.prescriber, visit.reference) == ("Dr A. Example", "ORD-1")
    assert (visit.drained, visit.left) == (Volume.parse("3.2 mL"), Volume.parse("0.2 mL"))
    assert visit.drawn.concentration == Concentration(2000)
    assert visit.drawn.expiry == Date.parse("2036-06-30")
    assert visit.drawn.ampoule is not None and visit.drawn.ampoule.mass == Mass.parse("40 mg")
    assert visit.injected.at == Moment.parse("2026-11-23T10:05:00+01:00")
    assert visit.next_visit == Date.parse("2027-02-01")
    assert visit.reasons == (("REFILL_DISCREPANCY", "drained twice"),)
    assert (visit.given_up, visit.without_bridge, visit.program) == (None, False, None)


def test_plan_and_journal_read_it_back_the_same() -> None:
    for text in (WHOLE, visit_text(), visit_text(None, given_up="port not found")):
        visit = read_visit(text, "v.toml").visit
        assert visit is not None
        kept = kept_of(visit)
        assert visit_from(kept, visit.patient, None) == visit._replace(serial=None)
        assert "P-0417" not in str(kept)


def test_dates_are_taken_with_and_without_quotes() -> None:
    quoted = WHOLE.replace("2036-06-30", '"2036-06-30"').replace(
        "2026-11-23T10:05:00+01:00", '"2026-11-23T10:05:00+01:00"'
    )
    assert read_visit(quoted, "v").visit == read_visit(WHOLE, "v").visit


def test_all_faults_come_in_one_go_with_their_places() -> None:
    text = """\
format = 2
[patient]
tag = " P-0417"
[order]
prescriber = "Dr A. Example"
[drained]
volume = "3.2"
[drug]
name = "baclofen"
concentration = "2000 mg/L"
lot = ""
expiry = "30.6.2027"
[injected]
volume = 40
at = 2026-11-23T10:05:00
speed = "slow"
[reasons]
REFILL_DISCREPANZ = "x"
REFILL_TREND = ""
"""
    assert findings(text) == [
        ("VISIT_FORMAT", 1, 10),
        ("VALUE_TEXT", 3, 7),
        ("KEY_MISSING", 4, 1),
        ("QUANTITY", 7, 10),
        ("QUANTITY", 10, 17),
        ("VALUE_TEXT", 11, 7),
        ("DATE", 12, 10),
        ("QUANTITY", 14, 10),
        ("VISIT_TIME", 15, 6),
        ("KEY_UNKNOWN", 16, 1),
        ("VISIT_REASON", 18, 1),
        ("VISIT_REASON", 19, 16),
    ]


@pytest.mark.requirement("SEC-08")
def test_the_tag_stands_in_no_word_that_the_journal_keeps() -> None:
    """There it would be left out, and an order of another name is another order (REF-06)."""
    text = visit_text(
        reference="p-0417/3", lot="P-0417", reasons={"REFILL_TREND": "as P-0417 told us"}
    ).replace("Dr A. Example", "for P-0417")
    assert findings(text) == [
        *(("VISIT_TAG", 5, 14), ("VISIT_TAG", 6, 13), ("VISIT_TAG", 12, 7), ("VISIT_TAG", 17, 16)),
    ]
    gone = visit_text(given_up="P-0417 went home")
    assert [each[0] for each in findings(gone)] == ["VISIT_TAG"]
    assert findings(visit_text(reference="P-04170")) == []


def test_a_reason_holds_no_key_that_is_no_letter() -> None:
    text = visit_text(reasons={"REFILL_TREND": "\\u001b[2J looked at"})
    assert findings(text) == [("VISIT_REASON", 17, 16)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (visit_text(None), ["VISIT_CONTRADICTION"]),
        (visit_text(injected=None), ["VISIT_CONTRADICTION"]),
        (visit_text().replace("[drug]", "[[drug]]"), ["VALUE_KIND"]),
        (visit_text() + '[given_up]\nwhy = "port not found"\n', ["VISIT_CONTRADICTION"]),
        (visit_text(given_up="x", profile="flex.toml"), ["VISIT_CONTRADICTION"]),
        (visit_text(given_up="x", next_visit="2027-01-01"), ["VISIT_CONTRADICTION"]),
        (visit_text(bridge="left out"), ["VALUE_CHOICE"]),
        (visit_text() + "reasons = 3\n", ["KEY_UNKNOWN"]),
        ("reasons = 3\n" + visit_text(), ["VALUE_KIND"]),
        ("", ["KEY_MISSING"] * 3 + ["VISIT_CONTRADICTION"] * 3),
        (visit_text("3.2 mg"), ["QUANTITY"]),
        (visit_text("03.2 mL"), ["QUANTITY"]),
        (visit_text("3,2 mL"), ["QUANTITY"]),
        (visit_text("3200000 mL"), ["QUANTITY"]),
    ],
)
def test_what_is_no_visit(text: str, expected: list[str]) -> None:
    read = read_visit(text, "v.toml")
    assert sorted(each.id for each in read.findings) == sorted(expected)
    assert read.visit is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_visit(text, "v.toml")
    except VisitSyntax:
        return
    assert read.visit is None and read.findings


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_damage_to_a_visit_is_read_or_refused(data: Any) -> None:
    start = data.draw(st.integers(0, len(WHOLE) - 1))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(st.text(max_size=10))
    try:
        read = read_visit(WHOLE[:start] + put + WHOLE[start + cut :], "v.toml")
    except VisitSyntax:
        return
    assert (read.visit is None) == bool(read.findings)


# --- through the command line --------------------------------------------------------------


def test_faults_are_shown_with_line_and_column_and_nothing_is_asked(desk: Desk) -> None:
    file = written(desk.files / "bad.toml", visit_text("3.2"))
    error = desk.refused(3, "VISIT_FAULTY", "refill", "--file", file, "--plan-only")
    (only,) = error["findings"]
    assert (only["id"], only["line"], only["column"]) == ("QUANTITY", 8, 10)
    assert "mL" in only["message"] and only["source"]
    file = written(desk.files / "bad.toml", "format = = 1\n")
    assert ":1:10:" in desk.refused(3, "VISIT_SYNTAX", "refill", "--file", file)["message"]
    missing = desk.files / "nowhere.toml"
    desk.refused(3, "VISIT_SYNTAX", "refill", "--file", missing)
    desk.refused(3, "VISIT_SYNTAX", "refill", "--file", desk.files)
    desk.refused(2, "USAGE", *PORT, "refill", "--plan-only")


def test_the_profile_lies_beside_the_visit(desk: Desk) -> None:
    desk.emulator()
    desk.flex()
    other = desk.files / "elsewhere"
    other.mkdir()
    written(other / "more.toml", FLEX.replace("438", "462").replace("15 mcg/h", "16.714 mcg/h"))
    file = written(other / "visit.toml", visit_text("40 mL", profile="more.toml"))
    error = desk.json(*PORT, "refill", "--file", file, "--plan-only", code=3)["error"]
    assert error["code"] == "LIMIT_HARD", "its own total does not add up"
    written(other / "more.toml", FLEX.replace("P-0417", "P-0418"))
    error = desk.refused(3, "VISIT_FAULTY", *PORT, "refill", "--file", file, "--plan-only")
    assert error["findings"][0]["id"] == "VISIT_PATIENT"
    written(other / "more.toml", FLEX.replace("216 mcg/day", "220 mcg/day"))
    told = desk.pump("refill", "--file", file, "--plan-only")
    assert told["new"]["fallback_rate"] == "220 mcg/day"
    (other / "more.toml").unlink()
    desk.refused(3, "PROFILE_SYNTAX", *PORT, "refill", "--file", file, "--plan-only")


def test_a_pump_that_is_not_the_visit_s(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    words = ("refill", "--file", visit_file(desk, serial="SP40-999999"), "--plan-only")
    desk.refused(5, "WRONG_PUMP", *PORT, *words)
    desk.refused(5, "WRONG_PUMP", *PORT, "--pump", "SP40-111111", *words)


def test_reasons_come_from_the_file_or_the_command_line_but_not_from_both(desk: Desk) -> None:
    desk.emulator()
    desk.flex()
    file = visit_file(desk, "37.9 mL", "36 mL")
    words = (*PORT, "refill", "--file", file, "--plan-only", "--override")
    assert desk.data(*words, "REFILL_DISCREPANCY=drained twice")["confirm"]
    visit_file(desk, "37.9 mL", "36 mL", reasons={"REFILL_DISCREPANCY": "drained twice"})
    assert desk.data(*words[:-1])["confirm"]
    desk.refused(2, "USAGE", *words, "REFILL_DISCREPANCY=drained twice")
    visit_file(desk, "40 mL", "36 mL", reasons={"REFILL_DISCREPANCY": "nothing to decide"})
    desk.refused(2, "USAGE", *words[:-1])
