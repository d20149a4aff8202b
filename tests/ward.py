"""A ward: many pumps in one process, each asked by a station process of its own.

    python -m tests.ward [--pumps 200] [--jobs 2]

Makes and pairs the pumps in a scratch home, serves them all with `pumpctl emulator
serve --all`, runs `pumpctl status` on each one's own TCP port, and ends with 1
where one of them did not answer as itself.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pumpctl.cli.edge import entropy, ticker, wall, wall_utc_ms
from pumpctl.emulator.edge import bench
from pumpctl.station.home import Home
from pumpctl.workflows.people.pairing import pair
from pumpctl.workflows.surroundings import Station

ROOT = Path(__file__).resolve().parents[1]
OPERATOR = "ward"
_START_S = 300
_COMMAND_S = 120


class Visit(NamedTuple):
    """What one station process said."""

    name: str
    exit: int
    serial: str
    delivery: str
    said: str
    """On stderr."""


class Seen(NamedTuple):
    """A whole round."""

    serials: dict[str, str]
    """What the pumps are, by name."""
    ports: dict[str, str]
    visits: tuple[Visit, ...]
    seconds: dict[str, float]
    """By what they were spent on."""
    resident: tuple[int | None, int | None]
    """kB of the serving process: all ready, all asked. None where the system does not say."""
    ended: int
    """Its exit code after SIGTERM."""

    def faults(self) -> list[str]:
        """Whatever is not as it should be."""
        found = [] if self.ended == 0 else [f"the serving process ended with {self.ended}"]
        if len(set(self.serials.values())) != len(self.serials):
            found.append("two pumps have one serial")
        if len(set(self.ports.values())) != len(self.serials):
            found.append("not every pump has a port of its own")
        if sorted(visit.name for visit in self.visits) != sorted(self.serials):
            found.append("not every pump was asked once")
        for visit in self.visits:
            wanted = (0, self.serials[visit.name], "minimum")
            if (visit.exit, visit.serial, visit.delivery) != wanted:
                found.append(f"{visit.name}: {visit} instead of {wanted}")
        return found


def make(home: Home, count: int) -> dict[str, str]:
    """So many pumps, each paired by the real handshake; their serials by name."""
    home.make()
    serials: dict[str, str] = {}
    while len(serials) < count:
        name = f"bed-{len(serials) + 1:03d}"
        made = bench.create(home.root, name, now=wall_utc_ms, entropy=entropy)
        if made.serial in serials.values():  # six digits are drawn: 200 pumps meet in 2 % of runs
            bench.remove(home.root, name)
            continue
        bench.press(home.root, name, now=wall_utc_ms, entropy=entropy)
        station = Station(home, OPERATOR, wall, ticker, entropy, _told, port=f"emu://{name}")
        pair(station, made.secret_text, "admin")
        serials[name] = made.serial
    return serials


def _told(_line: str) -> None:
    """Nobody sits at this station."""


def _command(home: Home, *words: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pumpctl", "--home", str(home.root), "--operator", OPERATOR),
        *(*words, "--json"),
    ]


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PUMPCTL_")}


class Ward:
    """The process that serves them all."""

    def __init__(self, home: Home) -> None:
        self._errors = (home.root / "serve.err").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            _command(home, "emulator", "serve", "--all", "--tcp", "127.0.0.1:0"),
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ready(self, count: int) -> dict[str, str]:
        """Wait until so many are served; their ports by name."""
        ports: dict[str, str] = {}
        assert self.process.stdout is not None
        late = threading.Timer(_START_S, self.process.kill)
        late.start()
        try:
            while len(ports) < count and (line := self.process.stdout.readline()):
                told = json.loads(line)
                if told["ok"]:
                    ports[told["data"]["name"]] = told["data"]["port"]
        finally:
            late.cancel()
        if len(ports) < count:
            raise RuntimeError(f"{len(ports)} of {count} pumps are served:\n{self.said()}")
        return ports

    def said(self) -> str:
        """What it said to people."""
        self._errors.seek(0)
        return self._errors.read()

    def resident(self) -> int | None:
        """Its resident memory, kB."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        except OSError:
            return None
        return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_COMMAND_S)

    def __enter__(self) -> Ward:
        return self

    def __exit__(self, *_error: object) -> None:
        """Whatever became of it, it is gone after this."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()


def ask(home: Home, name: str, port: str) -> Visit:
    """One station process, from start to end."""
    done = subprocess.run(
        _command(home, "--port", port, "status"),
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    told = json.loads(done.stdout or "{}")
    return Visit(
        name,
        done.returncode,
        (told.get("pump") or {}).get("serial", ""),
        (told.get("data") or {}).get("delivery", ""),
        done.stderr,
    )


def run(home: Home, count: int, jobs: int) -> Seen:
    """Make them, serve them, ask each of them, end them."""
    times = [ticker()]
    serials = make(home, count)
    times.append(ticker())
    with Ward(home) as ward:
        ports = ward.ready(count)
        times.append(ticker())
        before = ward.resident()
        with ThreadPoolExecutor(jobs) as stations:
            visits = tuple(stations.map(lambda name: ask(home, name, ports[name]), sorted(ports)))
        times.append(ticker())
        after = ward.resident()
        ended = ward.end()
    times.append(ticker())
    parts = ("made and paired", "opened", "asked", "ended")
    spent = (late - early for early, late in pairwise(times))
    seconds = dict(zip(parts, spent, strict=True))
    return Seen(serials, ports, visits, seconds, (before, after), ended)


def report(seen: Seen) -> str:
    """The totals, in lines."""
    pumps, good = len(seen.serials), sum(visit.exit == 0 for visit in seen.visits)
    lines = [
        f"{pumps} pumps in one process on {len(set(seen.ports.values()))} ports",
        f"{len(seen.visits)} station processes, {good} with exit 0",
        *(f"{part}: {seconds:.1f} s" for part, seconds in seen.seconds.items()),
    ]
    before, after = seen.resident
    if before is not None and after is not None:
        lines.append(f"resident memory: {before} kB when all were ready, {after} kB in the end")
    return "\n".join([*lines, *seen.faults()])


def main(arguments: Sequence[str]) -> int:
    """Run it; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.ward", description=__doc__)
    parser.add_argument("--pumps", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2, help="station processes at a time")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ward-") as folder:
        seen = run(Home(Path(folder)), given.pumps, given.jobs)
    print(report(seen))
    return 1 if seen.faults() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
