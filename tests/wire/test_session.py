"""Sessions from greeting to last record, on a line that behaves."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire.codes import Encoding, Purpose
from pumpctl.wire.frames import Junk
from pumpctl.wire.greeting import decode_pump_greeting
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from pumpctl.wire.message import decode, encode
from pumpctl.wire.messages import Close, GetLog, Paired, Ping, Pong
from pumpctl.wire.noise import public_key
from pumpctl.wire.records import MOST_OUTSTANDING
from pumpctl.wire.responder import Opened, PeerKey, Request, Responder, Send
from pumpctl.wire.secret import key_id, pairing_psk, session_psk
from tests.wire.ends import SECRET, Given, Pump, Station, paired
from tests.wire.golden import conversations
from tests.wire.second_noise import conversation

PING = Ping(bytes(range(16)))
PONG = Pong(bytes(range(16)))
TOLD = conversations()
PATTERNS = {"pairing": "NN", "session": "KK"}


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("name", TOLD)
def test_the_golden_conversation_is_what_the_second_implementation_says(name: str) -> None:
    assert conversation(TOLD[name]["given"], PATTERNS[name]) == TOLD[name]["derived"]


@pytest.mark.parametrize("name", TOLD)
def test_the_golden_conversation_as_the_station(name: str) -> None:
    given, derived = TOLD[name]["given"], TOLD[name]["derived"]
    pairing = name == "pairing"
    station = Initiator(
        entropy=Given(given["station_greeting"][-16:], given["station_ephemeral"]),
        purpose=Purpose.PAIR if pairing else Purpose.SESSION,
        key=given.get("key_id", bytes(8)),
    )
    assert station.greet() == derived["line_1_station"]
    (greeted,) = station.feed(derived["line_2_pump"])
    assert greeted == Greeted(decode_pump_greeting(given["pump_greeting"]))
    statics = {"own": given["station_private"], "peer": given["pump_public"]}
    shaken = station.shake(psk=given["psk"], **({} if pairing else statics))
    assert shaken == derived["line_3_station"]
    (ready,) = station.feed(derived["line_4_pump"])
    assert isinstance(ready, Ready)
    assert ready.keys.handshake_hash == derived["handshake_hash"]
    assert ready.keys.exported == derived["exported"]
    request = decode(given["request"], from_station=True)
    assert station.request(request) == (1, derived["line_5_station"])
    answer = decode(given["answer"], from_station=False)
    assert station.feed(derived["line_6_pump"]) == [Answer(1, answer, 1)]


@pytest.mark.parametrize("name", TOLD)
def test_the_golden_conversation_as_the_pump(name: str) -> None:
    given, derived = TOLD[name]["given"], TOLD[name]["derived"]
    key = given.get("key_id", bytes(8))
    peer = PeerKey(key, given["station_public"], given["psk"])
    pump = Responder(
        private_key=given["pump_private"],
        entropy=Given(given["pump_ephemeral"]),
        greet=lambda _: decode_pump_greeting(given["pump_greeting"]),
        find_key={key: peer}.get,
        pairing_psk=lambda: given["psk"],
    )
    assert pump.receive(derived["line_1_station"]) == [Send(derived["line_2_pump"])]
    assert pump.receive(derived["line_3_station"]) == [Send(derived["line_4_pump"])]
    opened, request = pump.receive(derived["line_5_station"])
    session = int.from_bytes(derived["session"], "big")
    assert opened == Opened(session, key, name == "pairing")
    assert isinstance(request, Request)
    assert request.message == decode(given["request"], from_station=True)
    assert (request.exported, request.fault) == (derived["exported"], "")
    answer = decode(given["answer"], from_station=False)
    assert pump.reply(request, answer) == derived["line_6_pump"]


def test_the_two_golden_conversations_are_of_one_pairing() -> None:
    pairing, session = TOLD["pairing"], TOLD["session"]
    given = session["given"]
    assert pairing["given"]["psk"] == pairing_psk(pairing["given"]["secret"])
    assert given["psk"] == session_psk(pairing["derived"]["exported"])
    assert given["key_id"] == key_id(given["station_public"])
    for side in ("station", "pump"):
        assert given[f"{side}_public"] == public_key(given[f"{side}_private"])
    paired_by = decode(pairing["given"]["answer"], from_station=False)
    assert isinstance(paired_by, Paired)
    assert paired_by.key == given["pump_public"]


def test_a_session_opens_and_answers() -> None:
    station, pump = paired()
    ready = station.connect(pump)
    assert pump.opened == []  # pending until its first record
    assert station.ask(pump, PING) == PONG
    assert len(pump.opened) == 1
    assert pump.opened[0].key_id == station.key
    assert pump.requests[0].exported == ready.keys.exported
    assert station.ask(pump, PING) == PONG
    assert len(pump.opened) == 1
    assert pump.junk == []


@pytest.mark.requirement("SEC-01")
@pytest.mark.requirement("BOL-01")
def test_a_resend_is_answered_with_the_same_bytes_and_done_once() -> None:
    station, pump = paired()
    station.connect(pump)
    counter, data = station.end.request(PING)
    first = pump.hear(data)
    assert [pump.hear(data) for _ in range(5)] == [first] * 5
    assert len(pump.requests) == 1
    assert station.end.feed(first + first) == [Answer(counter, PONG, 1)]
    assert station.end.feed(first) == []


def test_only_the_last_answers_are_kept() -> None:
    station, pump = paired()
    station.connect(pump)
    sent = [station.end.request(PING)[1] for _ in range(MOST_OUTSTANDING + 1)]
    answers = [pump.hear(data) for data in sent]
    assert pump.hear(sent[0]) == b""
    assert [pump.hear(data) for data in sent[1:]] == answers[1:]
    assert len(pump.requests) == len(sent)


@pytest.mark.requirement("TEL-03")
def test_a_late_answer_names_its_request() -> None:
    station, pump = paired()
    station.connect(pump)
    first, late = station.end.request(PING)
    second, data = station.end.request(GetLog(1, 1, Encoding.RAW, 640))
    late_answer, answer = pump.hear(late), pump.hear(data)
    events: list[Any] = station.end.feed(answer + late_answer)
    assert [event.to for event in events] == [second, first]


def test_a_repeat_in_the_same_breath_is_done_once() -> None:
    station, pump = paired()
    station.connect(pump)
    _, data = station.end.request(PING)
    assert pump.hear(data + data)
    assert len(pump.requests) == 1


@pytest.mark.requirement("TEL-06")
def test_an_authentic_record_that_is_no_message_is_a_request_with_a_fault() -> None:
    station, pump = paired()
    station.connect(pump)
    for wrong in (b"", b"\0\0", encode(PONG), encode(PING) + b"\0"):
        assert station.end._channel is not None
        assert pump.hear(b"".join(station.end._channel.seal(wrong)[1]))
        assert pump.requests[-1].message is None
        assert pump.requests[-1].fault


@pytest.mark.requirement("SEC-01")
def test_a_pending_session_ends_nothing_before_its_first_record() -> None:
    station, pump = paired()
    other = Station("other")
    pump.know(other)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    other.connect(pump)
    assert station.ask(pump, PING) == PONG  # still the running one
    assert other.ask(pump, PING) == PONG  # now it takes its place
    assert station.ask(pump, PING) is None
    assert other.ask(pump, PING) == PONG
    assert [opened.key_id for opened in pump.opened] == [station.key, other.key]


def test_a_newer_handshake_replaces_the_pending_one() -> None:
    station, pump = paired()
    other = Station("other")
    pump.know(other)
    station.connect(pump)
    other.connect(pump)
    assert station.ask(pump, PING) is None
    assert other.ask(pump, PING) == PONG


def test_an_answer_to_a_session_that_was_replaced_is_no_bytes() -> None:
    station, pump = paired()
    station.connect(pump)
    station.ask(pump, PING)
    late = pump.requests[-1]
    station.again()
    station.connect(pump)
    station.ask(pump, PING)
    assert pump.end.reply(late, PONG) == b""


def test_closing_ends_one_session_and_leaves_the_other_ones_handshake() -> None:
    station, pump = paired()
    other = Station("other")
    pump.know(other)
    station.connect(pump)
    station.ask(pump, Close())
    other.connect(pump)
    pump.end.end(pump.opened[0].session ^ 1)  # of no session
    assert station.ask(pump, PING) == PONG
    pump.end.end(pump.opened[0].session)
    assert station.ask(pump, PING) is None
    assert other.ask(pump, PING) == PONG
    pump.end.close()
    assert other.ask(pump, PING) is None


@pytest.mark.requirement("SEC-03")
def test_pairing_needs_the_secret_and_the_open_minute() -> None:
    pump = Pump()
    station = Station("new", Purpose.PAIR)
    assert not station.greet(pump).pairing_open
    assert pump.hear(station.end.shake(psk=pairing_psk(SECRET))) == b""
    pump.pairing_open = True
    station.again()
    assert station.greet(pump).pairing_open
    assert pump.hear(station.end.shake(psk=pairing_psk(bytes(16)))) == b""
    # The same greeting still serves for the right secret.
    (ready,) = station.end.feed(pump.hear(station.end.shake(psk=pairing_psk(SECRET))))
    assert isinstance(ready, Ready)
    assert station.ask(pump, PING) == PONG
    assert pump.requests[0].pairing
    assert session_psk(pump.requests[0].exported) == session_psk(ready.keys.exported)


def test_the_calls_of_a_station_have_an_order() -> None:
    station = Station("early")
    with pytest.raises(ValueError, match="no greeting"):
        station.end.shake(psk=bytes(32))
    with pytest.raises(ValueError, match="no session"):
        station.end.request(PING)
    assert station.end.greet() == station.end.greet()
    assert station.end.feed(b"\0junk\0") == [Junk("not stuffed: " + _why(b"junk"), 4)]


def _why(stuffed: bytes) -> str:
    from cobs import cobs

    try:
        cobs.decode(stuffed)
    except cobs.DecodeError as error:
        return str(error)
    return ""
