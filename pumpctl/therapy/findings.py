"""What a check says: one finding, with the number it saw beside the limit.

Ids are API: they are overridden, explained and counted by name, so they never
change their meaning. A `Rule` is what is known of an id beforehand, a `Fault` is
one case of it with a path, a `Finding` is that with its place in the file.
Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from pumpctl.named import NamedTuple
from pumpctl.therapy.places import Position, locate, places, position


class Severity(Enum):
    """Hard: never. Soft: only with a named override and a reason. Note: to be known."""

    HARD = "hard"
    SOFT = "soft"
    NOTE = "note"


_RANK = {Severity.HARD: 0, Severity.SOFT: 1, Severity.NOTE: 2}


class Rule(NamedTuple):
    """All that is known of a finding before it is met; `explain ID` shows it."""

    id: str
    severity: Severity
    source: str
    why: str
    incident: str = ""
    """What happened to real patients where this was not checked; empty: nothing known."""


class Finding(NamedTuple):
    """One thing to know about one program, profile or pump.

    `value` is what was seen and `limit` what it was held against, as text with
    units; `line` and `column` count from 1 and are None outside a file.
    """

    id: str
    severity: Severity
    message: str
    source: str
    value: str | None = None
    limit: str | None = None
    line: int | None = None
    column: int | None = None


class Seen(NamedTuple):
    """What a check saw, before it is put into words for people: see `Finding`.

    `path` is where in the profile the value stands; `key` points at the key in
    place of the value. `severity` and `source` are given where they are not the
    rule's own (another library's figure has another source).
    """

    message: str
    value: str | None = None
    limit: str | None = None
    path: tuple[str | int, ...] = ()
    key: bool = False
    severity: Severity | None = None
    source: str | None = None


class Fault(NamedTuple):
    """A rule that was met, and what was seen; a `Finding` once it has its place."""

    rule: Rule
    seen: Seen


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Hard first, then soft, then notes; within each as the file goes."""

    def rank(finding: Finding) -> tuple[int, int, int]:
        return _RANK[finding.severity], finding.line or 0, finding.column or 0

    return tuple(sorted(findings, key=rank))


def placed(faults: Iterable[Fault], text: str | None) -> tuple[Finding, ...]:
    """Findings with line and column, sorted; the text is scanned only where there is a fault."""
    listed = list(faults)
    found = (
        places(text, [fault.seen.path for fault in listed]) if text is not None and listed else {}
    )
    made = []
    for rule, seen in listed:
        where: Position | tuple[None, None] = (None, None)
        if text is not None:
            where = position(text, locate(found, seen.path, key=seen.key))
        severity, source = seen.severity or rule.severity, seen.source or rule.source
        made.append(
            Finding(rule.id, severity, seen.message, source, seen.value, seen.limit, *where)
        )
    return by_severity(made)


def of(findings: Iterable[Finding], severity: Severity) -> tuple[Finding, ...]:
    """Those of one severity."""
    return tuple(finding for finding in findings if finding.severity is severity)
