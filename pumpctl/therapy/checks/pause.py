"""How long has the patient been without the drug, and what may it start again with? (STP-03)

A pump knows how long it has been stopped; the course knows when drug last
flowed at a prescribed rate, so that a minute of minimum rate, a stall or an
empty reservoir does not hide a pause. Hours at minimum rate count as hours
without the drug, where more than that was prescribed before. The longer of the
two figures counts. A pump that alarms for 48 hours without drug is believed, also
where its fallback flows by now: nobody has decided yet what to start again with.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Rate, round_up
from pumpctl.therapy import label, practice
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.figures import daily_doses, largest_24h_with_patient_doses
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.past import prescribed
from pumpctl.therapy.program import Mode
from pumpctl.therapy.state import Delivery

_FLOWS = {Delivery.DELIVERING, Delivery.BOLUS, Delivery.BRIDGE}
_ALARM = "STOPPED_TOO_LONG"
"""A pump's alarm after 48 h of stop or stall; behind a stall it stays until a program comes."""
_TOO_LONG = Duration(practice.STOPPED_HARD.value.quanta + 1)
_HOUR_MS = 3_600_000
_SERIES = (
    "1991 series: previously tolerated rates of 27 and 55 mcg/h caused overdose about 6 h after "
    "the restart."
)


class Pause(NamedTuple):
    """A time without a prescribed dose, which a change would end."""

    length: Duration
    known: bool
    """Whether the pump or the course says so; what nobody knows counts as very long."""

    def seen(self, limit: Duration, what: str) -> Seen:
        """In words."""
        hours = f"{self.length.quanta // _HOUR_MS} h" if self.known else "an unknown time"
        message = f"no prescribed dose for {hours}: {what}"
        return Seen(message, hours, f"{limit.quanta // _HOUR_MS} h", path=("program", "mode"))


def pause_of(case: PumpCase) -> Pause | None:
    """The pause that this change would end; None: there is none that anybody knows of."""
    past, stopped = case.past, case.pump.delivery is Delivery.STOPPED
    starved = any(alarm.code == _ALARM for alarm in case.pump.alarms)
    if case.pump.delivery is Delivery.FALLBACK and starved:
        return Pause(_TOO_LONG, known=True) if _above_fallback(case) else None
    if case.pump.delivery in _FLOWS and prescribed(case.pump.program) is not None:
        return None
    if not stopped and case.program.mode is Mode.MINIMUM:
        return None  # minimum rate is not ended by minimum rate
    patient = case.draft.patient
    if past is not None and past.began is None and patient is not None and patient.history == "new":
        return None  # the very first dose is no restart
    known = []
    if past is not None and past.flowed is not None:
        known.append(Duration(max(0, case.pump.counter_ms - past.flowed)))
    if stopped and case.pump.stopped_for is not None:
        known.append(case.pump.stopped_for)
    if starved:
        known.append(_TOO_LONG)
    if known:
        return Pause(max(known), known=True) if stopped or max(known) else None
    return Pause(practice.STOPPED_HARD.value * 2, known=False) if stopped else None


def _above_fallback(case: PumpCase) -> bool:
    """More than the fallback that flows behind a stall, within a day of its beginning.

    As much or less is no restart; after a day the label's rules of increase speak.
    """
    begun, rate = None if case.past is None else case.past.begun_again, case.pump.rate
    if begun is not None and case.pump.counter_ms - begun >= label.FIRST_DAY.value.quanta:
        return False
    return rate is None or largest_24h_with_patient_doses(case.program).quanta > rate.quanta


def _no_start(case: PumpCase) -> str | None:
    """Which figure makes it no dose to start with; None: it may be one.

    None may be above the starting rule, or as much as before: no day, and no 24 h with
    all patient doses taken.
    """
    program, rule = case.program, practice.RESTART.value.quanta
    old = prescribed(case.pump.program)
    if old is None and case.past is not None:
        old = case.past.last_prescribed(
            besides=case.pump.rate if case.pump.delivery is Delivery.FALLBACK else None
        )
    doses = daily_doses(program)
    pairs = zip(daily_doses(old), doses, strict=True) if old is not None else ()
    if max(doses) > rule or any(after >= before for before, after in pairs):
        return f"the daily dose reaches {Rate(round_up(max(doses)))}"
    if program.patient_dose is None:
        return None  # the days have told everything
    total = largest_24h_with_patient_doses(program)
    as_much = old is not None and total >= largest_24h_with_patient_doses(old)
    if as_much or total.quanta > rule:
        return f"24 h with all patient doses reach {total}"
    return None


@pump_check(
    "STOPPED_SHORT",
    Severity.NOTE,
    source=practice.STOPPED_SOFT.source,
    why="After a pause below 12 h the same dose may be resumed.",
)
def stopped_short(case: PumpCase) -> Iterator[Seen]:
    """Say how long there has been no prescribed dose."""
    pause, limit = pause_of(case), practice.STOPPED_SOFT.value
    if pause is not None and pause.length < limit:
        yield pause.seen(limit, "the same dose may be resumed")


@pump_check(
    "STOPPED_LONG",
    Severity.SOFT,
    source=practice.STOPPED_SOFT.source,
    why="After 12 to 48 h without the drug tolerance begins to fade: doses that were tolerated "
    "before have caused overdose about 6 h after a restart.",
    incident=_SERIES,
)
def stopped_long(case: PumpCase) -> Iterator[Seen]:
    """After 12 to 48 hours a restart needs its reason."""
    pause = pause_of(case)
    low, high = practice.STOPPED_SOFT.value, practice.STOPPED_HARD.value
    if pause is not None and low <= pause.length <= high:
        yield pause.seen(low, "tolerance begins to fade; watch for overdose for 24 h")


@pump_check(
    "STOPPED_TOO_LONG",
    Severity.HARD,
    source=practice.STOPPED_HARD.source,
    why="After more than 48 h without the drug the old dose is refused: previously tolerated rates "
    "have caused coma after a restart. Start again as with a new patient.",
    incident="Maino 2017: 19 mL were left at two refills, so the drug had not been given; "
    f"restarted at a lower dose, the patient was in coma within an hour. {_SERIES}",
)
def stopped_too_long(case: PumpCase) -> Iterator[Seen]:
    """After more than 48 hours the old dose is refused, and whatever is no starting dose."""
    pause, limit = pause_of(case), practice.STOPPED_HARD.value
    if pause is not None and pause.length > limit and (why := _no_start(case)):
        rule = f"no more than {practice.RESTART.value}, and less than before, may start again"
        yield pause.seen(limit, f"{rule}: {why}")


@pump_check(
    "STOPPED_RESTART",
    Severity.SOFT,
    source=practice.STOPPED_HARD.source,
    why="After more than 48 h without the drug the patient is to be treated as new to it, with a "
    "starting dose and a second person.",
    incident="Maino 2017: coma within an hour of a restart at a dose lower than before.",
)
def stopped_restart(case: PumpCase) -> Iterator[Seen]:
    """After more than 48 hours even a smaller dose needs its reason."""
    pause, limit = pause_of(case), practice.STOPPED_HARD.value
    if pause is not None and pause.length > limit and _no_start(case) is None:
        yield pause.seen(limit, "treat the patient as new to the drug; is this dose low?")
