"""How a check of a change is tried: against a pump and a course that it must stop.

Every case is tried twice: with its check, and without it, when nothing of its
severity may be left that another check of a change would say.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import pump_check
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.past import Past
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from tests.therapy.samples import CONTINUOUS, NOW, altered, named, profile, pump


class Bad(NamedTuple):
    """A change that one check speaks to."""

    name: str
    severity: Severity
    subject: str | Program
    state: dict[str, Any]
    value: str | None
    limit: str | None
    past: Past | None = None
    library: Library = DEFAULT


def text(*changes: tuple[str, str]) -> str:
    """The continuous example, changed."""
    return altered(CONTINUOUS, *changes)


def findings(
    subject: str | Program, past: Past | None = None, library: Library = DEFAULT, **state: Any
) -> tuple[Finding, ...]:
    """Everything that is said of bringing it onto a pump in this state."""
    change: Profile | Program = profile(subject) if isinstance(subject, str) else subject
    return check_change(change, pump(**state), station_now=NOW, library=library, past=past)


def of_case(case: Bad) -> tuple[Finding, ...]:
    """The same, of a case."""
    return findings(case.subject, case.past, case.library, **case.state)


def finds(case: Bad) -> None:
    """The check speaks once, with its figures, and no other one is hard."""
    found = of_case(case)
    assert [(each.severity, each.value, each.limit) for each in named(found, case.name)] == [
        (case.severity, case.value, case.limit)
    ]
    others = {each.id for each in found if each.severity is Severity.HARD} - {case.name}
    assert not others, "one fault, one hard finding"


def passes_without(case: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check no other check of a change says anything of its severity."""
    findings(CONTINUOUS)  # so that they are registered
    monkeypatch.delitem(pump_check.by_id, case.name)
    assert not [
        each
        for each in of_case(case)
        if each.severity is case.severity and each.id in pump_check.by_id
    ]
