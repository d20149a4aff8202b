"""A whole clinic day at a terminal of 80 × 24: every screen fits, and shows the figure it is for.

The figures are worked for 240 mcg/day of 2000 mcg/mL: 10 mcg/h, 240 / 2000 = 0.12 mL/day.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import continuous

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

from tests.pty.test_terminal import listening

DONE, NOT_CONFIRMED, REFUSED, BLOCKED = 0, 9, 3, 10
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-B]|\x1b[=>]")
PATIENT_DOSE = """
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3
"""
FILLED = (
    ("Drug: ", "baclofen"),
    ("Concentration, with its unit: ", "2000 mcg/mL"),
    ("nobody reads it: ", "10 mg/5 mL"),
    ("Lot, as printed: ", "L123"),
    ("Expiry.*: ", "2099-08-31"),
    ("path of a profile: ", "keep"),
    ("Injected volume, with its unit: ", "40 mL"),
    ("Type 40 mL again", "40 mL"),
    ("Next refill visit.*: ", "not planned"),
)


class Screen(NamedTuple):
    """All that a command showed, as it stood on the terminal."""

    raw: str
    code: int

    @property
    def text(self) -> str:
        plain = re.sub(r"\r+\n", "\n", STYLE.sub("", self.raw))
        return re.sub(r"[^\n]*\r", "", plain)  # progress, which writes over itself

    def row(self, name: str) -> str:
        """What stands beside this name, in the first row of it."""
        for line in self.text.splitlines():
            if line.strip().startswith(f"{name} "):
                return line.strip().removeprefix(name).strip()
        raise AssertionError(f"no row {name!r} in:\n{self.text}")


class Terminal:
    """The station's terminal, as wide as told."""

    def __init__(self, desk: Desk, columns: int = 80, **more: str) -> None:
        self._desk, self._columns, self._more = desk, columns, more

    def __call__(
        self, *words: object, answers: tuple[tuple[str, str], ...] = (), code: int = DONE
    ) -> Screen:
        """A command, what is typed at its prompts, and how it ends; no line too wide."""
        first, *rest = command("--port", "emu://ward", *words)
        more = {"TERM": "xterm-256color", "PUMPCTL_NOW": "pump", **self._more}
        child: pexpect.spawn[str] = pexpect.spawn(
            first,
            rest,
            env={**environment(self._desk.home), **more},
            encoding="utf-8",
            dimensions=(24, self._columns),
            timeout=30,
            preexec_fn=listening,
        )
        shown = ""
        for prompt, answer in answers:
            child.expect(prompt)
            shown += f"{child.before}{child.after}"
            child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        screen = Screen(shown + str(child.before), child.exitstatus or 0)
        assert screen.code == code, screen.text
        wide = [line for line in screen.text.splitlines() if len(line.rstrip()) > self._columns]
        assert not wide, wide
        return screen


def typed(what: str) -> tuple[tuple[str, str], ...]:
    """This, at the last line of a change's screen."""
    return (("with its unit: ", what),)


def profile(desk: Desk) -> Path:
    return desk.profile(continuous("240 mcg/day", fallback="150 mcg/day") + PATIENT_DOSE)


@pytest.fixture
def terminal(desk: Desk) -> Terminal:
    made = desk.json(
        "emulator", "new", "ward", "--frozen", "--concentration", "2000 mcg/mL",
        "--utc-offset", "+00:00",
    )  # fmt: skip
    desk.data("emulator", "press", "ward")
    terminal = Terminal(desk)
    secret = made["data"]["pairing_secret"]
    assert secret not in terminal("pair", answers=(("implant card: ", secret),)).text
    return terminal


@pytest.mark.requirement("CNF-02")
def test_a_whole_day(desk: Desk, terminal: Terminal) -> None:
    status = terminal("status")
    assert status.row("delivery") == "minimum"
    assert status.row("basal now") == "4 mcg/h"  # 0.048 mL/day x 2000 / 24
    assert COLOUR.search(status.raw) is None, "calm: nothing is coloured"

    push = ("program", "push", profile(desk))
    refused = terminal(*push, answers=typed("240 mcg"), code=NOT_CONFIRMED)
    assert "nothing was changed" in refused.text
    done = terminal(*push, answers=typed("240 mcg/day"))
    assert done.row("daily dose  every day").split("  ")[0] == "96 mcg/day"
    assert "240 mcg/day" in done.row("daily dose  every day")
    assert "0.12 mL/day" in done.row("flow, largest day")
    assert "Activated and verified" in done.text

    _doses(desk, terminal)
    _line(desk, terminal)
    _scan(desk, terminal)
    _refill(desk, terminal)
    _stopped(desk, terminal)
    history = terminal("program", "history").text
    assert "240 mcg/day" in history and "96 mcg/day" in history


def _doses(desk: Desk, terminal: Terminal) -> None:
    """A bolus, its cancel, and a dose of the patient's own; what titration permits."""
    given = terminal("bolus", "single", "20 mcg", "--over", "10 min", answers=typed("20 mcg"))
    assert given.row("single bolus") == "20 mcg over 10 min"
    assert given.row("volume").startswith("0.01 mL of baclofen 2000 mcg/mL")
    assert terminal("status").row("bolus running").startswith("single, 0 mcg of 20 mcg given")
    desk.advance("5 min")
    cancelled = terminal("bolus", "cancel", answers=(("changes nothing: ", ""),))
    assert re.search(r"CANCELLED: 10(\.\d+)? mcg of 20 mcg was given", cancelled.text)
    assert "CUT SHORT" in terminal("status").row("last bolus")
    desk.advance("4 h")
    desk.data("emulator", "press", "ward", "--patient-dose")
    desk.advance("10 min")
    left = terminal("status")
    assert left.row("patient dose") == "10 mcg over 5 min, lockout 4 h, at most 3 in 24 h"
    assert "2 of 3 left, locked until" in left.text
    terminal("logs", "pull")
    assert "patient takes a dose: 10 mcg" in terminal("logs", "show", "--last", "9").text
    desk.advance("5 h")
    # +10 to +40 % of 240; a wide text is broken between words, never before a unit.
    titrated = terminal("titrate", profile(desk)).text
    assert "264 to 336 mcg/day" in titrated and not re.search(r"\d\n +mcg", titrated)
    assert terminal("clock").row("the pump's is") == "in step, +0 s"


def _line(desk: Desk, terminal: Terminal) -> None:
    """The catheter is emptied, and primed: until it is, the status says what does not arrive."""
    revise = ("implant", "revise", "--event", "catheter aspiration", "--catheter-holds", "free")
    terminal(*revise, answers=typed("0.348 mL"))
    assert "free of drug" in terminal("implant", "show").row("line holds now")
    # 0.208 mL of catheter at 0.12 mL/day: 41.6 h
    assert terminal("status").row("at catheter tip").startswith("NO DRUG until 20")
    refused = terminal("bolus", "prime", answers=typed("400 mcg"), code=NOT_CONFIRMED)
    # 0.208 mL, less what the program moves in the 10 min that a staged prime may wait:
    # 10/6 mcg are 0.000834 mL, rounded up to what is not filled twice; 0.207166 x 2000
    assert refused.row("left in the line") == "414.332 mcg of this prime"
    terminal("bolus", "prime", answers=typed("414.332 mcg"))
    desk.advance("1 h")
    assert "at catheter tip" not in terminal("status").text


def _scan(desk: Desk, terminal: Terminal) -> None:
    """A magnetic field, and the two looks after it; the alarm is heard."""
    assert "nothing speaks against a scan" in terminal("mri", "before").text
    desk.data("emulator", "fault", "ward", "mri", "--for", "30min")
    desk.advance("90 min")
    assert "NOT CLOSED" in terminal("mri", "after", code=BLOCKED).text
    desk.advance("40 min")
    assert "CLOSED. The pump delivers again" in terminal("mri", "after").text
    assert "HEARD" in terminal("alarm", "test", answers=((r"\(y/n\) ", "y"),)).text


def _refill(desk: Desk, terminal: Terminal) -> None:
    """Broken off, given up after something was drawn, and made."""
    desk.advance("100 d")
    serial = desk.inspect()["serial"]
    who = (("Patient's tag: ", "P-0417"), ("implant card: ", str(serial)))
    order = (("Prescriber: ", "Dr Adams"), ("Reference of the order: ", "ORD-7"))
    expected = str(desk.inspect()["reservoir"])
    # 5 mL are far from it: the person gives up, and 5 mL are out all the same.
    given_up = terminal(
        "refill",
        answers=(
            *who,
            *order,
            ("Drained volume, with its unit: ", "5 mL"),
            ("Drained volume, with its unit: ", "give up"),
            (r"Why is it given up .*\? ", "the needle slipped"),
            ("Left in the reservoir.*: ", "nothing"),
            ("Left in the reservoir.*: ", expected),
            ("Type it again to record it: ", expected),
            ("all the same.*: ", "what was drawn was put back"),
            ("with its unit: ", f"{expected} 2000 mcg/mL"),
        ),
    )
    assert given_up.row("EXPECT TO DRAIN") == expected
    assert "given up: what is still inside?" in given_up.text
    assert "GIVEN UP: the needle slipped" in given_up.text
    anew = (*who, order[0], ("Reference of the order: ", "ORD-8"))
    drained = (("Drained volume, with its unit: ", expected),)
    confirm = (("with its unit: ", "40 mL 2000 mcg/mL"),)
    done = terminal("refill", answers=(*anew, *drained, *FILLED, *confirm))
    assert done.row("meaning") == "AS EXPECTED"
    assert done.row("reservoir").split() == [*expected.split(), "40", "mL"]
    # The 2 mL of the alarm stay: 38 / (0.12 + 3 x 10 / 2000) = 281.48 whole days.
    assert "= 281 days until the low-reservoir alarm" in done.text
    assert "Refilled and verified" in done.text


def _stopped(desk: Desk, terminal: Terminal) -> None:
    """Small letters stop nothing; without drug the status and the card say so; it goes on."""
    small = terminal("stop", answers=(("changes nothing: ", "stop"),), code=NOT_CONFIRMED)
    assert "in capital letters" in small.text
    words = (("changes nothing: ", "STOP"), (r"\(Enter: none\): ", "before surgery"))
    assert "is STOPPED and delivers nothing" in terminal("stop", answers=words).text
    desk.advance("5 h")
    stopped = terminal("status")
    assert stopped.row("delivery") == "STOPPED" and COLOUR.search(stopped.raw)
    assert stopped.row("without drug for") == "5 h 00 min"
    for card in ("overdose", "withdrawal"):
        shown = terminal("emergency", card).text
        assert len(shown.splitlines()) <= 24
        assert "STOPPED" in shown
    terminal("resume", answers=typed("240 mcg/day"))
    assert terminal("status").row("delivery") == "delivering"
    assert "nothing" in terminal("resolve").text.lower()


@pytest.mark.parametrize(
    ("columns", "more"),
    [(120, {}), (80, {"NO_COLOR": "1"}), (80, {"TERM": "dumb"})],
    ids=["120", "NO_COLOR", "dumb"],
)
def test_other_terminals(
    desk: Desk, terminal: Terminal, columns: int, more: dict[str, str]
) -> None:
    """The alarm, a change's screen and a refusal: no colour where none is wanted, none too wide."""
    terminal("program", "push", profile(desk), answers=typed("240 mcg/day"))
    other = Terminal(desk, columns, **more)
    change = other(
        "bolus", "single", "20 mcg", "--over", "10 min", answers=typed("no"), code=NOT_CONFIRMED
    )
    assert change.row("single bolus") == "20 mcg over 10 min"
    refused = other("bolus", "prime", code=REFUSED)
    assert "hard PRIME_REFUSED" in refused.text
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("2 h")
    alarm = other("status")
    assert "MOTOR_STALL" in alarm.text and alarm.row("delivery") == "STALLED"
    assert bool(COLOUR.search(alarm.raw)) is not bool(more)
