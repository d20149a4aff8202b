"""The screen of an assignment: whose pump it is, and whose it will be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import Shown, dates, fact, goes_on
from pumpctl.pump.readbacks import PatientBack
from pumpctl.therapy import figures as sums

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """Now and from then on, as far as hashes tell."""
    back, plan = _back(shown), shown.plan
    now = "nobody's" if back.old is None else f"a patient's, hash {back.old.hex()}"
    if back.old is not None and plan.patient:
        now += ", NOT this tag's"
    yield fact("the pump is now", now)
    new = "nobody's" if back.new is None else f"{plan.patient}'s, hash {back.new.hex()}"
    yield fact("and will be", new, strong=True)


def bounds(shown: Shown) -> Iterator[Text]:
    """What goes on being given, to whoever has the pump."""
    program = shown.old
    if program is not None:
        largest = max(day.daily_dose for day in sums.week(program))
        yield goes_on(program, largest, shown.state)
    yield from dates(program, shown)


def done(applied: AppliedPlan) -> str:
    """Whose it is."""
    plan, state = applied.plan, applied.state
    whose = f"assigned to {plan.patient}" if plan.patient else "assigned to nobody"
    return f"Pump {state.serial} is {whose}, verified"


def _back(shown: Shown) -> PatientBack:
    back = shown.readback
    assert isinstance(back, PatientBack)  # noqa: S101  the road has compared its kind
    return back
