"""Two answers to the same request, field by field: the recorded one and the one of now.

What cannot be the same twice (clocks, counters, numbers drawn anew) is told apart from
what should be. The table says so by name; whatever is not in it counts as a difference.
"""

from __future__ import annotations

import re
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op
from pumpctl.wire.greeting import PumpGreeting
from pumpctl.workflows.line import wording

MOVES: dict[str, frozenset[str]] = {
    "GREETING": frozenset({"random", "echo", "boot"}),
    Op.STATUS.name: frozenset(
        {
            "time",
            "counter",
            "boot",
            "reservoir",
            "sensed",
            "front",
            "pulses",
            "bolus.given",
            "bolus.started",
            "bolus.ends",
            "bridge.passed",
            "staged.expires_in",
            "patient_dose.next_in",
            "replace_by",
            "stopped_for",
            "log_first",
            "log_next",
            "alarms.since",
        }
    ),
    Op.STAGED.name: frozenset({"expires_in", "nonce"}),
    Op.DONE.name: frozenset({"at"}),
    Op.OPERATION.name: frozenset({"at"}),
    # Entries carry the pump's clock and counter; which there are is told by `first`.
    Op.LOG.name: frozenset({"entries", "held_from", "next", "batch"}),
    Op.ALARM_SOUNDS.name: frozenset({"lasts"}),
}
"""By message: fields that move by themselves."""

NOTHING = "no answer"


class Difference(NamedTuple):
    """One field that is not what it was."""

    field: str
    recorded: Any
    now: Any
    moves: bool
    """It is one of those that are never the same twice."""


def called(answer: Any) -> str:
    """The name of an answer; a refusal with its code."""
    if answer is None:
        return NOTHING
    if isinstance(answer, PumpGreeting):
        return "GREETING"
    name = wording.name_of(answer)
    return f"{name} {answer.code.name}" if name == Op.REFUSAL.name else name


def differences(recorded: Any, now: Any) -> tuple[Difference, ...]:
    """Every field that differs. Answers of two kinds differ in one: what they are."""
    if type(recorded) is not type(now):
        return (Difference("answer", called(recorded), called(now), moves=False),)
    if recorded is None:
        return ()
    # A structure that is there in one answer only shows by its fields.
    before = {leaf.path: leaf for leaf in wording.leaves(recorded) if leaf.value is not None}
    after = {leaf.path: leaf for leaf in wording.leaves(now) if leaf.value is not None}
    moves = MOVES.get(called(now), frozenset())
    return tuple(
        Difference(
            path,
            before[path].shown if path in before else None,
            after[path].shown if path in after else None,
            re.sub(r"\[[0-9]+\]", "", path) in moves,
        )
        for path in dict.fromkeys([*before, *after])
        if path not in before or path not in after or before[path].value != after[path].value
    )
