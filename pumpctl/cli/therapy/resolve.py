"""`resolve`: what became of an operation of which nobody knows, or what may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pumpctl.cli import context
from pumpctl.cli.folding import wrap
from pumpctl.cli.report import Report, Warn

if TYPE_CHECKING:
    from pumpctl.therapy.state import PumpState
    from pumpctl.workflows.road.resolving import Resolution, Resolved

_WIDTH = 80
_WORDS = {"applied": "APPLIED", "refused": "NOT applied", "unknown": "STILL UNKNOWN"}


def resolve() -> Report:
    """Find out what became of every operation whose outcome is unknown.

    The pump is asked; an operation that it does not hold is voided there, so that
    nothing late can apply. Where the pump is out of reach, it says what may be true
    and what to watch for, and ends with exit code 7.

    Example: pumpctl --port ./tty0 resolve
    """
    from pumpctl.station.journal import Journal
    from pumpctl.workflows.road.resolving import resolve as resolve_open

    station = context.station()
    with Journal(station.home.journal) as journal:
        told = resolve_open(station, journal)
    if not told.found:
        nothing = {"operation": None, "outcome": None, "state_version": None, "verified": False}
        return Report("resolve", nothing, "Nothing is unresolved.", warnings=context.warnings())
    warnings = list(context.warnings())
    if told.elsewhere:
        pumps = ", ".join(sorted({entry.pump for entry in told.elsewhere}))
        warnings.append(Warn("UNRESOLVED", f"operations of other pumps are still open: {pumps}"))
    state = told.state
    return Report(
        "resolve",
        _data(told),
        "\n".join(_lines(told)),
        pump=None if state is None else (state.serial, state.model),
        warnings=tuple(warnings),
        error=told.error,
    )


def _data(told: Resolved) -> dict[str, Any]:
    """The contract's keys are of the one that matters most: unknown, else the last applied."""
    by_weight = sorted(
        enumerate(told.found),
        key=lambda pair: (["refused", "applied", "unknown"].index(pair[1].outcome), pair[0]),
    )
    one = by_weight[-1][1]
    if one.outcome == "unknown":  # of several the first: what is to be watched begins with it
        one = next(each for each in told.found if each.outcome == "unknown")
    return {
        **_one(one),
        "resolved": [_one(each) for each in told.found],
        "delivery": None if told.state is None else told.state.delivery.value,
    }


def _one(one: Resolution) -> dict[str, Any]:
    return {
        "operation": one.operation,
        "pump": one.pump,
        "kind": one.kind,
        "outcome": one.outcome,
        "state_version": one.state_version,
        "verified": one.outcome != "unknown",
        "explanation": one.explanation,
        "delivered": None if one.delivered is None else str(one.delivered),
        "may_be": None if one.may_be is None else list(one.may_be.truths),
        "watch": None if one.may_be is None else list(one.may_be.watch),
    }


def _lines(told: Resolved) -> Iterator[str]:
    for one in told.found:
        yield f"{one.kind} {one.operation[:8]} on pump {one.pump}: {_WORDS[one.outcome]}"
        yield f"  sent at {one.at}"
        yield from _wrapped(f"{one.explanation[:1].upper()}{one.explanation[1:]}.")
        if one.may_be is not None:
            yield "  What may be true:"
            for text in one.may_be.truths:
                yield from _wrapped(text, "  - ")
            yield "  What to watch for:"
            for text in one.may_be.watch:
                yield from _wrapped(text, "  - ")
        yield ""
    if told.state is not None:
        yield from _now(told.state)
    else:
        yield "No other change of therapy is taken until it is resolved; stop always is."


def _wrapped(text: str, mark: str = "  ") -> Iterator[str]:
    yield from wrap(text, _WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark))


def _now(state: PumpState) -> Iterator[str]:
    """The pump's present state, in three lines."""
    from pumpctl.therapy.figures import daily_dose_rounded
    from pumpctl.therapy.state import Delivery
    from pumpctl.workflows.look.looking import STANDING_STILL

    dose = ""
    if state.program is not None:
        today = daily_dose_rounded(state.program, state.clock.day)
        still = state.delivery in (*STANDING_STILL, Delivery.EMPTY, Delivery.FALLBACK)
        dose = f"; it holds {today} for today" if still else f", {today} today"
    yield f"The pump now: {state.delivery.value.upper()}{dose}, state version {state.state_version}"
    yield (
        f"  {state.drug} {state.concentration}, reservoir {state.reservoir}, "
        f"clock {state.clock.label()}"
    )
    alarms = ", ".join(f"{each.code} ({each.priority.value})" for each in state.alarms)
    yield f"  ALARMS: {alarms}" if alarms else "  no alarms"
