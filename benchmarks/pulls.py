"""Pulls over the relay, each with a home, a pump and a line of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import bedside
from benchmarks.line import Relay, Transfer
from benchmarks.processes import ROOT, environment
from benchmarks.relay import Settings


class Pull(NamedTuple):
    """What one came to."""

    transfer: Transfer
    opening_s: float = 0.0
    cpu_share: float = 0.0
    """Of the pull itself."""
    process_share: float = 0.0
    """Of the whole process, its start included, of its wall time."""
    on_wire: int = 0
    """Bytes, both ways, as the station counts."""
    from_pump: int = 0
    """Bytes that the line carried from the pump, the opening of the session among them."""
    latest_ms: float = 0.0
    """By how much the relay handed a byte over too late at most."""
    relay_share: float = 0.0
    """What the relay took of a core meanwhile."""


def pull(
    home: Path, wanted: tuple[bytes, ...], settings: Settings, folder: Path, limit: float, how: str
) -> Pull:
    """Pull what is new in a copy of this home; what is kept afterwards is looked at."""
    mine = bedside.copied(home, folder / "home")
    begun = time.perf_counter()
    with bedside.served(mine, "--tcp", "127.0.0.1:0") as url:
        end = f"tcp:{url.rpartition(':')[2]}"
        with Relay(settings, folder, server=end) as relay:
            worker = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.pull", str(mine), relay.client, how],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            code, process_share = _ended(worker, limit + 15)
            assert worker.stdout is not None
            assert worker.stderr is not None
            said, error = worker.stdout.read(), worker.stderr.read()
            worker.stdout.close()
            worker.stderr.close()
    relay_share = float(relay.told.get("cpu_s", 0.0)) / (time.perf_counter() - begun)
    if code != 0:
        why = error.strip().splitlines()[-1] if error.strip() else "time limit"
        return Pull(Transfer(None, why, relay.bits), relay_share=relay_share)
    told = json.loads(said)
    found = bedside.stored(mine)[-len(wanted) :]
    if found != wanted:
        return Pull(Transfer(None, "WRONG BYTES are kept", relay.bits))
    return Pull(
        Transfer(told["pull_s"], "", relay.bits),
        told["opening_s"],
        told["pull_cpu_s"] / told["pull_s"],
        process_share,
        told["bytes_on_wire"],
        relay.told["to_client"]["bytes"],
        max(relay.told[way]["latest_us"] for way in ("to_client", "to_server")) / 1000,
        relay_share,
    )


def _ended(worker: subprocess.Popen[str], limit: float) -> tuple[int | None, float]:
    """Its exit code, None where it had to be killed, and the processor's share of its life."""
    begun = time.perf_counter()
    while True:
        pid, status, usage = os.wait4(worker.pid, os.WNOHANG)
        seconds = time.perf_counter() - begun
        if pid:
            worker.returncode = os.waitstatus_to_exitcode(status)
            return worker.returncode, (usage.ru_utime + usage.ru_stime) / seconds
        if seconds > limit:
            worker.kill()
            worker.wait()
            return None, 0.0
        time.sleep(0.01)
