"""What both oracles are given: therapy as plain whole numbers, and nothing else.

Times are ms on the face of the pump's clock, counted from 1970-01-01 00:00 (a
Thursday); days of the week count from Monday, 0. Nothing here, in `odometer` or
in `sliding` may import anything of pumpctl: what these files say about a dose is
written from the words of the profile format and of docs/protocol.md alone, so that
a mistake of the real code cannot be theirs, too. `test_independence` reads their
imports.
"""

from __future__ import annotations

from typing import TypedDict

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

LEAST_FLOW = 48_000
"""nL/day: what a pump at minimum rate gives, 0.048 mL/day."""


class Bolus(TypedDict):
    """One scheduled bolus a week."""

    day: int
    at: int  # minute of the day
    dose: int  # ng
    over: int  # ms


class PatientDose(TypedDict):
    """What the patient may take."""

    dose: int  # ng
    over: int  # ms
    lockout: int  # ms
    most: int  # in any 24 h


class Program(TypedDict):
    """A program, before anything has brought it into a form of its own."""

    mode: str  # as it stands in a profile
    concentration: int  # mcg/mL
    days: list[list[tuple[int, int]]]  # of each day: minute of the day, ng/day from there on
    boluses: list[Bolus]
    patient: PatientDose | None
    low_alarm: int  # nL
    fallback: int  # ng/day


def weekday(time: int) -> int:
    """0 for Monday: 1970-01-01 was a Thursday."""
    return (time // DAY + 3) % 7


def monday(time: int) -> int:
    """The Monday 00:00 at or before an instant."""
    return (time // DAY - weekday(time)) * DAY


def steps_of(program: Program, day: int) -> list[tuple[int, int]]:
    """Minute of the day and the rate from there on; at minimum rate the whole day is one."""
    if program["mode"] == "minimum-rate":
        # nL/day × mcg/mL = pg/day
        return [(0, LEAST_FLOW * program["concentration"] // 1_000)]
    return program["days"][day]
