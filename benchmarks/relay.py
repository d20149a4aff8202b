"""A serial line as arithmetic: when each byte arrives, and which bits are flipped on the way.

Sans-IO: nanoseconds and bytes go in, bytes come out. Every byte of a busy stretch
has its place on one schedule of whole nanoseconds that is counted from the stretch's
beginning, so that nothing drifts however late the process wakes up. What is spoiled
depends on the seed and on the byte's number on the line alone, never on how the
bytes were cut into reads. Sockets and ptys are not known here (`relay_process`).
"""

from __future__ import annotations

import math
import random
from collections import deque
from typing import NamedTuple

NS = 1_000_000_000


class Settings(NamedTuple):
    """A line. Serial, so bytes never overtake each other."""

    baud: int = 115_200
    bits: int = 10
    """On the wire for each byte: 8N1 has a start bit and a stop bit."""
    latency_us: int = 20_000
    """One way, after the byte's last bit was sent."""
    ber: float = 0.0
    """Of each of the 8 data bits."""
    drop: float = 0.0
    """Of each byte; a lost byte has still taken its time."""
    duplicate: float = 0.0
    """Of each byte; its double comes at the same moment."""
    seed: int = 1
    fifo: int = 4096
    """Bytes that may wait to be sent, as in a driver's buffer; then the writer waits."""

    def wire_ns(self, count: int) -> int:
        """How long so many bytes take, in ns, rounded up."""
        return -(-count * self.bits * NS // self.baud)


class _Hits:
    """Numbers at which something happens, each number by itself with one probability."""

    def __init__(self, probability: float, seed: str) -> None:
        if not 0 <= probability < 1:
            raise ValueError(f"{probability} is no probability of a fault on a line")
        self._random = random.Random(seed)  # noqa: S311
        self._log = math.log1p(-probability)
        self.next = -1
        self.turn()

    def turn(self) -> None:
        """Go to the following number; a line without such faults has none."""
        if not self._log:
            self.next = -1
            return
        self.next += 1 + int(math.log(1.0 - self._random.random()) / self._log)


class Spoiler:
    """What one direction does to its bytes, counted from the first on."""

    def __init__(self, settings: Settings, way: str) -> None:
        name = f"{settings.seed}/{way}"
        self._flips = _Hits(settings.ber, f"{name}/flip")
        self._drops = _Hits(settings.drop, f"{name}/drop")
        self._doubles = _Hits(settings.duplicate, f"{name}/double")
        self._count = 0
        self.flipped = self.dropped = self.doubled = 0

    def spoil(self, data: bytes) -> bytes:
        """The next bytes of the line as they arrive."""
        first, self._count = self._count, self._count + len(data)
        last = self._count
        changed = bytearray(data)
        while 0 <= self._flips.next < 8 * last:
            byte, bit = divmod(self._flips.next, 8)
            changed[byte - first] ^= 1 << bit
            self.flipped += 1
            self._flips.turn()
        if not (0 <= self._drops.next < last or 0 <= self._doubles.next < last):
            return bytes(changed)
        out = bytearray()
        for number, value in enumerate(changed, first):
            times = 1
            if number == self._drops.next:
                times = 0
                self.dropped += 1
                self._drops.turn()
            if number == self._doubles.next:
                times *= 2
                self.doubled += times // 2
                self._doubles.turn()
            out += bytes([value]) * times
        return bytes(out)


class _Stretch:
    """Bytes sent without a pause."""

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.data = bytearray()
        self.taken = 0


class Direction:
    """One way of a line: bytes are put in when they are written, and taken when they are due."""

    def __init__(self, settings: Settings, way: str) -> None:
        self._settings = settings
        self._latency = settings.latency_us * 1_000
        self._stretches: deque[_Stretch] = deque()
        self.spoiler = Spoiler(settings, way)
        self.carried = 0
        """Bytes that have arrived, or would have."""
        self.latest_ns = 0
        """By how much the latest byte was taken too late: the relay's own fault."""

    def put(self, now: int, data: bytes) -> None:
        """Bytes are written at this moment; those before them go first."""
        if not data:
            return
        last = self._stretches[-1] if self._stretches else None
        if last is None or last.begun + self._settings.wire_ns(len(last.data)) < now:
            last = _Stretch(now)
            self._stretches.append(last)
        last.data += data

    def room(self, now: int) -> int:
        """How many bytes a writer may still hand over before it has to wait."""
        if not self._stretches:
            return self._settings.fifo
        last = self._stretches[-1]
        sent = (now - last.begun) * self._settings.baud // (self._settings.bits * NS)
        return self._settings.fifo - max(0, len(last.data) - sent)

    def due(self) -> int | None:
        """When the next byte arrives; None where nothing is under way."""
        if not self._stretches:
            return None
        first = self._stretches[0]
        return first.begun + self._settings.wire_ns(first.taken + 1) + self._latency

    def take(self, now: int) -> bytes:
        """All that has arrived by now."""
        out = b""
        while (due := self.due()) is not None and due <= now:
            first = self._stretches[0]
            self.latest_ns = max(self.latest_ns, now - due)
            passed = (now - self._latency - first.begun) * self._settings.baud
            until = min(len(first.data), passed // (self._settings.bits * NS))
            out += self.spoiler.spoil(bytes(first.data[first.taken : until]))
            self.carried += until - first.taken
            first.taken = until
            if until < len(first.data):
                break
            self._stretches.popleft()
        return out
