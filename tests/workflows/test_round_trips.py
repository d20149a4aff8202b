"""What each command asks of a pump, in which order, and nothing twice that need not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.cli import context
from pumpctl.emulator.acts import dispatch
from pumpctl.emulator.acts import look as answers
from pumpctl.pump import pump as pumps
from pumpctl.pump.log_held import HeldLog, LogBatch
from pumpctl.pump.pump import Pump
from pumpctl.therapy.program import Program
from pumpctl.wire import messages as m
from pumpctl.workflows.look.watching import Watch
from pumpctl.workflows.visit import Visit
from tests.helpers.asked import Asked
from tests.helpers.boluses import Day
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous
from tests.helpers.visits import visit_file

PORT = ("--port", "emu://ward")
GREETED = ["greeting"]
PLANNED = ["StageProgram", "GetReadback", "Discard", "Close"]
ACTIVATED = ["StageProgram", "GetReadback", "Activate", "GetStatus", "GetProgram", "Close"]
NEXT = continuous("250 mcg/day")


@pytest.fixture
def asked(desk: Desk) -> Asked:
    """A pump of a week that runs a program; what it is asked from now on."""
    desk.emulator(frozen=False)
    desk.program()
    return Asked(desk.monkeypatch)


def planned(desk: Desk, text: str = NEXT) -> tuple[Path, str]:
    path, told = desk.plan(text)
    return path, told["confirm"]


# --- the road -------------------------------------------------------------------------------


@pytest.mark.requirement("PRG-01")
@pytest.mark.requirement("PRG-10")
def test_the_road_asks_this_and_nothing_else(desk: Desk, asked: Asked) -> None:
    path, token = planned(desk)
    assert asked.taken() == [
        *GREETED, "GetStatus", "GetProgram", "GetIdentity", "GetLog", *PLANNED
    ]  # fmt: skip
    desk.apply(path, token)
    assert asked.taken() == [
        *GREETED, "GetStatus", "GetIdentity", "GetOperation", "GetLog", *ACTIVATED
    ]  # fmt: skip


@pytest.mark.requirement("PRG-10")
def test_after_an_activation_the_program_is_always_asked_for(desk: Desk, asked: Asked) -> None:
    """A bolus leaves it alone, and STATUS names the hash of before: it is read all the same."""
    path, token = bolus(desk)
    asked.taken()
    desk.apply(path, token)
    names = asked.taken()
    assert names[names.index("Activate") :] == [
        "Activate", "GetStatus", "GetProgram", "GetOperation", "Close"
    ]  # fmt: skip


def spoiled_by_activating(desk: Desk) -> None:
    """From the next activation on the pump's program is another, and STATUS does not say so."""
    real, changed = answers.program, Pump._change
    other: list[bool] = []

    def lying(core: Any, caller: Any, message: Any) -> Any:
        told = real(core, caller, message)
        if not other:
            return told
        return told._replace(program=told.program._replace(fallback=told.program.fallback + 1))

    def spoils(pump: Pump, message: Any) -> Any:
        other.append(True)
        return changed(pump, message)

    desk.monkeypatch.setitem(dispatch.HANDLERS, m.GetProgram, lying)
    desk.monkeypatch.setattr(Pump, "_change", spoils)


def bolus(desk: Desk) -> tuple[Path, str]:
    path = desk.files / "bolus.json"
    told = desk.pump("bolus", "single", "5 mcg", "--over", "10 min", "--plan-only", "-o", path)
    return path, told["confirm"]


@pytest.mark.requirement("PRG-10")
def test_a_program_that_an_activation_has_spoiled_is_found(desk: Desk, asked: Asked) -> None:
    path, token = bolus(desk)
    spoiled_by_activating(desk)
    document = desk.json(*PORT, "apply", path, "--confirm", token, code=12)
    assert document["error"]["changed"] == "yes"


def test_removed_it_is_not_found(desk: Desk, asked: Asked) -> None:
    """Where what was read before the activation counts for what is there after it."""
    path, token = bolus(desk)
    spoiled_by_activating(desk)
    real = Pump._change

    def remembers(pump: Pump, message: Any) -> Any:
        held = pump._held
        outcome = real(pump, message)
        pump._held = held
        return outcome

    desk.monkeypatch.setattr(Pump, "_change", remembers)
    desk.json(*PORT, "apply", path, "--confirm", token)


# --- a program that is known ----------------------------------------------------------------


def test_another_hash_is_asked_for(desk: Desk, asked: Asked) -> None:
    """The plan's old program is believed by its hash alone, and that is the pump's to name."""
    path, token = planned(desk)
    real = Pump.expect

    def other(pump: Pump, program: Program) -> None:
        real(pump, program._replace(low_alarm=program.low_alarm + program.low_alarm))

    desk.monkeypatch.setattr(Pump, "expect", other)
    asked.taken()
    desk.apply(path, token)
    assert asked.taken()[:3] == [*GREETED, "GetStatus", "GetProgram"]


@pytest.mark.requirement("PRG-07")
def test_a_memory_in_doubt_is_asked_whatever_the_hash(desk: Desk) -> None:
    Day(desk)
    desk.program()
    path, told = desk.plan(NEXT)
    desk.data("emulator", "fault", "ward", "memory", "--count", "1")
    desk.advance("30 min")
    asked = Asked(desk.monkeypatch)
    desk.run(*PORT, "apply", path, "--confirm", told["confirm"])
    names = asked.taken()
    alarms = [each["code"] for each in desk.pump("status")["alarms"]]
    assert alarms == ["MEMORY_ONE_COPY"], "or nothing here is in doubt"
    assert "GetProgram" in names[: names.index("GetLog")]


def test_removed_it_is_believed(desk: Desk) -> None:
    Day(desk)
    desk.program()
    path, told = desk.plan(NEXT)
    desk.data("emulator", "fault", "ward", "memory", "--count", "1")
    desk.advance("30 min")
    desk.monkeypatch.setattr(pumps, "in_doubt", lambda now: False)
    asked = Asked(desk.monkeypatch)
    desk.run(*PORT, "apply", path, "--confirm", told["confirm"])
    names = asked.taken()
    assert "GetProgram" not in names[: names.index("GetLog")]


# --- the state that an act is planned by ----------------------------------------------------


@pytest.mark.requirement("PRG-05")
def test_a_plan_asks_for_the_state_once_and_an_apply_for_its_own(desk: Desk, asked: Asked) -> None:
    path, token = bolus(desk)
    assert asked.taken().count("GetStatus") == 1

    def never(visit: Visit) -> Any:
        raise AssertionError("an apply is judged by a fresh state")

    desk.monkeypatch.setattr(Visit, "just_seen", never)
    desk.apply(path, token)
    assert asked.taken().count("GetStatus") == 2, "before it and after it"


# --- the short ways, and looking ------------------------------------------------------------


@pytest.mark.requirement("STP-01")
def test_a_stop_waits_for_nothing_that_it_does_not_show(desk: Desk, asked: Asked) -> None:
    desk.pump("stop", "--now")
    assert asked.taken() == [*GREETED, "Stop", "GetStatus", "GetIdentity", "Close"]


@pytest.mark.requirement("STP-01")
def test_a_cancel_waits_for_the_newest_of_the_log_only(desk: Desk, asked: Asked) -> None:
    desk.apply(*bolus(desk))
    asked.taken()
    desk.pump("bolus", "cancel", "--now")
    assert asked.taken() == [
        *GREETED, "CancelBolus", "GetStatus", "GetIdentity", "GetLog", "Close"
    ]  # fmt: skip


def test_status_reads_as_much_of_the_log_as_tells_the_last_bolus(desk: Desk) -> None:
    Day(desk)
    desk.program(FLEX)
    desk.advance("20d")
    most: list[int] = []
    real = Pump.log

    def counted(pump: Pump, first: int, count: int) -> LogBatch:
        most.append(count)
        return real(pump, first, count)

    desk.monkeypatch.setattr(Pump, "log", counted)
    assert desk.pump("status")["last_bolus"]["given"] == "20 mcg"
    assert most == [32]


@pytest.mark.requirement("PRG-07")
def test_a_watch_fetches_a_program_once_until_it_is_another(desk: Desk) -> None:
    Day(desk)
    desk.program()
    asked = Asked(desk.monkeypatch)
    context.begin({"port": "emu://ward", "home": str(desk.home), "operator": "nurse"})
    watch = Watch(context.station())
    seen = []
    for _ in range(2):
        seen.append(watch.look().seen.state)
        asked.taken()
    desk.program(NEXT)
    asked.taken()
    seen.append(watch.look().seen.state)
    assert "GetProgram" in asked.taken()
    watch.look()
    assert asked.taken() == [*GREETED, "GetIdentity", "GetStatus", "GetStatus", "Close"]
    assert [str(each.program.days[0][0].rate) for each in seen if each.program] == [
        "240 mcg/day", "240 mcg/day", "250 mcg/day"
    ]  # fmt: skip
    desk.data("emulator", "fault", "ward", "memory", "--count", "2")
    desk.advance("2 h")
    assert watch.look().seen.state.program is None, "it is lost, whatever was read before"


def test_nothing_of_the_log_is_fetched_twice_in_one_visit(desk: Desk) -> None:
    """A refill's plan looks at the log from three sides."""
    Day(desk)
    desk.program(FLEX)
    desk.advance("9d")
    asked, fetched = Asked(desk.monkeypatch), list[int]()
    real = HeldLog.keep

    def keep(held: HeldLog, batch: LogBatch) -> LogBatch:
        fetched.extend(range(batch.first, batch.first + len(batch.entries)))
        return real(held, batch)

    desk.monkeypatch.setattr(HeldLog, "keep", keep)
    file = visit_file(desk, "38.2 mL")
    desk.pump("refill", "--file", file, "--plan-only", "-o", desk.files / "refill.json")
    assert len(fetched) == len(set(fetched)) > 200
    assert asked.taken().count("GetImplant") == 1


def entry(number: int) -> bytes:
    return number.to_bytes(8, "big") + bytes(72)


def test_what_is_held_of_a_log_is_told_as_far_as_it_goes() -> None:
    held = HeldLog()
    assert held.batch(1, 10) is None
    held.keep(LogBatch(5, (entry(5), entry(6)), 1, 9))
    assert held.batch(4, 3) is None, "the first is to be fetched"
    assert held.batch(5, 1) == LogBatch(5, (entry(5),), 1, 9)
    assert held.batch(5, 4) == LogBatch(5, (entry(5), entry(6)), 1, 9)
    held.keep(LogBatch(8, (entry(8),), 1, 9))
    assert held.batch(6, 3) == LogBatch(6, (entry(6),), 1, 9), "up to the hole"
