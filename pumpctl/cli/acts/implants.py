"""The screen of an implant's record: old beside new, the line's volume, what the line holds.

What is "new" comes from the pump's read-back alone (CNF-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from pumpctl.cli.acts.body import LABEL, Shown, dates, fact
from pumpctl.cli.therapy.implant_text import bridge_text, catheter_text
from pumpctl.pump.readbacks import ImplantBack
from pumpctl.therapy.line import FREE, UNKNOWN, LineVolume, holds_text

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan

_COLUMN = 26


def figures(shown: Shown) -> Iterator[Text]:
    """Old and new of all that a prime or a bridge goes by."""
    back, was = _back(shown), shown.plan.old
    new = back.record
    yield fact("event", shown.plan.new["event"], strong=True)
    yield _row("", "now", "new")
    yield _row("catheter holds", was["catheter"]["holds"], holds_text(new.catheter))
    yield _row("tubing holds", was["tubing"]["holds"], holds_text(new.tubing))
    yield _row("line volume", _span(was["line"]), new.parts.whole)
    yield _row("  tubing", was["tubing"]["volume"], new.parts.tubing)
    yield _row("  catheter", _span(was["catheter"]), new.parts.catheter)
    old = catheter_text(was["catheter"]["model"], was["catheter"]["trimmed"])
    yield _row("catheter", old, catheter_text(new.catheter_model, new.trimmed))
    yield _row("tip", was["catheter"]["tip_level"], new.tip_level or "unknown")
    was_table = f"version {was['table_version']}"
    yield _row("table of volumes", was_table, f"version {new.table_version}")
    printed = shown.plan.order["calibration"]
    if printed != UNKNOWN.value:
        yield fact("calibration", f"{printed} a pulse, on the package and in the pump")


def bounds(shown: Shown) -> Iterator[Text]:
    """What follows from it."""
    back = _back(shown)
    new = back.record
    if new.catheter is not FREE:
        text = f"refused: catheter {holds_text(new.catheter)}"
    elif new.tubing is UNKNOWN:
        text = "refused: tubing unknown"
    else:
        text = "can be planned: pumpctl bolus prime"
    yield fact("prime", text)
    yield fact("bridge by this line", bridge_text(new.parts.whole))
    yield Text("  Nothing that is delivered changes.")
    yield from dates(shown.old, shown)


def done(applied: AppliedPlan) -> str:
    """That it is kept."""
    state, told = applied.state, applied.plan.new
    return (
        f"Implant record kept and verified on pump {state.serial}: line {state.line.volume},\n"
        f"catheter {told['catheter']['holds']}, tubing {told['tubing']['holds']}"
    )


def _back(shown: Shown) -> ImplantBack:
    back = shown.readback
    assert isinstance(back, ImplantBack)  # noqa: S101  the road has compared its kind
    return back


def _span(told: dict[str, Any]) -> str:
    high, low = told["volume"], told["at_least"]
    return str(high) if high == low else f"{low} to {high}"


def _row(label: str, now: object, new: object) -> Text:
    text = Text(f"  {label:{LABEL}}{now!s:{_COLUMN}} ")
    shown = new if not isinstance(new, LineVolume) or new.known else f"{new.low} to {new.high}"
    text.append(f"{shown!s}", style="" if str(shown) == str(now) else "bold")
    return text
