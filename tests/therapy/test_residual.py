"""What should be in the reservoir: by pulses and by orders, the pulses counted one by one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Mass, Volume, volume_of
from pumpctl.therapy.course import Course
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.residual import (
    Apart,
    Cause,
    Fill,
    Given,
    Part,
    Ran,
    Residual,
    differences,
    last_fill,
    programmed,
    programmed_course,
    pumped,
    residual,
)
from tests.therapy.samples import even, flex, minimum

HOUR = 3_600_000
MONDAY = Moment.parse("2026-03-30T00:00:00+02:00")
START = MONDAY.label_ms
PULSE = Fraction(100)
FILL = Fill(Volume.parse("20 mL"), MONDAY, 5_000)


def entry(
    number: int, hours: Fraction | int, pulses: int, kind: str = "hour", set_by: int = 0
) -> LogEntry:
    """An entry so many hours after Monday midnight; the clock stands `set_by` ms ahead."""
    ms = int(hours * HOUR)
    return LogEntry(number, 1, kind, 7_000_000 + ms, MONDAY.plus(ms + set_by), pulses)


@pytest.mark.requirement("REF-05")
def test_the_fill_less_every_pulse() -> None:
    told = residual(FILL, 5_000 + 47_500, PULSE)
    assert told == Residual(Volume.parse("20 mL"), Fraction(4_750_000), ())
    assert str(told.expected) == "15.25 mL"
    assert residual(FILL, 5_000, PULSE).expected == FILL.volume
    assert residual(FILL, 5_000_000, PULSE).expected == Volume(0), "computed, and never below 0"
    assert residual(FILL, 5_000_000, PULSE).delivered == 499_500_000, "which goes on counting"


@pytest.mark.requirement("REF-05")
def test_the_calibration_constant_is_exact_and_rounds_down() -> None:
    per_pulse = Fraction(9_987, 100)
    told = residual(FILL, 5_001, per_pulse)
    assert told.delivered == per_pulse
    assert told.expected == Volume(20_000_000 - 100), "99.87 nL are gone: rounded down"


@pytest.mark.parametrize(("first", "last", "per_pulse"), [(2, 1, 100), (1, 2, 0), (1, 2, -1)])
def test_a_count_that_falls_is_refused(first: int, last: int, per_pulse: int) -> None:
    with pytest.raises(ValueError, match="no volume follows"):
        pumped(first, last, Fraction(per_pulse))


@pytest.mark.requirement("REF-05")
def test_every_cause_counts_and_each_is_named() -> None:
    old = flex([[(0, "10")]], [(0, 480, "30 mcg", "30 min")], concentration=500)
    new = flex([[(0, "10")]], [(1, 480, "30 mcg", "30 min")])
    ran = [
        Ran(old, START, START + 12 * HOUR, cause=Cause.BRIDGE),
        Ran(new, START + 12 * HOUR, START + 36 * HOUR),
        Ran(even("240 mcg/day"), START + 40 * HOUR, START + 46 * HOUR, cause=Cause.FALLBACK),
    ]
    given = [
        Given(Cause.PRIMING, START, START + HOUR, Fraction(208_000)),
        Given(Cause.SINGLE, START, START + HOUR, volume_of(Mass(50_000), new.concentration)),
        Given(Cause.PATIENT, START, START + HOUR, volume_of(Mass(10_000), new.concentration)),
        Given(Cause.PATIENT, START, START + HOUR, volume_of(Mass(5_000), new.concentration)),
    ]
    parts = programmed(ran, given)
    assert parts == (
        Part(Cause.BASAL, Fraction(240_000 * 1_000, 2_000)),
        Part(Cause.SCHEDULED, Fraction(30_000 * 1_000, 2_000)),
        Part(Cause.PATIENT, Fraction(7_500)),
        Part(Cause.SINGLE, Fraction(25_000)),
        Part(Cause.PRIMING, Fraction(208_000)),
        Part(Cause.BRIDGE, Fraction(150_000 * 1_000, 500)),
        Part(Cause.FALLBACK, Fraction(60_000 * 1_000, 2_000)),
    )
    total = sum((part.volume for part in parts), Fraction(0))
    told = residual(FILL, 5_000 + 7_050, PULSE, ran, given)
    assert told.parts == parts and told.programmed == total == 705_500
    assert told.apart == -500 and told.expected == Volume(20_000_000 - 705_000)
    course = programmed_course(ran, given)
    assert course.between(START, START + 46 * HOUR) == total
    assert course.between(START + 36 * HOUR, START + 40 * HOUR) == 0, "it was stopped"


def test_a_bolus_goes_on_after_an_activation_and_not_after_a_stop() -> None:
    program = flex([[(0, "10")]], [(0, 480, "30 mcg", "30 min")])
    end = START + 8 * HOUR + HOUR // 6
    whole, part = Ran(program, START, end), Ran(program, START, end, cut=True)
    assert programmed([whole])[1] == Part(Cause.SCHEDULED, Fraction(15_000))
    assert programmed([part])[1] == Part(Cause.SCHEDULED, Fraction(5_000))
    assert programmed([whole])[0] == programmed([part])[0]
    at_noon = Ran(program, START + 12 * HOUR, START + 13 * HOUR)
    assert [each.cause for each in programmed([at_noon])] == [Cause.BASAL]
    assert programmed([]) == ()


def test_minimum_rate_counts() -> None:
    assert programmed([Ran(minimum(), START, START + DAY_MS)]) == (
        Part(Cause.BASAL, Fraction(48_000)),
    )


def test_the_newest_fill_of_the_log() -> None:
    volume = (("volume_nl", 18_000_000), ("concentration", 2_000))
    fills = [
        entry(9, 9, 900, "refilled")._replace(fields=volume),
        entry(4, 4, 400, "refilled")._replace(fields=(("volume_nl", 40_000_000),)),
        entry(10, 10, 1_000),
    ]
    assert last_fill(fills) == Fill(Volume.parse("18 mL"), MONDAY.plus(9 * HOUR), 900)
    assert last_fill([entry(10, 10, 1_000)]) is None
    with pytest.raises(ValueError, match="log entry 9 does not say"):
        last_fill([fills[0]._replace(fields=())])


# --- pulses, one by one --------------------------------------------------------------------------


def pulsed(program: Program, hours: list[int], carry: int, stall: range | None = None) -> list[int]:
    """Pulses counted at each hour, by asking of every pulse whether it was due by then.

    Minute by minute in 1/1440 nL; a pulse that falls into a stall is never made up.
    """
    per_ng = Fraction(1_000, program.concentration.quanta)
    owed, count, counts = Fraction(carry), 0, []
    for minute in range(hours[-1] * 60 + 1):
        if minute % 60 == 0 and minute // 60 in hours:
            counts.append(count)
        day, in_day = divmod(minute, 1_440)
        rate = [step.rate.quanta for step in program.days[day % 7] if step.start <= in_day][-1]
        owed += Fraction(rate, 1_440) * per_ng
        while owed >= PULSE:
            owed -= PULSE
            count += 0 if stall and minute // 60 in stall else 1
    return counts


rates = st.lists(st.tuples(st.integers(4, 60), st.integers(1, 1439)), min_size=7, max_size=7)


@settings(max_examples=20, deadline=None)
@given(rates, st.integers(0, 99), st.integers(1, 40), st.integers(0, 8))
@pytest.mark.requirement("REF-05")
def test_pulses_and_orders_agree_unless_pulses_are_lost(
    steps: list[tuple[int, int]], carry: int, first: int, lost: int
) -> None:
    program = flex([[(0, str(rate)), (at, str(64 - rate))] for rate, at in steps])
    hours = list(range(51))
    ran = Ran(program, START, START + 50 * HOUR)
    orders = programmed_course([ran])
    sound = pulsed(program, hours, carry)
    entries = [entry(hour, hour, 100 + count) for hour, count in zip(hours, sound, strict=True)]
    assert differences(entries, orders, PULSE) == ()
    told = residual(FILL, 5_000 + sound[-1], PULSE, [ran])
    assert abs(told.apart) <= PULSE
    assert abs(told.expected.quanta - (20_000_000 - told.programmed)) <= PULSE

    stall = range(first, first + lost)
    counts = pulsed(program, hours, carry, stall)
    entries = [entry(hour, hour, 100 + count) for hour, count in zip(hours, counts, strict=True)]
    found = differences(entries, orders, PULSE)
    if not lost:
        assert found == ()
        return
    ((start, end, wanted, given_),) = found
    assert (start, end) == (MONDAY.plus(first * HOUR), MONDAY.plus((first + lost) * HOUR))
    assert given_ == 0, "a stall shows whole, in one piece"
    assert wanted == orders.between(start.label_ms, end.label_ms)


def test_too_many_pulses_and_too_few_are_told_apart() -> None:
    orders = programmed_course([Ran(even("480 mcg/day"), START, START + 8 * HOUR)])
    counts = [0, 100, 100, 302, 404, 504, 603, 702, 802]  # 10,000 nL an hour are 100 pulses
    entries = [entry(hour, hour, count) for hour, count in enumerate(counts)]
    hour = [MONDAY.plus(each * HOUR) for each in range(7)]
    lost = Apart(hour[1], hour[2], Fraction(10_000), Fraction(0))
    more = Apart(hour[2], hour[4], Fraction(20_000), Fraction(30_400))
    assert differences(entries, orders, PULSE) == (lost, more), "one pulse is no difference"
    entries[5] = entry(5, 5, 506)
    apart = (
        lost,
        more._replace(end=hour[5], programmed=Fraction(30_000), delivered=Fraction(40_600)),
    )
    assert differences(entries[:6], orders, PULSE) == apart
    assert differences([*entries[:3], *entries[4:6]], orders, PULSE)[1:] == apart[1:]


def test_a_clock_that_was_set_is_not_guessed_over() -> None:
    orders = Course(())
    entries = [entry(1, 1, 0), entry(2, 2, 0, set_by=HOUR), entry(3, 3, 0, set_by=HOUR)]
    with pytest.raises(ValueError, match="set between log entries 1 and 2"):
        differences(entries, orders, PULSE)
    assert differences(entries[1:], orders, PULSE) == ()
    assert differences(entries[:1], orders, PULSE) == ()


def test_volumes_of_doses_are_exact() -> None:
    assert volume_of(Mass(10_000), Concentration(1_500)) == Fraction(20_000, 3)
