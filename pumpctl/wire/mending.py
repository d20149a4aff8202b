"""Putting a frame with one or two flipped bits right, by its own check.

CRC-32C keeps any two frames of up to 655 bytes at least six bits apart (TEL-01),
so a frame with one or two wrong bits has exactly one whole neighbour that near,
and the check's syndrome says where. What is farther off is left alone or, in two
of a thousand, put wrong: so only fragments of records are mended, whose tag of
128 bits decides, and only by who opens the record. A pump mends nothing.
"""

from __future__ import annotations

from functools import cache

from google_crc32c import value as crc32c

FARTHEST = 8 * 655
"""Bits of a body, check included, within which two errors have a syndrome of their own."""
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reflected


@cache
def _syndromes() -> dict[int, int]:
    """What one flipped bit does to the check, for every place, counted from the body's end.

    The check itself is sent with its highest byte first: of its 32 bits, the bit at
    place p (from the end) changes the check's own bit p.
    """
    places = {1 << place: place for place in range(32)}
    # The last bit that is fed in is the highest of the last byte: it leaves the
    # polynomial itself. Each bit before it has gone through one step more.
    register = _POLYNOMIAL
    for step in range(FARTHEST - 32):
        byte, bit = divmod(step, 8)
        places[register] = 32 + 8 * byte + (7 - bit)
        register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return places


def mended(body: bytes) -> bytes | None:
    """The whole body (check included) within two bits of this one; None where there is none."""
    size = 8 * len(body)
    if size > FARTHEST:
        return None
    syndrome = crc32c(body[:-4]) ^ int.from_bytes(body[-4:], "big")
    places = _syndromes()
    found = places.get(syndrome)
    if found is not None:
        return _flipped(body, found) if found < size else None
    for other, place in places.items():
        if place < size and (second := places.get(syndrome ^ other)) is not None:
            return _flipped(body, place, second) if second < size else None
    return None


def _flipped(body: bytes, *places: int) -> bytes:
    wrong = sum(1 << place for place in places)
    return (int.from_bytes(body, "big") ^ wrong).to_bytes(len(body), "big")
