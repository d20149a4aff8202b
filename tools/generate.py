"""Write everything that is made from the code: completions, tables in docs/, schemas.

    python3 dev.py generate            write what is out of date
    python3 dev.py generate --check    only say what is; exit 1 if anything is

The commands, options, errors and checks themselves are the source; see
`model.py` for how they are read, and `traceability.py` for the requirements and
the marks of the tests. No part of pumpctl imports this.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pumpctl.therapy import library_shape, profile_schema
from tools import emulator_tables, failures, library_table, model, trip_tables
from tools.complete_bash import bash
from tools.complete_fish import fish
from tools.complete_powershell import powershell
from tools.complete_zsh import zsh
from tools.documents import checks, commands, exit_codes
from tools.protocol_tables import refreshed
from tools.traceability import page, trace

ROOT = Path(__file__).resolve().parent.parent


def outputs() -> dict[str, str]:
    """The text of every generated file, by its path from the root of the checkout."""
    read = model.read()
    return {
        "completions/_pumpctl": zsh(read),
        "completions/pumpctl.bash": bash(read),
        "completions/pumpctl.fish": fish(read),
        "completions/pumpctl.ps1": powershell(read),
        "docs/checks.md": checks(),
        "docs/commands.md": commands(read),
        "docs/dosing/drug-library.md": library_table.refreshed(
            (ROOT / "docs/dosing/drug-library.md").read_text(encoding="utf-8")
        ),
        "docs/emulator.md": emulator_tables.refreshed(
            (ROOT / "docs/emulator.md").read_text(encoding="utf-8")
        ),
        "docs/exit-codes.md": exit_codes(read),
        "docs/failures.md": failures.page(ROOT),
        "docs/protocol.md": refreshed((ROOT / "docs/protocol.md").read_text(encoding="utf-8")),
        "docs/round-trips.md": trip_tables.refreshed(
            (ROOT / "docs/round-trips.md").read_text(encoding="utf-8")
        ),
        "docs/traceability.md": page(trace(ROOT)),
        "profiles/library.schema.json": library_shape.schema_text(),
        "profiles/profile.schema.json": profile_schema.text(),
    }


def stale(root: Path, made: dict[str, str]) -> list[str]:
    """The files that are missing or differ from what the code says now."""
    return [path for path, text in made.items() if _held(root / path) != text]


def _held(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 where something is out of date or cannot be made, 2 for usage."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("generate takes no argument but --check\n")
        return 2
    try:
        made = outputs()
    except model.GenerateError as error:
        sys.stderr.write(f"generate: {error}; nothing was written\n")
        return 1
    late = stale(ROOT, made)
    for path in late:
        if not arguments:
            (ROOT / path).parent.mkdir(exist_ok=True)
            (ROOT / path).write_text(made[path], encoding="utf-8", newline="\n")
        sys.stdout.write(f"{'out of date' if arguments else 'written'}: {path}\n")
    return 1 if arguments and late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
