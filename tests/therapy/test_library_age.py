"""An expired library: nothing new is held against it, but the same program may go on (LIM-08)."""

from __future__ import annotations

import pytest

from pumpctl.quantities import Duration
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks.registry import pump_check
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery
from tests.therapy.samples import NOW, even, named, pump

NAME = "LIBRARY_EXPIRED"
TODAY = NOW.date
YESTERDAY = DEFAULT._replace(site="ward", version=4, expires=TODAY.plus(-1))
STOPPED = {"delivery": Delivery.STOPPED, "stopped_for": Duration.parse("1 h")}


def expired(new: Program, library: Library, **state: object) -> list[Finding]:
    found = check_change(new, pump(**state), station_now=NOW, library=library)
    return named(found, NAME)


@pytest.mark.requirement("LIM-08")
def test_the_last_day_counts() -> None:
    assert expired(even("460 mcg/day"), YESTERDAY._replace(expires=TODAY)) == []
    assert expired(even("460 mcg/day"), YESTERDAY._replace(expires=None)) == []
    (found,) = expired(even("460 mcg/day"), YESTERDAY)
    assert found.severity is Severity.HARD
    assert (found.value, found.source) == (str(TODAY.plus(-1)), "LIM-08")
    assert "ward, version 4" in found.message


@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize(
    ("program", "state", "severity"),
    [
        (even(), STOPPED, Severity.SOFT),
        (even("449 mcg/day"), STOPPED, Severity.HARD),
        (even("450 mcg/day", fallback="299 mcg/day"), STOPPED, Severity.HARD),
        (even("450 mcg/day", 1000), STOPPED, Severity.HARD),
        (even(), {}, Severity.HARD),
        (even(), {"delivery": Delivery.FALLBACK}, Severity.HARD),
        (even(), {**STOPPED, "program": None, "program_hash": None}, Severity.HARD),
    ],
)
def test_only_the_same_program_on_a_stopped_pump_may_go_on(
    program: Program, state: dict[str, object], severity: Severity
) -> None:
    (found,) = expired(program, YESTERDAY, **state)
    assert found.severity is severity


@pytest.mark.requirement("LIM-08")
def test_without_the_check_an_expired_library_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert expired(even("460 mcg/day"), YESTERDAY)
    monkeypatch.delitem(pump_check.by_id, NAME)
    found = check_change(even("460 mcg/day"), pump(), station_now=NOW, library=YESTERDAY)
    assert not [each for each in found if each.severity is not Severity.NOTE]
