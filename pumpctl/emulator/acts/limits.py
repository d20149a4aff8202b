"""The pump's own verdict on a program, a bolus, and all that is ahead.

It shares nothing with the station's checks but the wire format (LIM-01), and it
is final. Everything is compared exactly, by cross-multiplied integers. The
limits themselves come from `hard`; soft limits and usual ranges are not known
here, and neither is who asks.
"""

from __future__ import annotations

from functools import cmp_to_key

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.hard import Hard
from pumpctl.emulator.engine.ahead import Ahead, Asked, peak, pieces, settled, stretches
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import ZERO, Ratio, ratio
from pumpctl.emulator.engine.figures import WEEK_MS, Figures, least_rate
from pumpctl.emulator.engine.past import Past
from pumpctl.emulator.engine.windows import over_window
from pumpctl.emulator.memory.implant import Implant
from pumpctl.wire.codes import Mode, Refuse
from pumpctl.wire.program import Program, Step, spelling_fault

_DAY_MINUTES = DAY_MS // MINUTE_MS


def check(program: Program, implant: Implant, hard: Hard) -> None:
    """Refused for anything that this pump, filled with this, must not be given.

    `hard` is that of the reservoir's drug and concentration; in a refill, of the new ones.
    """
    _fluid(program, hard)
    _plausible(program, implant)
    fault = spelling_fault(program)
    if fault is not None:
        raise Refused(Refuse.NOT_CANONICAL, fault)
    if program.low_alarm > implant.capacity:
        raise Refused(Refuse.RANGE, "the low-reservoir volume is above the capacity")
    _rates(program, hard)
    figures = Figures(program, implant.least_flow)
    _flow(program, implant, figures)
    _mass(hard, figures)
    _single(program, hard)


def _fluid(program: Program, hard: Hard) -> None:
    if program.drug is not hard.drug:
        raise Refused(Refuse.DRUG, "another drug than the reservoir's; only a refill changes it")
    if program.concentration != hard.concentration:
        raise Refused(
            Refuse.CONCENTRATION,
            f"{program.concentration} mcg/mL, but the reservoir holds {hard.concentration} "
            "mcg/mL; only a refill changes it",
        )


# --- PRG-08 -------------------------------------------------------------------------


def _plausible(program: Program, implant: Implant) -> None:
    if program.mode is Mode.MINIMUM_RATE:
        least = least_rate(program.concentration, implant.least_flow)
        if program.fallback * least.den != least.num:
            raise Refused(Refuse.IMPLAUSIBLE, "in minimum rate the fallback is the minimum flow")
        return
    for day, steps in enumerate(program.days):
        fault = _day_fault(steps)
        if fault:
            raise Refused(Refuse.IMPLAUSIBLE, f"day {day}: {fault}")
    _boluses(program)
    own = program.patient_dose
    if own is not None and not (own.dose and own.over and own.lockout and own.most):
        raise Refused(Refuse.IMPLAUSIBLE, "a patient dose with a zero in it")
    if own is not None and own.lockout > WEEK_MS:
        raise Refused(Refuse.IMPLAUSIBLE, "a lockout of more than a week")
    if own is not None and own.over > DAY_MS:
        raise Refused(Refuse.IMPLAUSIBLE, "a patient dose that takes more than a day")


def _day_fault(steps: tuple[Step, ...]) -> str:
    """What keeps the steps from covering 24 h, once, in order."""
    if not steps:
        return "no steps"
    covered = 0
    ends = [step.start for step in steps[1:]] + [_DAY_MINUTES]
    for step, end in zip(steps, ends, strict=True):
        if step.start > covered:
            return "a gap in the steps"
        if step.start < covered or end <= step.start:
            return "steps that overlap, have no length or are not sorted"
        if step.rate == 0:
            return "a step that gives nothing; stopping is not a program"
        covered = end
    return "" if covered == _DAY_MINUTES else "the steps do not cover 24 h"


def _boluses(program: Program) -> None:
    spans = []
    for bolus in program.boluses:
        start = bolus.day * DAY_MS + bolus.at * MINUTE_MS
        if bolus.dose == 0 or bolus.over == 0:
            raise Refused(Refuse.IMPLAUSIBLE, "a bolus without a dose or without a duration")
        if bolus.over > DAY_MS:
            raise Refused(Refuse.IMPLAUSIBLE, "a bolus that takes more than a day")
        spans.append((start, start + bolus.over))
    if spans != sorted(spans):
        raise Refused(Refuse.IMPLAUSIBLE, "boluses that are not sorted")
    following = [*spans[1:], (spans[0][0] + WEEK_MS, 0)] if spans else []
    for (_, end), (start, _) in zip(spans, following, strict=True):
        if end > start:
            raise Refused(Refuse.IMPLAUSIBLE, "a bolus that starts while another one runs")


# --- LIM-03, LIM-06 ------------------------------------------------------------------


def _rates(program: Program, hard: Hard) -> None:
    """Each basal rate, and the fallback, can and may be delivered at this concentration.

    Minimum rate is the model's own flow: no table raises it.
    """
    named = [("the fallback rate", program.fallback)]
    for day, steps in enumerate(program.days):
        named += [(f"day {day} at minute {step.start}", step.rate) for step in steps]
    for name, rate in named:
        if rate < hard.least_rate and program.mode is not Mode.MINIMUM_RATE:
            raise Refused(Refuse.LIMIT_RATE_LOW, f"{name} is below the least rate")
        if rate > hard.most_rate:
            raise Refused(Refuse.LIMIT_RATE, f"{name} is above the largest rate")
        if rate > hard.most_daily:
            raise Refused(Refuse.LIMIT_DAILY_DOSE, f"{name} is above the largest daily dose")


def _flow(program: Program, implant: Implant, figures: Figures) -> None:
    """Basal, bolus and patient dose together, at every instant (LIM-06)."""
    own = program.patient_dose
    rate = figures.peak()
    if own is not None:
        rate = rate.plus(ratio(own.dose, own.over))
    if _flows_above(rate, program.concentration, implant):
        raise Refused(
            Refuse.LIMIT_RATE, "basal, bolus and patient dose together are above the maximum flow"
        )


def _flows_above(rate: Ratio, concentration: int, implant: Implant) -> bool:
    """Is this dose rate (ng/ms), metered at pg/nL, more than the motor may give in nL/day?"""
    return ratio(rate.num * 1_000 * DAY_MS, rate.den * concentration).above(implant.most_flow)


def _mass(hard: Hard, figures: Figures) -> None:
    """Days, and the program's own windows, the whole week round (LIM-05)."""
    for day in range(7):
        if figures.day(day).above(hard.most_daily):
            raise Refused(Refuse.LIMIT_DAILY_DOSE, f"day {day} is above the largest daily dose")
    if figures.largest_24h() > hard.window_day:
        raise Refused(
            Refuse.LIMIT_WINDOW, "24 h with all patient doses are above the limit of 24 h"
        )
    if figures.largest_hour_of_week() > hard.window_hour:
        raise Refused(Refuse.LIMIT_WINDOW, "the largest hour is above the limit of an hour")


def _single(program: Program, hard: Hard) -> None:
    """Each bolus by itself, and the patient's own."""
    for bolus in program.boluses:
        if bolus.dose > hard.most_bolus:
            raise Refused(
                Refuse.RANGE,
                f"the bolus on day {bolus.day} at minute {bolus.at} is above the largest bolus",
            )
    own = program.patient_dose
    if own is not None and own.dose > hard.most_patient_dose:
        raise Refused(Refuse.RANGE, "the patient dose is above the largest one")
    if own is not None and own.lockout < hard.patient_lockout_least:
        raise Refused(Refuse.RANGE, "the patient's lockout is below the least one")


# --- a bolus on demand, and all that is ahead --------------------------------------------


def check_bolus(bolus: Asked, hard: Hard, *, patient: bool = False) -> None:
    """Refused for a bolus that is none, or too large by itself.

    What it adds up to is judged by `check_flow` and `check_windows`, with it in the `Ahead`.
    """
    if bolus.dose == 0 or bolus.over == 0:
        raise Refused(Refuse.IMPLAUSIBLE, "a bolus without a dose or without a duration")
    if bolus.over > DAY_MS:
        raise Refused(Refuse.IMPLAUSIBLE, "a bolus that takes more than a day")
    if bolus.dose > (hard.most_patient_dose if patient else hard.most_bolus):
        raise Refused(Refuse.RANGE, "above the largest dose of a single bolus")


def check_flow(ahead: Ahead, implant: Implant) -> None:
    """Refused where what passes would take the motor above its maximum flow (LIM-06).

    Basal, scheduled, running and asked boluses at every instant, each metered at
    the concentration of its moment; what the last program does alone is `check`'s.
    """
    until = settled(ahead)
    given = pieces(ahead, until)
    for start, end, play in stretches(ahead, until):
        if _flows_above(peak(given, start, end), play.concentration, implant):
            raise Refused(
                Refuse.LIMIT_RATE, "with the boluses that run, it would be above the maximum flow"
            )


def check_switch(played: Program, own: Program, concentration: int, implant: Implant) -> None:
    """Refused where a bridge may end at an instant that takes the flow above the maximum.

    A stall moves that instant. So what is played must fit at the old concentration
    all week, and its largest bolus on top of the other program at the new one.
    """
    if played == own:  # one program: its own boluses are in its own peak
        boluses = ZERO
    else:
        rates = [ratio(bolus.dose, bolus.over) for bolus in played.boluses]
        boluses = max(rates, key=cmp_to_key(_compare), default=ZERO)
    before = Figures(played, implant.least_flow).peak()
    after = Figures(own, implant.least_flow).peak().plus(boluses)
    if _flows_above(before, concentration, implant) or _flows_above(
        after, own.concentration, implant
    ):
        raise Refused(
            Refuse.LIMIT_RATE, "in the bridge, or as it ends, it would be above the maximum flow"
        )


def _compare(one: Ratio, other: Ratio) -> int:
    return one.num * other.den - other.num * one.den


def check_windows(past: Past, ahead: Ahead, hard: Hard, without: Ahead | None = None) -> None:
    """Refused where a window that reaches into the future would hold too much (LIM-05).

    `without` is what would be given if this were refused; see `engine/windows`.
    """
    over = over_window(past, ahead, hour=hard.window_hour, day=hard.window_day, without=without)
    if over is not None:
        limit = hard.window_hour if over.length == HOUR_MS else hard.window_day
        raise Refused(
            Refuse.LIMIT_WINDOW,
            f"{_mcg(over.amount)} in {over.length // HOUR_MS} h, past and to come; "
            f"the limit is {_mcg(limit)}",
        )


def _mcg(mass: int) -> str:
    """ng as a person reads them (UNI-06)."""
    whole, rest = divmod(mass, 1_000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") + " mcg"
