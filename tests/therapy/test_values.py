"""The small values of this floor: log entries, findings."""

from __future__ import annotations

import pytest

from pumpctl.therapy.findings import Fault, Finding, Rule, Seen, Severity, by_severity, of, placed
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import names_tag
from pumpctl.therapy.visit_shape import longest


def test_a_log_entry_gives_its_fields_by_name() -> None:
    entry = LogEntry(1, 0, "HOUR", 5, Moment(0), 7, fields=(("mass", 3), ("why", "x")))
    assert entry.get("mass") == 3 and entry.get("why") == "x" and entry.get("other") is None


def test_findings_sort_hard_first_and_then_as_the_file_goes() -> None:
    def finding(severity: Severity, line: int | None) -> Finding:
        return Finding("X", severity, "m", "s", line=line)

    note, soft = finding(Severity.NOTE, 1), finding(Severity.SOFT, 9)
    late, early, none = (finding(Severity.HARD, line) for line in (5, 2, None))
    everything = (note, soft, late, early, none)
    assert by_severity(everything) == (none, early, late, soft, note)
    assert of(everything, Severity.SOFT) == (soft,)


def test_a_fault_may_bring_its_own_severity_and_source() -> None:
    rule = Rule("X", Severity.NOTE, "here", "why.")
    seen = Seen("m", "1", "2", severity=Severity.HARD, source="there")
    (found,) = placed([Fault(rule, seen)], None)
    assert found == Finding("X", Severity.HARD, "m", "there", "1", "2")


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize(
    ("text", "tag", "named"),
    [
        ("P-0417", "P-0417", True),
        ("dose of p-0417, as ordered", "P-0417", True),
        ("(P-0417)", "P-0417", True),
        ("P-04175", "P-0417", False),
        ("XP-0417", "P-0417", False),
        ("the patient is drowsy", "P-0417", False),
        ("P-0417", "P.0417", False),  # the tag is words, no pattern
        ("see a+b.", "a+b", True),
    ],
)
def test_a_tag_is_found_among_words(text: str, tag: str, named: bool) -> None:
    assert names_tag(text, tag) is named


def test_a_prompt_takes_as_many_characters_as_a_visit_file() -> None:
    wanted = {
        ("patient", "tag"): 64,
        ("order", "prescriber"): 80,
        ("drug", "lot"): 40,
        ("given_up", "why"): 200,
    }
    assert {key: longest(*key) for key in wanted} == wanted
