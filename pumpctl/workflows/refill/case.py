"""One refill as the checks see it: its record, the plan for the line, all findings of it.

Asked when it is planned and again when it is applied, on the same measurements. It
decides nothing, and it sends nothing.
"""

from __future__ import annotations

from pumpctl.pump.encode import program_of
from pumpctl.quantities import Volume
from pumpctl.station.journal import Entry
from pumpctl.therapy.bridge import BridgePlan, NotNeeded, Planned, plan_bridge
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.checks import identity as _identity
from pumpctl.therapy.checks.bridges import BridgeCase, check_bridge
from pumpctl.therapy.checks.refills import RefillCase, check_given_up, check_refill
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.delivery import NOTHING
from pumpctl.therapy.draft import draft_of
from pumpctl.therapy.findings import Fault, Finding, by_severity, placed
from pumpctl.therapy.line import line_parts
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import RefillRecord
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.implants import record_of
from pumpctl.workflows.refill.level import filled_elsewhere
from pumpctl.workflows.refill.measured import Measured
from pumpctl.workflows.refill.once import past_discrepancies
from pumpctl.workflows.refill.visit import RefillVisit
from pumpctl.workflows.road.scene import Scene

_WHO = tuple(
    name
    for name, each in pump_check.by_id.items()
    if each.run in (_identity.pump_other, _identity.patient_other, _identity.patient_assigned)
)
_ONCE = "LIBRARY_EXPIRED"
"""Told by the refill, which knows what may go on all the same (LIM-08)."""


def record_for(visit: RefillVisit, measured: Measured, program: Program) -> RefillRecord:
    """What is written down of it (REF-01). Of one that was given up, nothing goes in."""
    drawn, injected = visit.drawn, visit.injected
    goes_in = injected is not None and drawn is not None
    return RefillRecord(
        at=measured.filled_at,
        drug=drawn.name if drawn is not None and goes_in else program.drug,
        concentration=drawn.concentration
        if drawn is not None and goes_in
        else program.concentration,
        lot="" if drawn is None else drawn.lot,
        expiry=measured.planned.date if drawn is None else drawn.expiry,
        filled=None if measured.fill is None else measured.fill.volume,
        expected=measured.expected,
        counted=measured.counted,
        drained=measured.expected if visit.drained is None else visit.drained,
        injected=Volume(0) if injected is None else injected.volume,
        left=measured.expected if visit.drained is None else visit.left,
        sensed=measured.sensed,
        ampoule=None if drawn is None else drawn.ampoule,
    )


def case_for(
    visit: RefillVisit, measured: Measured, program: Program, line: Planned | None, scene: Scene
) -> RefillCase:
    """The case that the refill's own checks look at."""
    return RefillCase(
        record=record_for(visit, measured, program),
        pump=scene.state,
        program=program,
        now=scene.now,
        library=scene.library,
        past=past_discrepancies(scene.journal, scene.state.serial),
        next_visit=visit.next_visit,
        bridge=line,
        left_out=visit.without_bridge,
        estimated=measured.estimated,
        unsettled=measured.unsettled,
        elsewhere=filled_elsewhere(scene),
    )


def bridge_plan_of(
    visit: RefillVisit, measured: Measured, program: Program, scene: Scene
) -> Planned | None:
    """What is planned for the line, counted from the injection; None where nothing goes in."""
    if visit.injected is None:
        return None
    if measured.fluid == Fluid(program.drug, program.concentration):
        return NotNeeded("same drug, same concentration")
    state, record = scene.state, record_of(scene)
    one_fluid = state.line.front_remaining is None
    start, now = measured.filled_at, measured.planned
    moved = NOTHING
    if measured.displaced:
        if now.label_ms <= start.label_ms:
            start = now.plus(-1)
        moved = Course([Piece(start.label_ms, now.label_ms, measured.displaced.quanta)])
    return plan_bridge(
        program if measured.restart else state.program,
        program,
        record.holds if one_fluid else None,
        line_parts(record).whole,
        injected=start,
        now=now,
        moved=moved,
    )


def findings_of(
    visit: RefillVisit, measured: Measured, program: Program, line: Planned | None, scene: Scene
) -> tuple[Finding, ...]:
    """Everything that there is to say of this refill, hard ones first."""
    case = case_for(visit, measured, program, line, scene)
    if line is None:  # given up: nothing goes in, and the program that runs goes on
        drained = check_given_up(case) if visit.drained is not None else ()
        return by_severity([*_who(visit, program, scene), *drained])
    after = _as_it_will_be(scene.state, measured, program)
    subject = program if visit.program is None else visit.program[0]
    change = check_change(
        subject,
        after,
        station_now=scene.now,
        library=scene.library,
        past=scene.past,
        changed=scene.told.changed,
    )
    bridge = check_bridge(
        BridgeCase(
            line,
            program,
            scene.state,
            record_of(scene),
            scene.now,
            left_out=visit.without_bridge,
            playing=_playing(scene, program),
            library=scene.library,
        )
    )
    who = _who(visit, program, scene) if visit.program is None else ()
    others = [each for each in (*bridge, *change) if each.id != _ONCE]
    return by_severity([*who, *check_refill(case), *others])


def _as_it_will_be(state: PumpState, measured: Measured, program: Program) -> PumpState:
    """The pump as the new program will find it; what ran and what is wrong stay as they are."""
    return state._replace(
        drug=program.drug,
        concentration=program.concentration,
        reservoir=measured.volume,
        filled_at=measured.filled_at,
    )


def _who(visit: RefillVisit, program: Program, scene: Scene) -> tuple[Finding, ...]:
    """Whether it is this patient's pump, where no profile says for whom the program is."""
    patient = Patient(visit.patient, "", "", None)
    draft = draft_of(program)._replace(patient=patient, serial=visit.serial)
    case = PumpCase(draft, scene.library, program, scene.state, scene.now)
    checks = [pump_check.by_id[name] for name in _WHO]
    return placed([Fault(each.rule, seen) for each in checks for seen in each.run(case)], None)


def _playing(scene: Scene, program: Program) -> Program | None:
    """While a bridge runs: the most that it may play, as far as this station knows.

    The program that it leads to is no increase; of the one before, the intent that began
    it tells: of the pump's last change but for another fill of the same.
    """
    state = scene.state
    if state.bridge is None or program == state.program:
        return program
    entries = scene.journal.entries(pump=state.serial)
    done = {each.operation for each in entries if each.body.get("outcome") == "applied"}
    for entry in reversed(entries):
        played = _played(entry) if entry.operation in done else None
        if played is not None:
            try:
                return program_of(bytes.fromhex(played))
            except (ValueError, WireError):
                return None
    return None


def _played(entry: Entry) -> str | None:
    """What the bridge of this intent plays, in hexadecimal; None where it began none."""
    order = entry.body.get("order")
    if entry.kind != "intent" or not isinstance(order, dict):
        return None
    match entry.body.get("kind"):
        case "bridge":
            return str(order["plays"])
        case "refill" if order["measured"]["bridge"] is not None:
            name = "program_bytes" if order["measured"]["restart"] else "old_program_bytes"
            return str(entry.body.get(name))
        case "program":  # from here on the new masses, still by the old concentration
            return str(entry.body.get("program_bytes"))
        case _:
            return None


def bridged(visit: RefillVisit, line: Planned | None) -> BridgePlan | None:
    """The bridge that is really ordered: none where it is left out or not needed."""
    return line if isinstance(line, BridgePlan) and not visit.without_bridge else None
