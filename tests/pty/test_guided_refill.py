"""A refill as a person at a terminal makes it: ordinary, changed, given up, broken off, killed."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.station.journal import Journal
from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import continuous

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

from tests.pty.test_terminal import listening

PORT = ("--port", "emu://ward")
NOT_CONFIRMED, BLOCKED = 9, 10

DIES = """
import os, signal, sys
from pumpctl.workflows.road import applying
from pumpctl.__main__ import main
applying._write_outcome = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main())
"""
"""pumpctl, killed when the pump has answered and nothing of it is written down yet."""

ORDER = (("Prescriber: ", "Dr Adams"), ("Reference of the order: ", "ORD-7"))
DRUG = (
    ("Drug: ", "baclofen"),
    ("Concentration, with its unit: ", "2000 mcg/mL"),
    ("nobody reads it: ", "10 mg/5 mL"),
    ("Lot, as printed: ", "L123"),
    ("Expiry.*: ", "2029-08-31"),
)
KEEP = (("path of a profile: ", "keep"),)
INJECT = (("Injected volume, with its unit: ", "40 mL"), ("Type 40 mL again", "40 mL"))
NEXT = (("Next refill visit.*: ", "not planned"),)
CONFIRM = (("with its unit: ", "40 mL 2000 mcg/mL"),)


class Refill:
    """`pumpctl refill` at a terminal of 80 columns."""

    def __init__(self, desk: Desk, script: str = "") -> None:
        first, *rest = command(*PORT, "refill")
        if script:
            rest = ["-c", script, *PORT, "refill"]
        self.child: pexpect.spawn[str] = pexpect.spawn(
            first,
            rest,
            env=environment(desk.home, PUMPCTL_NOW="pump", NO_COLOR="1"),
            encoding="utf-8",
            dimensions=(40, 80),
            timeout=30,
            preexec_fn=listening,
        )
        self._screens = ""

    @property
    def shown(self) -> str:
        """Everything so far, without its bold."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._screens)

    def asked(self, prompt: str) -> None:
        self.child.expect(prompt)
        self._screens += f"{self.child.before}{self.child.after}"

    def answers(self, *pairs: tuple[str, str]) -> None:
        for prompt, answer in pairs:
            self.asked(prompt)
            self.child.sendline(answer)

    def end(self) -> int:
        """The exit code; a signal as its negative number."""
        self.child.expect(pexpect.EOF)
        self._screens += str(self.child.before)
        self.child.close()
        code, killed = self.child.exitstatus, self.child.signalstatus
        return code if code is not None else -(killed or 0)


class Ward:
    """A pump that has given a part of its 40 mL."""

    def __init__(self, desk: Desk, concentration: str, daily: str, days: int) -> None:
        self.desk = desk
        self.serial = desk.emulator("ward", "--concentration", concentration, "--volume", "40 mL")
        desk.rehearse()
        desk.program(continuous(daily, concentration=concentration, fallback=daily))
        desk.advance(f"{days}d")
        self.who = (("tag: ", "P-0417"), ("implant card: ", self.serial))

    def visits(self) -> list[dict[str, Any]]:
        with Journal(self.desk.home / "journal.sqlite3") as journal:
            return [each.body for each in journal.entries() if each.kind == "visit"]

    def steps(self) -> list[str]:
        return [str(body["step"]) for body in self.visits()]

    def told(self) -> dict[str, Any]:
        """The emulator's own truth."""
        self.desk.monkeypatch.delenv("PUMPCTL_NOW", raising=False)
        return self.desk.inspect()


@pytest.fixture
def ward(desk: Desk) -> Ward:
    """400 mcg/day of 2000 mcg/mL: 0.2 mL a day, 20 mL in 100 days."""
    return Ward(desk, "2000 mcg/mL", "400 mcg/day", 100)


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("CNF-02")
def test_an_ordinary_refill(ward: Ward) -> None:
    refill = Refill(ward.desk)
    refill.answers(*ward.who, *ORDER, ("Drained volume.*: ", "20.5"), ("unit: ", "20.5 mL"))
    refill.answers(*DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
    assert refill.end() == 0
    # 20.5 drained of 20 expected: 19.5 of 20 mL were delivered.
    for line in (
        "EXPECT TO DRAIN         20 mL",
        "'20.5': has no unit",
        "apart                   +0.5 mL",
        "2.5 % less than programmed",
        "40 mL of baclofen 2000 mcg/mL  =  80 mg",
        "= 190 days until the low-reservoir alarm, at 400 mcg/day",  # (40 - 2) / 0.2
        "Refilled and verified",
    ):
        assert line in refill.shown, line
    told = ward.told()
    assert (told["reservoir"], told["state_version"]) == ("40 mL", 4)
    assert ward.steps() == [
        *("begun", "prescriber", "reference", "drained", "drug", "concentration", "ampoule"),
        *("lot", "expiry", "program", "injected", "next visit", "confirmed", "closed"),
    ]
    assert "P-0417" not in str(ward.visits())


@pytest.mark.requirement("REF-03")
def test_another_concentration_and_its_bridge(desk: Desk) -> None:
    """0.348 mL of 500 mcg/mL at 100 mcg/day: 41.76 h, rounded down to a minute with its pulse."""
    ward = Ward(desk, "500 mcg/mL", "100 mcg/day", 100)
    refill = Refill(desk)
    refill.answers(*ward.who, *ORDER, ("Drained volume.*: ", "20 mL"), *DRUG, *KEEP, *INJECT)
    refill.answers(('Type "bridge", or "leave out": ', "y"), ("leave out.*: ", "bridge"), *NEXT)
    refill.answers(("with its unit: ", "40 mL 2000 mcg/mL 0.348 mL"))
    assert refill.end() == 0
    for line in ("BRIDGE                  0.348 mL", "after 41 h 45 min", "25 mcg/day instead of"):
        assert line in refill.shown, line
    told = ward.told()
    assert told["bridge"]["volume"] == "0.348 mL"
    assert told["drug"]["concentration"] == "2000 mcg/mL"


@pytest.mark.requirement("REF-01")
def test_drained_far_too_much(ward: Ward) -> None:
    """36 mL of 40: 4 of 20 mL were delivered, and the old dose does not go on."""
    reduced = ward.desk.profile(continuous("96 mcg/day", fallback="96 mcg/day"), "reduced.toml")
    refill = Refill(ward.desk)
    refill.answers(*ward.who, *ORDER, ("Drained volume.*: ", "36 mL"))
    refill.asked("SUSPECTED NON-DELIVERY")
    refill.answers(("unit: ", "36 mL"))
    refill.asked("OLD DOSE IS REFUSED")
    refill.answers(("or give up: ", "catheter kinked, revised"), *DRUG)
    refill.answers(("Type the path of a profile: ", "keep"))
    refill.asked("cannot be read")
    refill.answers(("Type the path of a profile: ", str(reduced)), *INJECT, *NEXT)
    while refill.child.expect(['or "change": ', "with its unit: "]) == 0:
        refill.child.sendline("reduced after non-delivery")
    refill.child.sendline("40 mL 2000 mcg/mL")
    assert refill.end() == 0
    assert ward.desk.pump("status")["program"]["daily_dose"] == "96 mcg/day"


@pytest.mark.requirement("REF-01")
def test_the_port_is_not_found(ward: Ward) -> None:
    refill = Refill(ward.desk)
    refill.answers(*ward.who, *ORDER, ("Drained volume.*: ", "give up"))
    refill.answers(("Why is it given up.*\\? ", "port not found"))
    refill.answers(("with its unit: ", "20 mL 2000 mcg/mL"))
    assert refill.end() == 0
    assert "withdrawal begins" in refill.shown
    assert ward.told()["reservoir"] == "20 mL"
    assert ward.steps()[-3:] == ["given up", "confirmed", "closed"]


def interrupt(refill: Refill) -> None:
    refill.child.sendintr()


def end_of_input(refill: Refill) -> None:
    refill.child.sendeof()


def hang_up(refill: Refill) -> None:
    refill.child.kill(signal.SIGHUP)


@pytest.mark.requirement("REF-06")
@pytest.mark.requirement("CNF-05")
@pytest.mark.parametrize("act", [interrupt, end_of_input, hang_up])
def test_broken_off_after_the_drain_it_goes_on(act: Callable[[Refill], None], ward: Ward) -> None:
    before = ward.told()
    first = Refill(ward.desk)
    first.answers(*ward.who, *ORDER, ("Drained volume.*: ", "20.5 mL"))
    first.asked("Drug: ")
    act(first)
    assert first.end() == NOT_CONFIRMED
    assert "drained 20.5 mL at" in first.shown
    assert "pumpctl refill" in first.shown
    now = ward.told()
    assert (now["state_version"], now["pulses"]) == (before["state_version"], before["pulses"])

    again = Refill(ward.desk)
    again.answers(ward.who[0], *DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
    assert again.end() == 0
    assert "DRAINED                 20.5 mL at" in again.shown
    assert "Drained volume" not in again.shown
    assert ward.steps().count("drained") == 1
    assert ward.told()["reservoir"] == "40 mL"


@pytest.mark.requirement("REF-06")
def test_killed_after_the_injection_it_goes_on(ward: Ward) -> None:
    first = Refill(ward.desk)
    first.answers(*ward.who, *ORDER, ("Drained volume.*: ", "20 mL"), *DRUG, *KEEP, *INJECT)
    first.asked("Next refill visit")
    first.child.kill(signal.SIGKILL)
    assert first.end() == -signal.SIGKILL
    ward.desk.monkeypatch.delenv("PUMPCTL_NOW")
    ward.desk.advance("120 s")

    again = Refill(ward.desk)
    again.answers(ward.who[0], *NEXT, *CONFIRM)
    assert again.end() == 0
    assert "INJECTED                40 mL at" in again.shown
    for prompt in ("Drained volume", "Injected volume"):
        assert prompt not in again.shown
    # 0.2 mL a day are 2.78 pulses of 0.0001 mL in 120 s: counted since the injection.
    assert ward.told()["reservoir"] in ("39.9998 mL", "39.9997 mL")
    assert ward.steps().count("injected") == 1


@pytest.mark.requirement("REF-06")
def test_killed_right_after_the_activation_nothing_is_done_twice(ward: Ward) -> None:
    first = Refill(ward.desk, DIES)
    first.answers(*ward.who, *ORDER, ("Drained volume.*: ", "20 mL"), *DRUG, *KEEP, *INJECT)
    first.answers(*NEXT, *CONFIRM)
    assert first.end() == -signal.SIGKILL
    assert ward.told()["state_version"] == 4

    again = Refill(ward.desk)
    assert again.end() == BLOCKED
    assert "pumpctl resolve" in again.shown
    ward.desk.rehearse()
    assert ward.desk.pump("resolve")["outcome"] == "applied"
    once_more = Refill(ward.desk)
    assert once_more.end() == 0
    assert "Order ORD-7 was applied before" in once_more.shown
    assert "the pump holds it" in once_more.shown
    told = ward.told()
    assert told["state_version"] == 4
    assert [each["kind"] for each in told["operations"]].count("refill") == 1
    assert ward.steps()[-2:] == ["confirmed", "closed"]
