"""The screens of `mri before` and `mri after`: the verdict first, then what it rests on.

80 columns; a look is a column. What is decided, and how it is recorded, is not known here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pumpctl.cli.folding import wrap
from pumpctl.cli.screens import console
from pumpctl.therapy.delivery import time_text
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.mri import Look, seen
from pumpctl.therapy.mri_after import Verdict, decimal
from pumpctl.therapy.state import Delivery

if TYPE_CHECKING:
    from rich.console import Console

    from pumpctl.workflows.mri.visit import After, Before

_VERDICTS = {
    Verdict.FAULT: "delivery is not shown",
    Verdict.FIRST: "the first of two looks",
    Verdict.EARLY: "too early for the second look",
}


def show_before(found: Before) -> None:
    """What the guidance asks, and how the pump is."""
    out = console(sys.stdout)
    _head(out, found.state.serial, found.state.model, found.state.bench)
    if not found.obstacles:
        out.print(Text("MRI: nothing speaks against a scan", style="bold"))
    elif found.ready:
        out.print(Text(f"MRI: to be scanned ALL THE SAME: {found.reason}", style="bold yellow"))
    else:
        out.print(Text("MRI: DO NOT SCAN YET", style="bold red"))
    for point in found.obstacles:
        out.print(_item(point.message))
    if found.never_closed is not None:
        out.print(_item(f"an MRI visit of this pump, begun {found.never_closed}, was never closed"))
    out.print()
    if found.guidance is not None:
        out.print(f"Guidance for {found.state.model}, version {found.guidance.version}:")
        for ask in found.guidance.asks:
            out.print(_item(ask))
        out.print()
    out.print(_looks([("before", seen(found.state))]))
    out.print("Recorded.")


def show_after(found: After) -> None:
    """The verdict, what is needed, and the looks it rests on."""
    out = console(sys.stdout)
    _head(out, found.state.serial, found.state.model, found.state.bench)
    if found.closed:
        out.print(Text("MRI visit: CLOSED. The pump delivers again.", style="bold green"))
    else:
        word = _VERDICTS[found.judged.verdict]
        if found.judged.verdict is Verdict.EARLY and found.look_again is None:
            word = "delivery is shown, but something differs"
        out.print(Text(f"MRI visit: NOT CLOSED, {word}", style="bold red"))
    if found.look_again is not None:
        out.print(Text(f"Look again after {_up(found.look_again)}.", style="bold"))
    for text in _said(found):
        out.print(_item(text))
    out.print()
    shown = [("before", found.before.look)] if found.before is not None else []
    *earlier, now = found.looks
    if earlier:
        counted = [kept for kept in earlier if kept.verdict == Verdict.FIRST.value]
        name, kept = ("first look", counted[-1]) if counted else ("last look", earlier[-1])
        shown.append((name, kept.look))
    shown.append(("now", now.look))
    out.print(_looks(shown))
    for stall in found.stalls:
        until = "still" if stall.until is None else stall.until.label()
        lost = "" if stall.missed is None else f"; {stall.missed} not given"
        out.print(
            f"stood still   {stall.since.label()} to {until}, {time_text(stall.lasts.quanta)}{lost}"
        )
    for text in found.advice:
        out.print(_item(text))


def _said(found: After) -> Iterator[str]:
    judged = found.judged
    if judged.due is not None:
        yield f"{judged.moved} pulses moved since the first look, {decimal(judged.due)} due"
    yield from (point.message for point in judged.needed if point.id != "SECOND_LOOK")
    yield from (f"accepted: {point.message} ({found.reason})" for point in judged.accepted)
    yield from found.notes


def _head(out: Console, serial: str, model: str, bench: bool) -> None:
    out.print(Text(f"Pump {serial} · {model}{' · bench' if bench else ''}", style="bold"))


def _item(text: str) -> str:
    """A line of a list, its other lines indented."""
    return "\n".join(wrap(text, 78, initial_indent=" - ", subsequent_indent="   "))


def _up(at: Moment) -> str:
    """To the next whole minute: a look a little late counts, one a little early does not."""
    return at.plus(-at.utc_ms % 60_000).label()


def _basal(look: Look) -> str:
    still = look.delivery in (Delivery.STOPPED, Delivery.STALLED)
    return "nothing" if still or look.rate is None else str(look.rate)


def _looks(looks: list[tuple[str, Look]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="dim", min_width=12, no_wrap=True)
    for name, _ in looks:
        table.add_column(name, min_width=16, max_width=20)
    rows: dict[str, Callable[[Look], str]] = {
        "pump clock": lambda look: look.clock.label(),
        "delivery": lambda look: look.delivery.value,
        "basal now": _basal,
        "program": lambda look: (look.program_hash or b"").hex()[:8] or "fallback",
        "reservoir": lambda look: str(look.reservoir),
        "pulses": lambda look: str(look.pulses),
        "alarms": lambda look: ", ".join(look.alarms) or "none",
        "battery": lambda look: look.battery,
    }
    for name, of in rows.items():
        table.add_row(name, *(of(look) for _, look in looks))
    return table
