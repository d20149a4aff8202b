"""From an act to a plan: gates, checks, the pump's own read-back, the sealed file.

Planning stages, reads back and discards; nothing that is delivered changes. The
station's arithmetic and the pump's meet here: where they differ by a quantum,
there is no plan.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pumpctl.errors import LimitHard, ReadbackDiffers, UsageError
from pumpctl.outcomes import OperationId
from pumpctl.pump.encode import program_hash, to_wire
from pumpctl.pump.pump import Readback, Staged
from pumpctl.quantities import Duration, Mass, Rate, Volume, round_half_up
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
from pumpctl.therapy import figures
from pumpctl.therapy.compare import change, summary
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import DAYS, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.wire.program import program_bytes
from pumpctl.workflows.acts import Act
from pumpctl.workflows.gates import pass_gates
from pumpctl.workflows.libraries import library_for_change
from pumpctl.workflows.past import past_of
from pumpctl.workflows.visit import Visit


class Planned(NamedTuple):
    """A plan, and the values that its screen is made of."""

    plan: Plan
    state: PumpState
    act: Act
    readback: Readback
    now: Moment
    """The station's clock when it was made."""


def make_plan(
    visit: Visit, journal: Journal, act: Act, overrides: tuple[tuple[str, str], ...]
) -> Planned:
    """Plan an act on the pump of this visit.

    Raises LimitHard with the findings where a hard one stands in the way,
    Blocked where a gate does, PumpRefused where the pump will not stage it,
    ReadbackDiffers where the pump would give something else.
    """
    pass_gates(act.kind, visit, journal)
    state = visit.state()
    now = visit.now()
    library = library_for_change(visit, journal)
    told = past_of(visit, journal, state, window_lengths(act, library.library))
    for line in told.missing:
        visit.station.tell(line)
    findings = act.findings(state, now, library.library, told.past)
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
        old=described(state.program),
        new=described(act.program),
        change_percent=_change_percent(state, act.program),
        readback=readback_described(readback),
        readback_bytes=readback.raw.hex(),
        content=staged.content.hex(),
        program=program_bytes(to_wire(act.program)).hex(),
        program_hash=readback.program_hash.hex(),
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
        library=planned_library(library),
    )
    return Planned(sealed(plan), state, act, readback, now)


def window_lengths(act: Act, library: Library) -> tuple[Duration, ...]:
    """Over which lengths this act's doses are limited: so far back it is asked what was given."""
    limits = library.nearest(act.program.drug, act.program.concentration)
    return tuple(window.length for window in limits.windows)


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
    staged = act.stage(visit.pump, state)
    return staged, visit.pump.readback()


def refuse_hard(findings: tuple[Finding, ...]) -> None:
    """A hard finding ends it: no override exists, by any flag, role or variable (LIM-02)."""
    hard = tuple(finding for finding in findings if finding.severity is Severity.HARD)
    if hard:
        raise LimitHard("; ".join(finding.message for finding in hard), findings=hard)


def compare_readback(act: Act, state: PumpState, staged: Staged, readback: Readback) -> None:
    """Hold the pump's read-back against the station's own calculation, field by field."""
    program = act.program
    own = figures.week(program)
    per_nl = program.concentration.quanta
    exact = figures.daily_doses(program)
    expected: list[tuple[str, object, object]] = [
        ("kind", act.kind, readback.kind),
        ("content", staged.content.hex(), readback.content.hex()),
        ("program", program, readback.program),
        ("program hash", program_hash(program).hex(), readback.program_hash.hex()),
        ("patient", act.tag(state).hex(), readback.tag.hex()),
        (
            "largest 24 h",
            figures.largest_24h_with_patient_doses(program),
            readback.largest_24h,
        ),
    ]
    for day, told in zip(own, readback.days, strict=True):
        name = DAYS[day.day]
        expected += [
            (f"dose {name}", Mass(day.daily_dose.quanta), told.daily_dose),
            (f"largest hour {name}", day.largest_hour, told.largest_hour),
            (
                f"volume {name}",
                Volume(round_half_up(exact[day.day] * 1000 / per_nl)),
                told.volume,
            ),
        ]
    for what, wanted, told_value in expected:
        if wanted != told_value:
            raise ReadbackDiffers(
                f"the pump's read-back differs in {what}: {told_value} where {wanted} was asked"
            )


def described(program: Program | None) -> dict[str, Any]:
    """A program's figures as a plan and the JSON show them."""
    if program is None:
        return {"mode": None}
    told = summary(program)
    dose = program.patient_dose
    return {
        "hash": program_hash(program).hex(),
        "mode": program.mode.value,
        "drug": {"name": told.drug, "concentration": str(told.concentration)},
        "daily_dose": str(told.largest_day),
        "days": [
            {
                "day": DAYS[day.day],
                "daily_dose": str(day.daily_dose),
                "largest_hour": str(day.largest_hour),
            }
            for day in figures.week(program)
        ],
        "largest_hour": str(told.largest_hour),
        "flow": str(told.flow),
        "fallback_rate": str(told.fallback),
        "boluses": len(program.boluses),
        "patient_dose": None
        if dose is None
        else {
            "dose": str(dose.dose),
            "over": str(dose.over),
            "lockout": str(dose.lockout),
            "max_per_24h": dose.max_per_24h,
        },
        "low_alarm": str(program.low_alarm),
    }


def readback_described(readback: Readback) -> dict[str, Any]:
    """The pump's own figures."""
    return {
        "hash": readback.program_hash.hex(),
        "content": readback.content.hex(),
        "days": [
            {
                "day": DAYS[number],
                "daily_dose": str(Rate(day.daily_dose.quanta)),
                "volume": str(day.volume),
                "largest_hour": str(day.largest_hour),
            }
            for number, day in enumerate(readback.days)
        ],
        "largest_24h": str(readback.largest_24h),
        "fallback_rate": str(readback.program.fallback),
    }


def _change_percent(state: PumpState, new: Program) -> str | None:
    """The change of the largest day's dose, signed, to a tenth of a percent."""
    if state.program is None:
        return None
    relative = change(figures.largest_day(state.program), figures.largest_day(new))
    if relative is None:
        return None
    tenths = round_half_up(abs(relative) * 1000)
    sign = "-" if relative < 0 and tenths else ""
    return f"{sign}{tenths // 10}.{tenths % 10}".removesuffix(".0")


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
