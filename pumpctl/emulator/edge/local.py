"""A line to a pump that this process runs itself: `emu://NAME` for as long as it is open.

Apart from `bench`, which can do more with an emulator and loads more for it. Clock and
entropy come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pumpctl.emulator.edge.line_faults import FaultsOf, LineFaults, faults_of_world
from pumpctl.emulator.edge.shelf import Held
from pumpctl.emulator.memory.flash import FlashError

Now = Callable[[], int]
"""Host time, UTC ms."""
Entropy = Callable[[int], bytes]


class LocalLine:
    """A line to an emulator that this process runs: where the line is sound, it has
    answered when `write` returns.

    A pump whose state cannot be written any more falls silent, as a pump that
    dies does: what became of the last request is for the next start to say. A line
    that was cut once stays so: ConnectionResetError for whoever still uses it.
    """

    def __init__(
        self, held: Held, *, now: Now, seed: int, faults: FaultsOf = faults_of_world
    ) -> None:
        self._held: Held | None = held
        self._now = now
        self._faults = LineFaults(lambda: faults(held.firmware), seed)
        self._closed = self._cut = False
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """Hand bytes to the pump."""
        self._carry(data)

    def read(self) -> bytes:
        """Everything that the pump has sent and nobody has read; b"" where there is nothing."""
        self._carry(b"")
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def close(self) -> None:
        """End the link session and give the pump back; never fails."""
        self._closed = True
        held, self._held = self._held, None
        if held is None:
            return
        try:
            held.firmware.link_lost()
        except (OSError, FlashError):
            pass
        finally:
            held.close()

    def _carry(self, data: bytes) -> None:
        """Move what was sent, and what is due, as far as the line lets it."""
        if self._closed:
            raise ValueError("this line is closed")
        held = self._held
        if held is None:
            return
        try:
            if not self._cut and self._faults.disconnected:
                self._cut = True
                held.firmware.link_lost()
            elif not self._cut:
                sent = b"".join(self._faults.to_pump(data, self._now()))
                answer = held.firmware.receive(sent) if sent else b""
                self._waiting += b"".join(self._faults.to_station(answer, self._now()))
        except (OSError, FlashError):
            self._held = None
            held.close()
        if self._cut:
            self._waiting.clear()
            raise ConnectionResetError(f"the line to emulator {held.name} is cut")

    def __enter__(self) -> LocalLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_local(
    home: Path, name: str, *, now: Now, entropy: Entropy, faults: FaultsOf = faults_of_world
) -> LocalLine:
    """Run an emulator here; PortMissing or PortBusy where that cannot be."""
    held = Held(home, name, now=now, entropy=entropy)
    return LocalLine(held, now=now, seed=int.from_bytes(entropy(8), "big"), faults=faults)
