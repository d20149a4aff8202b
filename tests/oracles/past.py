"""What both judges of windows share: the past as pumpctl means it, and limits that come close."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from random import Random

from pumpctl.therapy.course import Course, Piece, course_of
from tests.oracles.case import real_program
from tests.oracles.draw_programs import any_of
from tests.oracles.sliding import Given, History


def a_limit(dice: Random, most: Fraction) -> int:
    """A limit in ng, near what the largest window holds."""
    kind = any_of(dice, [("floor", 25), ("ceiling", 25), ("below", 12), ("above", 12),
                         ("near", 12), ("far", 14)])  # fmt: skip
    whole, above = floor(most), ceil(most)
    near = max(1, whole // 100)
    return max(0, {
        "floor": whole,
        "ceiling": above,
        "below": above - dice.randint(1, 2),
        "above": whole + dice.randint(1, 2),
        "near": whole + dice.randint(-near, near),
        "far": dice.randint(0, 2 * whole + 1_000),
    }[kind])  # fmt: skip


def piece_of(bolus: Given) -> Piece:
    return Piece(bolus["at"], bolus["at"] + bolus["over"], bolus["dose"])


def real_past(history: History) -> Course:
    """What was given, put together from pumpctl's own parts, in the order in which it happened."""
    events: list[tuple[int, int, Course | None]] = [(stop, 0, None) for stop in history["stops"]]
    for number, run in enumerate(history["runs"], start=1):
        ran = course_of(real_program(run["program"]), run["start"], run["end"])
        events.append((run["start"], number, ran))
    for number, bolus in enumerate(history["boluses"], start=1 + len(history["runs"])):
        events.append((bolus["at"], number, Course([piece_of(bolus)])))
    past = Course([])
    for time, _, given in sorted(events, key=lambda event: event[:2]):
        past = past.cut(0, time) if given is None else past + given
    return past
