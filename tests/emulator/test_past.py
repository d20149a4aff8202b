"""The pump's memory of what it metered: what is kept, what is merged, what is not known."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from pumpctl.emulator.engine import past as pasts
from pumpctl.emulator.engine.ahead import Ahead
from pumpctl.emulator.engine.past import Basal, Past, PastBolus
from pumpctl.emulator.engine.windows import largest
from pumpctl.wire.fields import Reader, Struct
from tests.emulator.support import DAY, HOUR, MINUTE

STRUCT: Struct[Past] = Struct(Past)


def since(past: Past, start: int, now: int) -> Fraction:
    """Mass from start to now, ng, one part after the other."""
    mass = Fraction(0)
    ends = [each.since for each in past.basal[1:]] + [now]
    for basal, end in zip(past.basal, ends, strict=False):
        mass += Fraction(basal.rate * max(0, end - max(start, basal.since)), DAY)
    for bolus in past.boluses:
        length = max(0, min(bolus.end, now) - max(start, bolus.start))
        mass += Fraction(bolus.dose * length, bolus.over)
    return mass


def test_a_rate_is_noted_when_it_changes() -> None:
    past = pasts.note_rate(pasts.EMPTY, 100, 0)
    assert past == pasts.EMPTY
    past = pasts.note_rate(past, 100, 24_000)
    assert pasts.note_rate(past, 200, 24_000) == past
    past = pasts.note_rate(past, 300, 48_000)
    assert past.basal == (Basal(100, 24_000), Basal(300, 48_000))


def test_rates_of_no_duration_leave_no_trace() -> None:
    past = pasts.note_rate(pasts.EMPTY, 100, 24_000)
    there = pasts.note_rate(past, 300, 0)
    assert pasts.note_rate(there, 300, 24_000) == past
    assert pasts.note_rate(there, 300, 48_000).basal == (Basal(100, 24_000), Basal(300, 48_000))


def test_a_bolus_runs_its_time_or_is_cut() -> None:
    past = pasts.note_started(pasts.EMPTY, 1_000, 20_000, 10 * MINUTE)
    assert past.boluses == (PastBolus(1_000, 1_000 + 10 * MINUTE, 20_000, 10 * MINUTE),)
    cut = pasts.note_ended(past, 61_000, started=1_000, dose=20_000, over=10 * MINUTE)
    assert cut.boluses == (PastBolus(1_000, 61_000, 20_000, 10 * MINUTE),)
    assert since(cut, 0, DAY) == 2_000
    whole = pasts.note_ended(
        past, 1_000 + 10 * MINUTE, started=1_000, dose=20_000, over=10 * MINUTE
    )
    assert whole == past


def test_a_bolus_cut_at_its_start_gave_nothing_and_another_one_stays() -> None:
    past = pasts.note_started(pasts.EMPTY, 1_000, 20_000, MINUTE)
    past = pasts.note_started(past, 1_000, 30_000, MINUTE)
    cut = pasts.note_ended(past, 1_000, started=1_000, dose=20_000, over=MINUTE)
    assert [each.dose for each in cut.boluses] == [30_000]
    assert pasts.note_ended(cut, 1_000, started=1_000, dose=20_000, over=MINUTE) == cut


def test_what_no_window_can_reach_is_dropped() -> None:
    past = pasts.note_rate(pasts.EMPTY, 0, 24_000)
    past = pasts.note_rate(past, HOUR, 48_000)
    past = pasts.note_started(past, HOUR, 1_000, MINUTE)
    just = HOUR + MINUTE + pasts.KEPT_MS
    assert len(pasts.trimmed(past, just - 1).boluses) == 1
    assert pasts.trimmed(past, just).boluses == ()
    assert pasts.trimmed(past, just).basal == (Basal(HOUR, 48_000),)
    assert pasts.trimmed(past, HOUR + pasts.KEPT_MS - 1).basal == past.basal
    assert pasts.KEPT_MS > DAY


def a_life(dice: Random) -> tuple[Past, Past, int]:
    """The same events noted by the pump and in lists without end; and when the last one was."""
    past, rates, boluses = pasts.EMPTY, list[Basal](), list[PastBolus]()
    now, pace = 0, dice.choice((2, 5, 30)) * MINUTE
    for _ in range(dice.choice((20, 400))):
        now += dice.randrange(pace)
        running = [each for each in boluses if each.end > now]
        what = dice.choice(("rate", "start", "end"))
        if what == "rate":
            rates.append(Basal(now, dice.choice((0, dice.randrange(3_000_000)))))
            past = pasts.note_rate(past, *rates[-1])
        elif what == "start" and len(running) < 8:
            dose = dice.randrange(1, 300_000)
            over = dice.choice((1, 7_001, MINUTE, 30 * MINUTE, 3 * HOUR, DAY))
            past = pasts.note_started(past, now, dose, over)
            boluses.append(PastBolus(now, now + over, dose, over))
        elif what == "end" and running:
            old = dice.choice(running)
            past = pasts.note_ended(past, now, started=old.start, dose=old.dose, over=old.over)
            boluses.remove(old)
            boluses.append(old._replace(end=now))
    return past, Past(tuple(rates), tuple(boluses)), now


@pytest.mark.requirement("LIM-05")
def test_no_window_that_reaches_now_ever_holds_less_than_was_given() -> None:
    merged = 0
    for seed in range(25):
        past, truth, now = a_life(Random(seed))
        assert len(past.basal) <= pasts.MOST
        assert len(past.boluses) <= pasts.MOST
        out = bytearray()
        STRUCT.put(past, out)
        assert STRUCT.get(Reader(bytes(out))) == past
        full = len(truth.basal) > pasts.MOST or len(truth.boluses) > pasts.MOST
        for start in range(max(0, now - DAY), now + 1, 19 * MINUTE):
            held, given = since(past, start, now), since(truth, start, now)
            assert held >= given
            merged += held > given
            assert full or held == given
    assert merged


@pytest.mark.requirement("LIM-05")
def test_a_full_list_keeps_its_mass_and_puts_it_later() -> None:
    past = pasts.EMPTY
    for index in range(2 * pasts.MOST):
        past = pasts.note_started(past, index * MINUTE, 1_001, 7)
    now = 2 * pasts.MOST * MINUTE
    assert len(past.boluses) == pasts.MOST
    truth = 2 * pasts.MOST * 1_001
    assert truth <= since(past, 0, now) <= truth + pasts.MOST
    assert since(past, now - HOUR, now) >= 60 * 1_001
    stopped = Ahead(now, 0, ())
    assert largest(past, stopped, DAY).up() == -(-since(past, 0, now) // 1)


def test_a_full_list_of_rates_keeps_the_higher_one() -> None:
    past = pasts.EMPTY
    for index in range(pasts.MOST + 1):
        past = pasts.note_rate(past, index * MINUTE, 1_000_000 - index)
    assert len(past.basal) == pasts.MOST
    assert past.basal[0] == Basal(0, 1_000_000)
    assert past.basal[1] == Basal(2 * MINUTE, 999_998)
