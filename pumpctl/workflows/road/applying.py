"""From a confirmed plan to a verified pump: the second half of the one road.

Stage again, compare the read-back byte by byte, write the intent down, and only
then activate. What came of it is Applied, Refused or Unknown; it is in the
journal before it is shown, and where it was applied the pump is asked again.
"""

from __future__ import annotations

from contextlib import suppress

from pumpctl.errors import (
    Interrupted,
    LimitSoft,
    NotConfirmed,
    OutcomeUnknown,
    PlanExpired,
    PlanStale,
    PlanUsed,
    PumpctlError,
    PumpRefused,
    ReadbackDiffers,
    StoreError,
    VersionSkew,
    WrongPump,
)
from pumpctl.named import NamedTuple
from pumpctl.outcomes import Applied, OperationId, Outcome, Refused, StateVersion, Unknown
from pumpctl.pump.encode import canonical, program_of
from pumpctl.pump.pump import Staged
from pumpctl.quantities import Mass
from pumpctl.station.journal import Journal
from pumpctl.station.library_store import InForce
from pumpctl.station.plan import Plan, token
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import PumpState
from pumpctl.wire.fields import WireError
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.road.gates import pass_gates
from pumpctl.workflows.road.planning import (
    planned_library,
    refuse_hard,
    stage_and_read,
)
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.road.second import Endorsement, check_endorsement, lowers, why_second
from pumpctl.workflows.road.verifying import verify
from pumpctl.workflows.visit import Visit

CLOCK_SLACK_MS = 5_000
"""How far a station's clock may be set back by its time service within a visit."""
_GROWING = {"STOPPED_LONG", "STOPPED_RESTART"}
"""Findings whose hours grow by waiting; crossing the next limit is another id."""
_WANING = {"WINDOW_AHEAD_SOFT", "BOLUS_ORDER_WINDOW_SOFT", "CLOCK_SET_WINDOW_SOFT"}
"""Findings of a mass in a window, which moves with time: it may be less by now, never more."""
_AS_PLANNED = {"INCREASE_24H", "TITRATION_STEP", "MAINTENANCE_STEP"}
"""Findings against all doses of 24 hours: of those that ended when the plan was made."""


class AppliedPlan(NamedTuple):
    """A plan that was applied and verified."""

    plan: Plan
    operation: OperationId
    state_version: StateVersion
    state: PumpState


def check_token(plan: Plan, given: str, operator: str) -> None:
    """A script's confirmation; NotConfirmed where it is not this plan's and operator's."""
    if given.strip().upper() != token(plan, operator):
        raise NotConfirmed(
            "this is not the confirmation token of this plan for this operator",
            hint="the plan's output holds the token; it is another one for each plan and operator",
        )


def check_open_soft(plan: Plan) -> None:
    """A soft finding that nobody overrode keeps a plan from being confirmed or applied."""
    if plan.open_soft:
        names = ", ".join(sorted({finding.id for finding in plan.open_soft}))
        raise LimitSoft(
            f"the plan has open soft findings: {names}",
            findings=tuple(
                Finding(
                    found.id,
                    Severity(found.severity),
                    found.message,
                    found.source,
                    found.value,
                    found.limit,
                    found.line,
                    found.column,
                )
                for found in plan.open_soft
            ),
        )


def check_in_time(plan: Plan, now: Moment) -> None:
    """A plan lives one hour by the station's clock; PlanExpired outside of it."""
    if now.utc_ms > plan.expires_utc_ms:
        raise PlanExpired(f"the plan expired at {plan.expires}")
    if now.utc_ms < plan.made_utc_ms - CLOCK_SLACK_MS:
        raise PlanExpired(f"the plan was made at {plan.made}, which is yet to come")


def check_unused(plan: Plan, journal: Journal) -> None:
    """One plan applies at most once, whatever became of it."""
    if journal.used(plan.operation):
        raise PlanUsed(f"plan {plan.operation} was used before at this station")


def apply_plan(
    visit: Visit, journal: Journal, plan: Plan, act: Act, second: Endorsement | None = None
) -> AppliedPlan:
    """Apply a confirmed plan on the pump of this visit.

    `second`: another person's yes, where the plan needs one (CNF-04).
    Raises an error for every end but one: applied, verified and delivering.
    Its `changed` says truly what became of the pump.
    """
    try:
        return _apply(visit, journal, plan, act, second)
    except PlanUsed:
        raise  # what became of it was told the first time
    except PumpctlError as error:
        error.operation = plan.operation
        raise


def _apply(
    visit: Visit, journal: Journal, plan: Plan, act: Act, second: Endorsement | None
) -> AppliedPlan:
    check_open_soft(plan)
    if visit.serial != plan.pump.serial:
        raise WrongPump(f"pump {visit.serial} is on this line; the plan is for {plan.pump.serial}")
    pass_gates(plan.kind, visit, journal)
    check_unused(plan, journal)
    check_endorsement(visit.station, journal, plan, second)
    operation = OperationId.from_text(plan.operation)
    _expect_old(visit, plan)
    state = visit.state()
    _check_fresh(visit, plan, state, operation)
    scene = Scene(visit, journal, act.program, whom=act.whom, state=state)
    findings = _check_findings(scene, plan, act)
    _check_second(scene, plan, act, findings, second)
    body = _body(visit, plan, state, scene.in_force, second)
    staged = _stage_same(visit, journal, plan, act, state, body)
    head = journal.append(
        "intent", at=str(visit.now()), pump=visit.serial, operation=plan.operation, body=body
    )
    outcome, unwritten = _activate(visit, journal, plan, staged, head)
    match outcome:
        case Applied():
            after = verify(visit, state, act, outcome)  # also where it could not be written down
            if unwritten is not None:
                raise unwritten
            return AppliedPlan(plan, operation, outcome.state_version, after)
        case Refused():
            if unwritten is not None:
                raise unwritten
            raise PumpRefused(
                f"the pump refused to activate: {outcome.detail or outcome.code}",
                pump_code=outcome.code,
                hint="nothing was changed; make a new plan",
            )
        case Unknown():
            if unwritten is not None:
                raise unwritten
            raise OutcomeUnknown(f"nobody knows whether the pump activated it: {outcome.why}")


def _expect_old(visit: Visit, plan: Plan) -> None:
    """The plan holds the program that ran: while its hash is in force it is not fetched again."""
    with suppress(ValueError, WireError):  # then the pump is asked
        if plan.old_program:
            visit.pump.expect(program_of(bytes.fromhex(plan.old_program)))


def _activate(
    visit: Visit, journal: Journal, plan: Plan, staged: Staged, head: bytes
) -> tuple[Outcome, StoreError | None]:
    """Send the one therapy message and write its outcome down; why, where that failed."""
    operation = OperationId.from_text(plan.operation)
    outcome: Outcome | None = None
    try:
        outcome = visit.pump.activate(operation, staged, StateVersion(plan.state_version), head)
        return outcome, _write_outcome(visit, journal, plan, outcome)
    except KeyboardInterrupt as error:
        if not visit.link.therapy_sent:
            _write_outcome(visit, journal, plan, Refused(operation, "NOT_SENT", "interrupted"))
            raise Interrupted("interrupted before anything was activated") from error
        raise OutcomeUnknown(
            "interrupted while the pump was being asked"
            if outcome is None
            else "interrupted before the pump's answer was written down"
        ) from error
    except VersionSkew as error:  # raised before the first byte was handed to the line
        _write_outcome(visit, journal, plan, Refused(operation, "NOT_SENT", error.message))
        raise
    except Exception as error:
        if not visit.link.therapy_sent:
            raise
        raise OutcomeUnknown(f"a bug of ours while the pump was being asked: {error!r}") from error


def _check_fresh(visit: Visit, plan: Plan, state: PumpState, operation: OperationId) -> None:
    known = visit.pump.operation(operation)
    if known.result != "absent":
        raise PlanUsed(f"the pump knows plan {plan.operation} already: {known.result}")
    check_in_time(plan, visit.now())
    if state.state_version != plan.state_version:
        raise PlanStale(
            f"the pump's state version is {state.state_version}; "
            f"the plan was made for {plan.state_version}"
        )
    if plan.rehearsal and not visit.rehearsal:
        raise PlanStale("the plan was made on a rehearsal's clock, and this is not a rehearsal")


def _check_findings(scene: Scene, plan: Plan, act: Act) -> tuple[Finding, ...]:
    """What the checks say now, which must be what was shown when the plan was confirmed.

    They are asked with the library that is in force now, whichever the plan was made
    with, and with the course as it is told now.
    """
    findings = _findings_now(scene, plan, act)
    refuse_hard(findings)
    new = tuple(
        finding
        for finding in findings
        if finding.severity is Severity.SOFT and not _was_shown(finding, plan)
    )
    if new:
        names = ", ".join(sorted({finding.id for finding in new}))
        raise LimitSoft(
            f"there are soft findings that the plan does not name, or not with these figures: "
            f"{names}",
            findings=new,
        )
    return findings


def _was_shown(finding: Finding, plan: Plan) -> bool:
    """Whether this soft finding was confirmed with the plan: as it is now, or as a worse one."""
    shown = [
        each.value for each in plan.findings if each.severity == "soft" and each.id == finding.id
    ]
    if finding.value in shown or (finding.id in _GROWING and shown):
        return True
    if finding.id not in _WANING or finding.value is None:
        return False
    masses = [Mass.parse(value) for value in shown if value is not None]
    return bool(masses) and Mass.parse(finding.value) <= max(masses)


def _check_second(
    scene: Scene,
    plan: Plan,
    act: Act,
    findings: tuple[Finding, ...],
    second: Endorsement | None,
) -> None:
    """What needs a second person may have changed with the library since it was planned."""
    less = lowers(scene.state.program, act.program)
    needed = why_second(findings, plan.overrides, scene.library, lowers=less)
    if needed and second is None:
        raise PlanStale(
            f"a second person has to confirm it now: {'; '.join(needed)}", hint="plan it again"
        )


def _findings_now(scene: Scene, plan: Plan, act: Act) -> tuple[Finding, ...]:
    """Everything that the checks say; an increase and its size as of when the plan was made.

    The pump's state version is the plan's: nothing was changed since. But a dose may
    have left the last 24 hours, and what was going back to it would now be an increase.
    """
    findings = act.findings(scene)
    again = {each.id for each in findings} & _AS_PLANNED
    if not again:
        return findings
    as_planned = act.findings(scene.as_of(plan.counter_ms))
    return (
        *(each for each in findings if each.id not in again),
        *(each for each in as_planned if each.id in again),
    )


def _stage_same(
    visit: Visit, journal: Journal, plan: Plan, act: Act, state: PumpState, body: dict[str, object]
) -> Staged:
    """Stage again; what the pump will do must be, byte for byte, what was confirmed."""
    try:
        staged, readback = stage_and_read(visit, act, state)
    except PumpRefused as error:
        # A plan that the pump refused counts as used.
        refusal = {**body, "outcome": "refused", "code": error.pump_code}
        journal.append(
            "refused",
            at=str(visit.now()),
            pump=visit.serial,
            operation=plan.operation,
            body=refusal,
        )
        raise
    if readback.raw.hex() != plan.readback_bytes or staged.content.hex() != plan.content:
        visit.pump.discard()
        raise ReadbackDiffers("the pump's read-back is not the one that was confirmed")
    return staged


def _body(
    visit: Visit, plan: Plan, state: PumpState, library: InForce, second: Endorsement | None
) -> dict[str, object]:
    """The intent. Its programs, new and old, are what the course is read from later."""
    old = state.program
    return {
        "kind": plan.kind,
        "plan": plan.hash,
        "content": plan.content,
        "order": plan.order,
        "program_bytes": plan.program or None,
        "old_program_bytes": None if old is None else canonical(old).hex(),
        "label_rules": None if plan.label_rules is None else plan.label_rules.model_dump(),
        "tag": plan.tag_hash,
        "operator": visit.station.operator,
        "planned_by": plan.operator,
        "state_version": plan.state_version,
        "overrides": [override.model_dump() for override in plan.overrides],
        "library": planned_library(library).model_dump(),
        "second": None if second is None else second.recorded(),
        "rehearsal": visit.rehearsal,
    }


def _write_outcome(
    visit: Visit, journal: Journal, plan: Plan, outcome: Outcome
) -> StoreError | None:
    """Durable before it is shown (AUD-01); a failure says truly what became of the pump."""
    body = outcome_body(outcome)
    try:
        journal.append(
            "outcome", at=str(visit.now()), pump=visit.serial, operation=plan.operation, body=body
        )
    except StoreError as error:
        match outcome:
            case Applied():
                error.changed = "yes"
                error.hint = "the pump applied it and this is not recorded: run pumpctl resolve"
            case Unknown():
                error.changed = "unknown"
                error.hint = "it is not known whether the pump applied it: run pumpctl resolve"
            case Refused():
                error.hint = "the pump did not change; run pumpctl resolve when there is room"
        return error
    return None


def outcome_body(outcome: Outcome) -> dict[str, object]:
    """An outcome as the journal keeps it."""
    match outcome:
        case Applied():
            return {"outcome": "applied", "state_version": outcome.state_version}
        case Refused():
            return {"outcome": "refused", "code": outcome.code, "detail": outcome.detail}
        case Unknown():
            return {"outcome": "unknown", "why": outcome.why}
