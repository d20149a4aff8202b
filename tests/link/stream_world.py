"""A log stream and a pump's end of the line, joined by a line that hurts, in virtual time.

The line takes its time for every bit, flips bits, swallows, doubles and reorders pieces,
lets bursts of noise and junk in, dies and heals, all from one seed; somebody on it forges
frames. No emulator, no port, no clock. The pumps are `stream_pumps`.
"""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

from pumpctl.errors import NoAnswer
from pumpctl.link.slices import Slice
from pumpctl.link.streaming import LogStream
from pumpctl.wire.codes import Encoding
from pumpctl.wire.frames import MOST_PAYLOAD, Deframer, Frame, encode_frame
from tests.link.stream_pumps import LogPump
from tests.wire.ends import Station

MOST_STEPS = 1000
"""In one millisecond of the line's time."""
MOST_WAITING = 16
"""Answers that the stream may keep or expect at once."""


class Hurt(NamedTuple):
    """What a line does to what passes: shares and rates."""

    baud: int = 115_200
    latency: float = 0.02
    flips: float = 0.0
    """Of each bit."""
    drop: float = 0.0
    """Of each piece of up to `piece` bytes."""
    double: float = 0.0
    late: float = 0.0
    """Share of pieces that come up to 50 ms later, past others."""
    junk: float = 0.0
    """Share of pieces with up to 80 bytes of noise behind them, which take no time."""
    forged: float = 0.0
    """Share of sendings that somebody puts a frame of his own beside."""
    piece: int = 64
    burst_every: float = 0.0
    """Seconds from one burst of noise to the next ..."""
    burst_s: float = 0.0
    """... and how long each makes garbage of all that passes."""
    dead_from: float = float("inf")
    """Nothing passes from here ..."""
    dead_until: float = float("inf")
    """... to here."""
    raving: bool = False
    """A dead line brings noise, endlessly, instead of nothing."""


class _Way:
    """One direction of the line."""

    def __init__(self, hurt: Hurt, seed: str) -> None:
        self._hurt, self._dice = hurt, random.Random(seed)
        self._free = 0.0
        self._coming: list[tuple[float, int, bytes]] = []
        self._count = 0
        self.busy = 0.0
        """Seconds for which it carried something."""

    def put(self, data: bytes, now: float) -> None:
        hurt, dice = self._hurt, self._dice
        for at in range(0, len(data), hurt.piece):
            piece = data[at : at + hurt.piece]
            takes = len(piece) * 10 / hurt.baud
            self._free = max(self._free, now) + takes
            self.busy += takes
            if dice.random() < hurt.drop or hurt.dead_from <= self._free < hurt.dead_until:
                continue
            for _ in range(2 if dice.random() < hurt.double else 1):
                late = dice.random() * 0.05 if dice.random() < hurt.late else 0.0
                self.bring(self._harmed(piece), self._free + hurt.latency + late)
            if dice.random() < hurt.junk:
                self.bring(dice.randbytes(dice.randrange(1, 80)), self._free + hurt.latency)

    def bring(self, data: bytes, at: float) -> None:
        """Have these bytes arrive, whoever sent them."""
        self._count += 1
        heapq.heappush(self._coming, (at, self._count, data))

    def _harmed(self, piece: bytes) -> bytes:
        hurt = self._hurt
        if hurt.burst_every and self._free % hurt.burst_every < hurt.burst_s:
            return self._dice.randbytes(len(piece))
        if not hurt.flips:
            return piece
        bits, at = int.from_bytes(piece, "big"), -1
        while True:
            at += 1 + int(self._dice.expovariate(hurt.flips))
            if at >= 8 * len(piece):
                return bits.to_bytes(len(piece), "big")
            bits ^= 1 << at

    def next_at(self) -> float | None:
        """When the next piece arrives."""
        return self._coming[0][0] if self._coming else None

    def take(self, now: float) -> bytes:
        """What has arrived."""
        came = b""
        while self._coming and self._coming[0][0] <= now:
            came += heapq.heappop(self._coming)[2]
        return came


class Forger:
    """Puts frames on the line that nobody sealed, made after those that pass."""

    def __init__(self, share: float, seed: str) -> None:
        self._share, self._dice = share, random.Random(seed)
        self._deframer = Deframer()

    def beside(self, data: bytes) -> bytes:
        """What he adds to this sending."""
        if not self._share:
            return b""
        seen = [each for each in self._deframer.feed(data) if isinstance(each, Frame)]
        if not seen or self._dice.random() >= self._share:
            return b""
        return encode_frame(self._like(self._dice.choice(seen)))

    def _like(self, frame: Frame) -> Frame:
        dice = self._dice
        counter = (frame.counter + dice.choice((0, 0, 0, 1, 1, 2, 5, -1, 9, 500))) & 0xFFFF
        return frame._replace(
            counter=counter,
            piece=dice.choice((frame.piece, dice.randrange(256), 0)),
            last=dice.random() < 0.3,
            payload=dice.randbytes(dice.choice((len(frame.payload), 0, 1, MOST_PAYLOAD))),
        )


class World:
    """A connected pair; `run` pulls until it is done, cut or given up."""

    def __init__(self, pump: LogPump, hurt: Hurt, seed: int = 0) -> None:
        self.pump, self.hurt = pump, hurt
        self.station = Station(f"streaming station {seed}")
        pump.know(self.station)
        self.station.connect(pump)
        self.up, self.down = _Way(hurt, f"{seed} up"), _Way(hurt, f"{seed} down")
        self._forgers = Forger(hurt.forged, f"{seed} up"), Forger(hurt.forged, f"{seed} down")
        self._noise = random.Random(f"{seed} noise")
        self.now = 0.0
        self.sent = 0
        self.stream: LogStream | None = None

    def run(
        self,
        first: int,
        until: int,
        *,
        encoding: Encoding = Encoding.RAW,
        cut_at: float | None = None,
        longest: float = 3600.0,
        found: list[Slice] | None = None,
    ) -> list[Slice]:
        """All slices in the order in which they were handed on; fewer where the line is cut.

        `found` holds those that came before an error, too.
        """
        stream = LogStream(self.station.end, first, until, now=self.now, encoding=encoding)
        self.stream = stream
        found = [] if found is None else found
        end, steps, tick = self.now + longest, 0, self.now
        while not stream.done:
            steps, tick = (steps + 1, tick) if self.now < tick + 0.001 else (0, self.now)
            assert self.now < end, "the pull does not end"
            assert steps < MOST_STEPS, "the pull turns on the spot"
            if data := stream.send(self.now):
                self.sent += len(data)
                self.up.put(data + self._forgers[0].beside(data), self.now)
            wake = self.now + max(stream.wait(self.now), 1e-6)
            times = [at for at in (self.up.next_at(), self.down.next_at()) if at is not None]
            self.now = max(self.now, min([wake, *times]))
            if cut_at is not None and self.now >= cut_at:
                break
            if heard := self.up.take(self.now):
                said = self.pump.hear(heard)
                self.down.put(said + self._forgers[1].beside(said), self.now)
            self._rave()
            found += stream.receive(self.down.take(self.now), self.now)
            assert stream.held <= MOST_WAITING, "more is kept than may be"
        return found

    def _rave(self) -> None:
        hurt = self.hurt
        if hurt.raving and hurt.dead_from <= self.now < hurt.dead_until:
            next_at = self.down.next_at()
            if next_at is None or next_at > self.now + 0.05:
                self.down.bring(self._noise.randbytes(40), self.now + 0.04)


def ended(world: World, first: int, until: int, **more: object) -> tuple[list[Slice], bool]:
    """What a pull brought, and whether it came to its end or gave up with NoAnswer."""
    found: list[Slice] = []
    try:
        world.run(first, until, found=found, **more)  # type: ignore[arg-type]
    except NoAnswer:
        return found, False
    return found, bool(world.stream and world.stream.done)


def held(slices: list[Slice]) -> list[bytes]:
    """The entries of all slices."""
    return [entry for each in slices for entry in each.entries]
