"""One pump that is being served: its line, the faults of it, its control socket.

The loop of `server` says when something happened; what is to be watched it is told
here. Errors that end a pump (OSError, FlashError, PortError) are left to the loop.
"""

from __future__ import annotations

import contextlib
import selectors
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from pumpctl.emulator.edge.acts_by_hand import act
from pumpctl.emulator.edge.control_socket import ControlSocket
from pumpctl.emulator.edge.ends import End, PtyEnd, TcpEnd
from pumpctl.emulator.edge.line_faults import FaultsOf, LineFaults
from pumpctl.emulator.edge.plain import to_plain
from pumpctl.emulator.edge.shelf import Held
from pumpctl.errors import PortError

Place = Path | tuple[str, int]
"""Of a pty's link, or host and port."""


class _Watch:
    """What the loop watches for one pump."""

    def __init__(self, selector: selectors.BaseSelector, served: Served) -> None:
        self._selector, self._served = selector, served

    def reading(self, descriptor: int) -> None:
        """From now on."""
        self._selector.register(descriptor, selectors.EVENT_READ, self._served)

    def writing(self, descriptor: int, wanted: bool) -> None:
        """Room to write as well, or no longer."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
        if self._selector.get_key(descriptor).events != events:
            self._selector.modify(descriptor, events, self._served)

    def forget(self, descriptor: int) -> None:
        """It will be closed."""
        self._selector.unregister(descriptor)


class Served:
    """A held pump on a line. Raises PortError, UsageError or StoreError where there is none."""

    def __init__(
        self,
        held: Held,
        place: Place,
        selector: selectors.BaseSelector,
        *,
        entropy: Callable[[int], bytes],
        faults: FaultsOf,
    ) -> None:
        self.name = held.name
        self._held = held
        seed = int.from_bytes(entropy(8), "big")
        self._faults = LineFaults(lambda: faults(held.firmware), seed)
        with contextlib.ExitStack() as stack:
            stack.callback(held.close)
            watch = _Watch(selector, self)
            self._end = self._opened(place, held.folder, watch)
            stack.callback(self._end.close)
            self._control = ControlSocket(held.folder, entropy)
            stack.callback(self._control.close)
            watch.reading(self._control.socket.fileno())
            stack.callback(watch.forget, self._control.socket.fileno())
            self.where = self._end.where
            # Whoever reads it stands in another folder.
            held.serve_at(str(place.absolute()) if isinstance(place, Path) else self.where)
            self._resources = stack.pop_all()

    def _opened(self, place: Place, folder: Path, watch: _Watch) -> End:
        try:
            return (
                TcpEnd(*place, watch) if isinstance(place, tuple) else PtyEnd(place, folder, watch)
            )
        except PortError as error:
            raise type(error)(f"emulator {self.name} cannot be served: {error.message}") from error

    def close(self) -> None:
        """Give everything back, once."""
        self._resources.close()

    def happened(self, on: Collection[int], now_ms: int) -> None:
        """Something came, or can be sent, on these descriptors."""
        if self._control.socket.fileno() in on:
            self._control.serve_one(self._answer)
        self._end.flush()
        self.carry(self._end.read(on), now_ms)
        self._end.welcome(on)
        self._look_at_line()

    def tick(self, now_ms: int) -> None:
        """A second has gone by."""
        self._held.firmware.tick()
        self.carry(b"", now_ms)
        self._look_at_line()

    def due_in(self, now_ms: int) -> int | None:
        """After how many ms something that the line delays arrives."""
        return self._faults.due_in(now_ms)

    def carry(self, data: bytes, now_ms: int) -> None:
        """Move what the station sent, and what is due, to the pump, and its answer back."""
        sent = b"".join(self._faults.to_pump(data, now_ms))
        answer = self._held.firmware.receive(sent) if sent else b""
        back = b"".join(self._faults.to_station(answer, now_ms))
        if back:
            self._end.send(back)

    def line_lost(self) -> None:
        """The line is gone, and with it what was under way."""
        self._faults.clear()
        self._held.firmware.link_lost()

    def _look_at_line(self) -> None:
        if self._faults.disconnected:
            self._end.hang_up()
        if self._end.lost():
            self.line_lost()

    def _answer(self, asked: dict[str, Any]) -> Any:
        """What another process of this home asks of the pump."""
        return to_plain(act(self._held, asked))
