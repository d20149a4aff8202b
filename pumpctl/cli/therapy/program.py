"""`program plan|push`, and for all therapy `confirm` and `apply`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.folding import folded
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, Warn, finding_json
from pumpctl.errors import PumpctlError, UsageError

if TYPE_CHECKING:
    from pumpctl.workflows.acts.programs import ProgramAct
    from pumpctl.workflows.road.applying import AppliedPlan
    from pumpctl.workflows.road.planning import Planned
    from pumpctl.workflows.visit import Visit

Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="ID=REASON", help="Override one soft finding by name."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where the plan goes.")]
PlanOnly = Annotated[bool, typer.Option("--plan-only", help="Stop after the plan.")]
ProfileFile = Annotated[
    Path | None, typer.Argument(help="A dose profile in TOML; or --back-to.", show_default=False)
]
BackTo = Annotated[
    str | None,
    typer.Option("--back-to", metavar="HASH", help="A program that this pump ran before."),
]
PlanFile = Annotated[Path, typer.Argument(help="A plan file.")]


def plan(
    file: ProfileFile = None,
    back_to: BackTo = None,
    override: Override = None,
    output: Output = None,
) -> Report:
    """Plan a new program: check it, have the pump read it back, write the plan to a file.

    The pump stages and forgets it; nothing that is delivered changes. --back-to plans
    an earlier program of this pump again, by 8 or more digits of its hash, with all checks.

    Example: pumpctl --port ./tty0 program plan profiles/flex.toml -o visit.plan.json
    """
    from pumpctl.workflows.road.programs import plan_act

    named = overrides(override)
    planned = plan_act(context.station(), _what(file, back_to), named, keep=output)
    return plan_report("program.plan", planned, output)


def push(
    file: ProfileFile = None,
    back_to: BackTo = None,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Plan, show, confirm, apply and verify a new program, in one go on a terminal.

    It changes what the pump delivers, after you have typed what the screen asks for.

    Example: pumpctl --port ./tty0 program push profiles/flex.toml
    """
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.road.programs import plan_act, push_act

    named, what = overrides(override), _what(file, back_to)
    if plan_only:
        planned = plan_act(context.station(), what, named, keep=output)
        return plan_report("program.push", planned, output)
    return apply_report(
        "program.push",
        lambda: push_act(context.station(), what, named, Typed(), keep=output),
    )


def _what(file: Path | None, digits: str | None) -> Callable[[Visit], ProgramAct]:
    """The profile's program, or the one that is gone back to; UsageError for both or none."""
    from pumpctl.workflows.acts.programs import ProgramAct
    from pumpctl.workflows.course.going_back import back_to, read_digits
    from pumpctl.workflows.road.programs import read_profile_file

    if (file is None) == (digits is None):
        raise UsageError(
            "a profile FILE or --back-to HASH is wanted, and not both",
            hint="pumpctl program history shows the hashes of earlier programs",
        )
    if file is None:
        return back_to(read_digits(str(digits)))
    profile, program = read_profile_file(context.station(), file)
    return lambda _: ProgramAct(profile, program)


def confirm(
    file: PlanFile,
    second: Annotated[
        bool, typer.Option("--second", help="Confirm as the second person, with a passphrase.")
    ] = False,
) -> Report:
    """Confirm a plan on a terminal and print its token. No pump is asked or changed.

    With --second another operator than the plan's confirms it, where a second person is
    needed, and gets a line for: pumpctl apply PLAN --confirm TOKEN --second LINE

    Example: pumpctl confirm visit.plan.json
    """
    from pumpctl.cli.therapy.confirming import Typed, challenge_of
    from pumpctl.station.plan import read_plan, token
    from pumpctl.workflows.road.applying import check_in_time, check_open_soft

    context.without_pump()
    found = read_plan(file)
    check_open_soft(found)
    if not found.rehearsal:  # a rehearsal's clock is known to the pump alone
        check_in_time(found, context.station().wall())
    data: dict[str, Any] = {"plan": str(file), "operation": found.operation}
    if second:
        from pumpctl.cli.therapy.change_screen import show_plan_file
        from pumpctl.cli.therapy.second import ask_second

        Typed().ready()
        show_plan_file(found)
        given = str(ask_second(found, challenge_of(found), context.operator()))
        data |= {"confirm": None, "second": given}
    else:
        Typed().confirm_plan(found)
        given = token(found, context.operator())
        data |= {"confirm": given, "second": None}
    return Report(
        "confirm",
        data,
        given,
        pump=(found.pump.serial, found.pump.model),
        warnings=context.warnings(),
    )


def apply(
    file: PlanFile,
    confirm: Annotated[str, typer.Option("--confirm", metavar="TOKEN", help="The plan's token.")],
    second: Annotated[
        str | None,
        typer.Option("--second", metavar="LINE", help="What confirm --second gave, if needed."),
    ] = None,
) -> Report:
    """Apply a plan: stage again, compare the read-back, activate, verify, record.

    It changes what the pump delivers. It never asks anything.

    Example: pumpctl --port ./tty0 apply visit.plan.json --confirm TOKEN
    """
    from pumpctl.workflows.road.programs import apply_file

    return apply_report("apply", lambda: apply_file(context.station(), file, confirm, second))


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
    from pumpctl.cli.therapy.change_screen import show_plan
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
        warnings=(*context.warnings(), *(Warn("ALARM_ACTIVE", line) for line in made.alarms)),
    )


def apply_report(schema: str, applying: Callable[[], AppliedPlan]) -> Report:
    """Apply, and say what came of it; a failure keeps the operation's id and its outcome."""
    from pumpctl.cli.therapy.change_screen import done_text

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
        lambda: typer.echo(folded(done_text(applied), sys.stdout)),
        pump=(applied.plan.pump.serial, applied.plan.pump.model),
        warnings=context.warnings(),
    )
