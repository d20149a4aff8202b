"""Payload efficiency over the relay: pumpctl, secured, beside peers that move the same bytes.

256 KiB of log at 115200 baud, 20 ms one way. 100 % is a line that carries nothing
but payload: payload bytes x 10 bits / baud. A pull is timed from its first request to
its last durable commit, the session being open; how long the opening took is told.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks import bedside, pulls
from benchmarks.axis import Axis, Options, Result, Row, Target, missing
from benchmarks.line import Transfer
from benchmarks.relay import Settings
from benchmarks.transfers import CONTENDERS, Contender, Move, raw

ENTRIES = 3277
"""x 80 bytes: 256 KiB and 16 bytes."""
LIMIT_S = 200.0
"""Of one transfer: whoever needs longer uses less than 12 % of the line."""
OURS = "pumpctl"
ALONE = "pumpctl, selective repeat alone"
"""With nothing put right by the frames' checks: every damaged fragment comes again."""
RAW = "raw bytes, no protocol"
CLEAN_TIMES = 3
LATEST_MS = 20.0
"""By which the relay may deliver a raw file later than the ideal, all in all."""


class Noise(NamedTuple):
    """One condition of the line."""

    name: str
    ber: float
    target: Target


NOISES = (
    Noise("clean", 0.0, Target(96.0, least=True)),
    Noise("bit errors 1e-5", 1e-5, Target(92.0, least=True, every=True)),
    Noise("bit errors 1e-4", 1e-4, Target(80.0, least=True, every=True)),
)


class Task(NamedTuple):
    """One transfer."""

    who: str
    noise: Noise
    settings: Settings
    move: Callable[[Settings, Path], Transfer | pulls.Pull]


class Came(NamedTuple):
    """What it came to."""

    task: Task
    transfer: Transfer
    pull: pulls.Pull | None


def run(options: Options) -> Result:
    """All contenders under all conditions, several lines at a time."""
    entries = 200 if options.quick else ENTRIES
    limit = 20.0 if options.quick else LIMIT_S
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder) / "home"
        wanted = bedside.make_home(home, entries)
        data = b"".join(wanted)
        others = [each for each in CONTENDERS if options.peers and each.here()]
        tasks = [
            Task(who.name, noise, settings, who.move)
            for noise in NOISES
            for settings in _settings(noise, options)
            for who in (*_ours(home, wanted, limit, noise), *_theirs(others, data, limit))
        ]
        came = _all(tasks, options.jobs)
    names = [OURS, ALONE, RAW, *(each.name for each in CONTENDERS if options.peers)]
    rows = [row for noise in NOISES for row in _rows(noise, names, came, 8 * len(data))]
    return Result((*_relay_rows(came, len(data)), *rows), _notes(came, len(data), limit))


class _Mover(NamedTuple):
    """A contender with what it moves."""

    name: str
    move: Callable[[Settings, Path], Transfer | pulls.Pull]


def _ours(home: Path, wanted: tuple[bytes, ...], limit: float, noise: Noise) -> list[_Mover]:
    def mover(how: str) -> Callable[[Settings, Path], pulls.Pull]:
        return lambda settings, to: pulls.pull(home, wanted, settings, to, limit, how)

    alone = [_Mover(ALONE, mover("unmended"))] if noise.ber else []
    return [_Mover(OURS, mover("raw")), *alone]


def _theirs(others: list[Contender], data: bytes, limit: float) -> list[_Mover]:
    def mover(move: Move) -> Callable[[Settings, Path], Transfer]:
        return lambda settings, to: move(settings, to, data, limit)

    return [_Mover(RAW, mover(raw)), *(_Mover(each.name, mover(each.move)) for each in others)]


def _settings(noise: Noise, options: Options) -> list[Settings]:
    if options.quick:
        return [Settings(ber=noise.ber)]
    seeds = range(1, 1 + (options.seeds if noise.ber else min(CLEAN_TIMES, options.seeds)))
    return [Settings(ber=noise.ber, seed=seed) for seed in seeds]


def _all(tasks: list[Task], jobs: int) -> list[Came]:
    done, lock = [0], threading.Lock()

    def one(task: Task) -> Came:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                found = task.move(task.settings, Path(folder))
            except (OSError, RuntimeError, ValueError) as error:
                found = Transfer(None, f"did not run: {error}")
        with lock:
            done[0] += 1
            print(f"\rline: {done[0]} of {len(tasks)} transfers ", end="", file=sys.stderr)
        if isinstance(found, pulls.Pull):
            return Came(task, found.transfer, found)
        return Came(task, found, None)

    with ThreadPoolExecutor(jobs) as pool:
        came = list(pool.map(one, tasks))
    print(file=sys.stderr)
    return came


def efficiency(transfer: Transfer, payload_bits: int, settings: Settings) -> float:
    """Per cent of the line; 0 where the file did not arrive."""
    if transfer.seconds is None:
        return 0.0
    sent = payload_bits // 8 * settings.bits
    return 100.0 * sent / settings.baud / transfer.seconds


def _rows(noise: Noise, names: list[str], came: list[Came], bits: int) -> list[Row]:
    rows = []
    for name in names:
        mine = [each for each in came if each.task.noise is noise and each.task.who == name]
        label = f"{noise.name}: {name}"
        if name == (RAW if noise.ber else ALONE):
            continue  # no file arrives whole; nothing is damaged
        if not mine:
            rows.append(missing(label, "%"))
            continue
        values = tuple(efficiency(each.transfer, bits, each.task.settings) for each in mine)
        target = noise.target if name == OURS else None
        rows.append(Row(label, values, "%", target, _failed(mine)))
        carried = tuple(8 * pull.from_pump / bits for pull in _pulls(mine))
        if carried:
            rows.append(Row(f"{label}: bytes from the pump / payload", carried, "×"))
    return rows


def _pulls(came: list[Came]) -> list[pulls.Pull]:
    """Those that ended well."""
    return [each.pull for each in came if each.pull is not None and each.transfer.seconds]


def _failed(came: list[Came]) -> str:
    why = [each.transfer.note for each in came if each.transfer.seconds is None]
    if not why:
        return ""
    kinds = ", ".join(f"{why.count(each)} × {each}" for each in sorted(set(why)))
    return f"{len(why)} of {len(came)} failed: {kinds}"


def _relay_rows(came: list[Came], size: int) -> list[Row]:
    """The relay itself, held against the ideal."""
    raws = [each for each in came if each.task.who == RAW and each.transfer.seconds is not None]
    clean = [each for each in raws if not each.task.noise.ber]
    line = Settings()
    ideal = (line.wire_ns(size) + line.latency_us * 1000) / 1e9
    late = tuple(1000 * ((each.transfer.seconds or 0.0) - ideal) for each in clean)
    name = f"relay: {size} raw bytes, later than the ideal {ideal:.3f} s"
    rows = [Row(name, late, "ms", Target(LATEST_MS, least=False, every=True))]
    for noise in NOISES[1:]:
        spoiled = [each for each in raws if each.task.noise is noise]
        rates = tuple(each.transfer.bits / (8 * size) / noise.ber for each in spoiled)
        spread = (8 * size * noise.ber) ** -0.5
        note = f"one standard deviation of a single run is {spread:.2f}"
        rows.append(
            Row(f"relay: bit errors, × those asked ({noise.ber:g})", rates, "×", None, note)
        )
    return rows


def _notes(came: list[Came], size: int, limit: float) -> tuple[str, ...]:
    ours = _pulls(came)
    notes = [
        f"{size} bytes of log; 115200 baud, 10 bits a byte, 20 ms latency each way, full duplex",
        "pumpctl's are encrypted, authenticated, checked and committed; the peers' not secured",
        f"what is not over after {limit:g} s, gives up, or delivers other bytes counts 0",
    ]
    if ours:
        openings = sorted(each.opening_s for each in ours)
        relay = max(each.relay_share for each in ours)
        latest = max(each.latest_ms for each in ours)
        notes.append(
            f"opening a session, not counted above: {openings[len(openings) // 2]:.2f} s median, "
            f"{openings[-1]:.2f} s at most"
        )
        notes.append(
            f"a relay took {100 * relay:.1f} % of a core at most, and handed a byte over "
            f"{latest:.1f} ms too late at most"
        )
    return tuple(notes)


AXIS = Axis("line", "payload efficiency, 256 KiB of log at 115200 baud", run)
