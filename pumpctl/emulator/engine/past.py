"""What the pump has metered in the last 25 h: what a sliding window needs of the past (LIM-05).

Storable values and pure functions on them. Mass counts as it was metered, a
stall's lost pulses too. Every window that is still judged reaches the present,
so a full list makes room by letting its oldest mass count as given *later* than
it was: no such window ever holds less than the truth. No limit is judged here.
"""

from typing import Annotated

from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Many, Struct
from pumpctl.wire.vocabulary import Ms, Ng, NgPerDay

KEPT_MS = DAY_MS + HOUR_MS
"""The longest window, and an hour to spare."""
MOST = 96
"""Entries of each list: a day has at most 13 steps and 24 scheduled boluses."""


class Basal(NamedTuple):
    """From this counter on this rate, until the next one's; 0 while nothing is given."""

    since: Ms
    rate: NgPerDay


class PastBolus(NamedTuple):
    """`dose` over `over`, evenly, but only from `start` to `end` (counter)."""

    start: Ms
    end: Ms
    """In the future while it runs; the cut where it was ended early."""
    dose: Ng
    over: Ms

    def given(self) -> tuple[int, int]:
        """Its mass as a fraction, ng."""
        return self.dose * (self.end - self.start), self.over


class Past(NamedTuple):
    """The last 25 h, oldest first."""

    basal: Annotated[tuple[Basal, ...], Many(Struct(Basal), MOST)]
    boluses: Annotated[tuple[PastBolus, ...], Many(Struct(PastBolus), MOST)]


EMPTY = Past((), ())
"""Of a new pump. One that has lost its memory makes its own of the log (`lost_past`)."""


def note_rate(past: Past, counter: int, rate: int) -> Past:
    """From this counter on the basal rate is this many ng/day. The same again is nothing new."""
    kept = trimmed(past, counter)
    if (kept.basal[-1].rate if kept.basal else 0) == rate:
        return kept
    earlier = tuple(each for each in kept.basal if each.since < counter)
    if (earlier[-1].rate if earlier else 0) == rate:  # there and back in no time
        return kept._replace(basal=earlier)
    return kept._replace(basal=(*_room_for_basal(earlier), Basal(counter, rate)))


def note_started(past: Past, counter: int, dose: int, over: int) -> Past:
    """A bolus of this many ng over so many ms starts."""
    kept = trimmed(past, counter)
    bolus = PastBolus(counter, counter + over, dose, over)
    return kept._replace(boluses=(*_room_for_bolus(kept.boluses, counter), bolus))


def note_ended(past: Past, counter: int, *, started: int, dose: int, over: int) -> Past:
    """That bolus ends now. One that has run its whole time is known to have ended already."""
    running = PastBolus(started, started + over, dose, over)
    if running not in past.boluses or running.end <= counter:
        return past
    place = past.boluses.index(running)
    cut = (running._replace(end=counter),) if counter > started else ()
    return past._replace(boluses=past.boluses[:place] + cut + past.boluses[place + 1 :])


def trimmed(past: Past, counter: int) -> Past:
    """Without what no window to come can reach."""
    oldest = counter - KEPT_MS
    first = 0
    while first + 1 < len(past.basal) and past.basal[first + 1].since <= oldest:
        first += 1
    if not (first or [each for each in past.boluses if each.end <= oldest]):
        return past  # at nearly every instant; the very same needs no second encoding
    boluses = tuple(each for each in past.boluses if each.end > oldest)
    return past._replace(basal=past.basal[first:], boluses=boluses)


def _room_for_basal(basal: tuple[Basal, ...]) -> tuple[Basal, ...]:
    """Where it is full, the two oldest become one at the higher rate."""
    if len(basal) < MOST:
        return basal
    first, second = basal[:2]
    return (Basal(first.since, max(first.rate, second.rate)), *basal[2:])


def _room_for_bolus(boluses: tuple[PastBolus, ...], counter: int) -> tuple[PastBolus, ...]:
    """Where it is full, the two that ended first become one, in the later one's place.

    Both masses are kept, rounded up together, and neither lies earlier than it did.
    """
    if len(boluses) < MOST:
        return boluses
    # Eight run at most, so that there are always two that have ended.
    ended = sorted((each for each in boluses if each.end <= counter), key=lambda each: each.end)
    first, second = ended[:2]
    start, over = max(first.start, second.start), second.end - max(first.start, second.start)
    (a, b), (c, d) = first.given(), second.given()
    merged = PastBolus(start, second.end, -(-(a * d + c * b) // (b * d)), over)
    rest = list(boluses)
    rest.remove(first)
    rest[rest.index(second)] = merged
    return tuple(rest)
