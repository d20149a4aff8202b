"""`python -m tests.emulator.year --count N --seed S --jobs J`: exit 1 on a difference.

Also where a class of what is to happen to a pump never came up. Each story is a year.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.emulator.year.sweep import YEAR, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.year", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="how many stories")
    parser.add_argument("--days", type=int, default=YEAR, help="of each")
    parser.add_argument("--seed", type=int, help="at random where it is left out")
    parser.add_argument("--first", type=int, default=0, help="the number of the first story")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    result = run(asked.count, seed, days=asked.days, first=asked.first, jobs=asked.jobs, loud=True)
    print(result)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
