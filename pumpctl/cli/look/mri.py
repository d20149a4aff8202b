"""`mri before` and `mri after`: looking at a pump around a scan. They change nothing on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import MriHeld, MriNotClosed, UsageError

if TYPE_CHECKING:
    from pumpctl.therapy.mri import Point
    from pumpctl.workflows.mri.visit import After, Before, Kept

Reason = Annotated[str, typer.Option("--reason", help="Why all the same; it is recorded.")]


def before(reason: Reason = "") -> Report:
    """Look at a pump before an MRI scan, and record how it is. It changes nothing on the pump.

    Shows what the guidance asks for this model. An alarm, a pump that does not deliver, a
    running bolus or an unresolved operation speak against a scan: exit 10, unless a reason
    is given (a scan may be urgent). What was found is recorded either way.

    Example: pumpctl --port ./tty0 mri before
    """
    from pumpctl.cli.look.mri_screen import show_before
    from pumpctl.workflows.mri import visit as mri

    found = mri.before(context.station(), _given(reason))
    error = None
    if not found.ready:
        error = MriHeld(f"do not scan yet: {_names(found.obstacles)}")
    return Report(
        "mri.before",
        _before_data(found),
        lambda: show_before(found),
        pump=(found.state.serial, found.state.model),
        warnings=context.warnings(),
        error=error,
    )


def after(
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the second look, an hour at most.")
    ] = False,
    reason: Reason = "",
) -> Report:
    """Look at a pump after an MRI scan; two looks close the visit. It changes nothing on the pump.

    Between the two the pump must have moved what its program orders; the first says when
    the second counts. Until it is closed: exit 10. Each look is recorded, so the second
    may come from another command. A reason accepts another program or clock than before
    the scan, never a pump that does not deliver.

    Example: pumpctl --port ./tty0 mri after --wait
    """
    from pumpctl.cli.look.mri_screen import show_after
    from pumpctl.workflows.mri import visit as mri

    found = mri.after(context.station(), _given(reason), _wait if wait else None)
    error = None
    if not found.closed:
        error = MriNotClosed(f"the MRI visit is NOT CLOSED: {_names(found.judged.needed)}")
    return Report(
        "mri.after",
        _after_data(found),
        lambda: show_after(found),
        pump=(found.state.serial, found.state.model),
        warnings=context.warnings(),
        error=error,
    )


def _given(reason: str) -> str | None:
    """What was given as a reason; UsageError for nothing but blanks."""
    if reason and not reason.strip():
        raise UsageError("--reason: say why")
    return reason.strip() or None


def _wait(ms: int) -> None:
    """Let so much time pass; what is left is shown on a terminal only."""
    shows = sys.stderr is not None and sys.stderr.isatty()
    end = edge.ticker() + ms / 1000
    while (left := end - edge.ticker()) > 0:
        if shows:
            minutes, seconds = divmod(int(left) + 1, 60)
            sys.stderr.write(f"\rThe second look in {minutes:2d}:{seconds:02d} ")
            sys.stderr.flush()
        edge.pause(min(1.0, left))
    if shows:
        sys.stderr.write("\r" + " " * 30 + "\r")
        sys.stderr.flush()


def _names(points: tuple[Point, ...]) -> str:
    """What stands in the way, in few words; the screen and `data` say it in full."""
    return ", ".join(dict.fromkeys(point.id for point in points))


def _points(points: tuple[Point, ...]) -> list[dict[str, str]]:
    return [point._asdict() for point in points]


def _look_data(kept: Kept) -> dict[str, Any]:
    from pumpctl.workflows.mri.entries import look_body

    return {"at": kept.at, **look_body(kept.look)}


def _before_data(found: Before) -> dict[str, Any]:
    from pumpctl.therapy.mri import seen
    from pumpctl.workflows.mri.entries import look_body

    guidance = found.guidance
    return {
        "ready": found.ready,
        "reason": found.reason,
        "obstacles": _points(found.obstacles),
        "guidance": None
        if guidance is None
        else {
            "version": guidance.version,
            "asks": list(guidance.asks),
            "recovers_within": str(guidance.recovers_within),
            "source": guidance.source,
        },
        "before": {"at": found.at, **look_body(seen(found.state))},
        "never_closed": found.never_closed,
    }


def _after_data(found: After) -> dict[str, Any]:
    judged = found.judged
    return {
        "closed": found.closed,
        "needed": _points(judged.needed),
        "accepted": _points(judged.accepted),
        "reason": found.reason,
        "look_again": None if found.look_again is None else str(found.look_again),
        "pulses": None
        if judged.due is None
        else {"due": _tenths(judged.due), "moved": judged.moved},
        "before": None if found.before is None else _look_data(found.before),
        "looks": [{**_look_data(kept), "verdict": kept.verdict} for kept in found.looks],
        "stalls": [
            {
                "from": str(stall.since),
                "to": None if stall.until is None else str(stall.until),
                "lasts": str(stall.lasts),
                "missed": None if stall.missed is None else str(stall.missed),
            }
            for stall in found.stalls
        ],
        "without_drug": None if found.without_drug is None else str(found.without_drug),
        "fallback": None
        if found.fallback is None
        else {"since": str(found.fallback.since), "rate": str(found.state.rate)},
        "advice": list(found.advice),
        "notes": list(found.notes),
    }


def _tenths(due: Any) -> str:
    from pumpctl.therapy.mri_after import decimal

    return decimal(due)
