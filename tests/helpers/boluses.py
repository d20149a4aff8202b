"""A clinic day of boluses and clocks: a pump that began on a known Monday, and short words."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from pumpctl.cli import context
from pumpctl.emulator.edge.bench import LocalLine
from pumpctl.outcomes import OperationId
from pumpctl.pump.pump import Pump
from pumpctl.quantities import Duration
from pumpctl.workflows.visit import visit
from tests.helpers.clinic import Clock
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous

MONDAY = "2026-03-23T00:00:00Z"
PORT = ("--port", "emu://ward")
PATIENT = """\
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3

"""
SEVEN = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'


def bolus_of(dose: str, over: str, *at: str) -> str:
    """A scheduled bolus of every day, as a part of a profile."""
    times = ", ".join(f'"{each}"' for each in at)
    return (
        f'[[program.bolus]]\ndose = "{dose}"\nover = "{over}"\nat = [{times}]\ndays = {SEVEN}\n\n'
    )


def even(daily: str = "240 mcg/day", *parts: str, fallback: str = "150 mcg/day") -> str:
    """A continuous profile with boluses or a patient dose; `daily` counts the scheduled ones."""
    return continuous(daily, fallback=fallback).replace(
        "[reservoir]", "".join(parts) + "[reservoir]"
    )


class Day:
    """A frozen pump from `start` on, and a station that takes its clock."""

    def __init__(self, desk: Desk, start: str = MONDAY, *more: object) -> None:
        self.desk = desk
        self._lines: list[LocalLine] = []
        made = LocalLine.__init__

        def noted(line: LocalLine, *given: Any, **named: Any) -> None:
            made(line, *given, **named)
            self._lines.append(line)

        desk.monkeypatch.setattr(LocalLine, "__init__", noted)
        self.clock = Clock(desk.monkeypatch, start)
        self.serial = desk.emulator("ward", *more)
        desk.rehearse()

    def program(self, text: str, *more: object) -> None:
        self.desk.program(text, *more)

    def wait(self, by: str) -> None:
        """`4 h 9 min`"""
        ms = sum(Duration.parse(each).quanta for each in re.findall(r"\d+ [a-z]+", by))
        self.desk.advance(f"{ms // 1000} s")

    def between(self, activate: Callable[[Callable[[], Any]], Any]) -> None:
        """Whatever has to happen around the one therapy message of an act."""
        real = Pump.activate
        self.desk.monkeypatch.setattr(
            Pump, "activate", lambda own, *given: activate(lambda: real(own, *given))
        )

    def meanwhile(self, by: str) -> None:
        """Time passes for the pump in the middle of a session: less than a minute, or it ends."""
        held = self._lines[-1]._held
        assert held is not None
        held.firmware.advance(Duration.parse(by).quanta)

    @property
    def delivered(self) -> Fraction:
        """mcg past the catheter's tip, by the emulator's own truth."""
        text: str = self.desk.inspect()["delivered"].get("baclofen", "0 mcg")
        return Fraction(text.removesuffix(" mcg"))

    def plan(self, *words: object, to: str = "act.json") -> tuple[Path, dict[str, Any]]:
        """Plan an act; its file, and what was said of it."""
        path = self.desk.files / to
        return path, self.desk.pump(*words, "--plan-only", "-o", path)

    def act(self, *words: object) -> dict[str, Any]:
        """Plan an act and apply it, as a script does."""
        path, told = self.plan(*words)
        assert told["confirm"], told["findings"]
        return self.desk.apply(path, told["confirm"])

    def bolus(self, dose: str, over: str = "10 min", *more: object) -> dict[str, Any]:
        return self.act("bolus", "single", dose, "--over", over, *more)

    def found(self, *words: object) -> dict[str, tuple[str, str | None]]:
        """The findings of a plan that can be written: severity and value by id."""
        _, told = self.plan(*words)
        return {each["id"]: (each["severity"], each["value"]) for each in told["findings"]}

    def refused(self, *words: object, code: int = 3, name: str = "LIMIT_HARD") -> dict[str, Any]:
        """An act that is refused with nothing changed: its error."""
        with self.desk.untouched():
            return self.desk.refused(
                code, name, *PORT, *words, "--plan-only", "-o", self.desk.files / "no.json"
            )

    def hard(self, *words: object) -> set[str]:
        """The ids of the hard findings for which an act is refused."""
        found = self.refused(*words)["findings"]
        return {each["id"] for each in found if each["severity"] == "hard"}

    def ledger(self, operation: str) -> str:
        """What the pump's ledger says that an operation has really given."""
        context.begin({"port": "emu://ward", "home": str(self.desk.home), "operator": "nurse"})
        with visit(context.station(), changes=False) as opened:
            return str(opened.pump.operation(OperationId.from_text(operation)).delivered)

    def press(self) -> str | None:
        """The patient's activator; the code of a refusal."""
        told: dict[str, Any] = self.desk.data("emulator", "press", "ward", "--patient-dose")
        refused: str | None = told["patient_dose"]["refused"]
        return refused
