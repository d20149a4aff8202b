"""`python -m tests.emulator.cuts [--double N --seed S]`: exit 1 on a mixture, or where nothing hit.

Without `--double` every act, and every start, is cut at every operation in every way. A
single double cut is repeated with `--only ACT --first NUMBER --double 1` and its seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.emulator.cuts.double import Doubles
from tests.emulator.cuts.every import ACTS, STARTS
from tests.emulator.cuts.sweep import Sweep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.cuts", description=__doc__)
    parser.add_argument("--double", type=int, help="so many double cuts, over all acts")
    parser.add_argument("--seed", type=int, help="at random where it is left out")
    parser.add_argument("--first", type=int, default=0, help="number of an act's first double cut")
    parser.add_argument(
        "--only", action="append", choices=sorted(ACTS), help="this act, repeatable"
    )
    asked = parser.parse_args()
    names = asked.only or list(ACTS)
    began = time.monotonic()
    if asked.double is None:
        sweep = Sweep()
        for name in names:
            sweep.act(name, ACTS[name])
        for name in STARTS if asked.only is None else ():
            sweep.start(name, STARTS[name])
        found, hits, table = sweep.mixed, sweep.hits.total(), sweep.table()
        missed = sweep.places - sweep.hits
        found += [f"not hit everywhere: {each}" for each in missed]
    else:
        seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
        doubles = Doubles()
        for index, name in enumerate(names):
            count = (asked.double + index) // len(names)
            doubles.act(name, ACTS[name], first=asked.first, count=count, seed=seed)
        found, hits, table = doubles.mixed, doubles.done.total(), doubles.table()
        print(f"seed {seed}")
    print(table)
    print(f"{hits} hit, {len(found)} mixed, {time.monotonic() - began:.0f} s")
    for line in found:
        print(line)
    return 1 if found or not hits else 0


if __name__ == "__main__":
    sys.exit(main())
