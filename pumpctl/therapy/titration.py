"""The permitted range of the next daily dose: how far, how soon, and why.

From the label's steps, by origin, age and history, inside the library's limits.
It never chooses: it gives bounds, and says of a chosen dose whether it is refused
or needs a reason. How a dose is put into the program is `scaling`'s matter, and
where the checks refuse the program that comes of it `titration_bounds`' one.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Percent, Rate, round_down, round_half_up, round_up
from pumpctl.therapy import label
from pumpctl.therapy.checks.change import WITHDRAWAL
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.figures import largest_day
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.label import StepRange
from pumpctl.therapy.library import TO_VERIFY, Library, Sourced
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.scaling import Boluses, Scaling
from pumpctl.therapy.titration_bounds import Hard, hard_beyond


class Soft(NamedTuple):
    """A dose beyond which a reason is needed, and the finding that will ask for it."""

    dose: Rate
    source: str
    id: str


class Range(NamedTuple):
    """Daily doses of the largest day, `low` to `high`, each of which can be programmed.

    The step is usual between them; one that is smaller than usual is permitted.
    """

    low: Rate
    high: Rate
    step: StepRange
    refused_beyond: Sourced[Rate] | None
    reason_beyond: tuple[Soft, ...]
    """The nearest first; none that lies beyond what is refused."""
    hard_beyond: Hard | None
    """Where the checks of the program end it, before `refused_beyond` does."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its figures come from, each once."""
        refused = [self.refused_beyond.source] if self.refused_beyond else []
        hard = [self.hard_beyond.source] if self.hard_beyond else []
        reasons = (soft.source for soft in self.reason_beyond)
        every = [self.step.source, *refused, *hard, *reasons]
        return tuple(dict.fromkeys(every))


class Titration(NamedTuple):
    """What may follow on a program, for one patient."""

    current: Fraction
    """The exact ng of its largest day."""
    increase: Range | None
    no_increase: str
    """Why there is none; empty where there is one."""
    earliest: Sourced[Moment] | None
    """An increase not before; None: neither the start nor the last increase is known."""
    reduction: Range | None
    no_reduction: str
    """Why there is none; empty where there is one."""
    last_increase: Moment | None
    """As it was given; None: not known."""
    smaller_refused: str
    """Why every smaller dose is refused; empty where the range or the checks decide."""

    @property
    def dose(self) -> Rate:
        """The current daily dose, of the largest day, half up."""
        return Rate(round_half_up(self.current))


class _Bound(NamedTuple):
    exact: Fraction
    source: str
    id: str


def titration(
    program: Program,
    patient: Patient,
    *,
    library: Library = DEFAULT,
    boluses: Boluses = Boluses.SCALED,
    started: Moment | None = None,
    last_increase: Moment | None = None,
) -> Titration:
    """The permitted range of the next daily dose.

    `started` is when the pump began to give the drug, `last_increase` when the
    dose was last raised, where they are known. A history that was not said is
    held to the stricter rule, that of a new patient.
    """
    if program.mode is Mode.MINIMUM:
        why = "minimum rate is no prescribed dose; what follows on it is a start, not a step"
        least = "minimum rate is the least that the pump gives"
        current = Fraction(program.fallback.quanta)
        return Titration(current, None, why, None, None, least, last_increase, why)
    scaling, current = Scaling(program, boluses), largest_day(program)
    increase = _increase(scaling, patient, library)
    reduction = _reduction(scaling, library)
    return Titration(
        current,
        increase if isinstance(increase, Range) else None,
        "" if isinstance(increase, Range) else _none("larger", increase),
        _earliest(started, last_increase),
        reduction if isinstance(reduction, Range) else None,
        "" if isinstance(reduction, Range) else _none("smaller", reduction),
        last_increase,
        _none("smaller", None) if reduction is None else "",
    )


def _none(which: str, hard: Hard | None) -> str:
    """Why no dose on this side can be had."""
    if hard is None:
        return f"the dose is at its limit: no {which} one is permitted"
    return f"a {which} dose would have a hard finding, {hard.id}: {hard.message}"


def changed_by(current: Fraction, percent: Percent, *, down: bool = False) -> Rate:
    """The dose that differs by so much, rounded to 1 ng towards the current one."""
    if down:
        return Rate(round_up(current * max(Fraction(0), 1 - percent.fraction)))
    return Rate(round_down(current * (1 + percent.fraction)))


def refusal(found: Titration, dose: Rate, now: Moment) -> str | None:
    """Why this dose is refused at this time; None where it is not.

    A reduction is never refused by a rule of the label.
    """
    if dose.quanta > found.current:
        if found.increase is None:
            return found.no_increase
        span = found.increase
        if found.earliest is not None and now.utc_ms < found.earliest.value.utc_ms:
            when = found.earliest.value
            return f"no increase before {when}: {found.earliest.source}"
        most = span.refused_beyond
        if most is not None and dose > most.value:
            return f"{dose} is above {most.value}: {_usual(span, 'above')} ({most.source})"
    elif found.reduction is None:
        return found.smaller_refused or None
    else:
        least = found.reduction.refused_beyond
        if least is not None and dose < least.value:
            usual = _usual(found.reduction, "below")
            return f"{dose} is below {least.value}: {usual} ({least.source})"
    return None


def _usual(span: Range, beyond: str) -> str:
    reason = "".join(f"; {beyond} {soft.dose} needs a reason" for soft in span.reason_beyond[:1])
    return f"the usual step is {span.low} to {span.high}; smaller is allowed{reason}"


def cautions(found: Titration, dose: Rate) -> tuple[Finding, ...]:
    """The findings that this dose will meet, beside the current one, when it is planned.

    A label's step is a note where the library asks for the reason already, as in the checks.
    """
    up = dose.quanta > found.current
    span = found.increase if up else found.reduction
    beyond = [
        soft
        for soft in (span.reason_beyond if span else ())
        if (dose > soft.dose if up else dose < soft.dose)
    ]
    asked = any(soft.id == _BY_LIBRARY for soft in beyond)
    percent, side = percent_text(found.current, dose.quanta), "above" if up else "below"
    hazard = "" if up else f": {WITHDRAWAL}"
    return tuple(
        Finding(
            soft.id,
            Severity.NOTE if asked and soft.id == _BY_LABEL else Severity.SOFT,
            f"{dose} ({percent}) is {side} {soft.dose}{hazard}",
            soft.source,
            str(dose),
            str(soft.dose),
        )
        for soft in beyond
    )


def _earliest(started: Moment | None, last_increase: Moment | None) -> Sourced[Moment] | None:
    known = []
    if started is not None:
        first = started.plus(label.FIRST_DAY.value.quanta)
        known.append(Sourced(first, label.FIRST_DAY.source))
    if last_increase is not None:
        again = last_increase.plus(label.INCREASE_APART.value.quanta)
        known.append(Sourced(again, label.INCREASE_APART.source))
    return max(known, key=lambda each: each.value.utc_ms, default=None)


def _increase(scaling: Scaling, patient: Patient, library: Library) -> Range | Hard | None:
    """The range; or the hard finding that leaves none, or None where a limit does."""
    limits = library.nearest(scaling.program.drug, scaling.program.concentration)
    step = label.increase_step(patient.age_group, patient.spasticity_origin, patient.history)
    change, absolute = limits.daily_change, limits.daily_dose
    of_label = _Bound(scaling.dose(scaling.within(step.high.fraction)), step.source, _BY_LABEL)
    verified = TO_VERIFY not in step.source
    hard = [
        *([of_label] if verified else []),
        *_relative(scaling, change.increase_hard, 1),
        *_absolute(scaling, absolute.hard_high, 1),
    ]
    soft = [
        *([] if verified else [of_label]),
        *_relative(scaling, change.increase_soft, 1),
        *_absolute(scaling, absolute.soft_high, 1),
    ]
    most = min(hard, default=None)
    reach = min(of_label, most or of_label).exact
    low = scaling.applied(scaling.within(step.low.fraction), outwards=True)
    high = scaling.applied(scaling.factor(reach))
    top = round_down(largest_day(high))
    if top <= largest_day(scaling.program):
        return None
    stopped = hard_beyond(scaling, round_down((most or of_label).exact), library)
    if stopped is not None:
        if not stopped.changes:
            return stopped
        top = min(top, stopped.dose.quanta)
    return Range(
        low=Rate(min(round_up(largest_day(low)), top)),
        high=Rate(top),
        step=step,
        refused_beyond=Sourced(Rate(round_down(most.exact)), most.source) if most else None,
        reason_beyond=tuple(
            Soft(Rate(round_down(each.exact)), each.source, each.id)
            for each in sorted(soft)
            if (most is None or each.exact < most.exact)
            and (stopped is None or each.exact < stopped.dose.quanta)
        ),
        hard_beyond=stopped,
    )


def _reduction(scaling: Scaling, library: Library) -> Range | Hard | None:
    """The same downwards."""
    limits = library.nearest(scaling.program.drug, scaling.program.concentration)
    step, change, absolute = label.REDUCTION, limits.daily_change, limits.daily_dose
    hard = [
        *_relative(scaling, change.reduction_hard, -1),
        *_absolute(scaling, absolute.hard_low, -1),
    ]
    soft = [
        *_relative(scaling, change.reduction_soft, -1),
        *_absolute(scaling, absolute.soft_low, -1),
    ]
    least = max(hard, default=None)
    low = largest_day(scaling.applied(scaling.within(-step.high.fraction)))
    high = largest_day(scaling.applied(scaling.within(-step.low.fraction), outwards=True))
    bottom = round_up(max(low, least.exact) if least else low)
    if bottom >= largest_day(scaling.program):
        return None
    stopped = hard_beyond(scaling, round_up(least.exact) if least else 1, library)
    if stopped is not None:
        if not stopped.changes:
            return stopped
        bottom = max(bottom, stopped.dose.quanta)
    return Range(
        low=Rate(bottom),
        high=Rate(max(round_down(high), bottom)),
        step=step,
        refused_beyond=Sourced(Rate(round_up(least.exact)), least.source) if least else None,
        reason_beyond=tuple(
            Soft(Rate(round_up(each.exact)), each.source, each.id)
            for each in sorted(soft, reverse=True)
            if (least is None or each.exact > least.exact)
            and (stopped is None or each.exact > stopped.dose.quanta)
        ),
        hard_beyond=stopped,
    )


_BY_LABEL, _BY_LIBRARY = "MAINTENANCE_STEP", "DOSE_INCREASE"


def _relative(scaling: Scaling, limit: Sourced[Percent] | None, sign: int) -> Iterator[_Bound]:
    """The dose at which some day has changed by as much as the library lets it."""
    if limit is not None:
        exact = scaling.dose(scaling.within(sign * limit.value.fraction))
        yield _Bound(exact, limit.source, _BY_LIBRARY if sign > 0 else "DOSE_REDUCTION")


def _absolute(scaling: Scaling, limit: Sourced[Rate] | None, sign: int) -> Iterator[_Bound]:
    """The dose at which the largest day, or downwards the smallest, is at the limit."""
    if limit is None:
        return
    if sign > 0:
        yield _Bound(Fraction(limit.value.quanta), limit.source, "DAILY_DOSE_SOFT")
    else:
        exact = scaling.dose(max(Fraction(0), scaling.factor_of_smallest(limit.value.quanta)))
        yield _Bound(exact, limit.source, "DAILY_DOSE_LOW")
