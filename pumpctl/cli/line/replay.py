"""`link replay`: a capture said again to a pump on a bench, and what differs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import PumpctlError

if TYPE_CHECKING:
    from pumpctl.workflows.line.comparing import Difference
    from pumpctl.workflows.line.replaying import Again, Replayed


def replay(
    file: Annotated[Path, typer.Argument(help="A capture of a pump in bench mode.")],
    part: Annotated[
        int | None, typer.Option("--part", min=1, help="Only this part of it; all without it.")
    ] = None,
) -> Report:
    """Say again what a station said in a capture, to a pump in bench mode; compare answers.

    IT CHANGES THERAPY on that pump as the capture did, and writes no journal: it is for
    built-in pumps and pumps on a bench, and refuses any other (exit 5) before anything of
    the capture is sent. Greeting, handshake and seals are made anew. Where an answer is
    not the recorded one, exit 3; what moves by itself (clocks, counters) is told apart.

    Example: pumpctl --port emu://ward-3 link replay visit.capture
    """
    from pumpctl.workflows.line import replaying
    from pumpctl.workflows.line.parts import read_parts

    recorded = replaying.conversations(read_parts(file), part)
    station = context.station()
    replayed = replaying.replay(station, recorded, _progress)
    _end_progress()
    return Report(
        "link.replay",
        {
            "file": str(file),
            "same": not any(each.differs for each in replayed),
            "changed": replaying.worst(replayed),
            "sessions": [_session(each) for each in replayed],
        },
        lambda: _show(replayed),
        pump=(replayed[-1].serial, replayed[-1].model),
        warnings=context.warnings(),
        error=_verdict(replayed),
    )


def _verdict(replayed: tuple[Replayed, ...]) -> PumpctlError | None:
    from pumpctl.workflows.line import replaying
    from pumpctl.workflows.line.faults import ReplayDiffers

    count = sum(again.differs for each in replayed for again in each.exchanges)
    greetings = sum(any(not one.moves for one in each.greeting) for each in replayed)
    if not count and not greetings:
        return None
    what = [f"{count} answers"] if count else []
    what += ["the greeting"] if greetings else []
    error = ReplayDiffers(f"{' and '.join(what)} differ from the capture")
    error.changed = replaying.worst(replayed)
    return error


def _session(each: Replayed) -> dict[str, Any]:
    return {
        "part": each.part,
        "session": f"{each.session:04x}",
        "same": not each.differs,
        "changed": each.changed,
        "greeting": [_difference(one) for one in each.greeting],
        "left_out": list(each.left_out),
        "exchanges": [_exchange(again) for again in each.exchanges],
    }


def _exchange(again: Again) -> dict[str, Any]:
    from pumpctl.workflows.line.comparing import called

    return {
        "counter": again.counter,
        "request": again.request,
        "recorded": called(again.recorded),
        "now": called(again.now),
        "same": not again.differs,
        "differences": [_difference(one) for one in again.differences],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"field": one.field, "recorded": one.recorded, "now": one.now, "moves": one.moves}


# --- for people --------------------------------------------------------------------------


def _show(replayed: tuple[Replayed, ...]) -> None:
    from pumpctl.cli.screens import console

    out = console(sys.stdout)
    for each in replayed:
        for text in _lines(each):
            out.print(text, soft_wrap=True)


def _lines(each: Replayed) -> Iterator[Any]:
    from rich.text import Text

    from pumpctl.workflows.line.comparing import called

    title = f"Part {each.part}, session {each.session:04x}, said again"
    yield Text(f"{title} to pump {each.serial} · {each.model} · bench", style="bold")
    yield Text()
    yield Text(f"   {'said':16} {'answer in the capture':28} answer now", style="dim")
    yield from _greeting(each)
    for again in each.exchanges:
        now = called(again.now) if again.differs else "the same"
        moved = ", but for what moves" if again.differences and not again.differs else ""
        mark = "≠" if again.differs else " "
        row = f" {mark} {again.request:16} {called(again.recorded):28} {now}{moved}"
        yield Text(row, style="bold red" if again.differs else "")
        if again.differs:
            yield from _fields(again.differences)
    yield Text()
    wrong = sum(again.differs for again in each.exchanges)
    told = f"{wrong} of {len(each.exchanges)} answers DIFFER" if wrong else "every answer the same"
    yield Text(f"{told}.", style="bold red" if wrong else "bold green")
    if each.left_out:
        yield Text(f"Not said again: {', '.join(dict.fromkeys(each.left_out))}.")
    if each.changed != "no":
        became = "was changed" if each.changed == "yes" else "may have been changed"
        yield Text(f"The therapy of this bench pump {became}, as in the capture.")


def _greeting(each: Replayed) -> Iterator[Any]:
    from rich.text import Text

    if any(not one.moves for one in each.greeting):
        yield Text(f" ≠ {'(greeting)':16} {'GREETING':28} GREETING", style="bold red")
        yield from _fields(each.greeting)


def _fields(found: tuple[Difference, ...]) -> Iterator[Any]:
    from rich.text import Text

    from pumpctl.cli.folding import wrap

    indent = " " * 22
    for one in found:
        if one.moves or one.field == "answer":
            continue
        told = f"{one.field}: {_plain(one.recorded)} → {_plain(one.now)}"
        for line in wrap(told, 80, initial_indent="     ", subsequent_indent=indent):
            yield Text(line)


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)


def _progress(done: int, total: int) -> None:
    """On stderr, only on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} ")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 40 + "\r")
