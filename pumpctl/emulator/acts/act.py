"""What a kind of change is to the one road: judged, read back, made real.

A kind adds one `Act`, and nothing else: staging, activation, ledger and log are
the same for all (`stage`, `treat`). `Change` says what its commit holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.memory.control import Control
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Kind


class Accepted(NamedTuple):
    """An activation that passed every check of the road itself."""

    operation: bytes
    content: bytes
    version: int
    """The state version that it makes."""
    slot: int
    """Where its bytes lie."""


class Change(NamedTuple):
    """What a commit makes true, and what the log says of it after ACTIVATED."""

    control: Control
    events: tuple[Event, ...] = ()


class Act(NamedTuple):
    """One kind of change."""

    kind: Kind
    judge: Callable[[Core, Any], None]
    """Refused where this pump must not have it now; asked at staging and again at activation."""
    readback: Callable[[Core, bytes, Any], Any]
    """What the pump will do, computed from the stored bytes (PRG-04)."""
    change: Callable[[Core, Control, Any, Accepted], Change]
    """Into the control block; pages of their own are written, and flushed, before."""
    patient: bool = True
    """Does it name the patient, who must be the pump's?"""
