"""Processor time of a pull on a clean line, as a share of the time it took.

Of the pull itself (between its first request and its last commit), and of the whole
process, whose start is most of it. Pump and relay are processes of their own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import bedside, pulls
from benchmarks.axes.line import ENTRIES
from benchmarks.axis import Axis, Options, Result, Row, Target
from benchmarks.relay import Settings

AT_MOST = Target(3.0, least=False)


def run(options: Options) -> Result:
    """One pull after the other, nothing beside it."""
    rows: list[Row] = []
    some = 200 if options.quick else None
    for how, fresh in (("raw", some or ENTRIES), ("packed", some)):
        itself: list[float] = []
        whole: list[float] = []
        seconds: list[float] = []
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            home = Path(folder) / "home"
            wanted = bedside.make_home(home, fresh)
            for number in range(options.times(3)):
                to = Path(folder) / str(number)
                to.mkdir()
                pull = pulls.pull(home, wanted, Settings(), to, 300.0, how)
                if pull.transfer.seconds is not None:
                    itself.append(100 * pull.cpu_share)
                    whole.append(100 * pull.process_share)
                    seconds.append(pull.transfer.seconds)
        took = f"{len(wanted)} entries in {min(seconds):.1f} s" if seconds else "did not end"
        rows.append(Row(f"{how} entries: the pull", tuple(itself), "% of a core", AT_MOST, took))
        rows.append(Row(f"{how} entries: the whole process", tuple(whole), "% of a core"))
    return Result(tuple(rows))


AXIS = Axis("cpu", "processor time of a pull, clean line at 115200 baud", run)
