"""`bolus bridge`: the repair of a bridge that a refill was made without."""

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


def bridge(
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Repair a forgotten bridge: the old dose goes on until the line is new.

    It changes what the pump delivers, after you have typed the bridge's volume. That
    comes from the implant's record; what has passed since the refill counts.

    Example: pumpctl --port ./tty0 bolus bridge
    """
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.refill.bridging import bridge_act
    from pumpctl.workflows.road.programs import plan_act, push_act

    named = overrides(override)
    if plan_only:
        planned = plan_act(context.station(), bridge_act, named, keep=output)
        return plan_report("bolus.bridge", planned, output)
    return apply_report(
        "bolus.bridge",
        lambda: push_act(context.station(), bridge_act, named, Typed(), keep=output),
    )
