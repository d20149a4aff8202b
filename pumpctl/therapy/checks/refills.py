"""Was the drug delivered since the last fill? What was drained, beside what was expected.

A case is one refill as it is recorded, beside the pump as it was read before and
the program that is to run afterwards. `check_refill` runs all checks of this
kind; those of what goes in are in `refill_volume` and `refill_drug`. What the
numbers mean is in `therapy/refill`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass, Volume, round_up
from pumpctl.quantity_text import decimal_text
from pumpctl.therapy import practice
from pumpctl.therapy.bridge import BridgePlan, Planned
from pumpctl.therapy.checks.library_words import EXPIRED_SOURCE, EXPIRED_WHY, expired
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.compare import percent_text, share_text
from pumpctl.therapy.delivery import volume_text
from pumpctl.therapy.figures import largest_24h_with_patient_doses
from pumpctl.therapy.findings import Fault, Finding, Seen, Severity, placed
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import holds_text
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.refill import (
    Discrepancy,
    Meaning,
    Offer,
    RefillRecord,
    Suspected,
    is_old_dose,
    is_refused,
    reduced_offer,
    suspected,
)
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.therapy.trend import OVER, REFILLS, UNDER, Drift, trend

_LOOK_AT = "look at pump and catheter, and at the patient for signs of"


class RefillCase(NamedTuple):
    """One refill, with everything that it is held against."""

    record: RefillRecord
    pump: PumpState
    """As it was interrogated before the refill."""
    program: Program
    """What is to run afterwards; it may be the old one."""
    now: Moment
    """The station's clock."""
    library: Library = DEFAULT
    past: tuple[Discrepancy, ...] = ()
    """Of the refills before this one, oldest first."""
    next_visit: Date | None = None
    """When the clinic plans the next refill."""
    bridge: Planned | None = None
    """What was planned for the line, where it is held against `checks.bridges` beside this."""
    left_out: bool = False
    """Whether the bridge of that plan is left out, which needs its reason there."""
    estimated: Volume | None = None
    """What the pump itself reckoned to be left, beside the record's expected; None: not asked."""
    unsettled: Suspected | None = None
    """Non-delivery that was suspected at a refill which was given up, and no fill since."""
    elsewhere: Moment | None = None
    """When the pump's last refill was recorded, where no record of it is here."""

    @property
    def suspected(self) -> Suspected | None:
        """Suspected non-delivery, found now or not settled yet."""
        return suspected(self.record.discrepancy, self.pump.program, self.unsettled)

    @property
    def planned(self) -> Planned | None:
        """The plan, unless it is a bridge to something else than what goes in."""
        goes_in = Fluid(self.record.drug, self.record.concentration)
        if isinstance(self.bridge, BridgePlan) and self.bridge.fluid != goes_in:
            return None
        return self.bridge

    @property
    def bridge_volume(self) -> Volume:
        """What a bridge in the same activation takes out of the reservoir."""
        plan = self.planned
        if self.left_out or not isinstance(plan, BridgePlan):
            return Volume(0)
        return plan.order.volume


refill_check = Checks[RefillCase]()
"""Of a refill on record."""


def check_refill(case: RefillCase) -> tuple[Finding, ...]:
    """All findings of a refill, hard ones first."""
    from pumpctl.therapy.checks import refill_drug, refill_volume  # noqa: F401  (to register)

    return placed(refill_check.run(case), None)


_OF_THE_DRAIN = (
    "REFILL_DISCREPANCY",
    "REFILL_DRAINED",
    "REFILL_NO_HISTORY",
    "REFILL_TREND",
    "REFILL_ESTIMATE",
)


def check_given_up(case: RefillCase) -> tuple[Finding, ...]:
    """All findings of a refill that was given up after the drain: nothing goes in.

    Nothing is begun again by it either, so that suspected non-delivery is a
    discrepancy that needs its reason, and refuses nothing.
    """
    checks = [refill_check.by_id[name] for name in _OF_THE_DRAIN]
    return placed([Fault(each.rule, seen) for each in checks for seen in each.run(case)], None)


def offer_of(case: RefillCase) -> Offer | None:
    """The reduced dose to offer at once; None where non-delivery is not suspected."""
    suspicion = case.suspected
    if suspicion is None or suspicion.found.judged is None:
        return None
    return reduced_offer(suspicion.old, suspicion.found.judged, case.program.concentration)


def _words(found: Discrepancy) -> str:
    percent = (found.percent_text or "")[1:]
    early = "" if found.judged is not None else " (too little was programmed to judge the ratio)"
    match found.meaning:
        case Meaning.OVER_INFUSION:
            return (
                f"the pump gave {percent} more than programmed, or the reservoir is not fully "
                f"drained: drain again, then {_LOOK_AT} overdose"
            )
        case Meaning.LESS_DRAINED:
            return (
                "the reservoir may not be fully drained: drain again; else more than programmed "
                f"was given{early}"
            )
        case Meaning.UNDER_DELIVERY | Meaning.NON_DELIVERY:
            dry = ""
            if found.ran_dry and found.programmed is not None:
                counted = volume_text(found.programmed)
                dry = f"; {counted} counted of {found.filled} filled in: it may have run empty"
            gave = f"{percent} less than" if (found.ratio or 0) > 0 else "nothing of what was"
            return (
                f"the pump gave {gave} programmed, or the drain before the last fill "
                f"was incomplete{dry}: {_LOOK_AT} withdrawal"
            )
        case _:
            return (
                f"less than programmed was given{early}, or the drain before the last fill was "
                f"incomplete: {_LOOK_AT} withdrawal; is the old dose still right?"
            )


def _decimal(ratio: Fraction) -> str:
    return decimal_text(ratio.numerator, ratio.denominator)


@refill_check(
    "REFILL_DISCREPANCY",
    Severity.SOFT,
    source=f"{practice.DISCREPANCY.source}; {practice.RATIO_LOW.source}",
    why="What is drained is the only measurement of what a pump has really given: the volume that "
    "it shows is computed. An incomplete drain is the benign cause, and must be ruled out first. "
    "Decide which it is, and say so in the reason.",
    incident="Pumps that gave more than 14.5 % above the programmed dose were found by what was "
    "drained alone: the low-reservoir alarm stays silent, because it is computed.",
)
def refill_discrepancy(case: RefillCase) -> Iterator[Seen]:
    """What was drained is what was expected, within 2 mL and the band of accuracy."""
    found = case.record.discrepancy
    if found.meaning is Meaning.WITHIN:
        return
    value, limit = found.volume_text, str(practice.DISCREPANCY.value)
    if found.judged is not None:
        band = f"{_decimal(practice.RATIO_LOW.value)} to {_decimal(practice.RATIO_HIGH.value)}"
        value, limit = f"{value}, ratio {found.ratio_text}", f"{limit}, ratio {band}"
    yield Seen(f"{found.drained} drained, {found.expected} expected: {_words(found)}", value, limit)


@refill_check(
    "REFILL_NON_DELIVERY",
    Severity.HARD,
    source=f"{practice.RATIO_NOT_DELIVERED.source}; {practice.RESTART.source}",
    why="Drained far above expected means that the patient has not had the drug and no longer "
    "tolerates the old dose: refused are the old dose, and more than a new patient starts with. "
    "A lower dose is offered at once and needs its reason; the pump is not stopped. Minimum rate "
    "is always allowed.",
    incident="At two refills 19 mL were still in the reservoir. The pump was refilled and "
    "restarted at a lower dose, and the patient was in a coma within the hour.",
)
def refill_non_delivery(case: RefillCase) -> Iterator[Seen]:
    """After suspected non-delivery neither the old dose goes on nor more than a new patient's."""
    offer, suspicion = offer_of(case), case.suspected
    if offer is None or suspicion is None:
        return
    part = share_text(max(offer.ratio, Fraction(0)), 1)
    most = largest_24h_with_patient_doses(case.program)
    refused = ""
    if is_refused(suspicion.old, case.program):
        old = suspicion.old is not None and is_old_dose(suspicion.old, case.program)
        refused = f"{'the old dose' if old else f'more than {practice.RESTART.value}'} is refused, "
    had = "" if offer.had is None else f", on average {offer.had}"
    when = "" if suspicion is not case.unsettled else ", found when the last refill was given up"
    least = "" if offer.deliverable else f" (at this concentration no less than {offer.least})"
    yield Seen(
        f"suspected non-delivery: {part} of the programmed drug was delivered{had}{when}; "
        f"{refused}offered is a reduced dose of at most {offer.dose}{least}, this program gives "
        f"up to {most} in 24 h; watch for overdose for 24 h",
        value=f"ratio {suspicion.found.ratio_text}",
        limit=f"ratio {_decimal(practice.RATIO_NOT_DELIVERED.value)}",
        severity=None if refused else Severity.SOFT,
    )


@refill_check(
    "BRIDGE_NON_DELIVERY",
    Severity.HARD,
    source=practice.RATIO_NOT_DELIVERED.source,
    why="A bridge goes on giving the old dose from what is in the line, and the old dose is what a "
    "patient who has not had the drug no longer tolerates. Downwards in concentration it comes "
    "without a bridge too: the new flow moves the old, stronger drug. Fill in the same drug of the "
    "same concentration with a reduced dose now, and change it at a later refill.",
    incident="At two refills 19 mL were still in the reservoir. The pump was refilled and "
    "restarted at a lower dose, and the patient was in a coma within the hour.",
)
def bridge_non_delivery(case: RefillCase) -> Iterator[Seen]:
    """After suspected non-delivery the old dose does not come back out of the line."""
    suspicion, plan = case.suspected, case.planned
    if suspicion is None or not isinstance(plan, BridgePlan):
        return
    if not case.left_out:
        if is_refused(suspicion.old, plan.played):
            most = largest_24h_with_patient_doses(plan.played)
            yield Seen(
                f"suspected non-delivery, and the bridge of {plan.order.volume} would go on with "
                f"up to {most} in 24 h; fill in {holds_text(plan.order.old)}",
                value=str(most),
                limit=f"no bridge, or no more than {practice.RESTART.value}",
            )
        return
    if case.program.mode is Mode.MINIMUM:
        return  # the pump gives no less
    stronger = Fraction(plan.order.old.concentration.quanta, case.program.concentration.quanta)
    most = Mass(round_up(largest_24h_with_patient_doses(case.program).quanta * stronger))
    before = None if suspicion.old is None else largest_24h_with_patient_doses(suspicion.old)
    if most.quanta > practice.RESTART.value.quanta or (before is not None and most >= before):
        yield Seen(
            "suspected non-delivery, and without the bridge the new flow would give up to "
            f"{most} in 24 h of the {holds_text(plan.order.old)} in the line; fill in that",
            value=str(most),
            limit=f"no more than {practice.RESTART.value}",
        )


@refill_check(
    "REFILL_DRAINED",
    Severity.HARD,
    source="REF-01",
    why="More than a reservoir holds cannot come out of it: the figure, or its unit, is a slip. "
    "More than was filled in is possible only where the last fill is recorded wrongly or the "
    "drain before it was incomplete.",
)
def refill_drained(case: RefillCase) -> Iterator[Seen]:
    """What was drained can have been in the reservoir."""
    record, capacity = case.record, case.pump.capacity
    limit = capacity + practice.DISCREPANCY.value
    if record.drained > limit:
        yield Seen(
            f"{record.drained} cannot come out of a reservoir of {capacity}",
            value=str(record.drained),
            limit=f"at most {limit}",
        )
    elif record.filled is not None and record.drained > record.filled:
        yield Seen(
            f"{record.drained} drained, but the last fill was {record.filled}: is the record of "
            "that fill wrong, or was the drain before it incomplete?",
            value=str(record.drained),
            limit=f"at most {record.filled}",
            severity=Severity.SOFT,
        )


@refill_check(
    "REFILL_NO_HISTORY",
    Severity.NOTE,
    source="REF-01",
    why="Delivered against programmed is counted from the last fill. Where no record tells of it, "
    "or the record contradicts what is expected now, only the 2 mL rule is left.",
)
def refill_no_history(case: RefillCase) -> Iterator[Seen]:
    """The last fill is known, so that the ratio can be judged."""
    record = case.record
    if record.discrepancy.programmed is None:
        known = "not known" if record.filled is None else f"recorded as {record.filled}"
        yield Seen(
            f"the last fill is {known}, so delivered cannot be held against programmed",
            value=None if record.filled is None else str(record.filled),
            limit=f"at least {record.expected}",
        )


@refill_check(
    "REFILL_ESTIMATE",
    Severity.NOTE,
    source=practice.ESTIMATE.source,
    why="The pump reckons its volume from what it believes; its pulses since the last fill on "
    "record say something else. One of the two records is wrong: the count decides here.",
    incident="A reservoir sensor that showed wrong volumes (2013): keep every other figure "
    "beside it.",
)
def refill_estimate(case: RefillCase) -> Iterator[Seen]:
    """The pump's estimate is what its pulses since the last fill leave."""
    own, counted, limit = case.estimated, case.record.expected, practice.ESTIMATE.value
    if own is not None and abs(own.quanta - counted.quanta) > limit.quanta:
        yield Seen(
            f"the pump reckons {own} to be left, its pulses since the last fill leave {counted}",
            value=str(own),
            limit=str(counted),
        )


@refill_check(
    "REFILL_TREND",
    Severity.NOTE,
    source=REFILLS.source,
    why="One refill out of line need not repeat: an incomplete drain shows once on each side. "
    "Three in a row on one side, their median beyond half the band, are a pump or a catheter that "
    "fails.",
)
def refill_trend(case: RefillCase) -> Iterator[Seen]:
    """The refills do not drift to one side."""
    seen = trend((*case.past, case.record.discrepancy))
    if seen.median is None or seen.drift not in {Drift.OVER, Drift.UNDER}:
        return
    over = seen.drift is Drift.OVER
    yield Seen(
        f"the last {len(seen.ratios)} refills all show {'more' if over else 'less'} delivered than "
        "programmed: look at pump and catheter",
        value=f"median {percent_text(1, seen.median)}",
        limit=percent_text(1, (OVER if over else UNDER).value),
    )


@refill_check(
    "LIBRARY_EXPIRED",
    Severity.HARD,
    source=EXPIRED_SOURCE,
    why=EXPIRED_WHY,
)
def refill_library_expired(case: RefillCase) -> Iterator[Seen]:
    """The library is valid today; the same drug with the same program may go in all the same.

    After suspected non-delivery the same program is refused, so a lower one may.
    """
    record, pump = case.record, case.pump
    same_drug = (record.drug, record.concentration) == (pump.drug, pump.concentration)
    goes_on = case.program == pump.program
    if case.suspected is not None:
        goes_on = not is_refused(case.suspected.old, case.program)
    severity = Severity.SOFT if same_drug and goes_on else None
    yield from expired(case.library, case.now.date, severity)
