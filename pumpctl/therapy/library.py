"""A drug library: the limits of one site, keyed by drug and concentration, each with its source.

Values only. The library that ships is in `library_default`, how one is written
in TOML in `library_file`; keys, signatures and where a site's own is kept belong
to the station. What no site sets (a pump's range, hours after a stop) is in
`practice`. Which check uses which figure is not known here.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Mass, Percent, Rate
from pumpctl.therapy.moment import Date

T = TypeVar("T")

TO_VERIFY = "(to verify)"
"""A figure whose source carries this mark may be a soft limit at most."""
NEVER: Final = "never"
SOFT_LIMITS: Final = "soft-limits"
SECOND_PERSON = (NEVER, SOFT_LIMITS)
"""When a site asks for a second person: for no overridden soft finding, or for each (CNF-04)."""


class Sourced(NamedTuple, Generic[T]):
    """A figure and where it comes from."""

    value: T
    source: str


class Band(NamedTuple, Generic[T]):
    """Limits of one figure, both sides; beyond a soft one it needs a reason, beyond a hard never.

    None: there is no such limit. A value equal to a limit is inside.
    """

    hard_low: Sourced[T] | None = None
    soft_low: Sourced[T] | None = None
    soft_high: Sourced[T] | None = None
    hard_high: Sourced[T] | None = None


class Change(NamedTuple):
    """Limits of a relative change from the old program to the new one."""

    increase_soft: Sourced[Percent] | None = None
    increase_hard: Sourced[Percent] | None = None
    reduction_soft: Sourced[Percent] | None = None
    reduction_hard: Sourced[Percent] | None = None


class Window(NamedTuple):
    """The most in any window of this length, wherever it starts (LIM-05)."""

    length: Duration
    soft: Sourced[Mass] | None
    hard: Sourced[Mass]


def window_text(length: Duration) -> str:
    """The length of a window in words: `24 h`, never `1 d`, which is no calendar day."""
    hour = Duration.UNITS["h"]
    return str(length) if length.quanta % hour or not length else f"{length.quanta // hour} h"


class UsualRange(NamedTuple):
    """The maintenance doses that a label calls usual: for notes, never for limits."""

    group: str
    """An age group or, where that has no range of its own, an origin of spasticity."""
    low: Rate
    high: Rate
    source: str


class Limits(NamedTuple):
    """Everything that one drug at one concentration is held against."""

    drug: str
    concentration: Concentration
    daily_dose: Band[Rate]
    rate: Band[Rate]
    """Any basal rate, the fallback's included."""
    bolus: Band[Mass]
    """Any single dose but the patient's own: scheduled, single, supplemental."""
    patient_dose: Band[Mass]
    daily_change: Change
    """Of a day's total."""
    rate_change: Change
    """Of the basal rate at any minute of the week."""
    windows: tuple[Window, ...]
    usual: tuple[UsualRange, ...] = ()

    def usual_for(self, age_group: str, origin: str) -> UsualRange | None:
        """The usual range of this age group, else of this origin."""
        by_group = {each.group: each for each in self.usual}
        return by_group.get(age_group) or by_group.get(origin)


class Library(NamedTuple):
    """One version of one site's library."""

    site: str
    version: int
    """It never goes down at a station."""
    issued: Date | None
    expires: Date | None
    """The last day on which it is valid; None: without expiry, as the one that ships."""
    source: str
    """Where the list of drugs and concentrations comes from."""
    listed: tuple[Limits, ...]
    """The closed list: nothing else is ever given."""
    second_person: str = NEVER
    """The site's policy, one of `SECOND_PERSON`; what always needs two people is not set here."""

    def drugs(self) -> tuple[str, ...]:
        """The drugs on the list, each once."""
        return tuple(dict.fromkeys(each.drug for each in self.listed))

    def concentrations(self, drug: str) -> tuple[Concentration, ...]:
        """The concentrations at which this drug may be pumped."""
        return tuple(each.concentration for each in self.listed if each.drug == drug)

    def limits(self, drug: str, concentration: Concentration) -> Limits | None:
        """The limits of this drug at this concentration; None where it is not on the list."""
        for each in self.listed:
            if (each.drug, each.concentration) == (drug, concentration):
                return each
        return None

    def nearest(self, drug: str | None, concentration: Concentration | None) -> Limits:
        """The same, or another entry, so that one fault hides no other.

        What is not on the list is a hard finding by itself; its doses are then held
        against the first entry of the drug, or of the list.
        """
        same = [each for each in self.listed if each.drug == drug] or [*self.listed]
        exact = [each for each in same if each.concentration == concentration]
        return (exact or same)[0]

    def expired(self, today: Date) -> bool:
        """Whether its last day has passed."""
        return self.expires is not None and today > self.expires
