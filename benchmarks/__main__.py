"""The one benchmark command: every axis beside its peers, in one run, as one table.

    python3 dev.py bench [AXIS ...] [--quick] [--output DIR]
    python3 dev.py bench --peers        make .venv-peers, with the peers in Python

Without an AXIS it measures them all, for more than an hour, most of it `line`.
Medians and spreads stand beside their targets; what falls short says MISSED. The table
is printed in Markdown; --output also writes it as bench.md and bench.json. A peer that
is not installed says so in its row. The exit code says only whether it could be
measured: a missed target is for the reader.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, table
from benchmarks.axes import registry
from benchmarks.axis import Axis, Options, Result


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    usual = Options()
    made = argparse.ArgumentParser(
        prog="dev.py bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"axes: {', '.join(registry.NAMES)}",
    )
    made.add_argument("axes", metavar="AXIS", nargs="*", help="only these; all where none is named")
    made.add_argument("--quick", action="store_true", help="small sizes, to see that all works")
    made.add_argument("--output", type=Path, metavar="DIR", help="also write bench.md, bench.json")
    made.add_argument("--rounds", type=int, default=usual.rounds, help="of what is done in turns")
    made.add_argument("--seeds", type=int, default=usual.seeds, help="of noisy lines (default 10)")
    made.add_argument("--jobs", type=int, default=usual.jobs, help="lines at a time (default 6)")
    made.add_argument("--alone", action="store_true", help="without the peers of `line`")
    return made


def main(arguments: Sequence[str]) -> int:
    """Measure, tell, write."""
    asked = parser()
    given = asked.parse_args(arguments)
    unknown = [name for name in given.axes if name not in registry.NAMES]
    if unknown:
        asked.error(f"no axis {', '.join(unknown)}; there are: {', '.join(registry.NAMES)}")
    if min(given.seeds, given.jobs) < 1 or given.rounds < 0:
        asked.error("--seeds and --jobs are 1 or more, --rounds is 0 or more")
    options = Options(
        quick=given.quick,
        rounds=given.rounds,
        seeds=given.seeds,
        jobs=given.jobs,
        peers=not given.alone,
    )
    about = machine.about()
    measured: list[tuple[Axis, Result]] = []
    for name in registry.NAMES:
        if given.axes and name not in given.axes:
            continue
        axis = registry.axis(name)
        begun = time.monotonic()
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        measured.append((axis, axis.run(options)))
        print(f"bench: {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if options.quick:
        about["size"] = "quick: these figures mean little"
    text = table.markdown(about, measured)
    print(text)
    if given.output is not None:
        given.output.mkdir(parents=True, exist_ok=True)
        (given.output / "bench.md").write_text(text, "utf-8")
        document = json.dumps(table.document(about, measured), indent=1, ensure_ascii=False)
        (given.output / "bench.json").write_text(document + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
