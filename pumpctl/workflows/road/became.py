"""What became of an operation, or may have become of it, in words: by its kind.

Made of the intent in the journal and of the pump's state; it asks nobody. Times of
onset are those of the label of baclofen injection, and of practice: a bolus acts after
0.5 to 1 h and for 4 to 8 h, an infusion after 6 to 8 h; withdrawal begins 12 to 96 h
after the loss of drug.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.errors import QuantityError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_of
from pumpctl.quantities import Duration, Mass, Rate, round_half_up
from pumpctl.station.journal import Entry
from pumpctl.therapy.figures import largest_day
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError

_HOUR_MS = 3_600_000
GIVEN = frozenset({"bolus", "prime", "bolus cancel"})
"""Kinds of which the pump's ledger says how much was delivered."""
_CLOSED_MS = 600_000
"""What was staged expires after 10 min at the latest (PRG-06): nothing of it applies later."""


class MayBe(NamedTuple):
    """What may be true while nobody knows, and what to watch for."""

    truths: tuple[str, ...]
    watch: tuple[str, ...]


def kind_of(entry: Entry) -> str:
    """`program`, `bolus`, `stop`, …: as the intent says."""
    return str(entry.body.get("kind") or "program")


# --- known ------------------------------------------------------------------------------


def told_applied(entry: Entry, delivered: Mass, state: PumpState | None) -> str:
    """What it means that the pump did it; `state` as the pump is now."""
    kind, old, new = kind_of(entry), *_programs(entry)
    match kind:
        case "program":
            held = "" if _runs(state, new) else ", and something else since"
            return f"the pump was given {_dose(new)} in place of {_dose(old)}{held}"
        case "resume":
            return f"delivery went on, with {_dose(new)}"
        case "stop":
            return "delivery was stopped"
        case "bolus" | "prime":
            return f"a {kind} was ordered: {_given(entry, delivered, state)}"
        case "bolus cancel":
            return f"the bolus was ended; {delivered} of it had really been given"
        case "refill":
            volume = "" if state is None else f"; it counts with {state.reservoir} now"
            return f"the refill is in force: {_dose(new)} of {_fluid(new)}{volume}"
        case _:
            return _SETTINGS.get(kind, (f"the {kind} is in force", ""))[0]


def told_refused(entry: Entry, state: PumpState | None) -> str:
    """What it means that the pump never did it."""
    kind, old, _ = kind_of(entry), *_programs(entry)
    match kind:
        case "program":
            return f"its program stayed as it was, {_dose(old)}"
        case "resume":
            return "delivery did not go on by it"
        case "stop":
            return "it was NOT stopped by it: stop again if it is still to be stopped"
        case "bolus" | "prime":
            return f"nothing of this {kind} was given, and nothing will be"
        case "bolus cancel":
            return f"the bolus was NOT ended by it: {_goes_on(state)}"
        case "refill":
            return _not_refilled(entry, state)
        case _:
            return _SETTINGS.get(kind, ("", "nothing was changed"))[1]


_SETTINGS = {
    "bridge": (
        "the bridge was programmed: the line's old drug is given at the old dose",
        "no bridge was programmed: without it the line's drug is given at the new flow",
    ),
    "clock": ("the pump's clock was set", "the pump's clock was not set"),
    "patient": ("the pump's patient was set", "the pump's patient was not changed"),
    "implant": ("the implant's record was revised", "the implant's record is what it was"),
}
"""Kinds whose figures are in the pump's state: when it was done, and when it was not."""


def _goes_on(state: PumpState | None) -> str:
    """What became of a bolus that a cancel did not end."""
    running = None if state is None else state.bolus
    if running is None or running.kind == "scheduled":
        return "it ran on, to its end or until something else ended it"
    so_far = f"{running.delivered} of {running.dose} given so far"
    return f"a {running.kind} bolus runs NOW, {so_far}; pumpctl bolus cancel ends it"


def _not_refilled(entry: Entry, state: PumpState | None) -> str:
    """What a pump counts with that never took a refill; later changes may have been one."""
    holds = "" if state is None else f", {state.reservoir} of {state.concentration}"
    if state is not None and state.state_version != entry.body.get("state_version"):
        return (
            f"the pump never took this refill; it has been changed since, and counts now{holds}: "
            "if drug was injected and no later refill counted it, refill again, NOW"
        )
    return (
        f"the pump counts with the volume and the drug of before{holds}: "
        "if drug was injected, refill again, NOW"
    )


def _given(entry: Entry, delivered: Mass, state: PumpState | None) -> str:
    """How much of a bolus: all, so far, or cut short."""
    ordered = _ordered(entry)
    if ordered is None:
        return f"{delivered} of it really given"
    if delivered == ordered:
        return f"all of it was given, {delivered}"
    running = None if state is None else state.bolus
    ours = "prime" if kind_of(entry) == "prime" else "single"  # not one of the patient's own
    if running is not None and running.kind == ours and running.dose == ordered:
        return f"it runs, {delivered} of {ordered} given so far"
    return f"CUT SHORT, {delivered} really given of {ordered}"


def _ordered(entry: Entry) -> Mass | None:
    order = entry.body.get("order")
    try:
        return Mass.parse(str(order["dose"])) if isinstance(order, dict) else None
    except (KeyError, QuantityError):
        return None


# --- not known ----------------------------------------------------------------------------


def may_be(entry: Entry) -> MayBe:
    """What may be true of a pump that cannot be asked. Old and new are each whole."""
    return MayBe(tuple(_truths(entry)), tuple(_watch(entry)))


def _truths(entry: Entry) -> Iterator[str]:
    kind, old, new = kind_of(entry), *_programs(entry)
    match kind:
        case "program":
            yield f"it gives {_either(old, new)}: the one or the other whole, nothing between"
        case "resume":
            yield f"it is stopped still, or it gives {_dose(new)}"
        case "stop":
            yield "it is stopped, or it goes on as before: stopping again is safe"
        case "bolus" | "prime":
            amount = _ordered(entry)
            much = "all of it" if amount is None else f"up to {amount}"
            yield f"nothing of the {kind} was given, or {much}"
        case "bolus cancel":
            yield "the bolus was ended, or it ran on to its end"
        case "refill":
            yield (
                f"the refill is in force: {_dose(new)}, {_fluid(new)}; "
                f"or the pump still counts as before it: {_dose(old)}, {_fluid(old)}"
            )
            yield from _wrong_strength(old, new)
        case _:
            yield f"the {kind} is in force, or everything is as it was before"
    at = _at(entry)
    closed = "" if at is None else f" by {at.plus(_CLOSED_MS).label()} at the latest"
    yield (
        f"which it is was settled{closed}: nothing that was sent can still act. "
        "It stays so until the pump is asked, or stopped"
    )


def _wrong_strength(old: Program | None, new: Program | None) -> Iterator[str]:
    """New drug in the reservoir, metered by the old concentration."""
    if old is None or new is None or old.concentration == new.concentration:
        return
    real = largest_day(old) * Fraction(new.concentration.quanta, old.concentration.quanta)
    yield (
        f"if it counts as before, and {_fluid(new)} was injected, then {_dose(old)} is really "
        f"{Rate(round_half_up(real))} once the line has been displaced"
    )


def _watch(entry: Entry) -> Iterator[str]:
    kind, (old, new), at = kind_of(entry), _programs(entry), _at(entry)
    if kind in _HANGS_ON_IT:
        yield f"no dose hangs on it{_HANGS_ON_IT[kind]}"
        return
    overdose = "drowsiness, slow breathing, coma"
    if kind in ("bolus", "prime", "bolus cancel"):
        over = _over(entry)
        end = 8 + -(-over // _HOUR_MS)
        yield f"overdose ({overdose}): from 0.5 h on{_span(at, 0, end)}; most at about 4 h"
        return
    rises = kind in ("resume", "refill", "bridge", "stop") or (
        old is None or new is None or largest_day(new) > largest_day(old)
    )
    if rises:
        yield f"overdose ({overdose}): first effect after 6 to 8 h, watch 24 h{_span(at, 0, 24)}"
    falls = kind != "program" or (old is None or new is None or largest_day(new) < largest_day(old))
    if falls:
        yield (
            "withdrawal (fever, rigidity, confusion): 12 to 96 h after the loss of drug"
            f"{_span(at, 12, 96)}"
        )


_HANGS_ON_IT = {
    "clock": ", but those at a time of day may come earlier or later than they are meant",
    "patient": ": the wrong patient's plans may be taken, or the right one's refused",
    "implant": " before the next prime, bridge or refill, whose volumes come from it",
}
"""Acts that give nothing themselves, and what does follow from them."""


def _over(entry: Entry) -> int:
    order = entry.body.get("order")
    try:
        return Duration.parse(str(order["over"])).quanta if isinstance(order, dict) else 0
    except (KeyError, QuantityError):
        return 0


def _span(at: Moment | None, first: int, last: int) -> str:
    """From when to when that is, by the clock of whoever wrote the intent."""
    if at is None:
        return ""
    begin, end = (at.plus(hours * _HOUR_MS).label() for hours in (first, last))
    return f", {begin} to {end}"


def _at(entry: Entry) -> Moment | None:
    try:
        return Moment.parse(entry.at)
    except UsageError:
        return None


# --- the two programs of an intent ----------------------------------------------------------


def _programs(entry: Entry) -> tuple[Program | None, Program | None]:
    """The old one and the new one; None where the journal does not hold it."""
    old, new = (_read(entry.body.get(key)) for key in ("old_program_bytes", "program_bytes"))
    return old, new


def _read(written: object) -> Program | None:
    try:
        return program_of(bytes.fromhex(written)) if isinstance(written, str) else None
    except (ValueError, WireError):
        return None


def _runs(state: PumpState | None, program: Program | None) -> bool:
    return state is None or program is None or state.program == program


def _dose(program: Program | None) -> str:
    """`438 mcg/day`, of the largest day."""
    if program is None:
        return "a program that this journal does not hold"
    least = " (minimum rate)" if program.mode is Mode.MINIMUM else ""
    return f"{_rate(program)}{least}"


def _rate(program: Program) -> Rate:
    """Of its largest day, half up."""
    return Rate(round_half_up(largest_day(program)))


def _fluid(program: Program | None) -> str:
    return "drug not known" if program is None else f"{program.drug} {program.concentration}"


def _either(old: Program | None, new: Program | None) -> str:
    """`either 410 or 438 mcg/day`."""
    if old is None or new is None or Mode.MINIMUM in (old.mode, new.mode):
        return f"either {_dose(old)} or {_dose(new)}"
    return f"either {str(_rate(old)).partition(' ')[0]} or {_rate(new)}"
