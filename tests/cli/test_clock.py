"""`clock`: both clocks, and never set silently (TIM-02)."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.cli import edge
from pumpctl.pump.pump import Pump
from pumpctl.pump.readbacks import ClockBack
from pumpctl.station.plan import read_plan
from pumpctl.therapy.checks.clocks import clock_check
from pumpctl.workflows.acts.clocks import ClockAct
from pumpctl.workflows.acts.planned import planned_readback
from pumpctl.workflows.acts.registry import act_of
from tests.helpers.boluses import PORT, Day, bolus_of, even
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX

SET = ("clock", "--set")
NIGHT = bolus_of("20 mcg", "10 min", "02:30")


def at(day: Day, text: str) -> None:
    """What the station's clock shows, and goes on showing."""
    day.desk.monkeypatch.setenv("PUMPCTL_NOW", text)
    day.desk.monkeypatch.setattr(edge, "ticker", lambda: 0.0)


# --- looking -----------------------------------------------------------------------------


@pytest.mark.requirement("TIM-02")
def test_it_shows_both_clocks_and_changes_nothing(desk: Desk) -> None:
    day = Day(desk)
    at(day, "2026-03-23T01:00:05+01:00")
    with desk.untouched():
        told = desk.pump("clock")
        ran = desk.run(*PORT, "clock")
    assert told == {
        "pump": "2026-03-23T00:00:00Z",
        "station": "2026-03-23T01:00:05+01:00",
        "difference": "-3605 s",
        "last_set": None,
        "last_set_known": True,
        "rehearsal": True,
    }
    assert "behind the station by 01:00 h" in ran.out
    assert "never set" in ran.out


@pytest.mark.requirement("TIM-02")
def test_words_of_a_setting_without_set_are_no_order(desk: Desk) -> None:
    day = Day(desk)
    for words in (["--offset", "+02:00"], ["--plan-only"], ["-o", desk.files / "c.json"]):
        assert desk.json(*PORT, "clock", *words, code=2)["error"]["code"] == "USAGE"
    for offset in ("2", "+2:00", "02:00", "+15:00", "Europe/Berlin"):
        with desk.untouched():
            assert desk.run(*PORT, *SET, "--offset", offset).code == 2
    with desk.untouched():
        desk.refused(9, "NOT_CONFIRMED", *PORT, *SET)
        day.refused(*SET, code=3, name="INPUT")  # in step: there is nothing to set


@pytest.mark.requirement("TIM-02")
@pytest.mark.requirement("TIM-01")
def test_it_is_set_on_request_and_the_log_says_so(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    before = desk.inspect()
    at(day, "2026-03-23T14:07:30+01:00")
    path, told = day.plan(*SET)
    assert (told["old"]["clock"], told["new"]["clock"]) == (
        "2026-03-23T00:00:00Z",
        "2026-03-23T14:07:30+01:00",
    )
    # 13:07:30 by UTC, and 60 minutes of offset.
    assert (told["readback"]["shift_ms"], told["readback"]["offset_min"]) == (47_250_000, 60)
    assert told["new"]["shift"] == "+14 h 7 min 30 s"
    done = desk.apply(path, told["confirm"])
    assert (done["outcome"], done["verified"]) == ("applied", True)
    seen = desk.pump("clock")
    assert seen["pump"] == seen["station"] == "2026-03-23T14:07:30+01:00"
    assert seen["last_set"]["operation"] == done["operation"]
    assert seen["last_set"]["old"] == "2026-03-23T00:00:00Z"
    after = desk.inspect()
    assert after["program"]["hash"] == before["program"]["hash"]
    assert after["pulses"] == before["pulses"], "a label moves nothing"


@pytest.mark.requirement("CNF-02")
def test_what_is_typed_is_the_time_that_the_screen_shows(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    at(day, "2026-03-23T14:07:59+01:00")
    path, _ = day.plan(*SET)
    plan = read_plan(path)
    challenge = act_of(plan).challenge(plan.old, planned_readback(plan))
    assert challenge.wanted == ("14:07",), "however long it takes to type it"


@pytest.mark.requirement("TIM-02")
def test_a_plan_that_is_applied_later_is_still_right(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    day.clock.passes("7 min")  # the station's clock goes, the pump's stood still
    path, told = day.plan(*SET)
    day.clock.passes("40 min")
    day.wait("40 min")
    desk.apply(path, told["confirm"])
    assert desk.pump("clock")["difference"] == "0 s"


@pytest.mark.requirement("PRG-04")
def test_a_plan_that_would_now_jump_over_something_else_is_not_applied(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    day.wait("2 h")
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    day.clock.passes("3 h")
    path, told = day.plan(*SET)
    assert told["readback"]["missed"] == 1
    day.wait("30 min")
    day.clock.passes("30 min")
    document = desk.json(*PORT, "apply", path, "--confirm", told["confirm"], code=8)
    assert document["error"]["changed"] == "no"


# --- which clock is the wrong one --------------------------------------------------------------


@pytest.mark.requirement("TIM-02")
@pytest.mark.parametrize("removed", [False, True])
def test_more_than_a_day_needs_a_reason(removed: bool, desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    at(day, "2026-03-24T00:00:00Z")
    assert day.found(*SET) == {}
    at(day, "2026-03-24T00:00:01Z")
    if removed:
        desk.monkeypatch.delitem(clock_check.by_id, "CLOCK_SET_FAR")
        assert day.found(*SET) == {}
        return
    assert day.found(*SET) == {"CLOCK_SET_FAR": ("soft", "+1 d 1 s")}
    day.act(*SET, "--override", "CLOCK_SET_FAR=the pump's clock was lost")


@pytest.mark.requirement("TIM-02")
def test_a_station_that_shows_the_past_is_refused_by_the_pump(desk: Desk) -> None:
    day = Day(desk)
    at(day, "2026-03-22T23:59:59Z")
    error = day.refused(*SET, code=6, name="PUMP_REFUSED")
    assert error["pump_code"] == "CLOCK"


@pytest.mark.requirement("TIM-02")
@pytest.mark.requirement("STP-03")
def test_failure_13_a_wrong_clock_bars_a_time_of_day_schedule_until_it_is_set(desk: Desk) -> None:
    """A schedule by time of day is refused until both clocks agree, and none is set silently."""
    day = Day(desk)
    day.program(FLEX)
    desk.pump("stop", "--now")
    at(day, "2026-03-23T01:00:00Z")
    assert day.hard("resume") == {"CLOCK_DIFFERENCE"}
    assert desk.pump("clock")["difference"] == "-3600 s", "still: nobody set it"
    day.act(*SET)
    assert day.act("resume")["delivery"] == "delivering"


# --- the pump's word ---------------------------------------------------------------------------


@pytest.mark.requirement("PRG-04")
@pytest.mark.parametrize("field", ["missed", "shift_ms", "offset_min"])
def test_a_read_back_that_differs_ends_it(field: str, desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    at(day, "2026-03-23T03:00:00Z")
    real = Pump.readback

    def other(self: Pump) -> Any:
        back = real(self)
        assert isinstance(back, ClockBack)
        return back._replace(**{field: getattr(back, field) + 1})

    desk.monkeypatch.setattr(Pump, "readback", other)
    path = desk.files / "c.json"
    desk.refused(8, "READBACK_DIFFERS", *PORT, *SET, "--plan-only", "-o", path)
    desk.monkeypatch.setattr(ClockAct, "compare", lambda *_: iter(()))
    desk.pump(*SET, "--plan-only", "-o", path)  # seen to pass without the comparison


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("removed", [False, True])
def test_a_clock_that_is_not_what_was_planned(removed: bool, desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    at(day, "2026-03-23T03:00:00Z")
    path, told = day.plan(*SET)
    real = Pump.state

    def elsewhere(self: Pump) -> Any:
        state = real(self)
        if state.state_version == 3:
            return state
        return state._replace(clock=state.clock.plus(60_000))

    desk.monkeypatch.setattr(Pump, "state", elsewhere)
    version = desk.pump("status")["state_version"]
    assert version == 3
    if removed:
        desk.monkeypatch.setattr(ClockAct, "verify", lambda *_: iter(()))
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    assert desk.json(*words, code=0 if removed else 12)["ok"] is removed


@pytest.mark.requirement("TIM-01")
@pytest.mark.requirement("TIM-02")
def test_a_clock_that_was_lost_with_the_memory_is_put_right(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    day.wait("30 h")
    desk.data("emulator", "fault", "ward", "retained")
    at(day, "2026-03-24T08:00:00Z")
    seen = desk.pump("status")
    assert "CLOCK_LOST" in {alarm["code"] for alarm in seen["alarms"]}
    path, told = day.plan(*SET)
    assert told["readback"]["missed"] == told["new"]["jumped"]
    desk.apply(path, told["confirm"])
    seen = desk.pump("status")
    assert seen["clock"]["difference"] == "0 s"
    assert "CLOCK_LOST" not in {alarm["code"] for alarm in seen["alarms"]}


@pytest.mark.requirement("TIM-03")
def test_on_the_fallback_rate_nothing_is_scheduled(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", NIGHT))
    desk.data("emulator", "fault", "ward", "memory", "--count", "2")
    day.wait("25 h")
    at(day, "2026-03-24T05:00:00Z")
    seen = desk.pump("status")
    assert seen["delivery"] == "fallback"
    path, told = day.plan(*SET)
    assert [each["id"] for each in told["findings"]] == ["CLOCK_SET_UNSEEN"]
    assert told["readback"]["missed"] == 0
    assert desk.apply(path, told["confirm"])["delivery"] == "fallback"
