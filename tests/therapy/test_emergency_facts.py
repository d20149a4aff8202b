"""Alarms with what to do, and the facts of an emergency's card, from values alone."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Duration
from pumpctl.therapy import emergency
from pumpctl.therapy.alarms import WHAT_TO_DO, alarm_warnings, tell_alarms
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Alarm, Priority
from pumpctl.wire.codes import AlarmCode


@pytest.mark.requirement("ALM-02")
def test_every_alarm_has_its_line_of_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(AlarmCode.__members__)
    assert all(len(act) <= 74 for act in WHAT_TO_DO.values())


@pytest.mark.requirement("ALM-02")
def test_critical_alarms_come_first_with_their_cause() -> None:
    at = Moment.parse("2026-03-02T09:03:00Z")
    low = Alarm("LOW_RESERVOIR", Priority.NON_CRITICAL, "2 mL are left", at)
    stall = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", at)
    first, second = tell_alarms((low, stall))
    assert first.critical and not second.critical
    assert first.line == (
        "ALARM MOTOR_STALL (critical) since 2026-03-02 09:03: the motor does not turn"
    )
    assert [code for code, _ in alarm_warnings((low, stall))] == ["ALARM_ACTIVE"] * 2
    assert "Watch for withdrawal" in alarm_warnings((stall,))[0][1]
    assert tell_alarms((low._replace(code="NEW_ONE"),))[0].act


@pytest.mark.requirement("PMP-03")
def test_an_empty_reservoir_is_told_as_an_estimate() -> None:
    assert "estimate" in WHAT_TO_DO["EMPTY_RESERVOIR"]


def test_what_an_old_record_lacks_is_left_out() -> None:
    assert [fact.key for fact in emergency.facts({}, Duration(0))]
    assert emergency.facts_json({})["rate"] is None


def test_ages() -> None:
    now = Moment.parse("2026-03-02T09:00:00Z")
    ages = {0: "0 min ago", 61: "1 h ago", 1_440: "1 day ago", 2_880: "2 days ago"}
    for minutes, text in ages.items():
        assert emergency.age_text(now.plus(-minutes * 60_000), now) == text
    assert "ahead" in emergency.age_text(now.plus(120_000), now)


# --- facts ------------------------------------------------------------------------------

DATA: dict[str, Any] = {
    "delivery": "delivering",
    "rate": "336 mcg/day",
    "program": {"daily_dose": "438 mcg/day", "mode": "flex"},
    "drug": {"name": "baclofen", "concentration": "2000 mcg/mL"},
    "line": {"at_tip": {"concentration": "2000 mcg/mL"}},
    "reservoir": {"volume": "38 mL", "capacity": "40 mL"},
    "alarms": [],
}
BOLUS = {"kind": "single", "dose": "20 mcg", "started": "2026-03-02T09:00:00Z", "ended": None}


def shown(age: str = "0 s", **other: Any) -> dict[str, str]:
    found = emergency.facts({**DATA, **other}, Duration.parse(age))
    return {fact.key: fact.text for fact in found}


def test_mass_per_hour_and_day_and_its_volume() -> None:
    told = shown()
    # 336 ÷ 24 = 14 mcg/h; 336 ÷ 2000 = 0.168 mL/day; 38 mL × 2000 mcg/mL = 76 000 mcg
    assert told["rate"] == "14 mcg/h = 336 mcg/day = 0.168 mL/day"
    assert told["daily_dose"] == "438 mcg/day = 0.219 mL/day, flex"
    assert told["reservoir"] == "38 mL = 76000 mcg of 40 mL, estimated"
    assert told["drug"] == "baclofen 2000 mcg/mL"
    sensed = shown(reservoir={"volume": "38 mL", "capacity": "40 mL", "sensed": "19 mL"})
    assert sensed["reservoir"].endswith("sensed 19 mL")
    bare = shown(drug={"name": "baclofen"}, line={})
    assert bare["reservoir"] == "38 mL of 40 mL, estimated"


def test_the_last_bolus() -> None:
    running = shown(last_bolus={**BOLUS, "given": "5 mcg", "running": True}, delivery="bolus")
    assert running["last_bolus"] == "RUNNING, single: 5 mcg = 0.0025 mL of 20 mcg given so far"
    assert running["rate"].endswith("basal, and a bolus runs")
    bare = shown(drug={}, last_bolus={**BOLUS, "given": "5 mcg", "running": True})
    assert bare["last_bolus"] == "RUNNING, single: 5 mcg of 20 mcg given so far"
    cut = shown(last_bolus={**BOLUS, "given": "5 mcg", "partial": True})
    assert cut["last_bolus"] == (
        "single: 5 mcg given of 20 mcg ordered, CUT SHORT, 2026-03-02 09:00"
    )
    lost = shown(last_bolus={**BOLUS, "given": None, "started": None})
    assert lost["last_bolus"] == "single: 20 mcg ordered; its end is not known"


def test_a_last_bolus_that_may_not_be_the_last_is_not_shown_as_it() -> None:
    doubt = {"last_bolus_doubt": "the log was not read"}
    assert shown(**doubt)["last_bolus"] == "NOT KNOWN: the log was not read"
    ended = {**BOLUS, "given": "20 mcg", "ended": "2026-03-02T09:10:00Z"}
    assert shown(last_bolus=ended, **doubt)["last_bolus"] == (
        "NOT KNOWN: the log was not read; before that single: 20 mcg given, 2026-03-02 09:10"
    )
    runs = shown(last_bolus={**BOLUS, "given": "5 mcg", "running": True}, **doubt)
    assert runs["last_bolus"].startswith("RUNNING"), "the pump itself says which one runs"
    (fact,) = [
        each for each in emergency.facts({**DATA, **doubt}, None) if each.key == "last_bolus"
    ]
    assert fact.alert


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(
    ("pause", "age", "rule", "resumes"),
    [
        ("11.9 h", "0 s", "the same dose may be resumed", True),
        ("12 h", "0 s", "an override", True),
        ("47 h", "1 h", "an override", True),
        ("48 h", "1 min", "the old dose is refused", False),
        ("1 h", "3 d", "the old dose is refused", False),
    ],
)
def test_what_a_pause_still_allows(pause: str, age: str, rule: str, resumes: bool) -> None:
    stopped = {"delivery": "stopped", "rate": None, "stopped_for": pause}
    told = shown(age, **stopped)
    assert rule in told["stopped_for"]
    assert told["rate"] == "nothing: stopped"
    assert told["daily_dose"].endswith("NOT running")
    assert emergency.may_resume({**DATA, **stopped}, Duration.parse(age)) is resumes


@pytest.mark.requirement("STP-03")
def test_a_pause_of_which_nobody_knows_how_old_it_is_allows_nothing() -> None:
    stopped = {**DATA, "delivery": "stopped", "rate": None, "stopped_for": "5 h"}
    told = {fact.key: fact.text for fact in emergency.facts(stopped, None)}
    assert told["stopped_for"] == "5 h 00 min then; how long ago that was nobody knows"
    assert not emergency.may_resume(stopped, None)
    assert emergency.may_resume(stopped, Duration(0))


def test_a_pump_that_delivers_is_not_resumed() -> None:
    assert not emergency.may_resume(DATA, Duration(0))


def test_alarms_and_an_open_operation_are_told() -> None:
    told = shown(alarms=[{"code": "MOTOR_STALL"}], unresolved={"operation": "ab"})
    assert told["alarms"] == "MOTOR_STALL"
    assert "pumpctl resolve" in told["unresolved"]


@pytest.mark.requirement("STP-02")
def test_no_card_offers_minimum_rate() -> None:
    for guidance in emergency.GUIDANCE.values():
        assert all("minimum" not in step.text.lower() for step in guidance.steps)


# --- what really leaves the tip --------------------------------------------------------------


def given(**other: object) -> dict[str, object]:
    """300 mcg/day of 1000 mcg/mL, with 2000 mcg/mL still in the line."""
    tip = {"name": "baclofen", "concentration": "2000 mcg/mL"}
    return {
        "delivery": "delivering",
        "rate": "300 mcg/day",
        "program": {"daily_dose": "300 mcg/day", "mode": "continuous"},
        "drug": {"name": "baclofen", "concentration": "1000 mcg/mL"},
        "line": {"at_tip": tip},
        "bridge": None,
        **other,
    }


def texts(data: dict[str, object]) -> dict[str, str]:
    return {fact.key: fact.text for fact in emergency.facts(data, Duration(0))}


def test_an_old_record_that_names_no_drug_in_the_line_is_no_mass() -> None:
    data = given(line={"at_tip": {"concentration": "2000 mcg/mL"}})
    assert emergency.rate_at_tip(data) is None
    assert texts(data)["drug"] == "baclofen 1000 mcg/mL; at the catheter's tip 2000 mcg/mL"


@pytest.mark.requirement("REF-08")
def test_a_bridge_that_was_left_out_gives_what_the_line_holds() -> None:
    """300 ÷ 1000 = 0.3 mL/day of 2000 mcg/mL: 600 mcg/day = 25 mcg/h."""
    told = texts(given())
    assert told["rate"] == "12.5 mcg/h = 300 mcg/day = 0.3 mL/day"
    assert told["rate_at_tip"].startswith("25 mcg/h = 600 mcg/day")
    assert emergency.facts_json(given())["rate_at_tip"] == "600 mcg/day"


@pytest.mark.requirement("REF-08")
def test_a_bridge_is_metered_at_what_is_at_the_tip() -> None:
    """300 ÷ 2000 = 0.15 mL/day; the new program runs after it, at 300 ÷ 1000 = 0.3 mL/day."""
    told = texts(given(delivery="bridge", bridge={"volume": "0.348 mL", "passed": "0 mL"}))
    assert told["rate"] == "12.5 mcg/h = 300 mcg/day = 0.15 mL/day"
    assert "rate_at_tip" not in told, "what the pump says is what is given"
    assert told["daily_dose"] == "300 mcg/day = 0.3 mL/day, continuous, after the bridge"


@pytest.mark.parametrize(
    ("other", "real"),
    [
        ({"line": {"at_tip": {"name": "baclofen", "concentration": "500 mcg/mL"}}}, "150 mcg/day"),
        ({"line": {"at_tip": {"name": "none", "concentration": "0 mcg/mL"}}}, "0 mcg/day"),
        ({"line": {"at_tip": {"name": "other", "concentration": "500 mcg/mL"}}}, None),
        ({"line": {"at_tip": {"name": "baclofen", "concentration": "1000 mcg/mL"}}}, None),
        ({"line": {}}, None),
        ({"delivery": "empty"}, None),
        ({"delivery": "stopped", "rate": None}, None),
    ],
)
def test_what_else_the_line_may_hold(other: dict[str, object], real: str | None) -> None:
    found = emergency.rate_at_tip(given(**other))
    assert (None if found is None else str(found)) == real


def test_a_bolus_s_volume_is_that_of_what_it_is_metered_by() -> None:
    """In a bridge 10 mcg of 2000 mcg/mL are 0.005 mL; by the reservoir's 1000 it is 0.01 mL."""
    runs = {"kind": "scheduled", "dose": "20 mcg", "given": "10 mcg", "running": True}
    told = texts(given(last_bolus=runs, bridge={"volume": "0.348 mL", "passed": "0 mL"}))
    assert told["last_bolus"] == "RUNNING, scheduled: 10 mcg = 0.005 mL of 20 mcg given so far"


def test_an_empty_pump_s_rate_is_what_was_ordered() -> None:
    assert texts(given(delivery="empty"))["rate"].endswith("ordered: by its own count it is EMPTY")
