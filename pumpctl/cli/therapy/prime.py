"""`bolus prime`: fill what of the line is free of drug, and nothing more."""

from __future__ import annotations

from pumpctl.cli import context
from pumpctl.cli.report import Report
from pumpctl.cli.therapy.program import (
    Output,
    Override,
    PlanOnly,
    apply_report,
    overrides,
    plan_report,
)


def prime(
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Give the priming bolus that the implant's record allows; its volume is never typed.

    It changes what the pump delivers, after you have typed the mass that will lie in the
    line. A script's token comes from confirm, on a terminal. A catheter with drug in it,
    or of unknown contents, is refused.

    Example: pumpctl --port ./tty0 bolus prime
    """
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.implanting import priming_act
    from pumpctl.workflows.road.programs import plan_act, push_act

    named = overrides(override)
    if plan_only:
        planned = plan_act(context.station(), priming_act, named, keep=output)
        return plan_report("bolus.prime", planned, output)
    return apply_report(
        "bolus.prime",
        lambda: push_act(context.station(), priming_act, named, Typed(), keep=output),
    )
