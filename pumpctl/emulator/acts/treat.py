"""What changes therapy: activate, stop, cancel a bolus; and `resolve`, which settles an id.

Each is one commit of the control block. An operation id is applied at most
once, a void one never, and a refusal leaves no trace (BOL-01 to BOL-03). What an
activation changes is for its kind to say (`act`).
"""

from __future__ import annotations

from pumpctl.emulator.acts import look
from pumpctl.emulator.acts.act import Accepted
from pumpctl.emulator.acts.boluses import NONCE_LASTS_MS
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.acts.stage import judge, stored_staging
from pumpctl.emulator.acts.staging import Drop, Staged
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.following import follow
from pumpctl.emulator.keeping import order_over
from pumpctl.emulator.memory import ledger
from pumpctl.emulator.memory.control import Control
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, LogKind, Refuse, Result

_NO_CONTENT = bytes(32)
_STARTS_MOTOR = frozenset({Kind.PROGRAM, Kind.RESUME, Kind.REFILL})
"""Activations after which the motor's driver begins anew."""


def _chain(head: bytes) -> list[Event]:
    """The station's chain head, spread over the fields of one entry; none where it has none."""
    if not any(head):
        return []
    first, second = int.from_bytes(head[:8], "big"), int.from_bytes(head[8:16], "big")
    return [Event(LogKind.CHAIN_HEAD, first, second, head[16:] + bytes(4))]


def _applied(
    core: Core, operation: bytes, kind: Kind, content: bytes, version: int, delivered: int = 0
) -> Control:
    """The control block with one applied operation more."""
    kept, reaches = ledger.add(
        core.control.ledger,
        core.control.reaches_back_to,
        ledger.Entry(operation, content, kind, Result.APPLIED, version, core.clock.utc, delivered),
    )
    return core.control._replace(state_version=version, ledger=kept, reaches_back_to=reaches)


def _known(core: Core, operation: bytes, kind: Kind | None, content: bytes) -> m.Done | None:
    """The answer to an id that was applied before; Refused for a conflict or a void one."""
    found = ledger.find(core.control.ledger, operation)
    if found is None:
        return None
    if found.result is Result.VOID:
        raise Refused(Refuse.OPERATION_VOID, "this operation was declared void")
    if found.content != content or (kind is not None and found.kind is not kind):
        raise Refused(Refuse.OPERATION_CONFLICT, "this id was used for something else")
    return m.Done(operation, found.kind, found.state_version, found.at, found.delivered, True)


def _done(core: Core, operation: bytes) -> m.Done:
    """From the ledger, so that it says what a repetition will say."""
    entry = core.control.ledger[-1]
    return m.Done(operation, entry.kind, entry.state_version, entry.at, entry.delivered, False)


# --- activate ---------------------------------------------------------------------------


def activate(core: Core, caller: Caller, asked: m.Activate) -> m.Done:
    """Make what is staged real (PRG-05)."""
    repeated = _known(core, asked.operation, None, asked.content)
    if repeated is not None:
        return repeated
    if core.staged is not None and core.staged.session == caller.session:
        if asked.content != core.staged.content:
            raise Refused(Refuse.HASH_MISMATCH, "something else is staged than this")
        if asked.nonce != core.staged.nonce:
            raise Refused(Refuse.NONCE, "this nonce belongs to another staging")
        if not core.staged.read_back:
            raise Refused(Refuse.NOT_READ_BACK, "the read-back has not been asked for (PRG-01)")
        _refuse_late(core, core.staged)
    staged, _, message = stored_staging(core, caller)
    if asked.state_version != core.control.state_version:
        raise Refused(
            Refuse.STATE_VERSION,
            f"the pump is at state version {core.control.state_version}, "
            f"this was planned for {asked.state_version}",
        )
    act = judge(core, message)
    how = Accepted(asked.operation, asked.content, core.control.state_version + 1, staged.slot)
    control = _applied(core, asked.operation, act.kind, asked.content, how.version)
    change = act.change(core, control, message, how)
    events = [
        Event(LogKind.ACTIVATED, how.version, act.kind, asked.operation + asked.content[:4]),
    ]
    stopped = core.control.stopped_at
    if stopped is not None and change.control.stopped_at is None:
        stopped_for = core.clock.counter - stopped
        events.append(Event(LogKind.RESUMED, how.version, stopped_for, asked.operation + bytes(4)))
    control = change.control._replace(starts=control.starts + (act.kind in _STARTS_MOTOR))
    core.commit(control, *events, *change.events, *_chain(asked.chain))
    core.staged = None
    core.last_drop = None
    follow(core)
    return _done(core, asked.operation)


def _refuse_late(core: Core, staged: Staged) -> None:
    """A bolus is confirmed while the patient is still looked at (BOL-07)."""
    if staged.kind is Kind.BOLUS and core.clock.counter - staged.since > NONCE_LASTS_MS:
        raise Refused(Refuse.NONCE, "a bolus is confirmed within 30 s; ask for it again")


# --- the two short ways (STP-01) -----------------------------------------------------------


def stop(core: Core, _caller: Caller, asked: m.Stop) -> m.Done:
    """Stop now. A new id on a stopped pump is written down, too; the first stop counts."""
    repeated = _known(core, asked.operation, Kind.STOP, _NO_CONTENT)
    if repeated is not None:
        return repeated
    version = core.control.state_version + 1
    control = _applied(core, asked.operation, Kind.STOP, _NO_CONTENT, version)
    if control.stopped_at is None:
        control = order_over(core, control)._replace(stopped_at=core.clock.counter)
    core.commit(
        control,
        *core.dropping(Drop.STOPPED),
        Event(LogKind.STOPPED, version, 0, asked.operation + bytes(4)),
        *_chain(asked.chain),
    )
    if core.staged is not None:
        core.staged, core.last_drop = None, Drop.STOPPED
    follow(core)
    return _done(core, asked.operation)


def cancel_bolus(core: Core, _caller: Caller, asked: m.CancelBolus) -> m.Done:
    """End what runs, and say how much it gave. Done also where nothing runs: then nothing."""
    repeated = _known(core, asked.operation, Kind.CANCEL, _NO_CONTENT)
    if repeated is not None:
        return repeated
    running = core.engine.boluses
    delivered = sum(core.engine.given(bolus).half_up() for bolus in running)
    version = core.control.state_version + (1 if running else 0)
    control = _applied(core, asked.operation, Kind.CANCEL, _NO_CONTENT, version, delivered)
    if running:
        control = order_over(core, control)._replace(cancels=control.cancels + 1)
    core.commit(
        control,
        Event(LogKind.ACTIVATED, version, Kind.CANCEL, asked.operation + bytes(4)),
        *_chain(asked.chain),
    )
    follow(core)
    return _done(core, asked.operation)


# --- resolve -----------------------------------------------------------------------------------


def resolve(core: Core, _caller: Caller, asked: m.Resolve) -> m.OperationReport:
    """What became of it; an id that the pump does not hold is void from now on (BOL-03)."""
    if ledger.find(core.control.ledger, asked.operation) is None:
        control = core.control
        entry = ledger.Entry(
            asked.operation,
            _NO_CONTENT,
            Kind.PROGRAM,
            Result.VOID,
            control.state_version,
            core.clock.utc,
            0,
        )
        kept, reaches = ledger.add(control.ledger, control.reaches_back_to, entry)
        core.commit(
            control._replace(ledger=kept, reaches_back_to=reaches),
            Event(LogKind.VOIDED, control.state_version, 0, asked.operation + bytes(4)),
        )
    return look.report(core, asked.operation)
