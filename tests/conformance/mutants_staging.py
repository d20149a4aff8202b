"""Mutants of staging and of the read-back."""

from __future__ import annotations

from typing import Any

from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    Kind,
    Mode,
    Refuse,
)
from pumpctl.wire.program import program_hash
from tests.conformance.mutate import (
    Go,
    Patch,
    answers,
    breaks,
    fields,
    handled,
    later,
    lets,
    on,
)

# --- staging and reading back -----------------------------------------------------------

fields("P4-readback", m.ProgramReadback, tag=bytes(8))
on("P2-staging", m.StageProgram, lambda core, _m, _a: later(core))
fields("P6-shown", m.Status, staged=None)
fields("P6-discard", m.Discarded, had=True)


@breaks("P4-content")
def _names_the_program(patch: Patch) -> None:
    """A long program is named by its own hash, not by the bytes of its staging."""

    def named(answer: Any, _core: Any, asked: Any) -> Any:
        if isinstance(asked, m.StageProgram) and len(asked.program.days[0]) > 3:
            return answer._replace(content=program_hash(asked.program))
        return answer

    answers(patch, m.Staged, named)


@breaks("P13-nonce")
def _one_nonce(patch: Patch) -> None:
    def same(answer: Any, core: Any, _asked: Any) -> Any:
        core.staged = core.staged._replace(nonce=b"12345678")
        return answer._replace(nonce=b"12345678")

    answers(patch, m.Staged, same)


@breaks("P4-deterministic")
def _moody(patch: Patch) -> None:
    count = [0]

    def spoiled(answer: Any, _core: Any, _asked: Any) -> Any:
        count[0] += 1
        return answer._replace(largest_24h=answer.largest_24h + count[0] // 3)

    answers(patch, m.ProgramReadback, spoiled)


@breaks("P6-replaced")
def _first_stays(patch: Patch) -> None:
    """A second staging is taken, and the first one stays."""

    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        before = core.staged
        answer = go(message)
        if isinstance(message, m.StageProgram) and before is not None:
            core.staged = before
        return answer

    handled(patch, handler)


def _drops_refused(core: Any, _message: Any, answer: Any) -> None:
    if isinstance(answer, m.Refusal):
        core.staged = None


on("P6-refused-keeps", m.StageProgram, _drops_refused)


@breaks("P6-stop", "P5-resume-once")
def _survives_stop(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        before = core.staged
        answer = go(message)
        if isinstance(message, m.Stop):
            core.staged = before
        return answer

    handled(patch, handler)


@breaks("P6-activated")
def _stays_staged(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        before = core.staged
        answer = go(message)
        if isinstance(answer, m.Done) and isinstance(message, m.Activate):
            core.staged = before
        return answer

    handled(patch, handler)


@breaks("P6-nothing")
def _reads_back_nothing(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(message, m.GetReadback) and isinstance(answer, m.Refusal):
            return m.Discarded(False)
        return answer

    handled(patch, handler)


lets("P8-tag", Refuse.PATIENT_TAG, asked=m.StageProgram)

# --- figures ----------------------------------------------------------------------------


def _days(name: str, **more: int) -> None:
    """Every day's figures are off by this."""

    def change(told: Any) -> Any:
        return tuple(
            day._replace(**{field: getattr(day, field) + off for field, off in more.items()})
            for day in told.days
        )

    fields(name, m.ProgramReadback, days=change)


def _figures(name: str, change: Any) -> None:
    """(program, day figures, day) to figures; as a pump that reckons so."""

    def days(told: Any) -> Any:
        return tuple(change(told.program, figures, day) for day, figures in enumerate(told.days))

    fields(name, m.ProgramReadback, days=days)


def _basal_only(program: Any, figures: Any, day: int) -> Any:
    boluses = sum(bolus.dose for bolus in program.boluses if bolus.day == day)
    return figures._replace(dose=figures.dose - boluses)


def _rounds_down(program: Any, figures: Any, day: int) -> Any:
    starts = [step.start for step in program.days[day]] + [1440] if program.days[day] else []
    total = sum(
        step.rate * (end - step.start)
        for step, end in zip(program.days[day], starts[1:], strict=False)
    )
    return figures._replace(dose=total // 1440) if total % 1440 * 2 == 1440 else figures


def _volume_down(program: Any, figures: Any, _day: int) -> Any:
    return figures._replace(volume=figures.dose * 1000 // program.concentration)


def _hour_of_its_day(_program: Any, figures: Any, day: int) -> Any:
    return figures._replace(largest_hour=figures.largest_hour - 1) if day == 1 else figures


_days("P4-figures-flat", dose=1)
_days("P4-figures-flex", largest_hour=1)
_figures("P4-figures-half", _rounds_down)
_figures("P4-figures-volume", _volume_down)
_figures("P4-figures-boluses", _basal_only)
_figures("P4-figures-hour", _hour_of_its_day)


def _calendar_days(told: Any) -> int:
    return int(max(day.dose for day in told.days))


def _without_patient(told: Any) -> int:
    own = told.program.patient_dose
    return int(told.largest_24h - (own.dose * own.most if own else 0))


fields("P4-figures-window", m.ProgramReadback, largest_24h=_calendar_days)
fields("P4-figures-patient", m.ProgramReadback, largest_24h=_without_patient)
_figures(
    "P4-figures-minimum",
    lambda program, figures, _day: (
        figures._replace(dose=0) if program.mode is Mode.MINIMUM_RATE else figures
    ),
)
fields("P4-figures-resume", m.ProgramReadback, kind=Kind.PROGRAM)
