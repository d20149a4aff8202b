"""The screen of a prime: its volume, the mass left in the line, and what could pass the tip.

Dose, volume and where it goes by plug flow are the pump's read-back; the worst case,
and what the record says, were computed when it was planned (CNF-01, REF-09).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import Shown, dates, fact, row
from pumpctl.cli.look.status_text import span_text
from pumpctl.pump.readbacks import BolusBack
from pumpctl.quantities import Flow, round_up
from pumpctl.therapy import figures as sums
from pumpctl.therapy.bolus import BolusOrder
from pumpctl.therapy.checks.boluses import effect_of

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """What stays in the line first; then how much, from where, and what could pass the tip."""
    back, told, was = _back(shown), shown.plan.new, shown.plan.old
    yield fact("left in the line", f"{back.stays_in_line} of this prime", strong=True)
    if "in_line_dose" in told:
        yield fact("  with what it held", f"{told['in_line_dose']} in the line then")
    passing = f"{back.past_tip} by plug flow"
    yield fact("past the tip", passing, strong=bool(back.past_tip))
    worst = told["worst_past_tip_dose"]
    yield fact("  worst case, mixing", f"no more than {worst}, however the fluids mix")
    whole = f"{back.volume} of {told['concentration']} over {span_text(back.over)}"
    yield fact("prime", whole, strong=True)
    yield fact("  fills", f"{told['fills']}, line volumes version {told['table_version']}")
    held = f"tubing {was['tubing_holds']}, catheter {was['catheter_holds']}"
    yield fact("  recorded", held)
    yield fact("  filled by the program", told["moved_since_record"])
    state = shown.state
    effect = None if state is None else effect_of(BolusOrder(back.dose, back.over), state)
    if state is not None and effect is not None:
        yield fact("flow while it runs", Flow(round_up(effect.greatest_flow)))
        front = effect.front
        arrives = "not while the program gives nothing" if front is None else front.label()
        yield fact("drug at the tip from", arrives, strong=True)
    elif told["front_arrives"] is not None:
        yield fact("drug at the tip from", told["front_arrives"], strong=True)


def bounds(shown: Shown) -> Iterator[Text]:
    """The most of 24 h."""
    back, program = _back(shown), shown.old
    before = None if program is None else sums.largest_24h_with_patient_doses(program)
    yield row("", "without it", "with it")
    yield row("24 h, all from the pump", before, back.largest_24h)
    yield from dates(program, shown, back.volume.quanta)


def done(applied: AppliedPlan) -> str:
    """That it runs, and until when; or that it was given."""
    state, ordered = applied.state, applied.plan.new
    what = f"{ordered['volume']}, {ordered['dose']}"
    running = state.bolus
    if running is None:
        return f"Prime given in full and verified on pump {state.serial}: {what}"
    return (
        f"Prime running and verified on pump {state.serial}: {what},\n"
        f"ends {running.ends.label()}; end it sooner with: pumpctl bolus cancel"
    )


def _back(shown: Shown) -> BolusBack:
    back = shown.readback
    assert isinstance(back, BolusBack)  # noqa: S101  the road has compared its kind
    return back
