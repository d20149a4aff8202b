"""The pump's own verdict on a program: plausibility, and the factory's absolutes.

It shares nothing with the station's checks but the wire format (LIM-01), and it
is final. Everything is compared exactly, by cross-multiplied integers. Limits
come from the implant record; soft limits and usual ranges are not known here.
"""

from __future__ import annotations

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.engine.clock import DAY_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import Ratio, ratio
from pumpctl.emulator.engine.figures import WEEK_MS, Figures, least_rate
from pumpctl.emulator.engine.schedule import Schedule, bolus_flow
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.wire.codes import Drug, Mode, Refuse
from pumpctl.wire.program import Program, Step, spelling_fault

_DAY_MINUTES = DAY_MS // MINUTE_MS


def check(program: Program, implant: Implant, drug: Drug, concentration: int) -> None:
    """Refused for anything that this pump, filled with this, must not be given."""
    _fluid(program, implant, drug, concentration)
    _plausible(program, implant)
    fault = spelling_fault(program)
    if fault is not None:
        raise Refused(Refuse.NOT_CANONICAL, fault)
    if program.low_alarm > implant.capacity:
        raise Refused(Refuse.RANGE, "the low-reservoir volume is above the capacity")
    _rates(program, implant)
    figures = Figures(program, implant.least_flow)
    _flow(program, implant, figures)
    _mass(implant, figures)


def _fluid(program: Program, implant: Implant, drug: Drug, concentration: int) -> None:
    if program.drug is not drug:
        raise Refused(Refuse.DRUG, "another drug than the reservoir's; only a refill changes it")
    if program.concentration not in implant.concentrations:
        raise Refused(
            Refuse.CONCENTRATION, f"{program.concentration} mcg/mL is not on this pump's list"
        )
    if program.concentration != concentration:
        raise Refused(
            Refuse.CONCENTRATION,
            f"{program.concentration} mcg/mL, but the reservoir holds {concentration} mcg/mL; "
            "only a refill changes it",
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


def _rates(program: Program, implant: Implant) -> None:
    """Each basal rate, and the fallback, can be delivered at this concentration."""
    named = [("the fallback rate", program.fallback)]
    for day, steps in enumerate(program.days):
        named += [(f"day {day} at minute {step.start}", step.rate) for step in steps]
    least = implant.least_flow * program.concentration
    most = implant.most_flow * program.concentration
    for name, rate in named:
        if rate * 1_000 < least:
            raise Refused(Refuse.LIMIT_RATE_LOW, f"{name} is below the minimum flow")
        if rate * 1_000 > most:
            raise Refused(Refuse.LIMIT_RATE, f"{name} is above the maximum flow")
        if rate > implant.most_daily:
            raise Refused(Refuse.LIMIT_DAILY_DOSE, f"{name} is above the pump's daily dose")


def _flow(program: Program, implant: Implant, figures: Figures) -> None:
    """Basal, bolus and patient dose together, at every instant (LIM-06)."""
    own = program.patient_dose
    peak = figures.peak()
    if own is not None:
        peak = peak.plus(ratio(own.dose, own.over))
    # ng/ms against nL/day: times 1000 / concentration and DAY_MS
    if ratio(peak.num * 1_000 * DAY_MS, peak.den * program.concentration).above(implant.most_flow):
        raise Refused(
            Refuse.LIMIT_RATE, "basal, bolus and patient dose together are above the maximum flow"
        )


def _mass(implant: Implant, figures: Figures) -> None:
    for day in range(7):
        if figures.day(day).above(implant.most_daily):
            raise Refused(Refuse.LIMIT_DAILY_DOSE, f"day {day} is above the pump's daily dose")
    if figures.largest_24h() > implant.most_daily:
        raise Refused(
            Refuse.LIMIT_WINDOW,
            "24 h with all patient doses are above the pump's daily dose",
        )


def check_running(
    schedule: Schedule, boluses: list[Bolus], implant: Implant, *, local: int, counter: int
) -> None:
    """Refused where boluses that go on would take a new program above the maximum flow."""
    if not boluses:
        return
    until = max(bolus.started + bolus.over for bolus in boluses) - counter + local
    new: list[tuple[int, int, Ratio]] = []
    time = local
    while (due := schedule.next_bolus(time)) is not None and due.start < until:
        bolus = due.bolus
        flow = bolus_flow(bolus.dose, bolus.over, schedule.program.concentration)
        new.append((due.start, due.start + bolus.over, flow))
        time = due.start
    old = [(local, each.started + each.over - counter + local, _own_flow(each)) for each in boluses]
    instant = local
    while instant < until:
        total = schedule.flow(instant)
        for start, end, flow in old + new:
            if start <= instant < end:
                total = total.plus(flow)
        if total.times(DAY_MS).above(implant.most_flow):
            raise Refused(
                Refuse.LIMIT_RATE, "with the bolus that is running, above the maximum flow"
            )
        edges = [schedule.next_change(instant), until]
        edges += [edge for start, end, _ in old + new for edge in (start, end) if edge > instant]
        instant = min(edges)


def _own_flow(bolus: Bolus) -> Ratio:
    return bolus_flow(bolus.dose, bolus.over, bolus.concentration)
