"""How long a station waits, in a time that only the test moves: nothing here sleeps."""

from __future__ import annotations

import random

import pytest

from pumpctl.errors import Corrupt, NoAnswer, NotPaired, VersionSkew, WrongPump
from pumpctl.link import pace, patience
from pumpctl.link.patience import Patience
from pumpctl.link.session import PairedPump
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Purpose, Refuse
from tests.helpers.scripted import (
    OWN,
    SECRET,
    Clock,
    ScriptedLine,
    ScriptedPump,
    connected,
    greeted,
)

ALL = {name: value for name, value in vars(patience).items() if isinstance(value, Patience)}


def test_no_answer_within_patience() -> None:
    line = ScriptedLine(lambda _: b"", Clock())
    started = line.clock()
    with pytest.raises(NoAnswer, match="nothing answered"):
        greeted(line)
    # The greeting itself takes half a second on the slowest line, and it may be one.
    sending = len(line.written[0]) * pace.SLOWEST_BYTE_S
    assert line.clock() - started == pytest.approx(patience.GREETING.bound(sending))
    assert len(line.written) >= 5
    assert len(set(line.written)) == 1, "a resend is byte-identical"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_patience_is_within_thirty_seconds(name: str) -> None:
    assert 0 < ALL[name].first <= ALL[name].longest <= ALL[name].total <= 30


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize("seed", range(5))
def test_garbage_is_corrupt_and_ends(seed: int) -> None:
    drawn = random.Random(seed)
    line = ScriptedLine(lambda _: b"", Clock())

    def babble() -> None:
        line.clock.now += 0.05
        line.waiting += drawn.randbytes(drawn.randrange(1, 400)) + b"\0"

    line.on_read = babble
    started = line.clock()
    with pytest.raises(Corrupt):
        greeted(line)
    sending = len(line.written[0]) * pace.SLOWEST_BYTE_S
    assert line.clock() - started <= patience.GREETING.bound(sending) + 0.05 * 2


def test_an_echo_of_our_own_bytes_is_no_pump() -> None:
    line = ScriptedLine(lambda data: data, Clock())
    with pytest.raises(Corrupt):
        greeted(line)


def test_silence_in_the_handshake() -> None:
    pump = ScriptedPump()
    line = ScriptedLine(pump.hear, Clock())
    link = greeted(line)
    line.hear = lambda _: b""
    before = len(line.written)
    with pytest.raises(NoAnswer, match="handshake"):
        link.open(OWN, pump.paired)
    shakes = line.written[before:]
    assert len(shakes) >= 6
    assert len(set(shakes)) == 1


def test_another_shared_secret_opens_nothing() -> None:
    pump = ScriptedPump()
    link = greeted(ScriptedLine(pump.hear, Clock()))
    with pytest.raises(NoAnswer):
        link.open(OWN, pump.paired._replace(psk=bytes(32)))
    assert not link.ready


def test_another_pump_is_not_even_shaken_hands_with() -> None:
    pump = ScriptedPump()
    line = ScriptedLine(pump.hear, Clock())
    link = greeted(line)
    sent = len(line.written)
    with pytest.raises(WrongPump):
        link.open(OWN, PairedPump("SP40-999999", pump.paired.public, pump.paired.psk, "admin"))
    assert len(line.written) == sent


def test_a_pump_that_forgot_us() -> None:
    pump = ScriptedPump(known=False)
    link = greeted(ScriptedLine(pump.hear, Clock()))
    with pytest.raises(NotPaired):
        link.open(OWN, pump.paired)


def test_a_reading_request_is_sent_again_byte_for_byte_and_handled_once() -> None:
    pump = ScriptedPump()
    link, line = connected(pump)
    real, lost = line.hear, [True, True]

    def lossy(data: bytes) -> bytes:
        answer = real(data)
        return b"" if lost and lost.pop() else answer

    line.hear = lossy
    before = len(line.written)
    assert link.ask(m.Ping(bytes(16)), m.Pong).token == bytes(16)
    sent = line.written[before:]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert sum(isinstance(message, m.Ping) for message in pump.seen) == 1


@pytest.mark.requirement("TEL-03")
def test_a_late_answer_is_never_taken_for_a_new_one() -> None:
    pump = ScriptedPump()
    link, line = connected(pump)
    real, held = line.hear, bytearray()

    def late(data: bytes) -> bytes:
        held.extend(real(data))
        return b""

    line.hear = late
    with pytest.raises(NoAnswer):
        link.ask(m.Ping(b"first request..."), m.Pong)
    assert held

    line.hear = lambda data: bytes(held) + real(data)
    assert link.ask(m.Ping(b"second request.."), m.Pong).token == b"second request.."


def test_an_answer_of_another_type_is_corrupt() -> None:
    pump = ScriptedPump(lambda _: m.Discarded(True))
    link, _ = connected(pump)
    with pytest.raises(Corrupt):
        link.ask(m.Ping(bytes(16)), m.Pong)


def test_a_refusal_is_a_value_or_an_error() -> None:
    pump = ScriptedPump(lambda _: m.Refusal(Refuse.ROLE, "observers only look"))
    link, _ = connected(pump)
    answer = link.try_ask(m.Discard(), m.Discarded)
    assert isinstance(answer, m.Refusal)
    assert answer.code is Refuse.ROLE


def test_an_unknown_major_version_that_cannot_be_read() -> None:
    line = ScriptedLine(lambda _: b"", Clock())
    pump = ScriptedPump(major=9)

    def cut_greeting(data: bytes) -> bytes:
        """Of another major version only the first two bytes are sure."""
        from pumpctl.wire.codes import FrameKind
        from pumpctl.wire.frames import Frame, encode_frame

        assert pump.major == 9
        return encode_frame(Frame(FrameKind.GREETING, 0, 0, 0, True, bytes([9, 4, 1, 2, 3])))

    line.hear = cut_greeting
    with pytest.raises(VersionSkew, match=r"9\.4"):
        greeted(line)


# --- pairing -------------------------------------------------------------------------------


@pytest.mark.requirement("SEC-03")
def test_pairing_needs_the_local_act() -> None:
    pump = ScriptedPump(pairing_open=False)
    line = ScriptedLine(pump.hear, Clock())
    link = greeted(line, purpose=Purpose.PAIR)
    sent = len(line.written)
    with pytest.raises(NotPaired, match="not open"):
        link.pair(OWN, SECRET, station="st-1", operator="nurse", role="admin")
    assert len(line.written) == sent


@pytest.mark.requirement("SEC-03")
def test_pairing_with_a_wrong_secret() -> None:
    pump = ScriptedPump(pairing_open=True)
    link = greeted(ScriptedLine(pump.hear, Clock()), purpose=Purpose.PAIR)
    with pytest.raises(NotPaired, match="secret"):
        link.pair(OWN, bytes(16), station="st-1", operator="nurse", role="admin")
    assert not pump.seen


def test_pairing() -> None:
    pump = ScriptedPump(pairing_open=True)
    granted = {"key": pump.paired.public}
    pump.answer = lambda asked: m.Paired(asked.role, granted["key"])
    link = greeted(ScriptedLine(pump.hear, Clock()), purpose=Purpose.PAIR)
    paired = link.pair(OWN, SECRET, station="st-1", operator="nurse", role="clinician")
    assert paired.role == "clinician"
    assert paired.public == pump.paired.public
    assert len(paired.psk) == 32
    (asked,) = pump.seen
    assert (asked.station, asked.operator, asked.key) == ("st-1", "nurse", OWN.public)


@pytest.mark.requirement("TEL-03")
def test_noise_of_before_takes_no_time_from_an_answer_that_comes() -> None:
    """What stood on the line without an end is told as junk in the next exchange, all of it."""
    link, line = connected(ScriptedPump(lambda asked: m.Pong(bytes(16))))
    link._pace.byte_s = pace.SLOWEST_BYTE_S
    real, noise = line.hear, b"\x55" * 5_000
    line.hear = lambda data: real(data) + noise
    link.ask(m.Ping(bytes(16)), m.Pong)
    link._pace.byte_s = pace.SLOWEST_BYTE_S

    pieces: list[bytes] = []

    def slowly(data: bytes) -> bytes:
        answer = real(data)
        pieces[:] = [b"\0", answer[:20], answer[20:]]
        return b""

    def next_piece() -> None:
        if pieces:
            line.clock.now += 0.2
            line.waiting += pieces.pop(0)

    line.hear, line.on_read = slowly, next_piece
    line.written.clear()
    assert link.ask(m.Ping(bytes(16)), m.Pong) == m.Pong(bytes(16))
    assert len(line.written) == 1
