"""REPEAT: fragments of an answer that the pump keeps, byte for byte, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.wire.codes import Encoding, Purpose, Refuse
from pumpctl.wire.frames import decode_frame
from pumpctl.wire.initiator import Answer, Part
from pumpctl.wire.messages import Close, GetLog, LogReport, Ping, Pong, Refusal, Repeat
from pumpctl.wire.records import MOST_FRAGMENTS, MOST_KEPT_BYTES, MOST_OUTSTANDING
from pumpctl.wire.secret import pairing_psk
from tests.wire.ends import SECRET, Pump, Station, paired

PING, PONG = Ping(bytes(range(16))), Pong(bytes(range(16)))
ALL = b"\xff" * 32


def bits(*pieces: int) -> bytes:
    """The field of a REPEAT: piece 0 is the lowest bit of the last byte."""
    return sum(1 << piece for piece in pieces).to_bytes(32, "big")


def lines(data: bytes) -> list[bytes]:
    """Frames, each with its delimiter."""
    return [line + b"\0" for line in data.split(b"\0") if line]


def connected(seed: str = "") -> tuple[Station, Pump]:
    """A session that has said its first record; the pump's record 1 is used."""
    station, pump = paired(seed)
    station.connect(pump)
    assert station.ask(pump, PING) == PONG
    return station, pump


def asked(station: Station, pump: Pump, most: int = 50, fragment: int = 128) -> list[bytes]:
    """The frames that the pump sends to a GET_LOG, none of them heard yet."""
    return lines(pump.hear(station.end.request(GetLog(1, most, Encoding.RAW, fragment))[1]))


def counter_of(line: bytes) -> int:
    """The answer's own, of a session's first 65,535."""
    return decode_frame(line[:-1]).counter


def repeated(station: Station, pump: Pump, counter: int, pieces: bytes) -> bytes:
    """What comes to a REPEAT."""
    return pump.hear(station.end.request(Repeat(counter, pieces))[1])


@pytest.mark.requirement("TEL-03")
@given(st.sets(st.integers(0, MOST_FRAGMENTS - 1)))
@settings(max_examples=50)
def test_exactly_the_named_fragments_come_again(pieces: set[int]) -> None:
    station, pump = connected()
    sent = asked(station, pump)
    again = repeated(station, pump, counter_of(sent[0]), bits(*pieces))
    # Bits beyond the answer's end are ignored.
    assert lines(again) == [sent[piece] for piece in sorted(pieces) if piece < len(sent)]


@pytest.mark.requirement("TEL-03")
def test_a_lost_fragment_is_asked_for_by_its_number() -> None:
    station, pump = connected()
    sent = asked(station, pump, 20, 64)
    lost = {2, 5, len(sent) - 1}
    events = station.end.feed(b"".join(one for place, one in enumerate(sent) if place not in lost))
    number = counter_of(sent[0])
    assert events == [Part(number, place) for place in range(len(sent)) if place not in lost]
    held, last = station.end.pieces_of(number)
    assert last is None
    missing = ((1 << len(sent)) - 1) & ~held
    assert missing == 1 << 2 | 1 << 5 | 1 << len(sent) - 1
    events = station.end.feed(repeated(station, pump, number, missing.to_bytes(32, "big")))
    assert [type(event) for event in events] == [Part, Part, Answer]
    assert isinstance(events[-1], Answer)
    assert isinstance(events[-1].message, LogReport)
    assert events[-1].counter == number


def test_a_late_double_of_a_whole_answer_is_no_part_of_anything() -> None:
    station, pump = connected()
    sent = asked(station, pump)
    assert isinstance(station.end.feed(b"".join(sent))[-1], Answer)
    assert station.end.feed(b"".join(sent)) == []


@pytest.mark.requirement("SEC-01")
def test_a_repeat_uses_no_nonce_and_changes_nothing_that_is_kept() -> None:
    station, pump = connected()
    sent = asked(station, pump)
    number = counter_of(sent[0])
    first = repeated(station, pump, number, ALL)
    assert [repeated(station, pump, number, ALL) for _ in range(20)] == [first] * 20
    assert lines(first) == sent
    # The pump's own counter stood still: the next answer is the one after the log's.
    answer = lines(pump.hear(station.end.request(PING)[1]))
    assert counter_of(answer[0]) == number + 1
    assert len(station.end.feed(first)) == len(sent)


def test_a_resent_repeat_is_not_answered_again() -> None:
    station, pump = connected()
    sent = asked(station, pump)
    _, data = station.end.request(Repeat(counter_of(sent[0]), ALL))
    assert lines(pump.hear(data)) == sent
    assert pump.hear(data) == b""  # a new one has a new counter


@pytest.mark.parametrize("pieces", [bits(), bits(255), bits(100, 200)], ids=len)
def test_nothing_asked_for_is_nothing_sent(pieces: bytes) -> None:
    station, pump = connected()
    sent = asked(station, pump, 1)
    assert len(sent) < 3
    assert repeated(station, pump, counter_of(sent[0]), pieces) == b""


@pytest.mark.parametrize("wrong", [0, 3, 1000, 2**32 + 2, 2**64 - 1])
def test_what_is_not_kept_is_refused(wrong: int) -> None:
    station, pump = connected()
    assert counter_of(asked(station, pump)[0]) == 2
    refusal = station.ask(pump, Repeat(wrong, ALL))
    assert refusal == Refusal(Refuse.NOT_FOUND, "")


def test_the_whole_counter_names_an_answer_not_its_low_bits() -> None:
    station, pump = connected()
    asked(station, pump)
    assert station.ask(pump, Repeat(65_536 + 2, ALL)) == Refusal(Refuse.NOT_FOUND, "")


def test_any_answer_may_be_repeated_a_refusal_too() -> None:
    station, pump = connected()
    (pong,) = lines(pump.hear(station.end.request(PING)[1]))
    (no,) = lines(pump.hear(station.end.request(Repeat(999, ALL))[1]))
    assert lines(repeated(station, pump, counter_of(pong), bits(0))) == [pong]
    assert lines(repeated(station, pump, counter_of(no), bits(0))) == [no]


def test_the_last_eight_answers_are_kept() -> None:
    station, pump = connected()
    sent = [asked(station, pump, 1) for _ in range(MOST_OUTSTANDING)]
    for answer in sent:
        assert lines(repeated(station, pump, counter_of(answer[0]), ALL)) == answer
    asked(station, pump, 1)
    assert station.ask(pump, Repeat(counter_of(sent[0][0]), ALL)).code is Refuse.NOT_FOUND
    # The refusal is an answer, too: the second is forgotten now.
    assert station.ask(pump, Repeat(counter_of(sent[1][0]), ALL)).code is Refuse.NOT_FOUND
    assert lines(repeated(station, pump, counter_of(sent[3][0]), ALL)) == sent[3]


@pytest.mark.requirement("SEC-07")
@pytest.mark.parametrize("fragment", [32, 640])
def test_answers_are_kept_within_a_bound_and_the_oldest_is_forgotten_first(fragment: int) -> None:
    station, pump = connected()
    sent = [asked(station, pump, 200, fragment) for _ in range(MOST_OUTSTANDING)]
    live = pump.end._current
    assert live is not None
    kept = [line for one in live.replies.values() for line in one.frames]
    assert sum(map(len, kept)) <= 2 * MOST_KEPT_BYTES
    # 200 x 80 and 56 more are 16 056 bytes of sealed text: four are 64 224, within 64 KiB.
    assert MOST_KEPT_BYTES >= 4 * 16_056
    assert 4 <= len(live.replies) < MOST_OUTSTANDING
    numbers = [counter_of(answer[0]) for answer in sent]
    assert [one.counter for one in live.replies.values()] == numbers[-len(live.replies) :]
    for answer in sent[-4:]:
        assert lines(repeated(station, pump, counter_of(answer[0]), ALL)) == answer


def test_one_answer_is_kept_however_large() -> None:
    station, pump = connected()
    sent = asked(station, pump, 200, 32)
    assert len(sent) > 200
    assert lines(repeated(station, pump, counter_of(sent[0]), ALL)) == sent


@pytest.mark.requirement("SEC-02")
def test_the_answers_of_another_session_are_not_repeated() -> None:
    station, pump = connected()
    sent = asked(station, pump)
    number = counter_of(sent[0])
    other = Station("other")
    pump.know(other)
    other.connect(pump)
    assert other.ask(pump, PING) == PONG
    assert number == 2
    assert other.ask(pump, Repeat(number, ALL)) == Refusal(Refuse.NOT_FOUND, "")
    assert repeated(station, pump, number, ALL) == b""  # that session is over


@pytest.mark.requirement("SEC-06")
def test_a_pairing_session_repeats_nothing() -> None:
    pump, station = Pump(), Station("new", Purpose.PAIR)
    pump.pairing_open = True
    station.greet(pump)
    station.end.feed(pump.hear(station.end.shake(psk=pairing_psk(SECRET))))
    (pong,) = lines(pump.hear(station.end.request(PING)[1]))
    answer = station.ask(pump, Repeat(counter_of(pong), ALL))
    assert isinstance(answer, Refusal)


def test_nothing_is_repeated_after_the_session() -> None:
    station, pump = connected()
    sent = asked(station, pump)
    station.ask(pump, Close())
    pump.end.end(pump.opened[0].session)
    assert repeated(station, pump, counter_of(sent[0]), ALL) == b""


@pytest.mark.requirement("TEL-03")
@pytest.mark.parametrize("seed", range(6))
def test_a_window_of_eight_is_healed_by_repeats_alone(seed: int) -> None:
    """Every frame may be lost, doubled or late; only what is missing is asked for again."""
    rng = random.Random(seed)
    station, pump = connected(f"line {seed}")
    due: set[int] = set()
    on_the_line: list[bytes] = []
    for _ in range(MOST_OUTSTANDING):
        counter, data = station.end.request(GetLog(1, 40, Encoding.RAW, rng.choice((32, 100, 640))))
        due.add(counter)
        on_the_line += lines(pump.hear(data))
    own = sorted({counter_of(line) for line in on_the_line})
    found: dict[int, int] = {}
    for _ in range(60):
        rng.shuffle(on_the_line)
        for line in on_the_line:
            for _ in range(rng.choice((0, 1, 1, 2))):
                for event in station.end.feed(line):
                    if isinstance(event, Answer) and isinstance(event.message, LogReport):
                        assert found.setdefault(event.to, event.counter) == event.counter
        on_the_line = []
        for number in set(own) - set(found.values()):
            held, last = station.end.pieces_of(number)
            top = MOST_FRAGMENTS if last is None else last + 1
            missing = ((1 << top) - 1) & ~held
            on_the_line += lines(repeated(station, pump, number, missing.to_bytes(32, "big")))
        if len(found) == len(due):
            break
    assert sorted(found) == sorted(due)
    assert sorted(found.values()) == own
