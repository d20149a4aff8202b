"""What is answered in a guided refill, as values and as the strings that the journal keeps.

Quantities in the project's grammar, times as ISO 8601. Raised by every reader:
ValueError, KeyError, TypeError, QuantityError or WireError for what is no such answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from pumpctl.named import NamedTuple
from pumpctl.pump.encode import canonical, program_of
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Ampoule, Discrepancy

Values = Mapping[str, str | None]
"""What was answered, as it is written down."""


class Drained(NamedTuple):
    """What came out, beside what should have been inside at that moment."""

    volume: Volume
    at: Moment
    pulses: int
    filled: Volume | None
    expected: Volume
    counted: Fraction | None

    @property
    def discrepancy(self) -> Discrepancy:
        """Drained against expected."""
        return Discrepancy(self.filled, self.expected, self.volume, self.counted)


class Filled(NamedTuple):
    """What went in, when, and the pump's pulses at that moment."""

    volume: Volume
    at: Moment
    since: int | None
    """None where the moment had passed before it was told: the pump's log counts it then."""


class Chosen(NamedTuple):
    """A program out of a profile, with what the label's rules want to know."""

    program: Program
    origin: str
    age_group: str
    history: str | None

    def whom(self, tag: str) -> Patient:
        """The patient of that profile."""
        return Patient(tag, self.origin, self.age_group, self.history)


class Kept(NamedTuple):
    """The present program, as the answer to which one runs."""


def drained_values(drained: Drained) -> Values:
    """As it is written down."""
    return {
        "volume": str(drained.volume),
        "at": str(drained.at),
        "pulses": str(drained.pulses),
        "filled": _written(drained.filled),
        "expected": str(drained.expected),
        "counted": _written(drained.counted),
    }


def drained_from(values: Values) -> Drained:
    """What came out."""
    filled, counted = values["filled"], values["counted"]
    return Drained(
        Volume.parse(text_of(values, "volume")),
        Moment.parse(text_of(values, "at")),
        int(text_of(values, "pulses")),
        None if filled is None else Volume.parse(filled),
        Volume.parse(text_of(values, "expected")),
        None if counted is None else Fraction(counted),
    )


def filled_values(filled: Filled) -> Values:
    """As it is written down."""
    return {
        "volume": str(filled.volume),
        "at": str(filled.at),
        "since": _written(filled.since),
    }


def filled_from(values: Values) -> Filled:
    """What went in."""
    since = values["since"]
    return Filled(
        Volume.parse(text_of(values, "volume")),
        Moment.parse(text_of(values, "at")),
        None if since is None else int(since),
    )


def program_from(values: Values) -> Chosen | Kept:
    """Which program runs afterwards."""
    written = values["program"]
    if written is None:
        return Kept()
    program = program_of(bytes.fromhex(written))
    return Chosen(
        program, text_of(values, "origin"), text_of(values, "age_group"), values["history"]
    )


def chosen_values(found: tuple[Profile, Program] | None) -> Values:
    """As it is written down; None: the present program is kept. Never the patient's tag."""
    if found is None:
        return {"program": None}
    profile, program = found
    whom = profile.patient
    return {
        "program": canonical(program).hex(),
        "origin": whom.spasticity_origin,
        "age_group": whom.age_group,
        "history": whom.history,
    }


def ampoule_values(found: Ampoule | None) -> Values:
    """As it is written down; None: nobody has read it out."""
    if found is None:
        return {"mass": None, "volume": None}
    return {"mass": str(found.mass), "volume": str(found.volume)}


def ampoule_from(values: Values) -> Ampoule | Literal["not read"]:
    """What is printed on the ampoule, where somebody has read it out."""
    mass, volume = values["mass"], values["volume"]
    if mass is None or volume is None:
        return "not read"
    return Ampoule(Mass.parse(mass), Volume.parse(volume))


def bridge_from(values: Values) -> Literal["planned", "left out", "not needed"]:
    """What was decided of the bridge."""
    match text_of(values, "bridge"):
        case ("planned" | "left out" | "not needed") as decided:
            return decided
        case other:
            raise ValueError(f"{other}: no such decision")


def text_of(values: Values, name: str) -> str:
    """The text of this name."""
    text = values[name]
    if not isinstance(text, str):
        raise TypeError(f"{name} is no text")
    return text


def _written(value: object) -> str | None:
    return None if value is None else str(value)


def concentration_from(values: Values) -> Concentration:
    """Of the drug that is drawn up."""
    return Concentration.parse(text_of(values, "concentration"))


def expiry_from(values: Values) -> Date:
    """The last day on which the drug may be used."""
    return Date.parse(text_of(values, "expiry"))


def left_from(values: Values) -> Volume:
    """What is left inside a reservoir that was not filled."""
    return Volume.parse(text_of(values, "volume"))


def next_visit_from(values: Values) -> Date | Literal["not planned"]:
    """When the next refill is planned."""
    date = values["date"]
    return "not planned" if date is None else Date.parse(date)
