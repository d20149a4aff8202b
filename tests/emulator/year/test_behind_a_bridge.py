"""What the stories found: boluses of the program that waits behind a bridge.

Its schedule is played from the bridge's end on. What it had scheduled shortly before
was never its to give, however seldom the pump was looked at.
"""

from __future__ import annotations

import pytest

from pumpctl.emulator.engine.turns import Turns
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Drug, LogKind
from pumpctl.wire.messages_acts import Bridge, StageRefill
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, daily, flex

NEXT = flex(300_000, concentration=1000, boluses=daily((323, 20_000, 10 * MINUTE)))
"""With a bolus at 05:23."""
ENDS = 348
"""Minutes after midnight at which the bridge passes: a line of 348 µL, 1 µL a minute."""


def through_a_bridge(looks: int) -> tuple[list[int], int]:
    """Labels at which boluses begin, and the pulses; looked at every so many ms."""
    bench = Bench(frozen=True)
    bench.program(flex(720_000))  # 10 pulses a minute
    bridge = Bridge(ENDS * 10 * 100, Drug.BACLOFEN, 500)
    order = StageRefill(TAG, 40_000_000, 40_000_000, 40_000_000, bench.host, 0, bridge, NEXT)
    staged = bench.get(order, m.Staged)
    bench.ask(m.GetReadback())
    assert isinstance(bench.activate(staged, 2), m.Done)
    for _ in range(8 * HOUR // looks):
        bench.firmware.advance(looks)
    entries = bench.entries()
    ended = [e.counter for e in entries if e.kind is LogKind.BRIDGE_ENDED]
    assert ended == [ENDS * MINUTE]
    starts = [e.counter for e in entries if e.kind is LogKind.BOLUS_STARTED]
    return starts, bench.core.engine.motor.pulses


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("PMP-01")
def test_the_next_program_gives_nothing_that_it_had_scheduled_before() -> None:
    seldom, often = through_a_bridge(8 * HOUR), through_a_bridge(MINUTE)
    assert seldom == often
    assert seldom[0] == []


def test_without_the_gate_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reach = Turns.reach

    def careless(self: Turns, local: int) -> None:
        if (local + 1) % MINUTE:  # the gate reaches up to 1 ms before the bridge's end
            reach(self, local)

    monkeypatch.setattr(Turns, "reach", careless)
    assert through_a_bridge(8 * HOUR)[0] == [ENDS * MINUTE]
