"""A refill from a file, and a bridge, as a person at a terminal confirms them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.helpers.desk import Desk, command, environment
from tests.helpers.profiles import continuous
from tests.helpers.visits import PORT, planned, refilled, token_of, visit_file

pexpect = pytest.importorskip("pexpect")


def typed(desk: Desk, answer: str, *words: object, **more: str) -> tuple[int, str]:
    """A command at a terminal of 80 columns, one answer; its exit code, and all it showed."""
    first, *rest = command(*words)
    child: Any = pexpect.spawn(
        first,
        rest,
        env=environment(desk.home, PUMPCTL_NOW="pump", TERM="xterm-256color", **more),
        encoding="utf-8",
        dimensions=(30, 80),
        timeout=30,
    )
    child.expect("Type [^:]*: ")
    screen = str(child.before) + str(child.after)
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen + str(child.before))
    if child.exitstatus == 0:
        assert not [line for line in plain.splitlines() if len(line) > 80]
    return child.exitstatus, plain


def ward(desk: Desk) -> None:
    """Ten days at 100 mcg/day of 500 mcg/mL: 38 mL are left (W22)."""
    desk.emulator("ward", "--concentration", "500 mcg/mL")
    desk.rehearse()
    text = continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL")
    desk.program(text)
    desk.advance("10d")


@pytest.mark.requirement("CNF-02")
@pytest.mark.requirement("REF-03")
def test_volume_concentration_and_bridge_are_typed(desk: Desk) -> None:
    ward(desk)
    words = (*PORT, "refill", "--file", visit_file(desk, "38 mL"))
    for wrong in ("", "y", "40 mL", "40 mL 2000 mcg/mL", "40 mL 500 mcg/mL 0.348 mL",
                  "40 2000 0.348", "0.348 mL 40 mL 2000 mcg/mL"):  # fmt: skip
        before = desk.truth()
        code, shown = typed(desk, wrong, *words)
        assert code == 9, shown
        assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    code, shown = typed(desk, "40 mL 2000 mcg/mL 0.348 mL", *words, NO_COLOR="1")
    assert code == 0, shown
    assert "Refilled and verified" in shown and "Bridge of 0.348 mL until" in shown
    assert desk.inspect()["delivery"] == "bridge"


@pytest.mark.requirement("CNF-03")
def test_the_token_of_a_change_of_concentration_comes_from_confirm(desk: Desk) -> None:
    ward(desk)
    path, told = planned(desk, "38 mL")
    assert told["confirm"] is None
    code, shown = typed(desk, "40 mL 2000 mcg/mL 0.348 mL", "confirm", path)
    assert code == 0, shown
    assert token_of(path) in shown
    desk.apply(path, token_of(path))


@pytest.mark.requirement("REF-06")
def test_the_same_file_again_asks_nothing(desk: Desk) -> None:
    ward(desk)
    refilled(desk, "38 mL")
    words = (*PORT, "refill", "--file", desk.files / "refill.toml")
    first, *rest = command(*words)
    said, code = pexpect.run(
        " ".join([first, *(f"'{word}'" for word in rest)]),
        env=environment(desk.home, PUMPCTL_NOW="pump"),
        withexitstatus=True,
        encoding="utf-8",
    )
    assert code == 0, said
    assert "was applied before" in said and "Nothing was changed" in said


@pytest.mark.requirement("CNF-02")
@pytest.mark.requirement("REF-08")
def test_the_bridge_s_volume_is_typed(desk: Desk) -> None:
    ward(desk)
    refilled(desk, "38 mL", bridge="none", reasons={"BRIDGE_LEFT_OUT": "rehearsal"})
    desk.advance("2d")
    words = (*PORT, "bolus", "bridge")
    assert typed(desk, "0.248 mL", *words)[0] == 9
    code, shown = typed(desk, "0.348 mL", *words)
    assert code == 0, shown
    assert "0.248 mL to go" in shown
