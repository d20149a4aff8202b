"""A desk that trusts a pharmacy's key, and installs its libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.cli import edge
from pumpctl.station.home import Home
from pumpctl.station.journal import Journal
from pumpctl.station.library_keys import write_public
from tests.helpers.desk import Desk
from tests.helpers.libraries import altered_all, public_key, signed_file

_DAY_MS = 86_400_000


def lower(text: str, limit: str = "300 mcg/day") -> str:
    """The same library with another hard limit of the daily dose, and soft ones to go with it."""
    text = altered_all(
        text, 'soft_high = { limit = "1000 mcg/day"', 'soft_high = { limit = "250 mcg/day"'
    )
    return altered_all(
        text,
        'hard_high = { limit = "3000 mcg/day", source = "this project\'s choice" }\n\n[drug.rate]',
        f'hard_high = {{ limit = "{limit}", source = "ward 7" }}\n\n[drug.rate]',
    )


class Site:
    """A desk that trusts the pharmacy."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.trust("pharmacy")

    def trust(self, name: str) -> dict[str, Any]:
        folder = Home(self.desk.files / "elsewhere")
        return self.desk.data(
            "library", "keys", "--trust", write_public(folder, public_key(name)), "--as", name
        )

    def file(self, text: str, name: str = "pharmacy", to: str = "site.toml") -> Path:
        return signed_file(self.desk.files / to, text, name)

    def install(self, text: str, *more: object) -> dict[str, Any]:
        return self.desk.data("library", "install", self.file(text), *more)

    def refused(self, name: str, text: str, *more: object, by: str = "pharmacy") -> dict[str, Any]:
        return self.desk.refused(3, name, "library", "install", self.file(text, by), *more)

    def in_force(self) -> tuple[str, int]:
        told = self.desk.data("library", "show")
        return told["site"], told["version"]

    def entries(self) -> list[dict[str, Any]]:
        with Journal(self.desk.home / "journal.sqlite3") as journal:
            assert journal.fault() is None
            return [entry.body for entry in journal.entries() if entry.kind == "library"]

    def later(self, days: int) -> None:
        """The station's clock, some days on."""
        real = edge.wall
        self.desk.monkeypatch.setattr(edge, "wall", lambda: real().plus(days * _DAY_MS))
