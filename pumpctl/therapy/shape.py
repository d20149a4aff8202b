"""What shape a file of ours may have, declared as a table: the kinds of keys and values.

The walk that validates a file, the findings with their places and the JSON
schema for editors all come from one such table, so that they cannot disagree.
The tables themselves are in `profile_shape` and `library_shape`. What values
mean together is not a matter of shape and is not known here.
"""

from __future__ import annotations

from typing import TypeAlias

from pumpctl.named import NamedTuple
from pumpctl.quantities import (
    Concentration,
    Duration,
    Length,
    Mass,
    Percent,
    Quantity,
    Rate,
    Volume,
)
from pumpctl.therapy.findings import Rule


class Exactly(NamedTuple):
    """One whole number and no other: the version of the format."""

    number: int
    rule: str


class Text(NamedTuple):
    """Printable text with a limit."""

    longest: int


class Choice(NamedTuple):
    """One of a few words."""

    words: tuple[str, ...]


class Amount(NamedTuple):
    """A quantity, as text with one of these units.

    `most` is no limit of dosing: beyond it nothing can be meant, and sums are
    kept far from any integer's end.
    """

    kind: type[Quantity]
    units: tuple[str, ...]
    most: Quantity


class TimeOfDay(NamedTuple):
    """Hours and minutes, "00:00" to "23:59"."""


class DateText(NamedTuple):
    """A day of the calendar, as text "YYYY-MM-DD"."""


class Count(NamedTuple):
    """A whole number from `low` to `high`: the one thing without a unit."""

    low: int
    high: int


class ListOf(NamedTuple):
    """One or more of the same; `rule` is the id of the finding where there are too many."""

    item: Kind
    most: int
    rule: str = "VALUE_COUNT"


class Table(NamedTuple):
    """Keys, each at most once; no others."""

    keys: tuple[Key, ...]

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that its keys are bound to: the words of its own key `mode`."""
        for key in self.keys:
            if key.name == "mode" and isinstance(key.kind, Choice):
                return key.kind.words
        return ()


Kind: TypeAlias = "Exactly | Text | Choice | Amount | TimeOfDay | DateText | Count | ListOf | Table"


class Key(NamedTuple):
    """One key of a table. `modes`: where it belongs; None for everywhere."""

    name: str
    kind: Kind
    doc: str
    required: bool = True
    modes: tuple[str, ...] | None = None


class Document(NamedTuple):
    """A whole file: what it is called, its root, and the faults that only it can have."""

    name: str
    root: Table
    rules: dict[str, Rule]


_MOST: dict[type[Quantity], Quantity] = {
    Mass: Mass.parse("1000 mg"),
    Volume: Volume.parse("1000 mL"),
    Concentration: Concentration.parse("1000 mg/mL"),
    Duration: Duration.parse("366 d"),
    Rate: Rate.parse("1000000 mcg/day"),
    Length: Length.parse("1000 cm"),
    Percent: Percent.parse("10000 %"),
}


def amount(kind: type[Quantity], *units: str) -> Amount:
    """This kind of quantity, in these of its units, or in any."""
    return Amount(kind, units or tuple(kind.UNITS), _MOST[kind])


PER_DAY = amount(Rate, "mcg/day")
PER_HOUR = amount(Rate, "mcg/h")
