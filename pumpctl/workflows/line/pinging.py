"""Round trips of an authenticated PING: how long, how many lost, how many bits wrong.

A ping moves no therapy and writes nothing, on the pump or here. Each is sent once, so
that a lost one is seen as lost; times are whole microseconds by the station's counter.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log1p

from pumpctl.errors import Corrupt, Interrupted, NoAnswer, PumpctlError
from pumpctl.link.patience import Patience
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration
from pumpctl.transport.line import Line, LineLost
from pumpctl.wire import messages as m
from pumpctl.wire.frames import Deframer, Junk
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

MOST_PINGS = 100_000
_TOKEN = 16
_FRAME = 80
"""Bytes of an answer's frame on the line, at most."""
_OF_THREE = 3
"""No error in n bits: with 95 % certainty the rate is below 3/n (Hanley 1983)."""


class Counted(NamedTuple):
    """What passed on the line meanwhile."""

    sent: int
    """Bytes to the pump."""
    came: int
    """Bytes from it."""
    frames: int
    """Frames from it, whole or not."""
    mended: int
    """Of these, with one or two flipped bits that could be put right."""
    broken: int
    """Of these, with more: nothing that could be understood."""


class Pings(NamedTuple):
    """What came of all."""

    serial: str
    model: str
    trips: tuple[int | None, ...]
    """µs of each, in order; None where it was lost."""
    counted: Counted
    ended: PumpctlError | None
    """What ended it before the last one, where something did."""

    @property
    def answered(self) -> tuple[int, ...]:
        """The round trips of those that were answered, sorted, µs."""
        return tuple(sorted(trip for trip in self.trips if trip is not None))

    @property
    def lost(self) -> int:
        """How many came to nothing."""
        return len(self.trips) - len(self.answered)

    @property
    def median(self) -> int | None:
        """µs; between two, the lower."""
        trips = self.answered
        return trips[(len(trips) - 1) // 2] if trips else None


class ErrorRate(NamedTuple):
    """Flipped bits of all bits, an estimate: it takes them as spread evenly."""

    rate: float | None
    """None where nothing could be seen, or everything was wrong."""
    below: float | None
    """Where none was wrong: with 95 % certainty it is below this."""


class _Counter:
    """A line that counts what passes."""

    def __init__(self, inner: Line) -> None:
        self._inner = inner
        self._deframer = Deframer(mend=True)
        self._sent = self._came = self._frames = self._broken = 0

    def write(self, data: bytes) -> None:
        self._sent += len(data)
        self._inner.write(data)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        data = self._inner.read(seconds, gather=gather)
        self._came += len(data)
        for item in self._deframer.feed(data):
            self._frames += 1
            self._broken += isinstance(item, Junk)
        return data

    def close(self) -> None:
        self._inner.close()

    def counted(self) -> Counted:
        """So far."""
        return Counted(self._sent, self._came, self._frames, self._deframer.mended, self._broken)


def ping(
    station: Station, count: int, wait: Duration, progress: Callable[[int, int], None]
) -> Pings:
    """Send so many, one after the other, and wait so long for each.

    Raises what opening a session raises. A line that breaks and Ctrl-C end it; what was
    measured until then is the result.
    """
    counters: list[_Counter] = []

    def through(line: Line) -> Line:
        counters.append(_Counter(line))
        return counters[0]

    with visit(station, changes=False, through=through) as open_visit:
        identity = open_visit.pump.identity
        before = counters[0].counted()
        trips, ended = _trips(open_visit, count, wait, progress)
        after = counters[0].counted()
    passed = Counted(*(now - then for now, then in zip(after, before, strict=True)))
    return Pings(identity.serial, identity.model, trips, passed, ended)


def _trips(
    open_visit: Visit, count: int, wait: Duration, progress: Callable[[int, int], None]
) -> tuple[tuple[int | None, ...], PumpctlError | None]:
    trips: list[int | None] = []
    seconds = wait.quanta / 1000
    tries = Patience(first=seconds, longest=seconds, total=seconds, frame=_FRAME)
    try:
        for number in range(count):
            trips.append(_trip(open_visit, tries))
            progress(number + 1, count)
    except KeyboardInterrupt:
        return tuple(trips), Interrupted(f"interrupted after {len(trips)} of {count} pings")
    except LineLost as error:
        return (*trips, None), error
    return tuple(trips), None


def _trip(open_visit: Visit, tries: Patience) -> int | None:
    ticker = open_visit.station.ticker
    token = open_visit.station.entropy(_TOKEN)
    start = ticker()
    try:
        answer = open_visit.link.ask(m.Ping(token), m.Pong, tries)
    except LineLost:
        raise
    except NoAnswer:
        return None
    took = round((ticker() - start) * 1_000_000)
    if answer.token != token:
        raise Corrupt("the pump answered a ping with another number")
    return took


# --- what it says of the line ------------------------------------------------------------


def from_pump(pings: Pings) -> ErrorRate:
    """By the frames that came and were wrong: what was lost whole is not seen here."""
    counted = pings.counted
    return _rate(counted.mended + counted.broken, counted.frames, 8 * counted.came)


def both_ways(pings: Pings) -> ErrorRate:
    """If every round trip that was lost, was lost to flipped bits: the most that it can be.

    Mended ones are wrong, too.
    """
    wrong = min(len(pings.trips), pings.lost + pings.counted.mended)
    answered = len(pings.answered)
    if not answered:
        return ErrorRate(None, None)
    # What came belongs to those that were answered, what was sent to all.
    bits = 8 * pings.counted.sent + 8 * pings.counted.came * len(pings.trips) // answered
    return _rate(wrong, len(pings.trips), bits)


def _rate(wrong: int, of: int, bits: int) -> ErrorRate:
    if not of or not bits or wrong >= of:
        return ErrorRate(None, None)
    if not wrong:
        return ErrorRate(0.0, min(1.0, _OF_THREE / bits))
    return ErrorRate(-log1p(-wrong / of) * of / bits, None)


class Bin(NamedTuple):
    """One row of a histogram: round trips from here, up to and without there, µs."""

    start: int
    end: int
    trips: int


_STEPS = (1, 2, 5)


def histogram(trips: tuple[int, ...], most: int = 12) -> tuple[Bin, ...]:
    """In steps of 1, 2 or 5 times a power of ten, so wide that `most` rows hold all.

    `trips` is sorted. A long tail is not cut off: the rows get wider.
    """
    if not trips:
        return ()
    power = 1
    while True:
        for step in (power * digit for digit in _STEPS):
            first, last = trips[0] // step, trips[-1] // step
            if last - first < most:
                counts = [0] * (last - first + 1)
                for trip in trips:
                    counts[trip // step - first] += 1
                return tuple(
                    Bin((first + place) * step, (first + place + 1) * step, counted)
                    for place, counted in enumerate(counts)
                )
        power *= 10
