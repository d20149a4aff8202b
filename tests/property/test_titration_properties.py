"""Titration, weaning and the written profile: what must hold of any program and any wish."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pumpctl.errors import InputRefused
from pumpctl.quantities import Concentration, Duration, Mass, Percent, Rate, Volume
from pumpctl.therapy.checks import check_draft, check_program
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.figures import daily_doses, largest_day
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.patient import AGE_GROUPS, HISTORIES, ORIGINS, Patient
from pumpctl.therapy.profile import read_profile
from pumpctl.therapy.profile_writer import profile_text
from pumpctl.therapy.program import (
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    continuous,
    make_program,
    minimum_rate,
)
from pumpctl.therapy.scaling import RATE_STEP, Boluses, Scaling
from pumpctl.therapy.titration import cautions, refusal, titration
from pumpctl.therapy.weaning import weaning


def _step(at: int) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.just(at), rates)


rates = st.integers(1, 1_500_000).map(lambda third: Rate(3 * third))
starts = st.lists(st.integers(1, 1_439), max_size=12, unique=True).map(sorted)
days = starts.flatmap(lambda found: st.tuples(*[_step(at) for at in (0, *found)]))
durations = st.integers(1, 3_600_000).map(Duration)
kept = st.sampled_from(Boluses)
own = st.none() | st.builds(
    PatientDose, st.integers(1, 50_000).map(Mass), durations, durations, st.integers(1, 24)
)


@st.composite
def schedules(draw: st.DrawFn) -> list[ScheduledBolus]:
    """Doses by time of day, some on all days, some on a few; no two at one time."""
    found: dict[tuple[int, int], ScheduledBolus] = {}
    for _ in range(draw(st.integers(0, 4))):
        dose, over = draw(st.integers(1, 100_000).map(Mass)), draw(durations)
        times = draw(st.lists(st.integers(0, 1_439), min_size=1, max_size=4, unique=True))
        for day in draw(st.sets(st.integers(0, 6), min_size=1)):
            for at in times:
                found[day, at] = ScheduledBolus(day, at, dose, over)
    return list(found.values())


@st.composite
def flexes(draw: st.DrawFn) -> Program:
    return make_program(
        Mode.FLEX,
        "baclofen",
        Concentration(draw(st.sampled_from([500, 1000, 2000]))),
        low_alarm=Volume(draw(st.integers(1, 39_000_000))),
        fallback=Rate(draw(st.integers(1, 3_000_000))),
        days=draw(st.lists(days, min_size=7, max_size=7) | days.map(lambda day: [day])),
        boluses=draw(schedules()),
        patient_dose=draw(own),
    )


@st.composite
def evens(draw: st.DrawFn) -> Program:
    doses = draw(st.lists(st.integers(1, 60_000), max_size=4))
    return make_program(
        Mode.CONTINUOUS,
        "baclofen",
        Concentration(2000),
        low_alarm=Volume(2_000_000),
        fallback=draw(rates),
        days=continuous(Rate(draw(st.integers(1, 3_000_000)))),
        boluses=[
            ScheduledBolus(day, 60 * at, Mass(dose), Duration(60_000))
            for day in range(7)
            for at, dose in enumerate(doses)
        ],
        patient_dose=draw(own),
    )


@st.composite
def fit(draw: st.DrawFn) -> Program:
    """A program that a pump could run: flex, and near enough to its limits to meet them."""
    steady = st.integers(4_200, 115_000).map(lambda third: Rate(24 * third))
    week = [
        [Step(0, draw(steady)), *(Step(60 * at, draw(steady)) for at in sorted(hours))]
        for hours in draw(st.lists(st.sets(st.integers(1, 23), max_size=4), min_size=1, max_size=1))
    ]
    boluses = st.lists(st.integers(1_000, 100_000).map(Mass), max_size=3)
    return make_program(
        Mode.FLEX,
        "baclofen",
        Concentration(draw(st.sampled_from([500, 1000, 2000]))),
        low_alarm=Volume(2_000_000),
        fallback=Rate(draw(st.integers(96_000, 400_000))),
        days=week,
        boluses=[
            ScheduledBolus(day, 420 * at + 30, dose, Duration(600_000))
            for at, dose in enumerate(draw(boluses))
            for day in range(7)
        ],
        patient_dose=draw(
            st.none()
            | st.builds(
                PatientDose,
                st.integers(1_000, 60_000).map(Mass),
                st.just(Duration(600_000)),
                st.just(Duration(7_200_000)),
                st.integers(1, 12),
            )
        ),
    )


programs = flexes() | evens()
patients = st.builds(
    Patient,
    st.just("P-1"),
    st.sampled_from(ORIGINS),
    st.sampled_from(AGE_GROUPS),
    st.none() | st.sampled_from(HISTORIES),
)


def slack(program: Program) -> int:
    """The ng a day by which a wish may be missed: one step of a rate, and one of each bolus."""
    if program.mode is Mode.CONTINUOUS:
        return 1
    return RATE_STEP + max(sum(1 for bolus in program.boluses if bolus.day == d) for d in range(7))


def hard(program: Program) -> set[str]:
    found = check_program(program)
    return {each.id for each in found if each.severity is Severity.HARD}


@settings(max_examples=300, deadline=None)
@given(programs, kept, st.fractions(Fraction(1, 20), 4))
def test_the_dose_is_reached_within_a_step_and_never_passed(
    program: Program, boluses: Boluses, times: Fraction
) -> None:
    old = largest_day(program)
    wanted = Rate(int(old * times))
    try:
        made = Scaling(program, boluses).program_for(wanted)
    except InputRefused:
        return
    new = largest_day(made)
    if wanted.quanta >= old:
        assert old <= new <= wanted.quanta
    else:
        assert wanted.quanta <= new <= old
    assert abs(new - wanted.quanta) < slack(program)
    for before, after in zip(daily_doses(program), daily_doses(made), strict=True):
        assert (after >= before) if new > old else (after <= before), "all days go one way"
    assert (made.patient_dose, made.low_alarm) == (program.patient_dose, program.low_alarm)
    if boluses is Boluses.KEPT:
        assert made.boluses == program.boluses


@settings(max_examples=150, deadline=None)
@given(programs, kept, patients)
def test_both_ends_of_the_range_are_permitted_and_what_they_make_stays_inside(
    program: Program, boluses: Boluses, patient: Patient
) -> None:
    found = titration(program, patient, boluses=boluses)
    old = daily_doses(program)
    span = found.increase
    if span is not None:
        assert found.current < span.high.quanta + 1
        assert span.low <= span.high
        most = 1 + span.step.high.fraction
        for dose in (span.low, span.high):
            assert refusal(found, dose, Moment(0)) is None
            try:
                made = Scaling(program, boluses).program_for(dose)
            except InputRefused:  # so small a dose that a step is less than can be programmed
                assert dose.quanta - found.current < slack(program)
                continue
            for before, after in zip(old, daily_doses(made), strict=True):
                assert after <= before * most
            assert max(daily_doses(made)) <= 3_000_000
            if dose.quanta > found.current * Fraction(6, 5):
                assert cautions(found, dose)
        if span.refused_beyond is not None:
            assert refusal(found, Rate(span.refused_beyond.value.quanta + 1), Moment(0))
    down = found.reduction
    if down is None:
        assert found.no_reduction
        return
    assert down.low <= down.high and down.low.quanta < found.current + 1
    assert refusal(found, down.low, Moment(0)) is None


@settings(max_examples=150, deadline=None)
@given(fit(), kept, patients)
def test_what_is_offered_is_taken(program: Program, boluses: Boluses, patient: Patient) -> None:
    assume(not hard(program))
    found = titration(program, patient, boluses=boluses)
    for span in (found.increase, found.reduction):
        for dose in (span.low, span.high) if span is not None else ():
            try:
                made = Scaling(program, boluses).program_for(dose)
            except InputRefused:
                assert abs(dose.quanta - found.current) < slack(program)
                continue
            assert not hard(made)


@settings(max_examples=100, deadline=None)
@given(programs, kept, st.integers(500, 6_000), st.integers(1, 9), st.none() | st.integers(1, 90))
def test_a_weaning_falls_from_step_to_step_and_ends_where_it_should(
    program: Program, boluses: Boluses, by: int, every: int, part: int | None
) -> None:
    old = largest_day(program)
    end = None if part is None else Rate(int(old * part / 100))
    assume(end is None or end)
    start = Date(20_000)
    try:
        steps = weaning(program, Percent(by), every, end, start, boluses=boluses)
    except InputRefused:
        return
    doses = [old, *(largest_day(step.program) for step in steps)]
    assert all(after < before for before, after in pairwise(doses))
    least = 1 - Percent(by).fraction
    assert all(after >= before * least for before, after in pairwise(doses))
    aim = minimum_rate(program.concentration) if end is None else end
    if end is None:
        assert steps[-1].program.mode is Mode.MINIMUM
        assert doses[-1] == aim.quanta
    assert 0 <= doses[-1] - aim.quanta < slack(program) + RATE_STEP
    assert [step.date for step in steps] == [start.plus(every * at) for at in range(len(steps))]
    assert all(dose > aim.quanta for dose in doses[:-1])


@settings(max_examples=200, deadline=None)
@given(programs, patients, st.none() | st.just("SP40-000123"))
def test_a_written_profile_means_the_same_and_has_no_new_findings(
    program: Program, patient: Patient, serial: str | None
) -> None:
    text = profile_text(program, patient, serial, ["Made by a test."])
    read = read_profile(text, "f")
    assert read.profile is not None
    assert read.profile.program == program
    assert (read.profile.patient, read.profile.serial) == (patient, serial)
    before = {each.id for each in check_draft(draft_of(program)._replace(patient=patient))}
    assert {each.id for each in read.findings} <= before
