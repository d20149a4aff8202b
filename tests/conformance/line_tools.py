"""Patches around the pump's end of the line, for the mutants."""

from __future__ import annotations

from typing import Any

from pumpctl.wire.frames import Frame
from pumpctl.wire.responder import Responder
from tests.conformance.mutate import Patch


def receives(patch: Patch, change: Any) -> None:
    """(responder, data, events) to events."""
    inner = Responder.receive

    def outer(self: Responder, data: bytes) -> Any:
        return change(self, data, inner(self, data))

    patch.setattr(Responder, "receive", outer)


def takes_record(patch: Patch, change: Any) -> None:
    inner = Responder._take_record

    def take(self: Responder, frame: Frame) -> Any:
        return change(self, frame, lambda made: inner(self, made))

    patch.setattr(Responder, "_take_record", take)
