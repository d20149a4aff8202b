"""What may have happened to a frame that is none: does one flipped bit explain it, or two?

For whoever looks at a capture afterwards. Nothing that decides uses it: what is mended
on the line is the matter of `mending`.
"""

from __future__ import annotations

from cobs import cobs

from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import DELIMITER, MOST_STUFFED, decode_frame
from pumpctl.wire.mending import mended


def flips_in_body(stuffed: bytes) -> int | None:
    """One or two: so many flipped bits behind the stuffing explain it. None: they do not."""
    if len(stuffed) > MOST_STUFFED:
        return None
    try:
        body = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    whole = mended(body) if len(body) > 4 else None
    if whole is None or not _is_frame(cobs.encode(whole)):
        return None
    return (int.from_bytes(body, "big") ^ int.from_bytes(whole, "big")).bit_count()


def flip_in_stuffing(stuffed: bytes) -> str | None:
    """The one flipped bit of the bytes on the line that explains it, in words.

    It tries every bit: some milliseconds for the longest frame, twice that for two
    frames that were joined by a delimiter that was hit.
    """
    if len(stuffed) > 2 * MOST_STUFFED + 1:
        return None
    for place, byte in enumerate(stuffed):
        before, after = stuffed[:place], stuffed[place + 1 :]
        if byte & (byte - 1) == 0 and _is_frame(before) and _is_frame(after):
            return f"one flipped bit, in the delimiter at byte {place}: two frames were joined"
        if len(stuffed) > MOST_STUFFED:
            continue
        for bit in range(8):
            flipped = byte ^ 1 << bit
            if flipped and _is_frame(before + bytes([flipped]) + after):
                return f"one flipped bit, in byte {place}"
    return None


def flip_that_split(first: bytes, second: bytes) -> str | None:
    """The same for two pieces between which a byte may have been turned into a delimiter."""
    if len(first) + len(second) + 1 > MOST_STUFFED:
        return None
    for bit in range(8):
        if _is_frame(first + bytes([1 << bit]) + second):
            return "one flipped bit made a delimiter of a byte: this and the piece before it"
    return None


def _is_frame(stuffed: bytes) -> bool:
    if not stuffed or DELIMITER in stuffed:
        return False
    try:
        decode_frame(stuffed)
    except WireError:
        return False
    return True
