"""Failures of real programmers, replayed through the command line against the emulator.

Those of writing a program, of putting it on a pump, of the restart and of patient data:
1, 2, 3, 9 and 15 of the list in docs/safety.md. The first line of each docstring says
what stops it. Figures are worked in comments.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpctl.errors import NoAnswer
from pumpctl.outcomes import Unknown
from pumpctl.pump.pump import Pump
from pumpctl.station.journal import Journal
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous, spoiled

PORT = ("--port", "emu://ward")
TAG = "P-0417"

MORNING = spoiled('fallback_rate = "216 mcg/day"', 'fallback_rate = "200 mcg/day"')
MORNING = spoiled(
    '[[program.bolus]]\ndose = "20 mcg"\nover = "10 min"\nat = ["07:00", "21:00"]',
    '[[program.bolus]]\ndose = "60 mcg"\nover = "1 h"\nat = ["08:00"]',
    MORNING,
)
# Mon-Fri 6 x 14 + 4 x 26 + 14 x 15 = 398, and 60: 458. Sat, Sun 24 x 14 = 336, and 60: 396.
MORNING = spoiled('daily_dose = "438 mcg/day"', 'daily_dose = "458 mcg/day"', MORNING)
MORNING = spoiled('daily_dose = "376 mcg/day"', 'daily_dose = "396 mcg/day"', MORNING)
"""60 mcg over 1 h each morning, as it was meant."""
HOURLY = ", ".join(f'"{hour:02d}:00"' for hour in range(24))


def refused_ids(desk: Desk, text: str) -> set[str]:
    """The hard findings with which the pump is not even asked."""
    error = desk.refused(
        3, "LIMIT_HARD", *PORT, "program", "plan", desk.profile(text), "-o", desk.files / "p.json"
    )
    assert not (desk.files / "p.json").exists()
    return {each["id"] for each in error["findings"] if each["severity"] == "hard"}


def test_failure_1_hours_typed_in_the_field_of_minutes(desk: Desk) -> None:
    """A bolus has no interval to mistake: its times are written out, and no other is taken.

    "Every 6", meant as hours and read as minutes, was 240 boluses a day in place of 4.
    """
    desk.emulator()
    with desk.untouched():
        for at in ('["6"]', '["every 6"]', "[6]", '["00:06", "6 min"]'):
            found = refused_ids(desk, spoiled('at = ["07:00", "21:00"]', f"at = {at}"))
            assert found & {"TIME_OF_DAY", "VALUE_KIND"}, at
        for key in ('every = "6 min"', "interval = 6"):
            text = spoiled('at = ["07:00", "21:00"]', key)
            code = desk.run(*PORT, "program", "plan", desk.profile(text)).code
            assert code == 3, key
        # 30 h for 30 min: longer than a day
        assert "DOSE_DURATION" in refused_ids(desk, spoiled('over = "10 min"', 'over = "30 h"'))


@pytest.mark.requirement("UNI-02")
def test_failure_2_each_morning_entered_as_every_hour(desk: Desk) -> None:
    """The writer's own daily total does not add up; with a wrong total, too, the rise stops it.

    60 mcg each hour are 1440 mcg/day more than the basal: 398 + 1440 = 1838, not 458.
    """
    desk.emulator()
    desk.rehearse()
    told = desk.plan(MORNING)[1]
    assert told["new"]["daily_dose"] == "458 mcg/day"
    hourly = spoiled('at = ["08:00"]', f"at = [{HOURLY}]", MORNING)
    with desk.untouched():
        assert "DECLARED_DOSE" in refused_ids(desk, hourly)
    desk.program(MORNING)
    both = spoiled('daily_dose = "458 mcg/day"', 'daily_dose = "1838 mcg/day"', hourly)
    both = spoiled('daily_dose = "396 mcg/day"', 'daily_dose = "1776 mcg/day"', both)
    document = desk.run(
        *PORT, "program", "plan", desk.profile(both), "-o", desk.files / "p.json", "--json"
    ).document
    found = document["data"]["findings"] if document["ok"] else document["error"]["findings"]
    stops = {each["id"] for each in found if each["severity"] in ("soft", "hard")}
    assert "DOSE_INCREASE" in stops
    assert not document["ok"] or document["data"]["confirm"] is None
    assert desk.inspect()["delivery"] in ("delivering", "bolus")


@pytest.mark.requirement("PRG-02")
@pytest.mark.requirement("PRG-10")
@pytest.mark.requirement("PRG-11")
@pytest.mark.parametrize("step", ["stage", "readback", "activate", "state"])
def test_failure_3_an_update_that_never_finished(step: str, desk: Desk) -> None:
    """No step of an update stops delivery: wherever it ends, the old or the new program runs.

    The station dies before, in, or right after each step; eight pumps were left stopped.
    """
    desk.emulator()
    desk.rehearse()
    desk.program(continuous("240 mcg/day"))
    desk.advance("30h")
    old = desk.inspect()["program"]["hash"]
    path, planned = desk.plan(continuous("264 mcg/day", fallback="150 mcg/day"))
    real = getattr(Pump, step)
    calls = list[int]()

    def dies(self: Pump, *given: Any) -> Any:
        calls.append(1)
        if step == "state" and len(calls) == 1:
            return real(self, *given)  # the second state is the verification
        if step == "activate":
            real(self, *given)
            return Unknown(given[0], "the station died")
        if step == "state":
            raise NoAnswer("the line is dead")
        real(self, *given)
        raise NoAnswer("the line is dead")

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, step, dies)
        ran = desk.run(*PORT, "apply", path, "--confirm", planned["confirm"], "--json")
    wanted = {"stage": 5, "readback": 5, "activate": 7, "state": 12}[step]
    assert ran.code == wanted, ran.err
    before = desk.inspect()
    assert before["delivery"] == "delivering"
    assert before["program"]["hash"] in (old, planned["new"]["hash"])
    desk.advance("1h")
    # 1 h of 240 mcg/day at 2000 mcg/mL: 10 mcg = 5000 nL = 50 pulses of 100 nL, at the least
    assert desk.inspect()["pulses"] - before["pulses"] >= 49
    if wanted == 7:
        assert desk.pump("resolve")["outcome"] == "applied"
    assert desk.pump("status")["delivery"] == "delivering"


@pytest.mark.requirement("PRG-10")
def test_a_pump_that_does_not_deliver_afterwards_is_told(desk: Desk) -> None:
    """After an activation the pump is asked again and must deliver: else exit 12, act now."""
    from pumpctl.therapy.state import Delivery

    desk.emulator()
    path, planned = desk.plan()
    real, calls = Pump.state, list[int]()

    def stands(self: Pump) -> Any:
        calls.append(1)
        told = real(self)
        return told if len(calls) == 1 else told._replace(delivery=Delivery.STOPPED)

    desk.monkeypatch.setattr(Pump, "state", stands)
    document = desk.json(*PORT, "apply", path, "--confirm", planned["confirm"], code=12)
    assert document["error"]["changed"] == "yes"
    assert "stopped" in document["error"]["message"]


@pytest.mark.requirement("STP-03")
def test_failure_9_no_restart_at_the_old_dose_after_a_pause(desk: Desk) -> None:
    """After 48 h without drug the old dose is refused, and a low start needs its reason.

    Here a motor that stood still, as after a scan: for 47 h, then stopped for 2 more.
    """
    desk.emulator()
    desk.rehearse()
    desk.program(continuous("400 mcg/day", fallback="200 mcg/day"))
    desk.data("emulator", "fault", "ward", "stall", "--for", "60h")
    desk.advance("47h")
    desk.pump("stop", "--now")
    desk.advance("2h")
    words = ("resume", "--plan-only", "-o", desk.files / "r.json")
    with desk.untouched():
        error = desk.refused(3, "LIMIT_HARD", *PORT, *words)
        assert "STOPPED_TOO_LONG" in {each["id"] for each in error["findings"]}
        found = refused_ids(desk, continuous("380 mcg/day", fallback="200 mcg/day"))
        assert "STOPPED_TOO_LONG" in found
    told = desk.plan(continuous("150 mcg/day", fallback="100 mcg/day"))[1]
    assert "STOPPED_RESTART" in {each["id"] for each in told["findings"]}
    assert told["confirm"] is None


@pytest.mark.requirement("STP-03")
def test_beyond_48_hours_of_stall_the_pump_itself_puts_the_dose_aside(
    desk: Desk,
) -> None:
    """After 48 h of stall the pump runs the fallback, and no resume brings the old dose back."""
    desk.emulator()
    desk.rehearse()
    desk.program(continuous("400 mcg/day", fallback="200 mcg/day"))
    desk.data("emulator", "fault", "ward", "stall", "--for", "50h")
    desk.advance("51h")
    assert desk.pump("status")["delivery"] == "fallback"
    desk.pump("stop", "--now")
    with desk.untouched():
        words = ("resume", "--plan-only", "-o", desk.files / "r.json")
        error = desk.refused(6, "PUMP_REFUSED", *PORT, *words)
        assert "no longer holds a program" in error["hint"]
        assert "200 mcg/day" in error["hint"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
@pytest.mark.requirement("SEC-08")
def test_failure_15_patient_data_in_clear_text(desk: Desk) -> None:
    """The tag is in profile and plan alone, and that is 0600; all else holds a short hash.

    Journal, records, keys and a capture of everything that went over the line are searched.
    """
    desk.emulator()
    desk.rehearse()
    capture = desk.files / "line.capture"
    path, told = desk.plan(FLEX, "--capture", capture)
    desk.pump("apply", path, "--confirm", told["confirm"], "--capture", capture)
    desk.pump("interrogate", "--capture", capture)
    desk.pump("logs", "pull", "--capture", capture)
    desk.pump("stop", "--now", "--reason", "before surgery", "--capture", capture)
    desk.pump("program", "history", "--capture", capture)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TAG.encode() in path.read_bytes()
    holding = [file for file in _files(desk.home, capture) if TAG.encode() in file.read_bytes()]
    assert holding == []
    assert capture.stat().st_size > 1000
    with Journal(desk.home / "journal.sqlite3") as journal:
        entries = journal.entries()
    assert entries
    assert all(TAG not in str(each) for each in entries)
    assert any(len(str(each.body.get("tag", ""))) == 16 for each in entries), "its hash, 8 bytes"
    kept = {
        file: stat.S_IMODE(file.stat().st_mode)
        for file in (*desk.home.glob("*.sqlite3*"), *desk.home.rglob("nurse.json"))
    }
    assert len(kept) >= 4
    assert set(kept.values()) == {0o600}, kept


def _files(home: Path, *more: Path) -> list[Path]:
    found = [file for file in home.rglob("*") if file.is_file()]
    assert any(file.name.startswith("journal") for file in found)
    assert any("records" in file.name for file in found)
    return [*found, *more]
