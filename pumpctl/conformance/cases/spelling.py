"""One prescription has one spelling, and a schedule leaves no gap (section 13, PRG-08)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.samples import HOUR_MS, MINUTE_MS, NO_MINIMUM
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Mode, Refuse
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step

_EITHER = (Refuse.IMPLAUSIBLE, Refuse.NOT_CANONICAL)
_LAST_MINUTE = 1439


def _refused(bench: Bench, program: Program, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(m.StageProgram(bench.tag, program), *codes)


def _first_day(bench: Bench, *steps: Step) -> Program:
    """A flex program whose Monday is this."""
    flex = bench.samples.flex()
    return flex._replace(days=(steps, *flex.days[1:]))


def _boluses(bench: Bench, *boluses: ScheduledBolus) -> Program:
    return bench.samples.flex()._replace(boluses=boluses)


def _dose(bench: Bench) -> int:
    return bench.samples.rate(1) // 96


@case("P8-gap", "A day whose first step does not start at midnight is IMPLAUSIBLE.")
def gap(bench: Bench) -> None:
    rate = bench.samples.rate
    _refused(bench, _first_day(bench, Step(1, rate(2)), Step(600, rate(3))), Refuse.IMPLAUSIBLE)
    for day in range(7):
        days = list(bench.samples.flex().days)
        days[day] = (Step(_LAST_MINUTE, rate(2)),)
        _refused(bench, bench.samples.flex()._replace(days=tuple(days)), Refuse.IMPLAUSIBLE)


@case("P8-empty-day", "A day without a step is refused.")
def empty_day(bench: Bench) -> None:
    _refused(bench, _first_day(bench), *_EITHER)


@case("P8-unsorted", "Steps that are not in rising order are IMPLAUSIBLE.")
def unsorted(bench: Bench) -> None:
    rate = bench.samples.rate
    steps = Step(0, rate(2)), Step(700, rate(3)), Step(300, rate(4))
    _refused(bench, _first_day(bench, *steps), Refuse.IMPLAUSIBLE)


@case("P8-zero-length", "Two steps that start together are IMPLAUSIBLE.")
def zero_length(bench: Bench) -> None:
    rate = bench.samples.rate
    steps = Step(0, rate(2)), Step(300, rate(3)), Step(300, rate(4))
    _refused(bench, _first_day(bench, *steps), Refuse.IMPLAUSIBLE)


@case("P8-zero-rate", "A step that gives nothing is IMPLAUSIBLE: stopping is no program.")
def zero_rate(bench: Bench) -> None:
    steps = Step(0, bench.samples.rate(2)), Step(300, 0)
    _refused(bench, _first_day(bench, *steps), Refuse.IMPLAUSIBLE)


@case("P8-not-merged", "Neighbours of equal rate that are not merged are NOT_CANONICAL.")
def not_merged(bench: Bench) -> None:
    steps = Step(0, bench.samples.rate(2)), Step(300, bench.samples.rate(2))
    _refused(bench, _first_day(bench, *steps), Refuse.NOT_CANONICAL)


@case("P8-continuous", "A continuous program has one step, the same on all days.")
def continuous(bench: Bench) -> None:
    flex = bench.samples.flex()._replace(mode=Mode.CONTINUOUS)
    _refused(bench, flex, Refuse.NOT_CANONICAL)
    days = ((Step(0, bench.samples.rate(3)),), *bench.samples.flat().days[1:])
    _refused(bench, bench.samples.flat()._replace(days=days), Refuse.NOT_CANONICAL)


@case("P8-format", "A program of another format is NOT_CANONICAL.")
def other_format(bench: Bench) -> None:
    for number in (0, 2, 255):
        _refused(bench, bench.samples.flex()._replace(format=number), Refuse.NOT_CANONICAL)


@case("P8-minimum-steps", "Minimum rate has no steps, no boluses and no patient dose.")
def minimum_steps(bench: Bench) -> None:
    slow = bench.samples.minimum()
    if slow is None:
        raise NotApplicable(NO_MINIMUM)
    _refused(bench, slow._replace(days=bench.samples.flat().days), *_EITHER)
    bolus = ScheduledBolus(0, 10, _dose(bench), MINUTE_MS)
    _refused(bench, slow._replace(boluses=(bolus,)), *_EITHER)
    own = PatientDose(_dose(bench), MINUTE_MS, HOUR_MS, 1)
    _refused(bench, slow._replace(patient_dose=own), *_EITHER)


@case("P8-minimum-fallback", "Minimum rate with another fallback than the least flow: IMPLAUSIBLE.")
def minimum_fallback(bench: Bench) -> None:
    slow = bench.samples.minimum()
    if slow is None:
        raise NotApplicable(NO_MINIMUM)
    for off in (1, bench.samples.least):
        _refused(bench, slow._replace(fallback=slow.fallback + off), Refuse.IMPLAUSIBLE)


@case("P8-bolus-order", "Boluses that are not sorted by day and minute are refused.")
def bolus_order(bench: Bench) -> None:
    dose = _dose(bench)
    early, late = ScheduledBolus(1, 60, dose, MINUTE_MS), ScheduledBolus(2, 30, dose, MINUTE_MS)
    _refused(bench, _boluses(bench, late, early), *_EITHER)
    same_day = early._replace(at=900), early
    _refused(bench, _boluses(bench, *same_day), *_EITHER)


@case("P8-bolus-together", "Two boluses that start together are refused.")
def bolus_together(bench: Bench) -> None:
    one = ScheduledBolus(1, 60, _dose(bench), MINUTE_MS)
    _refused(bench, _boluses(bench, one, one), *_EITHER)


@case(
    "P8-bolus-overlap",
    "A bolus that starts while another runs is IMPLAUSIBLE, Sunday to Monday too.",
)
def bolus_overlap(bench: Bench) -> None:
    dose = _dose(bench)
    first = ScheduledBolus(1, 60, dose, 10 * MINUTE_MS + 1)
    second = ScheduledBolus(1, 70, dose, MINUTE_MS)
    _refused(bench, _boluses(bench, first, second), Refuse.IMPLAUSIBLE)
    sunday = ScheduledBolus(6, _LAST_MINUTE, dose, 3 * MINUTE_MS)
    monday = ScheduledBolus(0, 1, dose, MINUTE_MS)
    _refused(bench, _boluses(bench, monday, sunday), Refuse.IMPLAUSIBLE)
    touching = _boluses(bench, first._replace(over=10 * MINUTE_MS), second)
    bench.stage(touching)  # one that ends where the next starts is none


@case("P8-bolus-zero", "A bolus of nothing, over no time, or over more than a day is IMPLAUSIBLE.")
def bolus_zero(bench: Bench) -> None:
    one = ScheduledBolus(1, 60, _dose(bench), MINUTE_MS)
    for wrong in (one._replace(dose=0), one._replace(over=0), one._replace(over=24 * HOUR_MS + 1)):
        _refused(bench, _boluses(bench, wrong), Refuse.IMPLAUSIBLE)


@case("P8-bolus-many", "More than 24 scheduled boluses a day are refused.")
def bolus_many(bench: Bench) -> None:
    many = tuple(ScheduledBolus(1, 30 * place, 100, MINUTE_MS) for place in range(25))
    _refused(bench, _boluses(bench, *many), *_EITHER)
    bench.stage(_boluses(bench, *many[:24]))


@case("P8-patient-zero", "A patient dose with a zero in it is IMPLAUSIBLE.")
def patient_zero(bench: Bench) -> None:
    own = PatientDose(_dose(bench), MINUTE_MS, HOUR_MS, 1)
    for name in PatientDose._fields:
        wrong = bench.samples.flex()._replace(patient_dose=own._replace(**{name: 0}))
        _refused(bench, wrong, Refuse.IMPLAUSIBLE)
