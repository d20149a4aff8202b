"""`stop` and `resume`: a program that can start a pump can stop it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer

from pumpctl.cli import context
from pumpctl.cli.program import Output, Override, PlanOnly, apply_report, overrides, plan_report
from pumpctl.cli.report import Report, Warn
from pumpctl.errors import NotConfirmed, PumpctlError

HAZARD = (
    "Stopping this drug leads to withdrawal: high fever, rigidity, organ failure,\n"
    "death. It begins to matter 12 to 96 hours after the last drug. Plan the restart.\n"
    "Minimum rate is no stop: it is a flow of its own."
)


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
    from pumpctl.cli.confirming import Typed, ask
    from pumpctl.workflows import stopping
    from pumpctl.workflows.visit import visit

    station = stopping.unbarred(context.station())
    if not now:
        Typed("a script stops with: pumpctl stop --now").ready()
        with visit(station, changes=False, urgent=True) as open_visit:
            serial = open_visit.serial
        barred = _resume_refused()
        context.say("\n".join(filter(None, (f"Pump {serial} is on this line.", HAZARD, barred))))
        if ask("Type STOP to stop it; anything else changes nothing: ").strip() != "STOP":
            raise NotConfirmed("STOP was not typed")
        station = station._replace(only=serial)
    with visit(station, changes=False, urgent=True) as open_visit:
        stopped = stopping.stop(open_visit, reason or None)
    if not now and not reason:
        context.say(f"Pump {stopped.state.serial} is stopped.")
        why = _why()
        if why:
            failure = stopping.record_reason(station, stopped, why)
            stopped = stopped._replace(unrecorded=failure or stopped.unrecorded)
    warnings = list(context.warnings())
    if stopped.unrecorded is not None:
        warnings.append(
            Warn(
                "UNRECORDED",
                f"stop {stopped.operation} is not in the journal: {stopped.unrecorded}",
            )
        )
    data: dict[str, Any] = {
        "operation": str(stopped.operation),
        "outcome": "applied",
        "state_version": stopped.state_version,
        "verified": True,
        "delivery": stopped.state.delivery.value,
    }
    return Report(
        "stop",
        data,
        f"Pump {stopped.state.serial} is STOPPED and delivers nothing.\n{HAZARD}\n"
        f"{_resume_refused() or 'Go on with: pumpctl resume'}",
        pump=(stopped.state.serial, stopped.state.model),
        warnings=tuple(warnings),
    )


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
    from pumpctl.cli.confirming import Typed
    from pumpctl.workflows.programs import plan_act, push_act, resume_act

    named = overrides(override)
    if plan_only:
        planned = plan_act(context.station(), resume_act, named, keep=output)
        return plan_report("resume", planned, output)
    return apply_report(
        "resume",
        lambda: push_act(context.station(), resume_act, named, Typed(), keep=output),
    )


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


def _why() -> str:
    """The reason, asked after the fact; none is fine."""
    from pumpctl.cli.confirming import ask

    try:
        return ask("Why was it stopped? (Enter for no reason) ").strip()
    except PumpctlError:
        return ""
