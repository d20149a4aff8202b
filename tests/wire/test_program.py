"""One prescription has one spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import Drug, Mode
from pumpctl.wire.fields import WireError
from pumpctl.wire.program import (
    MOST_STEPS,
    PROGRAM_FIELD,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    program_bytes,
    program_from,
    program_hash,
    spelling_fault,
)
from tests.wire.golden import built, records
from tests.wire.strategies import values

MINIMUM, CONTINUOUS, FLEX = (built(Program, each["value"]) for each in records("programs.toml"))


def days(*steps: Step) -> tuple[tuple[Step, ...], ...]:
    """The same steps on Monday; the rest of the week as it was."""
    return (steps, *FLEX.days[1:])


GOOD: tuple[Program, ...] = (
    MINIMUM,
    CONTINUOUS,
    FLEX,
    FLEX._replace(days=days(*(Step(number, number + 1) for number in range(MOST_STEPS)))),
    FLEX._replace(days=days(Step(0, 5), Step(1439, 0))),
    FLEX._replace(patient_dose=None, boluses=()),
    FLEX._replace(boluses=tuple(ScheduledBolus(2, minute, 1, 1) for minute in range(24))),
    CONTINUOUS._replace(boluses=(ScheduledBolus(0, 0, 1, 1),)),
)

BAD: dict[str, Program] = {
    "format 2": FLEX._replace(format=2),
    "no steps": FLEX._replace(days=days()),
    "a gap": FLEX._replace(days=days(Step(1, 5))),
    "not sorted": FLEX._replace(days=days(Step(0, 5), Step(9, 6), Step(8, 7))),
    "overlap": FLEX._replace(days=days(Step(0, 5), Step(0, 6))),
    "not merged": FLEX._replace(days=days(Step(0, 5), Step(8, 5))),
    "one step": CONTINUOUS._replace(days=(days(Step(0, 5), Step(8, 6))[0],) * 7),
    "same on every day": CONTINUOUS._replace(days=((Step(0, 1),), *CONTINUOUS.days[1:])),
    "boluses are not sorted": FLEX._replace(boluses=FLEX.boluses[::-1]),
    "two start together": FLEX._replace(boluses=FLEX.boluses[:1] * 2),
    "more than 24": FLEX._replace(
        boluses=tuple(ScheduledBolus(2, minute, 1, 1) for minute in range(25))
    ),
    "minimum-rate": MINIMUM._replace(days=FLEX.days),
    "no boluses": MINIMUM._replace(boluses=FLEX.boluses),
    "no patient dose": MINIMUM._replace(patient_dose=PatientDose(1, 1, 1, 1)),
}


@pytest.mark.parametrize("program", GOOD, ids=range(len(GOOD)))
def test_a_program_in_its_spelling(program: Program) -> None:
    assert spelling_fault(program) is None
    assert program_from(program_bytes(program)) == program


@pytest.mark.requirement("PRG-08")
@pytest.mark.parametrize("why", BAD)
def test_any_other_spelling_is_refused(why: str) -> None:
    fault = spelling_fault(BAD[why])
    assert fault is not None
    assert why in fault
    with pytest.raises(WireError, match=why):
        program_from(program_bytes(BAD[why]))


@pytest.mark.requirement("TEL-07")
@given(values(PROGRAM_FIELD), st.binary(max_size=3))
def test_any_program_is_read_back_or_refused(program: Any, more: bytes) -> None:
    raw = program_bytes(program)
    if spelling_fault(program) is None and not more:
        assert program_from(raw) == program
        return
    with pytest.raises(WireError):
        program_from(raw + more)


@pytest.mark.requirement("PRG-05")
def test_every_field_changes_the_hash() -> None:
    changed = [
        FLEX._replace(format=2),
        FLEX._replace(mode=Mode.CONTINUOUS),
        FLEX._replace(concentration=1000),
        FLEX._replace(fallback=FLEX.fallback + 1),
        FLEX._replace(days=days(Step(0, 1))),
        FLEX._replace(boluses=()),
        FLEX._replace(patient_dose=None),
        FLEX._replace(low_alarm=FLEX.low_alarm - 1),
    ]
    assert len({program_hash(program) for program in [FLEX, *changed]}) == len(changed) + 1
    assert FLEX.drug is Drug.BACLOFEN  # the closed list has one entry
