"""`program show|plan|push`, and for all therapy `confirm`, `apply`, `resolve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pumpctl.cli import context
from pumpctl.cli.report import Report, finding_json
from pumpctl.errors import OutcomeUnknown, PumpctlError, UsageError

if TYPE_CHECKING:
    from pumpctl.workflows.applying import AppliedPlan
    from pumpctl.workflows.planning import Planned

Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="ID=REASON", help="Override one soft finding by name."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where the plan goes.")]
PlanOnly = Annotated[bool, typer.Option("--plan-only", help="Stop after the plan.")]
ProfileFile = Annotated[Path, typer.Argument(help="A dose profile in TOML.")]
PlanFile = Annotated[Path, typer.Argument(help="A plan file.")]


def show() -> Report:
    """Show the program that the pump runs. It changes nothing on the pump.

    Example: pumpctl --port emu://ward-3 program show
    """
    from pumpctl.cli.profile_text import program_lines
    from pumpctl.workflows.acts.shown import described
    from pumpctl.workflows.visit import visit

    with visit(context.station(), changes=False) as open_visit:
        program, _ = open_visit.pump.program()
        pump = (open_visit.serial, open_visit.pump.identity.model)
    return Report(
        "program.show",
        described(program),
        "\n".join(program_lines(program)),
        pump=pump,
        warnings=context.warnings(),
    )


def plan(file: ProfileFile, override: Override = None, output: Output = None) -> Report:
    """Plan a new program: check it, have the pump read it back, write the plan to a file.

    The pump stages and forgets it; nothing that is delivered changes.

    Example: pumpctl --port ./tty0 program plan profiles/flex.toml -o visit.plan.json
    """
    from pumpctl.workflows.programs import plan_program

    named = overrides(override)
    planned = plan_program(context.station(), file, named, keep=output)
    return plan_report("program.plan", planned, output)


def push(
    file: ProfileFile,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Plan, show, confirm, apply and verify a new program, in one go on a terminal.

    It changes what the pump delivers, after you have typed what the screen asks for.

    Example: pumpctl --port ./tty0 program push profiles/flex.toml
    """
    from pumpctl.cli.confirming import Typed
    from pumpctl.workflows.programs import plan_program, push_program

    named = overrides(override)
    if plan_only:
        return plan_report(
            "program.push", plan_program(context.station(), file, named, keep=output), output
        )
    return apply_report(
        "program.push",
        lambda: push_program(context.station(), file, named, Typed(), keep=output),
    )


def confirm(file: PlanFile) -> Report:
    """Confirm a plan on a terminal and print its token. No pump is asked or changed.

    Example: pumpctl confirm visit.plan.json
    """
    from pumpctl.cli.confirming import Typed
    from pumpctl.station.plan import read_plan, token
    from pumpctl.workflows.applying import check_open_soft

    context.without_pump()
    found = read_plan(file)
    check_open_soft(found)
    Typed().confirm_plan(found)
    given = token(found, context.operator())
    return Report(
        "confirm",
        {"plan": str(file), "operation": found.operation, "confirm": given},
        given,
        pump=(found.pump.serial, found.pump.model),
        warnings=context.warnings(),
    )


def apply(
    file: PlanFile,
    confirm: Annotated[str, typer.Option("--confirm", metavar="TOKEN", help="The plan's token.")],
) -> Report:
    """Apply a plan: stage again, compare the read-back, activate, verify, record.

    It changes what the pump delivers. It never asks anything.

    Example: pumpctl --port ./tty0 apply visit.plan.json --confirm TOKEN
    """
    from pumpctl.workflows.programs import apply_file

    return apply_report("apply", lambda: apply_file(context.station(), file, confirm))


def resolve() -> Report:
    """Find out what became of an operation whose outcome is unknown.

    The pump is asked; an operation that it does not hold is voided there, so that
    nothing late can apply.

    Example: pumpctl --port ./tty0 resolve
    """
    from pumpctl.station.journal import Journal
    from pumpctl.workflows.resolving import open_operations
    from pumpctl.workflows.resolving import resolve as resolve_open

    station = context.station()
    with Journal(station.home.journal) as journal:
        waiting = open_operations(station, journal)
        try:
            found = resolve_open(station, journal)
        except OutcomeUnknown as error:
            unknown: dict[str, Any] = {
                "operation": waiting[0].operation if waiting else None,
                "outcome": "unknown",
                "state_version": None,
                "verified": False,
            }
            return Report("resolve", unknown, "", error=error, warnings=context.warnings())
    if not found:
        nothing = {"operation": None, "outcome": None, "state_version": None, "verified": False}
        return Report("resolve", nothing, "Nothing is unresolved.", warnings=context.warnings())
    last = next((one for one in found if one.outcome == "applied"), found[-1])
    data: dict[str, Any] = {
        "operation": last.operation,
        "outcome": last.outcome,
        "state_version": last.state_version,
        "verified": True,
        "explanation": last.explanation,
        "resolved": [
            {"operation": one.operation, "pump": one.pump, "outcome": one.outcome} for one in found
        ],
    }
    lines = [f"Operation {one.operation[:8]}: {one.outcome}. {one.explanation}." for one in found]
    state = found[-1].state
    if state is not None:
        lines.append(f"The pump is {state.delivery.value} now.")
    return Report("resolve", data, "\n".join(lines), warnings=context.warnings())


# --- shared by every act that is planned ------------------------------------------------


def overrides(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    """`ID=REASON` pairs; UsageError where one is not."""
    pairs = []
    for text in given or []:
        name, mark, reason = text.partition("=")
        if not mark or not name.strip() or not reason.strip():
            raise UsageError(
                f"--override {text!r}: an id and a reason are wanted",
                hint='--override DAILY_DOSE_SOFT="discussed with …"',
            )
        pairs.append((name.strip(), reason.strip()))
    if len({name for name, _ in pairs}) != len(pairs):
        raise UsageError("--override names the same finding twice")
    return tuple(pairs)


def plan_report(schema: str, planned: Planned, output: Path | None) -> Report:
    """A plan as the contract shows it."""
    from pumpctl.cli.change_screen import show_plan
    from pumpctl.station.plan import token

    made = planned.plan
    given = None if made.open_soft or made.by_hand else token(made, made.operator)
    data = {
        "plan": None if output is None else str(output),
        "operation": made.operation,
        "old": made.old,
        "new": made.new,
        "change_percent": made.change_percent,
        "readback": made.readback,
        "findings": [finding_json(finding) for finding in made.findings],
        "confirm": given,
        "expires": made.expires,
        "state_version": made.state_version,
        "alarms": list(made.alarms),
        "second": list(made.second),
    }
    return Report(
        schema,
        data,
        lambda: show_plan(planned, output, given, context.port()),
        pump=(made.pump.serial, made.pump.model),
        warnings=context.warnings(),
    )


def apply_report(schema: str, applying: Callable[[], AppliedPlan]) -> Report:
    """Apply, and say what came of it; a failure keeps the operation's id and its outcome."""
    from pumpctl.cli.change_screen import done_text

    try:
        applied = applying()
    except PumpctlError as error:
        if error.operation is None:
            raise
        outcomes = {"yes": "applied", "no": "refused", "unknown": "unknown"}
        failed: dict[str, Any] = {
            "operation": error.operation,
            "outcome": outcomes[error.changed],
            "state_version": None,
            "verified": False,
        }
        return Report(schema, failed, "", error=error, warnings=context.warnings())
    data: dict[str, Any] = {
        "operation": str(applied.operation),
        "outcome": "applied",
        "state_version": applied.state_version,
        "verified": True,
        "delivery": applied.state.delivery.value,
    }
    return Report(
        schema,
        data,
        lambda: typer.echo(done_text(applied)),
        pump=(applied.plan.pump.serial, applied.plan.pump.model),
        warnings=context.warnings(),
    )
