"""A visit file: TOML in, the refill that it tells out, or everything that is wrong with it.

All faults come in one go, each with its line and column. The profile that it names is
read beside it. No pump is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

from pumpctl.errors import UsageError, VisitFaulty, VisitSyntax
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.checks import rules
from pumpctl.therapy.findings import Finding, Severity, placed
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.patient import names_tag
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.refill import Ampoule
from pumpctl.therapy.toml_text import MAX_BYTES, FileKind, decoded, parsed
from pumpctl.therapy.visit_shape import LONGEST_REASON, VISIT
from pumpctl.therapy.walk import Walk, found
from pumpctl.workflows.refill.visit import DrawnUp, Injected, RefillVisit
from pumpctl.workflows.road.programs import read_profile_file
from pumpctl.workflows.surroundings import Station

KIND = FileKind(VISIT.name, VisitSyntax)
_REASONS = "reasons"
_KEPT = (("order", "prescriber"), ("order", "reference"), ("drug", "lot"), ("given_up", "why"))
"""Words that the journal keeps as they are."""

_T = TypeVar("_T")


class Written(NamedTuple):
    """A visit file that was read: the visit without its program, and which profile it names."""

    visit: RefillVisit | None
    """None where a part of it could not be read."""
    profile: str | None
    findings: tuple[Finding, ...]


def read_visit_file(station: Station, path: Path) -> RefillVisit:
    """The visit of a file, its profile read and checked as `program push` does.

    VisitSyntax for what is no TOML, VisitFaulty with all findings for what is no visit,
    and whatever the profile is refused for.
    """
    written = read_visit(decoded(_bytes(path), str(path), KIND), str(path))
    if written.visit is None or written.findings:
        raise VisitFaulty(
            f"{path}: {len(written.findings)} hard findings", findings=written.findings
        )
    if written.profile is None:
        return written.visit
    profile, program = read_profile_file(station, path.parent / written.profile)
    _same_patient(written.visit, path, profile)
    return written.visit._replace(program=(profile, program))


def read_visit(text: str, filename: str) -> Written:
    """Read a visit's text; VisitSyntax, with line and column, where it is no TOML."""
    text = text.removeprefix("\ufeff")
    data = _plain(parsed(text, filename, KIND))
    walk = Walk(VISIT)
    assert isinstance(data, dict)  # noqa: S101  a TOML text is a table
    given = data.pop(_REASONS, None)
    made = walk.all(data)
    reasons = _reasons(given, walk)
    visit = _visit(made, reasons, walk)
    profile = _get(_get(made, "program", dict), "profile", str)
    return Written(None if walk.faults else visit, profile, placed(walk.faults, text))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise VisitSyntax(f"{path} cannot be read: {what}", hint="is this the right file?") from (
            error
        )


def _plain(data: object) -> object:
    """TOML's own dates and times as the text that they are written with here."""
    match data:
        case dict():
            return {key: _plain(each) for key, each in data.items()}
        case list():
            return [_plain(each) for each in data]
        case datetime():
            return data.isoformat(timespec="milliseconds" if data.microsecond else "seconds")
        case date() | time():
            return data.isoformat()
        case _:
            return data


def _get(table: object, key: str, kind: type[_T]) -> _T | None:
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, kind) else None


def _has(made: object, *keys: str) -> list[str]:
    return [key for key in keys if isinstance(made, dict) and key in made]


# --- what the values mean together -----------------------------------------------------------


def _visit(made: object, reasons: tuple[tuple[str, str], ...], walk: Walk) -> RefillVisit | None:
    _contradictions(made, walk)
    _tagged(made, reasons, walk)
    order, drained = _get(made, "order", dict), _get(made, "drained", dict)
    injected = _get(made, "injected", dict)
    tag = _get(_get(made, "patient", dict), "tag", str)
    prescriber, reference = _get(order, "prescriber", str), _get(order, "reference", str)
    at = _time(_get(injected, "at", str), walk)
    volume = _get(injected, "volume", Volume)
    if tag is None or prescriber is None or reference is None:
        return None
    return RefillVisit(
        patient=tag,
        serial=_get(_get(made, "pump", dict), "serial", str),
        prescriber=prescriber,
        reference=reference,
        drained=_get(drained, "volume", Volume),
        left=_get(drained, "left", Volume) or Volume(0),
        drawn=_drawn(_get(made, "drug", dict)),
        injected=None if volume is None else Injected(volume, at),
        program=None,
        without_bridge=bool(_has(injected, "bridge")),
        next_visit=_get(_get(made, "next", dict), "visit", Date),
        given_up=_get(_get(made, "given_up", dict), "why", str),
        reasons=reasons,
    )


def _drawn(table: dict[str, Any] | None) -> DrawnUp | None:
    name, lot = _get(table, "name", str), _get(table, "lot", str)
    concentration = _get(table, "concentration", Concentration)
    expiry, printed = _get(table, "expiry", Date), _get(table, "ampoule", dict)
    if name is None or lot is None or concentration is None or expiry is None:
        return None
    mass, volume = _get(printed, "mass", Mass), _get(printed, "volume", Volume)
    ampoule = None if mass is None or volume is None else Ampoule(mass, volume)
    return DrawnUp(name, concentration, lot, expiry, ampoule)


def _contradictions(made: object, walk: Walk) -> None:
    """Injected or given up: exactly one of them, and whole."""
    if not isinstance(made, dict):
        return
    rule = "VISIT_CONTRADICTION"
    if "given_up" in made:
        for name in _has(made, "injected", "program", "next"):
            what = f"found [{name}] beside [given_up], expected one or the other: nothing went in"
            walk.fault(rule, (name,), what, f"[{name}]", "[given_up] without it", key=True)
        return
    for name in ("drained", "drug", "injected"):
        if name not in made:
            what = f"[{name}] is missing, expected it, or [given_up] with its why"
            walk.fault(rule, (), what, None, f"[{name}]", key=True)


def _tagged(made: object, reasons: tuple[tuple[str, str], ...], walk: Walk) -> None:
    """No word for the journal holds the patient's tag."""
    tag = _get(_get(made, "patient", dict), "tag", str)
    kept = [((table, key), _get(_get(made, table, dict), key, str)) for table, key in _KEPT]
    for path, text in (*kept, *(((_REASONS, name), why) for name, why in reasons)):
        if tag is not None and text is not None and names_tag(text, tag):
            what = f"found {found(text)}, expected it without the patient's tag"
            walk.fault("VISIT_TAG", path, what, found(text), "no tag")


def _time(text: str | None, walk: Walk) -> Moment | None:
    if text is None:
        return None
    try:
        return Moment.parse(text)
    except UsageError:
        path = ("injected", "at")
        expected = "a time with its offset, 2026-11-23T10:05:00+01:00"
        what = f"found {found(text)}, expected {expected}"
        walk.fault("VISIT_TIME", path, what, found(text), expected)
        return None


def _reasons(given: object, walk: Walk) -> tuple[tuple[str, str], ...]:
    """The soft findings that are overridden, by the names that there are."""
    if given is None:
        return ()
    if not isinstance(given, dict):
        walk.fault("VALUE_KIND", (_REASONS,), f"found {found(given)}, expected a table of keys")
        return ()
    return tuple(_each_reason(given, walk))


def _each_reason(given: dict[str, object], walk: Walk) -> Iterator[tuple[str, str]]:
    known = rules()
    for name, reason in given.items():
        path = (_REASONS, name)
        if name not in known:
            what = f"found {found(name)}, expected the id of a finding"
            walk.fault("VISIT_REASON", path, what, found(name), "pumpctl explain --list", key=True)
        elif not isinstance(reason, str) or not _is_reason(reason):
            what = f"found {found(reason)}, expected the reason in words"
            limit = f"1 to {LONGEST_REASON} printable characters"
            walk.fault("VISIT_REASON", path, what, found(reason), limit)
        else:
            yield name, reason.strip()


def _is_reason(text: str) -> bool:
    return 0 < len(text.strip()) <= LONGEST_REASON and text.isprintable()


def _same_patient(visit: RefillVisit, path: Path, profile: Profile) -> None:
    if profile.patient.tag != visit.patient:
        message = (
            f"the visit is of {visit.patient}, and {profile.filename} is for {profile.patient.tag}"
        )
        rule = VISIT.rules["VISIT_PATIENT"]
        told = Finding(
            rule.id, Severity.HARD, message, rule.source, profile.patient.tag, visit.patient
        )
        raise VisitFaulty(f"{path}: {message}", findings=(told,))
