"""What the pump will do with what is staged, computed from the stored bytes (PRG-04).

The bytes are decoded exactly as the delivery engine will decode them; nothing
that the message said on the line is remembered. The same bytes give the same
read-back, byte for byte, whatever the time or the state.
"""

from __future__ import annotations

import hashlib
from typing import Any

from pumpctl.emulator.engine.figures import Figures
from pumpctl.wire.codes import Kind
from pumpctl.wire.message import decode, spec_of
from pumpctl.wire.messages import DayFigures, ProgramReadback
from pumpctl.wire.program import Program, program_hash


def stored_message(stored: bytes) -> Any:
    """Decode stored bytes; WireError or TypeError for anything that is never stored."""
    message = decode(stored, from_station=True)
    if not spec_of(message).stages:
        raise TypeError(f"{type(message).__name__} is never stored")
    return message


def content_of(stored: bytes) -> bytes:
    """The name of what is staged: SHA-256 of its stored bytes."""
    return hashlib.sha256(stored).digest()


def program_readback(
    kind: Kind, stored: bytes, tag: bytes, program: Program, least_flow: int
) -> ProgramReadback:
    """The program that the stored bytes mean, and what it adds up to."""
    figures = Figures(program, least_flow)
    return ProgramReadback(
        kind,
        content_of(stored),
        program_hash(program),
        tag,
        program,
        day_figures(figures, program.concentration),
        figures.largest_24h(),
    )


def day_figures(figures: Figures, concentration: int) -> tuple[DayFigures, ...]:
    """The seven days, their volumes at this concentration."""
    return tuple(
        DayFigures(
            figures.day_dose(day),
            figures.day_volume(day, concentration),
            figures.largest_hour(day),
        )
        for day in range(7)
    )
