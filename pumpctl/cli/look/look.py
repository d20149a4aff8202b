"""`list`, `status`, `interrogate`: looking at ports and pumps. They change nothing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pumpctl.cli import context
from pumpctl.cli.report import Report, Warn
from pumpctl.errors import AlarmActive, UsageError


def list_() -> Report:
    """Show serial ports, built-in pumps, and the pumps that this station is paired with.

    Changes nothing and opens no port.

    Example: pumpctl list
    """
    from pumpctl.emulator.edge.bench import list_emulators
    from pumpctl.transport.ports import serial_ports

    context.without_pump()
    home = context.home()
    ports = [{"port": port.device, "description": port.description} for port in serial_ports()]
    emulators = [
        {"port": f"emu://{found.name}", "serial": found.serial, "model": found.model}
        for found in list_emulators(home.root)
    ]
    pairings = [{"serial": serial, "operator": operator} for serial, operator in home.pairings()]
    lines = ["Serial ports"]
    lines += [f"  {port['port']:24} {port['description']}" for port in ports] or ["  none"]
    lines.append("Built-in pumps")
    lines += [f"  {pump['port']:24} {pump['serial']}  {pump['model']}" for pump in emulators] or [
        "  none; pumpctl emulator new NAME makes one"
    ]
    lines.append("Paired pumps")
    lines += [f"  {pair['serial']:24} operator {pair['operator']}" for pair in pairings] or [
        "  none"
    ]
    return Report(
        "list",
        {"ports": ports, "emulators": emulators, "pairings": pairings},
        "\n".join(lines),
        warnings=context.warnings(),
    )


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
    from pumpctl.cli.screens import show_status
    from pumpctl.workflows.acts.shown import described
    from pumpctl.workflows.look.looking import keep_interrogation, look, status_data
    from pumpctl.workflows.visit import visit

    station = context.station()
    with visit(station, changes=False) as open_visit:
        seen = look(open_visit)
    data: dict[str, Any] = status_data(seen)
    warnings: list[Warn] = []
    if keep:
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
    return Report(
        schema,
        data,
        lambda: show_status(seen, full=keep),
        pump=(seen.state.serial, seen.state.model),
        warnings=(*context.warnings(), *warnings),
        error=error,
    )
