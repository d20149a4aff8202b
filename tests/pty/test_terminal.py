"""A person at a real terminal: only the right words typed change anything."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import continuous

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

PORT = ("--port", "emu://ward")
NOT_CONFIRMED = 9


PROMPT = "(with its unit|changes nothing): "
"""How the last line of every screen that asks ends."""


def listening() -> None:
    """A terminal's Ctrl-C reaches the child, also where these tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """pumpctl at a terminal of 80 × 40."""

    def __init__(self, desk: Desk, *words: object) -> None:
        first, *rest = command(*words)
        self.child: pexpect.spawn[str] = pexpect.spawn(
            first,
            rest,
            env=environment(desk.home),
            encoding="utf-8",
            dimensions=(40, 80),
            timeout=30,
            preexec_fn=listening,
        )

    def asked(self, prompt: str) -> str:
        """Wait for a prompt; the screen before it."""
        self.child.expect(prompt)
        return str(self.child.before)

    def type(self, text: str) -> None:
        self.child.sendline(text)

    def end(self) -> int:
        """The exit code; a signal as its negative number."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        if self.child.exitstatus is not None:
            return self.child.exitstatus
        assert self.child.signalstatus is not None
        return -self.child.signalstatus


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A pump, and a profile of 240 mcg/day."""
    desk.emulator()
    desk.profile(continuous("240 mcg/day"))
    return desk


def push(desk: Desk) -> Terminal:
    return Terminal(desk, *PORT, "program", "push", desk.files / "visit.toml")


@pytest.mark.requirement("CNF-01")
@pytest.mark.requirement("CNF-02")
def test_the_right_challenge_is_applied(ready: Desk) -> None:
    wanted = ready.data("profile", "check", ready.files / "visit.toml")["hash"]
    terminal = push(ready)
    screen = terminal.asked("Type the largest day.s dose")
    for shown in ("P-0417", "96 mcg/day", "240 mcg/day", "2000 mcg/mL", "150 mcg/day", "refill"):
        assert shown in screen, shown
    terminal.type("240 mcg/day")
    assert terminal.end() == 0
    assert ready.inspect()["program"]["hash"] == wanted


@pytest.mark.requirement("CNF-02")
@pytest.mark.parametrize(
    "typed",
    ["", " ", "y", "Y", "yes", "240", "240 mcg", "24 mcg/day", "2400 mcg/day", "240.1 mcg/day",
     "96 mcg/day", "240 mcg/dayy", "STOP"],
)  # fmt: skip
def test_anything_else_changes_nothing(typed: str, ready: Desk) -> None:
    before = ready.truth()
    terminal = push(ready)
    terminal.asked(PROMPT)
    terminal.type(typed)
    assert terminal.end() == NOT_CONFIRMED
    assert ready.truth()._replace(log_next=0) == before._replace(log_next=0)
    assert ready.pump("resolve")["outcome"] is None


def interrupt(terminal: Terminal) -> None:
    terminal.child.sendintr()


def end_of_input(terminal: Terminal) -> None:
    terminal.child.sendeof()


def hang_up(terminal: Terminal) -> None:
    terminal.child.kill(signal.SIGHUP)


@pytest.mark.requirement("CNF-05")
@pytest.mark.parametrize("act", [interrupt, end_of_input, hang_up])
@pytest.mark.parametrize("what", ["push", "stop", "resume", "confirm"])
def test_ctrl_c_ctrl_d_and_hang_up_mean_no(
    what: str, act: Callable[[Terminal], None], ready: Desk
) -> None:
    words: tuple[object, ...] = (*PORT, what)
    match what:
        case "push":
            words = (*PORT, "program", "push", ready.files / "visit.toml")
        case "resume":
            ready.pump("stop", "--now")
        case "confirm":
            words = (what, ready.plan()[0])
        case _:
            pass
    before = ready.truth()
    terminal = Terminal(ready, *words)
    terminal.asked(PROMPT)
    act(terminal)
    assert terminal.end() == NOT_CONFIRMED
    assert ready.truth()._replace(log_next=0) == before._replace(log_next=0)


@pytest.mark.requirement("CNF-05")
def test_a_terminal_that_is_gone(ready: Desk) -> None:
    """The other end of the pty is closed: the system hangs up, and nobody can be told."""
    before = ready.truth()
    terminal = push(ready)
    terminal.asked(PROMPT)
    terminal.child.close(force=False)
    assert terminal.child.exitstatus == NOT_CONFIRMED or terminal.child.signalstatus
    assert ready.truth()._replace(log_next=0) == before._replace(log_next=0)


@pytest.mark.requirement("CNF-02")
@pytest.mark.parametrize(("typed", "code"), [("66 mcg", 0), ("438 mcg/day", NOT_CONFIRMED)])
def test_where_no_day_s_total_changes_the_largest_hour_is_typed(
    typed: str, code: int, ready: Desk
) -> None:
    """Both daily boluses at seven: the same total, another hour."""
    from tests.helpers.profiles import spoiled

    ready.flex()
    moved = spoiled('at = ["07:00", "21:00"]', 'at = ["07:00", "07:30"]')
    ready.monkeypatch.delenv("PUMPCTL_NOW")
    terminal = Terminal(ready, *PORT, "program", "push", ready.profile(moved))
    terminal.asked("Type the largest hour")
    terminal.type(typed)
    assert terminal.end() == code


@pytest.mark.requirement("STP-02")
def test_stop_is_typed_and_its_reason_asked_afterwards(ready: Desk) -> None:
    terminal = Terminal(ready, *PORT, "stop")
    assert "withdrawal" in terminal.asked("Type STOP")
    terminal.type("STOP")
    terminal.asked("Why was it stopped")
    terminal.type("overdose suspected")
    assert terminal.end() == 0
    assert ready.inspect()["delivery"] == "stopped"


@pytest.mark.parametrize("typed", ["stop", "", "y", "yes", "STOP!"])
def test_stop_wants_its_own_word(typed: str, ready: Desk) -> None:
    with ready.untouched():
        terminal = Terminal(ready, *PORT, "stop")
        terminal.asked("Type STOP")
        terminal.type(typed)
        assert terminal.end() == NOT_CONFIRMED


@pytest.mark.requirement("STP-03")
def test_resume_is_confirmed_with_the_dose_it_returns_to(ready: Desk) -> None:
    ready.program(continuous("240 mcg/day"))
    ready.pump("stop", "--now")
    terminal = Terminal(ready, *PORT, "resume")
    terminal.asked("Type the largest daily dose it returns to")
    terminal.type("240 mcg/day")
    assert terminal.end() == 0
    assert ready.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("CNF-03")
def test_confirm_prints_the_token_of_a_plan(ready: Desk) -> None:
    path, told = ready.plan()
    with ready.untouched():
        terminal = Terminal(ready, "confirm", path)
        terminal.asked(PROMPT)
        terminal.type("240 mcg/day")
        terminal.child.expect(told["confirm"])
        assert terminal.end() == 0
        terminal = Terminal(ready, "confirm", path)
        terminal.asked(PROMPT)
        terminal.type("y")
        assert terminal.end() == NOT_CONFIRMED
        assert told["confirm"] not in str(terminal.child.before)
    assert ready.apply(path, told["confirm"])["outcome"] == "applied"
    assert Path(path).exists()


@pytest.mark.requirement("SEC-03")
def test_the_pairing_secret_is_typed_unseen(desk: Desk) -> None:
    secret = desk.json("emulator", "new", "ward", "--frozen")["data"]["pairing_secret"]
    desk.data("emulator", "press", "ward")
    terminal = Terminal(desk, *PORT, "pair")
    terminal.asked("implant card: ")
    terminal.type(secret)
    assert terminal.end() == 0
    assert secret not in str(terminal.child.before)
    assert desk.pump("status")
