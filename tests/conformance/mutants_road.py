"""Mutants of activating, stopping, resolving, and of what is written down."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.memory import ledger as ledger_module
from pumpctl.wire import messages as m
from pumpctl.wire.codes import (
    Delivery,
    Kind,
    LogKind,
    Refuse,
    Result,
)
from pumpctl.wire.messages_acts import StageResume
from tests.conformance.log_tools import writes
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


writes("P16-activated", LogKind.ACTIVATED, b=0)
writes("P16-chain-head", LogKind.CHAIN_HEAD, data=bytes(20))
writes("P16-stopped", LogKind.STOPPED, data=bytes(20))
writes("P16-voided", LogKind.VOIDED, a=0)
writes("P16-dropped", LogKind.STAGE_DROPPED, a=0x03A3)
writes("P16-stamps", LogKind.STOPPED, boot=lambda entry: entry.boot + 1)
fields("P16-next", m.Status, log_next=lambda told: told.log_next + 1)
on("P16-no-chain", m.Activate, lambda core, _m, _a: noted(core, LogKind.CHAIN_HEAD))
