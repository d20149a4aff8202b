"""The screening trial in this station's journal: written down, corrected, read, and what follows.

Nothing is sent to a pump. What the label permits next is `next_step`'s to say, of
what counts of the record. An entry that departs from the label is refused without
a reason, and with one written down: a record tells what has been. The label names
no next step then, and neither does this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pumpctl.errors import LimitSoft, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.label import OBSERVED
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Date, Moment
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.trial import Next, Start
from pumpctl.therapy.trial_record import (
    Answered,
    Given,
    OnRecord,
    Standing,
    TrialEntry,
    Withdrawn,
    contradicts,
    departure,
    following,
    on_record,
)
from pumpctl.workflows.decide.patient_records import (
    PatientJournal,
    checked_tag,
    checked_text,
    seen_at,
    to_read,
    to_write,
)
from pumpctl.workflows.decide.trial_entries import body_of, entries_of

if TYPE_CHECKING:
    from pumpctl.station.journal import Journal
    from pumpctl.workflows.surroundings import Station

OLDEST = 120
"""Years; more is a slip."""


class Trial(NamedTuple):
    """One patient's trial: every entry, what counts of them, and what may follow."""

    tag: str
    entries: tuple[TrialEntry, ...]
    record: OnRecord
    next: Next | None
    """None: nothing is on record, and no age was told."""

    @property
    def early(self) -> bool:
        """The last entry says that there was no response, before its effect can be seen."""
        last = self.entries[-1] if self.entries else None
        if not isinstance(last, Answered) or last.worked:
            return False
        of = self.record.of(_resolved(self.entries, last))
        return of is not None and last.at.utc_ms < of.given.at.plus(OBSERVED[0].quanta).utc_ms


class Correction(NamedTuple):
    """Which entry is replaced, and why; or only why the label is departed from."""

    replaces: int | None = None
    reason: str | None = None


NONE = Correction()


def look(
    station: Station, tag: str, *, years: int | None = None, injured: Date | None = None
) -> Trial:
    """What is on record, and what the label permits next; `years` where none is on record yet."""
    tag = checked_tag(tag)
    with to_read(station, "trial", tag) as kept:
        entries = [] if kept is None else entries_of(kept)
    record = on_record(entries)
    if years is not None:
        _check_years(years, record)
    return Trial(
        tag,
        tuple(entries),
        record,
        following(record, years=years, injured=_day(injured, station)),
    )


def inject(
    station: Station,
    tag: str,
    dose: Mass,
    *,
    at: Moment | None,
    years: int | None,
    injured: Date | None,
    correction: Correction = NONE,
) -> Trial:
    """Write down an injection that was given.

    `years` may be left out where the record has them. Raises UsageError for what cannot
    be, LimitSoft where it departs from the label and no reason is given.
    """
    if not dose:
        raise UsageError("an injection of nothing is none")
    at, day = seen_at(station, at, "an injection"), _day(injured, station)
    if day is not None and day.utc_ms > at.utc_ms:
        raise UsageError(f"a brain injury on {injured} is after the injection")

    def entry(entries: list[TrialEntry], record: OnRecord, reason: str | None) -> TrialEntry:
        old = _replaced(record, correction.replaces)
        age = years
        if age is None:
            age = old.given.years if old is not None else record.years
        if age is None:
            raise UsageError("the patient's age is not on record yet", hint="add --years 34")
        _check_years(age, record if old is None else None)
        since = day
        if day is None:
            since = old.given.injured if old is not None else record.injured
        return Given(len(entries) + 1, dose, at, age, since, reason, correction.replaces)

    return _add(station, tag, entry, correction)


def answer(
    station: Station,
    tag: str,
    *,
    worked: bool,
    effect: Duration | None,
    bad_reaction: bool,
    at: Moment | None,
    correction: Correction = NONE,
) -> Trial:
    """Write down how the patient answered the last injection, or complete the answer to it.

    Raises UsageError for what cannot be (an effect longer than the time since) and for
    another answer than the one on record, which only a correction may give.
    """
    if effect is not None and not worked:
        raise UsageError("there is no effect to last where there was no response")
    at = seen_at(station, at, "a response")

    def entry(entries: list[TrialEntry], record: OnRecord, reason: str | None) -> TrialEntry:
        to = record.standing[-1] if record.standing else None
        if correction.replaces is not None:
            to = _answered(record, entries, correction.replaces)
        if to is None:
            raise UsageError("no injection is on record to which this could be the answer")
        given = to.given.at
        made = Answered(
            len(entries) + 1,
            to.given.number,
            at,
            worked,
            effect,
            bad_reaction,
            reason,
            correction.replaces,
        )
        if at.utc_ms < given.utc_ms:
            raise UsageError(f"the answer at {at} is before the injection at {given}")
        if effect is not None and given.plus(effect.quanta).utc_ms > at.utc_ms:
            raise UsageError(
                f"an effect of {effect} from {given} on had not ended at {at}",
                hint="say that it worked now, and how long it lasted when it has ended",
            )
        if correction.replaces is None and (why := contradicts(to, made)) is not None:
            last = _last_answer(entries, record)
            raise UsageError(why, hint=f"--replace {last} --reason TEXT corrects a mistaken entry")
        return made

    return _add(station, tag, entry, correction)


def withdraw(station: Station, tag: str, entry: int, reason: str | None) -> Trial:
    """Write down that an entry was a mistake: it counts no more, and stays readable."""
    if reason is None:
        raise UsageError(f"--withdraw {entry} needs --reason TEXT: why it was a mistake")
    at = station.wall()

    def made(entries: list[TrialEntry], record: OnRecord, told: str | None) -> TrialEntry:
        _counting(record, entry)
        return Withdrawn(len(entries) + 1, at, entry, told or "")

    return _add(station, tag, made, Correction(entry, reason))


def start_on_record(journal: Journal, whom: Patient | None) -> Start | None:
    """The starting dose by a new patient's trial in this journal; None where it gives none.

    StoreError where the trial on record cannot be read.
    """
    if whom is None or whom.history != "new":
        return None
    step = following(on_record(entries_of(PatientJournal(journal, "trial", whom.tag))))
    return step if isinstance(step, Start) else None


# --- one entry more -----------------------------------------------------------------


def _add(
    station: Station,
    tag: str,
    make: Callable[[list[TrialEntry], OnRecord, str | None], TrialEntry],
    correction: Correction,
) -> Trial:
    tag = checked_tag(tag)
    reason = checked_text("--reason", correction.reason, tag)
    if correction.replaces is not None and reason is None:
        raise UsageError(f"--replace {correction.replaces} needs --reason TEXT: what was wrong")
    with to_write(station, "trial", tag) as kept:
        entries = entries_of(kept)
        record = on_record(entries)
        made = make(entries, record, reason)
        after = on_record([*entries, made])
        departs = departure(after) if isinstance(made, Given) else None
        if departs is not None and reason is None:
            raise LimitSoft(
                f"{departs.why} [{departs.source}]",
                hint="if it was given all the same, write it down with --reason TEXT; "
                "no next step is proposed then",
            )
        if departs is None and correction.replaces is None and reason is not None:
            raise UsageError("--reason: nothing here departs from the label")
        kept.append(station, body_of(made))
    return Trial(tag, (*entries, made), after, following(after))


def _counting(record: OnRecord, number: int) -> None:
    if number not in record.counting:
        raise UsageError(
            f"entry {number} is none that counts",
            hint="pumpctl trial TAG shows every entry with its number",
        )


def _replaced(record: OnRecord, number: int | None) -> Standing | None:
    """The injection in whose place another is to stand."""
    if number is None:
        return None
    _counting(record, number)
    found = record.of(number)
    if found is None:
        raise UsageError(f"entry {number} is no injection: --replace it with --response")
    return found


def _answered(record: OnRecord, entries: list[TrialEntry], number: int) -> Standing | None:
    """The injection whose answer is to be replaced."""
    _counting(record, number)
    old = entries[number - 1]
    if not isinstance(old, Answered):
        raise UsageError(f"entry {number} is no response: --replace it with --inject")
    return record.of(_resolved(entries, old))


def _resolved(entries: Sequence[TrialEntry], answered: Answered) -> int:
    """The entry that now stands for the injection of an answer."""
    to = answered.to
    for entry in entries:  # in order: a replacement comes after what it replaces
        if isinstance(entry, Given) and entry.replaces == to:
            to = entry.number
    return to


def _last_answer(entries: list[TrialEntry], record: OnRecord) -> int:
    return max(
        each.number
        for each in entries
        if isinstance(each, Answered) and each.number in record.counting
    )


def _check_years(years: int, record: OnRecord | None) -> None:
    if not 0 <= years <= OLDEST:
        raise UsageError(f"--years {years}: whole years, 0 to {OLDEST}")
    known = None if record is None else record.years
    if known is not None and years not in (known, known + 1):
        raise UsageError(
            f"--years {years}: on record is {known}",
            hint="is it the right patient? --replace the entry that is wrong, with --reason",
        )


def _day(date: Date | None, station: Station) -> Moment | None:
    """The beginning of a day, as the station's clock has it."""
    if date is None:
        return None
    offset = station.wall().offset_min
    return Moment(date.number * DAY_MS - offset * MINUTE_MS, offset)
