"""`stop` and `resume`: a program that can start a pump can stop it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, Warn
from pumpctl.cli.therapy.program import (
    Output,
    Override,
    PlanOnly,
    apply_report,
    overrides,
    plan_report,
)
from pumpctl.errors import LimitHard, NotConfirmed, PumpctlError, PumpRefused
from pumpctl.therapy.practice import RESTART

if TYPE_CHECKING:
    from pumpctl.therapy.after_stop import Ahead, Reason
    from pumpctl.therapy.state import PumpState
    from pumpctl.workflows.road.applying import AppliedPlan

HAZARD = (
    "Stopping this drug leads to withdrawal: high fever, rigidity, organ failure,\n"
    "death. It begins to matter 12 to 96 hours after the last drug. Plan the restart."
)
PLANNED = (
    "A PLANNED stop is weaned, step by step, and needs no stop:\n"
    '  pumpctl titrate FILE --reduce-by "20 %" --every "2 d" --to minimum-rate -o DIR'
)


_LOW_START = (
    f"a profile of no more than {RESTART.value} and less than before, with a second person:\n"
    '  pumpctl program push FILE --override STOPPED_RESTART="REASON" '
    '--override ALARM_CRITICAL="REASON"'
)
"""What may follow a long pause (STP-03)."""


def stop(
    now: Annotated[bool, typer.Option("--now", help="Stop at once; asks nothing.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; never needed to stop.")] = "",
) -> Report:
    """Stop delivery: it changes what the pump delivers, at once.

    It can be repeated: stopping twice is stopping. Abrupt withdrawal of intrathecal
    baclofen can kill. Nothing but a missing pairing or role refuses it: no alarm, no
    journal, no unknown operation.

    Example: pumpctl --port ./tty0 stop
    """
    from pumpctl.cli.therapy.confirming import Typed, ask
    from pumpctl.therapy.after_stop import ahead_of, read_reason
    from pumpctl.workflows.road import stopping
    from pumpctl.workflows.visit import visit

    station = stopping.unbarred(context.station())
    if not now:
        Typed("a script stops with: pumpctl stop --now").ready()
        with visit(station, changes=False, urgent=True) as open_visit:
            serial = open_visit.serial
        barred = _resume_refused()
        told = f"Pump {serial} is on this line.", HAZARD, barred, PLANNED
        context.say("\n".join(filter(None, told)))
        if ask("Type STOP to stop it; anything else changes nothing: ").strip() != "STOP":
            raise NotConfirmed("STOP was not typed, in capital letters")
        station = station._replace(only=serial)
    with visit(station, changes=False, urgent=True) as open_visit:
        stopped = stopping.stop(open_visit, reason or None)
        ahead = ahead_of(stopped.state, open_visit.now())
    why = read_reason(reason)
    if not now and not reason:
        context.say(f"Pump {stopped.state.serial} is STOPPED.")
        why = _why()
        if why.text:
            failure = stopping.record_reason(station, stopped, why.text)
            stopped = stopped._replace(unrecorded=failure or stopped.unrecorded)
    warnings = list(context.warnings())
    if stopped.unrecorded is not None:
        warnings.append(
            Warn(
                "UNRECORDED",
                f"stop {stopped.operation} is not in the journal: {stopped.unrecorded}",
            )
        )
    minimum = _minimum_rate(stopped.state, why)
    data: dict[str, Any] = {
        "operation": str(stopped.operation),
        "outcome": "applied",
        "state_version": stopped.state_version,
        "verified": True,
        "delivery": stopped.state.delivery.value,
        "why": None if why.why is None else why.why.value,
        "without_drug_since": str(ahead.since),
        "withdrawal_from": str(ahead.withdrawal[0]),
        "withdrawal_to": str(ahead.withdrawal[1]),
        "old_dose_refused_after": str(ahead.refused_after),
        "minimum_rate": minimum,
    }
    return Report(
        "stop",
        data,
        "\n".join(_after(stopped.state, ahead, why, minimum)),
        pump=(stopped.state.serial, stopped.state.model),
        warnings=tuple(warnings),
    )


def _after(state: PumpState, ahead: Ahead, why: Reason, minimum: str | None) -> Iterator[str]:
    """What is so now, what follows by the clock, and what may be done."""
    from pumpctl.therapy.after_stop import Why

    first, last = (each.label() for each in ahead.withdrawal)
    yield f"Pump {state.serial} is STOPPED and delivers nothing."
    yield f"Without drug since {ahead.since.label()}, by this station's clock. After that:"
    refused = ahead.refused_after.label()
    yield f"  {first}  12 h  withdrawal may begin; the same dose needs a reason"
    yield f"  {refused}  48 h  the old dose is REFUSED: a low start, a second person"
    yield f"  {last}  96 h  withdrawal has begun by now, and it can kill"
    yield "Signs: high fever, rigidity, confusion. Call a physician who knows this therapy."
    if why.why is Why.OVERDOSE:
        yield "Overdose: pumpctl emergency overdose. Plan the restart now: withdrawal follows."
    when = "When it is over" if why.why is Why.OVERDOSE else "Next"
    yield _resume_refused() or f"{when}: pumpctl resume goes on with the stored program."
    if minimum is not None:
        lead = "Or:" if why.why is not None else "Or, unless it is an overdose:"
        yield f"{lead} minimum rate, {minimum} at {state.concentration}:"
        yield "  a declared flow: profile new --mode minimum-rate, then program push FILE"


def _minimum_rate(state: PumpState, why: Reason) -> str | None:
    """In mcg/day; None where it is not offered (STP-02)."""
    from pumpctl.therapy.after_stop import Why
    from pumpctl.therapy.program import minimum_rate

    return None if why.why is Why.OVERDOSE else str(minimum_rate(state.concentration))


def resume(
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Go on with the program that the stopped pump holds.

    It changes what the pump delivers, after you have typed the daily dose it returns to.
    After 12 hours without drug it needs an override; after 48 it is refused.

    Example: pumpctl --port ./tty0 resume
    """
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.road.programs import plan_act, push_act, resume_act

    named = overrides(override)
    if plan_only:
        with _restart_told():
            planned = plan_act(context.station(), resume_act, named, keep=output)
        return plan_report("resume", planned, output)

    def go_on() -> AppliedPlan:
        with _restart_told():
            return push_act(context.station(), resume_act, named, Typed(), keep=output)

    return apply_report("resume", go_on)


@contextmanager
def _restart_told() -> Iterator[None]:
    """A resume that is refused for its hours says what to do instead of the old dose."""
    try:
        yield
    except (LimitHard, PumpRefused) as error:
        found = error.findings if isinstance(error.findings, tuple) else ()
        names = {getattr(error, "pump_code", ""), *(each.id for each in found)}
        if "STOPPED_TOO_LONG" in names:
            error.hint = f"start again as with a new patient: {_LOW_START}"
        elif "FLASH" in names:  # put aside for the fallback, by a stall of 48 h or a lost memory
            error.hint = (
                "the pump no longer holds a program to go on with: push a profile.\n"
                f"  After 48 h without drug {_LOW_START}"
            )
        raise


def _resume_refused() -> str:
    """What stands in the way of a resume at this station; nothing here can bar the stop."""
    with suppress(Exception):
        found = context.library()
        if found.standing.value == "invalid":
            return (
                "A resume is REFUSED now: there is no valid drug library at this station.\n"
                "First install a signed one: pumpctl library install FILE"
            )
    return ""


def _why() -> Reason:
    """The reason, asked after the fact; none is fine."""
    from pumpctl.cli.therapy.confirming import ask
    from pumpctl.therapy.after_stop import Why, read_reason

    listed = "   ".join(f"{number} {why.value}" for number, why in enumerate(Why, 1))
    try:
        return read_reason(
            ask(f"Why was it stopped?  {listed}\nA number, a few words, or both (Enter: none): ")
        )
    except PumpctlError:
        return read_reason("")
