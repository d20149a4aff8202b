"""The screen of a single bolus: the dose, what reaches the patient and when, what it locks.

Dose, volume and 24 h are the pump's read-back; what depends on the line and the hour
stands beside them, fresh (CNF-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import Shown, dates, fact, row
from pumpctl.pump.readbacks import BolusBack
from pumpctl.quantities import Flow, round_half_up, round_up
from pumpctl.therapy import figures as sums
from pumpctl.therapy.bolus import BolusEffect, BolusOrder, next_scheduled
from pumpctl.therapy.checks.boluses import effect_of
from pumpctl.therapy.compare import share_text
from pumpctl.therapy.delivery import mass_text
from pumpctl.therapy.own_doses import until_text, when_text
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """The dose first; then how, and where it goes."""
    back, state, program = _back(shown), shown.state, shown.old
    effect = _effect(back, state)
    told = f"{back.dose} over {back.over}"
    yield fact(f"{back.bolus} bolus", told, strong=True)
    drug = "" if program is None else f" of {program.drug} {program.concentration}"
    yield fact("volume", f"{back.volume}{drug}")
    if effect is not None:
        whole = Flow(round_up(effect.greatest_flow))
        alone = Flow(round_half_up(effect.flow))
        yield fact("flow while it runs", f"{whole}, of it {alone} the bolus")
    yield fact("past the tip", f"{back.past_tip}, {back.stays_in_line} stay in the line")
    if effect is not None and state is not None:
        share = share_text(effect.reaches, back.dose.quanta)
        reaches = f"{mass_text(effect.reaches)} ({share}) while it runs"
        yield fact("reaches the patient", reaches, strong=share != "100 %")
        if effect.front is not None:
            yield fact("drug at the tip from", until_text(effect.front, state.clock), strong=True)
    if program is not None:
        yield fact("goes on under it", f"{program.mode.value}, {_today(program, state)}")


def bounds(shown: Shown) -> Iterator[Text]:
    """The most of 24 h, the patient's lockout, the next scheduled bolus, the dates."""
    back, state, program = _back(shown), shown.state, shown.old
    before = None if program is None else sums.largest_24h_with_patient_doses(program)
    yield row("", "without it", "with it")
    yield row("24 h, patient doses too", before, back.largest_24h)
    effect = _effect(back, state)
    if program is None or state is None or effect is None:
        return
    own = program.patient_dose
    if own is not None:
        until = effect.ends.plus(own.lockout.quanta)
        yield fact(
            "patient's own dose", f"locked until {until_text(until, state.clock)}", strong=True
        )
    after = next_scheduled(program, state.clock)
    if after is None:
        yield fact("next scheduled bolus", "none in this program")
    else:
        yield fact("next scheduled bolus", f"{after.dose}, {when_text(after.at, state.clock)}")
    yield from dates(program, shown, round_up(effect.volume))


def done(applied: AppliedPlan) -> str:
    """That it runs, and until when; or that it was given."""
    state, ordered = applied.state, applied.plan.new
    what = f"{ordered['dose']} over {ordered['over']}"
    running = state.bolus
    if running is None:
        return f"Bolus given in full and verified on pump {state.serial}: {what}"
    ends = until_text(running.ends, state.clock)
    return (
        f"Bolus running and verified on pump {state.serial}: {what}, ends {ends}.\n"
        "To end it sooner: pumpctl bolus cancel"
    )


def _back(shown: Shown) -> BolusBack:
    back = shown.readback
    assert isinstance(back, BolusBack)  # noqa: S101  the road has compared its kind
    return back


def _effect(back: BolusBack, state: PumpState | None) -> BolusEffect | None:
    return None if state is None else effect_of(BolusOrder(back.dose, back.over), state)


def _today(program: Program, state: PumpState | None) -> str:
    if state is None:
        return f"{max(day.daily_dose for day in sums.week(program))} on its largest day"
    return f"{sums.daily_dose_rounded(program, state.clock.day)} today"
