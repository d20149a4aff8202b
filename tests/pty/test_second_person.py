"""The second person, and an operator's passphrase, at a real terminal."""

from __future__ import annotations

import signal
import sys

import pytest

from pumpctl.station.journal import Journal
from pumpctl.station.plan import read_plan, sealed, write_plan
from pumpctl.workflows.road.second import Endorsement, check_endorsement
from tests.helpers.desk import Desk, command, environment
from tests.helpers.staff import Staff, passphrase

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pexpect

pytestmark = [pytest.mark.requirement("CNF-04"), pytest.mark.requirement("CNF-05")]

ASK = """
import os
import sys
from pathlib import Path
from pumpctl.cli import context
from pumpctl.cli.therapy.confirming import challenge_of
from pumpctl.cli.therapy.second import ask_second
from pumpctl.errors import PumpctlError
from pumpctl.station.plan import read_plan

file, operator, name = sys.argv[1:]
context.begin({"home": os.environ["PUMPCTL_HOME"], "operator": operator})
plan = read_plan(Path(file))
try:
    print("GIVEN", ask_second(plan, challenge_of(plan), name or None))
except PumpctlError as error:
    print("REFUSED", error.message)
    sys.exit(error.exit_code)
"""


def listening() -> None:
    """A terminal's Ctrl-C reaches the child, also where these tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A process at a terminal of 80 columns."""

    def __init__(self, desk: Desk, *words: object) -> None:
        first, *rest = map(str, words)
        self.child: pexpect.spawn[str] = pexpect.spawn(
            first,
            rest,
            env=environment(desk.home),
            encoding="utf-8",
            dimensions=(40, 80),
            timeout=30,
            preexec_fn=listening,
        )
        self.shown = ""

    def answer(self, prompt: str, text: str) -> None:
        self.asked(prompt)
        self.child.sendline(text)

    def asked(self, prompt: str) -> None:
        self.child.expect(prompt)
        self.shown += f"{self.child.before}{self.child.after}"

    def end(self) -> int | None:
        self.child.expect(pexpect.EOF)
        self.shown += str(self.child.before)
        self.child.close()
        return self.child.exitstatus


class Ward:
    """A plan of `chief`, applied by `nurse`; `anna` may be the second person."""

    def __init__(self, desk: Desk) -> None:
        desk.emulator()
        self.file, _ = desk.plan()
        self.desk, self.staff = desk, Staff(desk, cheap=False)
        for name, role in (("nurse", "clinician"), ("anna", "clinician")):
            self.staff.add(name, role)
        more = {"operator": "chief", "second": ("STOPPED_RESTART: 60 h without the drug",)}
        self.plan = sealed(read_plan(self.file).model_copy(update=more))
        write_plan(self.plan, self.file)

    def asks(self, name: str = "") -> Terminal:
        operator = name or "nurse"
        return Terminal(self.desk, sys.executable, "-c", ASK, self.file, operator, name)


@pytest.fixture
def ward(desk: Desk) -> Ward:
    return Ward(desk)


NAME, SECRET, TYPE = "Name of the second person", "Passphrase of anna: ", "with its unit: "


@pytest.mark.parametrize("name", ["", "anna"])
def test_another_person_types_name_passphrase_and_challenge(ward: Ward, name: str) -> None:
    asks = ward.asks(name)
    if not name:
        asks.answer(NAME, "anna")
    asks.answer(SECRET, passphrase("anna"))
    asks.answer(TYPE, "240 mcg/day")
    assert asks.end() == 0
    assert "STOPPED_RESTART: 60 h without the drug" in asks.shown
    assert passphrase("anna") not in asks.shown
    given = Endorsement.parse("".join(asks.shown.partition("GIVEN ")[2].split()))
    with Journal(ward.staff.home.journal) as journal:
        check_endorsement(ward.staff.station("nurse"), journal, ward.plan, given)


@pytest.mark.parametrize("name", ["nurse", "chief", "carl", ""])
def test_who_cannot_be_the_second_is_told_before_any_passphrase(ward: Ward, name: str) -> None:
    asks = ward.asks()
    asks.answer(NAME, name)
    assert asks.end() == 9
    assert "Passphrase" not in asks.shown
    assert "GIVEN" not in asks.shown


@pytest.mark.parametrize(
    ("secret", "typed"), [("six red onions", "240 mcg/day"), (passphrase("anna"), "241 mcg/day")]
)
def test_a_wrong_word_is_no(ward: Ward, secret: str, typed: str) -> None:
    asks = ward.asks("anna")
    asks.answer(SECRET, secret)
    asks.answer(TYPE, typed)
    assert asks.end() == 9
    assert "GIVEN" not in asks.shown


@pytest.mark.parametrize("prompt", [NAME, SECRET, TYPE])
@pytest.mark.parametrize("how", ["interrupt", "end of input", "hang-up"])
def test_going_away_is_no(ward: Ward, prompt: str, how: str) -> None:
    asks = ward.asks()
    prompts = (NAME, SECRET, TYPE)
    for before, text in zip(
        prompts[: prompts.index(prompt)], ("anna", passphrase("anna")), strict=False
    ):
        asks.answer(before, text)
    asks.asked(prompt)
    if how == "interrupt":
        asks.child.sendintr()
    elif how == "end of input":
        asks.child.sendeof()
    else:
        asks.child.kill(signal.SIGHUP)
    assert asks.end() == 9
    assert "REFUSED" in asks.shown
    assert "GIVEN" not in asks.shown


def test_a_pipe_is_no_second_person(ward: Ward) -> None:
    words = f"{sys.executable} -c '{ASK}' {ward.file} nurse anna < /dev/null"
    asks = Terminal(ward.desk, "/bin/sh", "-c", words)
    assert asks.end() == 9
    assert "there is no terminal" in asks.shown


# --- operator add ----------------------------------------------------------------------


def add(desk: Desk, *words: object) -> Terminal:
    return Terminal(desk, *command("operator", "add", *words))


def test_an_operator_types_a_passphrase_twice(desk: Desk) -> None:
    first = add(desk, "chief", "--role", "admin")
    first.answer("A new passphrase, which only chief knows: ", passphrase("chief"))
    first.answer("same again: ", passphrase("chief"))
    assert first.end() == 0
    second = add(desk, "anna", "--role", "clinician", "--operator", "chief")
    second.answer("Passphrase of chief: ", passphrase("chief"))
    second.answer("only anna knows: ", passphrase("anna"))
    second.answer("same again: ", passphrase("anna"))
    assert second.end() == 0
    for each in (first, second):
        assert passphrase("chief") not in each.shown
        assert passphrase("anna") not in each.shown
    assert [each["name"] for each in desk.data("operator", "list")["operators"]] == [
        "anna",
        "chief",
    ]


def test_two_that_differ_or_none_add_nobody(desk: Desk) -> None:
    for again in ("something else", None):
        first = add(desk, "chief", "--role", "admin")
        first.answer("only chief knows: ", passphrase("chief"))
        first.asked("same again: ")
        if again is None:
            first.child.sendeof()
        else:
            first.child.sendline(again)
        assert first.end() == 9
    assert desk.data("operator", "list") == {"operators": []}
