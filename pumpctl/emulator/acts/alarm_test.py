"""The alarm signal: what sounds now, and its test on request.

A raised alarm always sounds its own signal; a test comes only where none is
raised, ends by itself, and gives way at once to a real one (ALM-02). Nothing that
is delivered knows of it. The log says when a test began, and nothing else does:
so it goes on over a change of process and ends with a boot.
"""

from __future__ import annotations

from typing import Final

from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.alarms import ALARMS
from pumpctl.named import NamedTuple
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, LogKind, Priority, Refuse
from pumpctl.wire.logentry import LogEntry, unpack

LASTS_MS: Final = 5_000
"""Own choice: long enough to listen for, short enough that nobody takes it for an alarm.
The protocol allows 10 s."""
_LOOKED_AT: Final = 32
"""Newest entries among which a test's own is looked for: more than 5 s can bring."""


class Signal(NamedTuple):
    """What can be heard."""

    priority: Priority
    why: AlarmCode | None
    """The alarm that sounds; None: a test."""


def sound(core: Core, caller: Caller, asked: m.AlarmTest) -> m.AlarmSounds:
    """Begin a test, or begin it anew; written down before it is answered."""
    raised = core.engine.alarms.raised
    if raised:
        raise Refused(
            Refuse.ALARM_RAISED,
            f"{raised[0].code.name} is raised and sounds; a test could be taken for it",
        )
    if core.testing:
        raise Refused(Refuse.SELF_TEST, "a self-test is running")
    core.record(LogKind.ALARM_TESTED, asked.priority, LASTS_MS, caller.key_id + bytes(12))
    return m.AlarmSounds(asked.priority, LASTS_MS)


def sounding(core: Core) -> Signal | None:
    """The signal that sounds at this instant: of alarms, the most urgent, raised first."""
    raised = [each.code for each in core.engine.alarms.raised]
    for code in sorted(raised, key=lambda each: ALARMS[each].priority is not Priority.CRITICAL):
        return Signal(ALARMS[code].priority, code)
    begun = _last_test(core)
    if begun is None or core.clock.counter >= begun.counter + begun.b:
        return None
    return Signal(Priority(begun.a), None)


def _last_test(core: Core) -> LogEntry | None:
    """The newest test since the last boot, among the newest entries; an alarm has ended it."""
    ends = (LogKind.ALARM_TESTED, LogKind.ALARM_RAISED, LogKind.BOOT)
    newest = core.log.read(max(core.log.first, core.log.next - _LOOKED_AT), _LOOKED_AT)
    found = [entry for raw in newest if (entry := unpack(raw)).kind in ends]
    return found[-1] if found and found[-1].kind is LogKind.ALARM_TESTED else None
