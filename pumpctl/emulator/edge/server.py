"""Serving emulators, one or a whole ward, until they are told to stop.

One loop: every line, every control socket, and a tick a second for each pump, in
turns, so that none waits for another. A pump that fails ends alone. SIGTERM and
SIGINT end all cleanly, SIGKILL at any moment is survived. What travels on a line is
the firmware's matter, what a line does to it that of `line_faults`.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from pumpctl.emulator.edge import descriptors
from pumpctl.emulator.edge.line_faults import FaultsOf, faults_of_world
from pumpctl.emulator.edge.served import Place, Served
from pumpctl.emulator.edge.shelf import Held
from pumpctl.emulator.memory.flash import FlashError
from pumpctl.errors import PumpctlError, StoreError, UsageError

_TICK_MS = 1000
_LAST_PORT = 65_535
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")

Now = Callable[[], int]
"""Host time, UTC ms."""
Entropy = Callable[[int], bytes]


def _ms() -> int:
    """For waiting only: the pumps' time is the host's, which is handed in."""
    return time.monotonic_ns() // 1_000_000


class Stopper:
    """Ends a loop that waits, from a signal or from another thread."""

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
    now: Now,
    entropy: Entropy,
    stopper: Stopper | None = None,
    faults: FaultsOf = faults_of_world,
) -> None:
    """Run one emulator on a line; `ready` is told where, once it can be opened.

    Raises PortMissing, PortBusy, UsageError or StoreError before that, StoreError
    or PortError where it cannot go on.
    """
    if pty is not None and tcp is None:
        place: Place = pty
    elif tcp is not None and pty is None:
        place = tcp
    else:
        raise UsageError("an emulator is served on a pty or on a TCP port")

    def told(_name: str, where: str) -> None:
        ready(where)

    _serve(home, [(name, place)], told, _nobody_is_left, now, entropy, stopper, faults)


def serve_ward(
    home: Path,
    names: Sequence[str],
    *,
    tcp: tuple[str, int],
    ready: Callable[[str, str], None],
    lost: Callable[[str, PumpctlError], None],
    now: Now,
    entropy: Entropy,
    stopper: Stopper | None = None,
    faults: FaultsOf = faults_of_world,
) -> None:
    """Run emulators in this process, on TCP ports from this one on; port 0: a free one each.

    `ready` is told of each, name and URL, once all can be opened; `lost` of one
    that cannot go on while others do. Raises PortMissing, PortBusy, PortError,
    UsageError or StoreError before any is told of, naming the pump; and in the end
    what ended those that were lost.
    """
    if not names or len(set(names)) != len(names):
        raise UsageError("every emulator of a ward is named once")
    host, port = tcp
    if port and port + len(names) - 1 > _LAST_PORT:
        raise UsageError(
            f"{len(names)} emulators from port {port} on need ports above {_LAST_PORT}",
            hint="begin lower, or take port 0: a free one each",
        )
    places = [(host, port + index if port else 0) for index in range(len(names))]
    ward = list(zip(names, places, strict=True))
    _serve(home, ward, ready, lost, now, entropy, stopper, faults)


def _nobody_is_left(_name: str, _error: PumpctlError) -> None:
    """One pump alone ends the loop with its error."""


def _serve(
    home: Path,
    ward: Sequence[tuple[str, Place]],
    ready: Callable[[str, str], None],
    lost: Callable[[str, PumpctlError], None],
    now: Now,
    entropy: Entropy,
    stopper: Stopper | None,
    faults: FaultsOf,
) -> None:
    descriptors.make_room(len(ward))
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(_selector(ward[0][1]))
        pumps = []
        for name, place in ward:
            held = Held(home, name, now=now, entropy=entropy)
            served = Served(held, place, selector, entropy=entropy, faults=faults)
            stack.callback(served.close)
            pumps.append(served)
        if stopper is None:
            stopper = Stopper()
            stack.callback(stopper.close)
        selector.register(stopper.here, selectors.EVENT_READ)
        stack.enter_context(_signals(stopper))
        for served in pumps:
            ready(served.name, served.where)
        gone = _Loop(selector, pumps, lost).run(stopper)
        if len(gone) > 1:
            raise StoreError("; ".join(error.message for error in gone))
        if gone:
            raise gone[0]


def _selector(place: Place) -> selectors.BaseSelector:
    """The quickest there is, but kqueue is not to be trusted with the ptys of macOS."""
    if isinstance(place, Path) and hasattr(selectors, "KqueueSelector"):
        return selectors.SelectSelector()
    return selectors.DefaultSelector()


class _Loop:
    """The turns: whoever has something to do, then as many ticks that are due."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        ward: list[Served],
        lost: Callable[[str, PumpctlError], None],
    ) -> None:
        self._selector, self._lost = selector, lost
        self._alive = set(ward)
        self._gone: list[PumpctlError] = []
        self._ward = ward
        start = _ms()
        self._ticks = [
            (start + _TICK_MS * (place + 1) // len(ward), place) for place in range(len(ward))
        ]
        """A heap of (when, place in the ward), spread over the second."""
        self._late: set[Served] = set()
        """Pumps whose line has something under way."""

    def run(self, stopper: Stopper) -> list[PumpctlError]:
        """Until it is stopped or no pump is left; the errors of those that were lost."""
        while self._alive and not stopper.stopped:
            ready: dict[Served, set[int]] = {}
            for key, _ in self._selector.select(self._wait_ms() / 1000):
                if key.data is not None:
                    ready.setdefault(key.data, set()).add(key.fd)
            for served, on in ready.items():
                self._guarded(served, partial(served.happened, on, _ms()))
            for served in tuple(self._late):
                if served.due_in(_ms()) == 0:
                    self._guarded(served, partial(served.carry, b"", _ms()))
            for _ in range(1 + len(ready)):
                self._tick_one(_ms())
        for served in tuple(self._alive):
            self._guarded(served, served.line_lost)
        return self._gone

    def _wait_ms(self) -> int:
        """Until the next tick, or until something delayed arrives."""
        now = _ms()
        waits = [self._ticks[0][0] - now]
        waits += [due for served in self._late if (due := served.due_in(now)) is not None]
        return max(0, min(waits))

    def _tick_one(self, now: int) -> None:
        """The most urgent tick, if it is due. Its place in the second stays, however late it is."""
        due, place = self._ticks[0]
        if due <= now:
            again = due + _TICK_MS * ((now - due) // _TICK_MS + 1)
            heapq.heapreplace(self._ticks, (again, place))
            self._guarded(self._ward[place], partial(self._ward[place].tick, now))

    def _guarded(self, served: Served, act: Callable[[], None]) -> None:
        """Do this with a pump; what fails ends that pump and no other."""
        if served not in self._alive:
            return
        try:
            act()
        except (OSError, FlashError) as error:
            self._end(
                served,
                StoreError(f"the state of emulator {served.name} cannot be written: {error}"),
            )
        except PumpctlError as error:
            self._end(served, error)
        else:
            late = served.due_in(_ms()) is not None
            (self._late.add if late else self._late.discard)(served)

    def _end(self, served: Served, error: PumpctlError) -> None:
        self._alive.discard(served)
        self._late.discard(served)
        self._gone.append(error)
        with contextlib.suppress(OSError):
            served.close()
        if self._alive:
            self._lost(served.name, error)
