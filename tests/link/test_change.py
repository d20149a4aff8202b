"""What becomes of the one message that changes therapy: applied, refused, or unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from pumpctl.errors import VersionSkew
from pumpctl.link import patience
from pumpctl.outcomes import Applied, OperationId, Outcome, Refused, StateVersion, Unknown
from pumpctl.quantities import Mass
from pumpctl.transport.line import LineLost
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, Refuse, Result
from pumpctl.wire.message import REGISTRY
from pumpctl.wire.messages_implant import GetImplant
from tests.helpers.scripted import ScriptedLine, ScriptedPump, connected

OPERATION = OperationId(bytes(range(16)))
ACTIVATE = m.Activate(OPERATION, bytes(32), 7, bytes(8), bytes(32))
STOP = m.Stop(OPERATION, bytes(32))
DONE = m.Done(OPERATION, Kind.PROGRAM, 8, 0, 0, False)

pytestmark = pytest.mark.requirement("BOL-06")


def changed(
    answer: Callable[[Any], object | None],
    spoil: Callable[[ScriptedLine], None] = lambda line: None,
) -> tuple[Outcome, ScriptedPump, ScriptedLine]:
    """Activate on a pump that answers so, over a line that was spoiled so."""
    pump = ScriptedPump(answer)
    link, line = connected(pump)
    line.written.clear()
    spoil(line)
    outcome = link.change(ACTIVATE)
    assert link.therapy_sent
    return outcome, pump, line


def activations(pump: ScriptedPump) -> int:
    return sum(isinstance(message, m.Activate) for message in pump.seen)


def test_done() -> None:
    outcome, pump, line = changed(lambda _: DONE)
    assert outcome == Applied(OPERATION, 8)  # type: ignore[arg-type]  # a plain int is fine here
    assert activations(pump) == 1
    assert len(line.written) == 1


def test_refused_by_the_pump() -> None:
    outcome, *_ = changed(lambda _: m.Refusal(Refuse.STATE_VERSION, "7 is not 9"))
    assert outcome == Refused(OPERATION, "STATE_VERSION", "7 is not 9")


def test_silence_is_unknown_within_patience() -> None:
    started = 0.0

    def note(line: ScriptedLine) -> None:
        nonlocal started
        started = line.clock()

    outcome, pump, line = changed(lambda _: None, note)
    assert isinstance(outcome, Unknown)
    assert patience.THERAPY.total <= line.clock() - started <= patience.THERAPY.total + 2
    assert activations(pump) == 1, "resends are no second requests"
    assert len(set(line.written)) == 1
    assert len(line.written) >= 8


def test_a_lost_answer_is_fetched_by_a_resend_and_nothing_is_done_twice() -> None:
    def lose_two(line: ScriptedLine) -> None:
        real, left = line.hear, [1, 1]

        def lossy(data: bytes) -> bytes:
            said = real(data)
            return b"" if left and left.pop() else said

        line.hear = lossy

    outcome, pump, line = changed(lambda _: DONE, lose_two)
    assert isinstance(outcome, Applied)
    assert activations(pump) == 1
    assert len(line.written) == 3


def _lost(*_: object) -> NoReturn:
    raise LineLost("the line is gone")


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("why", [_lost, _interrupted])
def test_cut_before_the_pump_heard_it(why: Callable[..., NoReturn]) -> None:
    """Nobody can know how far the bytes came, so it is unknown all the same."""

    def spoil(line: ScriptedLine) -> None:
        line.on_write = why

    outcome, pump, _ = changed(lambda _: DONE, spoil)
    assert isinstance(outcome, Unknown)
    assert activations(pump) == 0


@pytest.mark.parametrize("why", [_lost, _interrupted])
def test_cut_after_the_pump_heard_it(why: Callable[..., NoReturn]) -> None:
    def spoil(line: ScriptedLine) -> None:
        line.on_read = why

    outcome, pump, _ = changed(lambda _: DONE, spoil)
    assert isinstance(outcome, Unknown)
    assert activations(pump) == 1


@pytest.mark.parametrize(
    "answer",
    [
        m.Pong(bytes(16)),
        m.Closed(),
        m.OperationReport(OPERATION, Result.APPLIED, bytes(32), 8, 0, 0, 0),
        DONE._replace(operation=bytes(16)),
    ],
    ids=["pong", "closed", "report", "done of another operation"],
)
def test_another_answer_proves_nothing(answer: object) -> None:
    outcome, *_ = changed(lambda _: answer)
    assert isinstance(outcome, Unknown)


def spoiling(place: int, flips: int) -> Callable[[ScriptedLine], None]:
    """Every frame of the pump comes with these bits of one of its bytes flipped."""

    def spoil(line: ScriptedLine) -> None:
        real = line.hear

        def flip(data: bytes) -> bytes:
            said = bytearray(real(data))
            if said:
                said[place % len(said)] ^= flips
            return bytes(said)

        line.hear = flip

    return spoil


@pytest.mark.parametrize("place", range(0, 80, 3))
def test_a_damaged_answer_proves_nothing(place: int) -> None:
    outcome, *_ = changed(lambda _: DONE, spoiling(place, 0x7F))
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("bit", range(0, 640, 7))
def test_one_flipped_bit_may_be_put_right_and_never_changes_what_is_told(bit: int) -> None:
    """The tag of the record decides, and it is over what the pump has said."""
    outcome, *_ = changed(lambda _: DONE, spoiling(bit // 8, 1 << bit % 8))
    assert isinstance(outcome, Unknown) or outcome == Applied(OPERATION, StateVersion(8), Mass(0))


def test_a_late_answer_to_an_earlier_question_is_not_ours() -> None:
    """A refusal of something else, delivered late, must not become this change's outcome."""
    pump = ScriptedPump(lambda asked: m.Refusal(Refuse.ROLE, "late") if _ping(asked) else None)
    link, line = connected(pump)
    real, held = line.hear, bytearray()

    def late(data: bytes) -> bytes:
        held.extend(real(data))
        return b""

    line.hear = late
    with pytest.raises(Exception, match="answer"):
        link.ask(m.Ping(bytes(16)), m.Pong)
    line.hear = lambda data: bytes(held) + real(data)
    assert isinstance(link.change(ACTIVATE), Unknown)


def _ping(asked: object) -> bool:
    return isinstance(asked, m.Ping)


# --- another major version (TEL-06) ------------------------------------------------------------


@pytest.mark.requirement("TEL-06")
def test_another_major_version_is_read_only() -> None:
    pump = ScriptedPump(lambda asked: m.Pong(asked.token) if _ping(asked) else DONE, major=2)
    link, line = connected(pump)
    assert link.read_only
    assert link.ask(m.Ping(bytes(16)), m.Pong)
    sent = len(line.written)
    with pytest.raises(VersionSkew):
        link.change(ACTIVATE)
    assert len(line.written) == sent
    assert not link.therapy_sent


@pytest.mark.requirement("TEL-06")
@pytest.mark.requirement("STP-01")
def test_stop_goes_to_another_major_version_too() -> None:
    pump = ScriptedPump(lambda _: DONE._replace(kind=Kind.STOP), major=2)
    link, _ = connected(pump)
    assert isinstance(link.change(STOP), Applied)


@pytest.mark.requirement("TEL-06")
def test_only_reading_is_left_with_another_major_version() -> None:
    """Whatever writes anything at the pump is refused here, before a byte leaves."""
    harmless = {
        m.Ping,
        m.Close,
        m.GetIdentity,
        m.GetStatus,
        m.GetProgram,
        m.GetOperation,
        m.GetLog,
        m.Repeat,
        m.GetReadback,
        GetImplant,
    }
    pump = ScriptedPump(lambda _: None, major=2)
    link, line = connected(pump)
    sent = len(line.written)
    writing = [
        spec.cls
        for spec in REGISTRY.values()
        if spec.from_station and not spec.therapy and spec.cls not in harmless
    ]
    assert len(writing) >= 10
    for cls in writing:
        message = cls.__new__(cls, *([None] * len(cls._fields)))
        with pytest.raises(VersionSkew):
            link.try_ask(message, m.Staged)
    assert len(line.written) == sent


# --- the goodbye ----------------------------------------------------------------------------------


def test_close_says_goodbye_and_gives_the_line_back() -> None:
    pump = ScriptedPump()
    link, line = connected(pump)
    link.close()
    assert line.closed
    assert isinstance(pump.seen[-1], m.Close)


@pytest.mark.parametrize("why", [_lost, _interrupted])
def test_close_never_fails(why: Callable[..., NoReturn]) -> None:
    """A second Ctrl-C during the goodbye must not hide what became of the therapy."""
    pump = ScriptedPump()
    link, line = connected(pump)
    line.on_write = why
    link.close()
    assert line.closed
    assert not link.ready


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("noise", [b"\xff" * 40, b"\xff" * 39 + b"\0", b"\x55"])
def test_a_line_that_never_falls_silent_does_not_keep_a_stop_from_being_sent_again(
    noise: bytes,
) -> None:
    """A receiver that floats brings bytes without end; the pump may hear us all the same."""
    pump = ScriptedPump(lambda _: DONE)
    link, line = connected(pump)
    line.written.clear()
    real = line.hear
    line.hear = lambda data: real(data) if len(line.written) > 1 else b""

    def babble() -> None:
        line.clock.now += 0.01
        line.waiting += noise

    line.on_read = babble
    started = line.clock()
    outcome = link.change(STOP)
    assert any(isinstance(message, m.Stop) for message in pump.seen)
    assert len(set(line.written)) == 1 and len(line.written) > 1
    assert line.clock() - started < 30
    assert isinstance(outcome, Applied | Unknown)
