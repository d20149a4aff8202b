"""Mutants of looking, staging, reading back, activating, stopping, resolving, and of the log."""

from __future__ import annotations

import zlib
from typing import Any

from pumpctl.emulator.memory import ledger as ledger_module
from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    Delivery,
    Encoding,
    Kind,
    LogKind,
    Mode,
    Refuse,
    Result,
    Role,
)
from pumpctl.wire.logentry import LogEntry, pack, unpack
from pumpctl.wire.messages_acts import StageResume
from pumpctl.wire.program import program_hash
from tests.conformance.mutate import (
    Go,
    Patch,
    answers,
    breaks,
    fields,
    forgets,
    handled,
    in_ledger,
    later,
    lets,
    noted,
    on,
    pulse,
    requests,
)

# --- looking ----------------------------------------------------------------------------

fields("L11-program", m.Status, program_hash=bytes(32))
fields("L11-status", m.Status, reservoir=1 << 40)
fields("P18-rate", m.Status, rate=lambda told: told.rate + 1)
fields("P18-counter", m.Status, counter=lambda told: told.counter + told.counter % 17 * 100)
fields("L11-minimum", m.Status, rate=lambda told: told.rate - (told.delivery is Delivery.MINIMUM))
on("P1-pulses", m.GetLog, lambda core, _m, _a: pulse(core))
on("P1-staging", m.StageProgram, lambda core, _m, _a: pulse(core))
on("P2-reads", m.GetProgram, lambda core, _m, _a: later(core))
on("P11-reads", m.GetIdentity, lambda core, _m, _a: noted(core))
fields("P9-asks-only", m.OperationReport, at=lambda told: told.at or 1)

# --- the log as it is read --------------------------------------------------------------


def _batch(name: str, change: Any) -> None:
    """Change the entries of a RAW batch: a list of 80 bytes each."""

    def mutant(patch: Patch) -> None:
        def spoiled(answer: Any, _core: Any, asked: Any) -> Any:
            if answer.encoding is not Encoding.RAW:
                return answer
            raw = [answer.batch[at : at + 80] for at in range(0, len(answer.batch), 80)]
            made = change(raw)
            return answer._replace(batch=b"".join(made), entries=len(made))

        answers(patch, m.LogReport, spoiled)

    breaks(name)(mutant)


_batch("P16-consecutive", lambda raw: [one for one in raw if one[7] % 5 or len(raw) < 3])
fields("P16-bounds", m.LogReport, held_from=7)
requests("P16-most", m.GetLog, lambda asked, _core: asked._replace(most=asked.most + 1))
fields("P16-ahead", m.LogReport, first=1)
fields("P16-before", m.LogReport, first=lambda told: told.first or 2, held_from=2)


@breaks("P16-encodings")
def _raw_deflate(patch: Patch) -> None:
    def spoiled(answer: Any, _core: Any, _asked: Any) -> Any:
        if answer.encoding is Encoding.RAW:
            return answer
        whole = zlib.decompress(answer.batch)
        packer = zlib.compressobj(wbits=-15)
        return answer._replace(batch=packer.compress(whole) + packer.flush())

    answers(patch, m.LogReport, spoiled)


@breaks("P16-whole-batch")
def _too_many(patch: Patch) -> None:
    def spoiled(answer: Any, _core: Any, asked: Any) -> Any:
        return answer._replace(entries=min(asked.most, 65_000))

    answers(patch, m.LogReport, spoiled)


@breaks("P16-stable")
def _rewrites(patch: Patch) -> None:
    """Entries tell the present, not their moment."""

    def spoiled(answer: Any, core: Any, _asked: Any) -> Any:
        if answer.encoding is not Encoding.RAW:
            return answer
        raw = [unpack(answer.batch[at : at + 80]) for at in range(0, len(answer.batch), 80)]
        now = core.control.state_version
        return answer._replace(batch=b"".join(pack(one._replace(b=now)) for one in raw))

    answers(patch, m.LogReport, spoiled)


fields("P16-release", m.LogReleased, below=0)

# --- staging and reading back -----------------------------------------------------------

fields("P4-readback", m.ProgramReadback, tag=bytes(8))
on("P2-staging", m.StageProgram, lambda core, _m, _a: later(core))
fields("P6-shown", m.Status, staged=None)
fields("P6-discard", m.Discarded, had=True)


@breaks("P4-content")
def _names_the_program(patch: Patch) -> None:
    """A long program is named by its own hash, not by the bytes of its staging."""

    def named(answer: Any, _core: Any, asked: Any) -> Any:
        program = getattr(asked, "program", None)
        long = program is not None and len(program.days[0]) > 3
        return answer._replace(content=program_hash(program)) if long else answer

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
    return max(day.dose for day in told.days)


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

# --- activation -------------------------------------------------------------------------

fields("P5-done", m.Done, state_version=lambda done: done.state_version + 1)
fields("P5-whole", m.Status, low_alarm=2_000_000)


@breaks("P5-nothing-staged")
def _says_done(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(answer, m.Refusal) and answer.code is Refuse.NOTHING_STAGED:
            version = core.control.state_version
            if isinstance(message, m.Activate):
                return m.Done(message.operation, Kind.PROGRAM, version, core.clock.utc, 0, False)
        return answer

    handled(patch, handler)


def _staged(core: Any, field: str, held: Any) -> Any:
    return held if core.staged is None else getattr(core.staged, field)


requests(
    "P5-hash",
    m.Activate,
    lambda asked, core: asked._replace(content=_staged(core, "content", asked.content)),
)
requests(
    "P5-nonce",
    m.Activate,
    lambda asked, core: asked._replace(nonce=_staged(core, "nonce", asked.nonce)),
)
requests(
    "P5-state-version",
    m.Activate,
    lambda asked, core: asked._replace(state_version=core.control.state_version),
)


def _read_already(core: Any, _message: Any, _answer: Any) -> None:
    if core.staged is not None:
        core.staged = core.staged._replace(read_back=True)


on("P5-read-back", m.StageProgram, _read_already)


@breaks("P5-order")
def _version_first(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        known = isinstance(message, m.Activate)
        if known and message.state_version != core.control.state_version:
            return m.Refusal(Refuse.STATE_VERSION, "another state version")
        return go(message)

    handled(patch, handler)


def _notes_refusal(core: Any, message: Any, answer: Any) -> None:
    if isinstance(answer, m.Refusal):
        in_ledger(core, message.operation, core.control.state_version, Result.VOID)


on("P11-activation", m.Activate, _notes_refusal)


@breaks("P11-refusal")
def _logs_refusals(patch: Patch) -> None:
    def logged(answer: Any, core: Any, _asked: Any) -> Any:
        noted(core)
        return answer

    answers(patch, m.Refusal, logged)


@breaks("P2-untouched")
def _at_once(patch: Patch) -> None:
    """What is staged shows as running before it is activated."""

    def shown(answer: Any, core: Any, _asked: Any) -> Any:
        staged = core.staged
        return answer if staged is None else answer._replace(program_hash=staged.content)

    answers(patch, m.Status, shown)


@breaks("P2-ends-stop", "P2-resume")
def _stays_stopped(patch: Patch) -> None:
    stopped = [False]

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(message, m.Stop):
            stopped[0] = True
        if isinstance(answer, m.Status) and stopped[0]:
            return answer._replace(delivery=Delivery.STOPPED)
        return answer

    handled(patch, handler)


# --- operations -------------------------------------------------------------------------


def _forgets_applied(core: Any, message: Any, _answer: Any) -> None:
    forgets(core, message.operation)


on("P9-repeat", m.Activate, _forgets_applied, before=True)
on("P9-repeat-session", m.Activate, _forgets_applied, before=True)
on("P9-conflict", m.Activate, _forgets_applied, before=True)
on("P19-stop-repeat", m.Stop, _forgets_applied, before=True)
on("P19-cancel-repeat", m.CancelBolus, _forgets_applied, before=True)
on("P9-kinds", m.Stop, _forgets_applied, before=True)
on("P9-void", m.Activate, _forgets_applied, before=True)
on("P9-void-stop", m.Stop, _forgets_applied, before=True)
on("P9-void-again", m.Resolve, _forgets_applied, before=True)
on("P9-resolve-applied", m.Resolve, _forgets_applied, before=True)
fields("P9-operation", m.OperationReport, content=bytes(32))
on("P9-version", m.Resolve, lambda core, _m, _a: later(core))


@breaks("P9-repeat-staged")
def _drops_at_repeat(patch: Patch) -> None:
    def dropped(answer: Any, core: Any, _asked: Any) -> Any:
        if answer.repeated:
            core.staged = None
        return answer

    answers(patch, m.Done, dropped)


@breaks("P9-sixty-four")
def _short_ledger(patch: Patch) -> None:
    patch.setattr(ledger_module, "MOST", 32)


# --- stopping ---------------------------------------------------------------------------

fields("P19-stop", m.Status, stopped_for=None)


@breaks("P19-stop-stopped")
def _counts_anew(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.Stop):
            core.control = core.control._replace(stopped_at=None)
        return go(message)

    handled(patch, handler)


@breaks("P19-stop-pulses")
def _drips(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.Ping) and core.control.stopped_at is not None:
            pulse(core, 1)
        return go(message)

    handled(patch, handler)


@breaks("P19-unrefused")
def _wants_staging(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.Stop) and core.staged is not None:
            return m.Refusal(Refuse.STATE_VERSION, "something is staged")
        return go(message)

    handled(patch, handler)


@breaks("P19-first-record")
def _warms_up(patch: Patch) -> None:
    sessions: set[int] = set()

    def handler(_core: Any, caller: Any, message: Any, go: Go) -> Any:
        first = caller.session not in sessions
        sessions.add(caller.session)
        if first and isinstance(message, m.Stop):
            return m.Refusal(Refuse.ROLE, "say something else first")
        return go(message)

    handled(patch, handler)


on("P19-cancel", m.CancelBolus, lambda core, message, _a: forgets(core, message.operation))
lets("P8-not-stopped", Refuse.NOT_STOPPED, asked=StageResume)
lets("P5-resume-hash", Refuse.HASH_MISMATCH, asked=StageResume)


@breaks("P6-stopped")
def _starts_by_discarding(patch: Patch) -> None:
    seen = [False]

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        seen[0] = seen[0] or isinstance(message, m.Discard)
        if isinstance(answer, m.Status) and seen[0]:
            return answer._replace(delivery=Delivery.DELIVERING)
        return answer

    handled(patch, handler)


# --- what is written down ---------------------------------------------------------------


def writes(name: str, of: LogKind, **wrong: Any) -> None:
    """Entries of this kind are written with other values."""

    def spoil(raw: bytes) -> bytes:
        entry: LogEntry = unpack(raw)
        if entry.kind is not of:
            return raw
        made = {field: value(entry) if callable(value) else value for field, value in wrong.items()}
        return pack(entry._replace(**made))

    _batch(name, lambda raw: [spoil(one) for one in raw])


writes("P16-activated", LogKind.ACTIVATED, b=0)
writes("P16-chain-head", LogKind.CHAIN_HEAD, data=bytes(20))
writes("P16-stopped", LogKind.STOPPED, data=bytes(20))
writes("P16-voided", LogKind.VOIDED, a=0)
writes("P16-dropped", LogKind.STAGE_DROPPED, a=0x03A3)
writes("P16-stamps", LogKind.STOPPED, boot=lambda entry: entry.boot + 1)
fields("P16-next", m.Status, log_next=lambda told: told.log_next + 1)
on("P16-no-chain", m.Activate, lambda core, _m, _a: noted(core, LogKind.CHAIN_HEAD))

# --- roles ------------------------------------------------------------------------------


@breaks("P10-role")
def _changes_its_mind(patch: Patch) -> None:
    """The run asks once before it begins; from then on another role is named."""
    asked = [0]

    def told(answer: Any, _core: Any, _message: Any) -> Any:
        asked[0] += 1
        return answer if asked[0] == 1 else answer._replace(role=Role.CLINICIAN)

    answers(patch, m.Identity, told)


@breaks("P10-pair")
def _takes_keys(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.Pair):
            return m.Paired(Role.ADMIN, bytes(32))
        return go(message)

    handled(patch, handler)


@breaks("P10-unknown-key")
def _grants_anybody(patch: Patch) -> None:
    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(message, m.Grant):
            return m.Granted(message.key, message.role)
        return answer

    handled(patch, handler)


on("P10-grant-same", m.Grant, lambda core, _m, _a: later(core))
