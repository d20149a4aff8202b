"""The power-cut sweep sees what it is for: each fault planted here makes it fail.

Every one is a way in which a pump's firmware is really written wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.emulator import following
from pumpctl.emulator.acts import treat
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.memory import control as controls
from pumpctl.emulator.memory.control import Control, ControlStore
from pumpctl.emulator.memory.retained import _MARK as _DOMAIN
from pumpctl.emulator.memory.retained import _RETAINED, _WORLD, _WORLD_MARK, WORLD_AT, RetainedStore
from pumpctl.emulator.memory.stored import Twin
from pumpctl.emulator.starting import recovery, written
from tests.emulator.cuts.acts_alone import ALONE
from tests.emulator.cuts.every import ACTS, STARTS
from tests.emulator.cuts.sweep import Sweep

Patch = pytest.MonkeyPatch
EVERY = 2


def found(name: str) -> int:
    """Mixtures that a sweep of this act finds; it has hit something."""
    sweep = Sweep()
    if name in STARTS:
        sweep.start(name, STARTS[name])
    else:
        sweep.act(name, ACTS[name], every=1 if name in ALONE else EVERY)
    assert sweep.hits.total() > 20
    return len(sweep.mixed)


@pytest.mark.parametrize("name", ["program", "refill with a bridge", "patient dose"])
def test_the_sweep_is_clean_before_anything_is_planted(name: str) -> None:
    assert found(name) == 0


# --- a commit that is not one -----------------------------------------------------------------


def test_a_fallback_written_after_the_commit(monkeypatch: Patch) -> None:
    late: list[tuple[Twin, bytes]] = []
    right = Twin.write

    def write(self: Twin, payload: bytes) -> None:
        if self._mark == b"FALL":
            late.append((self, payload))
        else:
            right(self, payload)
        if self._mark == b"CTRL" and late:
            right(*late.pop())

    monkeypatch.setattr(Twin, "write", write)
    assert found("program") > 0


def test_a_commit_over_the_block_in_force(monkeypatch: Patch) -> None:
    def write(self: ControlStore, control: Control) -> None:
        out = bytearray()
        controls._STRUCT.put(control, out)
        self._places[0].write(bytes(out))
        self._flash.flush()

    def read(self: ControlStore) -> Control | None:
        return controls._unpack(self._places[0].read().payload)

    monkeypatch.setattr(ControlStore, "check", lambda self, _: self._places[0].read())
    monkeypatch.setattr(ControlStore, "read", read)
    monkeypatch.setattr(ControlStore, "write", write)
    assert found("program") > 0


def test_a_missing_second_copy(monkeypatch: Patch) -> None:
    right = Twin.write

    def write(self: Twin, payload: bytes) -> None:
        right(self, payload)
        if self._mark == b"SLOT":
            self._flash.erase(self._starts[1])

    monkeypatch.setattr(Twin, "write", write)
    assert found("program") > 0


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("tag", "first program"),
        ("ledger", "stop"),
        ("label", "clock back"),
        ("bridging", "refill with a bridge"),
        ("limits_version", "next limits"),
        ("keys", "pair"),
        ("order", "end of an ordered bolus"),
    ],
)
def test_a_commit_in_two_places(monkeypatch: Patch, field: str, name: str) -> None:
    """As if this lay beside the control block, written after it."""
    right = Core.commit

    def commit(self: Core, control: Control, *events: Event) -> None:
        right(self, control._replace(**{field: getattr(self.control, field)}), *events)
        right(self, self.control._replace(**{field: getattr(control, field)}))

    monkeypatch.setattr(Core, "commit", commit)
    assert found(name) > 0


def test_an_operation_that_is_written_down_by_itself(monkeypatch: Patch) -> None:
    right = treat._applied

    def applied(core: Core, *rest: Any) -> Control:
        control = right(core, *rest)
        core.commit(core.control._replace(ledger=control.ledger))
        return control

    monkeypatch.setattr(treat, "_applied", applied)
    assert found("program") > 0


# --- a start that forgets, or does it again ---------------------------------------------------


@pytest.mark.parametrize(
    "name", ["refill with a bridge", "bolus", "clock forward, a bolus late", "implant revised"]
)
def test_a_start_that_forgets_to_follow(monkeypatch: Patch, name: str) -> None:
    monkeypatch.setattr(following, "follow", lambda _core: None)  # the acts have their own
    assert found(name) > 0


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("_fill", "refill of the same drug"),
        ("_label", "clock forward, a bolus late"),
        ("_start", "program after the fallback"),
        ("_cancel", "cancel of a scheduled bolus"),
        ("_order", "bolus"),
        ("_over", "start beside an ordered bolus"),
    ],
)
def test_a_start_that_forgets_one_thing(monkeypatch: Patch, step: str, name: str) -> None:
    right = following.follow

    def follow(core: Core) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(following, step, lambda _core: None)
            right(core)

    monkeypatch.setattr(following, "follow", follow)
    assert found(name) > 0


@pytest.mark.parametrize(
    ("step", "field", "name"),
    [
        ("_fill", "fill", "refill with a bridge"),
        ("_label", "label", "clock forward, a bolus late"),
        ("_order", "order", "bolus"),
    ],
)
def test_a_change_that_is_followed_twice(
    monkeypatch: Patch, step: str, field: str, name: str
) -> None:
    right: Callable[[Core], None] = getattr(following, step)

    def twice(core: Core) -> None:
        before = getattr(core.done, field)
        right(core)
        core.done = core.done._replace(**{field: before})

    monkeypatch.setattr(following, step, twice)
    assert found(name) > 0


def test_a_log_that_a_start_does_not_complete(monkeypatch: Patch) -> None:
    monkeypatch.setattr(written, "append_missing", lambda *_: None)
    assert found("program") > 0


@pytest.mark.parametrize("name", ["pair", "program", "repair of one copy"])
def test_a_log_that_is_not_believed(monkeypatch: Patch, name: str) -> None:
    def take_over(core: Core) -> None:
        core.already.clear()
        core.beyond = None

    monkeypatch.setattr(written, "take_over", take_over)
    assert found(name) > 0


def test_a_repair_that_is_told_of_afterwards(monkeypatch: Patch) -> None:
    right, late = Twin.repair, recovery._say

    def repair(self: Twin) -> None:
        right(self)
        if said and said[-1].flash is self._flash:
            late(said[-1])

    said: list[Core] = []

    def say(core: Core) -> bool:
        said.append(core)
        return True

    monkeypatch.setattr(Twin, "repair", repair)
    monkeypatch.setattr(recovery, "_say", say)
    assert found("repair of one copy") > 0


def test_a_world_that_is_not_of_the_same_save(monkeypatch: Patch) -> None:
    def read(self: RetainedStore) -> Any:
        domains = self._good(_DOMAIN, _RETAINED, 0)
        worlds = self._good(_WORLD_MARK, _WORLD, WORLD_AT)
        self._sequence = max((*domains, *worlds))
        return domains[max(domains)], worlds[max(worlds)]

    monkeypatch.setattr(RetainedStore, "read", read)
    assert found("end of an ordered bolus") > 0


def test_a_save_that_comes_after_the_commit(monkeypatch: Patch) -> None:
    """What was delivered until then is given under the new rule."""
    right, save = Core.commit, Core.save

    def commit(self: Core, control: Control, *events: Event) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Core, "save", lambda _self: None)
            right(self, control, *events)
        save(self)

    monkeypatch.setattr(Core, "commit", commit)
    assert found("end of a bridge") > 0
