"""A batch of log entries as one field: raw, or as differences.

RAW is the entries, 80 bytes each. DIFFERENCE puts entries of one kind together and
writes each of their fields as a column: a first value, the least difference of two
neighbours, and what each difference has above that least one, in as many bytes as
the largest needs (0, 1, 2, 4 or 8). What goes on evenly, an hour after the other,
then takes no bytes at all. The entries' own checks are left out, and one check of
all entries as the pump holds them, theirs included, shows that they came back.

A batch never unpacks to more than the entries that its message names, so that
a small message cannot become a large one (TEL-07).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import add, sub

from google_crc32c import value as crc32c

from pumpctl.wire.codes import Encoding
from pumpctl.wire.fields import Reader, WireError
from pumpctl.wire.logentry import SIZE
from pumpctl.wire.vocabulary import MOST_BATCH as MOST_BATCH

MOST_ENTRIES = 2048
"""In one batch, however well they pack."""
_ENTRY = struct.Struct(">QIHhQQQQQ5I4x")
_BODY = struct.Struct(">QIHhQQQQQ5I")
_CHECK = struct.Struct(">I")
_KIND, _COUNTER, _TIME = 2, 4, 5
_WIDE = (0, 4, 5, 6, 7, 8)
"""Fields of 64 bits: what leads out of them at one end comes in at the other."""
_COLUMNS = tuple(place for place in range(14) if place != _KIND)
_WIDTHS = {0: "x", 1: "B", 2: "H", 4: "I", 8: "Q"}
_ALL = (1 << 64) - 1
_SIGN = 1 << 63
_MOST_VARINT = 10


def pack_batch(
    encoding: Encoding, entries: tuple[bytes, ...], room: int = MOST_BATCH
) -> tuple[int, bytes]:
    """How many of the entries fit into `room` bytes, from the first on, and their bytes.

    One is always handed out, however little room there is. The entries are whole ones in
    rising order: checks right, no number twice.
    """
    count, room = min(len(entries), MOST_ENTRIES), min(room, MOST_BATCH)
    while True:
        packed = _packed(entries[:count]) if encoding is Encoding.DIFFERENCE else None
        raw = count * SIZE if packed is None else len(packed)
        if raw <= room or count <= 1:
            return count, b"".join(entries[:count]) if packed is None else packed
        count = max(1, min(count - 1, count * room // raw))


def unpack_batch(encoding: Encoding, batch: bytes, count: int) -> tuple[bytes, ...]:
    """The entries, 80 bytes each; WireError where the batch holds another number.

    Raw ones are unchecked; those from differences are bit for bit what the pump holds.
    """
    if encoding is Encoding.DIFFERENCE:
        return _unpacked(batch, count)
    if len(batch) != count * SIZE:
        raise WireError(f"{len(batch)} bytes in a batch of {count} entries")
    return tuple(batch[at : at + SIZE] for at in range(0, len(batch), SIZE))


# --- differences -----------------------------------------------------------------------


def _packed(entries: Sequence[bytes]) -> bytes:
    raw = b"".join(entries)
    rows = list(_ENTRY.iter_unpack(raw))
    out = bytearray(_CHECK.pack(crc32c(raw)))
    kinds = sorted({row[_KIND] for row in rows})
    _put_varint(out, len(kinds))
    for kind in kinds:
        columns = list(zip(*(row for row in rows if row[_KIND] == kind), strict=True))
        out += kind.to_bytes(2, "big")
        _put_varint(out, len(columns[_KIND]))
        columns[_TIME] = tuple(map(sub, columns[_TIME], columns[_COUNTER]))
        for place in _COLUMNS:
            _put_column(out, columns[place])
    return bytes(out)


def _put_column(out: bytearray, column: tuple[int, ...]) -> None:
    steps = [_signed(after - before) for before, after in pairwise(column)]
    least = min(steps, default=0)
    above = [step - least for step in steps]
    width = _width(max(above, default=0))
    out.append(width)
    _put_varint(out, _zigzag(_signed(column[0])))
    _put_varint(out, _zigzag(least))
    if width:
        out += struct.pack(f">{len(above)}{_WIDTHS[width]}", *above)


def _unpacked(batch: bytes, count: int) -> tuple[bytes, ...]:
    reader = Reader(batch)
    check = reader.uint(4)
    left = min(count, MOST_ENTRIES)
    bodies: list[bytes] = []
    for _ in range(_varint(reader)):
        kind, many = reader.uint(2), _varint(reader)
        if not 0 < many <= left:
            raise WireError(f"{many} entries of a kind where at most {left} are left")
        left -= many
        columns = _columns(reader, many)
        columns.insert(_KIND, [kind] * many)
        columns[_TIME] = list(map(add, columns[_TIME], columns[_COUNTER]))
        for place in _WIDE:
            if min(columns[place]) < 0 or max(columns[place]) > _ALL:
                columns[place] = [value & _ALL for value in columns[place]]
        try:
            bodies += map(_BODY.pack, *columns)
        except struct.error as error:
            raise WireError(f"a difference leads out of a field: {error}") from error
    reader.finish()
    if len(bodies) != count:
        raise WireError(f"{len(bodies)} entries in a batch of {count}")
    bodies.sort()  # by number, which stands first
    entries = tuple([body + _CHECK.pack(crc32c(body)) for body in bodies])
    if crc32c(b"".join(entries)) != check:
        raise WireError("the entries are not those that the pump holds")
    return entries


def _columns(reader: Reader, many: int) -> list[Sequence[int]]:
    found: list[Sequence[int]] = []
    for _ in _COLUMNS:
        width = reader.uint(1)
        if width not in _WIDTHS:
            raise WireError(f"{width} bytes for a difference")
        first, least = _unzigzag(_varint(reader)), _unzigzag(_varint(reader))
        if not width:  # it goes on evenly
            found.append(range(first, first + least * many, least) if least else [first] * many)
            continue
        above = struct.unpack(f">{many - 1}{_WIDTHS[width]}", reader.take(width * (many - 1)))
        found.append(list(accumulate(map(least.__add__, above) if least else above, initial=first)))
    return found


# --- numbers of any size -----------------------------------------------------------------


def _width(largest: int) -> int:
    return next(width for width in _WIDTHS if largest < 1 << 8 * width)


def _signed(value: int) -> int:
    """Modulo 2 to the 64th, as near to 0 as it can be."""
    return ((value + _SIGN) & _ALL) - _SIGN


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else -1 - (value << 1)


def _unzigzag(value: int) -> int:
    return value >> 1 if value & 1 == 0 else -1 - (value >> 1)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    out.append(value)


def _varint(reader: Reader) -> int:
    value = 0
    for place in range(_MOST_VARINT):
        byte = reader.uint(1)
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if value > _ALL or (byte == 0 and place):
                break
            return value
    raise WireError("a number that is longer than it may be")
