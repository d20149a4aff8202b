"""Round trips per second: a ping in a session beside a bare pyserial echo of as many bytes.

On a bare pty, which has no rate: there every microsecond of Python shows, ours of
framing, two ciphers and two tags a trip. Once against a far end that is nothing but
the wire's own session, once against the emulator, which meters and keeps its state in
a file before it answers. And with both paced like a UART, where a person would see it.

The bare echo is read in two ways: by its size, which nobody knows who talks in frames,
and up to a delimiter, as pyserial offers it to a protocol of frames like this one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import serial

from benchmarks import bedside
from benchmarks.axis import Axis, Options, Result, Row, Target
from benchmarks.far_ends import SERIAL
from benchmarks.line import Relay
from benchmarks.processes import ROOT, environment
from benchmarks.relay import Settings
from pumpctl.link.session import Link, OwnKey, PairedPump
from pumpctl.transport.line import open_line
from pumpctl.transport.surroundings import Surroundings
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Purpose
from pumpctl.wire.noise import public_key
from pumpctl.workflows.visit import visit

AT_LEAST = Target(0.6, least=True)
PACED = Settings(latency_us=0)
Trips = Callable[[int], float]
"""Seconds of so many round trips."""


def run(options: Options) -> Result:
    """All in turn, a stretch of each at a time."""
    count = 50 if options.quick else 1000
    paced = 10 if options.quick else 100
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bedside.make_home(folder / "home", 0)
        second = bedside.copied(folder / "home", folder / "second")
        pump, size = stack.enter_context(_emulator(folder / "home", folder / "tty"))
        far = {
            "bare pyserial echo, read by its size": (stack.enter_context(_echo(size)), count),
            "bare pyserial echo, read to a delimiter": (
                stack.enter_context(_echo(size, framed=True)),
                count,
            ),
            "pumpctl, the session alone": (stack.enter_context(_session()), count),
            "pumpctl, the emulator served": (pump, count),
            "115200 baud: bare pyserial echo": (
                stack.enter_context(_paced_echo(size, folder)),
                paced,
            ),
            "115200 baud: pumpctl": (stack.enter_context(_paced(second, folder)), paced),
        }
        rates: dict[str, list[float]] = {name: [] for name in far}
        for trips, many in far.values():
            trips(many // 10)
        for _ in range(options.times(7)):
            for name, (trips, many) in far.items():
                rates[name].append(many / trips(many))
    bare, framed, session, emulator, bare_paced, paced_rates = rates.values()
    rows = [Row(name, tuple(values), "/s") for name, values in rates.items()]
    for name, values, to in (
        ("the session alone / pyserial by size", session, bare),
        ("the emulator served / pyserial by size", emulator, bare),
        ("the session alone / pyserial to a delimiter", session, framed),
        ("the emulator served / pyserial to a delimiter", emulator, framed),
        ("115200 baud: pumpctl / bare pyserial", paced_rates, bare_paced),
    ):
        ratio = tuple(one / other for one, other in zip(values, to, strict=True))
        rows.append(Row(name, ratio, "×", AT_LEAST))
    return Result(tuple(rows), (f"{size} bytes each way, encrypted and authenticated if ours",))


def _pings(link: Link) -> Trips:
    def trips(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            link.ask(m.Ping(os.urandom(16)), m.Pong)
        return time.perf_counter() - begun

    return trips


def _echoes(port: serial.Serial, size: int, *, framed: bool = False) -> Trips:
    def trips(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            port.write(os.urandom(size))
            came = port.read_until(b"\0") if framed else port.read(size)
            if len(came) != size:
                raise SystemExit("bench: the echo does not answer")
        return time.perf_counter() - begun

    return trips


@contextmanager
def _emulator(home: Path, link_at: Path) -> Iterator[tuple[Trips, int]]:
    """A session with a served pump, and how many bytes a ping has each way."""
    with (
        bedside.served(home, "--pty", str(link_at)) as port,
        visit(bedside.station(home, port), changes=False) as open_visit,
    ):
        before = open_visit.link.bytes_on_wire
        open_visit.link.ask(m.Ping(bytes(16)), m.Pong)
        yield _pings(open_visit.link), (open_visit.link.bytes_on_wire - before) // 2


@contextmanager
def _paced(home: Path, folder: Path) -> Iterator[Trips]:
    ends = folder / "paced"
    ends.mkdir()
    with (
        bedside.served(home, "--tcp", "127.0.0.1:0") as url,
        Relay(PACED, ends, server=f"tcp:{url.rpartition(':')[2]}") as relay,
        visit(bedside.station(home, relay.client), changes=False) as open_visit,
    ):
        yield _pings(open_visit.link)


@contextmanager
def _far(*words: str, stdin: str = "") -> Iterator[str]:
    """A process at the far end; its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.far_ends", *words],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(stdin)
    process.stdin.close()
    try:
        yield process.stdout.readline().strip() if len(words) < 3 else ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def _echo(size: int, *, framed: bool = False) -> Iterator[Trips]:
    with _far("echo", str(size)) as place, serial.Serial(place, 115_200, timeout=5) as port:
        yield _echoes(port, size, framed=framed)


@contextmanager
def _paced_echo(size: int, folder: Path) -> Iterator[Trips]:
    ends = folder / "paced-echo"
    ends.mkdir()
    with (
        Relay(PACED, ends) as relay,
        _far("echo", str(size), relay.server),
        serial.Serial(relay.client, 115_200, timeout=5) as port,
    ):
        yield _echoes(port, size)


@contextmanager
def _session() -> Iterator[Trips]:
    """A link to a far end without a pump behind it."""
    own, pump, psk = os.urandom(32), os.urandom(32), os.urandom(32)
    key = OwnKey(own, public_key(own))
    told = {"private": pump, "id": key.id, "public": key.public, "psk": psk}
    text = json.dumps({name: value.hex() for name, value in told.items()})
    with _far("wire", stdin=text) as place:
        around = Surroundings(Path(), bedside.wall_ms, os.urandom)
        link = Link(
            open_line(place, around, time.monotonic),
            entropy=os.urandom,
            ticker=time.monotonic,
            purpose=Purpose.SESSION,
            key=key.id,
        )
        try:
            link.open(key, PairedPump(SERIAL, public_key(pump), psk, "clinician"))
            yield _pings(link)
        finally:
            link.close()


AXIS = Axis("roundtrips", "round trips per second on a pty", run)
