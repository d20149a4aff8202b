"""Every safety step is taken away once, and a bad thing is seen to happen without it.

That is how these tests are known to be able to fail. Where a second layer then
catches what the first let through, it is named and removed as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.pump.encode import from_wire, to_wire
from pumpctl.pump.pump import Pump, Staged
from pumpctl.station.journal import Journal
from pumpctl.station.plan import read_plan, token
from pumpctl.therapy.program import continuous
from pumpctl.workflows import visit
from pumpctl.workflows.road import applying, gates, planning, programs
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous as profile

PORT = ("--port", "emu://ward")


def nothing(*_: object, **__: object) -> None:
    """A step that was removed."""


def program_now(desk: Desk) -> str:
    return str(desk.inspect()["program"]["hash"])


# --- the token -----------------------------------------------------------------------


@pytest.mark.requirement("CNF-03")
def test_without_the_token_check_anything_confirms(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    with desk.untouched():
        desk.refused(9, "NOT_CONFIRMED", *PORT, "apply", path, "--confirm", "yes")
    desk.monkeypatch.setattr(programs, "check_token", nothing)
    desk.pump("apply", path, "--confirm", "yes")
    assert program_now(desk) == told["new"]["hash"]


# --- one plan, once --------------------------------------------------------------------


@pytest.mark.requirement("BOL-01")
def test_without_the_used_checks_one_layer_after_the_other_catches_it(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    desk.json(*words)
    before = desk.inspect()

    desk.monkeypatch.setattr(applying, "check_unused", nothing)
    assert "the pump knows" in desk.refused(3, "PLAN_USED", *words)["message"]

    real = Pump.operation

    def forgets(self: Pump, operation: Any) -> Any:
        return real(self, operation)._replace(result="absent")

    desk.monkeypatch.setattr(Pump, "operation", forgets)
    desk.refused(3, "PLAN_STALE", *words)

    # The last layer is the pump's: it answers from its ledger and applies nothing again.
    desk.monkeypatch.setattr(applying, "_check_fresh", nothing)
    desk.run(*words, "--json")
    after = desk.inspect()
    assert after["state_version"] == before["state_version"]
    assert len(after["operations"]) == len(before["operations"])


@pytest.mark.requirement("PRG-05")
def test_without_the_station_s_freshness_check_the_pump_refuses(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    path, told = desk.plan()
    late, other = desk.plan(profile("250 mcg/day"), to="late.json")
    desk.advance("2h")
    words = (*PORT, "apply", late, "--confirm", other["confirm"])
    desk.refused(3, "PLAN_EXPIRED", *words)
    desk.monkeypatch.setattr(applying, "_check_fresh", nothing)
    desk.json(*words)
    assert program_now(desk) == other["new"]["hash"], "two hours old, and applied"
    error = desk.refused(6, "PUMP_REFUSED", *PORT, "apply", path, "--confirm", told["confirm"])
    assert error["pump_code"] == "STATE_VERSION"
    assert program_now(desk) == other["new"]["hash"]


# --- limits: two checkers ------------------------------------------------------------------


@pytest.mark.requirement("LIM-01")
def test_without_the_station_s_limits_the_pump_s_own_refuse(desk: Desk) -> None:
    desk.emulator()
    desk.monkeypatch.setattr(planning, "refuse_hard", nothing)
    file = desk.profile(profile(concentration="500 mcg/mL"))
    error = desk.refused(
        6, "PUMP_REFUSED", *PORT, "program", "plan", file, "-o", desk.files / "p.json"
    )
    assert error["pump_code"] == "CONCENTRATION"
    assert not (desk.files / "p.json").exists()


@pytest.mark.requirement("LIM-02")
def test_without_the_soft_check_an_open_finding_is_applied(desk: Desk) -> None:
    desk.emulator()
    desk.program()
    path, told = desk.plan(profile("480 mcg/day", fallback="240 mcg/day"))
    given = token(read_plan(path), "nurse")
    words = (*PORT, "apply", path, "--confirm", given)
    with desk.untouched():
        desk.refused(3, "LIMIT_SOFT", *words)
    desk.monkeypatch.setattr(programs, "check_open_soft", nothing)
    with desk.untouched():
        desk.refused(3, "LIMIT_SOFT", *words)
    desk.monkeypatch.setattr(applying, "check_open_soft", nothing)
    desk.json(*words)
    assert program_now(desk) == told["new"]["hash"]


# --- the read-back -------------------------------------------------------------------------


def twice_as_much(real: Callable[..., Staged]) -> Callable[..., Staged]:
    """A way to the pump that doubles the dose, consistently."""

    def stage(self: Pump, order: Any) -> Staged:
        program = from_wire(order.program)
        rate = program.days[0][0].rate
        doubled = program._replace(days=continuous(rate * 2))
        return real(self, order._replace(program=to_wire(doubled)))

    return stage


@pytest.mark.requirement("PRG-04")
@pytest.mark.requirement("PRG-10")
def test_without_the_read_back_a_wrong_dose_is_activated(desk: Desk) -> None:
    """In planning: asked once, doubled on the way. Exit 8, then 12, then nothing at all."""
    desk.emulator()
    file, plan = desk.profile(), desk.files / "p.json"
    asked = desk.data("profile", "check", file)["hash"]
    desk.monkeypatch.setattr(Pump, "stage", twice_as_much(Pump.stage))
    words = (*PORT, "program", "plan", file, "-o", plan)
    with_check = desk.json(*words, code=8)
    assert with_check["error"]["code"] == "READBACK_DIFFERS"
    assert not plan.exists()

    desk.monkeypatch.setattr(planning, "compare_readback", nothing)
    told = desk.data(*words)
    document = desk.json(*PORT, "apply", plan, "--confirm", told["confirm"], code=12)
    assert document["error"]["changed"] == "yes"
    assert document["data"]["outcome"] == "applied"
    assert program_now(desk) != asked

    desk.monkeypatch.setattr(applying, "verify", lambda visit, *_: visit.state())
    desk.profile(profile("440 mcg/day", fallback="230 mcg/day"))
    told = desk.data(*words)
    assert desk.apply(plan, told["confirm"])["outcome"] == "applied"
    given = desk.pump("program", "show")["daily_dose"]
    assert (given, told["new"]["daily_dose"]) == ("880 mcg/day", "440 mcg/day"), "unnoticed"


@pytest.mark.requirement("PRG-09")
def test_without_the_byte_compare_of_apply_another_dose_is_activated(desk: Desk) -> None:
    """The plan was right; what is staged when it is applied is not."""
    desk.emulator()
    path, told = desk.plan()
    real = Pump.stage
    desk.monkeypatch.setattr(Pump, "stage", twice_as_much(real))
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    before = desk.truth()
    document = desk.json(*words, code=8)
    assert document["error"]["changed"] == "no"
    after = desk.truth()
    assert after._replace(log_next=0) == before._replace(log_next=0)
    assert desk.pump("resolve")["outcome"] is None

    real_stage = planning.stage_and_read

    def as_confirmed(visit: Any, act: Any, state: Any) -> Any:
        staged, readback = real_stage(visit, act, state)
        plan = read_plan(path)
        return (
            staged,
            readback._replace(raw=bytes.fromhex(plan.readback_bytes)),
        )

    desk.monkeypatch.setattr(applying, "stage_and_read", as_confirmed)
    desk.json(*words, code=8)  # the staged content is compared as well
    desk.monkeypatch.setattr(
        applying,
        "_stage_same",
        lambda visit, journal, plan, act, state, body: real_stage(visit, act, state)[0],
    )
    document = desk.json(*words, code=12)
    assert document["error"]["changed"] == "yes"
    assert program_now(desk) not in (before.program, told["new"]["hash"])


# --- the journal ----------------------------------------------------------------------------


@pytest.mark.requirement("AUD-01")
def test_the_intent_is_durable_before_the_therapy_leaves(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    real, seen = Pump.activate, []

    def spied(self: Pump, operation: Any, *rest: Any) -> Any:
        journal = Journal(desk.home / "journal.sqlite3")
        seen.append([entry.kind for entry in journal.entries(operation=str(operation))])
        journal.close()
        return real(self, operation, *rest)

    desk.monkeypatch.setattr(Pump, "activate", spied)
    desk.apply(path, told["confirm"])
    assert seen == [["intent"]]


@pytest.mark.requirement("AUD-01")
@pytest.mark.requirement("BOL-05")
def test_without_the_intent_first_a_killed_station_forgets_an_unknown(desk: Desk) -> None:
    """The station dies with the answer on its way: only the intent is left to block it."""

    class Killed(BaseException):
        """As SIGKILL: nothing is written any more."""

    def die_after(real: Callable[..., Any]) -> Callable[..., Any]:
        def activate(self: Pump, *given: Any) -> Any:
            real(self, *given)
            raise Killed

        return activate

    def one_more_dose(daily: str) -> int:
        path, told = desk.plan(profile(daily))
        with desk.monkeypatch.context() as patch:
            patch.setattr(Pump, "activate", die_after(Pump.activate))
            with pytest.raises(Killed):
                desk.run(*PORT, "apply", path, "--confirm", told["confirm"])
        assert program_now(desk) == told["new"]["hash"], "the pump had applied it"
        return desk.run(
            *PORT, "program", "plan", desk.files / "visit.toml", "-o", desk.files / "n.json"
        ).code

    desk.emulator()
    assert one_more_dose("240 mcg/day") == 10
    assert desk.pump("resolve")["outcome"] == "applied"

    real = Journal.append

    def no_intent(self: Journal, kind: Any, **more: Any) -> bytes:
        return bytes(32) if kind == "intent" else real(self, kind, **more)

    desk.monkeypatch.setattr(Journal, "append", no_intent)
    assert one_more_dose("250 mcg/day") == 0, "nobody knows that something is unknown"


# --- gates, serials ----------------------------------------------------------------------------


@pytest.mark.requirement("BOL-05")
@pytest.mark.parametrize("act", ["program", "resume"])
def test_without_the_gate_an_unknown_bars_nothing(act: str, desk: Desk) -> None:
    serial = desk.emulator()
    desk.program()
    if act == "resume":
        desk.pump("stop", "--now")
    journal = Journal(desk.home / "journal.sqlite3")
    journal.append("intent", at="x", pump=serial, operation="ab" * 16, body={"state_version": 1})
    journal.close()
    words: tuple[object, ...] = ("resume", "--plan-only")
    if act == "program":
        words = ("program", "plan", desk.profile(profile("250 mcg/day")))
    command = (*PORT, *words, "-o", desk.files / "p.json")
    desk.refused(10, "UNRESOLVED", *command)
    kept = tuple(gate for gate in gates.GATES[act] if gate is not gates.nothing_unresolved)
    desk.monkeypatch.setattr(gates, "GATES", {**gates.GATES, act: kept})
    assert desk.data(*command)["confirm"]


def test_without_the_serial_check_another_pump_is_looked_at(desk: Desk) -> None:
    desk.emulator()
    words = (*PORT, "--pump", "SP40-999999", "status")
    desk.refused(5, "WRONG_PUMP", *words)
    desk.monkeypatch.setattr(visit, "check_serial", nothing)
    assert desk.json(*words)["ok"]


# --- the second person -----------------------------------------------------------------------


@pytest.mark.requirement("CNF-04")
@pytest.mark.requirement("STP-03")
def test_without_the_endorsement_one_person_restarts_after_two_days(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    desk.program(profile("240 mcg/day"))
    desk.pump("stop", "--now")
    desk.advance("50 h")
    low = profile("150 mcg/day", fallback="100 mcg/day")
    path, told = desk.plan(low, *[f"--override={name}=seen" for name in soft_of(desk, low)])
    assert told["second"], "a restart after more than 48 h"
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    with desk.untouched():
        desk.refused(9, "NOT_CONFIRMED", *words)
    desk.monkeypatch.setattr(applying, "check_endorsement", nothing)
    with desk.untouched():
        desk.refused(3, "PLAN_STALE", *words)
    desk.monkeypatch.setattr(applying, "_check_second", nothing)
    desk.json(*words)
    assert program_now(desk) == told["new"]["hash"]


def soft_of(desk: Desk, text: str) -> list[str]:
    """The open soft findings of a plan for this profile."""
    _, told = desk.plan(text)
    return sorted({one["id"] for one in told["findings"] if one["severity"] == "soft"})
