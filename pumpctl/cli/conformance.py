"""`conformance`: the duties of a pump, tested on the device at the end of a line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pumpctl.cli import context, edge
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.conformance.faults import NotConformant
from pumpctl.errors import ActNow, Interrupted, StoreError, UsageError

if TYPE_CHECKING:
    from pumpctl.conformance.run import Ran
    from pumpctl.errors import PumpctlError


def conformance(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="This test, or duty; in any case."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML, too.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List duties and tests; no device is asked.")
    ] = False,
) -> Report:
    """Test whether the device on the port keeps the duties of a pump (docs/protocol.md).

    It changes therapy, many times: it stops, stages and activates programs, boluses,
    refills and clocks, and fills the ledger of operations with its own. So it runs only
    on a pump that says inside the session that it is in bench mode, for an operator who
    is its admin; one that is stalled, empty or in a critical alarm is refused (exit 10).
    At the end what it changed is put back, and the program that it was found with is
    delivered again. A duty that is not kept ends it with exit 12: such a device is not
    to be used. What a line alone cannot show is listed as not tested.

    Example: pumpctl --port emu://ward-3 conformance --junit ward-3.xml
    """
    from pumpctl.conformance import report
    from pumpctl.conformance.opening import Desk, opened
    from pumpctl.conformance.run import chosen, left_out, matching, run

    names = only or []
    if list_ and junit is not None:
        raise UsageError("--list runs no test, so there is nothing for --junit to hold")
    if list_:
        context.without_pump()
        listed = matching(names), left_out(names)
        return Report(
            "conformance",
            report.table(*listed),
            "\n".join(report.table_lines(*listed)),
            warnings=context.warnings(),
        )
    wanted = chosen(names)
    if junit is not None:
        _check_writable(junit)
    station = context.station()
    desk = Desk(
        station.home,
        station.operator,
        station.need_port(),
        edge.wall_utc_ms,
        edge.ticker,
        edge.entropy,
        station.only,
        station.capture,
    )
    with opened(desk) as bench:
        ran = run(
            bench,
            wanted,
            not_tested=left_out(names),
            ticks=lambda: int(edge.ticker() * 1000),
            progress=_progress,
        )
    _end_progress()
    error = _verdict(ran)
    if junit is not None:
        unwritten = _unwritten(junit, report.junit(ran))
        error = unwritten if error is None else error
    return Report(
        "conformance",
        report.data(ran),
        "\n".join(report.lines(ran)),
        pump=(ran.serial, ran.model),
        warnings=context.warnings(),
        error=error,
    )


def _verdict(ran: Ran) -> PumpctlError | None:
    """What it comes to, where that is not "all kept"."""
    error: PumpctlError | None = None
    if not ran.restored:
        error = ActNow(ran.left, hint="program the pump anew, or stop it; it is on the bench")
    elif ran.interrupted:
        error = Interrupted("interrupted between two tests", hint=ran.left)
    elif ran.failed:
        names = ", ".join(result.id for result in ran.failed)
        error = NotConformant(f"{len(ran.failed)} tests failed: {names}")
    if error is not None:
        error.changed = "yes" if ran.changed else "no"
    return error


def _check_writable(path: Path) -> None:
    """Before anything is asked of a device: a result that cannot be kept is a run for nothing."""
    there = path.exists()
    try:
        path.open("ab").close()
        if not there:
            path.unlink()
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error}", hint="choose another file"
        ) from error


def _unwritten(path: Path, content: bytes) -> PumpctlError | None:
    """Write the file; the error where that fails after all."""
    try:
        path.write_bytes(content)
    except OSError as error:
        return StoreError(f"{path} cannot be written: {error}", hint="the results stand above")
    return None


def _progress(done: int, total: int, name: str) -> None:
    """On stderr, only on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done + 1} of {total}  {name:32}")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 60 + "\r")
