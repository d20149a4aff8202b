"""The screening trial of one patient as it stands on record: what was given, and the answers.

A record is only ever added to: a mistaken entry is replaced or withdrawn by a
later one that names it. What then counts is folded here into the injections that
`trial.next_step` asks for. How entries are kept, and who may add one, is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.trial import End, Injection, Next, Why, next_step


class Given(NamedTuple):
    """An injection was given."""

    number: int
    """Of the entry, among all of this patient's trial, from 1 on."""
    dose: Mass
    at: Moment
    years: int
    """The patient's age then."""
    injured: Moment | None
    """The day of a brain injury, where that is the cause."""
    reason: str | None
    """Why it departs from the label, or why it replaces another entry."""
    replaces: int | None
    """The entry in whose place it stands."""


class Answered(NamedTuple):
    """How the patient answered an injection, as it was judged `at` this time."""

    number: int
    to: int
    """The entry of the injection."""
    at: Moment
    worked: bool
    effect: Duration | None
    bad_reaction: bool
    reason: str | None
    replaces: int | None


class Withdrawn(NamedTuple):
    """An entry was a mistake, and nothing stands in its place."""

    number: int
    at: Moment
    entry: int
    reason: str


TrialEntry: TypeAlias = Given | Answered | Withdrawn


class Standing(NamedTuple):
    """An injection that counts, with all that is known of it."""

    given: Given
    injection: Injection
    judged: Moment | None
    """When its last answer was; None: not yet."""


class OnRecord(NamedTuple):
    """What counts of a record, the oldest injection first."""

    standing: tuple[Standing, ...]
    counting: frozenset[int]
    """The entries that were neither replaced nor withdrawn."""

    @property
    def injections(self) -> tuple[Injection, ...]:
        """As `next_step` asks for them."""
        return tuple(each.injection for each in self.standing)

    @property
    def years(self) -> int | None:
        """The patient's age: the least that was told, by which the first steps are judged."""
        return min((each.given.years for each in self.standing), default=None)

    @property
    def injured(self) -> Moment | None:
        """The latest brain injury that was told."""
        told = [each.given.injured for each in self.standing if each.given.injured is not None]
        return max(told, key=lambda each: each.utc_ms, default=None)

    def of(self, number: int) -> Standing | None:
        """The injection of an entry that counts."""
        return next((each for each in self.standing if each.given.number == number), None)


def on_record(entries: Sequence[TrialEntry]) -> OnRecord:
    """What counts of these entries, which come in the order of their numbers."""
    instead: dict[int, int] = {}
    gone: set[int] = set()
    for entry in entries:
        if isinstance(entry, Withdrawn):
            gone |= {entry.entry, entry.number}
        elif entry.replaces is not None:
            gone.add(entry.replaces)
            instead[entry.replaces] = entry.number
    given = [each for each in entries if isinstance(each, Given) and each.number not in gone]
    answers: dict[int, list[Answered]] = {each.number: [] for each in given}
    for answer in entries:
        if isinstance(answer, Answered) and answer.number not in gone:
            to = answer.to
            while to in instead:
                to = instead[to]
            if to in answers:
                answers[to].append(answer)
    standing = sorted(
        (_standing(each, answers[each.number]) for each in given),
        key=lambda each: (each.given.at.utc_ms, each.given.number),
    )
    counted = {each.number for each in given}
    counted |= {answer.number for found in answers.values() for answer in found}
    return OnRecord(tuple(standing), frozenset(counted))


def following(
    record: OnRecord, *, years: int | None = None, injured: Moment | None = None
) -> Next | None:
    """What the label permits next; None: nothing is on record, and no age was told."""
    ages = [each for each in (record.years, years) if each is not None]
    told = [each for each in (record.injured, injured) if each is not None]
    if not ages:
        return None
    last = max(told, key=lambda each: each.utc_ms, default=None)
    return next_step(record.injections, years=min(ages), injured=last)


def departure(record: OnRecord) -> End | None:
    """In what this record departs from the label; None where in nothing."""
    step = following(record)
    departs = isinstance(step, End) and step.kind is not Why.NOT_A_CANDIDATE
    return step if isinstance(step, End) and departs else None


def contradicts(standing: Standing, answer: Answered) -> str | None:
    """In what an answer is another than the one on record; None where it completes that.

    Nothing that was told is untold by leaving it out of a later answer.
    """
    had = standing.injection
    if had.worked is not None and had.worked is not answer.worked:
        return f"the answer to {had.dose} is on record: {'yes' if had.worked else 'no'}"
    if had.effect is not None and answer.effect not in (None, had.effect):
        return f"the effect of {had.dose} is on record: {had.effect}"
    return None


def _standing(given: Given, answers: Iterable[Answered]) -> Standing:
    injection, judged = Injection(given.dose, given.at), None
    for answer in answers:
        effect = injection.effect if answer.effect is None else answer.effect
        bad = injection.bad_reaction or answer.bad_reaction
        injection = Injection(given.dose, given.at, answer.worked, effect, bad)
        judged = answer.at
    return Standing(given, injection, judged)
