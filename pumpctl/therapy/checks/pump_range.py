"""Can a pump of this kind deliver it? Flows from 0.048 to 24 mL/day at this concentration.

The pump checks the same by its own arithmetic (LIM-01, LIM-06). Compared as
exact fractions, never as rounded flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.quantities import (
    Concentration,
    Duration,
    Flow,
    Mass,
    round_down,
    round_up,
)
from pumpctl.quantity_text import MAX_QUANTA
from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import Case, basal_rates, check
from pumpctl.therapy.figures import rate_at
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.moment import DAY_MS, DAYS, MINUTE_MS, clock_text
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import DAY_MINUTES, Mode, Program


def _flow(ng_per_day: Fraction | int, concentration: Concentration) -> Fraction:
    """The exact flow in nL/day of a dose rate in ng/day."""
    return Fraction(ng_per_day) * 1_000 / concentration.quanta


@check(
    "FLOW_LOW",
    Severity.HARD,
    source=practice.MINIMUM_FLOW.source,
    why="Below its least flow a pump of this kind does not deliver what it was told; the patient "
    "would get nothing one can rely on. A lower concentration gives more room at low doses.",
)
def flow_low(case: Case) -> Iterator[Seen]:
    """No basal rate is below the pump's least flow."""
    concentration = case.draft.concentration
    if not concentration:
        return
    least, source = practice.MINIMUM_FLOW
    floor = least.quanta * concentration.quanta
    for rate, path in basal_rates(case):
        if rate and rate.quanta * 1_000 < floor:
            flow = _flow(rate.quanta, concentration)
            yield Seen(
                f"{rate} ({rate.per_hour_text()}) at {concentration} is "
                f"{Flow(round_down(flow))}, below the pump's least flow",
                value=str(Flow(round_down(flow))),
                limit=str(least),
                path=path,
                source=source,
            )


@check(
    "FLOW_HIGH",
    Severity.HARD,
    source=practice.MAXIMUM_FLOW.source,
    why="Basal, scheduled bolus and patient dose together never exceed the pump's greatest flow "
    "(LIM-06). Over a longer time the same dose can be given.",
)
def flow_high(case: Case) -> Iterator[Seen]:
    """No basal rate, and no bolus on top of it, is above the pump's greatest flow."""
    concentration = case.draft.concentration
    if not concentration:
        return
    for rate, path in basal_rates(case):
        if _beyond(rate.quanta, concentration):
            yield _too_high(concentration, rate.quanta, path, str(rate))
    program = case.program
    if program is None or program.mode is Mode.MINIMUM:
        return
    basal = max(step.rate.quanta for steps in program.days for step in steps)
    own = program.patient_dose
    on_top = _bolus_rate(own.dose, own.over) if own is not None and own.over else 0
    boluses = {(bolus.dose, bolus.over) for bolus in program.boluses if bolus.over}
    fastest = max((_bolus_rate(*each) for each in boluses), default=0)
    if not _beyond(basal + fastest + on_top, concentration):
        return  # not even all of it at once
    peak: Fraction | int = basal
    told: set[Path] = set()
    for (day, at, dose, over), path in case.placed or ():
        if not over:
            continue
        total = _highest_basal(program, day, at, over) + _bolus_rate(dose, over)
        peak = max(peak, total)
        if path not in told and _beyond(total, concentration):
            told.add(path)
            when = f"the bolus of {DAYS[day]} {clock_text(at)} on top of the basal rate"
            yield _too_high(concentration, total, path, when)
    if on_top and _beyond(peak + on_top, concentration):
        where = ("program", "patient_dose", "over")
        what = "a patient dose on top of all the rest"
        yield _too_high(concentration, peak + on_top, where, what)


def _beyond(total: Fraction | int, concentration: Concentration) -> bool:
    """Whether this dose rate, in ng/day, is above the pump's greatest flow."""
    return total * 1_000 > practice.MAXIMUM_FLOW.value.quanta * concentration.quanta


def _too_high(concentration: Concentration, total: Fraction | int, path: Path, what: str) -> Seen:
    greatest, source = practice.MAXIMUM_FLOW
    text = str(Flow(min(round_up(_flow(total, concentration)), MAX_QUANTA)))
    return Seen(
        f"{what} makes {text}, above the pump's greatest flow",
        value=text,
        limit=str(greatest),
        path=path,
        source=source,
    )


def _bolus_rate(dose: Mass, over: Duration) -> Fraction:
    """The dose rate, in ng/day, while a bolus runs."""
    return Fraction(dose.quanta * DAY_MS, over.quanta)


def _highest_basal(program: Program, day: int, at: int, over: Duration) -> int:
    """The highest basal rate, in ng/day, while a bolus runs."""
    last = at + round_up(Fraction(over.quanta, MINUTE_MS))
    highest = rate_at(program, day, at).quanta
    for ahead in range(last // DAY_MINUTES + 1):
        for step in program.days[(day + ahead) % 7]:
            if at <= step.start + ahead * DAY_MINUTES < last:
                highest = max(highest, step.rate.quanta)
    return highest


@check(
    "FALLBACK_FLOW",
    Severity.HARD,
    source="pump model range (to verify), PRG-07",
    why="The fallback is given when the stored program is damaged. It must be a rate that the "
    "pump can give, or there is no safety net.",
)
def fallback_flow(case: Case) -> Iterator[Seen]:
    """The fallback rate is one that the pump can give."""
    fallback, concentration = case.draft.fallback, case.draft.concentration
    if not concentration or not fallback:
        return
    flow = _flow(fallback.quanta, concentration)
    least, greatest = practice.MINIMUM_FLOW.value, practice.MAXIMUM_FLOW.value
    if not least.quanta <= flow <= greatest.quanta:
        text = str(Flow(round_down(flow)))
        yield Seen(
            f"a fallback of {fallback} at {concentration} is {text}, which the pump cannot give",
            value=text,
            limit=f"{least} to {greatest}",
            path=("program", "fallback_rate"),
        )
