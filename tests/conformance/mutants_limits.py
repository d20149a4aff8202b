"""Mutants that leave out one check of a staged program (section 13)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from pumpctl.wire import messages as m
from pumpctl.wire.codes import Mode, Refuse
from pumpctl.wire.program import Program
from tests.conformance.mutate import lets


def _let(name: str, when: Callable[[Program], Any], *codes: Refuse) -> None:
    """A pump that takes a program of which this holds."""
    lets(name, *codes, asked=m.StageProgram, when=lambda message: bool(when(message.program)))


def _starts(program: Program) -> list[list[int]]:
    return [[step.start for step in day] for day in program.days]


def _each_day(test: Callable[[Any], Any]) -> Callable[[Program], bool]:
    return lambda program: any(test(day) for day in program.days)


def _neighbours(test: Callable[[Any, Any], bool]) -> Callable[[Program], bool]:
    return _each_day(lambda day: any(test(*two) for two in pairwise(day)))


def _places(program: Program) -> list[tuple[int, int]]:
    return [(bolus.day, bolus.at) for bolus in program.boluses]


_let("P8-gap", _each_day(lambda day: day and day[0].start))
_let("P8-empty-day", _each_day(lambda day: not day))
_let("P8-unsorted", _neighbours(lambda one, two: two.start < one.start))
_let("P8-zero-length", _neighbours(lambda one, two: two.start == one.start))
_let("P8-zero-rate", _each_day(lambda day: any(not step.rate for step in day)))
_let("P8-not-merged", _neighbours(lambda one, two: one.rate == two.rate))
_let("P8-continuous", lambda program: program.mode is Mode.CONTINUOUS, Refuse.NOT_CANONICAL)
_let("P8-format", lambda program: program.format != 1)
_let("P8-minimum-steps", lambda program: program.mode is Mode.MINIMUM_RATE and any(program.days))
_let("P8-minimum-fallback", lambda program: program.mode is Mode.MINIMUM_RATE, Refuse.IMPLAUSIBLE)
_let("P8-bolus-order", lambda program: _places(program) != sorted(_places(program)))
_let("P8-bolus-together", lambda program: len(_places(program)) > len(set(_places(program))))
_let("P8-bolus-overlap", lambda program: len(program.boluses) == 2, Refuse.IMPLAUSIBLE)
_let("P8-bolus-zero", lambda program: any(not bolus.over for bolus in program.boluses))
_let("P8-bolus-many", lambda program: len(program.boluses) > 24)
_let("P8-patient-zero", lambda program: program.patient_dose and not program.patient_dose.lockout)
_let("P8-concentration", lambda program: True, Refuse.CONCENTRATION)
_let("P8-rate-low", lambda program: True, Refuse.LIMIT_RATE_LOW)
_let("P8-fallback-low", lambda program: program.fallback == 0, Refuse.LIMIT_RATE_LOW)
_let("P8-daily-dose", lambda program: True, Refuse.LIMIT_DAILY_DOSE)
_let("P8-day-sum", lambda program: program.boluses, Refuse.LIMIT_DAILY_DOSE)
_let("P8-window", lambda program: program.patient_dose, Refuse.LIMIT_WINDOW)
_let("P8-sliding", lambda program: len(set(program.days)) > 1, Refuse.LIMIT_WINDOW)
_let("P8-rate", lambda program: True, Refuse.LIMIT_RATE)
_let("P8-low-alarm", lambda program: True, Refuse.RANGE)
