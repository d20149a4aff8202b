"""Whether a stranger is answered is asked before anything is done for him (SEC-07)."""

from __future__ import annotations

import pytest

from pumpctl.emulator.engine.link_budget import BUDGET, KEY_HANDSHAKE, LinkBudget, fresh
from pumpctl.wire.codes import FrameKind, Purpose
from pumpctl.wire.frames import Frame, encode_frame
from pumpctl.wire.initiator import Greeted, Initiator, Ready
from pumpctl.wire.messages import Ping, Pong
from pumpctl.wire.responder import GREETINGS_KEPT, Knock, Responder
from pumpctl.wire.secret import pairing_psk
from tests.wire.ends import SECRET, Pump, Station

PING = Ping(bytes(16))
PONG = Pong(bytes(16))


class Door:
    """Lets in what it is told to, and remembers who knocked."""

    def __init__(self) -> None:
        self.open = True
        self.knocks: list[Knock] = []

    def __call__(self, knock: Knock) -> bool:
        self.knocks.append(knock)
        return self.open


def false_handshake(*number: int) -> bytes:
    """A frame that follows no greeting."""
    payload = (bytes(number) * 48)[:48]
    return encode_frame(Frame(FrameKind.HANDSHAKE, 0, 0, 0, True, payload))


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
    assert (pump.greetings, pump.entropy.count) == (0, drawn)
    door.open = True
    station.again()
    station.greet(pump)
    shake = station.shake(pump)
    drawn, door.open = pump.entropy.count, False
    assert pump.hear(shake) == b""
    assert (pump.entropy.count, pump.end.in_session) == (drawn, False)
    assert [junk.why for junk in pump.junk] == ["turned away"] * 2
    door.open = True
    (event,) = station.end.feed(pump.hear(shake))  # the same bytes: nothing was spoilt
    assert isinstance(event, Ready)
    assert door.knocks == [
        Knock(FrameKind.GREETING, station.key, again=False),
        Knock(FrameKind.GREETING, station.key, again=False),
        Knock(FrameKind.HANDSHAKE, station.key, again=False),
        Knock(FrameKind.HANDSHAKE, station.key, again=False),
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
    assert [(it.kind, it.again) for it in door.knocks] == [
        (FrameKind.GREETING, False),
        (FrameKind.GREETING, True),
        (FrameKind.HANDSHAKE, False),
        (FrameKind.HANDSHAKE, True),
    ]
    door.open = False
    assert pump.hear(greeting) == pump.hear(shake) == b""


@pytest.mark.requirement("SEC-07")
def test_a_running_session_does_not_notice() -> None:
    door = Door()
    station, pump = known(door)
    station.connect(pump)
    assert [it.kind for it in door.knocks] == [FrameKind.GREETING, FrameKind.HANDSHAKE]
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


def test_who_names_a_key_that_the_pump_holds_is_no_stranger() -> None:
    door = Door()
    station, pump = known(door)
    for purpose in (Purpose.SESSION, Purpose.LOOK, Purpose.PAIR):
        station.purpose = purpose
        station.again()
        station.greet(pump)
    Station("stranger").greet(pump)
    assert [knock.key for knock in door.knocks] == [station.key, station.key, None, None]


@pytest.mark.requirement("SEC-07")
def test_a_handshake_that_can_follow_no_greeting_is_not_even_asked_about() -> None:
    door = Door()
    _, pump = known(door)
    for purpose in Purpose:
        Station(f"stranger {purpose}", purpose).greet(pump)
    door.knocks.clear()
    assert pump.hear(false_handshake(1)) == b""
    assert door.knocks == []
    pump.pairing_open = True
    Station("to be paired", Purpose.PAIR).greet(pump)
    door.knocks.clear()
    assert pump.hear(false_handshake(1)) == b""
    assert set(door.knocks) == {Knock(FrameKind.HANDSHAKE, None, again=False)}


# --- nobody displaces what a station has begun ------------------------------------------------


def greeted_in_between(pump: Pump, station: Station, others: list[Station]) -> bool:
    """Does the station's handshake work although these greeted after its own greeting?"""
    station.again()
    station.greet(pump)
    for other in others:
        other.again().greet()
        pump.hear(other.end.greet())
    events = station.end.feed(pump.hear(station.shake(pump)))
    return [type(event) for event in events] == [Ready]


def crowd() -> tuple[Station, Pump, dict[str, list[Station]]]:
    """A station, its pump, and who may greet between its greeting and its handshake."""
    station, pump = known(Door())
    colleague = Station("colleague")
    pump.know(colleague)
    thief = Station("thief of an id")
    thief.key = colleague.key
    return (
        station,
        pump,
        {
            "strangers": [Station(f"stranger {number}") for number in range(20)],
            "lookers": [Station(f"looker {number}", Purpose.LOOK) for number in range(20)],
            "pairers": [Station(f"pairer {number}", Purpose.PAIR) for number in range(20)],
            "another key": [colleague] * 20,
            "another key's name": [thief] * 20,
        },
    )


@pytest.mark.requirement("SEC-07")
@pytest.mark.requirement("STP-01")
def test_nobody_else_s_greetings_displace_the_station_s() -> None:
    station, pump, others = crowd()
    assert [
        name for name, who in others.items() if not greeted_in_between(pump, station, who)
    ] == []
    everybody = [who for whos in others.values() for who in whos]
    assert greeted_in_between(pump, station, everybody)
    assert len(pump.end._greeted) <= 3 * GREETINGS_KEPT, "two of each key, two of strangers"


def test_in_one_lane_two_strangers_would_be_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Responder, "_named", lambda _self, _station: None)
    station, pump, others = crowd()
    assert [name for name, who in others.items() if greeted_in_between(pump, station, who)] == []
    assert greeted_in_between(pump, station, others["strangers"][:1])
    assert not greeted_in_between(pump, station, others["strangers"][:2])


@pytest.mark.requirement("SEC-07")
def test_who_has_overheard_our_own_key_s_name_displaces_us_with_two_greetings() -> None:
    """What remains: the name is in clear. The station then greets again (S12)."""
    station, pump = known(Door())
    thief = Station("thief")
    thief.key = station.key
    assert greeted_in_between(pump, station, [thief])
    assert not greeted_in_between(pump, station, [thief, thief])
    station.again()
    station.connect(pump)
    assert station.ask(pump, PING) == PONG


@pytest.mark.requirement("SEC-07")
def test_a_flood_of_false_handshakes_is_computed_within_the_lane_that_it_follows() -> None:
    """With the pump's own budget, at one instant: then a session is still at work."""
    budget = LinkBudget(fresh(0))
    computed: list[bool] = []

    def admit(knock: Knock) -> bool:
        admitted = budget.admit(knock.kind, 0, key=knock.key, again=knock.again)
        if knock.kind is FrameKind.HANDSHAKE:
            computed.append(admitted)
        return admitted

    station, pump = Station("station"), Pump("pump", admit=admit)
    pump.know(station)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    budget.authentic(0, station.key)
    computed.clear()
    for number in range(40):
        overheard = Initiator(entropy=pump.entropy, purpose=Purpose.SESSION, key=station.key)
        pump.hear(overheard.greet())
        for guess in range(20):
            pump.hear(false_handshake(number, guess))
    print(f"{len(computed)} false handshakes asked about, {sum(computed)} computed")
    assert len(computed) > 800
    assert 0 < sum(computed) <= BUDGET // KEY_HANDSHAKE
    assert {junk.why for junk in pump.junk} == {
        "authentication fails",
        "a public key of low order",
        "turned away",
    }
    assert budget.flooded(0)
    assert station.ask(pump, PING) == PONG
    assert budget.held.strangers.energy == BUDGET, "nobody else pays for it"


def test_a_pairing_s_handshake_is_paid_by_the_strangers_lane() -> None:
    door = Door()
    _, pump = known(door)
    pump.pairing_open = True
    end = Initiator(entropy=Station("new").entropy, purpose=Purpose.PAIR)
    (greeted,) = end.feed(pump.hear(end.greet()))
    assert isinstance(greeted, Greeted)
    events = end.feed(pump.hear(end.shake(psk=pairing_psk(SECRET))))
    assert [type(event) for event in events] == [Ready]
    assert [(knock.kind, knock.key) for knock in door.knocks] == [
        (FrameKind.GREETING, None),
        (FrameKind.HANDSHAKE, None),
    ]
