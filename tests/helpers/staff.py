"""People at a desk: operators with passphrases in files, added by the first of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.cli import edge
from pumpctl.station import operator_keys
from pumpctl.station.home import Home
from pumpctl.station.plan import read_plan
from pumpctl.workflows.road.second import endorse
from pumpctl.workflows.surroundings import Station
from tests.helpers.desk import Desk

FIRST = "chief"


def passphrase(name: str) -> str:
    return f"{name} likes red onions"


class Staff:
    """The operators of a desk; `chief`, an admin, adds all others."""

    def __init__(self, desk: Desk, *, cheap: bool = True) -> None:
        """`cheap`: keys that are sealed and opened at once, in this process only."""
        self.desk = desk
        if cheap:
            desk.monkeypatch.setattr(operator_keys, "_N", 2)
        self.add(FIRST, "admin")

    def file(self, name: str) -> Path:
        path = self.desk.files / f"{name}.passphrase"
        path.write_text(passphrase(name) + "\n", "utf-8")
        return path

    def words(self, name: str, role: str) -> tuple[object, ...]:
        """The command line that adds them."""
        return (
            *("--operator", FIRST, "operator", "add", name, "--role", role),
            *("--passphrase-file", self.file(name), "--admin-passphrase-file", self.file(FIRST)),
        )

    def add(self, name: str, role: str) -> dict[str, Any]:
        return self.desk.data(*self.words(name, role))

    def revoke_words(self, name: str) -> tuple[object, ...]:
        admin = ("--admin-passphrase-file", self.file(FIRST))
        return ("--operator", FIRST, "operator", "revoke", name, *admin)

    def revoke(self, name: str) -> dict[str, Any]:
        return self.desk.data(*self.revoke_words(name))

    def listed(self) -> dict[str, dict[str, Any]]:
        told = self.desk.data("operator", "list")["operators"]
        return {each["name"]: each for each in told}

    @property
    def home(self) -> Home:
        return Home(self.desk.home)

    def station(self, operator: str) -> Station:
        return station_of(self.desk, operator)


def station_of(desk: Desk, operator: str) -> Station:
    """The desk as this operator uses it, for workflows."""
    return Station(
        home=Home(desk.home),
        operator=operator,
        wall=edge.wall,
        ticker=edge.ticker,
        entropy=edge.entropy,
        tell=lambda line: None,
    )


def another_yes(desk: Desk, path: Path) -> str:
    """The line of a second person for this plan; the people are added where there are none."""
    if not Home(desk.home).root.joinpath("operators/known").exists():
        staff = Staff(desk)
        staff.add("nurse", "clinician")
        staff.add("second", "clinician")
    station = station_of(desk, "second")
    return str(endorse(station, read_plan(path), "second", passphrase("second")))
