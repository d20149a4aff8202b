"""The cell, and the two ends of a pump's life: its charge, and seven years.

Energy is whole nanojoules and time the pump's counter, so nothing is rounded
and no label that somebody sets moves the end. The cell is told what was used;
it knows no motor, no session and no alarm. What its states mean for delivery is
in `alarms`.
"""

from typing import Annotated, Final

from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS
from pumpctl.named import NamedTuple
from pumpctl.wire import codes
from pumpctl.wire.fields import UInt
from pumpctl.wire.vocabulary import MaybeMs

CELL: Final = 7_200_000_000_000
"""nJ that a new cell gives at a voltage at which the motor can meter: 2 Wh. With the
figures below, 1 mL a day and an interrogation a week last about 8 years, so that
there the seven-year cap counts (this project's choice). Memory and telemetry go on
at a lower voltage, after the motor has had to stop."""
RESERVE: Final = 900_000_000_000
"""nJ left when elective replacement begins: an eighth, enough for its 90 days at the
model's largest flow, so that the promised 90 days are always there (own choice)."""
IDLE: Final = 22
"""nJ/ms, that is microwatts: counter, memory, a receiver that listens (own choice)."""
PULSE: Final = 30_000
"""nJ for a pulse of 100 nL. Against a pressure of 100 kPa it does 10 000 nJ of work;
a third of what it is given is a good small motor (own choice)."""
RECEIVE: Final = 1_000
"""nJ for each byte received (own choice)."""
SEND: Final = 2_000
"""nJ for each byte sent: an inductive link, modulated by its load (own choice)."""
HANDSHAKE: Final = 400_000
"""nJ for a handshake's arithmetic: four products on the curve (own choice)."""
TELEMETRY_A_DAY: Final = 5_000_000
"""nJ a day, assumed where what was really used has been lost: 3 kB, every day."""

ELECTIVE_MS: Final = 90 * DAY_MS
"""After elective replacement began a pump stops, so much later, as pumps of this kind do."""
SERVICE_YEARS: Final = 7
"""Service life, by the calendar, as one maker caps it."""
MEASURED_EVERY_MS: Final = HOUR_MS
"""The charge is judged when the counter is a whole hour, and at no other time, so that
the instant at which it is found low does not depend on who looked when."""
_MOST_A_DAY: Final = 2 * (DAY_MS * IDLE + 240_000 * PULSE)
"""nJ: twice what idling and the motor at 24 mL use in a day. What is further than this
from being low is not low tomorrow; bytes are counted whenever they come."""
PPM: Final = 1_000_000

Nanojoules = Annotated[int, UInt(8)]


class BatteryState(NamedTuple):
    """What the pump keeps of its cell."""

    charge: Nanojoules
    """Left, at a voltage at which the motor can meter."""
    eri_at: MaybeMs
    """Counter at which elective replacement began."""
    ends_at: MaybeMs
    """Counter of the end of service: 90 days later, or earlier where the charge was gone."""


FULL: Final = BatteryState(CELL, None, None)
"""A new cell."""


def reckoned(*, counter: int, pulses: int, eri_at: int | None = None) -> BatteryState:
    """The state of a pump that has lost it, from what its log knows.

    `eri_at` is the counter of its entry ALARM_RAISED ELECTIVE_REPLACEMENT. What
    telemetry really used is not in the log; `TELEMETRY_A_DAY` is assumed for it.
    """
    used = counter * IDLE + pulses * PULSE + counter * TELEMETRY_A_DAY // DAY_MS
    ends_at = None if eri_at is None else eri_at + ELECTIVE_MS
    return BatteryState(max(0, CELL - used), eri_at, ends_at)


class Battery:
    """One cell, told what is used of it."""

    def __init__(self, state: BatteryState, *, made_at: int) -> None:
        self._charge, self._eri_at, self._ends_at = state
        self._life_ends = years_later(made_at, SERVICE_YEARS)
        self._elective_by = self._life_ends - made_at - ELECTIVE_MS
        """Counter: it stood at 0 when the pump was made."""

    @property
    def held(self) -> BatteryState:
        """What is to be stored."""
        return BatteryState(self._charge, self._eri_at, self._ends_at)

    # --- what uses it ------------------------------------------------------------------

    def idle(self, ms: int) -> None:
        """So much time went by."""
        self._use(ms * IDLE)

    def pulses(self, count: int) -> None:
        """The motor was driven so often; one that stood still has used as much."""
        self._use(count * PULSE)

    def bytes(self, *, received: int = 0, sent: int = 0) -> None:
        """So many bytes crossed the line."""
        self._use(received * RECEIVE + sent * SEND)

    def handshake(self) -> None:
        """A handshake was computed, whether it succeeded or not."""
        self._use(HANDSHAKE)

    def _use(self, energy: int) -> None:
        self._charge = max(0, self._charge - energy)

    # --- what follows from it ----------------------------------------------------------

    def look(self, counter: int) -> None:
        """Whatever is due at this very instant; done again, it finds nothing to do."""
        if counter >= self._elective_by:
            self._elect(self._elective_by)
        if counter % MEASURED_EVERY_MS == 0:
            self._measure(counter)

    def next_edge(self, counter: int) -> int:
        """The first counter after this one at which `look` or `state` may find something new.

        A cell that cannot be near an edge within a day is looked at daily only, so that a
        simulated year does not stop at every hour; age is a matter of whole days.
        """
        edge = self._measured_next(counter)
        if self._ends_at is not None and self._ends_at > counter:
            return min(edge, self._ends_at)
        return edge

    def state(self, counter: int) -> codes.Battery:
        """Good, to be replaced, or at its end."""
        if self.ended(counter):
            return codes.Battery.END_OF_SERVICE
        if self._eri_at is not None:
            return codes.Battery.ELECTIVE_REPLACEMENT
        return codes.Battery.GOOD

    def ended(self, counter: int) -> bool:
        """Is its service over? Then the motor stops."""
        return self._ends_at is not None and counter >= self._ends_at

    def replace_by(self, utc_base: int) -> int:
        """UTC label by which the pump must be replaced: the earlier of its two ends.

        `utc_base` is the label that belongs to the counter 0.
        """
        if self._ends_at is None:
            return self._life_ends
        return min(self._life_ends, utc_base + self._ends_at)

    def drain_to(self, ppm: int, counter: int) -> None:
        """A fault of the cell: at most so many millionths of a full one are left.

        Found at once. ValueError for less than none or more than all.
        """
        if not 0 <= ppm <= PPM:
            raise ValueError(f"{ppm} millionths of a cell")
        self._charge = min(self._charge, CELL * ppm // PPM)
        self._measure(counter)

    def _measure(self, counter: int) -> None:
        if self._charge <= RESERVE:
            self._elect(counter)
        if self._charge == 0:
            self._ends_at = counter if self._ends_at is None else min(self._ends_at, counter)

    def _elect(self, counter: int) -> None:
        """Elective replacement begins, once; its 90 days are never begun again."""
        if self._eri_at is None:
            self._eri_at, self._ends_at = counter, counter + ELECTIVE_MS

    def _measured_next(self, counter: int) -> int:
        floor = 0 if self._eri_at is not None else RESERVE
        far = self._charge - floor > _MOST_A_DAY or self.ended(counter)
        every = DAY_MS if far else MEASURED_EVERY_MS
        return (counter // every + 1) * every


_DAYS_TO_1970: Final = 719_162
"""From 0001-01-01, in the Gregorian calendar."""
_LEAP_DAY: Final = 59
"""The place of 29 February in a leap year, counted from 0."""


def years_later(utc: int, years: int) -> int:
    """The same day and time of the calendar so many years later, UTC ms.

    A 29 February becomes the 28th where that year has none.
    """
    days, time = divmod(utc, DAY_MS)
    year, place = _year_of(days)
    if place >= _LEAP_DAY and not _leap(year):
        place += 1  # as if every year had a leap day
    then = year + years
    if place >= _LEAP_DAY and not _leap(then):
        place -= 1
    return (_first_of(then) + place) * DAY_MS + time


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _first_of(year: int) -> int:
    """1 January, in days since 1970."""
    gone = year - 1
    return gone * 365 + gone // 4 - gone // 100 + gone // 400 - _DAYS_TO_1970


def _year_of(days: int) -> tuple[int, int]:
    """The year of a day since 1970, and the day's place in it, from 0."""
    year = (days + _DAYS_TO_1970) // 366 + 1  # never too late
    while _first_of(year + 1) <= days:
        year += 1
    return year, days - _first_of(year)
