"""`doctor`: is this station fit for work?"""

from __future__ import annotations

from pumpctl.cli import context
from pumpctl.cli.report import Report
from pumpctl.errors import InternalError


def doctor() -> Report:
    """Check this station: home, journal, records, keys, ports. Asks no pump, changes none.

    Example: pumpctl doctor
    """
    from pumpctl.cli.library.text import expiring
    from pumpctl.workflows.look.health import examine

    context.without_pump()
    results = examine(context.station())
    lines = [f"{'ok  ' if one.ok else 'FAIL'}  {one.id:12} {one.detail}" for one in results]
    failed = [one for one in results if not one.ok]
    error = None
    if failed:
        error = failed[0].error or InternalError(failed[0].detail)
    return Report(
        "doctor",
        {"results": [{"id": one.id, "ok": one.ok, "detail": one.detail} for one in results]},
        "\n".join(lines),
        error=error,
        warnings=(*context.warnings(), *expiring(context.library())),
    )
