"""A visit: port, locks, session and pump opened together, closed together.

The station's clock inside a visit is the wall's, or a rehearsal's where the
pump says inside the session that it is in bench mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from pumpctl.errors import (
    LinkError,
    NotPaired,
    PortBusy,
    PumpctlError,
    PumpRefused,
    StoreError,
    UnknownOperator,
    WrongPump,
)
from pumpctl.link.session import Link, OwnKey, PairedPump
from pumpctl.named import NamedTuple
from pumpctl.pump.pump import Pump
from pumpctl.station.operators import check_acting
from pumpctl.station.seen import Seen, keep_seen
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import PumpState
from pumpctl.transport.address import address
from pumpctl.transport.line import Line, open_line
from pumpctl.transport.lock import Locks
from pumpctl.transport.surroundings import Surroundings
from pumpctl.wire.codes import Purpose
from pumpctl.wire.greeting import PumpGreeting
from pumpctl.wire.noise import public_key
from pumpctl.workflows.surroundings import Station

if TYPE_CHECKING:
    from pumpctl.transport.capture import CaptureLine
    from pumpctl.workflows.line.rehearsal_keys import RehearsalKeys

Through = Callable[[Line], Line]
"""Puts something between the port and the link: somebody who counts, say."""
_BUSY_TRIES, _BUSY_WAIT_S = 50, 0.1
"""Five seconds: `status --watch` looks for less than one, and then gives the port back."""


class Visit:
    """An open session with one pump."""

    def __init__(self, station: Station, pump: Pump, link: Link) -> None:
        self.station = station
        self.pump = pump
        self.link = link
        self.rehearsal = False
        self._shift_from: tuple[Moment, float] | None = None
        self._seen: PumpState | None = None
        self._start_clock()

    @property
    def serial(self) -> str:
        """The pump's serial, from the greeting that the handshake has bound."""
        return self.link.greeting.serial

    def now(self) -> Moment:
        """The station's clock, or the rehearsal's."""
        if self._shift_from is None:
            return self.station.wall()
        start, ticks = self._shift_from
        return start.plus(int((self.station.ticker() - ticks) * 1000))

    def state(self) -> PumpState:
        """Everything about the pump, fresh."""
        self._seen = self.pump.state()
        return self._seen

    def just_seen(self) -> PumpState:
        """What was asked for last in this visit, once; else fresh. For planning only.

        An act is made from the same state that it is then judged by. What is applied is
        judged by a fresh one.
        """
        seen, self._seen = self._seen, None
        return self.state() if seen is None else seen

    def _start_clock(self) -> None:
        wanted = self.station.rehearsal
        if wanted is None:
            return
        if not self.pump.bench:
            self.station.tell(
                "PUMPCTL_NOW is not honoured: this pump is not in bench mode; real time is used"
            )
            return
        self.rehearsal = True
        start = self.pump.clock() if wanted == "pump" else Moment.parse(wanted)
        self._shift_from = (start, self.station.ticker())
        self.station.tell(f"rehearsal: the station's clock is taken as {start}")


class _Capture(NamedTuple):
    """What is written of a line, and what could open it later."""

    line: CaptureLine
    keys: RehearsalKeys


@contextmanager
def greeted(
    station: Station, *, purpose: Purpose, changes: bool, urgent: bool = False
) -> Iterator[Link]:
    """A line with a pump that has greeted: the right one, and locked."""
    with _met(station, purpose=purpose, changes=changes, urgent=urgent) as (link, _):
        yield link


@contextmanager
def _met(
    station: Station,
    *,
    purpose: Purpose,
    changes: bool,
    urgent: bool,
    through: Through | None = None,
) -> Iterator[tuple[Link, _Capture | None]]:
    url = station.need_port()
    _check_acting(station, changes=changes, urgent=urgent)
    if not station.home.root.exists():
        with suppress(StoreError):  # where it cannot be had, the locks below say so
            station.home.make()
    with Locks(station.home.locks) as locks:
        _lock(station, locks, ("port", address(url).device), changes=changes, urgent=urgent)
        around = Surroundings(station.home.root, lambda: station.wall().utc_ms, station.entropy)
        line: Line = _opened(station, url, around, urgent=urgent)
        try:
            capture = _captured(station, line, url, purpose)
            if capture is not None:
                line = capture.line
            if through is not None:
                line = through(line)
            private = station.home.operator_key(station.operator)
            link = Link(
                line,
                entropy=station.entropy if capture is None else capture.keys.entropy,
                ticker=station.ticker,
                purpose=purpose,
                key=bytes(8) if private is None else OwnKey(private, public_key(private)).id,
            )
        except BaseException:
            line.close()
            raise
        try:
            check_serial(station, link.greeting)
            _lock(station, locks, ("pump", link.greeting.serial), changes=changes, urgent=urgent)
            yield link, capture
        except PumpctlError as error:
            error.greeted = link.greeting.serial
            raise
        finally:
            link.close()
            if capture is not None and capture.line.broken is not None:
                station.tell(capture.line.broken)


def _captured(station: Station, line: Line, url: str, purpose: Purpose) -> _Capture | None:
    """Begin the capture that was asked for."""
    if station.capture is None:
        return None
    from pumpctl.transport.capture import CaptureLine
    from pumpctl.workflows.line.rehearsal_keys import RehearsalKeys

    keys = RehearsalKeys(station.entropy)
    return _Capture(
        CaptureLine(
            line,
            station.capture,
            station.ticker,
            port=url,
            purpose=purpose.name.lower(),
            began=str(station.wall()),
            ear=keys.ear,
        ),
        keys,
    )


@contextmanager
def visit(
    station: Station, *, changes: bool, urgent: bool = False, through: Through | None = None
) -> Iterator[Visit]:
    """A session with the paired pump on the station's port.

    `changes` says whether the visit may lead to a change of therapy: then a home
    that cannot be locked is an error, while reading goes on without (AUD-03). What is
    `urgent` is not kept waiting by a lock of ours: only the port itself can (STP-01).
    """
    met = _met(station, purpose=Purpose.SESSION, changes=changes, urgent=urgent, through=through)
    with met as (link, capture):
        serial = link.greeting.serial
        private = station.home.operator_key(station.operator)
        if private is None:
            raise NotPaired(f"operator {station.operator} of this station has no key yet")
        kept = station.home.pairing(serial, station.operator)
        own = OwnKey(private, public_key(private))
        paired = PairedPump(
            serial, bytes.fromhex(kept["public"]), bytes.fromhex(kept["psk"]), str(kept["role"])
        )
        link.open(own, paired)
        note_seen(station, link.greeting)
        pump = Pump(link)
        if capture is not None and not urgent:
            _reveal(pump, capture, own, paired)
        yield Visit(station, pump, link)
        if capture is not None and urgent:  # nothing was kept waiting for it
            _reveal(pump, capture, own, paired)


def note_seen(station: Station, greeting: PumpGreeting) -> None:
    """Remember on which port a pump that has proven itself was met."""
    place = address(station.need_port())
    name = str(Path(place.name).absolute()) if place.is_path else place.name
    keep_seen(station.home, greeting.serial, Seen(name, str(station.wall()), greeting.model))


def _reveal(pump: Pump, capture: _Capture, own: OwnKey, paired: PairedPump) -> None:
    """Only of a pump in bench mode: real sessions stay sealed, in a capture too."""
    capture.keys.opened(own=own.private, pump=paired.public, psk=paired.psk)
    with suppress(LinkError, PumpRefused):
        capture.keys.reveal(pump, capture.line.file)


def _opened(station: Station, url: str, around: Surroundings, *, urgent: bool) -> Line:
    """The port. What is urgent waits for it as long as a look of another process may take."""
    for _ in range(_BUSY_TRIES if urgent else 0):
        try:
            return open_line(url, around, station.ticker)
        except PortBusy:
            sleep(_BUSY_WAIT_S)
    return open_line(url, around, station.ticker)


def check_serial(station: Station, greeting: PumpGreeting) -> None:
    """Refuse another pump than the one that was asked for."""
    if station.only is not None and greeting.serial != station.only:
        raise WrongPump(f"pump {greeting.serial} is on this line, not {station.only}")


def _check_acting(station: Station, *, changes: bool, urgent: bool) -> None:
    """Once operators were added, nobody else asks a pump anything; a stop only hears of it."""
    try:
        check_acting(station.home, station.operator)
    except (UnknownOperator, StoreError) as error:
        if not urgent and (changes or isinstance(error, UnknownOperator)):
            raise
        station.tell(f"{error.message}; this goes on all the same")


def _lock(
    station: Station, locks: Locks, what: tuple[str, str], *, changes: bool, urgent: bool
) -> None:
    try:
        locks.take(*what)
    except PortBusy as error:
        if not urgent:
            raise
        station.tell(f"{error.message}; this goes on all the same")
    except StoreError as error:
        if changes:
            raise
        station.tell(f"{error.message}; reading goes on without a lock")
