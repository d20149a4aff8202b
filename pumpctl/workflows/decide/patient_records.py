"""What this station writes down of a patient, with or without a pump: one journal, one hash.

Such an entry belongs to no pump. The patient is the short hash of the tag alone
(`tag_hash` with an empty serial, which no pump has: another hash than in any pump),
and no text that is written down may hold the tag itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import PLACEHOLDER_TAG, tag_hash

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry, Journal, Kind
    from pumpctl.workflows.surroundings import Station

LONGEST_TAG = 64
"""As in a profile."""
LONGEST_TEXT = 200


def checked_tag(tag: str) -> str:
    """A tag such as a profile may hold; UsageError otherwise."""
    if not tag.strip() or not tag.isprintable() or len(tag) > LONGEST_TAG:
        raise UsageError(
            f"{tag[:LONGEST_TAG]!r} is no patient's tag",
            hint=f"up to {LONGEST_TAG} printable characters, the clinic's own label",
        )
    if tag == PLACEHOLDER_TAG:
        raise UsageError(f"{tag} is the placeholder of a new profile, and no patient's tag")
    return tag


def checked_text(name: str, text: str | None, tag: str) -> str | None:
    """A text for the record, or None; UsageError where it cannot be written down."""
    if text is None:
        return None
    text = text.strip()
    if not text or not text.isprintable() or len(text) > LONGEST_TEXT:
        raise UsageError(f"{name}: 1 to {LONGEST_TEXT} printable characters")
    if tag.casefold() in text.casefold():
        raise UsageError(
            f"{name} holds the patient's tag, which is never written into the journal",
            hint="leave it out: the entry is this patient's already",
        )
    return text


def seen_at(station: Station, at: Moment | None, what: str) -> Moment:
    """When something was: `at`, or now by the station's clock; UsageError for what is to come."""
    now = station.wall()
    if at is None:
        return now
    if at.utc_ms > now.utc_ms:
        raise UsageError(
            f"{what} at {at} is yet to come: the station's clock shows {now}",
            hint="a record says what has been; is the offset right?",
        )
    return at


class PatientJournal(NamedTuple):
    """The entries of one kind, of one patient, in an open journal."""

    journal: Journal
    kind: Kind
    tag: str

    @property
    def _hash(self) -> str:
        return tag_hash("", self.tag).hex()

    def entries(self) -> list[Entry]:
        """The oldest first; the number of an entry is its place from 1 on."""
        from pumpctl.station.journal import STATION

        every = self.journal.entries(pump=STATION)
        return [
            each for each in every if each.kind == self.kind and each.body.get("tag") == self._hash
        ]

    def append(self, station: Station, body: dict[str, object]) -> None:
        """Durable when this returns."""
        from pumpctl.station.journal import STATION

        told = {**body, "tag": self._hash, "operator": station.operator}
        self.journal.append(
            self.kind, at=str(station.wall()), pump=STATION, operation=None, body=told
        )


@contextmanager
def to_read(station: Station, kind: Kind, tag: str) -> Iterator[PatientJournal | None]:
    """What is on record; None where this station has no journal yet. Makes nothing."""
    if not station.home.journal.exists():
        yield None
        return
    from pumpctl.workflows.library.libraries import journal_to_read

    with journal_to_read(station) as journal:
        yield PatientJournal(journal, kind, tag)


@contextmanager
def to_write(station: Station, kind: Kind, tag: str) -> Iterator[PatientJournal]:
    """The same to be added to: nobody else adds one between looking and writing."""
    from pumpctl.station.station_lock import station_lock
    from pumpctl.workflows.library.libraries import open_journal

    doing = "is writing down something of a patient"
    with station_lock(station.home, "patients", doing), open_journal(station) as journal:
        yield PatientJournal(journal, kind, tag)
