"""`emulator new|serve|advance|press|list|remove`: built-in pumps.

Their truth is shown by `emulator_inspect`, their faults are in `emulator_faults`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.emulator.inspect import inspection
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, emit
from pumpctl.errors import PortMissing, UsageError
from pumpctl.quantities import Concentration, Duration, Volume
from pumpctl.therapy.moment import Moment

Name = Annotated[str, typer.Argument(help="The pump's name.")]


def new(
    name: Name,
    pair: Annotated[
        bool, typer.Option("--pair", help="Pair it with this operator at once.")
    ] = False,
    frozen: Annotated[bool, typer.Option("--frozen", help="Time moves only by advance.")] = False,
    bench: Annotated[bool, typer.Option("--bench/--no-bench", help="Bench mode.")] = True,
    volume: Annotated[
        str, typer.Option("--volume", help="In the reservoir; full without it.")
    ] = "",
    concentration: Annotated[
        str, typer.Option("--concentration", help="Of the baclofen in it.")
    ] = "500 mcg/mL",
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="SP40|SP40S|SP20",
            help="Its model; SP40S senses its reservoir's volume.",
        ),
    ] = "SP40",
    pulse_error: Annotated[
        str,
        typer.Option("--pulse-error", metavar="PERCENT", help="A pulse moves so much too much."),
    ] = "",
    way: Annotated[
        str,
        typer.Option(
            "--way", metavar="more|less", help="Of --pulse-error; less: so much too little."
        ),
    ] = "",
    utc_offset: Annotated[
        str, typer.Option("--utc-offset", metavar="+HH:MM", help="Of its clock.")
    ] = "+00:00",
) -> Report:
    """Make a built-in pump: filled, its line primed, at minimum rate.

    Example: pumpctl emulator new ward-3 --pair --concentration "2000 mcg/mL"
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    home = context.home()
    home.make()
    made = pumps.create(
        home.root,
        name,
        now=edge.wall_utc_ms,
        entropy=edge.entropy,
        volume=Volume.parse(volume) if volume else None,
        concentration=Concentration.parse(concentration),
        model=model,
        frozen=frozen,
        bench=bench,
        offset_min=_offset(utc_offset),
        pulse_error=_pulse_error(pulse_error, way),
    )
    lines = [
        f"Built-in pump {name}, serial {made.serial}, at emu://{name}.",
        f"Implant card, pairing secret: {made.secret_text}",
    ]
    data: dict[str, Any] = {
        "name": name,
        "serial": made.serial,
        "port": f"emu://{name}",
        "pairing_secret": made.secret_text,
        "paired": None,
    }
    if pair:
        from pumpctl.workflows.people.pairing import pair as pair_with

        pumps.press(home.root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
        station = context.station()._replace(port=f"emu://{name}", only=None, rehearsal=None)
        paired = pair_with(station, made.secret_text, "admin")
        data["paired"] = {"operator": paired.operator, "role": paired.role}
        lines.append(f"Paired as {paired.operator}, role {paired.role}.")
    return Report(
        "emulator.new",
        data,
        "\n".join(lines),
        pump=(made.serial, model),
        warnings=context.warnings(),
    )


def serve(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="The pumps, by name.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every pump of the home, the oldest first.")
    ] = False,
    pty: Annotated[
        Path | None, typer.Option("--pty", help="A link to make to a new pty; for one pump.")
    ] = None,
    tcp: Annotated[
        str,
        typer.Option(
            "--tcp",
            metavar="HOST:PORT",
            help="Loopback only; several pumps take the ports that follow, port 0 free ones.",
        ),
    ] = "",
) -> int:
    """Run built-in pumps as one process of their own, until it is ended.

    One pump on a pty or on TCP, or any number on TCP, each on its own port.

    Example: pumpctl emulator serve ward-3 --pty ./tty0
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    if (pty is None) == (not tcp):
        raise UsageError("exactly one of --pty and --tcp is wanted")
    names = _to_serve(name or [], every)
    home = context.home().root
    if pty is None:
        pumps.serve_ward(
            home,
            names,
            tcp=_address(tcp),
            ready=lambda one, place: _served(one, place, names),
            lost=lambda one, error: context.say(
                f"{one} is no longer served, the others are: {error.message}"
            ),
            now=edge.wall_utc_ms,
            entropy=edge.entropy,
        )
    elif len(names) == 1:
        pumps.serve(
            home,
            names[0],
            pty=pty,
            now=edge.wall_utc_ms,
            entropy=edge.entropy,
            ready=lambda place: _served(names[0], place, names),
        )
    else:
        raise UsageError("a pty carries one pump", hint="several: --tcp 127.0.0.1:0")
    return 0


def _to_serve(names: list[str], every: bool) -> list[str]:
    if every == bool(names):
        raise UsageError("names of pumps are wanted, or --all", hint="see pumpctl emulator list")
    if len(set(names)) != len(names):
        raise UsageError("a pump is named twice")
    if names:
        return names
    from pumpctl.emulator.edge import bench as pumps

    found = pumps.in_order(context.home().root)
    if not found:
        raise PortMissing("this home has no built-in pumps", hint="pumpctl emulator new NAME")
    return list(found)


def _served(name: str, place: str, names: list[str]) -> None:
    """Tell where a pump is served: people on stderr, programs by a document of its own."""
    alone = len(names) == 1
    context.say(f"{name} is served at {place}" + ("; Ctrl-C ends it" if alone else ""))
    first, last = name == names[0], name == names[-1]
    report = Report(
        "emulator.serve",
        {"name": name, "port": place},
        "",
        warnings=context.warnings() if first else (),
    )
    emit(report, as_json=context.as_json())
    if last and not alone:
        context.say(f"{len(names)} pumps are served; Ctrl-C ends them all")


def advance(
    name: Name, by: Annotated[str, typer.Argument(help='How far, "7d", "90 min".')]
) -> Report:
    """Move a built-in pump's time forward, also while it is being served.

    Example: pumpctl emulator advance ward-3 7d
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    duration = Duration.parse(by)
    told = pumps.advance(
        context.home().root, name, duration.quanta, now=edge.wall_utc_ms, entropy=edge.entropy
    )
    return Report(
        "emulator.advance",
        {"name": name, "by": str(duration), **inspection(told)},
        f"{name} is at {Moment(told.time, told.offset_min).label()} now.",
        warnings=context.warnings(),
    )


def press(
    name: Name,
    patient_dose: Annotated[
        bool,
        typer.Option("--patient-dose", help="The patient's activator: a dose of their own."),
    ] = False,
) -> Report:
    """Do the local act on a built-in pump that opens it for pairing, for 60 seconds.

    Or press the patient's activator: the pump gives the program's patient dose, or
    says why not.

    Example: pumpctl emulator press ward-3
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    if patient_dose:
        return _activated(name)
    pumps.press(context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
    return Report(
        "emulator.press",
        {"name": name, "open_for": "60 s"},
        f"{name} is open for pairing for 60 s.",
        warnings=context.warnings(),
    )


def _activated(name: str) -> Report:
    from pumpctl.emulator.edge import bench as pumps

    refused = pumps.patient_dose(
        context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy
    )
    told: dict[str, Any] = {"given": refused is None, "refused": None, "why": None}
    text = f"{name} gives the patient dose."
    if refused is not None:
        told |= {"refused": refused.code, "why": refused.detail}
        text = f"{name} gives no dose: {refused.detail} ({refused.code})."
    return Report(
        "emulator.press",
        {"name": name, "patient_dose": told},
        text,
        warnings=context.warnings(),
    )


def list_() -> Report:
    """List the built-in pumps of this home, and where each is served.

    Example: pumpctl emulator list
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    found = pumps.list_emulators(context.home().root)
    listed = [
        {
            "name": one.name,
            "serial": one.serial,
            "model": one.model,
            "port": f"emu://{one.name}",
            "bench": one.bench,
            "frozen": one.frozen,
            "served_at": one.served_at,
        }
        for one in found
    ]
    lines = [
        f"{one.name:20} {one.serial}  {one.model}"
        + ("  frozen" if one.frozen else "")
        + (f"  served at {one.served_at}" if one.served_at else "")
        for one in found
    ]
    return Report(
        "emulator.list",
        {"emulators": listed},
        "\n".join(lines) or "No built-in pumps; pumpctl emulator new NAME makes one.",
        warnings=context.warnings(),
    )


def remove(name: Name) -> Report:
    """Delete a built-in pump with its state.

    Example: pumpctl emulator remove ward-3
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    pumps.remove(context.home().root, name)
    return Report(
        "emulator.remove", {"name": name}, f"{name} is deleted.", warnings=context.warnings()
    )


def _pulse_error(text: str, way: str) -> int:
    """ppm, as the fault `calibration` reads it."""
    from pumpctl.emulator.edge.faulting import Words, asked

    if not text:
        if way:
            raise UsageError("--way says which way --pulse-error goes, and there is none")
        return 0
    return asked("calibration", Words(percent=text, way=way), mark="--").amount


def _offset(text: str) -> int:
    try:
        return Moment.parse(f"2000-01-01T00:00:00{text}").offset_min
    except UsageError as error:
        raise UsageError(f"--utc-offset {text}: +HH:MM or -HH:MM is wanted") from error


def _address(text: str) -> tuple[str, int]:
    host, mark, port = text.rpartition(":")
    if not mark or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"--tcp {text}: HOST:PORT is wanted", hint="--tcp 127.0.0.1:7001")
    return host, int(port)
