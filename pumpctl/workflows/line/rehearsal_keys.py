"""The keys of a captured session with a pump in bench mode, and of no other.

A capture of a rehearsal can be read and replayed only with its session's keys. Nothing
hands them out, so they are worked out beside the session: from what passes, and from the
one number that the station drew for it. Whether the pump is in bench mode is said inside
the session; before it is said, and where it never is, no key leaves this object.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pumpctl.transport.capture import CaptureFile
from pumpctl.wire.listening import HandshakeEar, SessionKeys, StationSecrets
from pumpctl.wire.noise import KEY_SIZE


class _SaysBench(Protocol):
    @property
    def bench(self) -> bool:
        """In bench mode, said inside the authenticated session."""


class RehearsalKeys:
    """Stands beside one session that is being captured."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self.ear = HandshakeEar()
        self._entropy = entropy
        self._drawn = b""
        self._keys: SessionKeys | None = None

    def entropy(self, size: int) -> bytes:
        """The station's entropy; the newest number of a key's size is remembered."""
        drawn = self._entropy(size)
        if size == KEY_SIZE:
            self._drawn = drawn
        return drawn

    def opened(self, *, own: bytes, pump: bytes, psk: bytes) -> None:
        """The session is open: work its keys out, and forget what they were made of.

        Where that cannot be done there are none: a capture never disturbs.
        """
        with suppress(ValueError):
            self._keys = self.ear.keys(StationSecrets(own, pump, psk, self._drawn))
        self._drawn = b""

    def reveal(self, pump: _SaysBench, capture: CaptureFile) -> None:
        """Write them into the capture, where the pump says in the session that it is on a bench.

        Raises LinkError or PumpRefused where it does not say.
        """
        keys, self._keys = self._keys, None
        if keys is not None and pump.bench:
            capture.reveal(keys.session, keys.to_pump, keys.from_pump)
