"""One refill on record: what was drained, what it means, what goes in.

The drained volume is the only measurement of what a pump has really given: held
against the expected residual (`residual`) it shows over-infusion, non-delivery
and drug beside the reservoir. This file says what the numbers mean; whether the
workflow stops is `checks/refills`' matter. It knows no pump and no library.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import (
    Concentration,
    Mass,
    Rate,
    Volume,
    mass_of,
    round_down,
    round_half_up,
    round_up,
)
from pumpctl.therapy import label, practice
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.figures import daily_doses, largest_24h_with_patient_doses, smallest_day
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Mode, Program, minimum_rate

AMPOULES_SOURCE: Final = "UK Lioresal SmPC: the same mass, four times the concentration (derived)"


class Ampoule(NamedTuple):
    """What is printed on one ampoule or vial: the whole mass in the whole volume."""

    mass: Mass
    volume: Volume

    @property
    def concentration(self) -> Fraction:
        """In mcg/mL, exact; ZeroDivisionError for an ampoule of nothing."""
        return Fraction(self.mass.quanta * 1_000, self.volume.quanta)

    def __str__(self) -> str:
        return f"{self.mass.text_in('mg')}/{self.volume}"


LOOK_ALIKE: Final = (
    Ampoule(Mass.parse("10 mg"), Volume.parse("20 mL")),
    Ampoule(Mass.parse("10 mg"), Volume.parse("5 mL")),
)
"""500 and 2000 mcg/mL: taken for each other, every dose is out by four."""


class Meaning(Enum):
    """What a drained volume says of the time since the last fill."""

    WITHIN = "as expected"
    OVER_INFUSION = "more than programmed was delivered"
    UNDER_DELIVERY = "less than programmed was delivered"
    NON_DELIVERY = "suspected non-delivery"
    LESS_DRAINED = "less was drained than expected"
    MORE_DRAINED = "more was drained than expected"


class Discrepancy(NamedTuple):
    """Drained against expected; `filled` is the volume after the last fill, None if unknown."""

    filled: Volume | None
    expected: Volume
    """As shown: never below nothing."""
    drained: Volume
    counted: Fraction | None = None
    """By the pump's pulses since the fill, in nL (`Residual.delivered`).

    None, where no count is kept: filled less expected, too little once that has
    stopped at nothing."""

    @property
    def apart(self) -> int:
        """Drained less expected, in nL: above nothing where too little was delivered."""
        return self.drained.quanta - self.expected.quanta

    @property
    def programmed(self) -> Fraction | None:
        """What the pump counted since the fill, in nL; None where the records contradict it."""
        if self.filled is None or self.filled < self.expected:
            return None
        if self.counted is not None:
            return self.counted
        return Fraction(self.filled.quanta - self.expected.quanta)

    @property
    def ran_dry(self) -> bool:
        """Whether more was counted than was filled in: a computed zero stops no motor."""
        return self.filled is not None and (self.programmed or 0) > self.filled.quanta

    @property
    def ratio(self) -> Fraction | None:
        """Delivered to programmed; below nothing where more was drained than filled in."""
        if self.filled is None or not self.programmed:
            return None
        return (self.filled.quanta - self.drained.quanta) / self.programmed

    @property
    def judged(self) -> Fraction | None:
        """The ratio, where enough was programmed for it to mean something."""
        enough = (self.programmed or 0) >= practice.RATIO_FROM.value.quanta
        return self.ratio if enough else None

    @property
    def far_apart(self) -> bool:
        """Whether the volumes alone are beyond what is passed without a decision."""
        return abs(self.apart) > practice.DISCREPANCY.value.quanta

    @property
    def meaning(self) -> Meaning:
        """By the ratio where it is judged, else by the volumes; a value at its limit is inside."""
        ratio = self.judged
        if ratio is not None and ratio < practice.RATIO_NOT_DELIVERED.value:
            return Meaning.NON_DELIVERY
        if ratio is not None and ratio < practice.RATIO_LOW.value:
            return Meaning.UNDER_DELIVERY
        if ratio is not None and ratio > practice.RATIO_HIGH.value:
            return Meaning.OVER_INFUSION
        if self.far_apart:
            return Meaning.LESS_DRAINED if self.apart < 0 else Meaning.MORE_DRAINED
        return Meaning.WITHIN

    @property
    def volume_text(self) -> str:
        """`+12.9 mL`: drained less expected, exact."""
        sign = "-" if self.apart < 0 else "+" if self.apart else ""
        return f"{sign}{Volume(abs(self.apart))}"

    @property
    def percent_text(self) -> str | None:
        """`+15.0 %`: delivered against programmed, for people."""
        return None if self.ratio is None else percent_text(1, self.ratio)

    @property
    def ratio_text(self) -> str | None:
        """Four decimals, rounded away from 1, so that none beyond a limit looks inside it."""
        if self.ratio is None:
            return None
        scaled = self.ratio * 10_000
        count = round_up(scaled) if self.ratio > 1 else round_down(scaled)
        sign = "-" if count < 0 else ""
        return f"{sign}{abs(count) // 10_000}.{abs(count) % 10_000:04d}"


class Suspected(NamedTuple):
    """Suspected non-delivery, and the program that ran meanwhile."""

    found: Discrepancy
    old: Program | None
    """What is the old dose; None where nobody knows it."""


def suspected(
    found: Discrepancy, old: Program | None, unsettled: Suspected | None
) -> Suspected | None:
    """What this drain shows, or what one before it has shown and no fill has settled since.

    Who drains, suspects non-delivery and cannot fill leaves a reservoir in which the next
    drain finds all as expected: the patient has had no drug all the same.
    """
    return Suspected(found, old) if found.meaning is Meaning.NON_DELIVERY else unsettled


class RefillRecord(NamedTuple):
    """What is written down of a refill (REF-01); what the pump is told follows from it."""

    at: Moment
    drug: str
    concentration: Concentration
    lot: str
    expiry: Date
    """The last day on which the drug may be used."""
    filled: Volume | None
    """In the reservoir after the last fill; None where no record tells."""
    expected: Volume
    counted: Fraction | None
    """By the pump's pulses since then, in nL (`Residual.delivered`); None: no count is kept."""
    drained: Volume
    injected: Volume
    left: Volume = Volume(0)
    """Known to be left inside: nothing, unless it could not be drained."""
    sensed: Volume | None = None
    """What the pump's sensor shows after filling; None for a pump without one."""
    ampoule: Ampoule | None = None
    """As printed on what was drawn up; None where nobody read it out."""

    @property
    def volume(self) -> Volume:
        """The new volume: what is left, and what was injected."""
        return self.left + self.injected

    @property
    def discrepancy(self) -> Discrepancy:
        """Drained against expected."""
        return Discrepancy(self.filled, self.expected, self.drained, self.counted)

    @property
    def drawn_up(self) -> Mass:
        """The mass in the syringe, if the concentration is true: half up to 1 ng."""
        return Mass(round_half_up(mass_of(self.injected, self.concentration)))

    @property
    def not_drained(self) -> Volume:
        """The most that may still be inside, if the drain was incomplete."""
        return max(self.left, Volume(max(0, -self.discrepancy.apart)))


def pocket_limit(capacity: Volume) -> Sourced[Volume]:
    """By how much injected and sensed may differ in a pump of this capacity."""
    for size, limit in practice.POCKET_FILL:
        if capacity <= size:
            return limit
    return practice.POCKET_FILL[-1][1]


def is_old_dose(old: Program | None, new: Program) -> bool:
    """Whether `new` gives the old dose or more: on any day, or in 24 h with all patient doses.

    Without an old program: more than a new patient may start with. Minimum rate is
    never too much: a pump gives no less, and stopping it is not safe.
    """
    if new.mode is Mode.MINIMUM:
        return False
    most = largest_24h_with_patient_doses(new).quanta
    if old is None:
        return most > practice.RESTART.value.quanta
    pairs = zip(daily_doses(old), daily_doses(new), strict=True)
    return most >= largest_24h_with_patient_doses(old).quanta or any(b >= a for a, b in pairs)


def is_refused(old: Program | None, new: Program) -> bool:
    """Whether `new` may not follow suspected non-delivery, whatever the reason.

    The old dose and more, and more than a new patient may start with: who has not
    had the drug is as new (`practice.RESTART`). Minimum rate never. A fallback above the
    smallest day is FALLBACK_HIGH's matter.
    """
    if new.mode is Mode.MINIMUM:
        return False
    most = largest_24h_with_patient_doses(new).quanta
    return most > practice.RESTART.value.quanta or is_old_dose(old, new)


class Offer(NamedTuple):
    """A reduced daily dose, to be offered and never chosen: no more than this."""

    dose: Rate
    ratio: Fraction
    """Delivered to programmed, from which it follows."""
    had: Rate | None
    """What the patient had a day on average, if the loss was even; None: no old program."""
    least: Rate
    """The least that the pump gives at this concentration: an offer below it needs another."""

    @property
    def deliverable(self) -> bool:
        """Whether the pump can give the offer at this concentration."""
        return self.dose >= self.least


def reduced_offer(old: Program | None, ratio: Fraction, concentration: Concentration) -> Offer:
    """What to offer where `ratio` of the programmed drug was delivered (this project's choice).

    Nobody knows whether the loss was even, or all of it at the end. So the lower
    of two doses: what the patient had on average, which is safe if it was even, and
    the most with which a new patient starts, which is safe if it was not. A new
    patient starts with no less than the smallest screening dose, so the first is
    not taken below that, nor, where the old dose was small, below half of it. All
    is rounded down and lies below the smallest day of the old program.
    """
    least, most = minimum_rate(concentration), practice.RESTART.value
    if old is None:
        return Offer(most, ratio, None, least)
    smallest = smallest_day(old)
    had = max(Fraction(0), ratio * smallest)
    start = label.START_FACTOR_LONG * label.SCREENING_STEPS[0].dose.quanta
    dose = min(Fraction(most.quanta), max(had, min(Fraction(start), smallest / 2)))
    return Offer(Rate(round_down(dose)), ratio, Rate(round_down(had)), least)
