"""`status`, `interrogate`: looking at pumps. They change nothing."""

from __future__ import annotations

from typing import Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, Warn
from pumpctl.errors import AlarmActive, UsageError


def status(
    check: Annotated[
        str,
        typer.Option(
            "--check", metavar="critical|any", help="Exit 10 when such an alarm is active."
        ),
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help='With --watch: how often; "5 s".')
    ] = "",
) -> Report | int:
    """Show what a pump is doing now. It changes nothing on the pump.

    With --watch it goes on showing it, with the log as it comes, also over a line that
    dies and returns; Ctrl-C ends it. Between two looks the port is free for others.

    Example: pumpctl --port emu://ward-3 status
    """
    if check not in ("", "critical", "any"):
        raise UsageError(f"--check {check}: critical or any")
    if every and not watch:
        raise UsageError("--every goes with --watch")
    if not watch:
        return _look("status", keep=False, check=check)
    if check:
        raise UsageError("--check looks once: it does not go with --watch")
    from pumpctl.cli.look.watch import interval, watch_pump

    return watch_pump(interval(every or "5 s"))


def interrogate() -> Report:
    """Read everything about a pump and keep it as a record. It changes nothing on the pump.

    Example: pumpctl --port emu://ward-3 interrogate
    """
    return _look("interrogate", keep=True, check="")


def _look(schema: str, *, keep: bool, check: str) -> Report:
    from pumpctl.workflows.look.looking import keep_interrogation, look, status_data
    from pumpctl.workflows.visit import visit

    station = context.station()
    with visit(station, changes=False) as open_visit:
        seen = look(open_visit)
    data: dict[str, Any] = status_data(seen)
    warnings: list[Warn] = []
    if keep:
        from pumpctl.workflows.acts.shown import described  # with it comes all that a plan needs

        data = {
            **data,
            "identity": {
                "serial": seen.identity.serial,
                "model": seen.identity.model,
                "firmware": seen.identity.firmware,
                "bench": seen.identity.bench,
                "role": seen.identity.role,
                "tubing": str(seen.identity.tubing),
                "catheter": str(seen.identity.catheter),
            },
            "program_detail": described(seen.state.program),
            "pulses": seen.state.pulses,
            "boot": seen.state.boot,
            "log": {"first": seen.state.log_first, "next": seen.state.log_next},
        }
        failure = keep_interrogation(station, seen, data)
        if failure is not None:
            warnings.append(Warn("UNRECORDED", failure))
    error = None
    alarming = [
        alarm["code"]
        for alarm in data["alarms"]
        if check == "any" or (check == "critical" and alarm["priority"] == "critical")
    ]
    if alarming:
        error = AlarmActive(f"alarms are active: {', '.join(alarming)}")
    if check and seen.unresolved is not None:
        warnings.append(Warn("UNRESOLVED", "an operation is unresolved: run pumpctl resolve"))
    if seen.last_bolus_doubt is not None:
        text = f"{seen.last_bolus_doubt}; the last bolus is not known"
        warnings.append(Warn("LOG_UNREADABLE", text))

    def screen() -> None:
        from pumpctl.cli.look.status_text import show_status  # with --json nothing is drawn

        show_status(seen, full=keep)

    return Report(
        schema,
        data,
        screen,
        pump=(seen.state.serial, seen.state.model),
        warnings=(*context.warnings(), *warnings),
        error=error,
    )
