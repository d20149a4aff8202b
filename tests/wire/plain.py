"""A second hand at the wire: checks, stuffing, frames and log batches, from the document.

It shares nothing with `pumpctl.wire`, so that bytes are not only checked against
the code that makes them: CRC-32C goes bit by bit, COBS byte by byte, and a batch
number by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def crc32c_bits(data: bytes) -> int:
    """CRC-32C with one shift for each bit: polynomial 0x1EDC6F41, reflected."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def stuff(data: bytes) -> bytes:
    """COBS, block by block."""
    out = bytearray()
    block = bytearray()
    ended_full = False
    for byte in data:
        ended_full = False
        if byte:
            block.append(byte)
            if len(block) == 254:
                out += b"\xff" + block
                block.clear()
                ended_full = True
        else:
            out.append(len(block) + 1)
            out += block
            block.clear()
    if not ended_full:
        out.append(len(block) + 1)
        out += block
    return bytes(out)


def checked(raw: bytes) -> bytes:
    """These bytes and their check."""
    return raw + crc32c_bits(raw).to_bytes(4, "big")


def frame_body(
    kind: int, session: int, counter: int, piece: int, last: int, payload: bytes
) -> bytes:
    """A frame before stuffing, from section 2 of the document, its check included."""
    return checked(
        kind.to_bytes(1, "big")
        + session.to_bytes(2, "big")
        + counter.to_bytes(2, "big")
        + piece.to_bytes(1, "big")
        + (32_768 * last + len(payload)).to_bytes(2, "big")
        + payload
    )


def frame_bytes(
    kind: int, session: int, counter: int, piece: int, last: int, payload: bytes
) -> bytes:
    """A frame as it stands on the line."""
    return stuff(frame_body(kind, session, counter, piece, last, payload)) + b"\0"


# --- log batches, from section 14 ---------------------------------------------------------

_FIELDS = (
    (0, 8),  # number
    (8, 4),  # boot count
    (14, 2),  # offset, the only signed one
    (16, 8),  # counter
    (24, 8),  # label; as a column: less counter
    (32, 8),  # pulses
    (40, 8),  # a
    (48, 8),  # b
    *((56 + 4 * part, 4) for part in range(5)),  # data
)
_COUNTER, _LABEL = 3, 4
_TURN = 2**64


def _nearest(value: int) -> int:
    """Modulo 2 to the 64th, from -2^63 to 2^63 - 1."""
    value %= _TURN
    return value - _TURN if value >= _TURN // 2 else value


def _read(entry: bytes) -> list[int]:
    row = [int.from_bytes(entry[at : at + size], "big", signed=at == 14) for at, size in _FIELDS]
    row[_LABEL] -= row[_COUNTER]
    return row


def _number(value: int) -> bytes:
    """A signed number: doubled, negative ones odd; then seven bits a byte, the low ones first."""
    left = 2 * value if value >= 0 else -2 * value - 1
    return _count(left)


def _count(left: int) -> bytes:
    digits = [left % 128]
    while left := left // 128:
        digits.append(left % 128)
    return bytes([128 + digit for digit in digits[:-1]] + digits[-1:])


def batch_bytes(entries: Sequence[bytes]) -> bytes:
    """Whole entries of 80 bytes, rising, as a DIFFERENCE batch."""
    out = crc32c_bits(b"".join(entries)).to_bytes(4, "big")
    kinds = sorted({entry[12:14] for entry in entries})
    out += _count(len(kinds))
    for kind in kinds:
        rows = [_read(entry) for entry in entries if entry[12:14] == kind]
        out += kind + _count(len(rows))
        for place in range(len(_FIELDS)):
            out += _column([row[place] for row in rows])
    return out


def _column(values: list[int]) -> bytes:
    steps = [_nearest(values[at + 1] - values[at]) for at in range(len(values) - 1)]
    least = min(steps) if steps else 0
    above = [step - least for step in steps]
    width = next(size for size in (0, 1, 2, 4, 8) if max([0, *above]) < 256**size)
    head = bytes([width]) + _number(_nearest(values[0])) + _number(least)
    return head + b"".join(one.to_bytes(width, "big") for one in above if width)


def batch_entries(batch: bytes) -> list[bytes]:
    """A DIFFERENCE batch that is right, as entries of 80 bytes, rising."""
    source = iter(batch)
    check = _fixed(source, 4)
    found = []
    for _ in range(_varied(source)):
        kind, many = _fixed(source, 2), _varied(source)
        columns = [_values(source, many) for _ in _FIELDS]
        found += [_written(kind, list(row)) for row in zip(*columns, strict=True)]
    assert next(source, None) is None
    found.sort()
    assert crc32c_bits(b"".join(found)) == check
    return found


def _written(kind: int, row: list[int]) -> bytes:
    row[_LABEL] += row[_COUNTER]
    entry = bytearray(76)
    entry[12:14] = kind.to_bytes(2, "big")
    for value, (at, size) in zip(row, _FIELDS, strict=True):
        entry[at : at + size] = (value % 256**size).to_bytes(size, "big")
    return checked(bytes(entry))


def _values(source: Iterator[int], many: int) -> list[int]:
    width, value, least = next(source), _signed(source), _signed(source)
    values = [value]
    for _ in range(many - 1):
        value += least + _fixed(source, width)
        values.append(value)
    return values


def _fixed(source: Iterator[int], size: int) -> int:
    value = 0
    for _ in range(size):
        value = 256 * value + next(source)
    return value


def _varied(source: Iterator[int]) -> int:
    value, weight = 0, 1
    while (byte := next(source)) >= 128:
        value += weight * (byte - 128)
        weight *= 128
    return value + weight * byte


def _signed(source: Iterator[int]) -> int:
    doubled = _varied(source)
    return -(doubled + 1) // 2 if doubled % 2 else doubled // 2
