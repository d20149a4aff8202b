"""`refill`: a visit from a file, planned, confirmed and applied; or step by step on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.cli.therapy.program import (
    Output,
    Override,
    PlanOnly,
    apply_report,
    overrides,
    plan_report,
)
from pumpctl.errors import UsageError

if TYPE_CHECKING:
    from pumpctl.workflows.refill.once import Recorded
    from pumpctl.workflows.refill.visit import RefillVisit
    from pumpctl.workflows.road.applying import AppliedPlan
    from pumpctl.workflows.road.programs import Confirms

VisitFile = Annotated[
    Path | None, typer.Option("--file", metavar="VISIT", help="The visit, in TOML.")
]


def refill(
    file: VisitFile = None,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Record a refill: volume, drug, bridge, program and fallback in one activation.

    On a terminal without --file it is asked step by step, each answer kept; broken off,
    the same command goes on. It changes what the pump delivers, after you have typed
    volume and concentration. One order is one refill: the same again changes nothing.

    Example: pumpctl --port ./tty0 refill --file visit.toml
    """
    if file is None:
        if plan_only or override:
            raise UsageError("which visit?", hint="pumpctl refill --file visit.toml --plan-only")
        from pumpctl.cli.refill.guided import guided_refill

        return guided_refill(output)
    from pumpctl.workflows.refill.file import read_visit_file

    station = context.station()
    told = with_reasons(read_visit_file(station, file), overrides(override))
    if not plan_only:
        return refill_report(told, output)
    from pumpctl.workflows.refill.once import Recorded
    from pumpctl.workflows.refill.refilling import plan_refill

    planned = plan_refill(station, told, keep=output)
    if isinstance(planned, Recorded):
        return repeated_report(planned)
    return plan_report("refill", planned, output)


def refill_report(
    told: RefillVisit, output: Path | None, confirms: Confirms | None = None
) -> Report:
    """Plan, confirm and apply a visit; or say that its order was applied before."""
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.refill.once import Recorded, Repeated
    from pumpctl.workflows.refill.refilling import push_refill

    def applying() -> AppliedPlan:
        done = push_refill(context.station(), told, confirms or Typed(), keep=output)
        if isinstance(done, Recorded):
            raise Repeated(done)
        return done

    try:
        report = apply_report("refill", applying)
    except Repeated as repeated:
        return repeated_report(repeated.recorded)
    return report._replace(data={**report.data, "repeated": False})


def repeated_report(recorded: Recorded) -> Report:
    """One order is one refill: what was applied, and that nothing was done now."""
    data: dict[str, Any] = {
        "operation": recorded.operation,
        "outcome": recorded.outcome,
        "state_version": recorded.state_version,
        "verified": recorded.holds,
        "repeated": True,
        "applied_at": recorded.at,
        "volume": recorded.measured["volume"],
    }
    still = "the pump holds it" if recorded.holds else "the pump was changed again since"
    text = (
        f"Order {recorded.told['reference']} was applied before, at {recorded.at}: "
        f"{recorded.measured['volume']}.\nNothing was changed now; {still}."
    )
    pump = (recorded.serial, recorded.model)
    return Report("refill", data, text, pump=pump, warnings=context.warnings())


def with_reasons(told: RefillVisit, given: tuple[tuple[str, str], ...]) -> RefillVisit:
    """The visit, with reasons from the command line beside its own; none of them twice."""
    twice = {name for name, _ in told.reasons} & {name for name, _ in given}
    if twice:
        raise UsageError(f"--override {min(twice)}: the file gives its reason already")
    return told._replace(reasons=(*told.reasons, *given))
