"""`python -m tests.oracles programs|windows --count N --seed S --jobs J`: exit 1 on a difference.

Also where a class of cases was never exercised. docs/exactness.md has the figures of the
full runs.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.oracles.runner import ORACLES, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracles", description=__doc__)
    parser.add_argument("oracle", choices=sorted(ORACLES))
    parser.add_argument("--count", type=int, default=10_000, help="how many cases")
    parser.add_argument("--seed", type=int, help="at random where it is left out")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    result = run(asked.oracle, asked.count, seed, first=asked.first, jobs=asked.jobs)
    print(result)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
