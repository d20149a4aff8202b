"""A refill along the whole road: shown, refused, given up; the failures around it replayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pumpctl.quantities import Mass, Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy.checks.refills import refill_check
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.acts.refills import RefillAct
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous, written
from tests.helpers.visits import (
    PORT,
    ids,
    planned,
    refilled,
    refused,
    token_of,
    visit_file,
)


def ward(desk: Desk, text: str, days: int, *more: str) -> str:
    """A pump of 40 mL that ran this for so many days; what is left in it."""
    strength = "500 mcg/mL" if "500 mcg/mL" in text else "2000 mcg/mL"
    desk.emulator("ward", "--concentration", strength, *more)
    desk.rehearse()
    desk.program(text)
    desk.advance(f"{days}d")
    return str(desk.inspect()["reservoir"])


W22 = continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")


# --- the road -------------------------------------------------------------------------------


@pytest.mark.requirement("REF-03")
def test_volume_drug_bridge_program_and_fallback_in_one_activation(desk: Desk) -> None:
    left = ward(desk, W22, 10)
    text = continuous("110 mcg/day", fallback="105 mcg/day").replace("established", "transferred")
    profile = written(desk.files / "new.toml", text)
    before = desk.inspect()
    told = refilled(desk, left, profile=profile.name)
    after = desk.inspect()
    assert after["state_version"] == before["state_version"] + 1
    assert len(after["operations"]) == len(before["operations"]) + 1
    status = desk.pump("status")
    assert status["drug"] == {"name": "baclofen", "concentration": "2000 mcg/mL"}
    assert status["reservoir"]["volume"] == "40 mL"
    assert status["delivery"] == "bridge"
    assert status["program"]["hash"] == told["new"]["hash"] == told["readback"]["hash"]
    assert told["readback"]["fallback_rate"] == "105 mcg/day"
    assert told["change_percent"] == "10"


@pytest.mark.requirement("CNF-03")
def test_a_change_of_concentration_has_no_token_in_its_plan(desk: Desk) -> None:
    left = ward(desk, W22, 10)
    assert planned(desk, left)[1]["confirm"] is None
    assert planned(desk, left, "40 mL", "500 mcg/mL")[1]["confirm"]


@pytest.mark.requirement("PRG-04")
def test_every_field_of_the_read_back_is_compared(desk: Desk) -> None:
    """Another volume, time, pulse, bridge or program on the way, and there is no plan."""
    from pumpctl.pump.pump import Pump

    left = ward(desk, W22, 10)
    file, real = visit_file(desk, left), Pump.stage
    words = (*PORT, "refill", "--file", file, "--plan-only")

    def spoiled(**other: Any) -> Any:
        def stage(self: Pump, order: Any) -> Any:
            return real(self, order._replace(**other))

        return stage

    for other in (
        {"volume": 39_000_000},
        {"filled_at": 0},
        {"since": 1},
        {"bridge": None},
    ):
        desk.monkeypatch.setattr(Pump, "stage", spoiled(**other))
        desk.refused(8, "READBACK_DIFFERS", *words)
    desk.monkeypatch.setattr(RefillAct, "compare", lambda *_: iter(()))
    assert desk.data(*words)["readback"]["bridge"] is None, "forgotten on the way, and unnoticed"


@pytest.mark.requirement("REF-01")
def test_what_is_recorded(desk: Desk) -> None:
    left = ward(desk, FLEX, 28)
    refilled(desk, left, "36 mL", ampoule='{ mass = "40 mg", volume = "20 mL" }')
    with Journal(desk.home / "journal.sqlite3") as journal:
        bodies = [entry.body for entry in journal.entries() if entry.kind == "intent"]
    order = bodies[-1]["order"]
    told, measured = order["told"], order["measured"]
    assert (told["name"], told["concentration"]) == ("baclofen", "2000 mcg/mL")
    assert (told["lot"], told["expiry"]) == ("A1234", "2036-06-30")
    assert (told["drained"], told["injected"], measured["volume"]) == (left, "36 mL", "36 mL")
    assert measured["expected"] == left == "34.116 mL"
    assert (told["prescriber"], told["reference"]) == ("Dr A. Example", "ORD-1")


@pytest.mark.requirement("REF-02")
def test_above_the_capacity_or_too_small_for_the_interval(desk: Desk) -> None:
    left = ward(desk, continuous("200 mcg/day"), 100)
    error = refused(desk, 3, "LIMIT_HARD", left, "40.001 mL")
    assert ids(error["findings"], "hard") == ["REFILL_OVER_CAPACITY"]
    day = Moment.parse(desk.pump("status")["clock"]["pump"]).date
    # (12 - 2) / 0.1 = 100 days: soft for a visit within the week before, hard for one after it
    for visit, severity in ((94, "soft"), (101, "hard")):
        file = visit_file(desk, left, "12 mL", next_visit=str(day.plus(visit)))
        ran = desk.run(*PORT, "refill", "--file", file, "--plan-only", "--json").document
        found = ran["data"]["findings"] if ran["ok"] else ran["error"]["findings"]
        assert ids(found, severity) == ["REFILL_TOO_SMALL"]
    assert planned(desk, left, "12 mL", next_visit=str(day.plus(93)))[1]["confirm"]


def test_another_patient_s_pump(desk: Desk) -> None:
    left = ward(desk, FLEX, 28)
    error = refused(desk, 3, "LIMIT_HARD", left, tag="P-9999")
    assert ids(error["findings"], "hard") == ["PATIENT_OTHER"]


@pytest.mark.requirement("STP-03")
def test_after_two_days_without_drug_the_old_dose_is_refused_in_a_refill(desk: Desk) -> None:
    """The station says so first; without its check the pump does."""
    left = ward(desk, FLEX, 28)
    desk.pump("stop", "--now")
    desk.advance("49h")
    error = refused(desk, 3, "LIMIT_HARD", left)
    assert "STOPPED_TOO_LONG" in ids(error["findings"], "hard")
    from pumpctl.workflows.road import planning

    desk.monkeypatch.setattr(planning, "refuse_hard", lambda *_: None)
    error = refused(desk, 6, "PUMP_REFUSED", left)
    assert error["pump_code"] == "STOPPED_TOO_LONG"


def test_the_screen_fits_and_says_what_matters(desk: Desk) -> None:
    left = ward(desk, W22, 10)
    file = visit_file(desk, left)
    desk.monkeypatch.setenv("NO_COLOR", "1")
    text = desk.run(*PORT, "refill", "--file", file, "--plan-only").out
    assert max(map(len, text.splitlines())) <= 80
    for words in ("500 mcg/mL      2000 mcg/mL", "0.348 mL of 500 mcg/mL", "38 mL, 38 mL expected",
                  "25 mcg/day instead of 100 mcg/day for 6 d 23 h", "A1234, 2036-06-30",
                  "observe until"):  # fmt: skip
        assert words in text
    assert desk.run(*PORT, "refill", "--file", file).code == 9, "nobody to ask"


# --- given up -------------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
def test_given_up_because_the_port_was_not_found(desk: Desk) -> None:
    """28 days of 1.471/7 mL leave 34.116 mL: the volume stays, and so does the date of the drug."""
    left = ward(desk, FLEX, 28)
    before = desk.pump("status")["reservoir"]
    told = refilled(desk, None, given_up="port not found")
    new = told["new"]
    assert (new["volume"], new["injected"], new["drained"]) == (left, None, None)
    assert new["given_up"] == "port not found"
    assert new["discrepancy"] is None
    after = desk.pump("status")
    assert after["delivery"] == "delivering"
    assert (after["reservoir"]["volume"], after["reservoir"]["refill_by"]) == (
        before["volume"], before["refill_by"],
    )  # fmt: skip


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(("kept", "hours"), [("0 mL", 0), ("0.24 mL", 48)])
def test_given_up_after_the_drain(kept: str, hours: int, desk: Desk) -> None:
    """What is left runs dry in left / 0.12 mL/day; withdrawal begins 12 to 96 h after that."""
    left = ward(desk, continuous("240 mcg/day"), 50)
    path, told = planned(desk, left, left=kept, given_up="syringe broke")
    new = told["new"]
    dry = Moment.parse(new["runs_dry"]).utc_ms - Moment.parse(new["planned"]).utc_ms
    assert dry == hours * 3_600_000
    spans = [Moment.parse(new["withdrawal"][each]).utc_ms for each in ("from", "to")]
    start = Moment.parse(new["runs_dry"]).utc_ms
    assert [each - start for each in spans] == [12 * 3_600_000, 96 * 3_600_000]
    ran = desk.run(*PORT, "apply", path, "--confirm", token_of(path))
    assert ran.code == 0, ran.err
    assert "withdrawal begins" in ran.out and "given up" in ran.out.lower()
    seen = desk.pump("status")
    assert seen["reservoir"]["volume"] == kept
    assert seen["delivery"] == ("delivering" if hours else "empty")
    assert json.loads(desk.run(*PORT, "status", "--check", "critical", "--json").out)
    assert desk.run(*PORT, "status", "--check", "critical").code == (0 if hours else 10)


@pytest.mark.requirement("REF-01")
def test_given_up_after_a_drain_that_says_non_delivery(desk: Desk) -> None:
    """Nothing is begun again: it needs its reason, and is not refused."""
    ward(desk, continuous("240 mcg/day"), 100)
    _, told = planned(desk, "38 mL", given_up="catheter to be looked at first")
    assert ids(told["findings"], "hard") == []
    assert ids(told["findings"], "soft") == ["REFILL_DISCREPANCY"]
    reasons = {"REFILL_DISCREPANCY": "see the note"}
    refilled(desk, "38 mL", given_up="catheter to be looked at first", reasons=reasons)
    assert desk.pump("status")["reservoir"]["volume"] == "0 mL"


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
def test_failure_5_restart_after_non_delivery(desk: Desk) -> None:
    """Drained far above expected refuses the old dose (REFILL_NON_DELIVERY) and offers a lower one.

    100 days x 0.12 mL: 28 expected; 37 drained, so 3 of 12 mL were given, a quarter: 60
    mcg/day on average. Offered is no less than the smallest screening dose.
    """
    ward(desk, continuous("240 mcg/day"), 100)
    error = refused(desk, 3, "LIMIT_HARD", "37 mL")
    assert ids(error["findings"], "hard") == ["REFILL_NON_DELIVERY"]
    assert "25 %" in error["message"] and "60 mcg/day" in error["message"]
    assert desk.inspect()["delivery"] == "delivering", "the pump is not stopped for it"
    slightly = written(desk.files / "less.toml", continuous("239 mcg/day"))
    assert refused(desk, 3, "LIMIT_HARD", "37 mL", profile=slightly.name)
    low = continuous("100 mcg/day", fallback="96 mcg/day")
    reasons = {
        "REFILL_NON_DELIVERY": "Dr A. Example, in intensive care",
        "REFILL_DISCREPANCY": "twice drained",
        "DOSE_REDUCTION": "as offered",
    }
    profile = written(desk.files / "low.toml", low)
    new = refilled(desk, "37 mL", profile=profile.name, reasons=reasons)["new"]
    assert (new["discrepancy"]["meaning"], new["offer"]["had"]) == ("non_delivery", "60 mcg/day")
    watch = Moment.parse(new["observe_until"]).utc_ms - Moment.parse(new["filled_at"]).utc_ms
    assert watch == 24 * 3_600_000


@pytest.mark.requirement("REF-01")
def test_without_the_check_of_failure_5_the_old_dose_starts_again(desk: Desk) -> None:
    ward(desk, continuous("240 mcg/day"), 100)
    desk.monkeypatch.delitem(refill_check.by_id, "REFILL_NON_DELIVERY")
    reasons = {"REFILL_DISCREPANCY": "twice drained"}
    assert refilled(desk, "37 mL", reasons=reasons)["new"]["daily_dose"] == "240 mcg/day"


@pytest.mark.requirement("REF-03")
def test_failure_6_a_concentration_below_what_is_in_the_reservoir(desk: Desk) -> None:
    """The ampoule's print must make the concentration, on a closed list (REFILL_AMPOULE)."""
    left = ward(desk, FLEX, 28)
    text = FLEX.replace("2000 mcg/mL", "500 mcg/mL")
    profile = written(desk.files / "wrong.toml", text)
    printed = '{ mass = "10 mg", volume = "5 mL" }'  # 2000 mcg/mL
    error = refused(desk, 3, "LIMIT_HARD", left, "40 mL", "500 mcg/mL", ampoule=printed,
                    profile=profile.name)  # fmt: skip
    assert "REFILL_AMPOULE" in ids(error["findings"], "hard")
    for strength in ("50 mcg/mL", "200 mcg/mL", "4000 mcg/mL"):
        error = refused(desk, 3, "LIMIT_HARD", left, "40 mL", strength)
        assert "REFILL_CONCENTRATION" in ids(error["findings"], "hard")
    error = refused(
        desk, 3, "LIMIT_HARD", left, profile=profile.name
    )  # the program's, not the fill's
    assert "REFILL_PROGRAM" in ids(error["findings"], "hard")
    told = planned(desk, left, "40 mL", "500 mcg/mL")[1]
    assert told["confirm"] is None, "a change of concentration is confirmed by hand"


@pytest.mark.requirement("REF-05")
def test_failure_7_a_wrong_refill_date(desk: Desk) -> None:
    """The date is the pump's own alarm's: nothing before it, and the alarm on the day after it."""
    left = ward(desk, continuous("450 mcg/day", fallback="240 mcg/day"), 10)
    new = refilled(desk, left)["new"]
    filled = Moment.parse(new["filled_at"]).date
    assert new["low_date"] == str(filled.plus(168))  # (40 - 2) / 0.225 = 168.9
    desk.advance("168d")
    assert desk.pump("status")["alarms"] == []
    desk.advance("1d")
    assert [each["code"] for each in desk.pump("status")["alarms"]] == ["LOW_RESERVOIR"]


@pytest.mark.requirement("REF-01")
def test_failure_8_a_reservoir_sensor_that_lied(desk: Desk) -> None:
    """What is expected is counted in pulses, never sensed; a sensor that differs is an alarm."""
    left = ward(desk, FLEX, 28, "--model", "SP40S")
    desk.data("emulator", "fault", "ward", "sensor", "--volume", "5 mL", "--way", "less")
    desk.advance("1d")
    alarms = [each["code"] for each in desk.pump("status")["alarms"]]
    assert alarms == ["VOLUME_DISAGREES"]
    expected = desk.inspect()["believed"]["reservoir"]
    assert Volume.parse(expected) < Volume.parse(left)
    _, told = planned(desk, expected, "38 mL")
    new = told["new"]
    assert (new["expected"], new["estimated"], new["discrepancy"]["meaning"]) == (
        expected, expected, "within",
    )  # fmt: skip
    assert ids(told["findings"], "soft") == ["REFILL_POCKET_FILL"], "a person decides which lies"


@pytest.mark.requirement("REF-01")
def test_failure_10_drug_injected_beside_the_reservoir(desk: Desk) -> None:
    """A sensor that shows less than was injected ends the refill with exit 12: act now."""
    left = ward(desk, FLEX, 28, "--model", "SP40S")
    desk.data("emulator", "fault", "ward", "pocket", "--volume", "5 mL")
    path, _ = planned(desk, left)
    document = desk.json(*PORT, "apply", path, "--confirm", token_of(path), code=12)
    assert document["error"]["changed"] == "yes"
    assert "beside the reservoir" in document["error"]["message"]
    assert Mass.parse(desk.inspect()["spilled"]["mass"]["baclofen"]) == Mass.parse("10000 mcg")


@pytest.mark.requirement("REF-01")
def test_failure_10_seen_by_the_sensor_before_anything_is_activated(desk: Desk) -> None:
    """Injected against sensed, beyond 2 mL, needs a decision (REFILL_POCKET_FILL)."""
    left = ward(desk, FLEX, 84, "--model", "SP40S")  # 40 - 12 x 1.471 = 22.348
    desk.data("emulator", "fault", "ward", "drain", "--volume", left)
    desk.data("emulator", "fault", "ward", "pocket", "--volume", "5 mL")
    syringe = ("--volume", "40 mL", "--concentration", "2000 mcg/mL")
    desk.data("emulator", "fault", "ward", "fill", *syringe)
    _, told = planned(desk, left)
    assert (told["new"]["sensed"], told["new"]["volume"]) == ("35 mL", "40 mL")
    assert ids(told["findings"], "soft") == ["REFILL_POCKET_FILL"]
    assert told["confirm"] is None


@pytest.mark.requirement("REF-01")
def test_failure_10_without_a_sensor_the_screen_says_that_it_cannot_see(desk: Desk) -> None:
    """Without a sensor the software says that it cannot see a pocket fill (REFILL_NO_SENSOR)."""
    left = ward(desk, FLEX, 28)
    assert "REFILL_NO_SENSOR" in ids(planned(desk, left)[1]["findings"], "note")


@pytest.mark.requirement("REF-01")
def test_failure_11_over_infusion_while_the_alarm_is_silent(desk: Desk) -> None:
    """Drained below expected by the ratio needs a decision (REFILL_DISCREPANCY); no alarm tells it.

    100 days x 0.225 = 22.5 mL; 15 % more are 25.875, so that 14.125 are left, not 17.5.
    """
    profile = continuous("450 mcg/day", fallback="240 mcg/day")
    left = ward(desk, profile, 100, "--pulse-error", "15 %", "--way", "more")
    assert left == "14.125 mL"
    assert desk.pump("status")["alarms"] == []
    _, told = planned(desk, left, "20 mL")
    assert told["new"]["expected"] == "17.5 mL"
    assert told["new"]["discrepancy"]["ratio"] == "1.1500"
    assert told["new"]["discrepancy"]["meaning"] == "over_infusion"
    assert ids(told["findings"], "soft") == ["REFILL_DISCREPANCY"]
    assert told["confirm"] is None
    with desk.untouched():
        path = desk.files / "refill.plan.json"
        desk.refused(3, "LIMIT_SOFT", *PORT, "apply", path, "--confirm", token_of(path))


@pytest.mark.requirement("REF-03")
def test_failure_12_a_bridge_that_was_forgotten(desk: Desk) -> None:
    """The bridge is part of the refill; leaving it out needs a reason by name (BRIDGE_LEFT_OUT)."""
    left = ward(desk, W22, 10)
    assert planned(desk, left)[1]["new"]["bridge"]["volume"] == "0.348 mL"
    _, told = planned(desk, left, bridge="none")
    assert ids(told["findings"], "soft") == ["BRIDGE_LEFT_OUT"]
    refilled(desk, left, bridge="none", reasons={"BRIDGE_LEFT_OUT": "rehearsal"})
    desk.advance("1d")
    _, told = planned(desk, "39.95 mL", reference="ORD-2")
    assert "BRIDGE_FORGOTTEN" in ids(told["findings"], "soft"), "told again until it is repaired"
    repair = desk.files / "repair.json"
    bridge = desk.pump("bolus", "bridge", "--plan-only", "-o", repair)
    assert bridge["new"]["bridge"]["left"] == "0.298 mL"  # 0.348 - 0.05
    desk.apply(repair, bridge["confirm"])
    assert desk.inspect()["delivery"] == "bridge"


def test_a_plan_that_was_made_on_paper_is_read_in_another_process(desk: Desk) -> None:
    left = ward(desk, W22, 10)
    path, told = planned(desk, left)
    assert isinstance(path, Path)
    from pumpctl.station.plan import read_plan
    from pumpctl.workflows.acts.registry import act_of

    act = act_of(read_plan(path))
    assert isinstance(act, RefillAct)
    assert (act.patient, act.by_hand) == ("P-0417", True)
    assert act.kept() == read_plan(path).order
    assert str(act.measured.expected) == told["new"]["expected"]
