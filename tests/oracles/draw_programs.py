"""Random programs as plain numbers, with what tends to go wrong drawn more often than chance would.

Boluses lie near midnight and near the end of Sunday, steps at 00:01 and 23:59, rates at
1 ng/day and far above any limit, concentrations of the market and of no market. What
no program may hold (docs/protocol.md: IMPLAUSIBLE) is drawn where the arithmetic is
defined all the same: overlapping boluses, a step of rate 0. A bolus takes a day at most.
Nothing of pumpctl is imported here.
"""

from __future__ import annotations

from random import Random

from tests.oracles.plain import DAY, HOUR, MINUTE, SECOND, WEEK, Bolus, PatientDose, Program

SUPPLIED = (500, 1_000, 2_000)
ODD = (1, 3, 7, 50, 333, 750, 1_999, 2_002, 10_000)
"""mcg/mL that no pump takes, but arithmetic must."""

CALENDAR = (0, 4 * 365 * DAY, 14_600 * DAY, 20_773 * DAY)
"""Around these instants programs start: 1970, 1974, 2009 and late 2026."""


def any_of(dice: Random, shares: list[tuple[str, int]]) -> str:
    """One of these names, as often as its number says."""
    at = dice.randrange(sum(share for _, share in shares))
    for name, share in shares:
        at -= share
        if at < 0:
            return name
    raise AssertionError("the shares are counted")


def a_rate(dice: Random) -> int:
    """A basal rate in ng/day."""
    kind = any_of(
        dice, [("mcg/h", 50), ("ng/h", 20), ("any", 15), ("tiny", 5), ("huge", 4), ("none", 4)]
    )
    if kind == "mcg/h":
        return 24_000 * dice.randint(1, 40)
    if kind == "ng/h":
        return 24 * dice.randint(1, 40_000)
    if kind == "any":
        return dice.randint(1, 1_500_000)
    if kind == "tiny":
        return dice.randint(1, 999)
    return dice.randint(5_000_000, 50_000_000) if kind == "huge" else 0


def a_day(dice: Random) -> list[tuple[int, int]]:
    """The steps of one day."""
    count = int(any_of(dice, [("1", 25), ("2", 25), ("3", 25), ("4", 12), ("7", 8), ("13", 5)]))
    starts = {dice.choice((1, 1_439, 720, 60)) if dice.random() < 0.1 else dice.randrange(1, 1_440)
              for _ in range(count - 1)}  # fmt: skip
    return [(start, a_rate(dice)) for start in (0, *sorted(starts))]


def the_days(dice: Random) -> list[list[tuple[int, int]]]:
    """Seven days: all alike, working days and weekend, or each its own."""
    kind = any_of(dice, [("alike", 45), ("weekend", 35), ("each", 20)])
    if kind == "each":
        return [a_day(dice) for _ in range(7)]
    one = a_day(dice)
    return [one] * 5 + [a_day(dice)] * 2 if kind == "weekend" else [one] * 7


def a_duration(dice: Random) -> int:
    """How long a bolus takes, in ms, a day at most."""
    kind = any_of(dice, [("minutes", 50), ("hours", 20), ("seconds", 15), ("ms", 12), ("day", 3)])
    if kind == "minutes":
        return MINUTE * dice.choice((1, 2, 5, 10, 30, 59, 60, 61))
    if kind == "hours":
        return MINUTE * dice.randint(60, 480)
    if kind == "seconds":
        return SECOND * dice.randint(1, 9_999)
    return dice.randint(1, 10_000_000) if kind == "ms" else DAY - dice.choice((0, 0, 1, HOUR))


def a_time(dice: Random) -> int:
    """A minute of the day; one in four in the last hour."""
    return dice.randrange(1_380, 1_440) if dice.random() < 0.25 else dice.randrange(1_440)


def the_boluses(dice: Random) -> list[Bolus]:
    """The scheduled boluses of a week."""
    kind = any_of(dice, [("none", 35), ("daily", 35), ("few", 28), ("most", 2)])
    if kind == "none":
        return []
    if kind == "few":
        days = [6 if dice.random() < 0.25 else dice.randrange(7) for _ in range(dice.randint(1, 8))]
        return [a_bolus(dice, day, a_time(dice)) for day in days]
    count = 24 if kind == "most" and dice.random() < 0.3 else dice.randint(1, 3)
    found: list[Bolus] = []
    for _ in range(count):
        one = a_bolus(dice, 0, a_time(dice))
        days = dice.choice(([0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4], [5, 6], [6]))
        found += [Bolus(day=day, at=one["at"], dose=one["dose"], over=one["over"]) for day in days]
    return found


def a_bolus(dice: Random, day: int, at: int) -> Bolus:
    """One scheduled bolus on this day."""
    kind = any_of(dice, [("mcg", 60), ("ng", 35), ("least", 5)])
    dose = {"mcg": 1_000 * dice.randint(1, 100), "ng": dice.randint(1, 200_000), "least": 1}[kind]
    return Bolus(day=day, at=at, dose=dose, over=a_duration(dice))


def a_program(dice: Random) -> Program:
    """One program; it gives something in every week."""
    mode = any_of(dice, [("minimum-rate", 4), ("continuous", 21), ("flex", 75)])
    concentration = dice.choice(SUPPLIED if dice.random() < 0.7 else ODD)
    low_alarm = dice.choice((0, 2_000_000, 3_000_000, dice.randrange(5_000_000)))
    if mode == "minimum-rate":
        return Program(mode=mode, concentration=concentration, days=[], boluses=[], patient=None,
                       low_alarm=low_alarm, fallback=0)  # fmt: skip
    days = [[(0, a_rate(dice) or 1)]] * 7 if mode == "continuous" else the_days(dice)
    boluses = the_boluses(dice)
    if not boluses and not any(rate for day in days for _, rate in day):
        boluses = [a_bolus(dice, dice.randrange(7), a_time(dice))]
    patient = None
    if dice.random() < 0.35:
        patient = PatientDose(dose=dice.randint(1, 50_000), over=dice.randint(1, HOUR),
                              lockout=MINUTE * dice.randint(1, 720),
                              most=dice.randint(1, 24))  # fmt: skip
    return Program(mode=mode, concentration=concentration, days=days, boluses=boluses,
                   patient=patient, low_alarm=low_alarm,
                   fallback=dice.randint(1, 1_000_000))  # fmt: skip


def an_instant(dice: Random) -> int:
    """A pump's time at which a program might start: any ms, or a whole minute, or a midnight."""
    time = dice.choice(CALENDAR) + dice.randrange(60 * WEEK)
    grid = dice.choice((1, 1, MINUTE, HOUR, DAY))
    return time // grid * grid
