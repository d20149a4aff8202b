"""The forward-looking window rule: what it refuses, what it lets pass, and that it can fail."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.engine import past as pasts
from pumpctl.emulator.engine import windows
from pumpctl.emulator.engine.ahead import Ahead, Asked, Piece, Play, Steady, peak, pieces, settled
from pumpctl.emulator.engine.figures import Figures
from pumpctl.emulator.engine.past import Past
from pumpctl.emulator.engine.schedule import Schedule
from pumpctl.emulator.engine.windows import Over, largest, over_window
from pumpctl.emulator.memory.retained import Bolus, Span
from pumpctl.wire.codes import BolusKind, Drug, Mode
from pumpctl.wire.program import Program, ScheduledBolus
from tests.emulator import windows_oracle
from tests.emulator.support import DAY, HOUR, MINUTE, daily, flex

NOW = 100 * DAY
LEAST = 48_000
FAR = 10**15
A_MINUTE = 1_440_000
"""ng/day: 1000 ng a minute."""
MONDAY = 4 * DAY
"""1970-01-05."""


def steady(rate: int, **more: object) -> Ahead:
    return Ahead(NOW, MONDAY, (Play(Steady(rate), 500),), **more)  # type: ignore[arg-type]


def playing(program: Program, local: int = MONDAY, **more: object) -> Ahead:
    plays = (Play(Schedule(program, LEAST), program.concentration),)
    return Ahead(NOW, local, plays, **more)  # type: ignore[arg-type]


def running(dose: int, over: int, started: int) -> Bolus:
    return Bolus(BolusKind.SINGLE, dose, over, 500, started, 0, 0, bytes(16), 0)


def after(minutes: int, rate: int = A_MINUTE) -> Past:
    """So many minutes of this rate, and nothing before."""
    return pasts.note_rate(pasts.EMPTY, NOW - minutes * MINUTE, rate)


# --- C5.16: a rule that only looks back ------------------------------------------------------


@pytest.mark.requirement("LIM-05")
def test_a_bolus_that_a_later_window_cannot_hold() -> None:
    """Basal 1 a minute, limit 65 in 60 minutes, a bolus of 10 at minute 5: minute 60 holds 70."""
    past, ahead = after(5), steady(A_MINUTE, bolus=Asked(10_000, MINUTE))
    assert over_window(past, ahead, hour=65_000, day=FAR) == Over(HOUR, 70_000)
    assert over_window(past, ahead, hour=70_000, day=FAR) is None
    smaller = steady(A_MINUTE, bolus=Asked(5_000, MINUTE))
    assert over_window(past, smaller, hour=65_000, day=FAR) is None


@pytest.mark.requirement("LIM-05")
def test_a_rule_without_the_future_lets_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    past, ahead = after(5), steady(A_MINUTE, bolus=Asked(10_000, MINUTE))
    monkeypatch.setattr(windows, "pieces", lambda *_: [])
    assert over_window(past, ahead, hour=65_000, day=FAR) is None


@pytest.mark.requirement("LIM-05")
def test_a_rule_without_the_past_lets_a_second_bolus_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    past = pasts.note_started(after(2_000), NOW - 20 * MINUTE, 5_000, MINUTE)
    ahead = steady(A_MINUTE, bolus=Asked(5_000, MINUTE))
    assert over_window(past, ahead, hour=65_000, day=FAR) == Over(HOUR, 70_000)
    monkeypatch.setattr(windows, "_before", lambda *_: [])
    assert over_window(past, ahead, hour=65_000, day=FAR) is None


# --- what is counted -------------------------------------------------------------------------


def test_a_day_with_all_that_was_and_will_be() -> None:
    """24 h in the middle of which the pump is: 12 h of 48, 12 h of 96 mcg/day, two boluses."""
    past = pasts.note_started(after(720, 48_000), NOW - HOUR, 7_000, MINUTE)
    ahead = steady(96_000, bolus=Asked(5_000, HOUR))
    assert largest(past, ahead, DAY) == (96_000 * 23 // 24 + 2_000 + 12_000, 1)
    assert over_window(past, ahead, hour=FAR, day=105_999) == Over(DAY, 106_000)
    assert over_window(past, ahead, hour=FAR, day=106_000) is None


def test_the_hour_is_named_before_the_day() -> None:
    past, ahead = after(5), steady(A_MINUTE, bolus=Asked(10_000, MINUTE))
    found = over_window(past, ahead, hour=1, day=1)
    assert found is not None
    assert found.length == HOUR


def test_what_still_runs_counts_once() -> None:
    """Half of the bolus lies in the past, which ends now; its other half is ahead."""
    start = NOW - 10 * MINUTE
    past = pasts.note_started(pasts.EMPTY, start, 20_000, 20 * MINUTE)
    ahead = Ahead(NOW, MONDAY, (Play(Steady(0), 500),), (running(20_000, 20 * MINUTE, start),))
    assert largest(past, ahead, HOUR) == (20_000, 1)


def test_a_stop_leaves_what_was_given() -> None:
    past = pasts.note_started(after(30, 0), NOW - HOUR // 2, 20_000, MINUTE)
    assert largest(past, Ahead(NOW, MONDAY, ()), HOUR) == (20_000, 1)
    assert largest(past, Ahead(NOW, MONDAY, ()), HOUR // 4) == (0, 1)


def test_an_unknown_past_counts_as_nothing() -> None:
    assert largest(pasts.EMPTY, Ahead(NOW, MONDAY, ()), DAY) == (0, 1)


def test_scheduled_boluses_ahead_count_but_not_those_that_had_their_turn() -> None:
    program = flex(48_000, boluses=daily((10, 30_000, MINUTE), (40, 20_000, MINUTE)))
    ahead = playing(program, bolus=Asked(10_000, MINUTE))
    assert largest(pasts.EMPTY, ahead, HOUR) == (62_000, 1)
    at = playing(program, MONDAY + 10 * MINUTE, bolus=Asked(10_000, MINUTE))
    assert largest(pasts.EMPTY, at, HOUR) == (32_000, 1)
    had = Span(MONDAY + 5 * MINUTE, MONDAY + 10 * MINUTE)
    served = ahead._replace(served=(had,))
    assert largest(pasts.EMPTY, served, HOUR) == (32_000, 1)


def test_sunday_runs_into_monday() -> None:
    boluses = (ScheduledBolus(0, 5, 30_000, MINUTE),)
    sunday = MONDAY + 7 * DAY - 30 * MINUTE
    ahead = playing(flex(48_000, boluses=boluses), sunday, bolus=Asked(10_000, MINUTE))
    assert largest(pasts.EMPTY, ahead, HOUR) == (42_000, 1)


@pytest.mark.requirement("REF-08")
def test_a_bridge_gives_the_old_masses_and_then_the_new() -> None:
    old, new = flex(48_000), flex(96_000, concentration=2000)
    change = MONDAY + 30 * MINUTE
    plays = (Play(Schedule(old, LEAST, 500), 500, change), Play(Schedule(new, LEAST), 2000))
    ahead = Ahead(NOW, MONDAY, plays)
    assert settled(ahead) == NOW + 30 * MINUTE
    assert largest(after(2_000, 48_000), ahead, HOUR) == (4_000, 1)
    assert largest(after(2_000, 48_000), ahead, 30 * HOUR) == (120_000, 1)


def test_a_minimum_rate_program_metered_at_its_own_concentration() -> None:
    program = Program(1, Mode.MINIMUM_RATE, Drug.BACLOFEN, 500, 24_000, ((),) * 7, (), None, 0)
    assert largest(pasts.EMPTY, playing(program), HOUR) == (1_000, 1)
    with_bolus = playing(program, bolus=Asked(1_000, MINUTE))
    assert largest(pasts.EMPTY, with_bolus, HOUR) == (2_000, 1)


# --- what the act is to blame for --------------------------------------------------------------


@pytest.mark.requirement("LIM-05")
def test_a_reduction_is_not_refused_for_what_was_given_before() -> None:
    past, now, less = after(2_000), steady(A_MINUTE), steady(A_MINUTE // 2)
    limit = 50_000  # 60 000 were given in the last hour
    assert over_window(past, less, hour=limit, day=FAR) == Over(HOUR, 60_000)
    assert over_window(past, less, hour=limit, day=FAR, without=now) is None
    more = steady(A_MINUTE + 1)
    assert over_window(past, more, hour=limit, day=FAR, without=now) is not None
    again = steady(A_MINUTE)
    assert over_window(past, again, hour=limit, day=FAR, without=now) is None


def test_a_bolus_is_to_blame_for_the_windows_that_hold_it() -> None:
    past, now = after(2_000), steady(A_MINUTE)
    bolus = now._replace(bolus=Asked(1, MINUTE))
    assert over_window(past, bolus, hour=60_000, day=FAR, without=now) == Over(HOUR, 60_001)
    assert over_window(past, bolus, hour=60_001, day=FAR, without=now) is None


def test_a_resume_is_held_against_nothing() -> None:
    past = pasts.note_rate(after(2_000), NOW, 0)
    stopped, ahead = Ahead(NOW, MONDAY, ()), steady(A_MINUTE * 2)
    assert largest(past, stopped, HOUR) == (60_000, 1)
    assert largest(past, ahead, HOUR, stopped) == (120_000, 1)


def test_the_bound_may_lie_between_two_changes() -> None:
    """First more, later less than now: a window counts until it holds no more than it would."""
    now = steady(A_MINUTE)
    plays = (
        Play(Steady(2 * A_MINUTE), 500, MONDAY + 30 * MINUTE),
        Play(Steady(0), 500),
    )
    act = Ahead(NOW, MONDAY, plays)
    past = after(2_000)
    # A window that ends x min after now: 60 000 as it is, with the act 60 000 + 1 000 x up to 30.
    assert largest(past, act, HOUR, now) == (90_000, 1)
    # Against a rate of 1 700: 60 000 + 700 x. After x = 30 the act's falls by 1 000 a minute.
    other = steady(1_700 * 1_440)
    assert largest(past, act, HOUR, other) == (90_000, 1)
    # Against a dose that is 29 000 ahead at once, the act's is larger from no x on.
    assert largest(past, act, HOUR, now._replace(bolus=Asked(31_000, 1))) == (0, 1)


def test_the_bound_at_the_instant_at_which_a_window_stops_being_larger() -> None:
    """The act gives 60 more at once and then nothing, against what would be given evenly."""
    act = Ahead(NOW, MONDAY, (Play(Steady(0), 500),), bolus=Asked(60_000, MINUTE))
    now = steady(A_MINUTE * 2)
    # Nothing before. Ends x after now: 60 000 from x = 1 on, against 2 000 x: equal at x = 30.
    assert largest(pasts.EMPTY, act, HOUR, now) == (60_000, 1)
    past = pasts.note_rate(after(2_000), NOW, 0)
    # Behind it 60 000 - 1 000 x go out of the window on both sides: the most is at x = 1.
    assert largest(past, act, HOUR, now) == (119_000, 1)
    # The act is larger only after x = 20, where the other's 40 000 at once are made up.
    slow = Ahead(NOW, MONDAY, (Play(Steady(A_MINUTE * 2), 500),))
    other = Ahead(NOW, MONDAY, (Play(Steady(0), 500),), bolus=Asked(40_000, 1))
    assert largest(past, slow, HOUR, other) == (120_000, 1)
    falling = Ahead(NOW, MONDAY, (Play(Steady(A_MINUTE // 2), 500),))
    less = Ahead(NOW, MONDAY, (Play(Steady(0), 500),), bolus=Asked(10_000, 1))
    # 60 000 - 500 x, larger than 70 000 - 1 000 x after x = 20: the bound is not a change's.
    assert largest(past, falling, HOUR, less) == (50_000, 1)


# --- against every window ----------------------------------------------------------------------


@pytest.mark.requirement("LIM-05")
@pytest.mark.slow
def test_three_thousand_histories() -> None:
    tally: Counter[str] = Counter()
    faults = [fault for index in range(3_000) for fault in windows_oracle.judge(5, index, tally)]
    assert not faults
    assert all(tally[name] for name in windows_oracle.REQUIRED)


@pytest.mark.parametrize("name", ["_starts", "_before", "_most_where_larger", "settled"])
def test_the_oracle_sees_a_planted_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(windows, name)
    planted = {
        "_starts": lambda times, *more: real(list(times)[1:], *more),
        "_before": lambda past, now, since: list(real(past, now, since))[:-1],
        "_most_where_larger": lambda a, b, _, __: real(a, b, 1, 1),
        "settled": lambda ahead: ahead.now,
    }
    monkeypatch.setattr(windows, name, planted[name])
    tally: Counter[str] = Counter()
    assert any(windows_oracle.judge(6, index, tally) for index in range(300))


def test_a_run_of_the_oracle_tells_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert windows_oracle.main(3, 7) == 1
    told = capsys.readouterr().out
    assert "NEVER EXERCISED" in told
    assert "0 differences" in told


_OVERS = st.sampled_from((1, 999, MINUTE, 7 * MINUTE + 13, HOUR, DAY))
_BOLUS = st.tuples(st.integers(0, 25 * HOUR), st.integers(1, 400_000), _OVERS)


@pytest.mark.requirement("LIM-05")
@given(
    st.lists(_BOLUS, max_size=6),
    st.lists(st.tuples(st.integers(0, 25 * HOUR), st.integers(0, 3_000_000)), max_size=6),
    st.tuples(st.integers(1, 400_000), _OVERS),
    st.sampled_from((HOUR, DAY, 1_234_567)),
    st.lists(st.integers(0, 2 * DAY), max_size=20),
)
def test_no_window_at_any_millisecond_holds_more(
    boluses: list[tuple[int, int, int]],
    rates: list[tuple[int, int]],
    asked: tuple[int, int],
    length: int,
    places: list[int],
) -> None:
    """And one holds just so much; times in ms, past and plan made by hand."""
    past, given = pasts.EMPTY, list[tuple[int, int, Fraction]]()
    still = []
    for ago, dose, over in sorted(boluses, reverse=True):
        past = pasts.note_started(past, NOW - ago, dose, over)
        given.append((-ago, over - ago, Fraction(dose, over)))
        if over > ago:
            still.append(running(dose, over, NOW - ago))
    changes = sorted(dict(rates).items(), reverse=True)
    for (ago, rate), (end, _) in pairwise([*changes, (0, 0)]):
        past = pasts.note_rate(past, NOW - ago, rate)
        given.append((-ago, -end, Fraction(rate, DAY)))
    ahead = steady(1_000_000, running=tuple(still), bolus=Asked(*asked))
    given += [(0, asked[1], Fraction(*asked)), (0, 10 * DAY, Fraction(1_000_000, DAY))]

    def mass(start: int) -> Fraction:
        return sum(
            (
                max(0, min(end, start + length) - max(begin, start)) * rate
                for begin, end, rate in given
            ),
            Fraction(0),
        )

    found = largest(past, ahead, length)
    last = settled(ahead) - NOW
    starts = {-length, last, *(place - length for place in places if place <= last + length)}
    for begin, end, _ in given:
        starts |= {edge for at in (begin, end) for edge in (at, at - length)}
    masses = [mass(start) for start in starts if -length <= start <= last]
    assert Fraction(found.num, found.den) == max(masses)


# --- the flow at an instant ----------------------------------------------------------------------


@pytest.mark.requirement("LIM-06")
@given(
    st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(1, 90_000), _OVERS), max_size=5),
    st.integers(0, 2 * HOUR),
    st.integers(1, 2 * HOUR),
)
def test_the_peak_is_the_most_at_any_instant(
    boluses: list[tuple[int, int, int]], start: int, length: int
) -> None:
    given = [Piece(at, at + over, dose, over) for at, dose, over in boluses]
    given.append(Piece(0, DAY, 24_000, DAY))
    instants = [start, *(piece.start for piece in given)]
    rates = [
        sum((Fraction(p.dose, p.over) for p in given if p.start <= at < p.end), Fraction(0))
        for at in instants
        if start <= at < start + length
    ]
    found = peak(given, start, start + length)
    assert Fraction(found.num, found.den) == max(rates)


def test_a_whole_week_ahead_is_the_week_that_figures_tell() -> None:
    """Two ways through one schedule: looking ahead beyond a bolus of eight days, and a week."""
    program = flex(300_000, 900_000, 100_000, boluses=daily((600, 70_001, 7 * MINUTE)))
    ahead = playing(program, running=(running(0, 8 * DAY, NOW),))
    week = Figures(program, LEAST)
    for length, told in ((HOUR, week.largest_hour_of_week()), (DAY, week.largest_day())):
        assert largest(pasts.EMPTY, ahead, length).up() == told
    assert len(pieces(ahead, settled(ahead))) > 8 * 4
