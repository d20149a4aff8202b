"""How a patient does under a dose: written down in this station's journal, and read again.

The dose is the one of the profile that was handed in, with its program's hash. No
pump is asked, and nothing is concluded from an answer here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.errors import PumpctlError, StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_hash
from pumpctl.quantities import Rate, round_half_up
from pumpctl.therapy.figures import largest_day
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.profile import Profile
from pumpctl.workflows.decide.patient_records import (
    PatientJournal,
    checked_tag,
    checked_text,
    seen_at,
    to_read,
    to_write,
)

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry
    from pumpctl.workflows.surroundings import Station

ANSWERS = ("better", "same", "worse")
"""Against how it was before this dose."""


class Response(NamedTuple):
    """One answer to one dose."""

    number: int
    """Of the entry, among all of this patient's, from 1 on."""
    at: Moment
    """When it was seen."""
    answer: str
    dose: Rate
    """Of the largest day."""
    program: str
    """The hash of the program."""
    side_effects: str | None
    note: str | None
    replaces: int | None
    """The entry that this one corrects."""
    reason: str | None
    """Why."""
    operator: str


def record(
    station: Station,
    profile: Profile,
    answer: str,
    *,
    at: Moment | None,
    side_effects: str | None = None,
    note: str | None = None,
    replaces: int | None = None,
    reason: str | None = None,
) -> tuple[Response, ...]:
    """Write down how the patient does under the dose of this profile; all that counts then.

    UsageError for what is no answer, is yet to come, or corrects nothing that counts.
    """
    if answer not in ANSWERS:
        raise UsageError(f"--record-response {answer}: one of {', '.join(ANSWERS)}")
    tag = checked_tag(profile.patient.tag)
    at = seen_at(station, at, "a response")
    side_effects = checked_text("--side-effects", side_effects, tag)
    note = checked_text("--note", note, tag)
    reason = checked_text("--reason", reason, tag)
    if (replaces is None) is not (reason is None):
        raise UsageError("--replace and --reason go together: which entry is wrong, and why")
    with to_write(station, "response", tag) as kept:
        before = _read(kept)
        if replaces is not None and replaces not in [each.number for each in _counting(before)]:
            raise UsageError(f"--replace {replaces}: there is no such entry that counts")
        made = Response(
            len(before) + 1,
            at,
            answer,
            Rate(round_half_up(largest_day(profile.program))),
            program_hash(profile.program).hex(),
            side_effects,
            note,
            replaces,
            reason,
            station.operator,
        )
        kept.append(
            station,
            {
                "seen_at": str(made.at),
                "answer": made.answer,
                "daily_dose": str(made.dose),
                "program": made.program,
                "side_effects": made.side_effects,
                "note": made.note,
                "replaces": made.replaces,
                "reason": made.reason,
            },
        )
    return _counting([*before, made])


def on_record(station: Station, tag: str) -> tuple[Response, ...]:
    """All that counts of this patient, in the order in which it was seen."""
    with to_read(station, "response", tag) as kept:
        return () if kept is None else _counting(_read(kept))


def _counting(every: list[Response]) -> tuple[Response, ...]:
    replaced = {each.replaces for each in every}
    counting = [each for each in every if each.number not in replaced]
    return tuple(sorted(counting, key=lambda each: (each.at.utc_ms, each.number)))


def _read(kept: PatientJournal) -> list[Response]:
    found = []
    for number, entry in enumerate(kept.entries(), 1):
        try:
            found.append(_response(number, entry))
        except (KeyError, TypeError, PumpctlError) as error:
            raise StoreError(
                f"a response on record cannot be read: journal entry {entry.seq}",
                hint="was it written by a newer pumpctl?",
            ) from error
    return found


def _response(number: int, entry: Entry) -> Response:
    body: dict[str, Any] = entry.body
    return Response(
        number,
        Moment.parse(body["seen_at"]),
        body["answer"],
        Rate.parse(body["daily_dose"]),
        body["program"],
        body["side_effects"],
        body["note"],
        body["replaces"],
        body["reason"],
        body["operator"],
    )
