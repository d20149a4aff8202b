"""Record, prime and patient as a person at a terminal confirms them; 80 columns hold."""

from __future__ import annotations

import re

import pytest

from tests.helpers import lines
from tests.helpers.desk import Desk, environment

pexpect = pytest.importorskip("pexpect")
PORT = ("--port", "emu://ward")


def typed(desk: Desk, answer: str, *words: object) -> tuple[int, str]:
    """A command at a terminal of 24 lines, one answer; its exit code, and all it showed."""
    from tests.helpers.desk import command

    first, *rest = command(*words)
    child = pexpect.spawn(
        first,
        rest,
        env=environment(desk.home, PUMPCTL_NOW="pump", NO_COLOR="1"),
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=30,
    )
    child.expect("Type [^:]*: ")
    screen = str(child.before) + str(child.after)
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    shown = screen + str(child.before)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not [line for line in plain.splitlines() if len(line) > 80]
    return child.exitstatus, plain


@pytest.mark.requirement("CNF-02")
@pytest.mark.requirement("REF-09")
def test_record_and_prime_are_confirmed_by_the_read_back(desk: Desk) -> None:
    lines.weak(desk)
    record = (*PORT, "implant", "record", *lines.said(trimmed="23.5 cm"))
    code, _ = typed(desk, "0.348 mL", *record)  # 0.14 + 0.2249 mL
    assert code == 9
    code, shown = typed(desk, "0.3649 mL", *record)
    assert code == 0, shown
    code, _ = typed(desk, "112.45", *PORT, "bolus", "prime")
    assert code == 9
    code, shown = typed(desk, "112.45 mcg", *PORT, "bolus", "prime")
    assert code == 0, shown
    assert "left in the line        112.45 mcg" in shown
    assert "worst case, mixing    no more than 112.45 mcg" in shown
    assert "drug at the tip from" in shown


@pytest.mark.requirement("CNF-03")
@pytest.mark.requirement("REF-09")
def test_the_token_of_a_prime_comes_from_confirm(desk: Desk) -> None:
    lines.weak(desk)
    lines.record(desk, *lines.said())
    path, _ = lines.plan(desk, "bolus", "prime")
    code, shown = typed(desk, "104 mcg", "confirm", path)
    assert code == 0, shown
    assert lines.by_hand(path) in shown
    desk.apply(path, lines.by_hand(path))


@pytest.mark.requirement("CNF-02")
def test_a_patient_is_confirmed_by_the_tag_and_cleared_by_the_serial(desk: Desk) -> None:
    serial = lines.weak(desk)
    code, _ = typed(desk, "yes", *PORT, "patient", "assign", "P-0417")
    assert code == 9
    code, shown = typed(desk, "P-0417", *PORT, "patient", "assign", "P-0417")
    assert code == 0, shown
    code, shown = typed(desk, serial, *PORT, "patient", "clear")
    assert code == 0, shown
