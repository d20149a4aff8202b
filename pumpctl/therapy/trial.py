"""The screening trial and the starting dose: what the label permits next, and why.

Pure functions on what was given and how the patient answered. Every figure is
`label`'s. Nothing is chosen here, no program is made, and how a trial is kept
as a record is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, Rate
from pumpctl.therapy import label
from pumpctl.therapy.label import ScreeningStep
from pumpctl.therapy.moment import Moment


class Injection(NamedTuple):
    """One test injection that was given, and how the patient answered."""

    dose: Mass
    at: Moment
    worked: bool | None = None
    """Whether spasticity was relieved; None: not judged yet."""
    effect: Duration | None = None
    """How long the relief lasted; None: not known yet."""
    bad_reaction: bool = False


class Inject(NamedTuple):
    """A test injection is permitted: one of `options`."""

    options: tuple[ScreeningStep, ...]
    earliest: Moment | None
    """Not before; None: nothing that was told stands against now."""
    over: Duration
    """Given over at least so long."""
    observed: tuple[Duration, Duration]
    """Watched from and until so long after it."""
    why: str
    source: str


class Observe(NamedTuple):
    """The last injection has still to be judged."""

    first: Moment
    last: Moment
    why: str
    source: str


class Start(NamedTuple):
    """The trial is over: what the starting rule makes of it."""

    dose: Rate
    times: int
    """Times the injection that worked, given evenly over 24 h."""
    why: str
    source: str


class Why(Enum):
    """Why the label has no next step."""

    NOT_INDICATED = "not indicated"
    NOT_A_CANDIDATE = "not a candidate"
    OUTSIDE_LABEL = "outside the label"


class End(NamedTuple):
    """The label permits nothing more."""

    kind: Why
    why: str
    source: str


Next: TypeAlias = Inject | Observe | Start | End


def next_step(given: Sequence[Injection], *, years: int, injured: Moment | None = None) -> Next:
    """What the label permits after these injections, the oldest first.

    `years` is the patient's age, in whole years; `injured` the day of a brain
    injury, where that is the cause. What departs from the label's steps gets no
    further proposal: the label has no answer there, and neither has this.
    """
    if years < label.YEARS.value:
        return End(
            Why.NOT_INDICATED,
            f"under {label.YEARS.value} years intrathecal baclofen is not indicated",
            label.YEARS.source,
        )
    earliest = None if injured is None else injured.plus(label.AFTER_BRAIN_INJURY.value.quanta)
    permitted = _first(years)
    for number, injection in enumerate(given):
        if earliest is not None and injection.at.utc_ms < earliest.utc_ms:
            return _outside(f"{injection.dose} was given before {earliest.label()}")
        if injection.dose not in [step.dose for step in permitted]:
            names = " or ".join(str(step.dose) for step in permitted)
            return _outside(f"{injection.dose} was given where {names or 'nothing'} was the step")
        later = number < len(given) - 1
        answered = injection.worked is not False or injection.bad_reaction
        if later and answered:
            return _outside(f"one more was given although {injection.dose} had not failed")
        permitted = _above(injection.dose)
        earliest = injection.at.plus(label.SCREENING_APART.value.quanta)
    if not given:
        why = "the first injection"
        source = label.SCREENING_SOURCE
        if len(permitted) > 1:
            why += f"; {label.SCREENING_CHILD.value.dose} may be tried first in a small child"
            source += f"; {label.SCREENING_CHILD.source}"
        if injured is not None:
            why += "; not within a year of a brain injury"
            source += f"; {label.AFTER_BRAIN_INJURY.source}"
        return _inject(permitted, earliest, why, source)
    return _after(given[-1], permitted, earliest)


def _times(effect: Duration | None, bad_reaction: bool) -> int | None:
    """The factor of the starting rule; None: nobody can say before the effect has ended."""
    if bad_reaction:
        return label.START_FACTOR_LONG
    if effect is None:
        return None
    return label.START_FACTOR_LONG if effect > label.LONG_EFFECT.value else label.START_FACTOR


def _first(years: int) -> tuple[ScreeningStep, ...]:
    usual = label.SCREENING_STEPS[0]
    small = years < label.SCREENING_CHILD_BELOW.value
    return (label.SCREENING_CHILD.value, usual) if small else (usual,)


def _above(dose: Mass) -> tuple[ScreeningStep, ...]:
    """The next larger step; none after the last."""
    return tuple(step for step in label.SCREENING_STEPS if step.dose > dose)[:1]


def _after(last: Injection, permitted: tuple[ScreeningStep, ...], earliest: Moment | None) -> Next:
    """What follows from the last injection, everything before it being in order."""
    first, until = (last.at.plus(each.quanta) for each in label.OBSERVED)
    if last.worked is None:
        return Observe(first, until, f"was {last.dose} answered?", label.SCREENING_SOURCE)
    if not last.worked:
        if last.bad_reaction:
            return _outside(f"{last.dose} brought a bad reaction and no relief")
        if not permitted:
            return End(
                Why.NOT_A_CANDIDATE,
                f"no response to {last.dose}: not a candidate for a pump",
                label.NO_RESPONSE,
            )
        apart = label.SCREENING_APART.value.text_in("h")
        why = f"no response to {last.dose}; at least {apart} after it"
        return _inject(permitted, earliest, why, label.SCREENING_SOURCE)
    times = _times(last.effect, last.bad_reaction)
    if times is None:
        why = f"how long does the relief by {last.dose} last? The starting dose depends on it"
        return Observe(first, until, why, label.START_SOURCE)
    rule = f"{times} x {last.dose} over 24 h"
    if last.bad_reaction:
        why = f"{last.dose} worked, with a bad reaction: {rule}"
    else:
        longer = "more" if times == label.START_FACTOR_LONG else "not more"
        why = f"{last.dose} worked for {longer} than {label.LONG_EFFECT.value}: {rule}"
    return Start(Rate(last.dose.quanta * times), times, why, label.START_SOURCE)


def _inject(
    options: tuple[ScreeningStep, ...], earliest: Moment | None, why: str, source: str
) -> Inject:
    return Inject(options, earliest, label.SCREENING_OVER.value, label.OBSERVED, why, source)


def _outside(why: str) -> End:
    """The label's steps were left; it says nothing of what comes then."""
    return End(Why.OUTSIDE_LABEL, f"{why}: the label names no next step", label.SCREENING_SOURCE)
