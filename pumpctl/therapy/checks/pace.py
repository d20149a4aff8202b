"""Is a dose's time what was meant? Lockouts of minutes, boluses of hours: slips of the unit.

What no pump can do is in `doses`; here are times that a pump would keep and
nobody means.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Rate, round_up
from pumpctl.therapy import label, practice
from pumpctl.therapy.checks.doses import DAY, OWN, durations
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.figures import largest_24h_with_patient_doses, largest_day
from pumpctl.therapy.findings import Seen, Severity

_RECALL = (
    "FDA Class I recall of 22 Sep 2004: hours typed in the field of minutes of a periodic "
    "bolus; 7 serious injuries, 2 deaths."
)


@check(
    "LOCKOUT_SHORT",
    Severity.SOFT,
    source=practice.LOCKOUT_SHORT.source,
    why="A bolus is felt after half an hour at the earliest. With a shorter lockout the patient "
    "takes the next dose before the first can have worked. Perhaps minutes were written for hours.",
    incident=_RECALL,
)
def lockout_short(case: Case) -> Iterator[Seen]:
    """The lockout is long enough to feel the dose before it."""
    own, (least, source) = case.draft.patient_dose, practice.LOCKOUT_SHORT
    if own is not None and own.lockout and own.lockout < least and own.max_per_24h > 1:
        yield Seen(
            f"a lockout of {own.lockout} is shorter than a dose needs to be felt",
            value=str(own.lockout),
            limit=f"at least {least}",
            path=(*OWN, "lockout"),
            source=source,
        )


@check(
    "DOSE_DURATION_LONG",
    Severity.SOFT,
    source=practice.DOSE_LONG.source,
    why="A bolus that takes so long is a basal rate in disguise, or hours were written for "
    "minutes: its effect comes at another time than the one that was meant.",
    incident=_RECALL,
)
def dose_duration_long(case: Case) -> Iterator[Seen]:
    """No bolus takes longer than one acts."""
    most, source = practice.DOSE_LONG
    for over, path in durations(case):
        if most < over <= DAY:
            yield Seen(
                f"a dose over {over} is a long one for a bolus",
                value=str(over),
                limit=f"at most {most}",
                path=path,
                source=source,
            )


@check(
    "START_DOSE_AHEAD",
    Severity.NOTE,
    source=label.START_SOURCE,
    why="The label's starting dose is at most twice the largest screening dose. A pump that has "
    "not given this patient the drug yet refuses a larger first dose (START_DOSE).",
)
def start_dose_ahead(case: Case) -> Iterator[Seen]:
    """Say early that a new patient's first dose would be refused."""
    patient, program, limit = case.draft.patient, case.program, practice.RESTART.value
    if case.with_pump or patient is None or patient.history != "new" or program is None:
        return
    dose, everything = largest_day(program), largest_24h_with_patient_doses(program)
    if dose > limit.quanta:
        value, told = str(Rate(round_up(dose))), ""
    elif everything.quanta > limit.quanta:
        value, told = str(everything), " in 24 h with all patient doses"
    else:
        return
    yield Seen(
        f"{value}{told} is above {limit}, the largest first dose of a new patient",
        value=value,
        limit=str(limit),
        path=case.draft.dose_path(case.days[0].day),
    )
