"""What the journal could not take when it happened, kept until it can (STP-01).

One JSON object a line, beside the journal. Only a stop and a bolus cancel ever come
here: everything else is refused where the journal cannot be written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pumpctl.errors import StoreError
from pumpctl.station.journal import Journal, Kind
from pumpctl.station.private_files import make_private


class Unrecorded:
    """The file of one home."""

    def __init__(self, home: Path) -> None:
        self._path = home / "unrecorded.ndjson"

    def keep(self, kind: Kind, *, at: str, pump: str, operation: str, body: dict[str, Any]) -> bool:
        """Keep an entry for later; False where even that cannot be written."""
        line = json.dumps(
            {"kind": kind, "at": at, "pump": pump, "operation": operation, "body": body}
        )
        try:
            make_private(self._path)
            with self._path.open("a", encoding="ascii") as file:
                file.write("\n" + line + "\n")  # a torn line takes no other with it
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        return True

    def record(self, journal: Journal) -> int:
        """Bring everything kept into the journal, in order; how many entries.

        Each says that it came late. Raises StoreError where the journal cannot take
        them; nothing is lost then, and an entry may come twice, never not at all.
        """
        taken = self._path.with_suffix(".taken")
        count = 0
        # What a run that died here, or a full journal, left taken comes first; then the rest.
        while (lines := self._take(taken)) is not None:
            count += self._append(journal, lines)
            try:
                taken.unlink()
            except OSError as error:
                raise StoreError(f"{taken} cannot be removed: {error}") from error
        return count

    def _take(self, taken: Path) -> list[str] | None:
        """The next lines, put aside where nobody adds to them; None where there are none."""
        try:
            if not taken.exists():
                self._path.rename(taken)
            return taken.read_text("ascii").splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._path} cannot be read: {error}") from error

    @staticmethod
    def _append(journal: Journal, lines: list[str]) -> int:
        count = 0
        for line in filter(None, lines):
            entry = _entry(line)
            if entry is None:
                continue  # a line torn by the same trouble that brought it here
            kind, at, pump, operation, body = entry
            journal.append(
                kind, at=at, pump=pump, operation=operation, body={**body, "recorded_late": True}
            )
            count += 1
        return count


def _entry(line: str) -> tuple[Kind, str, str, str, dict[str, Any]] | None:
    try:
        kept = json.loads(line)
        kind, body = kept["kind"], kept["body"]
        texts = (kept["at"], kept["pump"], kept["operation"])
    except (ValueError, KeyError, TypeError):
        return None
    whole = kind in ("intent", "outcome", "reason") and isinstance(body, dict)
    if not whole or not all(isinstance(text, str) for text in texts):
        return None
    at, pump, operation = texts
    return kind, at, pump, operation, body
