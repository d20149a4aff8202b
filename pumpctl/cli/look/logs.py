"""`logs pull`, `logs show`, `logs export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import Interrupted, UsageError
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.log_text import readable_fields, told


def pull(
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that the pump holds, not only what is new.")
    ] = False,
) -> Report:
    """Bring the pump's log into the records. It changes nothing on the pump.

    Example: pumpctl --port emu://ward-3 logs pull
    """
    from pumpctl.workflows.look import logs
    from pumpctl.workflows.visit import visit

    station = context.station()
    progress = _Progress()
    with visit(station, changes=False) as open_visit:
        try:
            pulled = logs.pull(open_visit, everything=everything, progress=progress)
        except KeyboardInterrupt as stopped:
            raise progress.interrupted() from stopped
        finally:
            progress.end()
        pump = (open_visit.serial, open_visit.link.greeting.model)
    data = {
        "first": pulled.first,
        "last": pulled.last,
        "new": pulled.new,
        "gaps": [gap._asdict() for gap in pulled.gaps],
        "held": pulled.held,
        "bytes_on_wire": pulled.bytes_on_wire,
        "seconds": pulled.seconds,
    }
    lines = [
        f"{pulled.new} new entries"
        + (f", {pulled.first} to {pulled.last}" if pulled.new else "")
        + f"; the pump holds {pulled.held}."
    ]
    lines += [f"GAP {gap.first} to {gap.last}: {gap.cause}" for gap in pulled.gaps]
    return Report("logs.pull", data, "\n".join(lines), pump=pump, warnings=context.warnings())


def show(
    newest: Annotated[int, typer.Option("--last", min=1, help="So many of the newest.")] = 40,
    kind: Annotated[str, typer.Option("--kind", help="Only entries of this kind.")] = "",
) -> Report:
    """Show log entries from the records; no pump is asked. `logs pull` brings them there.

    Example: pumpctl --pump SP40-000123 logs show --last 20
    """
    from pumpctl.wire.codes import LogKind
    from pumpctl.workflows.look import logs

    context.without_pump()
    if kind and kind.upper() not in LogKind.__members__:
        known = ", ".join(name.lower() for name in LogKind.__members__)
        raise UsageError(f"--kind {kind}: there is no such kind", hint=known)
    serial, entries = logs.kept(context.station(), newest=None if kind else newest)
    if kind:
        entries = [entry for entry in entries if entry.kind == kind][-newest:]
    lines = [f"Pump {serial}: {len(entries)} entries from the records"]
    lines += [line_of(entry) for entry in entries]
    return Report(
        "logs.show",
        {"serial": serial, "entries": [shown_json(entry) for entry in entries]},
        "\n".join(lines),
        warnings=context.warnings(),
    )


def export(
    file: Annotated[Path, typer.Argument(help="NAME.ndjson, NAME.csv or NAME.parquet")],
) -> Report:
    """Write all log entries of a pump from the records to a file; no pump is asked.

    Example: pumpctl logs export ward-3.csv
    """
    from pumpctl.report.log_files import write_log
    from pumpctl.workflows.look import logs

    context.without_pump()
    serial, entries = logs.kept(context.station())
    write_log(file, serial, [entry_json(entry) for entry in entries])
    return Report(
        "logs.export",
        {"serial": serial, "file": str(file), "entries": len(entries)},
        f"{len(entries)} entries of pump {serial} written to {file}.",
        warnings=context.warnings(),
    )


def entry_json(entry: LogEntry) -> dict[str, Any]:
    """One entry as JSON shows it."""
    return {
        "number": entry.number,
        "time": str(entry.time),
        "kind": entry.kind,
        "boot": entry.boot,
        "counter_ms": entry.counter_ms,
        "pulses": entry.pulses,
        "operation": None if entry.operation is None else str(entry.operation),
        "fields": readable_fields(entry),
    }


def shown_json(entry: LogEntry) -> dict[str, Any]:
    """The same with what a person reads."""
    return {**entry_json(entry), "text": told(entry)}


def line_of(entry: LogEntry) -> str:
    """One entry as a person reads it."""
    operation = f" (operation {str(entry.operation)[:8]})" if entry.operation else ""
    return f"{entry.number:>7}  {entry.time.label()}  {told(entry)}{operation}"


_ECHO = len("^C")
"""What a terminal writes behind the progress when somebody ends it."""
_REFRESH_S = 0.1
"""Between two states of the progress: a fast line must not flicker."""


class _Progress:
    """Progress on stderr, with a rate and the time that is left, only on a terminal."""

    def __init__(self) -> None:
        from pumpctl.cli import edge

        self._ticker = edge.ticker
        self._start = edge.ticker()
        self._next = self._start
        self._wanted = sys.stderr.isatty() and not context.as_json()
        self._width = 0
        self._kept = self._total = 0

    def __call__(self, done: int, total: int) -> None:
        self._kept, self._total = done, total
        now = self._ticker()
        elapsed = now - self._start
        if not self._wanted or now < self._next or elapsed <= 0 or done <= 0:
            return
        rate = done / elapsed
        text = f"{done} of {total} entries, {rate:.0f}/s, {(total - done) / rate:.0f} s left"
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._next, self._width = now + _REFRESH_S, len(text)

    def interrupted(self) -> Interrupted:
        """What a Ctrl-C leaves: each slice was kept as it came."""
        if not self._kept:
            return Interrupted("interrupted before anything of the log came")
        return Interrupted(
            f"interrupted after {self._kept} of {self._total} entries",
            hint="those are in the records; logs pull goes on after the last",
        )

    def end(self) -> None:
        """Leave the line clean, however the pull ended."""
        if self._width:
            sys.stderr.write("\r" + " " * (self._width + _ECHO) + "\r")
            sys.stderr.flush()
