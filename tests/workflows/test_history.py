"""A pump's history out of its log and our journal, against lives of which the truth is known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pumpctl.errors import InputRefused
from pumpctl.pump.encode import program_hash
from pumpctl.quantities import Concentration, Flow
from pumpctl.station.journal import Journal
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.past import Ordered
from pumpctl.therapy.state import PumpState
from pumpctl.wire import codes
from pumpctl.wire.codes import LogKind
from pumpctl.workflows.course import going_back
from pumpctl.workflows.course.history import History, history_of
from pumpctl.workflows.course.history_at import program_at
from tests.therapy.samples import NOW, even
from tests.workflows.histories import HOUR, MADE, SERIAL, Life, steady

RULES = {"spasticity_origin": "spinal", "age_group": "adult", "history": "established"}
TAG = bytes(range(1, 9))


def visiting(life: Life, home: Path, state: PumpState | None = None) -> Any:
    """A visit of this pump by a station whose journal holds this life's own changes."""
    path = home / "journal.sqlite3"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        for operation, noted in life.intents.items():
            body = {**noted.body, "label_rules": RULES, "tag": TAG.hex(), "operator": "nurse"}
            for kind, told in (("intent", body), ("outcome", {"outcome": "applied"})):
                journal.append(
                    kind,  # type: ignore[arg-type]
                    at=str(MADE), pump=SERIAL, operation=operation, body=told,
                )  # fmt: skip
    shown = life.state() if state is None else state
    return SimpleNamespace(
        serial=SERIAL,
        state=lambda: shown,
        station=SimpleNamespace(home=SimpleNamespace(journal=path), tell=print),
        pump=SimpleNamespace(log=life.log, identity=SimpleNamespace(least_flow=Flow(48_000))),
    )


def told(life: Life, home: Path) -> History:
    return history_of(visiting(life, home))


def doses(found: History) -> list[int]:
    """mcg/day of each, the oldest first."""
    return [Life._rate(each.program) // 1_000 for each in reversed(found.held)]


def set_clock(life: Life, by: int) -> None:
    """As a pump writes it down: the activation by the old clock, then both."""
    old = MADE.utc_ms + life.shift + life.at
    life.neutral(codes.Kind.CLOCK)
    life.add(LogKind.CLOCK_SET, old, old + by, bytes(20))
    life.shift += by


# --- how far it reaches ---------------------------------------------------------------------


def test_a_whole_life(tmp_path: Path) -> None:
    life = steady(30, 100)
    life.change(even("110 mcg/day"))
    life.wait(5 * HOUR)
    found = told(life, tmp_path)
    assert doses(found) == [96, 100, 110]
    assert found.incomplete is None
    assert [each.begin_counter_ms for each in reversed(found.held)] == [0, HOUR, 31 * HOUR]


def test_two_foreign_changes_end_it(tmp_path: Path) -> None:
    """What was between them is known to nobody here; the later one the pump tells itself."""
    life = steady(30, 100)
    life.change(even("110 mcg/day"), own=False)
    life.wait(HOUR)
    life.change(even("120 mcg/day"), own=False)
    life.wait(HOUR)
    found = told(life, tmp_path)
    assert doses(found) == [120]
    assert "another station" in str(found.incomplete)
    (only,) = found.held
    assert only.by is not None
    assert only.by.operator is None


def test_a_foreign_change_that_our_next_one_replaced(tmp_path: Path) -> None:
    """Our intent names what it replaced."""
    life = steady(30, 100)
    life.change(even("110 mcg/day"), own=False)
    life.wait(HOUR)
    life.change(even("120 mcg/day"))
    found = told(life, tmp_path)
    assert doses(found)[-2:] == [110, 120]
    assert found.held[1].by is not None
    assert found.held[1].by.operator is None


def test_a_foreign_program_that_was_stopped_and_resumed_is_not_named(tmp_path: Path) -> None:
    """The stops of what nobody can name are not told as another program's."""
    life = steady(30, 100)
    life.change(even("110 mcg/day"), own=False)
    life.wait(HOUR)
    life.stop()
    life.wait(HOUR)
    life.resume()
    life.wait(HOUR)
    life.change(even("120 mcg/day"), own=False)
    found = told(life, tmp_path)
    assert doses(found) == [120]
    assert found.held[0].events == ()
    assert found.incomplete is not None


def test_a_log_that_does_not_reach_back(tmp_path: Path) -> None:
    """The program is known from what replaced it; its beginning is not."""
    life = steady(30, 100)
    life.change(even("110 mcg/day"))
    life.wait(5 * HOUR)
    life.log_first = 20
    found = told(life, tmp_path)
    assert doses(found) == [100, 110]
    assert (found.held[1].begin, found.held[1].by) == (None, None)
    assert found.held[1].end_counter_ms == 31 * HOUR
    assert "far enough" in str(found.incomplete)


def test_a_damaged_entry_ends_it(tmp_path: Path) -> None:
    life = steady(30, 100)
    life.change(even("110 mcg/day"))
    life.wait(5 * HOUR)
    life.raw[9] = bytes(80)
    found = told(life, tmp_path)
    assert doses(found) == [110]
    assert found.held[0].begin is None
    assert "10" in str(found.incomplete)


def test_the_fallback_is_told_where_it_began(tmp_path: Path) -> None:
    life = steady(30, 240)
    life.fallback(150_000)
    life.wait(HOUR)
    found = told(life, tmp_path)
    event = found.held[0].events[-1]
    assert (event.what, str(event.rate), event.by) == ("fallback", "150 mcg/day", None)
    assert program_at(found, MADE.plus(31 * HOUR)).state == "fallback"
    assert program_at(found, MADE.plus(31 * HOUR)).hash is None, "no program has this hash"
    assert program_at(found, MADE.plus(30 * HOUR)).state == "running"


# --- at a time, by a clock that was set -----------------------------------------------------


def test_a_time_that_the_clock_showed_twice(tmp_path: Path) -> None:
    """Set back by 2 h at 31 h: what it showed at 30.5 h it showed again at 32.5 h, with 110."""
    life = steady(30, 100)
    set_clock(life, -2 * HOUR)
    life.change(even("110 mcg/day"))
    life.wait(5 * HOUR)
    found = told(life, tmp_path)
    with pytest.raises(InputRefused, match="more than once"):
        program_at(found, MADE.plus(30 * HOUR + HOUR // 2))
    assert str(program_at(found, MADE.plus(28 * HOUR)).program.days[0][0].rate) == "100 mcg/day"
    assert str(program_at(found, MADE.plus(33 * HOUR)).program.days[0][0].rate) == "110 mcg/day"


def test_a_time_shown_twice_under_one_program_is_no_question(tmp_path: Path) -> None:
    life = steady(30, 100)
    set_clock(life, -2 * HOUR)
    life.wait(5 * HOUR)
    found = told(life, tmp_path)
    then = program_at(found, MADE.plus(30 * HOUR))
    assert then.hash == program_hash(even("100 mcg/day"))


def test_a_time_that_the_clock_never_showed(tmp_path: Path) -> None:
    """Set forward from 31 h by 2 h: it never showed 32 h."""
    life = steady(30, 100)
    set_clock(life, 2 * HOUR)
    life.wait(5 * HOUR)
    found = told(life, tmp_path)
    with pytest.raises(InputRefused, match="never showed"):
        program_at(found, MADE.plus(32 * HOUR))
    assert program_at(found, MADE.plus(34 * HOUR)).state == "running"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["own", "foreign", "stop", "resume", "neutral", "wait"]),
        st.integers(100, 400),
        st.integers(1, 40),
    ),
    max_size=12,
)


def lived(steps: list[tuple[str, int, int]]) -> Life:
    """A life of these steps; those that make no sense are left out."""
    life = Life()
    life.wait(HOUR)
    for what, daily, hours in steps:
        if what in ("own", "foreign"):
            life.change(even(f"{daily} mcg/day"), own=what == "own")
        elif what == "stop":
            life.stop()
        elif what == "resume" and life.stopped_at is not None:
            life.resume()
        elif what == "neutral":
            life.neutral()
        life.wait(hours * HOUR)
    return life


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_is_told_is_true(tmp_path: Path, steps: list[tuple[str, int, int]]) -> None:
    """Every half hour of every life: what is told is what ran, and nothing is told beyond."""
    life = lived(steps)
    found = told(life, tmp_path)
    truth = [*life.orders, Ordered(life.at + 1, None)]
    for each, after in pairwise(truth):
        for count in range(each.at, after.at, HOUR // 2):
            try:
                then = program_at(found, MADE.plus(count))
            except InputRefused:
                assert found.incomplete is not None
                continue
            assert (then.state == "stopped") == (each.program is None), count
            if each.program is not None:
                assert Life._rate(then.program) == Life._rate(each.program), count
    if found.incomplete is None and not any(step[0] == "foreign" for step in steps):
        assert len(found.held) == 1 + sum(step[0] == "own" for step in steps)


# --- going back -----------------------------------------------------------------------------


def two_doses() -> Life:
    life = steady(30, 100)
    life.change(even("110 mcg/day"))
    life.wait(30 * HOUR)
    return life


def digits(daily: str) -> str:
    return program_hash(even(daily)).hex()[:8]


def test_the_patient_is_whoever_the_pump_holds(tmp_path: Path) -> None:
    life = two_doses()
    visit = visiting(life, tmp_path, life.state()._replace(tag_hash=TAG))
    act = going_back.back_to(digits("100 mcg/day"))(visit)
    assert act.tag(visit.state()) == TAG
    assert act.patient == ""
    assert act.whom is not None
    assert (act.whom.spasticity_origin, act.whom.age_group) == ("spinal", "adult")
    found = check_change(act.profile, visit.state(), station_now=NOW)
    assert not [each for each in found if each.id.startswith("PATIENT")]


def test_an_older_program_at_another_concentration_is_hard(tmp_path: Path) -> None:
    """500 mcg/mL in the pump, and a program of 2000."""
    life = two_doses()
    state = life.state()._replace(tag_hash=TAG, concentration=Concentration(500))
    act = going_back.back_to(digits("100 mcg/day"))(visiting(life, tmp_path, state))
    found = check_change(act.profile, state, station_now=NOW)
    hard = {each.id for each in found if each.severity is Severity.HARD}
    assert "CONCENTRATION_OTHER" in hard


def test_what_ran_for_another_patient_is_not_gone_back_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pump's patient was set between; without that look it would be planned."""
    life = steady(30, 100)
    life.neutral(codes.Kind.PATIENT)
    life.change(even("110 mcg/day"))
    life.wait(30 * HOUR)
    visit = visiting(life, tmp_path, life.state()._replace(tag_hash=TAG))
    with pytest.raises(InputRefused, match="another patient"):
        going_back.back_to(digits("100 mcg/day"))(visit)
    monkeypatch.setattr(going_back, "_assigned_at", lambda _: -1)
    assert going_back.back_to(digits("100 mcg/day"))(visit).program == even("100 mcg/day")
