"""What does the label say of this dose at this point of the course? (LIM-09)

Starting dose, first 24 hours, one increase in 24 hours, size of a step; by
history, origin and age. A start and an increase count patient doses as if all
were taken; the label's steps are of the daily dose. Elapsed time comes from the
course, in the pump's own counter. A reduction is never stopped here, and going
back to a dose that ran within the last 24 hours is no increase.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.quantities import Mass, Percent, Rate, round_up
from pumpctl.therapy import label, practice
from pumpctl.therapy.checks.change import OWN_DOSES, dose_beyond
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.figures import daily_doses, largest_24h_with_patient_doses
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced
from pumpctl.therapy.past import Increase, increase, prescribed
from pumpctl.therapy.places import Path
from pumpctl.therapy.program import Mode

_HOUR_MS = 3_600_000


def _history(case: PumpCase) -> str | None:
    return case.draft.patient.history if case.draft.patient is not None else None


def _increase(case: PumpCase) -> Increase | None:
    """The increase that this change is: against all doses of the last 24 hours.

    None for a reduction, for going back, and for a start, when no dose was prescribed.
    """
    before = [] if case.past is None else case.past.prescribed_before(case.pump.counter_ms)
    running = prescribed(case.pump.program)
    return increase([*before, running] if running is not None else before, case.program)


def _path(case: PumpCase, found: Increase) -> Path:
    """Where that which rises is written."""
    return case.draft.dose_path(found.daily.day) if found.daily is not None else OWN_DOSES


def _hours(ms: int) -> str:
    """Whole hours or, of less than one, minutes: rounded down."""
    return f"{ms // _HOUR_MS} h" if ms >= _HOUR_MS else f"{ms // 60_000} min"


@pump_check(
    "START_DOSE",
    Severity.SOFT,
    source=label.START_SOURCE,
    why="The starting dose is twice the screening dose that worked, over 24 h; once where its "
    "effect lasted more than 8 h or after a bad reaction. More than the label can give is refused "
    "for a patient who has never had the drug by this pump; where the pump cannot tell, it needs "
    "a reason. For a patient who is not new it is a note. Patient doses count as if all were "
    "taken.",
)
def start_dose(case: PumpCase) -> Iterator[Seen]:
    """The first dose, also with all patient doses, is no more than the starting dose."""
    past, history = case.past, _history(case)
    begun = prescribed(case.pump.program) is not None or (
        past is not None and past.began is not None
    )
    if begun or history is None or case.program.mode is Mode.MINIMUM:
        return
    above = Severity.NOTE  # the label's rule, by what is known of the patient
    if history == "new":
        known = past is not None or case.pump.tag_hash is None
        above = Severity.HARD if known else Severity.SOFT
    doses = daily_doses(case.program)
    limit = _start_limit(case, max(doses))
    severity = above if limit is practice.RESTART else Severity.SOFT
    told = max(doses) > limit.value.quanta
    if told:
        value = str(Rate(round_up(max(doses))))
        yield Seen(
            f"a first dose of {value} is above {limit.value}, the label's starting dose",
            value=value,
            limit=str(limit.value),
            path=case.draft.dose_path(doses.index(max(doses))),
            severity=severity,
            source=limit.source,
        )
    if case.program.patient_dose is None or (told and severity is not Severity.SOFT):
        return  # the days alone are as grave
    total = largest_24h_with_patient_doses(case.program)
    limit = _start_limit(case, total.quanta)
    graver = above if limit is practice.RESTART else Severity.SOFT
    if total.quanta > limit.value.quanta and not (told and graver is severity):
        most = str(Mass(limit.value.quanta))
        yield Seen(
            f"at first 24 h with all patient doses reach {total}, above {most}, the label's "
            "starting dose",
            value=str(total),
            limit=f"{most} in any 24 h",
            path=OWN_DOSES,
            severity=graver,
            source=limit.source,
        )


def _start_limit(case: PumpCase, dose: Fraction | int) -> Sourced[Rate]:
    """What a first dose of so many ng in 24 h is held against: this trial's, or the label's."""
    past, limit = case.past, practice.RESTART
    trial = past.trial if past is not None and _history(case) == "new" else None
    if trial is not None and dose <= limit.value.quanta:
        return Sourced(trial.dose, trial.source)
    return limit


@pump_check(
    "FIRST_24H",
    Severity.HARD,
    source=label.FIRST_DAY.source,
    why="The first dose has its whole effect only after a day: who increases before that adds to "
    "what has not come yet. It holds for new patients, and for everybody whose therapy was begun "
    "again after more than 48 h without the drug. A reduction is always possible.",
)
def first_24h(case: PumpCase) -> Iterator[Seen]:
    """No increase in the first 24 hours of therapy."""
    since, found = _since_beginning(case), _increase(case)
    limit = label.FIRST_DAY.value
    if since is not None and found is not None and since < limit.quanta:
        yield Seen(
            f"{found.words}, {_hours(since)} after therapy began: no increase in the first 24 h",
            value=_hours(since),
            limit="24 h",
            path=_path(case, found),
        )


def _since_beginning(case: PumpCase) -> int | None:
    """The ms since therapy began, where the label's first day is asked of this patient."""
    if case.past is None:
        return None
    first = case.past.began if _history(case) == "new" else None
    begun = [each for each in (first, case.past.begun_again) if each is not None]
    return max(0, case.pump.counter_ms - max(begun)) if begun else None


@pump_check(
    "INCREASE_24H",
    Severity.HARD,
    source=label.INCREASE_APART.source,
    why="An increase has its whole effect only after a day: a second one within 24 hours is made "
    "blindly. It counts elapsed time, not dates. Going back to a dose of the last 24 hours is no "
    "increase, so that a mistaken reduction can be corrected; a reduction is always possible.",
)
def increase_24h(case: PumpCase) -> Iterator[Seen]:
    """At most one increase in 24 hours of elapsed time."""
    found, last = _increase(case), None
    if case.past is not None:
        last = max(case.past.increases(), default=None)
    if found is None or last is None:
        return
    since, limit = max(0, case.pump.counter_ms - last), label.INCREASE_APART.value
    first = _since_beginning(case)
    if since < limit.quanta and (first is None or first >= label.FIRST_DAY.value.quanta):
        yield Seen(
            f"{found.words}, {_hours(since)} after the last increase: at most one in 24 h",
            value=_hours(since),
            limit="24 h",
            path=_path(case, found),
        )


def _step(case: PumpCase, told: Severity, *, new: bool) -> Iterator[Seen]:
    """An increase beyond the label's step; `told`: where DOSE_INCREASE asks for a reason."""
    patient, found = case.draft.patient, _increase(case)
    if patient is None or patient.history is None or found is None or found.daily is None:
        return  # the label's steps are of the daily dose
    step = label.increase_step(patient.age_group, patient.spasticity_origin, patient.history)
    if (patient.history == "new") is new and found.daily.by > step.high.fraction:
        size = Percent(round_up(found.daily.by * 10_000))
        yield Seen(
            f"the daily dose rises by {size}, beyond the label's step of {step.low} to {step.high}",
            value=f"+{size}",
            limit=f"+{step.high}",
            path=case.draft.dose_path(found.daily.day),
            severity=told if dose_beyond(case, up=True) else None,
            source=step.source,
        )


@pump_check(
    "TITRATION_STEP",
    Severity.SOFT,
    source=label.TITRATION_OTHER.source,
    why="While the dose of a new patient is sought the label's steps are at most 30 % in adults "
    "with spasticity of spinal origin, and 15 % in all others. A note where DOSE_INCREASE asks "
    "for the reason already.",
)
def titration_step(case: PumpCase) -> Iterator[Seen]:
    """No increase of a new patient's dose is beyond the label's step."""
    yield from _step(case, Severity.NOTE, new=True)


@pump_check(
    "MAINTENANCE_STEP",
    Severity.SOFT,
    source=f"{label.MAINTENANCE_CEREBRAL.source}; {label.MAINTENANCE_SPINAL.source}",
    why="Once the dose is established the label's steps are at most 20 % with spasticity of "
    "cerebral origin, and 40 % of spinal origin. A note where DOSE_INCREASE asks for the reason "
    "already.",
)
def maintenance_step(case: PumpCase) -> Iterator[Seen]:
    """No increase of an established dose is beyond the label's step."""
    yield from _step(case, Severity.NOTE, new=False)


@pump_check(
    "LABEL_TIMES_UNKNOWN",
    Severity.NOTE,
    source="LIM-09",
    why="No increase in the first 24 h, and at most one in 24 h: without records of this patient "
    "or the pump's log nobody can say when the last one was. Ask, before you increase. Where the "
    "pump's log shows that the program was changed in these 24 h, to what is not known here, an "
    "increase needs a reason: it may be the second.",
)
def label_times_unknown(case: PumpCase) -> Iterator[Seen]:
    """Say that the label's rules of time could not be applied to a start or an increase."""
    if case.past is not None or case.program.mode is Mode.MINIMUM:
        return
    new, last = _history(case) == "new", "when the dose was last increased"
    starts = new and prescribed(case.pump.program) is None
    if starts or _increase(case) is not None:
        first = "no increase in the first 24 h, then at most one in 24 h"
        text = f"{last} is not known here"
        if new:
            text = f"when therapy began and {text}"
        since = None if case.changed is None else max(0, case.pump.counter_ms - case.changed)
        second = since is not None and since < label.INCREASE_APART.value.quanta
        if since is not None and second:
            text += f", and somebody changed the program {_hours(since)} ago"
        yield Seen(
            text,
            limit=first if new else "at most one increase in 24 h",
            path=("patient", "history"),
            severity=Severity.SOFT if second and not starts else None,
        )
