"""A dose profile: TOML text in, a profile and everything that is wrong with it out.

A text that is no TOML is refused with its place. Everything else is read as far
as it can be, so that all findings come in one go; only a whole and plausible
profile becomes a `Profile`. Nothing here opens files, and no limit lives here.
"""

from __future__ import annotations

from typing import TypeVar

from pumpctl.errors import ProfileSyntax
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.checks import check_draft
from pumpctl.therapy.draft import Draft, WrittenBolus, WrittenDay, WrittenStep, formed
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.places import Path
from pumpctl.therapy.profile_shape import PROFILE
from pumpctl.therapy.program import Mode, PatientDose, Program
from pumpctl.therapy.toml_text import FileKind, decoded, parsed
from pumpctl.therapy.walk import Walk

KIND = FileKind(PROFILE.name, ProfileSyntax)

_T = TypeVar("_T")


class Profile(NamedTuple):
    """A whole profile: whom it is for, and the program that it means."""

    filename: str
    patient: Patient
    serial: str | None
    program: Program
    draft: Draft
    """As it was written; the checks look at this."""


class ProfileReading(NamedTuple):
    """What came of reading a profile: `findings` holds everything, in one go."""

    profile: Profile | None
    """None where no program can be formed, or nobody knows for whom."""
    program: Program | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is a profile without a hard finding."""
        hard = any(finding.severity is Severity.HARD for finding in self.findings)
        return self.profile is not None and not hard


def read_profile_bytes(data: bytes, filename: str, library: Library = DEFAULT) -> ProfileReading:
    """Read a profile as it lies in a file: UTF-8, with or without a byte order mark."""
    return read_profile(decoded(data, filename, KIND), filename, library)


def read_profile(text: str, filename: str, library: Library = DEFAULT) -> ProfileReading:
    """Read a profile and check it against a library; ProfileSyntax where it is no TOML."""
    text = text.removeprefix("\ufeff")
    walk = Walk(PROFILE)
    made = walk.all(parsed(text, filename, KIND))
    draft = _draft(made, walk, text)
    findings = check_draft(draft, library)
    profile = None
    if draft.program is not None and draft.patient is not None:
        profile = Profile(filename, draft.patient, draft.serial, draft.program, draft)
    return ProfileReading(profile, draft.program, findings)


# --- from walked values to a draft -----------------------------------------------


def _get(table: object, key: str, kind: type[_T]) -> _T | None:
    """The value of a key, where it is there and could be read."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, kind) else None


def _each(values: list[object] | None, kind: type[_T]) -> tuple[_T | None, ...]:
    return tuple(value if isinstance(value, kind) else None for value in values or ())


def _draft(made: object, walk: Walk, text: str) -> Draft:
    """Gather what the walk could read; the program too, where nothing in it is at fault."""
    program = _get(made, "program", dict)
    mode = _get(program, "mode", str)
    days = _get(program, "day", list)
    draft = Draft(
        faults=tuple(walk.faults),
        text=text,
        patient=_patient(_get(made, "patient", dict)),
        serial=_get(_get(made, "pump", dict), "serial", str),
        drug=_get(_get(made, "drug", dict), "name", str),
        concentration=_get(_get(made, "drug", dict), "concentration", Concentration),
        mode=Mode(mode) if mode else None,
        fallback=_get(program, "fallback_rate", Rate),
        declared=_get(program, "daily_dose", Rate),
        days=None if days is None else tuple(_day(each, at) for at, each in enumerate(days)),
        boluses=_boluses(program),
        patient_dose=_patient_dose(_get(program, "patient_dose", dict)),
        complete=not any(fault.seen.path[:1] == ("program",) for fault in walk.faults),
        low_alarm=_get(_get(made, "reservoir", dict), "low_alarm", Volume),
    )
    return draft._replace(program=formed(draft))


def _patient(table: object) -> Patient | None:
    tag, origin, age = (_get(table, key, str) for key in ("tag", "spasticity_origin", "age_group"))
    if tag is None or origin is None or age is None:
        return None
    return Patient(tag, origin, age, _get(table, "history", str))


def _days_of(table: object) -> tuple[int | None, ...]:
    names = _each(_get(table, "days", list), str)
    return tuple(None if name is None else DAYS.index(name) for name in names) or (None,)


def _day(table: object, at: int) -> WrittenDay:
    path: Path = ("program", "day", at)
    steps = _get(table, "steps", list)
    return WrittenDay(
        days=_days_of(table),
        declared=_get(table, "daily_dose", Rate),
        steps=None
        if steps is None
        else tuple(
            WrittenStep(_get(step, "from", int), _get(step, "basal", Rate), (*path, "steps", at))
            for at, step in enumerate(steps)
        ),
        path=path,
    )


def _boluses(program: dict[str, object] | None) -> tuple[WrittenBolus, ...] | None:
    """None where they could not be read, which is not the same as that there are none."""
    if program is None or "bolus" not in program:
        return ()
    tables = _get(program, "bolus", list)
    if tables is None:
        return None
    return tuple(
        WrittenBolus(
            dose=_get(table, "dose", Mass),
            over=_get(table, "over", Duration),
            at=_each(_get(table, "at", list), int) or (None,),
            days=_days_of(table),
            path=("program", "bolus", at),
        )
        for at, table in enumerate(tables)
    )


def _patient_dose(table: object) -> PatientDose | None:
    dose, most = _get(table, "dose", Mass), _get(table, "max_per_24h", int)
    over, lockout = _get(table, "over", Duration), _get(table, "lockout", Duration)
    if dose is None or over is None or lockout is None or most is None:
        return None
    return PatientDose(dose, over, lockout, most)
