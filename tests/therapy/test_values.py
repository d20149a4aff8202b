"""The small values of this floor: log entries, findings."""

from __future__ import annotations

from pumpctl.therapy.findings import Fault, Finding, Rule, Seen, Severity, by_severity, of, placed
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment


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
