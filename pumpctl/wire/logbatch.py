"""A batch of log entries as one field: raw, or deflated where that pays.

A batch never unpacks to more than the entries that its message names, so that
a small message cannot become a large one (TEL-07).
"""

from __future__ import annotations

import zlib

from pumpctl.wire.codes import Encoding
from pumpctl.wire.fields import WireError
from pumpctl.wire.logentry import SIZE

MOST_BYTES = 8000


def pack_batch(encoding: Encoding, entries: tuple[bytes, ...]) -> tuple[int, bytes]:
    """How many of the entries fit, from the first on, and their bytes."""
    count = len(entries)
    while True:
        raw = b"".join(entries[:count])
        packed = zlib.compress(raw, 6) if encoding is Encoding.DEFLATE else raw
        if len(packed) <= MOST_BYTES:
            return count, packed
        count = min(count - 1, count * MOST_BYTES // len(packed))


def unpack_batch(encoding: Encoding, batch: bytes, count: int) -> tuple[bytes, ...]:
    """The entries, 80 bytes each and unchecked; WireError where the batch holds another number."""
    if encoding is Encoding.DEFLATE:
        inflater = zlib.decompressobj()
        try:
            raw = inflater.decompress(batch, count * SIZE + 1)
        except zlib.error as error:
            raise WireError(f"a batch that cannot be inflated: {error}") from error
        if inflater.unused_data or not inflater.eof:
            raise WireError("a batch that does not end where it should")
    else:
        raw = batch
    if len(raw) != count * SIZE:
        raise WireError(f"{len(raw)} bytes in a batch of {count} entries")
    return tuple(raw[at : at + SIZE] for at in range(0, len(raw), SIZE))
