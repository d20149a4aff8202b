"""Looking at every window finds faulty window rules, within a CI-size run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import pytest

from pumpctl.quantities import Duration, Mass, round_down
from pumpctl.therapy import course, windows
from pumpctl.therapy.course import Course
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.program import Program
from pumpctl.therapy.windows import Over
from tests.oracles.judge_windows import judge
from tests.oracles.tally import DIFFERENCES, Tally
from tests.oracles.test_windows import CASES, PUBLISHED, SEED, differences

Patch = pytest.MonkeyPatch


def found() -> str:
    """What the oracle says of the first case it finds, within as many as the suite runs."""
    tally = Tally()
    for index in range(CASES):
        judge(SEED, index, tally)
        if tally.counts[DIFFERENCES]:
            return "\n".join(tally.told)
    pytest.fail(f"{CASES} cases, and the fault was not found")


Rule = Callable[..., tuple[Over, ...]]


def looks_back_only(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    extra = bolus.upto(bolus.breaks[-1]) if bolus else 0
    return tuple(
        Over(length, now - length.quanta, mass, limit)
        for length, limit in limits
        if (mass := past.between(now - length.quanta, now) + extra) > limit.quanta
    )


def looks_ahead_only(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    return TRUE(past.cut(now, 10**15), program, now, limits, bolus)


def forgets_the_bolus(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    return TRUE(past, program, now, limits)


def takes_a_running_bolus_for_given_up(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    return TRUE(past.cut(0, now), program, now, limits, bolus)


def follows_a_day_only(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    ahead = course.course_of(program, now, now + 2 * DAY_MS) if program else Course(())
    whole = past + ahead + (bolus or Course(()))
    found: list[Over] = []
    for length, limit in limits:
        first = now - length.quanta + 1
        found += windows.over_limit(whole, [(length, limit)], first, now + DAY_MS)
    return tuple(found)


def judges_what_has_ended(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    return tuple(
        over for length, limit in limits
        for over in TRUE(past, program, now - length.quanta, [(length, limit)], bolus)
    )  # fmt: skip


def calls_the_limit_itself_too_much(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    lower = [(length, Mass(max(0, limit.quanta - 1))) for length, limit in limits]
    return tuple(over._replace(limit=Mass(over.limit.quanta + 1))
                 for over in TRUE(past, program, now, lower, bolus))  # fmt: skip


def allows_a_ng(
    past: Course,
    program: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
    bolus: Course | None = None,
) -> tuple[Over, ...]:
    return tuple(
        over for over in TRUE(past, program, now, limits, bolus)
        if round_down(over.mass) > over.limit.quanta
    )  # fmt: skip


TRUE: Rule = windows.windows_ahead


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize(
    "rule",
    [
        looks_back_only,
        looks_ahead_only,
        forgets_the_bolus,
        takes_a_running_bolus_for_given_up,
        follows_a_day_only,
        judges_what_has_ended,
        calls_the_limit_itself_too_much,
        allows_a_ng,
    ],
)
def test_a_faulty_window_rule_is_found(rule: Rule, monkeypatch: Patch) -> None:
    monkeypatch.setattr(windows, "windows_ahead", rule)
    assert "the oracle has" in found()


@pytest.mark.requirement("LIM-05")
def test_a_rule_that_looks_back_fails_on_the_published_history(monkeypatch: Patch) -> None:
    assert not differences(PUBLISHED, [65_000])
    monkeypatch.setattr(windows, "windows_ahead", looks_back_only)
    (told,) = differences(PUBLISHED, [65_000])
    assert told.endswith("over 65000 ng in 3600000 ms: the oracle has True, pumpctl False")


def test_a_stop_that_gives_nothing_up_is_found(monkeypatch: Patch) -> None:
    monkeypatch.setattr(Course, "cut", lambda self, start, end: self)
    assert "the oracle has" in found()


# --- a change of program ------------------------------------------------------------------------


def holds_the_past_against_a_change(
    past: Course,
    program: Program,
    left: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
) -> tuple[Over, ...]:
    return TRUE(past, program, now, limits)


def takes_going_on_for_stopped(
    past: Course,
    program: Program,
    left: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
) -> tuple[Over, ...]:
    return TRUE_WORSE(past, program, None, now, limits)


def forgets_the_past(
    past: Course,
    program: Program,
    left: Program | None,
    now: int,
    limits: Iterable[tuple[Duration, Mass]],
) -> tuple[Over, ...]:
    return TRUE_WORSE(past.cut(now, 10**15), program, left, now, limits)


def looks_at_breaks_only(
    new: Course, old: Course, window: int, first: int, last: int
) -> Iterator[tuple[Fraction, int]]:
    starts = {first, last}
    for edge in (*new.breaks, *old.breaks):
        starts.update(time for time in (edge, edge - window) if first <= time <= last)
    for time in sorted(starts):
        held = new.between(time, time + window)
        if held > old.between(time, time + window):
            yield held, time


TRUE_WORSE: Rule = windows.windows_worse


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("windows_worse", holds_the_past_against_a_change),
        ("windows_worse", takes_going_on_for_stopped),
        ("windows_worse", forgets_the_past),
        ("_worse", looks_at_breaks_only),
    ],
)
def test_a_faulty_rule_for_changes_is_found(
    name: str, fault: Callable[..., object], monkeypatch: Patch
) -> None:
    monkeypatch.setattr(windows, name, fault)
    assert ": changed, over" in found()
