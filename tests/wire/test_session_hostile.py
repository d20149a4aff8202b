"""Sessions on a line that loses, doubles, alters and forges."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.wire import responder as responder_module
from pumpctl.wire.codes import FrameKind, Purpose, Role
from pumpctl.wire.frames import Deframer, Frame, Junk, encode_frame
from pumpctl.wire.greeting import decode_pump_greeting, encode_greeting
from pumpctl.wire.initiator import Answer, Greeted, Ready, Skew
from pumpctl.wire.messages import Pair, Ping, Pong
from pumpctl.wire.noise import KKPSK0, Handshake, Keys, public_key
from pumpctl.wire.records import Channel
from pumpctl.wire.responder import GREETINGS_KEPT
from tests.wire.ends import PSK, Pump, Station, paired

PING = Ping(bytes(range(16)))
PONG = Pong(bytes(range(16)))


def only(line: bytes) -> Frame:
    """The one frame of a line."""
    (frame,) = Deframer().feed(line)
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.requirement("SEC-01")
def test_an_altered_bench_flag_breaks_the_handshake() -> None:
    station, pump = paired()
    answer = only(pump.hear(station.end.greet()))
    greeting = decode_pump_greeting(answer.payload)
    assert greeting.bench
    altered = encode_greeting(greeting._replace(features=0))
    (event,) = station.end.feed(encode_frame(answer._replace(payload=altered)))
    assert event == Greeted(greeting._replace(features=0))
    assert pump.hear(station.shake(pump)) == b""
    assert [junk.why for junk in pump.junk] == ["authentication fails"]


@pytest.mark.requirement("SEC-01")
def test_any_altered_greeting_breaks_the_handshake() -> None:
    rng = random.Random(5)
    station, pump = paired()
    refused = 0
    for _ in range(60):
        begin = station.again().greet()
        line = bytearray(only(begin).payload)
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        sent = encode_frame(only(begin)._replace(payload=bytes(line)))
        heard = pump.hear(sent)
        if not any(isinstance(event, Greeted) for event in station.end.feed(heard)):
            refused += 1
            continue
        assert pump.hear(station.shake(pump)) == b""
    print(f"60 altered greetings: {refused} without a usable answer, {60 - refused} without a key")
    assert 0 < refused < 60


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("wrong", ["psk", "pump key", "station key", "unknown"])
def test_wrong_keys_open_nothing(wrong: str) -> None:
    station, pump = paired()
    if wrong == "unknown":
        pump.keys.clear()
    station.greet(pump)
    if wrong == "station key":
        station.private = bytes(range(32))
    peer = Pump("another") if wrong == "pump key" else pump
    data = station.shake(peer, psk=bytes(32) if wrong == "psk" else PSK)
    assert pump.hear(data) == b""
    assert pump.junk


@pytest.mark.requirement("SEC-02")
def test_stale_greetings_and_answers_are_not_taken() -> None:
    station, pump = paired()
    old_greeting = pump.hear(station.end.greet())
    old = station.end
    old.feed(old_greeting)
    old_shake = pump.hear(station.shake(pump))
    old.feed(old_shake)
    _, data = old.request(PING)
    old_answer = pump.hear(data)
    station.again()
    assert station.end.feed(old_greeting) == [Junk("an answer to another greeting", 79)]
    assert station.end.feed(old_shake) == []
    station.greet(pump)
    station.shake(pump)
    assert [type(event) for event in station.end.feed(old_shake)] == [Junk]
    assert [type(event) for event in station.end.feed(old_answer)] == [Junk]


@pytest.mark.requirement("TEL-03")
def test_a_late_double_of_an_older_greeting_does_not_break_the_newer_handshake() -> None:
    station, pump = paired()
    older = station.end.greet()
    pump.hear(older)
    station.again()
    station.greet(pump)
    answered = pump.greetings
    pump.hear(older)
    assert pump.greetings == answered  # from memory
    (event,) = station.end.feed(pump.hear(station.shake(pump)))
    assert isinstance(event, Ready)
    pump.hear(older)
    assert station.ask(pump, PING) == PONG


@pytest.mark.requirement("TEL-03")
def test_a_lost_handshake_answer_is_given_again_although_somebody_greeted() -> None:
    station, pump = paired()
    station.greet(pump)
    data = station.shake(pump)
    lost = pump.hear(data)
    Station("passer-by", Purpose.LOOK).greet(pump)
    assert pump.hear(data) == lost
    assert [type(event) for event in station.end.feed(lost)] == [Ready]
    assert station.ask(pump, PING) == PONG


@pytest.mark.requirement("SEC-02")
def test_a_recorded_conversation_starts_nothing_again() -> None:
    station, pump = paired()
    sent = [station.end.greet()]
    station.end.feed(pump.hear(sent[0]))
    sent.append(station.shake(pump))
    station.end.feed(pump.hear(sent[1]))
    sent += [station.end.request(PING)[1] for _ in range(3)]
    for data in sent[2:]:
        pump.hear(data)
    other = Station("other")
    pump.know(other)
    other.connect(pump)
    assert other.ask(pump, PING) == PONG
    seen = len(pump.requests), len(pump.opened)
    for data in sent:  # while the greeting is still remembered
        pump.hear(data)
    for number in range(GREETINGS_KEPT):
        Station(f"passer-by {number}", Purpose.LOOK).greet(pump)
    for data in sent:  # and when it is forgotten
        pump.hear(data)
    assert (len(pump.requests), len(pump.opened)) == seen
    assert other.ask(pump, PING) == PONG


@pytest.mark.requirement("SEC-02")
def test_a_recorded_conversation_means_nothing_to_a_rebooted_pump() -> None:
    station, pump = paired()
    sent = [station.end.greet()]
    station.end.feed(pump.hear(sent[0]))
    sent.append(station.shake(pump))
    station.end.feed(pump.hear(sent[1]))
    sent.append(station.end.request(PING)[1])
    pump.hear(sent[2])
    pump.end.close()
    seen = len(pump.requests)
    for data in sent:
        pump.hear(data)
    assert len(pump.requests) == seen


@pytest.mark.requirement("SEC-07")
def test_a_forged_handshake_answer_does_not_spoil_the_real_one() -> None:
    station, pump = paired()
    station.greet(pump)
    real = pump.hear(station.shake(pump))
    for payload in (bytes(48), bytes(range(48)), bytes(47), bytes(49), b""):
        forged = encode_frame(Frame(FrameKind.HANDSHAKE, 0, 0, 0, True, payload))
        assert [type(event) for event in station.end.feed(forged)] == [Junk]
    assert [type(event) for event in station.end.feed(real)] == [Ready]
    assert station.ask(pump, PING) == PONG


def test_a_handshake_with_a_payload_is_refused_although_it_is_authentic() -> None:
    station, pump = paired()
    station.greet(pump)
    station.shake(pump)
    prologue = encode_greeting(station.end._own) + (station.end._pump_greeting or b"")
    talkative = Handshake(
        KKPSK0,
        initiator=True,
        prologue=prologue,
        psk=PSK,
        entropy=station.entropy,
        own=station.private,
        peer=public_key(pump.private),
    )
    frame = Frame(FrameKind.HANDSHAKE, 0, 0, 0, True, talkative.write(b"words"))
    assert pump.hear(encode_frame(frame)) == b""
    assert "without payload" in pump.junk[-1].why


def test_an_echoing_line_is_harmless() -> None:
    station, pump = paired()

    def heard(data: bytes) -> list[object]:
        found = [*station.end.feed(data), *station.end.feed(pump.hear(data))]
        return [event for event in found if not isinstance(event, Junk)]

    assert [type(event) for event in heard(station.end.greet())] == [Greeted]
    assert [type(event) for event in heard(station.shake(pump))] == [Ready]
    counter, data = station.end.request(PING)
    assert heard(data) == [Answer(counter, PONG, 1)]


@pytest.mark.parametrize(
    "change", [{"session": 1}, {"counter": 1}, {"piece": 1}, {"last": False}], ids=str
)
def test_a_greeting_or_handshake_with_a_record_s_header_is_refused(
    change: dict[str, Any],
) -> None:
    station, pump = paired()
    greeting = only(station.end.greet())
    assert pump.hear(encode_frame(greeting._replace(**change))) == b""
    answer = only(pump.hear(encode_frame(greeting)))
    assert [type(e) for e in station.end.feed(encode_frame(answer._replace(**change)))] == [Junk]
    station.end.feed(encode_frame(answer))
    shake = only(station.shake(pump))
    assert pump.hear(encode_frame(shake._replace(**change))) == b""
    assert pump.hear(encode_frame(shake)) != b""


def test_a_greeting_that_only_looks_opens_nothing() -> None:
    station, pump = paired()
    station.purpose = Purpose.LOOK
    station.again()
    assert station.greet(pump).known
    assert pump.hear(station.shake(pump)) == b""


def test_a_handshake_without_a_greeting_is_dropped() -> None:
    station, pump = paired()
    station.greet(pump)
    pump.end.close()
    assert pump.hear(station.shake(pump)) == b""


@pytest.mark.parametrize("clashes", [1, 3, 4])
def test_two_sessions_never_have_one_number(monkeypatch: pytest.MonkeyPatch, clashes: int) -> None:
    station, pump = paired()
    other = Station("other")
    pump.know(other)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    running = pump.opened[0].session
    left = [running] * clashes

    class Clashing(Channel):
        def __init__(self, keys: Keys) -> None:
            super().__init__(keys)
            if left:
                self.session = left.pop()

    other.greet(pump)
    data = other.shake(pump)
    drawn = pump.entropy.count
    with monkeypatch.context() as patch:
        patch.setattr(responder_module, "Channel", Clashing)
        answer = pump.hear(data)
    assert station.ask(pump, PING) == PONG
    if clashes == 4:
        assert answer == b""
        assert pump.junk[-1].why == "no free session number"
        return
    assert pump.entropy.count == drawn + clashes + 1  # another ephemeral key for each
    assert [type(event) for event in other.end.feed(answer)] == [Ready]
    assert other.ask(pump, PING) == PONG
    assert pump.opened[-1].session != running


@pytest.mark.requirement("TEL-06")
def test_another_major_version_is_answered_with_ours() -> None:
    pump = Pump()
    alien = encode_frame(Frame(FrameKind.GREETING, 0, 0, 0, True, b"\x02\x05and more"))
    greeting = decode_pump_greeting(only(pump.hear(alien)).payload)
    assert (greeting.major, greeting.echo) == (1, bytes(16))
    assert pump.hear(encode_frame(Frame(FrameKind.GREETING, 0, 0, 0, True, b"\x01\x05more"))) == b""
    assert pump.hear(encode_frame(Frame(FrameKind.GREETING, 0, 0, 0, True, b"\x02"))) == b""
    assert Station("here").end.feed(alien) == [Skew(2, 5)]


@pytest.mark.requirement("TEL-06")
def test_the_pump_knows_which_major_version_a_station_speaks() -> None:
    station, pump = paired()
    station.end._own = station.end._own._replace(major=2)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    assert pump.requests[0].major == 2


FORGED = st.builds(
    Frame,
    st.sampled_from(list(FrameKind)),
    st.sampled_from([0, 1, -1]),
    st.sampled_from([0, 1, 1, 2, 3, 65, 2**15, 2**16 - 1]),
    st.integers(0, 255),
    st.booleans(),
    st.binary(max_size=512) | st.sampled_from([bytes(48), b"\x02\x00", bytes(28)]),
)
NOISE = st.binary(max_size=600)


@pytest.mark.requirement("SEC-07")
@pytest.mark.requirement("TEL-07")
@settings(max_examples=60)
@given(st.lists(FORGED | NOISE, max_size=25), st.lists(FORGED | NOISE, max_size=25))
def test_no_forgery_ends_or_locks_a_running_session(
    to_pump: list[Frame | bytes], to_station: list[Frame | bytes]
) -> None:
    station, pump = paired()
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    number = pump.opened[0].session

    def line(item: Frame | bytes) -> bytes:
        if isinstance(item, bytes):
            return item
        return encode_frame(item._replace(session=number if item.session < 0 else item.session))

    for item in to_pump:
        pump.hear(line(item))
    for item in to_station:
        found = station.end.feed(line(item))
        assert not any(isinstance(event, Answer | Ready) for event in found)
    assert len(pump.requests) == 1
    counter, data = station.end.request(PING)
    events = [event for _ in range(2) for event in station.end.feed(pump.hear(b"\0" + data))]
    assert (counter, PONG) in [event[:2] for event in events if isinstance(event, Answer)]
    assert [request.message for request in pump.requests] == [PING, PING]


@pytest.mark.requirement("TEL-07")
@settings(max_examples=60)
@given(st.lists(FORGED | NOISE, max_size=10))
def test_before_a_session_forgeries_and_noise_are_only_junk(items: list[Frame | bytes]) -> None:
    pump, station = Pump(), Station("waiting")
    for item in items:
        data = item if isinstance(item, bytes) else encode_frame(item._replace(session=7))
        pump.hear(data)
        for event in station.end.feed(data):
            assert isinstance(event, Junk | Skew)
    assert pump.requests == []
    assert pump.opened == []


@pytest.mark.requirement("TEL-03")
def test_a_bad_line_loses_nothing_but_time() -> None:
    rng = random.Random(30)
    lost = doubled = flipped = rounds = 0
    station, pump = paired()
    asked = Pair("ward", "nurse", Role.OBSERVER, bytes(32))

    def carry(data: bytes) -> bytes:
        nonlocal lost, doubled, flipped
        frames = [piece + b"\0" for piece in data.split(b"\0") if piece]
        frames += [frame for frame in frames if rng.random() < 0.5]
        doubled += len(frames)
        rng.shuffle(frames)
        kept = b"\0"
        for frame in frames:
            if rng.random() < 0.3:
                lost += 1
                continue
            damaged = bytearray(frame)
            if rng.random() < 0.1:
                flipped += 1
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            kept += damaged
        return kept

    def until(data: bytes, kind: type) -> None:
        nonlocal rounds
        for _ in range(200):
            rounds += 1
            events = station.end.feed(carry(pump.hear(carry(data))))
            if any(isinstance(event, kind) for event in events):
                return
        pytest.fail(f"no {kind.__name__}")

    for _ in range(20):
        station.again()
        until(station.end.greet(), Greeted)
        until(station.shake(pump), Ready)
        before = len(pump.requests)
        for message in (PING, asked, PING):
            until(station.end.request(message)[1], Answer)
        assert len(pump.requests) == before + 3
    print(f"20 sessions in {rounds} rounds: {lost} frames lost, {flipped} altered, {doubled} sent")
    assert lost > 50
    assert flipped > 10
