"""`link capture`: everything that passes on a line, with its time, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, emit
from pumpctl.errors import UsageError
from pumpctl.quantities import Duration

if TYPE_CHECKING:
    from pumpctl.workflows.line.recording import Recorded
    from pumpctl.workflows.surroundings import Station

_LOOPBACK = ("127.0.0.1", "localhost")


def capture(
    file: Annotated[Path, typer.Argument(help="Where to; .hex and .txt: readable hex.")],
    tcp: Annotated[
        str, typer.Option("--tcp", metavar="HOST:PORT", help="Stand between: a program opens this.")
    ] = "",
    pty: Annotated[
        Path | None, typer.Option("--pty", metavar="PATH", help="The same, a pseudo terminal.")
    ] = None,
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long; until Ctrl-C without it.")
    ] = "",
) -> Report:
    """Record what passes on a line: of a look at a pump, or of another program.

    Without --tcp or --pty it looks at the pump itself, as interrogate does, and changes
    nothing on it. With one of them it stands between: the other program opens that place
    instead of the port, and all that it and the pump say passes and is written down.
    The file is private and appended to; link decode explains it.

    Example: pumpctl --port emu://ward-3 link capture ward-3.capture
    """
    from pumpctl.workflows.line import recording

    station = context.station()
    if station.capture is not None:
        raise UsageError("--capture is one capture, FILE another: one of them is enough")
    if tcp and pty is not None:
        raise UsageError("--tcp or --pty, not both")
    place = pty or (_address(tcp) if tcp else None)
    if place is None:
        if lasts:
            raise UsageError("--for says how long a program's words are recorded: --tcp or --pty")
        return _report(station, file, recording.record_look(station, file))
    recorded = recording.record_tap(station, file, place, _left(lasts), _ready(file))
    return _report(station, file, recorded)


def _report(station: Station, file: Path, recorded: Recorded) -> Report:
    from pumpctl.cli.line.decode import totals_json
    from pumpctl.cli.line.decode_text import totals_lines

    part = recorded.part
    keys = [f"{session:04x}" for session in part.sessions]
    lines = [f"Part {part.number} of {file}", *(f"  {line}" for line in totals_lines(part.totals))]
    if keys:
        lines.append(f"  with the keys of session {', '.join(keys)}: a pump in bench mode")
    lines.append(f"pumpctl link decode {file} explains every frame.")
    data = {
        "file": str(file),
        "port": station.port,
        "part": part.number,
        "keys_of": keys,
        "totals": totals_json(part.totals),
    }
    return Report(
        "link.capture",
        data,
        "\n".join(lines),
        warnings=context.warnings(),
        error=recorded.error,
    )


def _ready(file: Path) -> Any:
    def told(where: str) -> None:
        context.say(f"open {where} instead of the port; Ctrl-C ends the capture")
        data = {"file": str(file), "open": where}
        emit(Report("link.capture", data, ""), as_json=context.as_json())

    return told


def _left(text: str) -> Any:
    """How many seconds are left, of this duration from now on."""
    if not text:
        return lambda: None
    duration = Duration.parse(text)
    if not duration.quanta:
        raise UsageError(f"--for {text}: above 0")
    until = edge.ticker() + duration.quanta / 1000
    return lambda: until - edge.ticker()


def _address(text: str) -> tuple[str, int]:
    host, mark, port = text.rpartition(":")
    if not mark or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"--tcp {text}: HOST:PORT is wanted", hint="--tcp 127.0.0.1:7002")
    if host not in _LOOPBACK:
        raise UsageError(f"--tcp {text}: a pump's line is offered to 127.0.0.1 only")
    return host, int(port)
