"""What a run of an oracle really exercised, and where the two calculations differed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

SHOWN = 20
"""So many differences are kept in words; all are counted."""

CASES = "cases"
DIFFERENCES = "differences"


class Tally:
    """Counts by name. Tallies of several processes are added up."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.told: list[str] = []

    def add(self, name: str, count: int = 1) -> None:
        """Count something that was exercised."""
        self.counts[name] += count

    def differ(self, what: str) -> None:
        """Count a difference, and keep its words."""
        self.counts[DIFFERENCES] += 1
        if len(self.told) < SHOWN:
            self.told.append(what)

    def same(self, case: str, what: str, oracle: object, real: object) -> None:
        """Hold one figure of the real code against the oracle's; they are to be equal."""
        self.counts["figures compared"] += 1
        if oracle != real:
            self.differ(f"{case}: {what}: the oracle has {oracle}, pumpctl {real}")

    def merge(self, other: Tally) -> None:
        """Add what another process did."""
        self.counts.update(other.counts)
        self.told = (self.told + other.told)[:SHOWN]

    def missing(self, required: Iterable[str]) -> list[str]:
        """The classes of which nothing was exercised."""
        return [name for name in required if not self.counts[name]]

    def lines(self, required: Iterable[str]) -> list[str]:
        """A table for people: the classes in their order, then whatever else was counted."""
        names = [CASES, *required]
        names += sorted(name for name in self.counts if name not in names and name != DIFFERENCES)
        wide = max(map(len, names))
        return [f"  {name:<{wide}}  {self.counts[name]:>15,}" for name in [*names, DIFFERENCES]]
