"""What a pump's log and this station's journal tell of a patient's course until now.

For the label's rules of time, when a change is planned and again when it is
applied. All counts are the pump's monotonic counter's, so that no clock that is
set moves a rule. Where something that matters cannot be told truthfully there is
no `Past` at all, and the reason is: nothing is guessed, and nobody is refused for
a log that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration
from pumpctl.station.journal import Journal
from pumpctl.therapy.course import Course
from pumpctl.therapy.label import INCREASE_APART
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.past import Ordered, Past, prescribed
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.practice import STOPPED_HARD
from pumpctl.therapy.state import PumpState
from pumpctl.therapy.trial import Start
from pumpctl.workflows.course.given import given
from pumpctl.workflows.course.in_force import BRINGS_A_PROGRAM, in_force
from pumpctl.workflows.course.pump_log import NotKnown, PumpLog
from pumpctl.workflows.decide.trials import start_on_record
from pumpctl.workflows.refill.once import begun_again
from pumpctl.workflows.visit import Visit

BACK_MS = STOPPED_HARD.value.quanta
"""So far back the rules of time ask. Whom the drug reached then has no pause behind him that
any rule still asks for; and a beginning before that is told as of then, which is long enough
ago for the rule of the first 24 hours."""
_DRY = {"MOTOR_STALL", "EMPTY_RESERVOIR"}
"""Alarms under which nothing flows, whatever is ordered."""
_DOUBLED = 6
"""How often the time is doubled in which the beginning of one is looked for: 128 days."""

Stretch = tuple[int, int]
"""From one count to another."""


class Told(NamedTuple):
    """The course as far as it is known, and in words what could not be told."""

    past: Past | None
    missing: tuple[str, ...] = ()
    questions: int = 0
    """Round trips to the pump that it took."""
    changed: int | None = None
    """Without a `past`: when the pump's log shows the newest change of the program, within
    a day; to what is not known here."""


def past_of(
    visit: Visit,
    journal: Journal,
    state: PumpState,
    windows: Iterable[Duration] = (),
    whom: Patient | None = None,
) -> Told:
    """The course until `state`; of an ordinary patient one question to the pump.

    `windows` are the lengths over which the library limits the dose: what was given is
    told where it is known for all of each. `whom`: the patient, where somebody says, whose
    screening trial is looked up in the journal.
    """
    log, identity = PumpLog(visit.pump, state), visit.pump.identity
    try:
        since, dry = _dry(log, state)
        ordered = in_force(log, state, journal, identity.least_flow, since)
        began = next((each.at for each in ordered if prescribed(each.program)), None)
        flows, again = _flows(ordered, dry, state.counter_ms), _undelivered(log, journal, state)
    except NotKnown as error:
        why = f"{error}: no rule of time is checked; ask when the dose was last increased"
        changed = _changed(log, state.counter_ms)
        return Told(None, (why,), log.questions, changed)
    course: Course | None = None
    missing: tuple[str, ...] = ()
    try:
        first = min([since, *(state.counter_ms - length.quanta for length in windows)])
        entries = log.since(first)
        _count_holds(entries)
        wide = in_force(log, state, journal, identity.least_flow, first)
        course = given(entries, wide, state, identity.pulse)
    except NotKnown as error:
        missing = (f"{error}: what was given until now is not counted in any window",)
    trial: Start | None = None
    try:
        trial = start_on_record(journal, whom)
    except StoreError as error:
        missing = (*missing, f"{error.message}: the start is held against the label's most")
    flowed, begun = flows[-1][1] if flows else None, _begun_again(flows)
    if again is not None:  # what was ordered before it has not reached the patient
        ordered = (Ordered(again - 1, None), *(each for each in ordered if each.at >= again))
        begun = again if begun is None else max(again, begun)
        if flowed is not None and flowed <= again:
            flowed = again - BACK_MS - 1
    past = Past(
        ordered,
        began=began,
        flowed=flowed,
        begun_again=begun,
        trial=trial,
        given=course,
    )
    return Told(past, missing, log.questions)


def _dry(log: PumpLog, state: PumpState) -> tuple[int, list[Stretch]]:
    """When nothing flowed, whatever was ordered; and from which count on that is known.

    Two days are looked at, and more where something lasted longer than they. Before
    that a stall would only lengthen a pause which is too long without it.
    """
    still = _DRY & {each.code for each in state.alarms}
    back, found, before = BACK_MS, list[Stretch](), still
    for _ in range(_DOUBLED + 1):
        entries = log.since(state.counter_ms - back)
        _count_holds(entries)
        found, before = _alarms(entries, still, state.counter_ms)
        if not before:
            return state.counter_ms - back, found
        back *= 2
    raise NotKnown(f"the pump's log does not tell when {min(before)} began")


def _alarms(
    entries: tuple[LogEntry, ...], still: set[str], now: int
) -> tuple[list[Stretch], set[str]]:
    """From when to when an alarm of these was raised; and which began before the entries."""
    found: list[Stretch] = []
    raised, before = dict[str, int](), set[str]()
    for entry in entries:
        alarm = str(entry.get("alarm"))
        if alarm not in _DRY:
            continue
        if entry.kind == "alarm_raised":
            raised[alarm] = entry.counter_ms
        elif alarm in raised:
            found.append((raised.pop(alarm), entry.counter_ms))
        else:
            before.add(alarm)
    found += ((start, now + 1) for start in raised.values())  # also at this very instant
    return found, before | (still - raised.keys())


def _flows(ordered: tuple[Ordered, ...], dry: list[Stretch], now: int) -> list[Stretch]:
    """From when to when a prescribed dose flowed, without seams; what flows now ends now."""
    found: list[Stretch] = []
    for each, after in pairwise((*ordered, Ordered(now, None))):
        if prescribed(each.program) is None:
            continue
        for begins, ends in _without(each.at, after.at, dry):
            if found and found[-1][1] == begins:
                found[-1] = found[-1][0], ends
            elif begins < ends or ends == now:
                found.append((begins, ends))
    return found


def _without(start: int, end: int, dry: list[Stretch]) -> Iterator[Stretch]:
    """What is left of a stretch of time."""
    for begins, ends in sorted(dry):
        if begins < end and ends > start:
            if begins > start:
                yield start, begins
            start = ends
    if start < end or not any(begins <= end < ends for begins, ends in dry):
        yield start, end


def _begun_again(flows: list[Stretch]) -> int | None:
    """When the dose last began to flow after too long without."""
    again = [start for (_, end), (start, _) in pairwise(flows) if start - end > BACK_MS]
    return again[-1] if again else None


def _undelivered(log: PumpLog, journal: Journal, state: PumpState) -> int | None:
    """When the reservoir was last filled after suspected non-delivery, within two days (C5.5)."""
    refills = begun_again(journal, state.serial)
    if not refills:
        return None
    entries = log.since(state.counter_ms - BACK_MS)
    made = [each.counter_ms for each in entries if str(each.operation) in refills]
    return max(made, default=None)


def _changed(log: PumpLog, now: int) -> int | None:
    """When a program was last activated in the last 24 hours; None: never, or nobody can say."""
    since = now - INCREASE_APART.value.quanta
    try:
        entries = log.since(since)
    except NotKnown:
        return None
    made = [
        each.counter_ms
        for each in entries
        if each.kind == "activated" and each.get("operation_kind") in BRINGS_A_PROGRAM
    ]
    return max((at for at in made if since < at <= now), default=None)


def _count_holds(entries: tuple[LogEntry, ...]) -> None:
    """The counter told the time; NotKnown where it stood still or ran back."""
    for before, after in pairwise(entries):
        if after.counter_ms < before.counter_ms:
            raise NotKnown("the pump's counter ran back")
    for entry in entries:
        if entry.kind == "alarm_raised" and entry.get("alarm") == "BATTERY_RESET":
            raise NotKnown("the pump lost its memory, and does not know how long it was without")
