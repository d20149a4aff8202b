"""A second hand at the wire: CRC-32C bit by bit and COBS byte by byte, from the document.

It shares nothing with `pumpctl.wire`, so that frames are not only checked
against the code that makes them.
"""

from __future__ import annotations


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


def frame_bytes(
    kind: int, session: int, counter: int, piece: int, last: int, payload: bytes
) -> bytes:
    """A frame as it stands on the line, from section 2 of the document."""
    body = (
        kind.to_bytes(1, "big")
        + session.to_bytes(4, "big")
        + counter.to_bytes(8, "big")
        + piece.to_bytes(1, "big")
        + last.to_bytes(1, "big")
        + len(payload).to_bytes(2, "big")
        + payload
    )
    return stuff(body + crc32c_bits(body).to_bytes(4, "big")) + b"\0"
