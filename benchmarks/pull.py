"""One pull in a process of its own: times the opening, the pull, and what both cost.

    python -m benchmarks.pull HOME PORT packed|raw|unmended

`packed` is how `logs pull` has the entries come; `raw` as their 80 bytes each, so
that a line is measured with the same bytes that its peers send; `unmended` like
`raw`, with every damaged fragment repeated and none put right: selective repeat alone.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path

from benchmarks.bedside import station
from pumpctl.wire import initiator
from pumpctl.wire.codes import Encoding
from pumpctl.wire.frames import Deframer
from pumpctl.workflows.look import logs
from pumpctl.workflows.visit import visit

HOWS = ("packed", "raw", "unmended")


def _never(*, mend: bool) -> Deframer:
    del mend
    return Deframer(mend=False)


def main() -> int:
    """Pull once, and tell."""
    home, port, how = sys.argv[1:]
    if how not in HOWS:
        raise SystemExit(f"{how}: {', '.join(HOWS)}")
    if how == "unmended":
        vars(initiator)["Deframer"] = _never
    begun = ended = time.perf_counter()
    begun_cpu = ended_cpu = time.process_time()

    def progress(_done: int, _total: int) -> None:
        """Called after each commit: the last call is the end."""
        nonlocal ended, ended_cpu
        ended, ended_cpu = time.perf_counter(), time.process_time()

    with visit(station(Path(home), port), changes=False) as open_visit:
        if how != "packed":
            open_visit.pump.stream_log = partial(  # type: ignore[method-assign]
                open_visit.link.stream_log, encoding=Encoding.RAW
            )
        opened, opened_cpu = time.perf_counter(), time.process_time()
        pulled = logs.pull(open_visit, everything=False, progress=progress)
    told = {
        "opening_s": opened - begun,
        "opening_cpu_s": opened_cpu - begun_cpu,
        "pull_s": ended - opened,
        "pull_cpu_s": ended_cpu - opened_cpu,
        "entries": pulled.new,
        "gaps": len(pulled.gaps),
        "bytes_on_wire": pulled.bytes_on_wire,
    }
    print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
