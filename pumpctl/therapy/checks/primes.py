"""May the line be primed, and with how much? (REF-09)

A case is one plan, or why there is none, beside record and pump. `check_prime`
runs all checks of this kind; those of any bolus are in `bolus_state`, those of
the implant's record in `line_record`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass
from pumpctl.therapy.bolus import BolusEffect, BolusOrder, bolus_effect
from pumpctl.therapy.bridge import Impossible
from pumpctl.therapy.checks.library_age import also_orders
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.delivery import time_text
from pumpctl.therapy.findings import Finding, Seen, Severity, placed
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import TABLES, ImplantRecord, TubingTable, holds_text
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.plug import contents_of
from pumpctl.therapy.prime import PrimePlan, unfilled_lasts
from pumpctl.therapy.state import Fluid, PumpState

OVERDOSES = (
    "Priming overdoses from a wrong tubing volume and mixing at high flow: Class I recalls of "
    "2013 and 2017."
)


class PrimeCase(NamedTuple):
    """One prime, with everything that it is held against."""

    plan: PrimePlan | Impossible
    pump: PumpState
    """As it was interrogated now: its clock is the start."""
    record: ImplantRecord
    effect: BolusEffect | None
    """None where there is no plan, or the pump's program is not known."""
    now: Moment
    """The station's clock."""
    tables: tuple[TubingTable, ...] = TABLES
    library: Library = DEFAULT
    ordered: Mass | None = None
    """What was ordered when it was planned; None: what the plan says."""

    @property
    def by_volume(self) -> bool:
        """Whether the record's volumes decide anything here."""
        return isinstance(self.plan, PrimePlan)

    @property
    def gives(self) -> bool:
        """Whether there is a prime to be given."""
        return isinstance(self.plan, PrimePlan)


prime_check = Checks[PrimeCase]()
"""Of a priming bolus."""
also_orders(prime_check)


def check_prime(
    plan: PrimePlan | Impossible,
    pump: PumpState,
    record: ImplantRecord,
    tables: tuple[TubingTable, ...] = TABLES,
    *,
    now: Moment,
    library: Library = DEFAULT,
    ordered: Mass | None = None,
) -> tuple[Finding, ...]:
    """All findings of priming this pump's line now, hard ones first.

    `ordered`: the dose of a plan that was made earlier, beside what `plan` allows now.
    """
    from pumpctl.therapy.checks import bolus_state, line_record  # noqa: F401  (to register)

    case = PrimeCase(plan, pump, record, _effect(plan, pump), now, tables, library, ordered)
    return placed(prime_check.run(case), None)


def _effect(plan: PrimePlan | Impossible, pump: PumpState) -> BolusEffect | None:
    """What it moves, and meets; the fluids are the plan's own matter."""
    if pump.program is None or isinstance(plan, Impossible):
        return None
    line = contents_of(pump.line, Fluid(pump.drug, pump.concentration))
    return bolus_effect(BolusOrder(plan.dose, plan.over), pump.program, line, pump.clock)


@prime_check(
    "PRIME_REFUSED",
    Severity.HARD,
    source="REF-09",
    why="Only what is recorded as free of drug is primed. Whatever else is in the catheter would "
    "be pushed into the patient within minutes.",
    incident=OVERDOSES,
)
def prime_refused(case: PrimeCase) -> Iterator[Seen]:
    """There is something to prime, and it is known to be free of drug."""
    if isinstance(case.plan, Impossible):
        held = f"catheter {holds_text(case.record.catheter)}, "
        yield Seen(
            f"{case.plan.why}; {case.plan.instead}",
            value=f"{held}tubing {holds_text(case.record.tubing)}",
            limit="a catheter free of drug",
        )


@prime_check(
    "PRIME_TOO_MUCH",
    Severity.HARD,
    source="REF-09",
    why="What the pump has moved since the prime was planned is in the line already. The whole "
    "prime would push as much past the tip. Plan it again.",
    incident=OVERDOSES,
)
def prime_too_much(case: PrimeCase) -> Iterator[Seen]:
    """No more is ordered than is free of drug now."""
    if case.ordered is None or not isinstance(case.plan, PrimePlan):
        return
    if case.ordered > case.plan.dose:
        yield Seen(
            f"{case.ordered} were planned, and the line takes {case.plan.dose} by now",
            value=str(case.ordered),
            limit=str(case.plan.dose),
        )


@prime_check(
    "PRIME_OTHER_FLUID",
    Severity.HARD,
    source="REF-09",
    why="The prime is computed for the fluid in the reservoir, and the pump holds another one.",
)
def prime_other_fluid(case: PrimeCase) -> Iterator[Seen]:
    """The prime is planned for what the reservoir holds."""
    held = Fluid(case.pump.drug, case.pump.concentration)
    if isinstance(case.plan, PrimePlan) and case.plan.fluid != held:
        yield Seen(
            f"planned for {holds_text(case.plan.fluid)}, and the pump holds {holds_text(held)}",
            value=holds_text(case.plan.fluid),
            limit=holds_text(held),
        )


@prime_check(
    "PRIME_UNCERTAIN",
    Severity.SOFT,
    source="REF-09",
    why="With an uncertain volume the smaller one is primed, because what is too much goes past "
    "the tip at once. What is too little stays free of drug, and so does the patient until it has "
    "passed: withdrawal begins 12 to 96 h after the drug is missing.",
)
def prime_uncertain(case: PrimeCase) -> Iterator[Seen]:
    """All of the line that is free of drug is primed."""
    plan, program = case.plan, case.pump.program
    if isinstance(plan, PrimePlan) and plan.unfilled:
        lasts = program and unfilled_lasts(plan, program, case.pump.clock.label_ms)
        without = f": up to {time_text(lasts)} without the drug" if lasts is not None else ""
        yield Seen(
            f"up to {plan.unfilled} may stay free of drug{without}",
            value=str(plan.unfilled),
            limit="0 mL",
        )


@prime_check(
    "PRIME_TUBING_OTHER",
    Severity.HARD,
    source="REF-09, REF-03",
    why="What fills the catheter first is what the tubing holds. Where that is another drug or "
    "concentration it reaches the patient before the reservoir's, metered by the reservoir's "
    "strength; the pump refuses it. Empty the line, or let the program carry it on.",
)
def prime_tubing_other(case: PrimeCase) -> Iterator[Seen]:
    """The tubing holds what the reservoir holds."""
    plan = case.plan
    if isinstance(plan, PrimePlan) and plan.tubing not in {None, plan.fluid}:
        held = holds_text(case.record.tubing)
        yield Seen(
            f"the tubing holds {held}: it would fill the catheter first",
            value=held,
            limit=holds_text(plan.fluid),
        )
