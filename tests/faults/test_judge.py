"""The judge of the kill sweep sees each way in which what is said can be untrue."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.judge import Facts, faults
from tests.faults.rig import Said
from tests.faults.truth import Stored, Truth, Written

OLD = Truth("old", 3, None, "delivering", ())
VOID = OLD._replace(operation="void")
NEW = Truth("new", 4, "applied", "delivering", ())
FLASH_OLD = Stored("old", 3, None, ())
FLASH_NEW = Stored("new", 4, "applied", ())
INTENT = Written(("intent",), None, True, None)
NOTHING = Written((), None, False, None)


def told(schema: str, data: dict[str, Any]) -> Said:
    return Said(0, {"schema": schema, "ok": True, "data": data}, "", 1.0)


def failed(code: int, changed: str, outcome: str | None, name: str = "X") -> Said:
    error = {"code": name, "exit": code, "changed": changed, "message": "no"}
    return Said(code, {"ok": False, "data": {"outcome": outcome}, "error": error}, "", 1.0)


def resolve(outcome: str | None, version: int | None) -> Said:
    return told("resolve", {"outcome": outcome, "state_version": version})


KILLED = Said(None, None, "", 1.0)
UNKNOWN = failed(7, "unknown", "unknown")
SUCCESS = told("apply", {"outcome": "applied", "verified": True, "state_version": 4})
USED = failed(3, "no", None, "PLAN_USED")
STATUS_OLD = told("status", {"state_version": 3, "unresolved": None})
STATUS_NEW = told("status", {"state_version": 4, "unresolved": None})

APPLIED = Facts(
    base=3,
    expected="new",
    said=UNKNOWN,
    flash=FLASH_NEW,
    truth=NEW,
    written=Written(("intent", "outcome"), "unknown", True, None),
    resolved=resolve("applied", 4),
    written_after=Written(("intent", "outcome", "resolved"), "applied", False, None),
    truth_after=NEW,
    status=STATUS_NEW,
    status_program="new",
    again=USED,
    truth_at_end=NEW,
    flash_at_end=FLASH_NEW,
)
"""The answer was lost; the pump had applied it."""
VOIDED = Facts(
    base=3,
    expected="old",
    said=KILLED,
    flash=FLASH_OLD,
    truth=OLD,
    written=INTENT,
    resolved=resolve("refused", 3),
    written_after=Written(("intent", "resolved"), "refused", False, None),
    truth_after=VOID,
    status=STATUS_OLD,
    status_program="old",
    again=USED,
    truth_at_end=VOID,
    flash_at_end=FLASH_OLD,
)
"""Killed with its intent written, before the first byte."""
UNTOUCHED = VOIDED._replace(
    said=failed(5, "no", "refused"),
    written=NOTHING,
    resolved=resolve(None, None),
    written_after=NOTHING,
    truth_after=OLD,
    again=SUCCESS,
    truth_at_end=NEW,
    flash_at_end=FLASH_NEW,
)
"""No answer long before activation: the plan is still good."""


@pytest.mark.parametrize("facts", [APPLIED, VOIDED, UNTOUCHED])
def test_a_true_story_has_no_fault(facts: Facts) -> None:
    assert faults(facts) == ()


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (APPLIED._replace(said=failed(5, "no", "refused")), "exit 5, changed no, and the pump"),
        (VOIDED._replace(said=SUCCESS), "exit 0, and the pump runs the old"),
        (VOIDED._replace(said=failed(12, "yes", "applied")), "changed yes, and the pump runs the"),
        (APPLIED._replace(said=failed(5, "unknown", "unknown")), "exit 5 with changed unknown"),
        (APPLIED._replace(said=failed(7, "unknown", "refused")), "beside outcome refused"),
        (APPLIED._replace(said=Said(1, None, "Traceback", 1.0)), "a traceback"),
        (APPLIED._replace(said=UNKNOWN._replace(seconds=40.0)), "apply took 40 s"),
        (APPLIED._replace(said=UNKNOWN._replace(document=None)), "without a JSON document"),
        (APPLIED._replace(resolved=resolve("refused", 4)), "resolve says refused, and the pump"),
        (VOIDED._replace(resolved=resolve("applied", 3)), "resolve says applied, and the pump"),
        (APPLIED._replace(resolved=resolve(None, None)), "nothing is open, and something was"),
        (APPLIED._replace(resolved=UNKNOWN), "resolve ended with exit 7"),
        (
            APPLIED._replace(said=KILLED, written=NOTHING, resolved=resolve(None, None)),
            "nothing is open, and the pump was changed unrecorded",
        ),
        (APPLIED._replace(written=NOTHING), "holds no intent of it"),
        (APPLIED._replace(expected="old"), "the new program runs where only the old"),
        (VOIDED._replace(truth_after=OLD), "does not hold the operation as void"),
        (VOIDED._replace(truth_after=NEW), "the program changed while it was being resolved"),
        (APPLIED._replace(truth=NEW._replace(program="ab12")), "neither the old nor the new"),
        (APPLIED._replace(truth=NEW._replace(operation=None)), "the ledger says None"),
        (APPLIED._replace(truth=NEW._replace(state_version=5)), "state version 5"),
        (APPLIED._replace(truth=NEW._replace(delivery="fallback")), "the pump is fallback"),
        (APPLIED._replace(flash=FLASH_OLD), "the flash held"),
        (APPLIED._replace(flash=FLASH_NEW._replace(mixed=("x",))), "mixed state: x"),
        (APPLIED._replace(status_program="old"), "status tells the old program"),
        (APPLIED._replace(status=STATUS_OLD), "status tells another state version"),
        (APPLIED._replace(again=SUCCESS), "the used plan was answered with exit 0"),
        (UNTOUCHED._replace(again=failed(5, "no", None)), "the unused plan was answered"),
        (APPLIED._replace(blocked=SUCCESS), "a plan while something is unresolved"),
        (APPLIED._replace(following=(USED,)), "the next plan: exit 3"),
        (APPLIED._replace(next_runs=False), "its program does not run"),
    ],
)
def test_an_untrue_story_has_its_fault(facts: Facts, fault: str) -> None:
    found = faults(facts)
    assert any(fault in each for each in found), found
