"""Program slots and fallback pages: what they hold and where.

A slot holds the bytes of a staging message exactly as they were received. The
fallback has pages of its own, written as part of every activation. Which slot
runs and which fallback pair is in force is said by the control block alone.
"""

from pumpctl.emulator.acts.readback import stored_message
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.stored import Twin
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Reader, Struct, WireError
from pumpctl.wire.messages import StageProgram
from pumpctl.wire.messages_acts import StageRefill
from pumpctl.wire.program import Program
from pumpctl.wire.vocabulary import U64, Drug, Hash32, NgPerDay, PgPerNl

_SLOT = b"SLOT"
_FALLBACK = b"FALL"


class Fallback(NamedTuple):
    """What to give when the program is lost (PRG-07)."""

    rate: NgPerDay
    drug: Drug
    concentration: PgPerNl
    program_hash: Hash32
    state_version: U64
    """Of the activation that it belongs to."""


_STRUCT = Struct(Fallback)


def slots(flash: Flash) -> tuple[Twin, ...]:
    """The three slots."""
    return tuple(Twin(flash, _SLOT, place, image.SLOT_PAGES) for place in image.SLOTS)


def fallbacks(flash: Flash) -> tuple[Twin, ...]:
    """The two fallback pairs."""
    return tuple(Twin(flash, _FALLBACK, place) for place in image.FALLBACK)


def program_in(slot: Twin) -> Program | None:
    """The program of a slot, or None where neither copy holds one."""
    payload = slot.read().payload
    if payload is None:
        return None
    try:
        message = stored_message(payload)
    except (WireError, TypeError):
        return None
    return message.program if isinstance(message, StageProgram | StageRefill) else None


def fallback_in(pair: Twin) -> Fallback | None:
    """The fallback of a pair, or None where neither copy is good."""
    payload = pair.read().payload
    if payload is None:
        return None
    reader = Reader(payload)
    try:
        fallback = _STRUCT.get(reader)
        reader.finish()
    except WireError:
        return None
    return fallback


def fallback_bytes(fallback: Fallback) -> bytes:
    """What is stored of it."""
    out = bytearray()
    _STRUCT.put(fallback, out)
    return bytes(out)
