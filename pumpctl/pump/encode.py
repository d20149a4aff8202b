"""Therapy to wire and back, and the program hash.

The one place where the two vocabularies meet. It must not load `link/`: a check
of a profile needs the hash and no cryptography.
"""

from __future__ import annotations

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import program as t
from pumpctl.wire import prescribed
from pumpctl.wire import program as w

_MODES = {
    t.Mode.MINIMUM: prescribed.Mode.MINIMUM_RATE,
    t.Mode.CONTINUOUS: prescribed.Mode.CONTINUOUS,
    t.Mode.FLEX: prescribed.Mode.FLEX,
}
_MODES_BACK = {wire: mode for mode, wire in _MODES.items()}


def drug_code(name: str) -> prescribed.Drug:
    """The code of a drug of the closed list; ValueError for any other."""
    try:
        return prescribed.Drug[name.upper()]
    except KeyError as error:
        raise ValueError(f"{name!r} is not a drug that a pump knows") from error


def drug_name(code: prescribed.Drug) -> str:
    """The name of a drug as profiles write it."""
    return code.name.lower()


def to_wire(program: t.Program) -> w.Program:
    """A program in its one spelling on the wire."""
    dose = program.patient_dose
    return w.Program(
        format=w.FORMAT,
        mode=_MODES[program.mode],
        drug=drug_code(program.drug),
        concentration=program.concentration.quanta,
        fallback=program.fallback.quanta,
        days=tuple(
            tuple(w.Step(step.start, step.rate.quanta) for step in day) for day in program.days
        ),
        boluses=tuple(
            w.ScheduledBolus(bolus.day, bolus.at, bolus.dose.quanta, bolus.over.quanta)
            for bolus in program.boluses
        ),
        patient_dose=None
        if dose is None
        else w.PatientDose(
            dose.dose.quanta, dose.over.quanta, dose.lockout.quanta, dose.max_per_24h
        ),
        low_alarm=program.low_alarm.quanta,
    )


def from_wire(program: w.Program) -> t.Program:
    """A program as a pump stores it, as therapy means it."""
    dose = program.patient_dose
    return t.Program(
        mode=_MODES_BACK[program.mode],
        drug=drug_name(program.drug),
        concentration=Concentration(program.concentration),
        fallback=Rate(program.fallback),
        days=tuple(
            tuple(t.Step(step.start, Rate(step.rate)) for step in day) for day in program.days
        ),
        boluses=tuple(
            t.ScheduledBolus(bolus.day, bolus.at, Mass(bolus.dose), Duration(bolus.over))
            for bolus in program.boluses
        ),
        patient_dose=None
        if dose is None
        else t.PatientDose(Mass(dose.dose), Duration(dose.over), Duration(dose.lockout), dose.most),
        low_alarm=Volume(program.low_alarm),
    )


def program_hash(program: t.Program) -> bytes:
    """SHA-256 of the canonical wire bytes: the same that the pump will report."""
    return w.program_hash(to_wire(program))


def canonical(program: t.Program) -> bytes:
    """The program's canonical bytes: what its hash is of, and what plans and journal keep."""
    return w.program_bytes(to_wire(program))


def program_of(written: bytes) -> t.Program:
    """The program in canonical bytes; WireError where they are none."""
    return from_wire(w.program_from(written))
