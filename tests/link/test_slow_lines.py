"""From 1200 to 921600 baud: no clean line is asked twice, no line is waited for for ever."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import LinkError, NoAnswer
from pumpctl.link import pace, patience
from pumpctl.link.patience import Patience
from pumpctl.outcomes import Applied, Unknown
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind
from pumpctl.wire.fields import Struct
from tests.helpers.paced import FINE, PacedLine, Weather, link_over, session_over
from tests.helpers.scripted import OWN, Clock, ScriptedPump
from tests.wire.strategies import largest

BAUDS = (1_200, 2_400, 4_800, 9_600, 19_200, 115_200, 921_600)
HURT = Weather(lost=0.3, doubled=0.5, late=0.1)
OPERATION = bytes(range(16))
ACTIVATE = m.Activate(OPERATION, bytes(32), 7, bytes(8), bytes(32))
DONE = m.Done(OPERATION, Kind.PROGRAM, 8, 0, 0, False)


@cache
def biggest(message: type[Any]) -> Any:
    """The longest that such a message can be."""
    return largest(Struct(message))


def answered(message: Any) -> object | None:
    """The longest answers of the road."""
    match message:
        case m.Ping():
            return m.Pong(message.token)
        case m.GetStatus():
            return biggest(m.Status)  # type: ignore[no-any-return]
        case m.GetProgram():
            return biggest(m.ProgramReport)  # type: ignore[no-any-return]
        case m.StageProgram():
            return biggest(m.Staged)  # type: ignore[no-any-return]
        case m.Activate():
            return DONE
        case _:
            return None


def road(link: Any) -> int:
    """The largest of everything, once; how many requests that was."""
    link.ask(m.GetStatus(), m.Status)
    link.ask(m.GetProgram(), m.ProgramReport)
    link.ask(biggest(m.StageProgram), m.Staged, patience.STAGING)
    assert isinstance(link.change(ACTIVATE), Applied)
    link.ask(m.Ping(bytes(16)), m.Pong)
    link.close()
    return 6


@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("latency_ms", [0, 20, 100])
@pytest.mark.parametrize("way", ["device", "socket", "gateway"])
def test_a_clean_line_is_never_asked_twice(baud: int, latency_ms: int, way: str) -> None:
    """`way`: a driver that waits for the last bit, one that does not, whole frames only."""
    pump = ScriptedPump(answered)
    line = PacedLine(
        pump.hear,
        Clock(),
        baud=baud,
        latency_s=latency_ms / 1000,
        think_s=0.02,
        write_waits=way == "device",
        whole_frames=way == "gateway",
    )
    link = session_over(line, pump)
    if way != "gateway" or baud > 2_400:  # of which a first greeting can know nothing
        assert line.writes == 2
    before = line.writes
    asked = road(link)
    assert line.writes - before == asked


def test_a_gap_in_the_middle_of_an_answer_is_waited_out() -> None:
    """Without the time that arriving bytes buy, this answer would be asked for again."""
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=1_200)
    link = session_over(line, pump)
    began, before = line.clock(), line.writes
    link.ask(m.GetProgram(), m.ProgramReport)
    # 4.2 kB at 120 bytes/s: 35 s, four times the silence that READING bears.
    assert line.clock() - began > 3 * patience.READING.total
    assert line.writes == before + 1


def test_removed_the_wait_for_arriving_bytes_ends_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "READING", patience.READING._replace(most=0))
    pump = ScriptedPump(answered)
    link = session_over(PacedLine(pump.hear, Clock(), baud=1_200), pump)
    with pytest.raises(NoAnswer):
        link.ask(m.GetProgram(), m.ProgramReport, patience.READING)


def test_removed_the_wait_for_what_still_comes_asks_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "GAP_S", -1_000.0)
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=1_200)
    link = session_over(line, pump)
    before = line.writes
    with suppress(NoAnswer):
        link.ask(m.GetProgram(), m.ProgramReport)
    assert line.writes > before + 1


def test_removed_the_time_of_the_bytes_asks_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=2_400)
    link = session_over(line, pump)
    monkeypatch.setattr(pace.Pace, "bytes_s", lambda self, count: 0.0)
    before = line.writes
    with suppress(NoAnswer):
        link.ask(biggest(m.StageProgram), m.Staged, patience.STAGING)
    assert line.writes > before + 1


# --- bounds ---------------------------------------------------------------------------------

STEPS = {
    "greeting": (patience.GREETING, 53),
    "handshake": (patience.HANDSHAKE, 72),
    "reading": (patience.READING, 60),
    "staging the largest program": (patience.STAGING, 4_400),
    "therapy": (patience.THERAPY, 140),
}


@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_pump_that_falls_silent_is_told_within_thirty_seconds(baud: int, name: str) -> None:
    """The contract's bound of an `apply`; below 2400 baud the largest program takes longer."""
    tries, size = STEPS[name]
    byte_s, trip_s = 10 / baud, min(pace.LONGEST_TRIP_S, 150 * 10 / baud + 0.2)
    ends = tries.bound(size * byte_s) + trip_s
    goodbye = patience.CLOSING.bound(42 * byte_s) + trip_s
    if size > 4_000 and baud < 2_400:
        assert ends == pytest.approx(tries.total + size * byte_s + trip_s), "one sending"
    else:
        assert ends + goodbye <= 30


@pytest.mark.requirement("BOL-06")
@pytest.mark.parametrize("baud", BAUDS)
def test_activated_at_the_last_moment_and_then_silence(baud: int) -> None:
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=baud, latency_s=0.02)
    link = session_over(line, pump)
    real = line.hear
    line.hear = lambda data: b""
    began = line.clock()
    outcome = link.change(ACTIVATE)
    assert isinstance(outcome, Unknown)
    with pytest.raises(NoAnswer):
        link.ask(m.GetStatus(), m.Status)
    link.close()
    assert line.clock() - began <= 30
    assert real is not line.hear


@pytest.mark.parametrize("baud", BAUDS)
def test_a_line_that_babbles_for_ever_ends_like_a_silent_one(baud: int) -> None:
    """Noise is no answer: what is no frame buys no time."""
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=baud)
    link = session_over(line, pump)
    line.hear = lambda data: b"\x05noise\x00" * 20_000  # more than the longest wait holds
    began = line.clock()
    with pytest.raises(NoAnswer):
        link.ask(m.GetStatus(), m.Status)
    assert line.clock() - began <= patience.READING.bound(60 * 10 / baud) + pace.LONGEST_TRIP_S


@pytest.mark.parametrize(
    "tries", [value for value in vars(patience).values() if isinstance(value, Patience)]
)
def test_each_silence_is_longer_than_the_last_up_to_the_longest(tries: Patience) -> None:
    waits = [tries.silence(n) for n in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] == tries.first
    assert waits[-1] == tries.longest


# --- bad days -------------------------------------------------------------------------------


def test_a_lost_frame_on_a_fast_line_is_asked_for_again_soon() -> None:
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=115_200, latency_s=0.02)
    link = session_over(line, pump)
    real, lost = line.hear, [True]
    line.hear = lambda data: b"" if lost and lost.pop() else real(data)
    began = line.clock()
    link.ask(m.Ping(bytes(16)), m.Pong)
    assert line.clock() - began < 0.9, "it was 1.0 s, whatever the line"


@pytest.mark.requirement("TEL-03")
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    baud=st.sampled_from((9_600, 115_200, 921_600)),
    latency_ms=st.integers(0, 60),
    lost=st.floats(0, 0.3),
    doubled=st.floats(0, 0.5),
    late=st.floats(0, 0.2),
    spoiled=st.floats(0, 0.1),
)
def test_whatever_the_line_every_request_ends_and_the_outcome_is_true(
    seed: int,
    baud: int,
    latency_ms: int,
    lost: float,
    doubled: float,
    late: float,
    spoiled: float,
) -> None:
    pump = ScriptedPump(answered)
    line = PacedLine(
        pump.hear,
        Clock(),
        baud=baud,
        latency_s=latency_ms / 1000,
        weather=Weather(lost, doubled, late, spoiled),
        seed=seed,
    )
    began = line.clock()
    try:
        link = session_over(line, pump)
        for _ in range(5):
            link.ask(m.GetProgram(), m.ProgramReport)
    except LinkError:
        return
    finally:
        assert line.clock() - began <= 2 * 20 + 5 * 75
    began = line.clock()
    outcome = link.change(ACTIVATE)
    assert line.clock() - began <= 16
    asked = sum(isinstance(each, m.Activate) for each in pump.seen)
    assert asked <= 1, "resends are no second requests"
    if isinstance(outcome, Applied):
        assert asked == 1
    else:
        assert isinstance(outcome, Unknown)
    line.weather = FINE  # when the line heals, so does the session
    began = line.clock()
    link.ask(m.Ping(bytes(16)), m.Pong)
    assert line.clock() - began <= patience.READING.bound(0.1) + pace.LONGEST_TRIP_S


def finished(seed: int, baud: int) -> float | None:
    """Seconds of a session of 30 small requests on a line that hurts; None: it gave up."""
    pump = ScriptedPump(answered)
    line = PacedLine(pump.hear, Clock(), baud=baud, latency_s=0.02, weather=HURT, seed=seed)
    try:
        link = link_over(line)
        link.open(OWN, pump.paired)
        for number in range(30):
            link.ask(m.Ping(number.to_bytes(16, "big")), m.Pong)
    except LinkError:
        return None
    return line.clock() - 1000.0


@pytest.mark.requirement("TEL-03")
@pytest.mark.parametrize("baud", [9_600, 115_200])
def test_at_thirty_percent_loss_sessions_end_in_good_time(baud: int) -> None:
    """Of 100 sessions of 30 requests."""
    took = [finished(seed, baud) for seed in range(100)]
    whole = sorted(each for each in took if each is not None)
    assert len(whole) >= 80, "with fixed waits of 1.0, 1.5, 2.5 and 4.0 s it was 12"
    assert whole[len(whole) // 2] < 60
