"""The read-back's figures against this package's own reckoning, to the last ng and nL (P4)."""

from __future__ import annotations

from pumpctl.conformance import reckoning
from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.samples import HOUR_MS, MINUTE_MS, NO_MINIMUM
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step, program_hash

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _agree(bench: Bench, program: Program) -> None:
    bench.stage(program)
    told = bench.get(m.GetReadback(), m.ProgramReadback)
    for name, seen, due in zip(_DAYS, told.days, reckoning.days(program), strict=True):
        for what in ("dose", "volume", "largest_hour"):
            same(f"{what} of {name}", getattr(seen, what), getattr(due, what))
    same("largest_24h", told.largest_24h, reckoning.largest_24h(program))


@case("P4-figures-flat", "Figures of a continuous program agree with exact fractions.")
def flat(bench: Bench) -> None:
    for place in (0, 1, 5):
        _agree(bench, bench.samples.flat(place))


@case("P4-figures-flex", "Figures of a flex program that differs by day agree.")
def flex(bench: Bench) -> None:
    _agree(bench, bench.samples.flex())


@case("P4-figures-half", "A dose that ends on half a nanogram is rounded up.")
def half(bench: Bench) -> None:
    # 720 minutes of one rate and 720 of a rate that is odd by one: the sum ends on a half
    low = bench.samples.rate(2)
    steps = (Step(0, low), Step(720, low + 2001))
    _agree(bench, bench.samples.program(steps))


@case("P4-figures-volume", "A day's volume is the exact dose by the concentration, half up.")
def volume(bench: Bench) -> None:
    low, per_nl = bench.samples.rate(2), bench.samples.concentration // 1000 or 1
    low -= low % (2 * per_nl)
    for odd in (per_nl // 2, per_nl, per_nl + 1):
        _agree(bench, bench.samples.flat()._replace(days=((Step(0, low + odd),),) * 7))


@case("P4-figures-boluses", "Boluses over midnight and the week's end, and patient doses, count.")
def boluses(bench: Bench) -> None:
    _agree(bench, bench.samples.crowded())


@case("P4-figures-hour", "The largest hour slides, and runs on into the next day.")
def hour(bench: Bench) -> None:
    dose = bench.samples.rate(1) // 24
    around_midnight = (
        ScheduledBolus(1, 1401, dose, 13 * MINUTE_MS),
        ScheduledBolus(2, 11, dose + 5, 17 * MINUTE_MS),
        ScheduledBolus(6, 1411, dose + 1, 29 * MINUTE_MS),
    )
    _agree(bench, bench.samples.flex()._replace(boluses=around_midnight))


@case("P4-figures-window", "The largest 24 h slide over the week's end.")
def window(bench: Bench) -> None:
    high, low = bench.samples.rate(6), bench.samples.rate(2)
    late, early = (Step(0, low), Step(900, high)), (Step(0, high), Step(900, low))
    even = (Step(0, low),)
    _agree(bench, bench.samples.program(early, even, even, even, even, even, late))


@case("P4-figures-patient", "All patient doses are in the largest 24 h, and in nothing else.")
def patient(bench: Bench) -> None:
    own = PatientDose(bench.samples.rate(1) // 30 + 1, 10 * MINUTE_MS, HOUR_MS, 7)
    _agree(bench, bench.samples.flex()._replace(patient_dose=own))


@case("P4-figures-minimum", "Minimum rate is read back as the least flow, all week.")
def minimum(bench: Bench) -> None:
    slow = bench.samples.minimum()
    if slow is None:
        raise NotApplicable(NO_MINIMUM)
    _agree(bench, slow)


@case("P4-figures-resume", "A resume is read back as the program to go on with.")
def resume(bench: Bench) -> None:
    program = bench.samples.crowded()
    bench.put(program)
    bench.stop()
    bench.get(StageResume(bench.tag, program_hash(program)), m.Staged)
    told = bench.get(m.GetReadback(), m.ProgramReadback)
    same("kind", told.kind, Kind.RESUME)
    same("program", told.program, program)
    same("largest_24h", told.largest_24h, reckoning.largest_24h(program))
    for seen, due in zip(told.days, reckoning.days(program), strict=True):
        same("a day's figures", tuple(seen), tuple(due))
