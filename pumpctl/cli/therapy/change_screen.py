"""The frame of a change's screen, before it is confirmed: 80 columns, and as few lines as it can.

Its order is the contract's; what stands in it between head and challenge is each
kind's own (`cli/acts`). What is "new" comes from the pump's read-back alone (CNF-01);
the pump's state and the next dates stand beside it, fresh.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.text import Text

from pumpctl.cli.acts.body import WIDTH, Body, Shown
from pumpctl.cli.folding import wrap
from pumpctl.cli.look.status_text import difference_text, hours_of
from pumpctl.cli.screens import console
from pumpctl.therapy.state import Delivery, PumpState, clock_difference_ms

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.road.applying import AppliedPlan
    from pumpctl.workflows.road.planning import Planned

_STYLES = {"hard": "bold red", "soft": "bold yellow", "note": ""}
_BODIES = {
    "program": "programs",
    "resume": "resumes",
    "implant": "implants",
    "patient": "patients",
    "prime": "primes",
    "bolus": "boluses",
    "bridge": "bridges",
    "refill": "refills",
    "clock": "clocks",
}
"""The module of `cli/acts` for each kind of plan."""
_READ_BACK = {
    "bolus": "dose, volume:",
    "prime": "mass, volume:",
    "bridge": "what is played:",
}
"""What the read-back is called on the screens that have no column "new"."""


def body_of(kind: str) -> Body:
    """What fills the frame for this kind; loaded when it is asked for."""
    return cast(Body, import_module(f"pumpctl.cli.acts.{_BODIES[kind]}"))


def show_plan(planned: Planned, output: Path | None, token: str | None, port: str | None) -> None:
    """A plan on stdout: the screen of a confirmation, and what to do with it."""
    out, plan = console(sys.stdout), planned.plan
    _change(out, _shown(planned))
    if output is not None:
        out.print(f"\nPlan written to {output}, good until {plan.expires}.")
    on = f"--port {port} " if port else ""
    if plan.open_soft:
        names = ", ".join(sorted({finding.id for finding in plan.open_soft}))
        out.print(Text(f"Open soft findings: {names}.", style="bold yellow"))
        out.print("Plan again with --override ID=REASON for each, or change what is planned.")
    elif output is not None and token is None:
        out.print(f"Confirm it on a terminal: pumpctl confirm {output}", soft_wrap=True)
    elif output is not None:
        out.print(f"Apply with: pumpctl {on}apply {output} --confirm {token}", soft_wrap=True)
    if output is not None and plan.second and not plan.open_soft:
        out.print(
            f"and --second LINE, from: pumpctl --operator NAME confirm {output} --second",
            soft_wrap=True,
        )


def show_confirmation(planned: Planned) -> None:
    """The screen before the challenge, on stderr."""
    _change(console(sys.stderr), _shown(planned))


def show_plan_file(plan: Plan) -> None:
    """A plan from a file, on stderr, before it is confirmed without a pump at hand."""
    from pumpctl.workflows.acts.planned import planned_readback, program_before
    from pumpctl.workflows.acts.registry import act_of

    out = console(sys.stderr)
    back = planned_readback(plan)
    _change(out, Shown(plan, act_of(plan), back, program_before(plan), None, None))
    out.print(f"Good until {plan.expires}; the pump is asked again when it is applied.")


def done_text(applied: AppliedPlan) -> str:
    """What an apply came to, in two lines."""
    return (
        f"{body_of(applied.plan.kind).done(applied)}.\n"
        f"State version {applied.state_version}, operation {str(applied.operation)[:8]}."
    )


def _shown(planned: Planned) -> Shown:
    state = planned.state
    return Shown(
        planned.plan,
        planned.act,
        planned.readback,
        state.program,
        state,
        planned.now,
        planned.expiry,
    )


def _change(out: Console, shown: Shown) -> None:
    plan, body = shown.plan, body_of(shown.plan.kind)
    _head(out, shown)
    for line in body.figures(shown):
        out.print(line)
    _findings(out, plan)
    for line in body.bounds(shown):
        out.print(line)
    for reason in plan.second:
        for part in wrap(
            f"SECOND PERSON needed: {reason}", WIDTH, initial_indent="  ", subsequent_indent="    "
        ):
            out.print(Text(part, style="bold yellow"))
    library = f"limits of {plan.library.site}, version {plan.library.version}"
    back = shown.readback.content.hex()[:8]
    what = _READ_BACK.get(plan.kind, '"new" is')
    source = f"{what} the pump's own read-back ({back}) · {library}"
    for part in wrap(source, WIDTH + 2, initial_indent="  ", subsequent_indent="    "):
        out.print(part)


def _head(out: Console, shown: Shown) -> None:
    """Pump and patient, alarms, what is unresolved or running, the clocks."""
    plan, state = shown.plan, shown.state
    patient = plan.patient or "as the pump holds it"
    if state is None:
        out.print(Text(f"Pump {plan.pump.serial} · patient {patient}", style="bold"))
        for alarm in plan.alarms:
            out.print(Text(alarm, style="bold red"))
        out.print(f"{plan.kind} · planned by {plan.operator} at {plan.made}")
        return
    kind = "emulator" if state.bench else "pump"
    if plan.patient and state.tag_hash is None:
        patient += " (new to it)"
    out.print(Text(f"Pump {state.serial} · {kind} · patient {patient}", style="bold"))
    for alarm in plan.alarms:
        out.print(Text(alarm, style="bold red"))
    calm = "" if state.alarms else "no alarms · "
    out.print(f"{calm}nothing unresolved · {_running(state)}{_delivery_text(state)}")
    if shown.now is not None:
        difference = difference_text(clock_difference_ms(state.clock, shown.now))
        out.print(f"pump clock {state.clock.label()}, {difference}")


def _running(state: PumpState) -> str:
    """A bolus and a bridge, or that there is none."""
    bolus, bridge = state.bolus, state.bridge
    told = []
    if bolus is not None:
        told.append(f"{bolus.kind} bolus running: {bolus.delivered} of {bolus.dose}")
    if bridge is not None:
        told.append(f"bridge running: {bridge.remaining} to go")
    return " · ".join(told) or "no bolus, no bridge"


def _delivery_text(state: PumpState) -> str:
    if state.stopped_for is not None:
        return f" · STOPPED for {hours_of(state.stopped_for)}"
    if state.delivery in (Delivery.BOLUS, Delivery.BRIDGE):
        return ""  # it stands before this
    return f" · {state.delivery.value}"


def _findings(out: Console, plan: Plan) -> None:
    overridden = {override.id: override.reason for override in plan.overrides}
    for finding in plan.findings:
        reason = overridden.get(finding.id)
        mark = f"{finding.severity} {finding.id}: {finding.message}"
        if reason is not None:
            mark += f"  [overridden: {reason}]"
        for place, line in enumerate(wrap(mark, WIDTH - 4)):
            indent = "  " if place == 0 else "    "
            out.print(Text(indent + line, style=_STYLES[finding.severity]))
