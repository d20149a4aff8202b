"""The entries of a screening trial as the journal keeps them, both ways.

Quantities and times as text in the project's grammar. What counts of the entries
is `trial_record`'s matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.errors import PumpctlError, StoreError
from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.trial_record import Answered, Given, TrialEntry, Withdrawn
from pumpctl.workflows.decide.patient_records import PatientJournal

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry


def body_of(entry: TrialEntry) -> dict[str, object]:
    """An entry as it is written down, without patient and operator."""
    match entry:
        case Given():
            return {
                "what": "injection",
                "dose": str(entry.dose),
                "given_at": str(entry.at),
                "years": entry.years,
                "injured": _text(entry.injured),
                "reason": entry.reason,
                "replaces": entry.replaces,
            }
        case Answered():
            return {
                "what": "response",
                "to": entry.to,
                "judged_at": str(entry.at),
                "worked": entry.worked,
                "effect": _text(entry.effect),
                "bad_reaction": entry.bad_reaction,
                "reason": entry.reason,
                "replaces": entry.replaces,
            }
        case Withdrawn():
            return {
                "what": "withdrawn",
                "withdrawn_at": str(entry.at),
                "entry": entry.entry,
                "reason": entry.reason,
            }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def entries_of(kept: PatientJournal) -> list[TrialEntry]:
    """The entries of a trial; StoreError for one that this version does not understand."""
    found: list[TrialEntry] = []
    for number, entry in enumerate(kept.entries(), 1):
        try:
            found.append(_entry(number, entry))
        except (KeyError, TypeError, ValueError, AttributeError, PumpctlError) as error:
            raise StoreError(
                f"the trial on record cannot be read: journal entry {entry.seq}",
                hint="was it written by a newer pumpctl?",
            ) from error
    return found


def _entry(number: int, entry: Entry) -> TrialEntry:
    body: dict[str, Any] = entry.body
    match body["what"]:
        case "injection":
            injured = body["injured"]
            return Given(
                number,
                Mass.parse(body["dose"]),
                Moment.parse(body["given_at"]),
                int(body["years"]),
                None if injured is None else Moment.parse(injured),
                body["reason"],
                body["replaces"],
            )
        case "response":
            effect = body["effect"]
            return Answered(
                number,
                int(body["to"]),
                Moment.parse(body["judged_at"]),
                body["worked"] is True,
                None if effect is None else Duration.parse(effect),
                body["bad_reaction"] is True,
                body["reason"],
                body["replaces"],
            )
        case "withdrawn":
            at = Moment.parse(body["withdrawn_at"])
            return Withdrawn(number, at, int(body["entry"]), str(body["reason"]))
        case what:
            raise ValueError(f"{what}: no such entry")
