"""Recording a line: a look at a pump with everything that passes, or a tap for a program.

Both end in a capture that was read back and counted, so that nobody sends a file that
holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pumpctl.errors import (
    LinkError,
    NotPaired,
    PumpctlError,
    PumpRefused,
    StoreError,
    UsageError,
)
from pumpctl.named import NamedTuple
from pumpctl.transport.address import address
from pumpctl.transport.capture import CaptureFile
from pumpctl.transport.line import LineLost, open_line
from pumpctl.transport.lock import Locks
from pumpctl.transport.surroundings import Surroundings
from pumpctl.transport.tap import Place, Tap
from pumpctl.workflows.line.decoding import explained
from pumpctl.workflows.line.faults import CaptureUnreadable
from pumpctl.workflows.line.parts import read_parts
from pumpctl.workflows.line.told import PartTold
from pumpctl.workflows.look.looking import look
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import visit


class Recorded(NamedTuple):
    """A part that was added to a capture."""

    part: PartTold
    error: PumpctlError | None
    """What ended it, where it did not end by itself; what passed until then is in the file."""


def record_look(station: Station, path: Path) -> Recorded:
    """Ask a pump everything that a look asks, and write all that passes to a file.

    A pump that is silent, or does not know this operator, leaves its traces all the same:
    that is what the file is for. Raises StoreError where it cannot be begun.
    """
    error: PumpctlError | None = None
    try:
        with visit(station._replace(capture=path), changes=False) as open_visit:
            look(open_visit)
            with suppress(PumpRefused):  # one that offers no implant's record
                open_visit.pump.implant()
    except (LinkError, PumpRefused) as raised:
        error = raised
        if isinstance(raised, NotPaired):
            error.hint = f"the greeting is in {path}; {error.hint}"
    return Recorded(_read_back(path), error)


def record_tap(
    station: Station,
    path: Path,
    place: Place,
    left: Callable[[], float | None],
    ready: Callable[[str], None],
) -> Recorded:
    """Stand between a program and the port until time is up, Ctrl-C, or the line is lost.

    `ready` is told what the program opens instead. Raises PortError, UsageError or
    StoreError before that.
    """
    url = station.need_port()
    station.home.make()
    folder = station.home.root / "tap"
    around = Surroundings(station.home.root, lambda: station.wall().utc_ms, station.entropy)
    error: PumpctlError | None = None
    with Locks(station.home.locks) as locks:
        locks.take("port", address(url).device)
        file = CaptureFile(path, station.ticker, port=url, purpose="tap", began=str(station.wall()))
        try:
            with open_line(url, around, station.ticker) as line:
                _make(folder)
                tap = Tap(line, place, folder, file, shared=address(url).scheme == "emu")
                try:
                    ready(tap.where)
                    tap.run(left)
                except LineLost as lost:
                    error = lost
                    file.trouble(lost.message)
                except KeyboardInterrupt:
                    pass
                finally:
                    tap.close()
        finally:
            file.close()
            if file.broken is not None:
                station.tell(file.broken)
    return Recorded(_read_back(path), error)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error}") from error


def _read_back(path: Path) -> PartTold:
    """The part that was written last, as anybody will read it; StoreError where nobody can."""
    try:
        return explained(read_parts(path)[-1:])[0]
    except (CaptureUnreadable, UsageError) as error:
        raise StoreError(
            f"the capture cannot be read back: {error.message}", hint=error.hint
        ) from error
