"""What a review found: each scenario stays found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.link.slices import Slice
from pumpctl.outcomes import StateVersion
from pumpctl.pump.log_held import LogBatch
from pumpctl.pump.pump import Pump
from pumpctl.pump.readbacks import ProgramBack, Readback
from pumpctl.quantities import Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.workflows.road import applying, verifying
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous as profile


@pytest.mark.requirement("STP-03")
def test_a_pump_without_a_patient_is_stopped_resumed_and_programmed(desk: Desk) -> None:
    desk.emulator()
    desk.pump("stop", "--now")
    plan = desk.files / "resume.json"
    told = desk.pump("resume", "--plan-only", "-o", plan)
    assert desk.apply(plan, told["confirm"])["outcome"] == "applied"
    assert desk.program()["verified"] is True


@pytest.mark.requirement("PRG-07")
def test_a_pump_on_its_fallback_is_looked_at_and_programmed_anew(desk: Desk) -> None:
    desk.emulator()
    desk.program()

    def lost(self: Pump, *_: object) -> tuple[None, None]:
        return None, None

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "_stored_program", lost)
        assert desk.pump("status")["program"] is None
        assert desk.pump("interrogate")["program_detail"] == {"mode": None}
        _, told = desk.plan(profile("250 mcg/day"))
        assert told["change_percent"] is None
        assert desk.pump("stop", "--now")["delivery"] == "stopped"


@pytest.mark.requirement("STP-01")
def test_a_stop_asks_nobody_who_they_are(desk: Desk) -> None:
    desk.emulator()

    def silent(self: Pump) -> Any:
        raise AssertionError("asked before the stop")

    asked: list[str] = []
    real = Pump.stop

    def noted(self: Pump, *words: Any) -> Any:
        asked.append("stop")
        desk.monkeypatch.setattr(Pump, "_identify", identify)
        return real(self, *words)

    identify = Pump._identify
    desk.monkeypatch.setattr(Pump, "stop", noted)
    desk.monkeypatch.setattr(Pump, "_identify", silent)
    assert desk.pump("stop", "--now")["delivery"] == "stopped"
    assert asked == ["stop"]


@pytest.mark.requirement("TEL-04")
def test_one_damaged_entry_costs_one_entry(desk: Desk) -> None:
    desk.emulator()
    desk.advance("2d")
    real = Pump.stream_log

    def damaged(self: Pump, first: int, until: int) -> Iterator[Slice]:
        for each in real(self, first, until):
            kept = tuple(raw for raw in each.entries if int.from_bytes(raw[:8], "big") != 7)
            yield each._replace(entries=kept)

    desk.monkeypatch.setattr(Pump, "stream_log", damaged)
    pulled = desk.pump("logs", "pull")
    assert [(gap["first"], gap["last"]) for gap in pulled["gaps"]] == [(7, 7)]
    assert pulled["new"] == pulled["held"] - 1


@pytest.mark.requirement("BOL-03")
def test_resolve_takes_a_missing_entry_for_no_proof(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()

    def unknown(self: Pump, operation: Any, *_: Any) -> Any:
        raise KeyboardInterrupt

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "activate", unknown)
        patch.setattr(applying, "_write_outcome", lambda *_: None)
        desk.json("--port", "emu://ward", "apply", path, "--confirm", told["confirm"], code=130)
    real, log = Pump.resolve, Pump.log

    def far(self: Pump, operation: Any) -> Any:
        known = real(self, operation)
        return known._replace(reaches_back_to=StateVersion(known.reaches_back_to + 10**6))

    def holed(self: Pump, first: int, most: int) -> LogBatch:
        batch = log(self, first, most)
        return batch._replace(entries=batch.entries[:1] + batch.entries[2:])

    desk.monkeypatch.setattr(Pump, "resolve", far)
    desk.monkeypatch.setattr(Pump, "log", holed)
    document = desk.json("--port", "emu://ward", "resolve", code=7)
    assert document["data"]["outcome"] == "unknown"


@pytest.mark.requirement("PRG-04")
def test_a_read_back_that_lies_about_the_volume_makes_no_plan(desk: Desk) -> None:
    desk.emulator()
    real = Pump.readback

    def tenfold(self: Pump) -> Readback:
        told = real(self)
        assert isinstance(told, ProgramBack)
        days = tuple(day._replace(volume=Volume(day.volume.quanta * 10)) for day in told.days)
        return told._replace(days=days)

    desk.monkeypatch.setattr(Pump, "readback", tenfold)
    error = desk.refused(
        8, "READBACK_DIFFERS", "--port", "emu://ward", "program", "plan", desk.profile()
    )
    assert "volume" in error["message"]


@pytest.mark.requirement("CNF-03")
def test_a_plan_from_the_future_is_refused(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2040-01-01T00:00:00Z")
    path, told = desk.plan()
    desk.rehearse()
    desk.refused(
        3, "PLAN_EXPIRED", "--port", "emu://ward", "apply", path, "--confirm", told["confirm"]
    )


@pytest.mark.requirement("LIM-02")
def test_another_alarm_of_the_same_name_was_not_overridden(desk: Desk) -> None:
    desk.emulator()
    seen = ["STOPPED_TOO_LONG"]

    def alarm(self: Any, *_: Any) -> tuple[Finding, ...]:
        return (Finding("ALARM_CRITICAL", Severity.SOFT, "alarm", "test", value=seen[0]),)

    desk.monkeypatch.setattr("pumpctl.workflows.acts.programs.ProgramAct.findings", alarm)
    path, told = desk.plan(None, "--override", "ALARM_CRITICAL=known")
    seen[0] = "BATTERY_RESET"
    words = ("--port", "emu://ward", "apply", path, "--confirm", told["confirm"])
    desk.refused(3, "LIMIT_SOFT", *words)
    seen[0] = "STOPPED_TOO_LONG"
    assert desk.data(*words)["outcome"] == "applied"


@pytest.mark.requirement("AUD-01")
def test_what_cannot_be_written_down_is_verified_all_the_same(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    real = Journal.append
    looked: list[str] = []
    verify = verifying.verify

    def full(self: Journal, kind: Any, **words: Any) -> bytes:
        if kind == "outcome":
            raise StoreError("the disk is full")
        return real(self, kind, **words)

    def noted(*words: Any) -> Any:
        looked.append("verified")
        return verify(*words)

    desk.monkeypatch.setattr(Journal, "append", full)
    desk.monkeypatch.setattr(applying, "verify", noted)
    words = ("--port", "emu://ward", "apply", path, "--confirm", told["confirm"])
    error = desk.json(*words, code=11)["error"]
    assert error["changed"] == "yes"
    assert looked == ["verified"]
