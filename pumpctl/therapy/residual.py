"""What should still be in the reservoir: the fill less every pulse since, whatever commanded it.

Two reckonings of the same thing. The pump's pulses, counted over its whole life,
times the volume of one (its calibration constant): that is what was *delivered*,
and it makes the expected residual. The orders, programs over time and doses
beside them: that is what was *programmed*, and it says which cause took how
much. Where the two part, pulses were lost. Exact volumes in nL throughout;
times are ms of the pump's clock face. A clock that is set ends one stretch and
begins another. It knows no pump and no limit, and does not fetch the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume, round_down
from pumpctl.therapy.course import Course, Piece, course_of
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program

REFILLED = "refilled"
"""The kind of log entry that a fill leaves; its field `volume_nl` is what was then inside."""


class Cause(Enum):
    """What commanded a pulse."""

    BASAL = "basal"
    SCHEDULED = "scheduled boluses"
    PATIENT = "patient doses"
    SINGLE = "single boluses"
    PRIMING = "priming"
    BRIDGE = "bridge"
    FALLBACK = "fallback"


class Fill(NamedTuple):
    """What was in the reservoir, when, and the pump's count of pulses at that instant."""

    volume: Volume
    at: Moment
    pulses: int


class Ran(NamedTuple):
    """A program that ran from `start` to `end`; between two of these the pump was stopped.

    A bolus that runs at the end goes on, as when another program is activated, unless
    it was `cut`: by a stop, or because the end is now. Basal and scheduled boluses are
    told apart; a bridge and a fallback count whole.
    """

    program: Program
    start: int
    end: int
    cut: bool = False
    cause: Cause = Cause.BASAL

    def pieces(self) -> tuple[tuple[Cause, Course], ...]:
        """What it takes out of the reservoir, in nL, by cause."""
        per_ng = Fraction(1_000, self.program.concentration.quanta)
        bare = course_of(self.program._replace(boluses=()), self.start, self.end)
        whole = course_of(self.program, self.start, self.end)
        boluses = Course(whole.pieces[len(bare.pieces) :])  # the basal pieces come first
        if self.cut:
            boluses = boluses.cut(self.start, self.end)
        second = Cause.SCHEDULED if self.cause is Cause.BASAL else self.cause
        return (self.cause, bare.scaled(per_ng)), (second, boluses.scaled(per_ng))


class Given(NamedTuple):
    """One dose beside the schedule: what it really gave, in nL (`quantities.volume_of`)."""

    cause: Cause
    start: int
    end: int
    volume: Fraction


class Part(NamedTuple):
    """What one cause took, in nL."""

    cause: Cause
    volume: Fraction


class Residual(NamedTuple):
    """What is left of a fill, and where the rest went."""

    fill: Volume
    delivered: Fraction
    """By the pump's pulses, in nL."""
    parts: tuple[Part, ...]
    """By the orders; causes that took nothing are left out."""

    @property
    def expected(self) -> Volume:
        """The expected residual, to be shown: rounded down, and never below nothing.

        Because it stops at nothing while the motor goes on, the ratio is taken from
        `delivered` (`refill.Discrepancy.counted`), never from this.
        """
        return Volume(max(0, round_down(self.fill.quanta - self.delivered)))

    @property
    def programmed(self) -> Fraction:
        """The sum of the orders, in nL."""
        return sum((part.volume for part in self.parts), Fraction(0))

    @property
    def apart(self) -> Fraction:
        """Delivered less programmed, in nL: below nothing where pulses were lost."""
        return self.delivered - self.programmed


class Level(NamedTuple):
    """What should be inside, told twice: by the pump's own estimate and by its pulses.

    The estimate is the pump's reckoning from whatever it believes; the count starts from
    the last fill on record. Both are kept, and neither replaces the other.
    """

    own: Volume
    """The pump's estimate, when it was asked."""
    pulses: int
    """Its count at that instant."""
    per_pulse: Fraction
    fill: Fill | None
    """The last fill; None where no record tells of it."""

    def counted(self, pulses: int) -> Residual | None:
        """What was left of the fill at this count; None where the fill is not known.

        ValueError for a count before the fill.
        """
        return None if self.fill is None else residual(self.fill, pulses, self.per_pulse)

    def estimated(self, pulses: int) -> Volume:
        """What the pump's estimate was, or will be, at this count: never below nothing."""
        if not self.own:
            return self.own  # it stopped at nothing, and nobody knows when
        moved = (pulses - self.pulses) * self.per_pulse
        return Volume(max(0, round_down(self.own.quanta - moved)))

    def expected(self, pulses: int) -> Volume:
        """The expected residual at this count: by the pulses, else by the estimate."""
        found = self.counted(pulses)
        return self.estimated(pulses) if found is None else found.expected


class Apart(NamedTuple):
    """A stretch of the log in which pulses and orders differ, in nL."""

    start: Moment
    end: Moment
    programmed: Fraction
    delivered: Fraction


def pumped(first: int, last: int, per_pulse: Fraction) -> Fraction:
    """The nL of the pulses from one count to a later one; `per_pulse` is the calibration constant.

    ValueError where the count falls: it is another pump's, or its memory was lost.
    """
    if last < first or per_pulse <= 0:
        raise ValueError(f"no volume follows from {first} and then {last} pulses of {per_pulse} nL")
    return (last - first) * per_pulse


def programmed(ran: Iterable[Ran], given: Iterable[Given] = ()) -> tuple[Part, ...]:
    """What the orders took out of the reservoir, by cause."""
    volumes = dict.fromkeys(Cause, Fraction(0))
    for stretch in ran:
        for cause, course in stretch.pieces():
            volumes[cause] += sum((piece.amount for piece in course.pieces), Fraction(0))
    for dose in given:
        volumes[dose.cause] += dose.volume
    return tuple(Part(cause, volume) for cause, volume in volumes.items() if volume)


def programmed_course(ran: Iterable[Ran], given: Iterable[Given] = ()) -> Course:
    """The same over time, in nL."""
    pieces = [piece for each in ran for _, course in each.pieces() for piece in course.pieces]
    return Course((*pieces, *(Piece(dose.start, dose.end, dose.volume) for dose in given)))


def residual(
    fill: Fill,
    pulses: int,
    per_pulse: Fraction,
    ran: Iterable[Ran] = (),
    given: Iterable[Given] = (),
) -> Residual:
    """What is left when the pump has counted `pulses`; `ran` and `given` are the orders since."""
    delivered = pumped(fill.pulses, pulses, per_pulse)
    return Residual(fill.volume, delivered, programmed(ran, given))


def last_fill(entries: Iterable[LogEntry]) -> Fill | None:
    """The newest fill that the log tells of; None where it tells of none."""
    fills = [each for each in entries if each.kind == REFILLED]
    if not fills:
        return None
    newest = max(fills, key=lambda each: each.number)
    volume = newest.get("volume_nl")
    if volume is None:
        raise ValueError(f"log entry {newest.number} does not say how much was filled in")
    return Fill(Volume(int(volume)), newest.time, newest.pulses)


def differences(
    entries: Sequence[LogEntry], orders: Course, per_pulse: Fraction
) -> tuple[Apart, ...]:
    """Where the pulses of the log differ from the orders, neighbouring stretches in one.

    Between two entries at most one pulse is owed or ahead, because the remainder is
    carried: two apart are a real difference. A loss too slow for that shows in
    `Residual.apart`. ValueError where the clock was set between two entries, since
    orders go by its face: give the entries before and after by themselves.
    """
    found: list[Apart] = []
    for before, after in pairwise(entries):
        start, end = before.time.label_ms, after.time.label_ms
        if end - start != after.counter_ms - before.counter_ms:
            raise ValueError(
                f"the clock was set between log entries {before.number} and {after.number}"
            )
        wanted = orders.between(start, end)
        given = pumped(before.pulses, after.pulses, per_pulse)
        if abs(given - wanted) < 2 * per_pulse:
            continue
        last = found[-1] if found else None
        if (
            last
            and last.end == before.time
            and (last.delivered < last.programmed) == (given < wanted)
        ):
            found[-1] = Apart(
                last.start, after.time, last.programmed + wanted, last.delivered + given
            )
        else:
            found.append(Apart(before.time, after.time, wanted, given))
    return tuple(found)
