"""Is it the right drug? Ampoule, concentration, lot, expiry, and the program that goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Concentration, round_half_up
from pumpctl.therapy import practice
from pumpctl.therapy.bridge import BridgePlan
from pumpctl.therapy.checks.refills import RefillCase, refill_check
from pumpctl.therapy.compare import share_text
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.forecast import Because, refill_due, whole_periods
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import holds_text
from pumpctl.therapy.refill import AMPOULES_SOURCE, LOOK_ALIKE, Ampoule
from pumpctl.therapy.state import Fluid

_AMPOULES = " and ".join(f'"{each}" is {each.concentration} mcg/mL' for each in LOOK_ALIKE)


def _list(case: RefillCase) -> str:
    return ", ".join(str(each) for each in case.library.concentrations(case.record.drug))


def _is_change(case: RefillCase) -> bool:
    record, pump = case.record, case.pump
    return (record.drug, record.concentration) != (pump.drug, pump.concentration)


def _decision(case: RefillCase) -> str:
    """What was decided of the bridge; empty: nothing. `checks.bridges` asks for its reason."""
    plan = case.planned
    if plan is None:
        return ""
    if not isinstance(plan, BridgePlan):
        return f"no bridge ({plan.why})"
    if case.left_out:
        return "the bridge is left out"
    return f"a bridge of {plan.order.volume} keeps the old dose until the line is new"


@refill_check(
    "REFILL_DRUG",
    Severity.HARD,
    source=DEFAULT.source,
    why="Limits are keyed by drug and concentration; for a drug without limits nothing can be "
    "checked, so nothing is filled in.",
)
def refill_drug(case: RefillCase) -> Iterator[Seen]:
    """The drug is in the library."""
    drug = case.record.drug
    if drug not in case.library.drugs():
        yield Seen(
            f"the drug library knows no {drug!r:.40}",
            value=drug,
            limit=", ".join(case.library.drugs()),
            source=case.library.source,
        )


@refill_check(
    "REFILL_DRUG_CHANGE",
    Severity.SOFT,
    source="REF-03",
    why="Until the line is new the old drug leaves the tip, and no flow makes it a dose of the new "
    "one. A bridge that plays the old drug's program keeps its dose; without one it arrives at the "
    "flow of the new program.",
)
def refill_drug_change(case: RefillCase) -> Iterator[Seen]:
    """The drug stays the same; where the bridge is decided it is a note."""
    record, pump = case.record, case.pump
    if record.drug != pump.drug:
        yield Seen(
            f"the pump held {pump.drug}, {record.drug} goes in: "
            + (_decision(case) or f"no bridge for what the line holds of {pump.drug} is planned"),
            value=record.drug,
            limit=pump.drug,
            severity=None if case.planned is None else Severity.NOTE,
        )


@refill_check(
    "REFILL_CONCENTRATION",
    Severity.HARD,
    source=DEFAULT.source,
    why="A concentration that is not supplied is a slip, and every dose would be out by its "
    "ratio. 50 mcg/mL is the ampoule for screening injections only.",
    incident="A concentration entered below what is in the reservoir is an overdose by the ratio.",
)
def refill_concentration(case: RefillCase) -> Iterator[Seen]:
    """The concentration is on the closed list for this drug; the screening ampoule never is."""
    record = case.record
    listed = case.library.concentrations(record.drug)
    if record.concentration == practice.SCREENING.value:
        yield Seen(
            f"{record.concentration} is for screening only, never for a pump",
            value=str(record.concentration),
            limit=_list(case),
            source=practice.SCREENING.source,
        )
    elif listed and record.concentration not in listed:
        yield Seen(
            f"{record.concentration} is not on the list for {record.drug}; read the ampoule: "
            f"{_AMPOULES}",
            value=str(record.concentration),
            limit=_list(case),
            source=case.library.source,
        )


@refill_check(
    "REFILL_AMPOULE",
    Severity.HARD,
    source=AMPOULES_SOURCE,
    why='Ampoules of the same mass look alike: "10 mg/20 mL" and "10 mg/5 mL" differ fourfold. '
    "What is printed on it must make the concentration that is recorded.",
    incident="A concentration entered below what is in the reservoir is an overdose by the ratio.",
)
def refill_ampoule(case: RefillCase) -> Iterator[Seen]:
    """What is printed on the ampoule makes the concentration."""
    ampoule, concentration = case.record.ampoule, case.record.concentration
    if ampoule is None or _makes(ampoule, concentration):
        return
    made = "no concentration"
    if ampoule.volume:
        made = str(Concentration(round_half_up(ampoule.concentration)))
    yield Seen(
        f'the ampoule says "{ampoule}", which is {made}, not {concentration}',
        value=made,
        limit=str(concentration),
    )


def _makes(ampoule: Ampoule, concentration: Concentration) -> bool:
    return bool(ampoule.volume) and ampoule.concentration == concentration.quanta


@refill_check(
    "REFILL_LOOK_ALIKE",
    Severity.NOTE,
    source=AMPOULES_SOURCE,
    why="Nobody has read out what is printed on the ampoule, and this concentration has a "
    "look-alike with four times, or a quarter of it.",
)
def refill_look_alike(case: RefillCase) -> Iterator[Seen]:
    """Say which ampoule looks like this one, where its print is not recorded."""
    record = case.record
    if record.ampoule is None and any(_makes(each, record.concentration) for each in LOOK_ALIKE):
        yield Seen(
            f"{record.injected} of {record.concentration} are {record.drawn_up.text_in('mg')}; "
            f"look-alike ampoules: {_AMPOULES}",
            value=str(record.concentration),
        )


@refill_check(
    "REFILL_PROGRAM",
    Severity.HARD,
    source="REF-03",
    why="The program's doses become volumes by its concentration. With another one in the "
    "reservoir every dose is out by the ratio.",
    incident="A concentration entered below what is in the reservoir is an overdose by the ratio.",
)
def refill_program(case: RefillCase) -> Iterator[Seen]:
    """The program is for what goes into the reservoir."""
    record, program = case.record, case.program
    if (program.drug, program.concentration) == (record.drug, record.concentration):
        return
    ratio = share_text(record.concentration.quanta, program.concentration.quanta)
    dose = f": it would give {ratio} of its dose" if program.drug == record.drug else ""
    yield Seen(
        f"the program is for {program.drug} {program.concentration}, the refill is {record.drug} "
        f"{record.concentration}{dose}",
        value=f"{program.drug} {program.concentration}",
        limit=f"{record.drug} {record.concentration}",
    )


@refill_check(
    "REFILL_MIXED",
    Severity.HARD,
    source="REF-03 (derived)",
    why="What is left mixes with what is injected to a concentration that nobody knows and no "
    "list holds. Drain fully before the concentration or the drug changes.",
)
def refill_mixed(case: RefillCase) -> Iterator[Seen]:
    """Nothing is left inside where drug or concentration change."""
    record, pump = case.record, case.pump
    if record.left and _is_change(case):
        yield Seen(
            f"{record.left} of {pump.drug} {pump.concentration} would mix with {record.drug} "
            f"{record.concentration}",
            value=str(record.left),
            limit="0 mL",
        )


@refill_check(
    "REFILL_BOLUS_RUNNING",
    Severity.HARD,
    source="REF-03, BOL-04",
    why="A bolus that is running was ordered for the fluid that is in the reservoir now; its rest "
    "would be metered by another. Wait for its end, or cancel it.",
)
def refill_bolus_running(case: RefillCase) -> Iterator[Seen]:
    """No bolus is running where drug or concentration change."""
    bolus = case.pump.bolus
    if bolus is not None and _is_change(case):
        yield Seen(
            f"a bolus of {bolus.dose} is running until {bolus.ends.label()}",
            value=str(bolus.dose),
            limit="no bolus",
        )


@refill_check(
    "REFILL_CONCENTRATION_CHANGE",
    Severity.SOFT,
    source="REF-03; Boster 2016: a bridge must be programmed when the concentration changes",
    why="The line still holds the old concentration, and the new program moves it at the new "
    "flow. A bridge keeps the old dose until the line is new; leaving it out needs a reason.",
    incident="A bridge that was forgotten after a change of concentration: under- or overdose for "
    "days.",
)
def refill_concentration_change(case: RefillCase) -> Iterator[Seen]:
    """A change of concentration has its bridge; where that is decided it is a note."""
    record, pump = case.record, case.pump
    if record.drug != pump.drug or record.concentration == pump.concentration:
        return
    share = share_text(pump.concentration.quanta, record.concentration.quanta)
    without = f"without a bridge the new program gives {share} of its dose until the line is new"
    yield Seen(
        f"from {pump.concentration} to {record.concentration} ({record.drawn_up.text_in('mg')} in "
        f"{record.injected}): {_decision(case) or without}",
        value=str(record.concentration),
        limit=str(pump.concentration),
        severity=None if case.planned is None else Severity.NOTE,
    )


@refill_check(
    "BRIDGE_FORGOTTEN",
    Severity.SOFT,
    source="REF-03; Boster 2016: a bridge must be programmed when the concentration changes",
    why="The old fluid is still at the tip, and the pump meters it as the new one. Repair that "
    "first, with pumpctl bolus bridge: after another refill nobody can tell any more how far the "
    "front has come.",
    incident="A bridge that was forgotten after a change of concentration: under- or overdose for "
    "days.",
)
def bridge_forgotten(case: RefillCase) -> Iterator[Seen]:
    """No front of the last refill is on its way without a bridge."""
    pump = case.pump
    tip, held = pump.line.at_tip, Fluid(pump.drug, pump.concentration)
    if pump.bridge is None and tip.concentration and tip != held:
        yield Seen(
            f"{holds_text(tip)} is still at the tip, and no bridge is running",
            value=holds_text(tip),
            limit=holds_text(held),
        )


@refill_check(
    "REFILL_EXPIRY",
    Severity.HARD,
    source="REF-01",
    why="An expired drug is not filled in. One that expires in the reservoir sets the date of the "
    "next refill.",
)
def refill_expiry(case: RefillCase) -> Iterator[Seen]:
    """The drug is good today, and until the next refill."""
    record, program, today = case.record, case.program, case.now.date
    if record.expiry < today:
        yield Seen(
            f"the drug expired on {record.expiry}; today is {today}",
            value=str(record.expiry),
            limit=f"{today} or later",
        )
        return
    low = record.at.date.plus(whole_periods(program, record.volume, program.low_alarm, record.at))
    due = refill_due(low, record.at, record.expiry)
    if due.because is Because.EXPIRY:
        yield Seen(
            f"the drug expires on {due.date}, before any other reason for a refill",
            value=str(due.date),
            limit=str(refill_due(low, record.at).date),
            severity=Severity.NOTE,
        )


@refill_check(
    "REFILL_LOT",
    Severity.HARD,
    source="REF-01",
    why="When a lot is recalled, the patients who carry it must be found.",
)
def refill_lot(case: RefillCase) -> Iterator[Seen]:
    """The lot is recorded."""
    if not case.record.lot.strip():
        yield Seen("the drug's lot number is missing", limit="as printed on the ampoule")
