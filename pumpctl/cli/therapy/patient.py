"""`patient assign|clear`: whose pump it is. The pump keeps a short hash of the tag alone."""

from __future__ import annotations

from typing import Annotated

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.cli.therapy.program import Output, PlanOnly, apply_report, plan_report


def assign(
    tag: Annotated[str, typer.Argument(help="The clinic's own label, never a name.")],
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Assign the pump to a patient: it keeps a short hash of serial and tag.

    It changes whose pump it is, after you have typed the tag once more. What it delivers
    goes on unchanged.

    Example: pumpctl --port ./tty0 patient assign P-0417
    """
    return _road("patient.assign", tag, output, plan_only=plan_only)


def clear(plan_only: PlanOnly = False, output: Output = None) -> Report:
    """Assign the pump to nobody; the next plan assigns it to its own patient.

    It changes whose pump it is, after you have typed the pump's serial number. What it
    delivers goes on unchanged.

    Example: pumpctl --port ./tty0 patient clear
    """
    return _road("patient.clear", None, output, plan_only=plan_only)


def _road(schema: str, tag: str | None, output: Output, *, plan_only: bool) -> Report:
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.implanting import assign_act
    from pumpctl.workflows.road.programs import plan_act, push_act

    make = assign_act(tag)
    if plan_only:
        return plan_report(schema, plan_act(context.station(), make, (), keep=output), output)
    return apply_report(schema, lambda: push_act(context.station(), make, (), Typed(), keep=output))
