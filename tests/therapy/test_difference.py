"""What changes from one program to another, against hand-made pairs and random ones."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings

from pumpctl.quantities import Duration, Mass, Rate, round_half_up
from pumpctl.therapy import figures
from pumpctl.therapy.difference import (
    BolusEdit,
    Edit,
    Pair,
    Setting,
    StepEdit,
    difference,
    patient_settings,
)
from pumpctl.therapy.program import PatientDose, Program, ScheduledBolus
from tests.property.test_program_properties import programs
from tests.therapy.samples import FLEX, altered, even, flex, minimum, profile

OWN = PatientDose(Mass.parse("10 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 3)


def mcg_h(text: str) -> Rate:
    return Rate.parse(f"{text} mcg/h")


def test_steps_are_added_removed_and_changed() -> None:
    old = flex([[(0, "10"), (360, "20"), (720, "12")]])
    new = flex([[(0, "10"), (360, "22"), (900, "12")]])
    found = difference(old, new)
    assert [edit for edit in found.steps if edit.day == 0] == [
        StepEdit(Edit.CHANGED, 0, 360, mcg_h("20"), mcg_h("22")),
        StepEdit(Edit.REMOVED, 0, 720, mcg_h("12"), mcg_h("22")),
        StepEdit(Edit.ADDED, 0, 900, mcg_h("12"), mcg_h("12")),
    ]
    assert len(found.steps) == 21 and not found.boluses and not found.settings
    assert found.hours[0][5] == Pair(Fraction(10_000), Fraction(10_000))
    assert found.hours[0][6] == Pair(Fraction(20_000), Fraction(22_000))
    assert found.hours[6][12] == Pair(Fraction(12_000), Fraction(22_000))
    assert found.largest_hour == Pair(Fraction(20_000), Fraction(22_000))


def test_boluses_are_added_removed_and_changed() -> None:
    day = [[(0, "10")]]
    old = flex(day, [(1, 420, "20 mcg", "10 min"), (1, 1260, "20 mcg", "10 min")])
    new = flex(day, [(1, 420, "20 mcg", "5 min"), (1, 1200, "25 mcg", "10 min")])
    was, will = bolus(420, "20 mcg", "10 min"), bolus(420, "20 mcg", "5 min")
    assert difference(old, new).boluses == (
        BolusEdit(Edit.CHANGED, 1, 420, was, will),
        BolusEdit(Edit.ADDED, 1, 1200, None, bolus(1200, "25 mcg", "10 min")),
        BolusEdit(Edit.REMOVED, 1, 1260, bolus(1260, "20 mcg", "10 min"), None),
    )


def bolus(at: int, dose: str, over: str) -> ScheduledBolus:
    return ScheduledBolus(1, at, Mass.parse(dose), Duration.parse(over))


def test_of_several_boluses_at_one_time_the_equal_ones_stay() -> None:
    """Such a program is refused elsewhere; what it means is told all the same."""
    day = [[(0, "10")]]
    old = flex(day, [(1, 420, "5 mcg", "1 min")])
    new = flex(day, [(1, 420, "5 mcg", "1 min"), (1, 420, "5 mcg", "1 min")])
    added = (BolusEdit(Edit.ADDED, 1, 420, None, bolus(420, "5 mcg", "1 min")),)
    assert difference(old, new).boluses == added


def test_settings_by_their_names_in_a_profile() -> None:
    old = flex([[(0, "10")]], own=OWN)
    new = flex([[(0, "10")]], own=OWN._replace(max_per_24h=4), concentration=500)
    new = new._replace(fallback=Rate.parse("150 mcg/day"))
    assert difference(old, new).settings == (
        Setting("drug.concentration", "2000 mcg/mL", "500 mcg/mL", "-75.0 %"),
        Setting("program.fallback_rate", "200 mcg/day", "150 mcg/day", "-25.0 %"),
        Setting("program.patient_dose.max_per_24h", "3", "4", None),
    )
    assert difference(old, new).largest_24h == Pair(Fraction(270_000), Fraction(280_000))
    gone = difference(old, flex([[(0, "10")]])).settings
    assert [(each.name, each.new, each.percent) for each in gone] == [
        (f"program.patient_dose.{name}", None, None) for name in PatientDose._fields
    ]


def test_to_and_from_minimum_rate() -> None:
    found = difference(minimum(2000), even("96 mcg/day", fallback="96 mcg/day"))
    assert found.settings == (Setting("program.mode", "minimum-rate", "continuous", None),)
    assert not found.steps and set(found.days) == {Pair(Fraction(96_000), Fraction(96_000))}


def test_whom_it_is_for() -> None:
    one = profile(FLEX)
    other = profile(altered(FLEX, ("P-0417", "P-0418"), ("SP40-000123", "SP40-000124")))
    serials = (one.serial, other.serial)
    assert patient_settings(one.patient, other.patient, serials) == (
        Setting("patient.tag", "P-0417", "P-0418", None),
        Setting("pump.serial", "SP40-000123", "SP40-000124", None),
    )
    assert patient_settings(one.patient, one.patient) == ()
    missing = patient_settings(None, one.patient)
    assert [(each.name, each.old) for each in missing] == [
        (f"patient.{name}", None) for name in one.patient._fields
    ]


@settings(max_examples=60)
@given(programs())
def test_a_program_does_not_differ_from_itself(program: Program) -> None:
    found = difference(program, program)
    assert not found.steps and not found.boluses and not found.settings
    assert all(pair.old == pair.new for pair in (*found.days, *sum(found.hours, ())))


@settings(max_examples=60)
@given(programs(), programs())
def test_what_differs_adds_up(old: Program, new: Program) -> None:
    found = difference(old, new)
    assert (old == new) is not bool(found.steps or found.boluses or found.settings)
    doses = (figures.daily_doses(old), figures.daily_doses(new))
    for day in range(7):
        assert found.days[day] == (doses[0][day], doses[1][day])
        for side in (0, 1):
            assert sum(pair[side] for pair in found.hours[day]) == found.days[day][side]
    largest = max(figures.largest_hour(new, day).quanta for day in range(7))
    assert round_half_up(found.largest_hour.new) == largest


@settings(max_examples=60)
@given(programs(), programs())
def test_the_edits_make_the_new_of_the_old(old: Program, new: Program) -> None:
    """Nothing is left out: with every edit done, the old steps and boluses are the new ones."""
    found = difference(old, new)
    for day in range(7):
        steps = {step.start: step.rate for step in old.days[day]}
        for edit in (each for each in found.steps if each.day == day):
            if edit.edit is Edit.REMOVED:
                del steps[edit.at]
            else:
                steps[edit.at] = edit.new
        assert tuple(sorted(steps.items())) == tuple(map(tuple, new.days[day]))
    left = list(old.boluses)
    for each in found.boluses:
        if each.old is not None:
            left.remove(each.old)
        left += [] if each.new is None else [each.new]
    assert sorted(left) == list(new.boluses)
