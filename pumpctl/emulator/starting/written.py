"""What the log holds beyond the last save of the always-on domain, and what a start makes of it.

The log is written before the domain: after a power cut, or when a process was
killed, it knows more. Time is gone through again from the save, and what comes
about again is not written twice; the rest of it is taken over here. Nothing that
changes delivery is made of it: that lies in the control block (`following`).
"""

from __future__ import annotations

from pumpctl.emulator.core import Core
from pumpctl.emulator.memory.control import Control
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.wire.codes import AlarmCode, Kind, LogKind
from pumpctl.wire.logentry import LogEntry, unpack


def append_missing(log: LogRing, control: Control) -> None:
    """What the log says of a commit whose entries a power cut kept out of it."""
    for raw in control.entries:
        number = int.from_bytes(raw[:8], "big")
        if number >= log.next:
            log.skip_to(number)
            log.append(raw)


def read_beyond(core: Core) -> None:
    """Entries beyond the last save: time has been there, and so have boots."""
    core.already = _beyond(core)
    told = [entry.a + entry.b for entry in core.already if entry.kind is LogKind.LOG_LOST]
    core.lost_told = max([core.lost_told, *told])  # before anything is written behind it
    if core.already:
        newest = core.already[-1]
        core.boot = max(core.boot, newest.boot)
        core.clock.not_before(core.now(), newest.counter)


def _beyond(core: Core) -> list[LogEntry]:
    first = core.log.next if core.beyond is None else core.beyond
    return [unpack(raw) for raw in core.log.read(first, core.log.next - first)]


def take_over(core: Core) -> None:
    """Make true what the log says, from the last save to this instant.

    The start may have saved meanwhile; until this is done, that save does not count.
    """
    for entry in _beyond(core):
        match entry.kind:
            case LogKind.ALARM_RAISED | LogKind.ALARM_CLEARED:
                on = entry.kind is LogKind.ALARM_RAISED
                core.know_alarm(AlarmCode(entry.a), on, utc=entry.time, counter=entry.counter)
            case LogKind.STAGE_DROPPED:
                core.left_staged = False
            case LogKind.ACTIVATED:
                core.left_staged &= entry.b == Kind.CANCEL  # which uses up nothing
            case LogKind.PAIRING_OPENED:
                core.pairing_until = entry.a
            case LogKind.PAIRED:
                core.pairing_until = 0
            case _:
                pass
    core.already.clear()
    core.beyond = None
