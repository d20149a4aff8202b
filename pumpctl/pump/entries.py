"""The pump's log entries as values: what their fields hold, by kind.

Apart from `encode`, so that a check of a profile loads nothing of the log.
"""

from __future__ import annotations

from enum import IntEnum

from pumpctl.outcomes import OperationId
from pumpctl.therapy.log import Field, LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.wire import codes
from pumpctl.wire import logentry as wlog

_WITH_OPERATION = {
    codes.LogKind.ACTIVATED,
    codes.LogKind.STOPPED,
    codes.LogKind.RESUMED,
    codes.LogKind.VOIDED,
}
_NAMES: dict[codes.LogKind, tuple[str, str]] = {
    codes.LogKind.HOUR: ("reservoir_nl", "state_version"),
    codes.LogKind.BOOT: ("boots", "state_version"),
    codes.LogKind.ACTIVATED: ("state_version", "operation_kind"),
    codes.LogKind.STOPPED: ("state_version", ""),
    codes.LogKind.RESUMED: ("state_version", ""),
    codes.LogKind.BOLUS_STARTED: ("dose_ng", "over_ms"),
    codes.LogKind.BOLUS_ENDED: ("dose_ng", "given_ng"),
    codes.LogKind.ALARM_RAISED: ("alarm", "priority"),
    codes.LogKind.ALARM_CLEARED: ("alarm", "priority"),
    codes.LogKind.LOG_LOST: ("first_lost", "lost"),
    codes.LogKind.FALLBACK: ("rate_ng_per_day", ""),
}


def log_entry(raw: bytes) -> LogEntry:
    """80 bytes of a pump's log as a value; WireError where they are damaged."""
    entry = wlog.unpack(raw)
    operation = OperationId(entry.data[:16]) if entry.kind in _WITH_OPERATION else None
    fields: list[Field] = []
    for name, value in zip(_NAMES.get(entry.kind, ("a", "b")), (entry.a, entry.b), strict=True):
        if name:
            fields.append((name, _readable(name, value)))
    if operation is None and any(entry.data):
        fields.append(("data", entry.data.hex()))
    return LogEntry(
        entry.number,
        entry.boot,
        entry.kind.name.lower(),
        entry.counter,
        Moment(entry.time, entry.offset_min),
        entry.pulses,
        operation,
        tuple(fields),
    )


def _readable(name: str, value: int) -> int | str:
    tables: dict[str, type[IntEnum]] = {
        "alarm": codes.AlarmCode,
        "priority": codes.Priority,
        "operation_kind": codes.Kind,
    }
    table = tables.get(name)
    if table is None:
        return value
    try:
        return str(table(value).name)
    except ValueError:
        return value
