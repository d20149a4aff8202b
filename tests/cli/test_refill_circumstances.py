"""Refills of pumps that are not in their ordinary state, and plans that wait before they apply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli import edge
from pumpctl.pump.pump import Pump
from pumpctl.quantities import Mass, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.workflows.course.pump_log import NotKnown
from pumpctl.workflows.refill import level as refill_level
from tests.helpers.desk import Desk
from tests.helpers.libraries import site_library
from tests.helpers.profiles import FLEX, continuous, written
from tests.helpers.site import Site
from tests.helpers.visits import PORT, ids, planned, refilled, refused, token_of, visit_file

LOW = continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")


def ward(desk: Desk, text: str | None, days: int, *more: str) -> str:
    """A pump of 40 mL that ran this for so many days; what is left in it."""
    strength = "2000 mcg/mL" if text is None or "2000 mcg/mL" in text else "500 mcg/mL"
    desk.emulator("ward", "--concentration", strength, *more)
    desk.rehearse()
    if text is not None:
        desk.program(text)
    desk.advance(f"{days}d")
    return str(desk.inspect()["reservoir"])


@pytest.mark.requirement("REF-06")
@pytest.mark.parametrize("more", [{}, {"bridge": "none"}])
def test_a_plan_that_is_applied_an_hour_later_means_what_was_confirmed(
    more: dict[str, Any], desk: Desk
) -> None:
    """Volume and bridge count from the injection: 50 min at 0.2 mL/day are 69.4 pulses."""
    left = ward(desk, LOW, 10)
    reasons = {"BRIDGE_LEFT_OUT": "rehearsal"} if more else {}
    path, told = planned(desk, left, reasons=reasons, **more)
    desk.advance("50 min")
    desk.apply(path, token_of(path))
    status = desk.pump("status")
    assert status["reservoir"]["volume"] in ("39.9931 mL", "39.993 mL")
    if not more:
        assert status["bridge"] is not None
        desk.advance("42h")
        assert desk.inspect()["delivery"] == "delivering"
        given = Mass.parse(desk.inspect()["delivered"]["baclofen"])
        wanted = 1_000_000 + 100_000 * (50 + 42 * 60) // 1440
        assert abs(given.quanta - wanted) <= 200
    assert told["new"]["volume"] == "40 mL"


@pytest.mark.requirement("REF-08")
def test_another_fill_of_the_same_while_a_bridge_runs(desk: Desk) -> None:
    """The bridge goes on; its end is where it was, and no increase comes before it."""
    left = ward(desk, LOW, 10)
    refilled(desk, left)
    desk.advance("1d")
    more = continuous("120 mcg/day", fallback="110 mcg/day")
    profile = written(desk.files / "more.toml", more)
    error = refused(desk, 3, "LIMIT_HARD", "39.8 mL", reference="O-2", profile=profile.name)
    assert "BRIDGE_INCREASE" in ids(error["findings"], "hard")
    new = refilled(desk, "39.8 mL", "40 mL", reference="O-2")["new"]
    assert new["bridge"] is None
    status = desk.pump("status")
    assert status["delivery"] == "bridge"
    assert status["bridge"] == {"volume": "0.348 mL", "passed": "0.2 mL"}  # of 24 h
    error = refused(desk, 3, "LIMIT_HARD", "40 mL", "40 mL", "1000 mcg/mL", reference="O-3")
    assert "BRIDGE_RUNNING" in ids(error["findings"], "hard")
    desk.advance("1d")
    assert desk.inspect()["delivery"] == "delivering"
    given = Mass.parse(desk.inspect()["delivered"]["baclofen"])
    assert abs(given.quanta - 1_200_000) <= 200


@pytest.mark.requirement("REF-03")
@pytest.mark.parametrize("strength", ["2000 mcg/mL", "500 mcg/mL"])
def test_a_pump_at_minimum_rate_that_has_no_patient_yet(strength: str, desk: Desk) -> None:
    """Minimum rate is a flow: 0.048 mL/day of whatever is in the reservoir."""
    left = ward(desk, None, 10)
    told = refilled(desk, left, "40 mL", strength)
    assert "PATIENT_ASSIGNED" in ids(told["findings"], "note")
    assert told["new"]["flow"] == "0.048 mL/day"
    assert desk.pump("status")["drug"]["concentration"] == strength
    assert desk.inspect()["delivery"] == ("minimum" if strength == "2000 mcg/mL" else "bridge")


@pytest.mark.requirement("REF-01")
def test_a_fill_that_another_station_recorded(desk: Desk) -> None:
    """Its own journal does not know it: the pump's log does, and counts from there."""
    left = ward(desk, continuous("240 mcg/day"), 10)
    refilled(desk, left, "30 mL")
    desk.advance("20d")
    for name in ("journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"):
        Path(desk.home / name).unlink(missing_ok=True)
    new = planned(desk, "27.6 mL", reference="O-2")[1]["new"]  # 30 - 20 x 0.12
    assert (new["last_fill"], new["expected"], new["estimated"]) == (
        "30 mL", "27.6 mL", "27.6 mL",
    )  # fmt: skip


@pytest.mark.requirement("REF-01")
def test_a_log_that_does_not_reach_back(desk: Desk) -> None:
    """Our own record of the fill counts then; without that the pump's estimate, and 2 mL."""
    left = ward(desk, continuous("240 mcg/day"), 10)
    refilled(desk, left, "30 mL")
    desk.advance("20d")

    def overwritten(*_: Any) -> Any:
        raise NotKnown("the pump's log does not go back far enough")

    desk.monkeypatch.setattr(refill_level, "_refilled", overwritten)
    new = planned(desk, "27.6 mL", reference="O-2")[1]["new"]
    assert (new["last_fill"], new["expected"]) == ("30 mL", "27.6 mL")
    desk.monkeypatch.setattr(refill_level, "applied", lambda *_: ())
    told = planned(desk, "27.6 mL", reference="O-2")[1]
    new = told["new"]
    assert (new["last_fill"], new["expected"], new["discrepancy"]["ratio"]) == (
        None, "27.6 mL", None,
    )  # fmt: skip
    assert "REFILL_NO_HISTORY" in ids(told["findings"], "note")


@pytest.mark.requirement("REF-01")
def test_an_injection_at_another_time_than_it_can_have_been(desk: Desk) -> None:
    left = ward(desk, FLEX, 10)
    now = desk.pump("status")["clock"]["pump"]
    refilled(desk, left)
    desk.advance("1h")
    error = refused(desk, 3, "INPUT", "40 mL", at="2099-01-01T00:00:00Z", reference="O-2")
    assert "still to come" in error["message"]
    early = now.replace("T", " ").split(".")[0]
    error = refused(desk, 3, "INPUT", "40 mL", at=f"{early[:8]}01T00:00:00Z", reference="O-2")
    assert "before" in error["message"] or "cannot tell" in error["message"]


@pytest.mark.requirement("REF-03")
def test_a_bolus_that_runs_bars_another_concentration(desk: Desk) -> None:
    """REFILL_BOLUS_RUNNING; without it the pump refuses."""
    text = LOW.replace(
        "[reservoir]",
        '[program.patient_dose]\ndose = "10 mcg"\nover = "30 min"\nlockout = "4 h"\n'
        "max_per_24h = 1\n\n[reservoir]",
    )
    left = ward(desk, text, 10)
    desk.data("emulator", "press", "ward", "--patient-dose")
    error = refused(desk, 3, "LIMIT_HARD", left)
    assert ids(error["findings"], "hard") == ["REFILL_BOLUS_RUNNING"]
    from pumpctl.therapy.checks.refills import refill_check

    desk.monkeypatch.delitem(refill_check.by_id, "REFILL_BOLUS_RUNNING")
    assert refused(desk, 6, "PUMP_REFUSED", left)["pump_code"] == "BOLUS_RUNNING"
    assert planned(desk, left, "40 mL", "500 mcg/mL")[1]["confirm"]


@pytest.mark.requirement("PRG-07")
def test_a_pump_that_lost_its_program_needs_one(desk: Desk) -> None:
    left = ward(desk, FLEX, 10)
    desk.data("emulator", "fault", "ward", "memory", "--count", "2")
    assert desk.pump("status")["delivery"] == "fallback"
    assert "it has lost its program" in refused(desk, 3, "INPUT", left)["message"]
    profile = written(desk.files / "flex.toml", FLEX).name
    told = planned(desk, left, profile=profile)[1]
    reasons = dict.fromkeys(ids(told["findings"], "soft"), "Dr A. Example is here")
    refilled(desk, left, profile=profile, reasons=reasons)
    assert desk.pump("status")["delivery"] == "delivering"


def test_what_is_left_inside_counts(desk: Desk) -> None:
    """1 mL could not be drained: 1 + 36 mL of the same; of another strength it would mix."""
    left = ward(desk, continuous("240 mcg/day"), 50)
    drained = str(Volume(Volume.parse(left).quanta - 1_000_000))
    reasons = {"REFILL_DISCREPANCY": "1 mL stayed inside"}
    new = refilled(desk, drained, "36 mL", left="1 mL", reasons=reasons)["new"]
    assert (new["volume"], new["left"]) == ("37 mL", "1 mL")
    error = refused(
        desk, 3, "LIMIT_HARD", drained, "36 mL", "500 mcg/mL", left="1 mL", reference="O-2"
    )
    assert "REFILL_MIXED" in ids(error["findings"], "hard")


@pytest.mark.requirement("STP-02")
def test_a_stopped_pump_is_started_by_a_refill_and_never_by_one_that_was_given_up(
    desk: Desk,
) -> None:
    left = ward(desk, FLEX, 10)
    desk.pump("stop", "--now")
    desk.advance("3h")
    assert "is stopped" in refused(desk, 3, "INPUT", None, given_up="port not found")["message"]
    file = visit_file(desk, left)
    text = desk.run(*PORT, "refill", "--file", file, "--plan-only").out
    assert "STOPPED now: it delivers again from the activation on" in text
    told = refilled(desk, left)
    assert "STOPPED_SHORT" in ids(told["findings"], "note")
    assert desk.inspect()["delivery"] in ("delivering", "bolus")


def test_given_up_on_another_patient_s_pump(desk: Desk) -> None:
    ward(desk, FLEX, 10)
    error = refused(desk, 3, "LIMIT_HARD", None, given_up="port not found", tag="P-9999")
    assert ids(error["findings"], "hard") == ["PATIENT_OTHER"]


@pytest.mark.requirement("LIM-08")
def test_with_an_expired_library_the_same_drug_with_the_same_program_goes_in(desk: Desk) -> None:
    """With a reason and a second person; another strength or another dose is refused."""
    site = Site(desk)
    desk.emulator()
    site.install(site_library(1, expires="2030-01-01"))
    desk.program()
    desk.advance("10d")
    left = str(desk.inspect()["reservoir"])
    late = Moment.parse("2030-01-02T12:00:00Z")
    desk.monkeypatch.setattr(edge, "wall", lambda: late)
    _, told = planned(desk, left)
    assert ids(told["findings"], "soft") == ["LIBRARY_EXPIRED"]
    assert (told["confirm"], ids(told["findings"], "hard")) == (None, [])
    _, told = planned(desk, left, reasons={"LIBRARY_EXPIRED": "nobody to sign today"})
    assert told["second"]
    error = refused(desk, 3, "LIMIT_HARD", left, "40 mL", "1000 mcg/mL")
    assert "LIBRARY_EXPIRED" in ids(error["findings"], "hard")
    profile = written(desk.files / "more.toml", continuous("250 mcg/day")).name
    error = refused(desk, 3, "LIMIT_HARD", left, profile=profile)
    assert "LIBRARY_EXPIRED" in ids(error["findings"], "hard")


@pytest.mark.requirement("REF-06")
def test_the_same_file_at_a_station_that_does_not_know_it(desk: Desk) -> None:
    """A journal that was lost, or another station's: the pump's log tells of a refill of today.

    The reason that the file holds for its drain does not open this one.
    """
    ward(desk, continuous("240 mcg/day"), 10)
    why = {"REFILL_DISCREPANCY": "drain incomplete", "REFILL_OVER_CAPACITY": "drained twice"}
    refilled(desk, "36 mL", reasons=why)
    for name in ("journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"):
        Path(desk.home / name).unlink(missing_ok=True)
    desk.advance("23h")
    told = planned(desk, "36 mL", reasons=why)[1]
    assert (ids(told["findings"], "soft"), told["confirm"]) == (
        ["REFILL_DISCREPANCY", "REFILL_OVER_CAPACITY", "REFILL_AGAIN"], None,
    )  # fmt: skip
    desk.advance("1h")
    assert "REFILL_AGAIN" not in ids(planned(desk, "36 mL", reasons=why)[1]["findings"], "soft")


@pytest.mark.requirement("PRG-10")
def test_a_bridge_that_the_next_fill_ended_is_act_now(desk: Desk) -> None:
    """The pump says done; the bridge that ran is gone, and 0.248 mL of it were still to pass."""
    left = ward(desk, LOW, 10)
    refilled(desk, left)
    desk.advance("12h")
    path, _ = planned(desk, "39.9 mL", reference="O-2")
    real, asked = Pump.state, list[int]()

    def forgets(self: Pump) -> Any:
        asked.append(1)
        state = real(self)
        return state if len(asked) < 2 else state._replace(bridge=None)

    desk.monkeypatch.setattr(Pump, "state", forgets)
    words = (*PORT, "apply", path, "--confirm", token_of(path))
    error = desk.json(*words, code=12)["error"]
    assert (error["changed"], "bridge" in error["message"]) == ("yes", True)


@pytest.mark.requirement("CNF-01")
def test_an_injection_of_a_while_ago_stands_on_the_screen(desk: Desk) -> None:
    left = ward(desk, continuous("240 mcg/day"), 10)
    at = desk.pump("status")["clock"]["pump"]
    desk.advance("5h")
    file = visit_file(desk, left, at=at)
    shown = desk.run(*PORT, "refill", "--file", file, "--plan-only").out
    assert "injected" in shown and ", 5 h ago" in shown
    file = visit_file(desk, left)
    assert "injected" not in desk.run(*PORT, "refill", "--file", file, "--plan-only").out


@pytest.mark.requirement("REF-05")
def test_the_drugs_expiry_stands_in_the_dates_of_every_later_change(desk: Desk) -> None:
    """The reservoir lasts for months; the drug that went in does not."""
    left = ward(desk, FLEX, 10)
    last = desk.pump("status")["clock"]["pump"][:10]
    expiry = str(Date.parse(last).plus(40))
    refilled(desk, left, expiry=expiry)
    file = desk.files / "bolus.json"
    ran = desk.run(
        *PORT, "bolus", "single", "10 mcg", "--over", "10 min", "--plan-only", "-o", file
    )
    assert ran.code == 0, ran.err
    assert f"refill by {expiry}" in ran.out
