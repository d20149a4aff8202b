"""`emulator fault`: faults of a built-in pump on demand, listed, and cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.emulator.inspect import fault_json, fault_text
from pumpctl.cli.emulator.text import fault_done, fault_done_json, hanging
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.emulator.body.faults import FAULTS
from pumpctl.emulator.edge import faulting
from pumpctl.errors import UsageError

if TYPE_CHECKING:
    from pumpctl.emulator.edge.inspection import Inspection

CLEAR = "clear"


def fault(
    name: Annotated[str, typer.Argument(help="The pump's name.")],
    kind: Annotated[str, typer.Argument(help="What goes wrong, or clear.")] = "",
    which: Annotated[str, typer.Argument(help="With clear: the kind to end; all without it.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show those that are in force.")] = False,
    lasting: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long; until cleared without it.")
    ] = "",
    percent: Annotated[str, typer.Option("--percent", help='A share: "15 %" or "20 ppm".')] = "",
    volume: Annotated[str, typer.Option("--volume", help='"2 mL"')] = "",
    concentration: Annotated[str, typer.Option("--concentration", help='"2000 mcg/mL"')] = "",
    delay: Annotated[
        str, typer.Option("--delay", metavar="DURATION", help='Each way: "200 s".')
    ] = "",
    way: Annotated[
        str,
        typer.Option("--way", metavar="more|less", help="Of calibration, clock-drift and sensor."),
    ] = "",
    count: Annotated[int | None, typer.Option("--count", help="How many bits or copies.")] = None,
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="implant|fallback|record|limits|slots|control|log",
            help="The region of the flash; of those kept twice, the pair in force.",
        ),
    ] = "",
    copy: Annotated[
        int | None, typer.Option("--copy", help="Which copy there, 1 or 2; either without it.")
    ] = None,
) -> Report:
    """Let something go wrong with a built-in pump; no real pump is touched.

    It also works while the pump is served. What may be told of a kind stands behind
    it; --for is for as long as the pump's world goes on, by its own time. A kind that
    lasts for a time, told again, replaces the one before.

    KINDS

    Example: pumpctl emulator fault ward-3 stall --for 6h
    """
    context.without_pump()
    words = faulting.Words(percent, volume, concentration, delay, count, way, lasting, at, copy)
    if listed or kind in {"", CLEAR}:
        if words != faulting.Words() or (listed and kind):
            raise UsageError("a list, or an end, takes nothing beside it")
        if kind == CLEAR:
            return _cleared(name, which)
        if not listed:
            raise UsageError("which fault?", hint=f"kinds: {', '.join(faulting.KINDS)}; or --list")
        return _listed(name)
    if which:
        raise UsageError(f"{which!r} is one word too many", hint="a kind stands behind clear")
    from pumpctl.emulator.edge import bench as pumps

    asked = faulting.asked(kind, words, mark="--")
    acted = pumps.fault(
        context.home().root, name, asked, now=edge.wall_utc_ms, entropy=edge.entropy
    )
    text = "\n".join(hanging(f"{name}: ", fault_done(asked, acted), 2))
    return _report(acted.seen, text, done=kind, fault=fault_done_json(asked, acted))


def _listed(name: str) -> Report:
    from pumpctl.emulator.edge import bench as pumps

    told = pumps.inspect(context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
    lines = [fault_text(told, each) for each in told.truth.faults]
    return _report(told, "\n".join(lines) or f"{name} has no faults.", done=None)


def _cleared(name: str, which: str) -> Report:
    from pumpctl.emulator.edge import bench as pumps

    acted = pumps.clear(
        context.home().root, name, which, now=edge.wall_utc_ms, entropy=edge.entropy
    )
    count = acted.cleared
    text = f"{name}: {count} {'fault is' if count == 1 else 'faults are'} over."
    if not acted.seen.truth.motor_turns:
        text += " The motor does not turn."
    return _report(acted.seen, text, done=CLEAR, cleared=count)


def _report(told: Inspection, text: str, *, done: str | None, **more: Any) -> Report:
    data = {
        "name": told.name,
        "done": done,
        **more,
        "faults": [fault_json(told, each) for each in told.truth.faults],
        "delivery": told.delivery,
        "alarms": list(told.alarms),
    }
    return Report("emulator.fault", data, text, warnings=context.warnings())


def _kinds() -> str:
    """The table as one sentence a kind, which any help can show."""
    found = []
    for kind, effect in FAULTS.items():
        must, may = faulting.may_take(kind)
        takes = " ".join([*(f"--{each}" for each in must), *(f"[--{each}]" for each in may)])
        found.append(f"{effect.word}{f' {takes}' if takes else ''}: {effect.does}.")
    return "\n\n    ".join(found)


if fault.__doc__ is not None:  # python -OO has none
    fault.__doc__ = fault.__doc__.replace("KINDS", _kinds())
