"""What the frame of a change's screen asks of each kind, and the rows that they share.

The frame is `cli/therapy/change_screen`; a kind is a module here with these functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from rich.text import Text

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume
from pumpctl.therapy.forecast import forecast
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState

if TYPE_CHECKING:
    from pumpctl.pump.readbacks import Readback
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.acts.act import Act
    from pumpctl.workflows.road.applying import AppliedPlan

WIDTH = 78
LABEL = 24


class Shown(NamedTuple):
    """A plan with the values that its screen is made of."""

    plan: Plan
    act: Act
    readback: Readback
    old: Program | None
    """What the pump ran when it was planned."""
    state: PumpState | None
    """Fresh; None where a plan is shown from its file, without a pump."""
    now: Moment | None
    """The station's clock when it was planned; None from a file."""
    expiry: Date | None = None
    """The last day of the drug inside, where that is on record here."""


class Body(Protocol):
    """One kind's part of the screen."""

    def figures(self, shown: Shown) -> Iterator[Text]:
        """Old and new, drug and concentration: above the findings."""
        ...

    def bounds(self, shown: Shown) -> Iterator[Text]:
        """What it can come to, fallback, dates: below the findings."""
        ...

    def done(self, applied: AppliedPlan) -> str:
        """What it came to, in one line without its end."""
        ...


def row(label: str, now: object, new: object, change: str = "") -> Text:
    """A label, the figure that is, the figure that will be, and by how much it differs."""
    text = Text(f"  {label:{LABEL}}{'-' if now is None else now!s:15} ")
    text.append(f"{new!s:15} ", style="bold")
    text.append(f"{change:>8}")
    text.rstrip()
    return text


def fact(label: str, value: object, *, strong: bool = False) -> Text:
    """A label and one value; the strong ones are what the eye should fall on."""
    text = Text(f"  {label:{LABEL}}")
    text.append(str(value), style="bold" if strong else "")
    return text


def goes_on(program: Program, largest: object, state: PumpState | None) -> Text:
    """What an act that gives nothing leaves as it is; nothing is given by a stopped pump."""
    if state is not None and state.delivery is Delivery.STOPPED:
        return fact("STOPPED, it stays so", f"it holds {largest}, {program.mode.value}")
    return fact("goes on unchanged", f"{largest} on its largest day")


def dates(program: Program | None, shown: Shown, takes: int = 0) -> Iterator[Text]:
    """When the reservoir is low and a refill is due, where that can be told.

    `takes`: nL that the act itself takes out of it.
    """
    state = shown.state
    if program is None or state is None:
        return
    left = Volume(max(0, state.reservoir.quanta - takes))
    ahead = forecast(
        program, left, program.low_alarm, state.clock, state.filled_at, expiry=shown.expiry
    )
    late = ahead.refill_by < state.clock.date
    told = f"  low reservoir {ahead.low_date} · refill by {ahead.refill_by}"
    yield Text(f"{told}{' - ALREADY PAST' if late else ''}", style="bold" if late else "")
