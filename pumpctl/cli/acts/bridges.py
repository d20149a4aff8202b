"""The screen of a bridge on its own: how much is left of it, what it plays, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import Shown, fact, row
from pumpctl.pump.readbacks import BridgeBack
from pumpctl.quantities import Rate
from pumpctl.therapy import figures as sums
from pumpctl.therapy.moment import Moment

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """The volume first; then what has passed, what is played, what would be without it."""
    back, told = _back(shown), shown.plan.new["bridge"]
    old = back.bridge.old
    yield fact("bridge", f"{back.bridge.volume} of {old.drug} {old.concentration}", strong=True)
    yield fact("passed already", f"{told['passed']}, {told['left']} to go")
    yield fact("until", f"{Moment.parse(told['ends']).label()}, {told['lasts']}", strong=True)
    yield fact("without it", told["without"], strong=True)
    dose = Rate(max(day.daily_dose for day in back.days).quanta)
    after = None if shown.old is None else max(day.daily_dose for day in sums.week(shown.old))
    yield row("", "until then", "afterwards")
    yield row("daily dose, largest", dose, after)
    flow = None if shown.old is None else sums.flow_of_largest_day(shown.old)
    yield row("flow, largest day", f"{max(day.volume for day in back.days)}/day", flow)


def bounds(shown: Shown) -> Iterator[Text]:
    """That nothing else changes."""
    program = shown.old
    if program is not None:
        yield fact("goes on afterwards", f"{program.drug} {program.concentration}, as it is stored")
        yield fact("fallback", program.fallback)


def done(applied: AppliedPlan) -> str:
    """That it runs, and until when."""
    state, told = applied.state, applied.plan.new["bridge"]
    left = "over" if state.bridge is None else f"{state.bridge.remaining} to go"
    return (
        f"Bridge running and verified on pump {state.serial}\n"
        f"{told['volume']}, {left}, until {Moment.parse(told['ends']).label()}"
    )


def _back(shown: Shown) -> BridgeBack:
    back = shown.readback
    assert isinstance(back, BridgeBack)  # noqa: S101  the road has compared its kind
    return back
