"""One random program, as the oracle's plain numbers and as pumpctl's own value."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import NamedTuple

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import program as real
from tests.oracles.plain import Program
from tests.oracles.tally import Tally


def real_program(data: Program) -> real.Program:
    """The same program as pumpctl means it."""
    mode = real.Mode(data["mode"])
    if mode is real.Mode.MINIMUM:
        return real.make_program(
            mode,
            "baclofen",
            Concentration(data["concentration"]),
            low_alarm=Volume(data["low_alarm"]),
        )
    patient = data["patient"]
    return real.make_program(
        mode,
        "baclofen",
        Concentration(data["concentration"]),
        low_alarm=Volume(data["low_alarm"]),
        fallback=Rate(data["fallback"]),
        days=[[real.Step(start, Rate(rate)) for start, rate in day] for day in data["days"]],
        boluses=[
            real.ScheduledBolus(each["day"], each["at"], Mass(each["dose"]), Duration(each["over"]))
            for each in data["boluses"]
        ],
        patient_dose=None
        if patient is None
        else real.PatientDose(
            Mass(patient["dose"]),
            Duration(patient["over"]),
            Duration(patient["lockout"]),
            patient["most"],
        ),
    )


class Case(NamedTuple):
    """One program and everything that its comparison needs."""

    name: str
    data: Program
    program: real.Program
    dice: Random
    tally: Tally

    def same(self, what: str, oracle: object, real_figure: object) -> None:
        self.tally.same(self.name, what, oracle, real_figure)

    def exact(self, what: str, numerator: int, denominator: int, figure: Fraction | int) -> None:
        """The same for an exact figure, without the division that makes fractions slow."""
        equal = figure.numerator * denominator == numerator * figure.denominator
        self.same(what, figure if equal else Fraction(numerator, denominator), figure)
