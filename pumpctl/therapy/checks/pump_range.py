"""Can a pump of this kind deliver it? Flows from 0.048 to 24 mL/day at this concentration.

The pump checks the same by its own arithmetic (LIM-01, LIM-06). Compared as
exact fractions, never as rounded flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.quantities import MAX_QUANTA, Concentration, Flow, Mass, round_down, round_up
from pumpctl.therapy import practice
from pumpctl.therapy.checks.registry import Case, basal_rates, check
from pumpctl.therapy.figures import rate_at
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.moment import DAY_MS, DAYS, MINUTE_MS, clock_text
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import DAY_MINUTES, Mode, Program, ScheduledBolus


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
    for rate, path in basal_rates(case):
        flow = _flow(rate.quanta, concentration)
        if rate and flow < least.quanta:
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
        yield from _too_high(case, Fraction(rate.quanta), path, f"{rate}")
    program = case.program
    if program is None or program.mode is Mode.MINIMUM:
        return
    peak = Fraction(max(step.rate.quanta for steps in program.days for step in steps))
    told: set[Path] = set()
    for each in case.draft.placed_boluses() or ():
        bolus, path = each.bolus, each.path
        if not bolus.over:
            continue
        total = _highest_basal(program, bolus) + _bolus_rate(bolus.dose, bolus.over.quanta)
        peak = max(peak, total)
        when = f"the bolus of {DAYS[bolus.day]} {clock_text(bolus.at)} on top of the basal rate"
        if path not in told:
            for seen in _too_high(case, total, path, when):
                told.add(path)
                yield seen
    own = program.patient_dose
    if own is not None and own.over:
        total = peak + _bolus_rate(own.dose, own.over.quanta)
        where = ("program", "patient_dose", "over")
        yield from _too_high(case, total, where, "a patient dose on top of all the rest")


def _too_high(case: Case, total: Fraction, path: Path, what: str) -> Iterator[Seen]:
    greatest, source = practice.MAXIMUM_FLOW
    concentration = case.draft.concentration
    flow = _flow(total, concentration) if concentration else 0
    if flow > greatest.quanta:
        text = str(Flow(min(round_up(flow), MAX_QUANTA)))
        yield Seen(
            f"{what} makes {text}, above the pump's greatest flow",
            value=text,
            limit=str(greatest),
            path=path,
            source=source,
        )


def _bolus_rate(dose: Mass, over_ms: int) -> Fraction:
    """The dose rate, in ng/day, while a bolus runs."""
    return Fraction(dose.quanta * DAY_MS, over_ms)


def _highest_basal(program: Program, bolus: ScheduledBolus) -> int:
    """The highest basal rate, in ng/day, while this bolus runs."""
    last = bolus.at + round_up(Fraction(bolus.over.quanta, MINUTE_MS))
    highest = rate_at(program, bolus.day, bolus.at).quanta
    for ahead in range(last // DAY_MINUTES + 1):
        for step in program.days[(bolus.day + ahead) % 7]:
            if bolus.at <= step.start + ahead * DAY_MINUTES < last:
                highest = max(highest, step.rate.quanta)
    return highest


@check(
    "FALLBACK_FLOW",
    Severity.HARD,
    source="pump model range, PRG-07",
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
