"""A refill as plans and the JSON show it: what went in, what the drain means, what follows.

Strings in the contract's grammar, made of values; decides nothing.
"""

from __future__ import annotations

from typing import Any

from pumpctl.quantities import Volume
from pumpctl.therapy.bridge import BridgePlan, Impossible, Planned
from pumpctl.therapy.bridge_effect import worst_without
from pumpctl.therapy.compare import summary
from pumpctl.therapy.delivery import time_text, volume_text
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Discrepancy, Offer, reduced_offer, suspected
from pumpctl.therapy.refill_outlook import Ahead, ahead
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.refill.case import bridged, record_for
from pumpctl.workflows.refill.measured import Measured
from pumpctl.workflows.refill.visit import RefillVisit


def refill_told(
    visit: RefillVisit,
    measured: Measured,
    program: Program,
    line: Planned | None,
    seen: PumpState | None,
) -> dict[str, Any]:
    """Everything of a refill that its program does not say."""
    record = record_for(visit, measured, program)
    found = record.discrepancy
    dates = ahead_of(visit, measured, program, line, seen)
    dry, withdrawal, drawn = dates.runs_dry, dates.withdrawal, visit.drawn
    bridge = bridged(visit, line)
    low, high = withdrawal or (None, None)
    return {
        "drug": {"name": program.drug, "concentration": str(program.concentration)},
        "volume": str(measured.volume),
        "filled_at": str(measured.filled_at),
        "planned": str(measured.planned),
        "since": measured.since,
        "since_within": str(measured.off),
        "lot": None if drawn is None else drawn.lot,
        "expiry": None if drawn is None else str(drawn.expiry),
        "drawn_up": str(record.drawn_up) if visit.injected is not None else None,
        "drained": None if visit.drained is None else str(visit.drained),
        "injected": None if visit.injected is None else str(visit.injected.volume),
        "left": str(record.left),
        "expected": str(measured.expected),
        "estimated": str(measured.estimated),
        "sensed": None if measured.sensed is None else str(measured.sensed),
        "last_fill": None if measured.fill is None else str(measured.fill.volume),
        "discrepancy": None if visit.drained is None else discrepancy_told(found),
        "offer": None if seen is None else offer_told(_offer(found, measured, program, seen)),
        "line": None if line is None else line_told(line, without=visit.without_bridge),
        "bridge": None if bridge is None else bridge_told(bridge),
        "low_date": str(dates.low_date),
        "refill_by": str(dates.refill_by),
        "refill_because": dates.because,
        "next_visit": None if visit.next_visit is None else str(visit.next_visit),
        "observe_until": str(dates.observe_until),
        "reassess_by": None if dates.reassess_by is None else str(dates.reassess_by),
        "runs_dry": None if dry is None else str(dry),
        "withdrawal": None if low is None else {"from": str(low), "to": str(high)},
        "prescriber": visit.prescriber,
        "reference": visit.reference,
        "given_up": visit.given_up,
    }


def ahead_of(
    visit: RefillVisit,
    measured: Measured,
    program: Program,
    line: Planned | None,
    seen: PumpState | None,
) -> Ahead:
    """The next dates of this refill; a bridge, its own or one that runs, is taken off first."""
    own, running = bridged(visit, line), None if seen is None else seen.bridge
    bridge = Volume(0) if running is None else running.remaining
    bridge = bridge if own is None else own.order.volume
    found = record_for(visit, measured, program).discrepancy
    same_fluid = measured.fluid == Fluid(program.drug, program.concentration)
    given_up = visit.injected is None
    return ahead(
        program,
        measured.volume,
        measured.planned if given_up else measured.filled_at,
        bridge=bridge,
        filled_at=measured.filled_at,
        expiry=measured.expiry,
        restart=measured.restart or suspected(found, None, measured.unsettled) is not None,
        changed=not same_fluid or seen is None or program != seen.program,
    )


def discrepancy_told(found: Discrepancy) -> dict[str, Any]:
    """Drained against expected: the difference, the ratio, and what they mean."""
    return {
        "apart": found.volume_text,
        "programmed": None if found.programmed is None else volume_text(found.programmed),
        "ratio": found.ratio_text,
        "judged": found.judged is not None,
        "percent": found.percent_text,
        "meaning": found.meaning.name.lower(),
        "text": found.meaning.value,
    }


def offer_told(offer: Offer | None) -> dict[str, Any] | None:
    """The reduced dose that is offered where non-delivery is suspected."""
    if offer is None:
        return None
    return {
        "dose": str(offer.dose),
        "had": None if offer.had is None else str(offer.had),
        "least": str(offer.least),
        "deliverable": offer.deliverable,
    }


def _offer(
    found: Discrepancy, measured: Measured, program: Program, seen: PumpState
) -> Offer | None:
    suspicion = suspected(found, seen.program, measured.unsettled)
    if suspicion is None or suspicion.found.judged is None:
        return None
    return reduced_offer(suspicion.old, suspicion.found.judged, program.concentration)


def line_told(line: Planned, *, without: bool) -> str:
    """In words what was decided of the line."""
    if isinstance(line, BridgePlan):
        what = "bridge left out" if without else "bridge"
        return f"{what}: {line.order.volume} of {line.order.old.concentration}"
    if isinstance(line, Impossible):
        return f"no bridge is possible: {line.why}"
    return f"no bridge: {line.why}"


def bridge_told(plan: BridgePlan) -> dict[str, Any]:
    """A bridge: volume, what it plays, until when, and what would be without it."""
    order, old = plan.order, plan.order.old
    return {
        "volume": str(order.volume),
        "passed": str(order.passed),
        "left": str(order.remaining),
        "old": {"name": old.drug, "concentration": str(old.concentration)},
        "line": str(plan.line),
        "plays": str(summary(plan.played).largest_day),
        "starts": str(plan.starts),
        "ends": str(plan.end),
        "lasts": time_text(plan.ends - plan.starts.label_ms),
        "without": str(worst_without(plan)),
    }
