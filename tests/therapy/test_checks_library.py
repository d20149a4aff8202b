"""Each check of a library: a case that breaks it, one that just does not, and without the check."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pumpctl.therapy.checks.libraries import library_check
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library_file import LibraryReading, read_library
from pumpctl.therapy.moment import Date
from tests.helpers.libraries import site_library
from tests.therapy.samples import altered, named

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
TEXT = site_library(short=True)
TODAY = Date.parse("2026-03-31")
CHOICE = "this project's choice"
DAY_LIMIT = f'hard_high = {{ limit = "3000 mcg/day", source = "{CHOICE}" }}'
WINDOW_24 = TEXT[TEXT.index('[[drug.window]]\nlength = "24 h"') : TEXT.index("[[drug.usual]]")]
WINDOW_1 = TEXT[TEXT.index('[[drug.window]]\nlength = "1 h"') : TEXT.index(WINDOW_24)]


class Bad(NamedTuple):
    """A change of a good library, and the one finding that it leads to."""

    name: str
    severity: Severity
    change: tuple[str, str]
    value: str | None
    limit: str | None
    fine: tuple[str, str] | None
    """A change that the same check just lets pass."""


def _reworded(figure: str, source: str) -> tuple[str, str]:
    """Another source for a figure that stands once."""
    start = TEXT.index(figure)
    old = TEXT[start : TEXT.index("}", start)]
    return old, f'{figure}", source = "{source}" '


def _after(head: str, line: str) -> tuple[str, str]:
    return head, f"{head}\n{line}"


def _limit(key: str, limit: str, source: str = "ward protocol 7") -> str:
    return f'{key} = {{ limit = "{limit}", source = "{source}" }}'


def narrow(hard: str) -> str:
    """The window of 24 h with this hard limit, and no soft one."""
    return f'[[drug.window]]\nlength = "24 h"\n{_limit("hard", hard)}\n\n'


CASES = [
    Bad("LIBRARY_SITE", HARD, ("st-elsewhere", "Pumpctl"), "Pumpctl", None,
        ("st-elsewhere", "pumpctl-2")),
    Bad("LIBRARY_DATES", HARD, ('expires = "2999-12-31"\n', ""), None, "expires", None),
    Bad("LIBRARY_DATES", HARD, ('issued = "2020-01-01"\n', ""), None, "issued", None),
    Bad("LIBRARY_DATES", HARD, ("2999-12-31", "2026-03-30"), "2026-03-30", "2026-03-31",
        ("2999-12-31", "2026-03-31")),
    Bad("LIBRARY_DATES", HARD, ("2020-01-01", "2026-04-01"), "2026-04-01", "2026-03-31",
        ("2020-01-01", "2026-03-31")),
    Bad("LIBRARY_DUPLICATE", HARD, _after(WINDOW_24.rstrip(), "\n" + WINDOW_24), "a window of 24 h",
        None, None),
    Bad("LIBRARY_DUPLICATE", HARD, ('group = "spinal"', 'group = "cerebral"'), "cerebral", None,
        ('group = "spinal"', 'group = "adult"')),
    Bad("LIBRARY_DUPLICATE", HARD, ("[[drug]]", TEXT[TEXT.index("[[drug]]") :] + "\n[[drug]]"),
        "baclofen 2000 mcg/mL", None, None),
    Bad("LIBRARY_CONCENTRATION", HARD, ('"2000 mcg/mL"', '"50 mcg/mL"'), "50 mcg/mL",
        "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL", ('"2000 mcg/mL"', '"0.5 mg/mL"')),
    Bad("LIBRARY_CONCENTRATION", HARD, ('"2000 mcg/mL"', '"4000 mcg/mL"'), "4000 mcg/mL",
        "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL", None),
    Bad("LIBRARY_CONCENTRATION", HARD, ('"baclofen"', '"morphine"'), "morphine", "baclofen", None),
    Bad("LIBRARY_REQUIRED", HARD, (f"[drug.rate]\n{DAY_LIMIT}\n", ""), None, "rate.hard_high",
        None),
    Bad("LIBRARY_REQUIRED", HARD, (f"{DAY_LIMIT}\n\n[drug.rate]", "\n[drug.rate]"), None,
        "daily_dose.hard_high", None),
    Bad("LIBRARY_WINDOWS", HARD, (WINDOW_24, ""), None, "24 h", None),
    Bad("LIBRARY_WINDOWS", HARD, (WINDOW_1, ""), None, "1 h", None),
    Bad("LIBRARY_WINDOWS", HARD, _after(WINDOW_24.rstrip(), "\n" + WINDOW_1.replace("1 h", "59 s")),
        "59 s", "1 min to 7 d",
        _after(WINDOW_24.rstrip(), "\n" + WINDOW_1.replace("1 h", "60 s"))),
    Bad("LIBRARY_WINDOWS", HARD,
        _after(WINDOW_24.rstrip(), "\n" + WINDOW_24.replace("24 h", "8 d")), "8 d", "1 min to 7 d",
        _after(WINDOW_24.rstrip(), "\n" + WINDOW_24.replace("24 h", "7 d"))),
    Bad("LIBRARY_ORDER", HARD, ('soft_low = { limit = "22 mcg/day"',
        'soft_low = { limit = "1000.001 mcg/day"'), "1000 mcg/day", "at least 1000.001 mcg/day",
        ('soft_low = { limit = "22 mcg/day"', 'soft_low = { limit = "1000 mcg/day"')),
    Bad("LIBRARY_ORDER", HARD,
        ('soft_high = { limit = "50 mcg"', 'soft_high = { limit = "101 mcg"'),
        "100 mcg", "at least 101 mcg",
        ('soft_high = { limit = "50 mcg"', 'soft_high = { limit = "100 mcg"')),
    Bad("LIBRARY_ORDER", HARD, _after("[drug.daily_change]", _limit("increase_hard", "19.99 %")),
        "19.99 %", "at least 20 %",
        _after("[drug.daily_change]", _limit("increase_hard", "20 %"))),
    Bad("LIBRARY_ORDER", HARD, ('soft = { limit = "150 mcg"', 'soft = { limit = "351 mcg"'),
        "350 mcg", "at least 351 mcg",
        ('soft = { limit = "150 mcg"', 'soft = { limit = "350 mcg"')),
    Bad("LIBRARY_ORDER", HARD, ('low = "300 mcg/day"', 'low = "801 mcg/day"'), "800 mcg/day",
        "801 mcg/day", ('low = "300 mcg/day"', 'low = "800 mcg/day"')),
    Bad("LIBRARY_NOTHING", HARD, (f"[drug.rate]\n{DAY_LIMIT}",
        f"[drug.rate]\n{_limit('hard_high', '0 mcg/h')}"), "0 mcg/day", "above zero",
        (f"[drug.rate]\n{DAY_LIMIT}", f"[drug.rate]\n{_limit('hard_high', '1 mcg/h')}")),
    Bad("LIBRARY_SOURCE", HARD, _reworded('limit = "22 mcg/day', "TODO."), "TODO.", None,
        _reworded('limit = "22 mcg/day', "to do list of ward 7")),
    Bad("LIBRARY_SOURCE", HARD, _reworded('limit = "22 mcg/day', "2017"), "2017", None,
        _reworded('limit = "22 mcg/day', "FDA 2017")),
    Bad("LIBRARY_SOURCE", HARD,
        ("concentrations supplied for pumps: Lioresal Intrathecal and Gablofen labels", "?"),
        "?", None, None),
    Bad("LIBRARY_TO_VERIFY", HARD, _reworded('limit = "300 mcg', "a book (To Verify)"), "300 mcg",
        "(to verify)", _reworded('limit = "300 mcg', "a book, verified")),
    Bad("LIBRARY_REDUCTION", SOFT, _after("[drug.daily_change]", _limit("reduction_hard", "60 %")),
        "60 %", None, _after("[drug.daily_change]", _limit("increase_hard", "60 %"))),
    Bad("LIBRARY_REDUCTION", SOFT, _after("[drug.daily_dose]", _limit("hard_low", "12 mcg/day")),
        "12 mcg/day", None, _after("[drug.bolus]", _limit("hard_low", "0.5 mcg"))),
    Bad("LIBRARY_REDUCTION", SOFT, _after("[drug.rate]", _limit("hard_low", "24 mcg/day")),
        "24 mcg/day", None, _after("[drug.rate]", _limit("soft_low", "24 mcg/day"))),
    Bad("LIBRARY_WINDOW_ORDER", HARD, (WINDOW_24, narrow("349.999 mcg")), "350 mcg",
        "at most 349.999 mcg", (WINDOW_24, narrow("350 mcg"))),
    Bad("LIBRARY_WINDOW_ORDER", HARD, (WINDOW_24, narrow("299.999 mcg")), "300 mcg",
        "at most 299.999 mcg", (WINDOW_24, narrow("350 mcg"))),
    Bad("LIBRARY_WINDOW_ORDER", HARD, (WINDOW_24, narrow("99.999 mcg")), "100 mcg",
        "at most 99.999 mcg", None),
    Bad("LIBRARY_PUMP_MOST", HARD, (f"{DAY_LIMIT}\n\n[drug.rate]",
        f"{_limit('hard_high', '3000.001 mcg/day')}\n\n[drug.rate]"), "3000.001 mcg/day",
        "at most 3000 mcg/day", (f"{DAY_LIMIT}\n\n[drug.rate]",
        f"{_limit('hard_high', '2999 mcg/day')}\n\n[drug.rate]")),
    Bad("LIBRARY_PUMP_MOST", HARD, (f"[drug.rate]\n{DAY_LIMIT}",
        f"[drug.rate]\n{_limit('hard_high', '125.001 mcg/h')}"), "3000.024 mcg/day",
        "at most 3000 mcg/day", (f"[drug.rate]\n{DAY_LIMIT}",
        f"[drug.rate]\n{_limit('hard_high', '125 mcg/h')}")),
    Bad("LIBRARY_PUMP_MOST", HARD, ('hard = { limit = "3000 mcg"', 'hard = { limit = "3001 mcg"'),
        "3001 mcg", "at most 3000 mcg/day",
        ('hard = { limit = "3000 mcg"', 'hard = { limit = "2999 mcg"')),
    Bad("LIBRARY_LOOSER", NOTE, ('hard = { limit = "350 mcg"', 'hard = { limit = "351 mcg"'),
        "351 mcg", "350 mcg", ('hard = { limit = "350 mcg"', 'hard = { limit = "349 mcg"')),
    Bad("LIBRARY_LOOSER", NOTE, ('soft_low = { limit = "22 mcg/day"',
        'soft_low = { limit = "21.999 mcg/day"'), "21.999 mcg/day", "22 mcg/day",
        ('soft_low = { limit = "22 mcg/day"', 'soft_low = { limit = "23 mcg/day"')),
    Bad("LIBRARY_LOOSER", NOTE, ('hard_high = { limit = "300 mcg"',
        'hard_high = { limit = "599.999 mcg"'), "599.999 mcg", "300 mcg", None),
    Bad("LIBRARY_LOOSER", SOFT, ('hard_high = { limit = "300 mcg"',
        'hard_high = { limit = "600 mcg"'), "600 mcg", "300 mcg", None),
    Bad("LIBRARY_LOOSER", NOTE, ('increase_soft = { limit = "20 %"',
        'increase_soft = { limit = "90 %"'), "90 %", "20 %", None),
]  # fmt: skip


def read(text: str) -> LibraryReading:
    return read_library(text, "site.toml", TODAY)


def found(reading: LibraryReading, case: Bad) -> list[Finding]:
    return [
        each
        for each in named(reading.findings, case.name)
        if (each.value, each.limit) == (case.value, case.limit)
    ]


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("LIM-03")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_finds_it(case: Bad) -> None:
    assert read(TEXT).findings == ()
    reading = read(altered(TEXT, case.change))
    first, *_ = found(reading, case)
    assert first.severity is case.severity
    assert first.line is not None
    assert bool(reading.hard) is (case.severity is HARD)
    assert bool(reading.soft) is (case.severity is SOFT)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.fine], ids=lambda case: f"{case.name}-{case.value}"
)
def test_what_just_passes(case: Bad) -> None:
    assert case.fine is not None
    assert named(read(altered(TEXT, case.fine)).findings, case.name) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_it_would_pass(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(library_check.by_id, case.name)
    reading = read(altered(TEXT, case.change))
    assert reading.library is not None
    assert not reading.hard and not reading.soft


def test_every_check_has_its_case() -> None:
    assert {case.name for case in CASES} == set(library_check.by_id)


def test_the_day_counts_only_where_it_is_asked() -> None:
    text = altered(TEXT, ("2999-12-31", "2021-01-01"))
    assert read_library(text, "f").findings == ()
    backwards = altered(TEXT, ("2999-12-31", "2019-12-31"))
    assert [each.limit for each in read_library(backwards, "f").findings] == ["2020-01-01"]


def test_either_way_of_a_lower_limit_and_of_a_step_will_do() -> None:
    text = altered(TEXT, ('soft_low = { limit = "22 mcg/day"', 'hard_low = { limit = "22 mcg/day"'))
    text = altered(text, ("cerebral (to verify)", "cerebral"))
    assert not read(text).hard
    gone = altered(TEXT, (_line("soft_low", "22 mcg/day"), ""))
    assert [each.limit for each in read(gone).hard] == [
        "daily_dose.soft_low or daily_dose.hard_low"
    ]
    for key in ("increase_soft", "reduction_soft"):
        step = altered(TEXT, (_line(key, "20 %"), ""))
        other = key.replace("soft", "hard")
        assert [each.limit for each in read(step).hard] == [
            f"daily_change.{key} or daily_change.{other}"
        ]


def _line(key: str, limit: str) -> str:
    start = TEXT.index(f'{key} = {{ limit = "{limit}"')
    return TEXT[start : TEXT.index("\n", start) + 1]


def test_a_site_may_give_no_boluses_at_all() -> None:
    start, end = TEXT.index("[drug.bolus]"), TEXT.index("[drug.daily_change]")
    none = f"[drug.bolus]\n{_limit('hard_high', '0 mcg')}\n\n[drug.patient_dose]\n"
    none += f"{_limit('hard_high', '0 mcg')}\n\n"
    reading = read(TEXT[:start] + none + TEXT[end:])
    assert not reading.hard
    assert {each.value for each in reading.findings} == {"none"}, "what ships has soft limits"


def test_what_is_faulty_is_not_missing_besides() -> None:
    low = _line("soft_low", "22 mcg/day")
    whole = altered(TEXT, (WINDOW_24, ""), ("[[drug.window]]\nlength", "[drug.window]\nlength"))
    for text in (
        altered(TEXT, (low, low.replace("22", "x"))),
        altered(TEXT, (f"[drug.rate]\n{DAY_LIMIT}", '[drug.rate]\nhard_high = "3000"')),
        altered(TEXT, ('length = "24 h"', 'length = "24 hours"')),
        whole,
    ):
        findings = read(text).findings
        assert [each.id for each in findings if each.id.startswith("LIBRARY")] == []
        assert findings


def test_a_concentration_without_a_drug_is_held_against_the_first() -> None:
    text = altered(TEXT, ('name = "baclofen"\n', ""), ('"2000 mcg/mL"', '"50 mcg/mL"'))
    assert [each.id for each in read(text).findings] == ["KEY_MISSING", "LIBRARY_CONCENTRATION"]
