"""The figures of the drug library that ships, as a table in docs/dosing/drug-library.md.

It returns text and writes nothing; `generate` writes, and a test fails when the
page is stale.
"""

from __future__ import annotations

from pumpctl.therapy.library import Limits
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_draft import entry_of
from tools.model import GenerateError

_START, _END = "<!-- generated: limits -->\n", "<!-- end: limits -->"


def refreshed(page: str) -> str:
    """The page with its table as it should be now; GenerateError where it has no place for it."""
    before, found_start, rest = page.partition(_START)
    _, found_end, after = rest.partition(_END)
    if not (found_start and found_end):
        raise GenerateError("docs/dosing/drug-library.md has no markers for its table")
    return f"{before}{_START}\n{table()}\n{_END}{after}"


def table() -> str:
    """Every limit with its source, the usual ranges below them."""
    first, *others = map(_rows, DEFAULT.listed)
    if any(other != first for other in others):
        raise GenerateError("the entries of the library that ships differ: one table is too few")
    return "\n".join(["| | limit | source |", "|---|---|---|", *first]) + "\n"


def _rows(limits: Limits) -> list[str]:
    rows = [
        (each.name, str(each.limit.value), each.limit.source) for each in entry_of(limits).figures()
    ]
    rows += [
        (f"usual, {each.group}: a note", f"{each.low} to {each.high}", each.source)
        for each in limits.usual
    ]
    return [f"| {' | '.join(row)} |" for row in rows]
