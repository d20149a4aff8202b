"""A year of a flex program ahead, beside stepping through it second by second.

The stepping loop is what one would write first: every second adds its share of
the basal rate and of a bolus that runs, in integers of 1/86 400 ng and less. Both
must give the same mass to the last quantum, or the benchmark ends with a fault.
"""

from __future__ import annotations

import sys
import time
from math import lcm

from benchmarks.axis import Axis, Options, Result, Row, Target
from benchmarks.processes import ROOT
from pumpctl.quantities import Duration, Mass, Volume
from pumpctl.therapy.forecast import outlook
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.therapy.program import Program

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


def run(options: Options) -> Result:
    """Time both, hold their totals against each other."""
    days = 30 if options.quick else 365
    profile = ROOT / "profiles" / "flex.toml"
    program = read_profile_bytes(profile.read_bytes(), profile.name).program
    assert program is not None
    windows = (Duration.parse("1 h"), Duration.parse("24 h"))
    taken = []
    total = Mass(0)
    for _ in range(options.times(7)):
        begun = time.perf_counter()
        total = outlook(
            program, Volume.parse("40 mL"), program.low_alarm, START, days, windows=windows
        ).mass
        taken.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    other = stepped(program, days)
    stepping = time.perf_counter() - begun
    if total != other:
        sys.exit(f"forecast: {total} ahead, but stepping gives {other}")
    rows = (
        Row("outlook, every day and window", tuple(1e3 * each for each in taken), "ms"),
        Row("stepping, 1 s", (1e3 * stepping,), "ms"),
        Row(
            "stepping / outlook",
            tuple(stepping / each for each in taken),
            "×",
            None if options.quick else Target(AT_LEAST, least=True),
        ),
    )
    return Result(rows, (f"{days} days of {profile.name}: {total} both ways",))


AXIS = Axis("forecast", "a year of a program ahead", run)
