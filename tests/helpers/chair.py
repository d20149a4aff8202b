"""Somebody in the chair: a guided refill answered in the test's own process, prompt by prompt."""

from __future__ import annotations

from typing import Any

from pumpctl.cli.refill import prompts as refill_prompts
from pumpctl.cli.therapy import confirming
from pumpctl.errors import NotConfirmed
from pumpctl.station.journal import Journal
from tests.helpers.desk import Desk, Ran
from tests.helpers.profiles import continuous

PORT = ("--port", "emu://ward")
ORDER = (("Prescriber", "Dr Adams"), ("Reference", "ORD-7"))
DRAINED = (("Drained volume", "20 mL"),)
DRUG = (
    ("Drug", "baclofen"),
    ("Concentration", "2000 mcg/mL"),
    ("ampoule", "10 mg/5 mL"),
    ("Lot", "L123"),
    ("Expiry", "2029-08-31"),
)
KEEP = (("path of a profile", "keep"),)
INJECT = (("Injected volume", "40 mL"), ("Type 40 mL again", "40 mL"))
NEXT = (("Next refill visit", "not planned"),)
CONFIRM = (("volume and concentration", "40 mL 2000 mcg/mL"),)
Pairs = tuple[tuple[str, str], ...]


class Chair:
    """A person at the terminal, who answers what is asked and then goes away."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._pairs: list[tuple[str, str]] = []
        desk.monkeypatch.setattr(refill_prompts, "ask", self._ask)
        desk.monkeypatch.setattr(confirming, "ask", self._ask)
        desk.monkeypatch.setattr(confirming.Typed, "ready", lambda _: None)

    def _ask(self, prompt: str) -> str:
        if not self._pairs:
            raise NotConfirmed("end of input at the prompt")
        wanted, answer = self._pairs.pop(0)
        assert wanted in prompt, (wanted, prompt)
        return answer + "\n"

    def ran(self, *pairs: tuple[str, str], options: tuple[object, ...] = ()) -> Ran:
        """`pumpctl refill`, answered; everything that was answered must have been asked."""
        self._pairs = list(pairs)
        ran = self.desk.run(*PORT, *options, "refill")
        assert not self._pairs, (self._pairs, ran.err)
        return ran


class Ward:
    """A pump with 20 of 40 mL left, and somebody in the chair."""

    def __init__(self, desk: Desk, concentration: str = "2000 mcg/mL", daily: str = "400") -> None:
        self.desk = desk
        self.serial = desk.emulator("ward", "--concentration", concentration, "--volume", "40 mL")
        desk.rehearse()
        dose = f"{daily} mcg/day"
        desk.program(continuous(dose, concentration=concentration, fallback=dose))
        desk.advance("100d")
        self.chair = Chair(desk)
        self.who = (("Patient's tag", "P-0417"), ("implant card", self.serial))

    def ran(self, *pairs: tuple[str, str], options: tuple[object, ...] = ()) -> Ran:
        return self.chair.ran(*pairs, options=options)

    def bodies(self) -> list[dict[str, Any]]:
        with Journal(self.desk.home / "journal.sqlite3") as journal:
            return [each.body for each in journal.entries() if each.kind == "visit"]

    def steps(self) -> list[str]:
        return [str(body["step"]) for body in self.bodies()]
