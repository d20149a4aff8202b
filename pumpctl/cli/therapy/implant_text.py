"""An implant's record for people: the line, what it holds, and what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import LABEL, WIDTH, fact
from pumpctl.cli.folding import wrap
from pumpctl.cli.screens import console
from pumpctl.therapy.line import UNKNOWN, LineVolume, holds_text
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.prime import PrimePlan

if TYPE_CHECKING:
    from pumpctl.workflows.implanting import LineShown


def implant_lines(found: LineShown) -> None:
    """Draw it on stdout."""
    out = console(sys.stdout)
    for line in _lines(found):
        out.print(line)


def _lines(found: LineShown) -> Iterator[Text]:
    implant, recorded, now = found.implant, found.recorded, found.now
    parts = implant.parts
    yield Text(f"Implant of pump {implant.serial} ({implant.model})", style="bold")
    yield fact("line holds now", _contents(found), strong=True)
    yield fact("line volume", f"{parts.whole}", strong=True)
    yield fact("", f"tubing {parts.tubing} + catheter {parts.catheter}")
    yield fact("catheter", catheter_text(recorded.catheter_model, recorded.trimmed))
    yield fact("tip", implant.tip_level or UNKNOWN.value)
    yield fact("table of volumes", f"version {recorded.table_version or '-, the record was lost'}")
    if found.corrected is not None:
        used, newest = found.corrected
        changed = f"corrected since: {used.whole} is {newest.whole}"
        yield Text(f"  {'':{LABEL}}{changed}", style="bold yellow")
    by = "as the pump was made" if found.first else event_text(recorded.event)
    at = Moment(recorded.changed.utc_ms, found.state.clock.offset_min)
    yield fact("recorded", f"{at.label()}, {by}")
    yield fact("moved since", found.moved)
    yield fact("calibration", f"{implant.calibration} a pulse: compare with the package")
    if now != recorded:
        yield fact("recorded then", f"tubing {holds_text(recorded.tubing)}")
        yield fact("", f"catheter {holds_text(recorded.catheter)}")
    yield from _prime(found)
    yield from _paragraph("bridge by this line", bridge_text(parts.whole))


def _contents(found: LineShown) -> str:
    now = found.now
    if now.holds is not None:
        return holds_text(now.holds)
    return f"tubing {holds_text(now.tubing)}, catheter {holds_text(now.catheter)}"


def catheter_text(model: object, trimmed: object) -> str:
    """`SC110, 30 cm trimmed`."""
    nobody_knows = (UNKNOWN, UNKNOWN.value)
    if model in nobody_knows:
        return "model unknown"
    return f"{model}, {'trim unknown' if trimmed in nobody_knows else f'{trimmed} trimmed'}"


def event_text(event: object) -> str:
    """An event; that of another station's record is not known."""
    value = getattr(event, "value", event)
    return "by which event is not known here" if event is UNKNOWN else str(value)


def bridge_text(whole: LineVolume) -> str:
    """What a bridge is metered by, in either direction."""
    if whole.known:
        return f"{whole.low}"
    return f"{whole.low} to a stronger drug, {whole.high} to a weaker one"


def _prime(found: LineShown) -> Iterator[Text]:
    prime = found.prime
    if isinstance(prime, PrimePlan):
        yield fact("prime possible", f"{prime.volume}: {prime.parts}, {prime.dose}", strong=True)
    elif prime is None:
        yield fact("prime", "refused: the record names no table of line volumes")
    else:
        yield from _paragraph("prime", f"refused: {prime.why}")


def _paragraph(label: str, text: str) -> Iterator[Text]:
    for place, line in enumerate(wrap(text, WIDTH - LABEL - 2)):
        yield fact(label if place == 0 else "", line)
