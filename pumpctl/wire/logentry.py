"""A log entry: 80 bytes of fixed layout with a check of its own.

Small and fixed, so that firmware in C can store it and a station can decode a
hundred thousand in a blink. What `a`, `b` and `data` hold for each kind is
said in docs/protocol.md.
"""

from __future__ import annotations

import struct

from google_crc32c import value as crc32c

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import LogKind
from pumpctl.wire.fields import WireError

SIZE = 80
_BODY = struct.Struct(">QIHhQQQQQ20s")
_CRC = struct.Struct(">I")
_MARKS = struct.Struct(">Q68xI")
"""Number and check alone: what a station looks at in a hundred thousand."""
_BODY_SIZE = SIZE - _CRC.size


class LogEntry(NamedTuple):
    """One thing that happened in the pump."""

    number: int
    """Consecutive from 1 on, never reused (TEL-04)."""
    boot: int
    kind: LogKind
    offset_min: int
    counter: int
    """The monotonic counter, ms."""
    time: int
    """The label, UTC ms."""
    pulses: int
    """Cumulative, at that instant."""
    a: int
    b: int
    data: bytes
    """20 bytes: an operation id and four more, or what the kind says."""


def pack(entry: LogEntry) -> bytes:
    """An entry as its 80 bytes; WireError where a value does not fit."""
    try:
        body = _BODY.pack(
            entry.number,
            entry.boot,
            entry.kind,
            entry.offset_min,
            entry.counter,
            entry.time,
            entry.pulses,
            entry.a,
            entry.b,
            entry.data,
        )
    except struct.error as error:
        raise WireError(f"a log entry that does not fit: {error}") from error
    if len(entry.data) != 20:
        raise WireError("a log entry carries 20 bytes of data")
    return body + _CRC.pack(crc32c(body))


def number_of(raw: bytes) -> int:
    """The number of an entry that is whole; WireError where its check fails.

    What it says is not looked at: a log is kept as it came, a kind of a later version
    that nobody here can read yet with it.
    """
    number: int
    try:
        number, check = _MARKS.unpack(raw)
    except struct.error as error:
        raise WireError(f"a log entry has {SIZE} bytes, not {len(raw)}") from error
    if crc32c(raw[:_BODY_SIZE]) != check:
        raise WireError("a log entry whose check fails")
    return number


def unpack(raw: bytes) -> LogEntry:
    """80 bytes as an entry; WireError where the check fails or the kind is unknown."""
    number_of(raw)
    number, boot, kind, offset, counter, time, pulses, a, b, data = _BODY.unpack_from(raw)
    try:
        kind = LogKind(kind)
    except ValueError as error:
        raise WireError(f"0x{kind:04X} is no kind of log entry") from error
    return LogEntry(number, boot, kind, offset, counter, time, pulses, a, b, data)
