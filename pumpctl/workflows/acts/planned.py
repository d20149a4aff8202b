"""What a plan file says of its act, as values: programs, read-back, patient.

The kinds read their own acts with it. It checks no plan's hash: `station.plan` has.
"""

from __future__ import annotations

from pumpctl.errors import PlanUnreadable
from pumpctl.pump.encode import program_of
from pumpctl.pump.readbacks import Readback, readback_of
from pumpctl.station.plan import Plan
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Program
from pumpctl.wire.fields import WireError


def program_after(plan: Plan) -> Program | None:
    """The program that runs afterwards, as the plan says; None: not known."""
    return _program(plan.program)


def program_before(plan: Plan) -> Program | None:
    """The program that ran when it was planned."""
    return _program(plan.old_program)


def planned_readback(plan: Plan) -> Readback:
    """The pump's read-back, from the plan's bytes; PlanUnreadable where they are none."""
    try:
        return readback_of(bytes.fromhex(plan.readback_bytes))
    except (ValueError, WireError) as error:
        raise PlanUnreadable(f"the plan holds no read-back: {error}") from error


def planned_whom(plan: Plan) -> Patient:
    """For whom the label's rules speak; ValueError where it does not say."""
    told = plan.label_rules
    if told is None:
        raise ValueError("it does not say for what kind of patient it is")
    return Patient(plan.patient, told.spasticity_origin, told.age_group, told.history)


def needed_program(plan: Plan) -> Program:
    """The program that runs afterwards; ValueError where there is none."""
    program = program_after(plan)
    if program is None:
        raise ValueError("it names no program")
    return program


def _program(written: str) -> Program | None:
    return program_of(bytes.fromhex(written)) if written else None
