"""`clock`: a pump's clock beside the station's; set only where somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.cli.therapy.program import (
    Output,
    Override,
    PlanOnly,
    apply_report,
    overrides,
    plan_report,
)
from pumpctl.errors import UsageError

if TYPE_CHECKING:
    from pumpctl.workflows.clocks import Faces


def clock(
    set_it: Annotated[bool, typer.Option("--set", help="Set the pump's to the station's.")] = False,
    offset: Annotated[
        str | None,
        typer.Option("--offset", metavar="+HH:MM", help="With --set: another offset from UTC."),
    ] = None,
    override: Override = None,
    plan_only: PlanOnly = False,
    output: Output = None,
) -> Report:
    """Show the pump's clock beside the station's. Without --set it changes nothing.

    --set changes when the pump delivers: scheduled doses follow the new time, after
    you have typed it. A pump never sets its own clock, nor follows summer time.

    Example: pumpctl --port ./tty0 clock --set
    """
    if not set_it:
        if offset is not None or override or plan_only or output is not None:
            raise UsageError("without --set the clock is only shown", hint="pumpctl clock --set")
        return _shown()
    from pumpctl.cli.therapy.confirming import Typed
    from pumpctl.workflows.acts.clocks import clock_act
    from pumpctl.workflows.road.programs import plan_act, push_act

    made, named = clock_act(None if offset is None else _minutes(offset)), overrides(override)
    if plan_only:
        return plan_report("clock", plan_act(context.station(), made, named, keep=output), output)
    return apply_report(
        "clock", lambda: push_act(context.station(), made, named, Typed(), keep=output)
    )


def _minutes(text: str) -> int:
    """Minutes east of UTC; UsageError for anything that is no offset."""
    from pumpctl.therapy.moment import Moment

    try:
        return Moment.parse(f"2026-01-01T00:00{text}").offset_min
    except UsageError:
        raise UsageError(
            f"--offset {text!r}: an offset from UTC is wanted", hint='--offset "+02:00"'
        ) from None


def _shown() -> Report:
    from pumpctl.workflows.clocks import faces
    from pumpctl.workflows.visit import visit

    with visit(context.station(), changes=False) as open_visit:
        seen = faces(open_visit)
    return Report(
        "clock",
        _data(seen),
        "\n".join(_lines(seen)),
        pump=(seen.state.serial, seen.state.model),
        warnings=context.warnings(),
    )


def _data(seen: Faces) -> dict[str, Any]:
    last, seconds = seen.last, abs(seen.difference_ms) // 1000
    sign = "-" if seen.difference_ms < 0 and seconds else ""
    return {
        "pump": str(seen.state.clock),
        "station": str(seen.station),
        "difference": f"{sign}{seconds} s",
        "last_set": None
        if last is None
        else {
            "old": str(last.old),
            "new": str(last.new),
            "operation": None if last.operation is None else str(last.operation),
        },
        "last_set_known": seen.known,
        "rehearsal": seen.rehearsal,
    }


def _lines(seen: Faces) -> list[str]:
    from pumpctl.cli.acts.clocks import offset_text
    from pumpctl.cli.look.status_text import difference_text
    from pumpctl.therapy import practice
    from pumpctl.therapy.checks.clocks import size_text

    state, last = seen.state, seen.last
    if last is not None:
        size = size_text(last.new.label_ms - last.old.label_ms)
        since = f"last set by {size}, to {last.new.label()}"
    else:
        since = "never set" if seen.known else "when it was last set is not in its log"
    lines = [
        f"Pump {state.serial}",
        f"  pump's clock      {state.clock.label()}  {offset_text(state.clock)}",
        f"  station's clock   {seen.station.label()}  {offset_text(seen.station)}",
        f"  the pump's is     {difference_text(seen.difference_ms)}",
        f"  the pump's was    {since}",
    ]
    if abs(seen.difference_ms) > practice.CLOCK.value.quanta:
        lines += [
            "One of the two is wrong: find out which, by a third clock. Schedules by time of",
            "day are refused until they agree. To set the pump's: pumpctl clock --set",
        ]
    return lines
