"""`bolus single`: a dose on top of the program. `bolus cancel`: the short way to end one."""

from __future__ import annotations

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
from pumpctl.errors import NotConfirmed
from pumpctl.quantities import Duration, Mass

if TYPE_CHECKING:
    from pumpctl.therapy.boluses_seen import LastBolus
    from pumpctl.therapy.state import PumpState
    from pumpctl.workflows.road.cancelling import Cancelled


def single(
    dose: Annotated[str, typer.Argument(help='Its mass with its unit, "20 mcg".')],
    over: Annotated[
        str, typer.Option("--over", help='The time it is spread over, with its unit, "10 min".')
    ],
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Give one bolus now, on top of the running program, which goes on unchanged.

    It changes what the pump delivers, after you have typed the dose. It locks the
    patient's own doses until their lockout has passed from its end.

    Example: pumpctl --port ./tty0 bolus single "20 mcg" --over "10 min"
    """
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.acts.boluses import bolus_act
    from pumpctl.workflows.road.programs import plan_act, push_act

    made, named = bolus_act(Mass.parse(dose), Duration.parse(over)), overrides(override)
    if plan_only:
        planned = plan_act(context.station(), made, named, keep=output)
        return plan_report("bolus.single", planned, output)
    return apply_report(
        "bolus.single",
        lambda: push_act(context.station(), made, named, Typed(), keep=output),
    )


def cancel(
    now: Annotated[bool, typer.Option("--now", help="Cancel at once; asks nothing.")] = False,
) -> Report:
    """End the bolus that runs: it changes what the pump delivers, at once.

    The program goes on. It can be repeated; where no bolus runs nothing is done.
    Nothing but a missing pairing or role refuses it. What was given stays given.

    Example: pumpctl --port ./tty0 bolus cancel --now
    """
    from pumpctl.cli.therapy.confirming import Typed, ask
    from pumpctl.workflows.road import cancelling
    from pumpctl.workflows.road.stopping import unbarred
    from pumpctl.workflows.visit import visit

    station = unbarred(context.station())
    if not now:
        Typed("a script cancels with: pumpctl bolus cancel --now").ready()
        with visit(station, changes=False, urgent=True) as open_visit:
            serial = open_visit.serial
            seen = cancelling.seen(open_visit)
        bolus = None if seen is None else seen.bolus
        context.say(f"Pump {serial} is on this line.\n{_running(seen)}")
        end = "end it" if bolus is not None else "send it all the same"
        if ask(f"Press Enter to {end}; Ctrl-C changes nothing: ").strip():
            raise NotConfirmed("Enter alone was wanted")
        station = station._replace(only=serial)
    with visit(station, changes=False, urgent=True) as open_visit:
        cancelled = cancelling.cancel(open_visit)
    warnings = list(context.warnings())
    if cancelled.unrecorded is not None:
        warnings.append(
            Warn(
                "UNRECORDED",
                f"bolus cancel {cancelled.operation} is not in the journal: {cancelled.unrecorded}",
            )
        )
    state = cancelled.state
    return Report(
        "bolus.cancel",
        _data(cancelled),
        f"{_told(cancelled)}\nThe pump is {state.delivery.value} now.",
        pump=(state.serial, state.model),
        warnings=tuple(warnings),
    )


def _data(cancelled: Cancelled) -> dict[str, Any]:
    return {
        "operation": str(cancelled.operation),
        "outcome": "applied",
        "state_version": cancelled.state_version,
        "verified": True,
        "delivery": cancelled.state.delivery.value,
        "delivered": str(cancelled.delivered),
        "ended": None
        if cancelled.ended is None
        else [
            {
                "kind": each.kind,
                "dose": str(each.ordered),
                "given": str(each.given),
                "operation": None if each.operation is None else str(each.operation),
            }
            for each in cancelled.ended
        ],
    }


def _running(seen: PumpState | None) -> str:
    from pumpctl.therapy.own_doses import until_text

    if seen is None:
        return "What runs on it could not be read."
    bolus, clock = seen.bolus, seen.clock
    if bolus is None:
        return "No bolus runs on it now."
    return (
        f"A {bolus.kind} bolus runs: {bolus.delivered} of {bolus.dose} given, "
        f"until {until_text(bolus.ends, clock)}."
    )


def _told(cancelled: Cancelled) -> str:
    serial, ended = cancelled.state.serial, cancelled.ended
    if ended is None:
        return (
            f"No bolus runs on pump {serial} any more. What was ended had given "
            f"{cancelled.delivered}; the pump's log could not be read for more."
        )
    if not ended:
        return f"No bolus was running on pump {serial}: nothing was changed."
    return "\n".join(f"Pump {serial}: {_line(each)}" for each in ended)


def _line(bolus: LastBolus) -> str:
    return f"{bolus.kind} bolus CANCELLED: {bolus.given} of {bolus.ordered} was given."
