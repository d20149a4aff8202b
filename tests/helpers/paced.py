"""A line with a rate, a delay and bad days, in virtual time: nothing here sleeps.

Whoever waits moves the clock. Bytes leave one after another at the line's rate, in each
direction for itself; a frame may be lost, come twice, late, or with a flipped bit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pumpctl.link.session import Link
from pumpctl.wire.codes import Purpose
from pumpctl.wire.secret import key_id
from tests.helpers.scripted import OWN, Clock, Drawn, ScriptedPump

BITS = 10
PIECE = 16
"""Bytes that a driver hands over together."""


class Weather(NamedTuple):
    """What becomes of a frame, each as a share of all."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    """Behind the next one."""
    spoiled: float = 0.0


FINE = Weather()


class PacedLine:
    """`hear` is what stands at the other end; it hears frame by frame, when they are there."""

    def __init__(
        self,
        hear: Callable[[bytes], bytes],
        clock: Clock,
        *,
        baud: int,
        latency_s: float = 0.0,
        think_s: float = 0.0,
        weather: Weather = FINE,
        seed: int = 0,
        whole_frames: bool = False,
        write_waits: bool = False,
    ) -> None:
        """`whole_frames`: a gateway hands a frame over once it has all of it.

        `write_waits`: a driver comes back from writing with the last bit only.
        """
        self.hear = hear
        self.clock = clock
        self.weather = weather
        self.writes = 0
        self._byte_s = BITS / baud
        self._latency_s, self._think_s = latency_s, think_s
        self._drawn = random.Random(seed)
        self._whole, self._waits = whole_frames, write_waits
        self._out_free = self._back_free = 0.0
        self._coming: list[tuple[float, bytes]] = []
        self._behind: dict[bool, bytes] = {}

    def write(self, data: bytes) -> None:
        self.writes += 1
        begins = max(self.clock.now, self._out_free)
        for frame in _frames(data):
            ends = begins = begins + len(frame) * self._byte_s
            for heard in self._carried(frame, back=False):
                self._answer(heard, ends + self._latency_s)
        self._out_free = begins
        if self._waits:
            self.clock.now = max(self.clock.now, begins)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        until = self.clock.now + seconds
        if not self._coming or self._coming[0][0] > until:
            self.clock.now = until
            return b""
        self.clock.now = min(max(self.clock.now, self._coming[0][0]) + gather, until)
        data = bytearray()
        while self._coming and self._coming[0][0] <= self.clock.now:
            data += self._coming.pop(0)[1]
        return bytes(data)

    def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, heard: bytes, at: float) -> None:
        said = self.hear(heard)
        begins = max(at + self._think_s, self._back_free)
        for frame in _frames(said):
            for each in self._carried(frame, back=True):
                size = len(each) if self._whole else PIECE
                for start in range(0, len(each), size):
                    piece = each[start : start + size]
                    begins += len(piece) * self._byte_s
                    self._coming.append((begins + self._latency_s, piece))
        self._back_free = max(begins, self._back_free)

    def _carried(self, frame: bytes, *, back: bool) -> Iterator[bytes]:
        """What comes out at the other end, in its order."""
        draw, weather = self._drawn.random, self.weather
        if draw() < weather.lost:
            return
        if draw() < weather.spoiled:
            place = self._drawn.randrange(len(frame))
            frame = (
                frame[:place]
                + bytes([frame[place] ^ 1 << self._drawn.randrange(8)])
                + frame[place + 1 :]
            )
        held = self._behind.pop(back, None)
        if held is None and draw() < weather.late:
            self._behind[back] = frame
            return
        yield frame
        if draw() < weather.doubled:
            yield frame
        if held is not None:
            yield held


def _frames(data: bytes) -> Iterator[bytes]:
    """Each with its delimiter."""
    start = 0
    while (end := data.find(0, start)) >= 0:
        yield data[start : end + 1]
        start = end + 1


def link_over(line: PacedLine) -> Link:
    """A link that has greeted."""
    return Link(
        line,
        entropy=Drawn("station"),
        ticker=line.clock,
        purpose=Purpose.SESSION,
        key=key_id(OWN.public),
    )


def session_over(line: PacedLine, pump: ScriptedPump) -> Link:
    """An open session."""
    link = link_over(line)
    link.open(OWN, pump.paired)
    return link
