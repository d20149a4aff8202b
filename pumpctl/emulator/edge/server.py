"""Serving one emulator on a line until it is told to stop.

A loop around one `select`: the line, the control socket, and a tick every second
for which time goes on. SIGTERM and SIGINT end it cleanly, SIGKILL at any moment
is survived. What travels on the line is the firmware's matter.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from pumpctl.emulator.edge.control_socket import ControlSocket
from pumpctl.emulator.edge.ends import End, PtyEnd, TcpEnd
from pumpctl.emulator.edge.inspection import inspect_core, to_json
from pumpctl.emulator.edge.shelf import Held
from pumpctl.emulator.memory.flash import FlashError
from pumpctl.errors import StoreError, UsageError

_TICK_S = 1
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


class Stopper:
    """Ends a loop that waits in `select`, from a signal or from another thread."""

    def __init__(self) -> None:
        self._there, self.here = socket.socketpair()
        self._there.setblocking(False)
        self.here.setblocking(False)
        self.stopped = False

    def stop(self) -> None:
        """Wake the loop and end it."""
        self.stopped = True
        with contextlib.suppress(OSError):
            self._there.send(b"\0")

    def close(self) -> None:
        """Give the sockets back."""
        self._there.close()
        self.here.close()


@contextlib.contextmanager
def _signals(stopper: Stopper) -> Iterator[None]:
    """Let signals stop the loop; only the main thread may ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopper.stop()

    before = {}
    for name in _SIGNALS:
        if hasattr(signal, name):
            number = getattr(signal, name)
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(
    home: Path,
    name: str,
    *,
    pty: Path | None = None,
    tcp: tuple[str, int] | None = None,
    ready: Callable[[str], None],
    now: Callable[[], int],
    entropy: Callable[[int], bytes],
    stopper: Stopper | None = None,
) -> None:
    """Run one emulator on a line; `ready` is told where, once it can be opened.

    Raises PortMissing, PortBusy, UsageError or StoreError before that.
    """
    if (pty is None) == (tcp is None):
        raise UsageError("an emulator is served on a pty or on a TCP port")
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(Held(home, name, now=now, entropy=entropy))
        end: End = TcpEnd(*tcp) if tcp is not None else _pty_end(pty, held.folder)
        stack.callback(end.close)
        control = ControlSocket(held.folder, entropy)
        stack.callback(control.close)
        if stopper is None:
            stopper = Stopper()
            stack.callback(stopper.close)
        stack.enter_context(_signals(stopper))
        ready(end.where)
        try:
            _loop(held, end, control, stopper)
            held.firmware.link_lost()
        except (OSError, FlashError) as error:
            raise StoreError(f"the state of emulator {name} cannot be written: {error}") from error


def _pty_end(path: Path | None, folder: Path) -> End:
    assert path is not None  # noqa: S101  (for the type checker; `serve` has looked)
    return PtyEnd(path, folder)


def _loop(held: Held, end: End, control: ControlSocket, stopper: Stopper) -> None:
    firmware = held.firmware

    def answer(asked: dict[str, Any]) -> Any:
        match asked.get("do"):
            case "press":
                firmware.press()
            case "advance":
                firmware.advance(int(asked["ms"]))
            case "inspect":
                firmware.tick()
            case other:
                raise UsageError(f"{other!r} is nothing that a served emulator does")
        return to_json(inspect_core(firmware.core, held.name))

    own = [control.socket.fileno(), stopper.here.fileno()]
    while not stopper.stopped:
        ready, writable, _ = select.select([*own, *end.readers()], end.writers(), [], _TICK_S)
        if not ready and not writable:
            firmware.tick()
            continue
        if own[0] in ready:
            control.serve_one(answer)
        if writable:
            end.flush()
        data = end.read(ready)
        if data:
            end.send(firmware.receive(data))
        if end.lost():
            firmware.link_lost()
