"""Pairing, roles and forgetting keys. Who may ask is judged in `dispatch`.

A key gets in only through a pairing session, within a minute of a local act on
the pump (SEC-03). Where no key is an admin's, the next pairing may be one; any
later pairing gets at most what an admin left open (SEC-06).
"""

from __future__ import annotations

from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.memory.control import MOST_KEYS, PairedKey
from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Refuse, Role
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id, session_psk

PAIRING_LASTS_MS = 60_000
_REST = bytes(12)
_RANK = {Role.OBSERVER: 0, Role.ENGINEER: 1, Role.CLINICIAN: 2, Role.ADMIN: 3}
"""An engineer treats no pump that is not on the bench: less than a clinician."""


def find(core: Core, name: bytes) -> PairedKey | None:
    """The key with this short name."""
    return next((key for key in core.control.keys if key.key_id == name), None)


def open_pairing(core: Core) -> None:
    """The local act. It opens a minute for one pairing, and is logged."""
    core.pairing_until = core.clock.counter + PAIRING_LASTS_MS
    core.record(LogKind.PAIRING_OPENED, core.pairing_until, 0)


def pair(core: Core, caller: Caller, asked: m.Pair) -> m.Paired:
    """Let a key in. What is granted may be less than what was asked, never more."""
    if not core.pairing_open:
        raise Refused(Refuse.PAIRING_CLOSED, "pairing is not open; press the pump's pairing key")
    name = key_id(asked.key)
    old = find(core, name)
    others = tuple(key for key in core.control.keys if key.key_id != name)
    if len(others) >= MOST_KEYS:
        raise Refused(Refuse.KEYS_FULL, f"the pump holds {MOST_KEYS} keys; unpair one first")
    granted = min(asked.role, _most(core, old), key=_RANK.__getitem__)
    key = PairedKey(
        name,
        asked.key,
        session_psk(caller.exported),
        granted,
        asked.operator,
        asked.station,
        core.log.first if old is None else old.released,
    )
    _commit(core, (*others, key), LogKind.PAIRED, granted, name)
    core.pairing_until = 0
    return m.Paired(granted, public_key(core.implant.private))


def grant(core: Core, _caller: Caller, asked: m.Grant) -> m.Granted:
    """Give a key another role; an admin always remains."""
    key = find(core, asked.key)
    if key is None:
        raise Refused(Refuse.NOT_FOUND, "the pump holds no such key")
    if asked.role is not Role.ADMIN and _admins(core) == {key.key_id}:
        raise Refused(Refuse.LAST_ADMIN, "this is the last admin's key")
    if key.role is not asked.role:
        keys = tuple(
            each._replace(role=asked.role) if each.key_id == key.key_id else each
            for each in core.control.keys
        )
        _commit(core, keys, LogKind.GRANTED, asked.role, key.key_id)
    return m.Granted(asked.key, asked.role)


def release(core: Core, caller: Caller, asked: m.ReleaseLog) -> m.LogReleased:
    """This station has the log up to there durably; a watermark never goes down (TEL-05)."""
    key = find(core, caller.key_id)
    if key is None:
        raise Refused(Refuse.NOT_FOUND, "the pump holds no such key")
    if asked.below > core.log.next:
        raise Refused(Refuse.RANGE, f"the log ends before {core.log.next}")
    if asked.below > key.released:
        keys = tuple(
            each._replace(released=asked.below) if each.key_id == key.key_id else each
            for each in core.control.keys
        )
        core.commit(core.control._replace(keys=keys))
    return m.LogReleased(max(asked.below, key.released))


def unpair(core: Core, caller: Caller, asked: m.Unpair) -> m.Unpaired:
    """Forget a key: anybody one's own, the last admin included; an admin any."""
    if asked.key != caller.key_id and caller.role is not Role.ADMIN:
        raise Refused(Refuse.ROLE, "only an admin forgets another key than one's own")
    key = find(core, asked.key)
    if key is None:
        raise Refused(Refuse.NOT_FOUND, "the pump holds no such key")
    keys = tuple(each for each in core.control.keys if each.key_id != asked.key)
    _commit(core, keys, LogKind.UNPAIRED, key.role, key.key_id)
    return m.Unpaired(asked.key)


def _most(core: Core, old: PairedKey | None) -> Role:
    if not _admins(core):
        return Role.ADMIN
    most = core.control.most_role
    if old is not None and _RANK[old.role] > _RANK[most]:
        return old.role
    return most


def _admins(core: Core) -> set[bytes]:
    return {key.key_id for key in core.control.keys if key.role is Role.ADMIN}


def _commit(
    core: Core, keys: tuple[PairedKey, ...], kind: LogKind, role: Role, name: bytes
) -> None:
    version = core.control.state_version + 1
    core.commit(
        core.control._replace(state_version=version, keys=keys),
        Event(kind, role, version, name + _REST),
    )
