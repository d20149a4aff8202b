"""Mutants of a streaming log: fragments, answers that are kept, what a REPEAT brings."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.acts import look
from pumpctl.wire import messages as m
from pumpctl.wire import records as records_module
from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import Encoding
from pumpctl.wire.logbatch import pack_batch
from pumpctl.wire.records import Channel
from pumpctl.wire.responder import Request, Responder
from tests.conformance import benches
from tests.conformance.line_tools import receives
from tests.conformance.mutate import Patch, breaks, noted, on

# --- fragments ----------------------------------------------------------------------------


def _seals(name: str, cls: type[Channel]) -> None:
    breaks(name)(lambda patch: patch.setattr(responder_module, "Channel", cls))


class _Deaf(Channel):
    """One size for all."""

    def seal(self, plain: bytes, fragment: int = 640) -> tuple[int, tuple[bytes, ...]]:
        return super().seal(plain)


class _Sticky(Channel):
    """Keeps to the size that was once asked for."""

    size = 640

    def seal(self, plain: bytes, fragment: int = 640) -> tuple[int, tuple[bytes, ...]]:
        self.size = min(self.size, fragment)
        return super().seal(plain, self.size)


_seals("P23-size", _Deaf)
_seals("P23-others", _Sticky)


@breaks("P23-room")
def _generous(patch: Patch) -> None:
    def packed(encoding: Encoding, entries: tuple[bytes, ...], _room: int) -> tuple[int, bytes]:
        return pack_batch(encoding, entries)

    patch.setattr(look, "pack_batch", packed)


@breaks("P23-enlarged")
def _few(patch: Patch) -> None:
    patch.setattr(records_module, "MOST_FRAGMENTS", 64)


# --- a window -----------------------------------------------------------------------------


@breaks("P23-window")
def _four_at_once(patch: Patch) -> None:
    def change(_self: Responder, _data: bytes, events: list[Any]) -> list[Any]:
        requests = [event for event in events if isinstance(event, Request)]
        return [event for event in events if event not in requests[4:]]

    receives(patch, change)


@breaks("P23-unasked")
def _impatient(patch: Patch) -> None:
    """After a second of silence it sends its last words again."""
    inner, last = benches.Wire.read, [b""]

    def read(self: benches.Wire, seconds: float, *, gather: float = 0.0) -> bytes:
        data = inner(self, seconds, gather=gather)
        if data:
            last[0] = data
        elif seconds > 1:
            self.waiting += last[0]
        return data

    patch.setattr(benches.Wire, "read", read)


# --- repeats ------------------------------------------------------------------------------


def _repeats(name: str, change: Any) -> None:
    """(responder, request, go) to the bytes of a REPEAT, or None where none is kept."""

    def mutant(patch: Patch) -> None:
        inner = Responder.repeat

        def repeat(self: Responder, request: Request) -> bytes | None:
            if not isinstance(request.message, m.Repeat):
                return inner(self, request)
            made: bytes | None = change(self, request, lambda asked: inner(self, asked))
            return made

        patch.setattr(Responder, "repeat", repeat)

    breaks(name)(mutant)


def _asking(request: Request, **changed: Any) -> Request:
    return request._replace(message=request.message._replace(**changed))


def _backwards(_self: Responder, request: Request, go: Any) -> Any:
    """Takes the first byte of the bits for the first eight pieces."""
    return go(_asking(request, pieces=request.message.pieces[::-1]))


def _wraps(_self: Responder, request: Request, go: Any) -> Any:
    """Bits beyond the end begin again at the first frame."""
    all_of_it = go(_asking(request, pieces=b"\xff" * 32))
    if all_of_it is None or request.message.pieces == b"\xff" * 32:
        return all_of_it
    return go(request) or all_of_it


def _by_low_bits(_self: Responder, request: Request, go: Any) -> Any:
    return go(_asking(request, counter=request.message.counter % (1 << 16)))


def _in_store(self: Responder, request: Request, go: Any) -> Any:
    """A REPEAT's frames are kept like an answer."""
    made = go(request)
    if made is not None and self._current is not None:
        self._current.replies[request.counter] = responder_module._Kept(0, (made,))
    return made


_repeats("P12-repeat", _backwards)
_repeats("P12-repeat-beyond", _wraps)
_repeats("P12-repeat-gone", _by_low_bits)
_repeats("P12-repeat-resent", _in_store)


@breaks("P12-repeat-kept")
def _small_store(patch: Patch) -> None:
    patch.setattr(responder_module, "_MOST_KEPT", 8000)


@breaks("P12-repeat-session")
def _one_store(patch: Patch) -> None:
    """Answers are kept by counter alone."""
    replies, repeats, kept = Responder.reply, Responder.repeat, dict[int, bytes]()

    def reply(self: Responder, request: Request, message: object) -> bytes:
        data = replies(self, request, message)
        if self._current is not None:
            kept[self._current.channel._next - 1] = data
        return data

    def repeat(self: Responder, request: Request) -> bytes | None:
        asked = request.message
        if isinstance(asked, m.Repeat) and asked.counter in kept:
            return kept[asked.counter]
        return repeats(self, request)

    patch.setattr(Responder, "reply", reply)
    patch.setattr(Responder, "repeat", repeat)


on("P11-repeat", m.Repeat, lambda core, _m, _a: noted(core))
