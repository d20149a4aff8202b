"""A year of a flex program ahead, beside stepping through it second by second, in one run.

    python3 dev.py bench forecast [--days N] [--rounds N]

The stepping loop is what one would write first: every second adds its share of
the basal rate and of a bolus that runs, in integers of 1/86 400 ng and less. Both
must give the same mass to the last quantum, or the benchmark ends with a fault.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from math import lcm
from pathlib import Path

from pumpctl.quantities import Duration, Mass, Volume
from pumpctl.therapy.forecast import outlook
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.therapy.program import Program

ROOT = Path(__file__).resolve().parent.parent
START = Moment.parse("2026-11-16T00:00:00Z")  # a Monday
AT_LEAST = 150
DAY = 86_400


def stepped(program: Program, days: int) -> Mass:
    """The mass of so many days, one second after the other."""
    scale = lcm(DAY, *(bolus.over.quanta // 1_000 for bolus in program.boluses))
    per_second = [
        [0] * DAY for _ in range(7)
    ]  # what each second of the week gives, in 1/scale ng: looked up, as a pump would
    for day, steps in enumerate(program.days):
        ends = [step.start * 60 for step in steps[1:]] + [DAY]
        for step, end in zip(steps, ends, strict=True):
            for second in range(step.start * 60, end):
                per_second[day][second] = step.rate.quanta * (scale // DAY)
    for bolus in program.boluses:
        seconds = bolus.over.quanta // 1_000
        for second in range(seconds):
            day, at = divmod(bolus.at * 60 + second, DAY)
            share = bolus.dose.quanta * (scale // seconds)
            per_second[(bolus.day + day) % 7][at] += share
    given = 0
    for day in range(days):
        today = per_second[day % 7]
        for second in range(DAY):
            given += today[second]
    return Mass((2 * given + scale) // (2 * scale))


def main() -> None:
    """Time both, hold their totals against each other, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    profile = ROOT / "profiles" / "flex.toml"
    program = read_profile_bytes(profile.read_bytes(), profile.name).program
    assert program is not None
    windows = (Duration.parse("1 h"), Duration.parse("24 h"))
    taken = []
    total = Mass(0)
    for _ in range(options.rounds):
        begun = time.perf_counter()
        total = outlook(
            program,
            Volume.parse("40 mL"),
            program.low_alarm,
            START,
            options.days,
            windows=windows,
        ).mass
        taken.append(time.perf_counter() - begun)
    ours = statistics.median(taken)
    begun = time.perf_counter()
    other = stepped(program, options.days)
    stepping = time.perf_counter() - begun
    if total != other:
        sys.exit(f"forecast: {total} ahead, but stepping gives {other}")
    print(f"{options.days} days of {profile.name}: {total} both ways\n")
    print("| | ms | × |\n|---|---|---|")
    print(f"| stepping, 1 s | {1000 * stepping:.0f} | 1 |")
    print(f"| outlook, every day and window | {1000 * ours:.2f} | {stepping / ours:.0f} |")
    print(f"\naim: at least {AT_LEAST} ×")


if __name__ == "__main__":
    main()
