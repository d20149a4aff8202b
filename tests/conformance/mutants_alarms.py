"""Mutants of the test of the alarm signal."""

from __future__ import annotations

from typing import Any

from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Priority, Refuse
from tests.conformance.mutate import Go, Patch, breaks, fields, handled, later, on

fields("P22-sounds", m.AlarmSounds, lasts=10_001)
on("P22-no-alarm", m.AlarmTest, lambda core, _m, _a: later(core))


@breaks("P22-logged")
def _logs_another_priority(patch: Patch) -> None:
    """The answer is right, the log says CRITICAL each time."""

    def handler(core: Any, caller: Any, message: Any, go: Go) -> Any:
        if not isinstance(message, m.AlarmTest):
            return go(message)
        core.record(LogKind.ALARM_TESTED, Priority.CRITICAL, 5_000, caller.key_id + bytes(12))
        return m.AlarmSounds(message.priority, 5_000)

    handled(patch, handler)


@breaks("P22-refused")
def _sounds_all_the_same(patch: Patch) -> None:
    """A test in a real alarm's place."""

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        refused = isinstance(answer, m.Refusal) and answer.code is Refuse.ALARM_RAISED
        return m.AlarmSounds(message.priority, 5_000) if refused else answer

    handled(patch, handler)
