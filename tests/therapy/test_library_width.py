"""A library that is too wide: mg for mcg is refused, a far wider limit asks for a reason."""

from __future__ import annotations

import pytest

from pumpctl.errors import InternalError
from pumpctl.therapy.checks.libraries import LibraryCase, library_check
from pumpctl.therapy.checks.library_width import library_pump_most
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.library import Band
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_draft import draft_of
from pumpctl.therapy.library_file import LibraryReading, read_library
from tests.helpers.libraries import altered_all, site_library
from tests.therapy.samples import altered, named

TEXT = site_library(short=True)
DAY = 'hard_high = { limit = "3000 mcg/day"'


def read(*changes: tuple[str, str]) -> LibraryReading:
    return read_library(altered(TEXT, *changes), "site.toml")


def shown(reading: LibraryReading) -> set[tuple[str, Severity, str | None]]:
    return {(each.id, each.severity, each.value) for each in reading.findings}


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        (('hard_high = { limit = "300 mcg"', 'hard_high = { limit = "300 mg"'),
         "LIBRARY_WINDOW_ORDER", "300 mg"),
        (('hard_high = { limit = "100 mcg"', 'hard_high = { limit = "100 mg"'),
         "LIBRARY_WINDOW_ORDER", "100 mg"),
        (('hard = { limit = "350 mcg"', 'hard = { limit = "350 mg"'),
         "LIBRARY_WINDOW_ORDER", "350 mg"),
        (('hard = { limit = "3000 mcg"', 'hard = { limit = "900 mg"'),
         "LIBRARY_PUMP_MOST", "900 mg"),
        ((f"{DAY}, source = \"this project's choice\" }}\n\n[drug.rate]",
          "hard_high = { limit = \"30000 mcg/day\", source = \"ward 7\" }\n\n[drug.rate]"),
         "LIBRARY_PUMP_MOST", "30000 mcg/day"),
    ],
)  # fmt: skip
def test_a_slip_of_the_unit_is_hard_and_said_once(
    change: tuple[str, str], name: str, value: str
) -> None:
    """ISMP: mg for mcg. No note that the limit is wider stands beside it."""
    reading = read(change)
    (found,) = reading.findings
    assert (found.id, found.severity) == (name, Severity.HARD)
    assert "check the units" in found.message
    unit = value.split()[1]
    number = {"mg": value.replace(" mg", "000 mcg")}.get(unit, value)
    assert found.value == number


@pytest.mark.requirement("LIM-05")
def test_a_slip_in_every_limit_at_once_is_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    """All in mg, in agreement with one another: what the pump takes still tells."""
    slips = [
        ('hard_high = { limit = "300 mcg"', 'hard_high = { limit = "300 mg"'),
        ('hard = { limit = "350 mcg"', 'hard = { limit = "350 mg"'),
        ('hard = { limit = "3000 mcg"', 'hard = { limit = "900 mg"'),
    ]
    reading = read(*slips)
    assert {each.id for each in reading.hard} == {"LIBRARY_PUMP_MOST"}
    monkeypatch.delitem(library_check.by_id, "LIBRARY_PUMP_MOST")
    assert not read(*slips).hard
    assert {each.id for each in read(*slips).soft} == {"LIBRARY_LOOSER"}


def test_a_wider_limit_names_the_source_of_what_ships_once() -> None:
    (found,) = read(('hard = { limit = "350 mcg"', 'hard = { limit = "400 mcg"')).findings
    assert found.severity is Severity.NOTE
    assert "400 mcg, where the library that ships has 350 mcg" in found.message
    assert found.source == "the largest usual hour, 50 mcg, and the largest bolus (derived)"
    assert found.source not in found.message


def test_twice_the_hard_limit_needs_a_reason_and_a_soft_limit_does_not() -> None:
    soft = ('soft = { limit = "150 mcg"', 'soft = { limit = "349 mcg"')
    hard = ('hard = { limit = "350 mcg"', 'hard = { limit = "700 mcg"')
    assert shown(read(soft, hard)) == {
        ("LIBRARY_LOOSER", Severity.NOTE, "349 mcg"),
        ("LIBRARY_LOOSER", Severity.SOFT, "700 mcg"),
    }


def test_a_limit_that_is_missing_is_told_once() -> None:
    start = TEXT.index("[drug.bolus]")
    bolus = TEXT[start : TEXT.index("[drug.patient_dose]")]
    window = TEXT[TEXT.index('[[drug.window]]\nlength = "1 h"') :]
    window = window[: window.index("[[drug.window]]", 5)]
    found = read((bolus, "")).findings
    assert [each.limit for each in named(found, "LIBRARY_REQUIRED")] == ["bolus.hard_high"]
    assert {each.limit for each in named(found, "LIBRARY_LOOSER")} == {"1 mcg", "100 mcg"}
    assert [each.id for each in read((window, "")).findings] == ["LIBRARY_WINDOWS"]


def test_a_day_s_limit_is_the_same_whatever_the_concentration() -> None:
    text = altered_all(site_library(), DAY, 'hard_high = { limit = "3001 mcg/day"')
    assert len(named(read_library(text, "f").findings, "LIBRARY_PUMP_MOST")) == 6


def test_the_library_that_ships_has_a_limit_of_the_day() -> None:
    bare = DEFAULT._replace(listed=(DEFAULT.listed[0]._replace(daily_dose=Band()),))
    with pytest.raises(InternalError):
        list(library_pump_most(LibraryCase(draft_of(DEFAULT), None, bare)))
