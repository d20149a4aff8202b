"""From a port and a home to a bench: locks, line, greeting, key, session, and back.

The same steps as any visit, without its link: a conformance run speaks bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.faults import Broken, Silent
from pumpctl.conformance.session import Own
from pumpctl.conformance.talk import Talk
from pumpctl.errors import Corrupt, NoAnswer, NotPaired, WrongPump
from pumpctl.named import NamedTuple
from pumpctl.station.home import Home
from pumpctl.transport.address import address
from pumpctl.transport.capture import CaptureLine
from pumpctl.transport.line import Line, LineLost, open_line
from pumpctl.transport.lock import Locks
from pumpctl.transport.surroundings import Surroundings
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Purpose
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id


class Desk(NamedTuple):
    """Who runs it, from where, on which port; clock and entropy from the edge."""

    home: Home
    operator: str
    port: str
    utc_ms: Callable[[], int]
    ticker: Callable[[], float]
    entropy: Callable[[int], bytes]
    only: str | None = None
    """Refuse any pump but this serial."""
    capture: Path | None = None


@contextmanager
def opened(desk: Desk) -> Iterator[Bench]:
    """A bench with an open session.

    Raises PortError, NoAnswer where nothing greets, WrongPump, NotPaired or Corrupt.
    """
    with Locks(desk.home.locks) as locks:
        locks.take("port", address(desk.port).device)
        around = Surroundings(desk.home.root, desk.utc_ms, desk.entropy)
        line: Line = open_line(desk.port, around, desk.ticker)
        try:
            if desk.capture is not None:
                line = CaptureLine(
                    line, desk.capture, desk.ticker, port=desk.port, purpose="conformance"
                )
            talk = Talk(line, ticker=desk.ticker, entropy=desk.entropy)
            serial = _serial(talk)
            if desk.only is not None and serial != desk.only:
                raise WrongPump(f"pump {serial} is on this line, not {desk.only}")
            locks.take("pump", serial)
            bench = Bench(talk, own_keys(desk.home, desk.operator, serial))
            _open(bench, serial)
            try:
                yield bench
            finally:
                with suppress(Broken, LineLost):
                    bench.ask(m.Close())
        finally:
            line.close()


def own_keys(home: Home, operator: str, serial: str) -> Own:
    """This operator's key and what pairing left for the pump; NotPaired where either is missing."""
    private = home.operator_key(operator)
    if private is None:
        raise NotPaired(f"operator {operator} of this station has no key yet")
    kept = home.pairing(serial, operator)
    return Own(
        private,
        key_id(public_key(private)),
        bytes.fromhex(kept["public"]),
        bytes.fromhex(kept["psk"]),
    )


def _serial(talk: Talk) -> str:
    try:
        return talk.greet(talk.own_greeting(bytes(8), Purpose.LOOK)).pump.serial
    except Silent as error:
        raise NoAnswer("no pump greeted on this line") from error
    except Broken as error:
        raise Corrupt(f"something answers on this line, but {error}") from error


def _open(bench: Bench, serial: str) -> None:
    try:
        bench.open()
    except Silent as error:
        known = bench.look().pump.known
        if not known:
            raise NotPaired(f"pump {serial} does not know this operator's key any more") from error
        raise NoAnswer(f"pump {serial} does not complete a session: {error}") from error
    except Broken as error:
        raise Corrupt(f"pump {serial} opens a session that cannot be used: {error}") from error
