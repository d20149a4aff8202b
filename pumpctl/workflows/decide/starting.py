"""The first profile after a screening trial: the starting dose, written for one patient.

The dose is the starting rule's; origin, fallback and concentration are said by
whoever writes it. Nothing is sent; the profile is planned like any other.
"""

from __future__ import annotations

from pathlib import Path

from pumpctl.errors import LimitHard, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Rate
from pumpctl.therapy import practice
from pumpctl.therapy.findings import Finding, Severity, of
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Date
from pumpctl.therapy.patient import ORIGINS, Patient
from pumpctl.therapy.profile_writer import profile_text
from pumpctl.therapy.program import Mode, Program, continuous, make_program
from pumpctl.therapy.trial import Start
from pumpctl.workflows.decide import titrating
from pumpctl.workflows.decide.trials import Trial

CONCENTRATION = Concentration.parse("500 mcg/mL")
"""Gives the most room at low doses: Boster 2016."""


class StartingProfile(NamedTuple):
    """A profile as it was written, and what the checks say of it."""

    file: Path
    start: Start
    program: Program
    findings: tuple[Finding, ...]


def write_start(
    trial: Trial,
    file: Path,
    *,
    origin: str,
    fallback: Rate,
    today: Date,
    library: Library,
    concentration: Concentration = CONCENTRATION,
    force: bool = False,
) -> StartingProfile:
    """Write the profile of the starting dose by this trial, at one rate day and night.

    LimitHard where the trial gives none, or the checks refuse the profile.
    """
    if origin not in ORIGINS:
        raise UsageError(f"--origin {origin}: one of {', '.join(ORIGINS)}")
    start = _start(trial)
    program = make_program(
        Mode.CONTINUOUS,
        "baclofen",
        concentration,
        low_alarm=practice.LOW_ALARM.value,
        fallback=fallback,
        days=continuous(start.dose),
    )
    patient = Patient(trial.tag, origin, _age_group(trial.record.years or 0), "new")
    text = profile_text(
        program,
        patient,
        None,
        [
            f"Made by pumpctl trial, for {today}: {start.why}.",
            "Read it before it is used; then: pumpctl profile check FILE",
        ],
    )
    findings = titrating.findings_of(text, program, library)
    hard = of(findings, Severity.HARD)
    if hard:
        raise LimitHard(
            f"the starting profile has hard findings and is not written: {hard[0].message}",
            hint="choose another --fallback or --concentration",
            findings=hard,
        )
    titrating.write([(file, text)], force=force)
    return StartingProfile(file, start, program, findings)


def _start(trial: Trial) -> Start:
    if isinstance(trial.next, Start):
        return trial.next
    why = "no trial of this patient is on record" if trial.next is None else trial.next.why
    raise LimitHard(
        f"there is no starting dose: {why}", hint="pumpctl trial TAG shows what is on record"
    )


def _age_group(years: int) -> str:
    """As a profile names it: under 12, 12 to 17, adult."""
    if years < 12:
        return "under-12"
    return "12-17" if years < 18 else "adult"
