"""Nothing on the line touches the pulse train: a pump in a storm, and one left alone.

In the large: `python -m tests.emulator.storm --days 30`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.emulator import firmware, keeping
from pumpctl.emulator.acts import dispatch
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.exact import ZERO
from pumpctl.emulator.engine.link_budget import LinkBudget
from pumpctl.emulator.firmware import Firmware
from pumpctl.wire import messages as m
from tests.emulator.storm import duel
from tests.emulator.throws import THROWS

Patch = pytest.MonkeyPatch
SEED = 3


@pytest.mark.slow
@pytest.mark.requirement("PMP-01")
@pytest.mark.requirement("PRG-02")
@pytest.mark.requirement("PRG-11")
def test_a_pump_in_a_storm_gives_pulse_by_pulse_what_a_quiet_one_gives() -> None:
    result = duel(4, SEED)
    print(result)
    assert not result.difference
    assert all(result.thrown[name] > 10 for name in THROWS)
    assert result.thrown["sessions"] > 100
    assert result.instants > 20
    assert result.treatments >= 7
    assert result.pulses > 10_000


# --- a handler that touches it is seen -----------------------------------------------------


def _handler(patch: Patch, kind: type, harm: Callable[[Core], None]) -> None:
    handle = dispatch.handle

    def harmful(core: Core, caller: Any, message: object) -> Any:
        answer = handle(core, caller, message)
        if isinstance(message, kind):
            harm(core)
        return answer

    patch.setattr(firmware, "handle", harmful)


def a_log_pull_that_loses_a_millisecond(patch: Patch) -> None:
    def harm(core: Core) -> None:
        core.clock.counter += 1
        core.clock.host_offset += 1

    _handler(patch, m.GetLog, harm)


def a_staging_that_drops_the_carry(patch: Patch) -> None:
    def harm(core: Core) -> None:
        core.engine.motor.carry = ZERO

    _handler(patch, m.StageProgram, harm)


def a_status_that_ends_boluses(patch: Patch) -> None:
    _handler(patch, m.GetStatus, lambda core: core.engine.end_boluses())


def a_discard_that_ends_a_bridge(patch: Patch) -> None:
    _handler(patch, m.Discard, keeping.end_bridge)


def a_sleeping_receiver_that_stops_the_pump(patch: Patch) -> None:
    """While the budget turns strangers away, the pulses of a second are not given."""
    heard = LinkBudget.heard

    def asleep(self: LinkBudget, size: int, counter: int) -> int:
        received = heard(self, size, counter)
        if not received:
            raise _Skipped
        return received

    receive = Firmware.receive

    def forgiving(self: Firmware, data: bytes) -> bytes:
        try:
            return receive(self, data)
        except _Skipped:
            self.core.clock.counter += 1_000
            self.core.clock.host_offset += 1_000
            return b""

    patch.setattr(LinkBudget, "heard", asleep)
    patch.setattr(Firmware, "receive", forgiving)


class _Skipped(Exception):
    pass


def a_handshake_that_takes_its_time(patch: Patch) -> None:
    admit = Firmware._admit

    def slow(self: Firmware, kind: Any) -> bool:
        self.core.engine.motor.run(self.core.engine.flow(), 1)
        return admit(self, kind)

    patch.setattr(Firmware, "_admit", slow)


@pytest.mark.requirement("PMP-01")
@pytest.mark.parametrize(
    "plant",
    [
        a_log_pull_that_loses_a_millisecond,
        a_staging_that_drops_the_carry,
        a_status_that_ends_boluses,
        a_discard_that_ends_a_bridge,
        a_sleeping_receiver_that_stops_the_pump,
        a_handshake_that_takes_its_time,
    ],
)
def test_a_handler_that_touches_delivery_is_seen(
    plant: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    result = duel(4, SEED)
    print(result.difference)
    assert result.difference
