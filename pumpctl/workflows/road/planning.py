"""From an act to a plan: gates, checks, the pump's own read-back, the sealed file.

Planning stages, reads back and discards; nothing that is delivered changes. The
station's arithmetic and the pump's meet here: where they differ by a quantum,
there is no plan. What differs by kind is the act's matter.
"""

from __future__ import annotations

from pumpctl.errors import LimitHard, ReadbackDiffers, UsageError
from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.pump.encode import canonical
from pumpctl.pump.pump import Staged
from pumpctl.pump.readbacks import Readback
from pumpctl.station.journal import Journal
from pumpctl.station.library_store import InForce
from pumpctl.station.plan import (
    VALID_MS,
    Override,
    Plan,
    PlannedFinding,
    PlannedLibrary,
    PlannedPatient,
    PlannedPump,
    sealed,
)
from pumpctl.therapy.alarms import tell_alarms
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.acts.shown import change_percent
from pumpctl.workflows.refill.once import expiry_inside
from pumpctl.workflows.road.gates import pass_gates
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.road.second import lowers, why_second
from pumpctl.workflows.visit import Visit

_BRINGS_A_PROGRAM = ("program", "resume", "refill")
"""Kinds of which a change of the daily dose can be told; a bolus changes no daily dose."""


class Planned(NamedTuple):
    """A plan, and the values that its screen is made of."""

    plan: Plan
    state: PumpState
    act: Act
    readback: Readback
    now: Moment
    """The station's clock when it was made."""
    expiry: Date | None
    """The last day of the drug inside, where the fill is on record here."""


def make_plan(
    visit: Visit, journal: Journal, act: Act, overrides: tuple[tuple[str, str], ...]
) -> Planned:
    """Plan an act on the pump of this visit.

    Raises LimitHard with the findings where a hard one stands in the way,
    Blocked where a gate does, PumpRefused where the pump will not stage it,
    ReadbackDiffers where the pump would give something else.
    """
    pass_gates(act.kind, visit, journal)
    scene = Scene(visit, journal, act.program, whom=act.whom, state=visit.just_seen())
    state, now = scene.state, scene.now
    findings = act.findings(scene)
    for line in scene.missing:
        visit.station.tell(line)
    refuse_hard(findings)
    named = _overrides(findings, overrides)
    staged, readback = stage_and_read(visit, act, state)
    visit.pump.discard()
    compare_readback(act, state, staged, readback)
    plan = Plan(
        schema="pumpctl.plan/1",
        operation=str(OperationId(visit.station.entropy(OperationId.SIZE))),
        kind=act.kind,
        pump=PlannedPump(serial=state.serial, model=state.model),
        patient=act.patient,
        label_rules=_planned_patient(act),
        operator=visit.station.operator,
        made=str(now),
        made_utc_ms=now.utc_ms,
        expires=str(now.plus(VALID_MS)),
        expires_utc_ms=now.plus(VALID_MS).utc_ms,
        rehearsal=visit.rehearsal,
        state_version=state.state_version,
        counter_ms=state.counter_ms,
        old=act.old(state),
        new=act.new(),
        change_percent=change_percent(state.program, act.program)
        if act.kind in _BRINGS_A_PROGRAM
        else None,
        readback=act.told(readback),
        readback_bytes=readback.raw.hex(),
        content=staged.content.hex(),
        order=act.kept(),
        program=_written(act.program),
        old_program=_written(state.program),
        tag_hash=act.tag(state).hex(),
        findings=tuple(
            PlannedFinding(
                id=finding.id,
                severity=finding.severity.value,
                message=finding.message,
                source=finding.source,
                value=finding.value,
                limit=finding.limit,
                line=finding.line,
                column=finding.column,
            )
            for finding in findings
        ),
        overrides=named,
        alarms=tuple(f"{told.line} → {told.act}" for told in tell_alarms(state.alarms)),
        second=why_second(
            findings, named, scene.library, lowers=lowers(state.program, act.program)
        ),
        by_hand=act.by_hand,
        library=planned_library(scene.in_force),
    )
    expiry = expiry_inside(journal, state)
    return Planned(sealed(plan), state, act, readback, now, expiry)


def _written(program: Program | None) -> str:
    return "" if program is None else canonical(program).hex()


def _planned_patient(act: Act) -> PlannedPatient | None:
    whom = act.whom
    if whom is None:
        return None
    return PlannedPatient(
        spasticity_origin=whom.spasticity_origin, age_group=whom.age_group, history=whom.history
    )


def planned_library(found: InForce) -> PlannedLibrary:
    """Which library it was, for plans and the journal."""
    library = found.library
    return PlannedLibrary(site=library.site, version=library.version, sha256=found.digest)


def stage_and_read(visit: Visit, act: Act, state: PumpState) -> tuple[Staged, Readback]:
    """Stage, and read back what the pump will do with the stored bytes."""
    staged = visit.pump.stage(act.order(state))
    return staged, visit.pump.readback()


def refuse_hard(findings: tuple[Finding, ...]) -> None:
    """A hard finding ends it: no override exists, by any flag, role or variable (LIM-02)."""
    hard = tuple(finding for finding in findings if finding.severity is Severity.HARD)
    if hard:
        raise LimitHard("; ".join(finding.message for finding in hard), findings=hard)


def compare_readback(act: Act, state: PumpState, staged: Staged, readback: Readback) -> None:
    """Hold the pump's read-back against the station's own calculation, field by field."""
    common = (
        ("kind", act.wire_kind, readback.kind),
        ("content", staged.content.hex(), readback.content.hex()),
    )
    for pairs in (common, act.compare(state, readback)):
        for what, wanted, told in pairs:
            if wanted != told:
                raise ReadbackDiffers(
                    f"the pump's read-back differs in {what}: {told} where {wanted} was asked"
                )


def _overrides(
    findings: tuple[Finding, ...], wanted: tuple[tuple[str, str], ...]
) -> tuple[Override, ...]:
    soft = {finding.id for finding in findings if finding.severity is Severity.SOFT}
    named = []
    for name, reason in wanted:
        if name not in soft:
            raise UsageError(
                f"--override {name}: there is no soft finding of that name",
                hint=f"soft findings here: {', '.join(sorted(soft)) or 'none'}",
            )
        named.append(Override(id=name, reason=reason))
    return tuple(named)
