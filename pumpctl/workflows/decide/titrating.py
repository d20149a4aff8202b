"""Titration and weaning of a profile in a file: read it, propose, check, write the new one.

A use case without a pump: nothing is sent, and what is written is planned,
confirmed and pushed like any profile. Which figures are permitted is `therapy`'s
matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pumpctl.errors import InternalError, LimitHard, StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Rate, round_half_up
from pumpctl.therapy.compare import percent_text
from pumpctl.therapy.figures import largest_day
from pumpctl.therapy.findings import Finding, Severity, by_severity, of
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.profile import Profile, read_profile
from pumpctl.therapy.profile_writer import profile_text
from pumpctl.therapy.program import Program
from pumpctl.therapy.scaling import Boluses, Scaling
from pumpctl.therapy.titration import Titration, cautions, refusal, titration
from pumpctl.therapy.weaning import WeaningStep
from pumpctl.workflows.decide.profiles import read_profile_path


class Proposal(NamedTuple):
    """A new profile, as it will be written, with everything that the checks say of it."""

    wanted: Rate
    program: Program
    text: str
    findings: tuple[Finding, ...]

    @property
    def dose(self) -> Rate:
        """What it gives on its largest day, half up."""
        return Rate(round_half_up(largest_day(self.program)))

    @property
    def hard(self) -> tuple[Finding, ...]:
        """The findings for which it is not written."""
        return of(self.findings, Severity.HARD)


def present(file: Path, library: Library) -> Profile:
    """The profile that is to be changed; LimitHard where it is not sound itself."""
    reading = read_profile_path(file, library)
    if reading.profile is None or not reading.ok:
        raise LimitHard(
            f"{file} has hard findings: what is not sound cannot be built on",
            hint=f"correct it first: pumpctl profile check {file}",
            findings=of(reading.findings, Severity.HARD),
        )
    return reading.profile


def propose(
    profile: Profile,
    found: Titration,
    dose: Rate,
    now: Moment,
    *,
    library: Library,
    boluses: Boluses,
    fallback: Rate | None = None,
) -> Proposal:
    """The profile with this daily dose; LimitHard where the dose is not permitted."""
    _permitted(found, dose, now)
    program = Scaling(profile.program, boluses).program_for(dose, fallback)
    return _checked(profile, found, dose, program, now.date, library)


def wean(
    profile: Profile,
    steps: Iterable[WeaningStep],
    now: Moment,
    *,
    library: Library,
    boluses: Boluses,
) -> tuple[Proposal, ...]:
    """Each step as a profile of its own, checked, and held against the step before."""
    made, before = [], profile.program
    for step in steps:
        found = titration(before, profile.patient, library=library, boluses=boluses)
        _permitted(found, step.dose, now)
        made.append(_checked(profile, found, step.dose, step.program, step.date, library))
        before = step.program
    return tuple(made)


def write(files: Iterable[tuple[Path, str]], *, force: bool) -> None:
    """Write each text to its file; where one is there already, none is written without `force`.

    A file that was cut off by a full disk is no profile: the reservoir, which every
    profile must have, stands at its end.
    """
    wanted = list(files)
    for path, _ in wanted:
        if path.exists() and not force:
            raise UsageError(f"{path} is there already", hint="--force writes over it")
    for path, text in wanted:
        try:
            with path.open("w" if force else "x", encoding="utf-8", newline="\n") as out:
                out.write(text)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error.strerror or error}",
                hint="choose another place with -o",
            ) from error


def write_steps(
    directory: Path, files: Sequence[Path], texts: Sequence[str], *, force: bool
) -> None:
    """Write the profiles of a weaning into their directory, which is made where there is none.

    UsageError where it holds a profile of another weaning: step 4 of an old one after
    step 3 of the new one would be taken for the next. `force` writes over files, and
    leaves none beside them either.
    """
    ours = {file.name for file in files}
    try:
        directory.mkdir(exist_ok=True)
        there = sorted(file.name for file in directory.iterdir() if _STEP.match(file.name))
    except OSError as error:
        raise StoreError(
            f"{directory} cannot be made or read: {error.strerror or error}",
            hint="choose another -o",
        ) from error
    foreign = [name for name in there if name not in ours]
    if foreign:
        raise UsageError(
            f"{directory} holds {foreign[0]}, a step of another weaning",
            hint="choose another -o, or put the old profiles away first",
        )
    write(zip(files, texts, strict=True), force=force)


_STEP = re.compile(r"[0-9]{2}-.*\.toml\Z", re.IGNORECASE | re.DOTALL)
"""The name of a weaning's profile: 01-2026-04-01.toml."""


def _permitted(found: Titration, dose: Rate, now: Moment) -> None:
    why = refusal(found, dose, now)
    if why is not None:
        raise LimitHard(why, hint="pumpctl titrate FILE shows what is permitted, and when")


def _checked(
    profile: Profile,
    found: Titration,
    dose: Rate,
    program: Program,
    date: Date,
    library: Library,
) -> Proposal:
    """The new profile, with the findings of the checks and those of the step to it."""
    text = _text(profile, program, date)
    findings = findings_of(text, program, library)
    known = {finding.id for finding in findings}
    told = [caution for caution in cautions(found, dose) if caution.id not in known]
    return Proposal(dose, program, text, by_severity((*findings, *told)))


def _text(profile: Profile, program: Program, date: Date) -> str:
    old, new = largest_day(profile.program), largest_day(program)
    doses = f"{Rate(round_half_up(old))} to {Rate(round_half_up(new))}"
    made = f"Made by pumpctl titrate from {Path(profile.filename).name}, for {date}"
    return profile_text(
        program,
        profile.patient,
        profile.serial,
        [
            f"{made}: {doses} ({percent_text(old, new)}).",
            "Read it before it is used; then: pumpctl profile check FILE",
        ],
    )


def findings_of(text: str, program: Program, library: Library) -> tuple[Finding, ...]:
    """What the checks say of the text, as of any profile; it must mean the program."""
    reading = read_profile(text, "new profile", library)
    if reading.program != program:
        raise InternalError("a profile does not read back as the program that was written")
    return reading.findings
