"""May this bolus be given? Its dose, its time, its windows, the patient's lockout, the front.

A case is one order beside the pump as it was read. `check_bolus` runs all checks
of this kind; those that hold for a prime too are in `bolus_state`. The pump
checks the same by its own arithmetic (LIM-01). Times are of the pump's clock.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Mass, round_up
from pumpctl.therapy.bolus import (
    BolusEffect,
    BolusOrder,
    added_at_tip,
    bolus_effect,
    patient_train,
)
from pumpctl.therapy.checks import bands
from pumpctl.therapy.checks.library_age import also_orders
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.compare import share_text
from pumpctl.therapy.course import Course
from pumpctl.therapy.delivery import mass_text
from pumpctl.therapy.findings import Finding, Seen, Severity, placed
from pumpctl.therapy.library import Library, Limits, window_text
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import FREE, holds_text
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.plug import contents_of
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.therapy.windows import windows_ahead

_SHIPPED = DEFAULT.listed[0]
_DAY = Duration(DAY_MS)


class BolusCase(NamedTuple):
    """One order, with everything that it is held against."""

    order: BolusOrder
    pump: PumpState
    """As it was interrogated now: its clock is the start."""
    effect: BolusEffect | None
    """None where the order or the pump's program cannot be computed."""
    past: Course | None
    """ng that were really given until now, whatever gave them; None where nobody knows."""
    last_ended: Moment | None
    """When the last bolus ended, whatever asked for it; None where nobody knows."""
    library: Library
    now: Moment
    """The station's clock."""

    @property
    def gives(self) -> bool:
        """Whether anything would be given: always."""
        return True

    @property
    def limits(self) -> Limits:
        """The library's limits for the reservoir's drug, or the nearest to them."""
        return self.library.nearest(self.pump.drug, self.pump.concentration)


bolus_check = Checks[BolusCase]()
"""Of a single or supplemental bolus."""
also_orders(bolus_check)


def check_bolus(
    order: BolusOrder,
    pump: PumpState,
    *,
    past: Course | None,
    last_ended: Moment | None,
    now: Moment,
    library: Library = DEFAULT,
) -> tuple[Finding, ...]:
    """All findings of giving this bolus now, hard ones first; the terms are `BolusCase`'s."""
    from pumpctl.therapy.checks import bolus_state  # noqa: F401  (so that it registers)

    case = BolusCase(order, pump, effect_of(order, pump), past, last_ended, library, now)
    return placed(bolus_check.run(case), None)


def effect_of(order: BolusOrder, pump: PumpState) -> BolusEffect | None:
    """What the order does on this pump; None where it is no dose in some time, or on nothing."""
    if pump.program is None or not order.dose or not order.over or order.over > _DAY:
        return None
    line = contents_of(pump.line, Fluid(pump.drug, pump.concentration))
    return bolus_effect(order, pump.program, line, pump.clock)


@bolus_check(
    "BOLUS_ORDER_EMPTY",
    Severity.HARD,
    source="this project's choice",
    why="A dose of nothing was meant to be another one. A dose is given evenly over its duration: "
    "more than no time, and at most a day.",
    incident="Hours typed in a field of minutes: Class I recall of 2004, 7 serious injuries and 2 "
    "deaths.",
)
def bolus_order_empty(case: BolusCase) -> Iterator[Seen]:
    """Some dose, over some time, and at most 24 hours."""
    dose, over = case.order
    if not dose:
        yield Seen("a dose of zero", value=str(dose), limit="above 0 mcg")
    if not over or over > _DAY:
        yield Seen(
            f"a dose cannot be given over {over}", value=str(over), limit="above 0 s, at most 24 h"
        )


@bolus_check(
    "BOLUS_ORDER_DRUG",
    Severity.HARD,
    source="LIM-07",
    why="Limits are keyed by drug and concentration; for what is not in the library nothing can "
    "be checked, so nothing is given.",
)
def bolus_order_drug(case: BolusCase) -> Iterator[Seen]:
    """What is in the reservoir is in the drug library."""
    pump = case.pump
    if case.library.limits(pump.drug, pump.concentration) is None:
        held = holds_text(Fluid(pump.drug, pump.concentration))
        listed = (holds_text(Fluid(each.drug, each.concentration)) for each in case.library.listed)
        yield Seen(
            f"the drug library has no {held}",
            value=held,
            limit=", ".join(listed),
            source=case.library.source,
        )


def _dose(case: BolusCase) -> list[bands.Figure]:
    return [bands.Figure(case.order.dose.quanta, Mass, "a bolus of {}", ())]


def _at_most(case: BolusCase) -> list[bands.Figure]:
    """As ordered, and what it pushes past the tip where that is more."""
    effect, dose = case.effect, case.order.dose
    if effect is None or effect.reaches <= dose.quanta:
        return _dose(case)
    what = f"with what the line holds, a bolus of {dose} gives {{}} at the tip: that"
    return [*_dose(case), bands.Figure(effect.reaches, Mass, what, ())]


@bolus_check(
    "BOLUS_ORDER_HARD",
    Severity.HARD,
    source=bands.source_of(_SHIPPED.bolus.hard_high),
    why="No single dose is above what the drug library allows; there is no override. Overdose "
    "comes hours later, and means coma and arrested breathing.",
)
def bolus_order_hard(case: BolusCase) -> Iterator[Seen]:
    """The dose, ordered and at the tip, is not above the library's hard limit."""
    yield from bands.above_hard(case.limits.bolus, _at_most(case))


@bolus_check(
    "BOLUS_ORDER_LARGE",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.bolus.soft_high),
    why="More at once than any screening dose needs a reason. A dose out by ten is often there.",
    incident="ISMP: 60 mcg each morning entered as 60 mcg every hour, 24 times the dose.",
)
def bolus_order_large(case: BolusCase) -> Iterator[Seen]:
    """The dose, ordered and at the tip, is not above the library's soft limit."""
    yield from bands.above_soft(case.limits.bolus, _at_most(case))


@bolus_check(
    "BOLUS_ORDER_SMALL",
    Severity.SOFT,
    source=bands.source_of(_SHIPPED.bolus.soft_low),
    why="So little has no effect that one could see: a slip of unit or point, perhaps.",
)
def bolus_order_small(case: BolusCase) -> Iterator[Seen]:
    """The dose is not below the library's lower limits, soft or hard."""
    yield from bands.below(case.limits.bolus, _dose(case), beyond=Severity.HARD)


_WINDOW_WHY = (
    "No window of time, past or to come, holds more than its limit, with everything that was given "
    "everything that the schedule will give, all doses that the patient may take after this bolus, "
    "and where the line still holds a stronger fluid, what that gives at the tip."
)
_WINDOW_INCIDENT = (
    "A rule that looked back only let a bolus pass after a start, and a later window held too "
    "much: found by formal analysis of a published set of requirements."
)


def _added(case: BolusCase, effect: BolusEffect, program: Program, window: Duration) -> Course:
    """ng that come on top of the schedule in the windows that hold any of this bolus."""
    pump, start, ends = case.pump, case.pump.clock.label_ms, effect.ends.label_ms
    order, until = case.order.course(start), ends + window.quanta
    if program.patient_dose is not None:
        since = ends + program.patient_dose.lockout.quanta
        own = pump.patient_dose
        if own is not None and not own.left and own.next_at is not None:
            since = max(since, own.next_at.label_ms)
        order += patient_train(program, since, until)
    if effect.reaches <= case.order.dose.quanta:
        return order
    line = contents_of(pump.line, Fluid(pump.drug, pump.concentration))
    return added_at_tip(order, program, line, start, until)


def _windows(case: BolusCase, severity: Severity) -> Iterator[Seen]:
    effect, program, start = case.effect, case.pump.program, case.pump.clock.label_ms
    if effect is None or program is None:
        return
    own = "" if program.patient_dose is None else " and the patient's own doses"
    for window in case.limits.windows:
        limit = window.hard if severity is Severity.HARD else window.soft
        if limit is None:
            continue
        added = _added(case, effect, program, window.length)
        past = case.past or Course(())
        found = windows_ahead(past, program, start, [(window.length, limit.value)], added)
        for over in found:
            if severity is Severity.SOFT and over.mass > window.hard.value.quanta:
                continue  # said as a hard finding
            value = str(Mass(round_up(over.mass)))
            begins = case.pump.clock.plus(over.start - start)
            length = window_text(over.length)
            yield Seen(
                f"{value} in the {length} from {begins.label()}, this bolus{own} counted",
                value=value,
                limit=f"{over.limit} in any {length}",
                source=limit.source,
            )


@bolus_check(
    "BOLUS_ORDER_WINDOW",
    Severity.HARD,
    source="LIM-05",
    why=_WINDOW_WHY,
    incident=_WINDOW_INCIDENT,
)
def bolus_order_window(case: BolusCase) -> Iterator[Seen]:
    """No window, past or to come, holds more than the hard limit."""
    yield from _windows(case, Severity.HARD)


@bolus_check(
    "BOLUS_ORDER_WINDOW_SOFT",
    Severity.SOFT,
    source="LIM-05",
    why=f"{_WINDOW_WHY} Above the soft limit it needs a reason.",
    incident=_WINDOW_INCIDENT,
)
def bolus_order_window_soft(case: BolusCase) -> Iterator[Seen]:
    """No window, past or to come, holds more than the soft limit."""
    yield from _windows(case, Severity.SOFT)


@bolus_check(
    "BOLUS_PAST_UNKNOWN",
    Severity.SOFT,
    source="LIM-05",
    why="Windows of time that are still open hold what was given before, and here nobody can tell "
    "what that was: another station's changes, a log that does not reach back. The pump judges "
    "them by its own memory, with its own limits only. Find out what was given, then give the "
    "reason.",
    incident=_WINDOW_INCIDENT,
)
def bolus_past_unknown(case: BolusCase) -> Iterator[Seen]:
    """What was given in the windows that are still open is known."""
    if case.past is None:
        yield Seen(
            "what was given until now is not known here: no window that holds it was checked",
            value="unknown",
            limit="what was given in the longest window",
        )


def _locked_until(case: BolusCase) -> Moment | None:
    """When the lockout after the last bolus ends, as far as anybody knows."""
    program, own = case.pump.program, case.pump.patient_dose
    if program is None or program.patient_dose is None:
        return None
    if case.last_ended is not None:
        return case.last_ended.plus(program.patient_dose.lockout.quanta)
    # With none left it may be the maximum in 24 h that is waited for, which is no lockout.
    return own.next_at if own is not None and own.left else None


def _minute(until: Moment) -> str:
    """Rounded up: at the time that is shown it is over."""
    return until.plus(-until.utc_ms % MINUTE_MS).label()


@bolus_check(
    "BOLUS_ORDER_LOCKOUT",
    Severity.HARD,
    source="BOL-04",
    why="The lockout is the time that the prescriber wants between any bolus and the next; the "
    "peak of the last one comes after about 4 hours. Wait, or change the lockout.",
)
def bolus_order_lockout(case: BolusCase) -> Iterator[Seen]:
    """No bolus in the lockout that the last one started."""
    until = _locked_until(case)
    if until is not None and until.label_ms > case.pump.clock.label_ms:
        yield Seen(
            f"a bolus was given lately: lockout until {_minute(until)}",
            value=str(case.pump.clock),
            limit=f"not before {until}",
        )


@bolus_check(
    "BOLUS_ORDER_LOCKS",
    Severity.NOTE,
    source="BOL-04",
    why="Any bolus starts the lockout of the patient's own doses, counted from its end. Tell the "
    "patient.",
)
def bolus_order_locks(case: BolusCase) -> Iterator[Seen]:
    """Say until when the patient's own dose will be refused."""
    program = case.pump.program
    if case.effect is None or program is None or program.patient_dose is None:
        return
    until = case.effect.ends.plus(program.patient_dose.lockout.quanta)
    yield Seen(
        f"the patient's own dose is locked until {_minute(until)}",
        value=str(until),
        limit=str(program.patient_dose.lockout),
    )


@bolus_check(
    "BOLUS_ORDER_FRONT",
    Severity.SOFT,
    source="plug flow; Boster 2016",
    why="The pump counts the dose at the reservoir's concentration, but the line still holds "
    "something else, and that is what the patient gets now. Wait until the front has arrived. A "
    "line that still holds a drug of another strength is no place for a bolus, and the pump "
    "refuses it; one that is free of drug needs a reason.",
)
def bolus_order_front(case: BolusCase) -> Iterator[Seen]:
    """What reaches the patient is what was ordered."""
    effect, dose = case.effect, case.order.dose
    if effect is None:
        return
    others = [(drug, mass) for drug, mass in effect.adds if mass and drug != case.pump.drug]
    if effect.reaches == dose.quanta and not others:
        return
    at_tip = case.pump.line.at_tip
    held = holds_text(at_tip if at_tip.concentration else FREE)
    of_others = "".join(f", and {mass_text(mass)} of {drug}" for drug, mass in others)
    reaches = mass_text(effect.reaches)
    front = effect.front if case.pump.bridge is None else None  # a bridge has a pace of its own
    arrives = f"; the front arrives at {front.label()}" if front else ""
    yield Seen(
        f"at the tip is {held}: of {dose} the patient gets {reaches} "
        f"({share_text(effect.reaches, dose.quanta)}){of_others}{arrives}",
        value=reaches,
        limit=str(dose),
        severity=Severity.HARD if at_tip.concentration else None,
    )
