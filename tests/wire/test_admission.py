"""Whether a stranger is answered is asked before anything is done for him (SEC-07)."""

from __future__ import annotations

import pytest

from pumpctl.emulator.engine.link_budget import BUDGET, HANDSHAKE, LinkBudget, fresh
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.frames import Frame, encode_frame
from pumpctl.wire.initiator import Ready
from pumpctl.wire.messages import Ping, Pong
from tests.wire.ends import Pump, Station

PING = Ping(bytes(16))
PONG = Pong(bytes(16))


class Door:
    """Lets in what it is told to, and remembers who knocked."""

    def __init__(self) -> None:
        self.open = True
        self.knocks: list[FrameKind] = []

    def __call__(self, kind: FrameKind) -> bool:
        self.knocks.append(kind)
        return self.open


def known(door: Door) -> tuple[Station, Pump]:
    station, pump = Station("station"), Pump("pump", admit=door)
    pump.know(station)
    return station, pump


@pytest.mark.requirement("SEC-07")
def test_what_is_not_admitted_leaves_no_trace_and_costs_no_work() -> None:
    door = Door()
    station, pump = known(door)
    drawn = pump.entropy.count
    door.open = False
    assert pump.hear(station.end.greet()) == b""
    assert (pump.greetings, pump.entropy.count, pump.junk) == (0, drawn, [])
    door.open = True
    station.again()
    station.greet(pump)
    shake = station.shake(pump)
    drawn, door.open = pump.entropy.count, False
    assert pump.hear(shake) == b""
    assert (pump.entropy.count, pump.end.in_session, pump.junk) == (drawn, False, [])
    door.open = True
    (event,) = station.end.feed(pump.hear(shake))  # the same bytes: nothing was spoilt
    assert isinstance(event, Ready)
    assert door.knocks == [
        FrameKind.GREETING,
        FrameKind.GREETING,
        FrameKind.HANDSHAKE,
        FrameKind.HANDSHAKE,
    ]


@pytest.mark.requirement("SEC-07")
def test_without_the_question_every_stranger_is_answered() -> None:
    _, pump = known(Door())
    for number in range(500):
        assert pump.hear(Station(f"stranger {number}").end.greet())
    assert pump.greetings == 500


def test_answers_from_memory_are_asked_for_too() -> None:
    door = Door()
    station, pump = known(door)
    greeting = station.end.greet()
    answer = pump.hear(greeting)
    assert pump.hear(greeting) == answer
    station.end.feed(answer)
    shake = station.shake(pump)
    answer = pump.hear(shake)
    assert pump.hear(shake) == answer
    assert len(door.knocks) == 4
    door.open = False
    assert pump.hear(greeting) == pump.hear(shake) == b""


@pytest.mark.requirement("SEC-07")
def test_a_running_session_does_not_notice() -> None:
    door = Door()
    station, pump = known(door)
    station.connect(pump)
    assert door.knocks == [FrameKind.GREETING, FrameKind.HANDSHAKE]
    door.open = False
    knocks = len(door.knocks)
    for number in range(50):
        assert pump.hear(Station(f"stranger {number}").end.greet()) == b""
        assert station.ask(pump, PING) == PONG
    assert len(door.knocks) == knocks + 50, "no record is asked about"


def test_the_pump_knows_when_a_session_runs_or_waits() -> None:
    station, pump = known(Door())

    def seen() -> bool:
        return pump.end.in_session

    told = [seen()]
    station.greet(pump)
    told.append(seen())
    station.end.feed(pump.hear(station.shake(pump)))
    told.append(seen())
    assert station.ask(pump, PING) == PONG
    told.append(seen())
    pump.end.end(pump.requests[0].session)
    told.append(seen())
    assert told == [False, False, True, True, False]


@pytest.mark.requirement("SEC-07")
def test_a_flood_of_false_handshakes_is_answered_until_its_budget_is_spent() -> None:
    """With the pump's own budget, at one instant: then a session is still at work."""
    budget = LinkBudget(fresh(0))
    shaken: list[bool] = []

    def admit(kind: FrameKind) -> bool:
        admitted = budget.admit(kind, 0)
        if kind is FrameKind.HANDSHAKE:
            shaken.append(admitted)
        return admitted

    station, pump = Station("station"), Pump("pump", admit=admit)
    pump.know(station)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    budget.authentic(0)
    shaken.clear()
    for number in range(40):
        pump.hear(Station(f"stranger {number}").end.greet())
        for guess in range(20):
            false = bytes([number, guess]) * 24
            pump.hear(encode_frame(Frame(FrameKind.HANDSHAKE, 0, 0, 0, True, false)))
    print(f"{len(shaken)} false handshakes, {sum(shaken)} computed")
    assert len(shaken) == 800
    assert 0 < sum(shaken) <= BUDGET // HANDSHAKE
    assert len(pump.junk) == sum(shaken), "each was computed, and was none"
    assert budget.flooded(0)
    assert station.ask(pump, PING) == PONG
