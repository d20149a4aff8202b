"""The priming bolus: fill what is recorded as free of drug, and nothing more (REF-09).

Tubing primed before the implant: the catheter only. Tubing with water: tubing
and catheter. A catheter with drug in it, or nobody knows with what, is not
primed: what it holds would be pushed into the patient at once. Volumes come
from the table and the record, and where one is uncertain the lower bound is
taken, since what is too much goes past the tip. It knows no pump's state.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Flow, Mass, Volume, mass_of, round_down, round_up
from pumpctl.therapy.bridge import Impossible
from pumpctl.therapy.delivery import when_given
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.line import (
    FREE,
    TABLES,
    ImplantRecord,
    LineVolume,
    TubingTable,
    holds_text,
    line_parts,
)
from pumpctl.therapy.moment import DAY_MS
from pumpctl.therapy.plug import Contents, Masses, Plug, contents, masses_in, push
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid

PRIME_FLOW: Final = Sourced(
    Flow.parse("12 mL/day"),
    "this project's choice: half of the greatest flow, as fluids mix more the faster they flow",
)
MIXING_BOUND: Final = (
    "Worst case with mixing: as if, of all that is in the line and is pushed in, the nL with the "
    "most drug in them left the tip first. However the fluids mix, no more can pass the tip."
)


class PrimePlan(NamedTuple):
    """A priming bolus, and what becomes of it; masses ng, exact."""

    fluid: Fluid
    """The reservoir's."""
    volume: Volume
    dose: Mass
    """What the pump is told to give; down to 1 ng."""
    over: Duration
    parts: str
    """`catheter`, or `tubing and catheter`."""
    moved: Volume
    """Of them, what the pump has filled already since they were recorded."""
    stays: Masses
    """What the line holds of each drug afterwards, by plug flow."""
    past_tip: Masses
    """What of each drug leaves the tip, by plug flow; the basal rate under it not counted."""
    worst_past_tip: Fraction
    """The most that can leave it however the fluids mix: see `MIXING_BOUND`."""
    unfilled: Volume
    """What may stay free of drug, the volume being uncertain."""
    tubing: Fluid | None
    """What the tubing held before; None: it was free of drug."""


def plan_prime(
    record: ImplantRecord,
    reservoir: Fluid,
    moved: Volume,
    tables: tuple[TubingTable, ...] = TABLES,
) -> PrimePlan | Impossible:
    """What to prime, from the implant's record; Impossible says why not, and what else.

    `moved` is everything that the pump has moved of the reservoir's fluid since the
    record changed, rounded up: so much of the line is no longer free. InputRefused
    (`line_parts`) where the record's models are not in its table.
    """
    if record.catheter is not FREE:
        what = (
            f"the catheter holds {holds_text(record.catheter)}"
            if isinstance(record.catheter, Fluid)
            else "what the catheter holds is unknown"
        )
        return Impossible(
            f"{what}: it would be pushed past the tip",
            "let the basal rate carry it on, or empty the catheter through its access port and "
            "record that",
        )
    tubing, catheter = line_parts(record, tables)
    low, high = catheter
    if isinstance(record.tubing, Fluid):
        parts, free, held = "catheter", low, record.tubing
    elif record.tubing is FREE:
        parts, free, held = "tubing and catheter", tubing + low, None
    else:
        return Impossible(
            "what the tubing holds is unknown: primed with the catheter alone it may leave water "
            "in the line, with both it may push the tubing's drug past the tip",
            "look up whether it was primed before the implant, and record that",
        )
    if free <= moved:
        since = f", and {moved} have been moved since" if moved else ""
        return Impossible(
            f"the catheter's volume is {LineVolume(low, high)}{since}: nothing of the line is "
            "certain to be free of drug",
            "let the basal rate carry it on"
            if moved
            else "find out the catheter's model and its trimmed length, and record them",
        )
    volume = free - moved
    recorded = contents([Plug(low.quanta, None), Plug(tubing.quanta, held)])
    now = push(recorded, moved.quanta, reservoir).contents
    pushed = push(now, volume.quanta, reservoir)
    return PrimePlan(
        fluid=reservoir,
        volume=volume,
        dose=Mass(round_down(mass_of(volume, reservoir.concentration))),
        over=Duration(round_up(Fraction(volume.quanta * DAY_MS, PRIME_FLOW.value.quanta))),
        parts=parts,
        moved=moved,
        stays=masses_in(pushed.contents),
        past_tip=masses_in(pushed.left),
        worst_past_tip=worst_past_tip(now, volume, reservoir),
        unfilled=high - low,
        tubing=held,
    )


def worst_past_tip(line: Contents, volume: Volume, reservoir: Fluid) -> Fraction:
    """The most ng, of all drugs together, that pushing this volume can bring past the tip.

    The bound of `MIXING_BOUND`: as many nL leave as are pushed in, and mixing only
    spreads the drug that is in them; so never more than the richest nL hold.
    """
    train = [*line, Plug(volume.quanta, reservoir)]
    train.sort(key=lambda plug: plug.fluid.concentration.quanta if plug.fluid else 0, reverse=True)
    richest = push(tuple(train), volume.quanta, reservoir).left
    return sum((mass for _, mass in masses_in(richest)), Fraction(0))


def unfilled_lasts(plan: PrimePlan, program: Program, start: int) -> Fraction | None:
    """For how many ms from `start` the tip may give nothing, where the volume is uncertain."""
    mass = mass_of(plan.unfilled, program.concentration)
    end = when_given(program, mass, start)
    return None if end is None else end - start
