"""A pump was stopped: why, and what follows from it by the clock (STP-02, STP-03).

Values only. Who asked for the reason, and which commands are offered, is not known here.
"""

from __future__ import annotations

from enum import Enum

from pumpctl.named import NamedTuple
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.practice import STOPPED_HARD, STOPPED_SOFT, WITHDRAWAL
from pumpctl.therapy.state import PumpState

_DRY = frozenset({"MOTOR_STALL", "EMPTY_RESERVOIR"})
"""Alarms under which nothing flowed before the stop either."""


class Why(Enum):
    """The short list of reasons."""

    OVERDOSE = "overdose"
    SIDE_EFFECTS = "side effects"
    SURGERY = "before surgery"
    OTHER = "other"


class Reason(NamedTuple):
    """Why a pump was stopped. `why` None: nobody said."""

    why: Why | None
    text: str
    """As it is written down."""


def read_reason(typed: str) -> Reason:
    """A number of the list and a few words, or words alone: those may name an overdose."""
    typed = typed.strip()
    first, _, rest = typed.partition(" ")
    number = first.rstrip(".):,")
    listed = tuple(Why)
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(listed):
        why, rest = listed[int(number) - 1], rest.strip()
        named = f"{why.value}: {rest}" if rest else why.value
        return Reason(Why.OVERDOSE if _overdose(rest) else why, named)
    if not typed:
        return Reason(None, "")
    if _overdose(typed):
        return Reason(Why.OVERDOSE, typed)
    told = next((why for why in listed if typed.lower().startswith(why.value)), Why.OTHER)
    return Reason(told, typed)


def _overdose(text: str) -> bool:
    return "overdos" in text.lower() or "od" in text.lower().replace("/", " ").split()


class Ahead(NamedTuple):
    """What follows from being without drug, by the clock of `since`."""

    since: Moment
    """When the last drug was given."""
    withdrawal: tuple[Moment, Moment]
    """Between these it begins."""
    reason_from: Moment
    """From then on the same dose needs a named reason."""
    refused_after: Moment
    """After that the old dose is refused."""


def ahead_of(state: PumpState, now: Moment) -> Ahead:
    """Of a stopped pump; `now` is the clock by which people are told."""
    without = 0 if state.stopped_for is None else state.stopped_for.quanta
    dry = (state.clock.utc_ms - each.since.utc_ms for each in state.alarms if each.code in _DRY)
    since = now.plus(-max(without, *dry, 0))
    return Ahead(
        since,
        (since.plus(WITHDRAWAL[0].value.quanta), since.plus(WITHDRAWAL[1].value.quanta)),
        since.plus(STOPPED_SOFT.value.quanta),
        since.plus(STOPPED_HARD.value.quanta),
    )
