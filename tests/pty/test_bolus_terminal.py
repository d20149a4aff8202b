"""A person who gives or ends a bolus, or sets a clock: only what the screen asks for does it."""

from __future__ import annotations

import re

import pytest

from tests.helpers.boluses import PORT, Day, even
from tests.helpers.desk import Desk
from tests.pty.test_terminal import NOT_CONFIRMED, Terminal, end_of_input, interrupt

ORDER = (*PORT, "bolus", "single", "20 mcg", "--over", "10 min")


@pytest.fixture
def day(desk: Desk) -> Day:
    made = Day(desk)
    made.program(even())
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    return made


def rows(screen: str) -> list[str]:
    lines = re.sub(r"\x1b\[[0-9;]*m|\r", "", screen).split("\n")
    assert all(len(line) <= 80 for line in lines), max(lines, key=len)
    return lines


@pytest.mark.requirement("CNF-02")
@pytest.mark.parametrize(
    ("typed", "code"),
    [("20 mcg", 0), ("0.02 mg", 0), ("20mcg", 0), ("", 9), ("y", 9), ("20", 9), ("20 mg", 9),
     ("2 mcg", 9), ("200 mcg", 9), ("20 mcg/day", 9), ("260 mcg/day", 9)],
)  # fmt: skip
def test_a_bolus_is_confirmed_by_its_mass(typed: str, code: int, day: Day) -> None:
    terminal = Terminal(day.desk, *ORDER)
    screen = terminal.asked("Type the dose of this bolus, with its unit: ")
    shown = rows(screen)
    assert len(shown) <= 24
    for figure in ("20 mcg over 10 min", "0.01 mL", "260 mcg", "low reservoir"):
        assert figure in screen, figure
    terminal.type(typed)
    assert terminal.end() == code
    assert day.desk.inspect()["delivery"] == ("bolus" if code == 0 else "delivering")


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("CNF-05")
def test_enter_ends_a_bolus_and_nothing_else_does(day: Day) -> None:
    day.desk.rehearse()
    day.bolus("20 mcg")
    day.desk.monkeypatch.delenv("PUMPCTL_NOW")
    day.wait("3 min")
    for no in (interrupt, end_of_input):
        terminal = Terminal(day.desk, *PORT, "bolus", "cancel")
        assert "6 mcg of 20 mcg given, until 00:10" in terminal.asked("Press Enter to end it.*: ")
        no(terminal)
        assert terminal.end() == NOT_CONFIRMED
    terminal = Terminal(day.desk, *PORT, "bolus", "cancel")
    terminal.asked("Press Enter.*: ")
    terminal.type("no")
    assert terminal.end() == NOT_CONFIRMED
    assert day.desk.inspect()["delivery"] == "bolus"
    terminal = Terminal(day.desk, *PORT, "bolus", "cancel")
    terminal.asked("Press Enter.*: ")
    terminal.type("")
    assert terminal.end() == 0
    assert day.desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("CNF-02")
@pytest.mark.requirement("TIM-02")
@pytest.mark.parametrize(
    ("typed", "code"),
    [("{}", 0), ("y", 9), ("", 9), ("14:7", 9), ("{}:00", 9), ("2 PM", 9)],
)
def test_a_clock_is_confirmed_by_the_time_that_is_shown(typed: str, code: int, day: Day) -> None:
    terminal = Terminal(
        day.desk, *PORT, "clock", "--set", "--override", "CLOCK_SET_FAR=a rehearsal of March"
    )
    screen = terminal.asked("Type the new time of the pump's clock: ")
    (row,) = (line for line in rows(screen) if line.startswith("  pump's clock "))
    new = row.split()[5]
    terminal.type(typed.format(new))
    assert terminal.end() == code
    moved = not day.desk.inspect()["time"].startswith("2026-03-23T00:00")
    assert moved is (code == 0)
