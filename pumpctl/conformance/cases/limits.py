"""The pump's own absolutes, each just broken and, where it shows, just kept (section 13)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case
from pumpctl.conformance.samples import HOUR_MS, MINUTE_MS, MOST_DAILY, SUPPLIED
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Refuse
from pumpctl.wire.message import encode
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step

_THOUSANDTH = 86_400
"""ms; a dose over so long flows at a thousand times its own ng a day."""


def _refused(bench: Bench, program: Program, *codes: Refuse) -> None:
    with bench.nothing_written():
        bench.refused(m.StageProgram(bench.tag, program), *codes)


def _taken(bench: Bench, program: Program) -> None:
    """It is just inside the pump's own limits; a signed table may narrow those."""
    if not bench.library:
        bench.stage(program)


def _at(bench: Bench, rate: int) -> Program:
    """A continuous program of this rate."""
    return bench.samples.flat()._replace(days=((Step(0, rate),),) * 7)


@case("P8-concentration", "Another concentration than the reservoir's is refused.")
def concentration(bench: Bench) -> None:
    held = bench.samples.concentration
    for other in (*(each for each in SUPPLIED if each != held), held + 1, 0):
        program = _at(bench, 4 * bench.samples.rate(2))._replace(concentration=other)
        _refused(bench, program, Refuse.CONCENTRATION)


@case("P8-rate-low", "A basal rate below the minimum flow is refused, the least one is not.")
def rate_low(bench: Bench) -> None:
    least = bench.samples.least
    _taken(bench, _at(bench, least)._replace(fallback=least))
    for wrong in (least - 1, 1):
        _refused(bench, _at(bench, wrong), Refuse.LIMIT_RATE_LOW)
    flex = bench.samples.flex()
    sunday = (Step(0, bench.samples.rate(2)), Step(1400, least - 1))
    _refused(bench, flex._replace(days=(*flex.days[:6], sunday)), Refuse.LIMIT_RATE_LOW)


@case("P8-fallback-low", "A fallback below the minimum flow is refused.")
def fallback_low(bench: Bench) -> None:
    for wrong in (bench.samples.least - 1, 0):
        program = bench.samples.flat()._replace(fallback=wrong)
        _refused(bench, program, Refuse.LIMIT_RATE_LOW)


@case("P8-daily-dose", "A rate, a fallback or a day above the daily maximum is refused.")
def daily_dose(bench: Bench) -> None:
    most, code = MOST_DAILY, Refuse.LIMIT_DAILY_DOSE
    above_flow = Refuse.LIMIT_RATE  # where the flow ends first
    _refused(bench, _at(bench, most + 1), code, above_flow)
    _refused(bench, bench.samples.flat()._replace(fallback=most + 1), code, above_flow)
    peak = (Step(0, bench.samples.rate(2)), Step(1430, most + 1))
    flex = bench.samples.flex()
    _refused(bench, flex._replace(days=(*flex.days[:6], peak)), code, above_flow)


@case("P8-day-sum", "A day whose boluses take it a nanogram above the maximum is refused.")
def day_sum(bench: Bench) -> None:
    rate = bench.samples.rate(2)
    rest = MOST_DAILY - rate
    full = _at(bench, rate)._replace(
        boluses=(ScheduledBolus(2, 60, rest // 2, HOUR_MS * 20),), fallback=bench.samples.rate(1)
    )
    more = full.boluses[0]._replace(dose=rest + 1)
    _refused(bench, full._replace(boluses=(more,)), Refuse.LIMIT_DAILY_DOSE, Refuse.LIMIT_RATE)


@case("P8-window", "All patient doses together may not take 24 h above the maximum.")
def window(bench: Bench) -> None:
    rate = bench.samples.rate(2)
    left = MOST_DAILY - rate
    own = PatientDose(left // 10, 2 * HOUR_MS, HOUR_MS, 10)
    _taken(bench, _at(bench, rate)._replace(patient_dose=own))
    for wrong in (own._replace(most=11), own._replace(dose=left // 10 + 1)):
        _refused(bench, _at(bench, rate)._replace(patient_dose=wrong), Refuse.LIMIT_WINDOW)


@case("P8-sliding", "The 24 h slide: two days that are each within the maximum may not meet above.")
def sliding(bench: Bench) -> None:
    low, high = bench.samples.rate(0), MOST_DAILY - 1
    late, early = (Step(0, low), Step(720, high)), (Step(0, high), Step(721, low))
    even = (Step(0, low),)
    meeting = bench.samples.program(late, early, even, even, even, even, even)
    _taken(bench, meeting)
    own = PatientDose(1000, HOUR_MS, HOUR_MS, 2)
    _refused(bench, meeting._replace(patient_dose=own), Refuse.LIMIT_WINDOW)


@case("P8-rate", "Basal, bolus and patient dose together are held to the maximum flow, exactly.")
def rate(bench: Bench) -> None:
    samples = bench.samples
    most = samples.most_flow * samples.concentration // 1000  # ng/day
    basal = most % 1000 or 1000
    while basal < samples.least:
        basal += 1000
    dose = (most - basal) // 1000
    bolus = ScheduledBolus(3, 100, dose, _THOUSANDTH)
    program = _at(bench, basal)._replace(fallback=samples.least)
    _taken(bench, program._replace(boluses=(bolus,)))
    code = Refuse.LIMIT_RATE
    _refused(bench, program._replace(boluses=(bolus._replace(dose=dose + 1),)), code)
    _refused(bench, program._replace(boluses=(bolus._replace(over=_THOUSANDTH - 1),)), code)
    half = PatientDose(dose // 2, _THOUSANDTH, HOUR_MS, 1)
    both = program._replace(boluses=(bolus._replace(dose=dose - dose // 2),), patient_dose=half)
    _taken(bench, both)
    _refused(bench, both._replace(patient_dose=half._replace(dose=half.dose + 1)), code)


@case("P8-low-alarm", "A low-reservoir volume above the capacity is refused as RANGE.")
def low_alarm(bench: Bench) -> None:
    program = bench.samples.flat()
    _refused(bench, program._replace(low_alarm=bench.samples.capacity + 1), Refuse.RANGE)


@case("P8-scheduled-minute", "A place that is none, as minute 1440 or day 7, is refused.")
def place(bench: Bench) -> None:
    text = encode(m.StageProgram(bench.tag, bench.samples.flat()))
    bolus = ScheduledBolus(6, 1439, 100, MINUTE_MS)
    with_bolus = encode(m.StageProgram(bench.tag, bench.samples.flat()._replace(boluses=(bolus,))))
    minute = text.index(bytes([1, 0, 0]) + bench.samples.rate(2).to_bytes(8, "big")) + 1
    wrong = text[:minute] + (1440).to_bytes(2, "big") + text[minute + 2 :]
    bench.refused(wrong, Refuse.MALFORMED)
    day = with_bolus.index(bytes([1, 6]) + (1439).to_bytes(2, "big")) + 1
    bench.refused(with_bolus[:day] + b"\x07" + with_bolus[day + 1 :], Refuse.MALFORMED)
