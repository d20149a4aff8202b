"""REPEAT at the whole pump: any role, no trace, and a session that goes on by it."""

from __future__ import annotations

import pytest

from pumpctl.emulator.acts.staging import IDLE_MS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Purpose, Refuse, Role
from pumpctl.wire.frames import decode_frame
from pumpctl.wire.logbatch import unpack_batch
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import pairing_psk
from tests.emulator.support import DAY, TAG, Bench, Entropy, Line, flex, paired

ALL = b"\xff" * 32


def sent(line: Line, message: object) -> list[bytes]:
    """The frames that the pump sends, as they stand on the line, none of them heard."""
    data = line.bench.firmware.receive(line.end.request(message)[1])
    return [frame + b"\0" for frame in data.split(b"\0") if frame]


def counter_of(frames: list[bytes]) -> int:
    """The answer's own."""
    return decode_frame(frames[0][:-1]).counter


@pytest.mark.requirement("TEL-03")
@pytest.mark.parametrize("fragment", [0, 32, 128, 640, 65_535])
def test_an_answer_comes_in_the_frames_that_were_asked_for(fragment: int) -> None:
    bench = Bench(frozen=True)
    bench.firmware.advance(20 * DAY)
    line = paired(bench)
    frames = sent(line, m.GetLog(1, 100, Encoding.RAW, fragment))
    sizes = [len(decode_frame(frame[:-1]).payload) for frame in frames]
    assert set(sizes[:-1]) == {min(max(fragment, 32), 640)}
    # The request's counter 8; op-code 2; first 8, entries 2, held_from 8, next 8, encoding 2,
    # the batch's count 2 and the batch; the tag 16.
    assert sum(sizes) == 8 + 2 + 8 + 2 + 8 + 8 + 2 + 2 + 100 * 80 + 16
    again = sent(line, m.Repeat(counter_of(frames), ALL))
    assert again == frames


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize("encoding", list(Encoding))
def test_eight_answers_may_be_open_and_each_is_healed(encoding: Encoding) -> None:
    bench = Bench(frozen=True)
    bench.firmware.advance(30 * DAY)
    line = paired(bench)
    first = [sent(line, m.GetLog(1 + 80 * n, 80, encoding, 64)) for n in range(8)]
    entries: list[bytes] = []
    for frames in first:
        (repeated,) = [sent(line, m.Repeat(counter_of(frames), ALL))]
        assert repeated == frames
        report = line.end.feed(b"".join(repeated))[-1].message  # type: ignore[union-attr]
        entries += unpack_batch(encoding, report.batch, report.entries)
    assert entries == list(bench.core.log.read(1, 640))


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("role", list(Role))
def test_any_role_may_ask(role: Role) -> None:
    bench = Bench()
    answer = bench.ask(m.Repeat(1, ALL), role)
    assert isinstance(answer, m.Refusal)
    assert answer.code is Refuse.NOT_FOUND


@pytest.mark.requirement("PMP-01")
def test_a_repeat_writes_nothing_and_changes_nothing() -> None:
    bench = Bench(frozen=True)
    line = paired(bench)
    frames = sent(line, m.GetLog(1, 100, Encoding.DIFFERENCE, 32))
    before, log = bench.status(), bench.core.log.next
    operations = bench.core.flash.operations
    for number in (counter_of(frames), 999):
        for _ in range(5):
            sent(line, m.Repeat(number, ALL))
    assert bench.core.flash.operations == operations
    assert (bench.status(), bench.core.log.next) == (before, log)


@pytest.mark.requirement("PRG-06")
def test_a_session_that_only_repeats_lives_on_with_what_it_has_staged() -> None:
    bench = Bench()
    line = paired(bench)
    assert isinstance(line.ask(m.StageProgram(TAG, flex())), m.Staged)
    frames = sent(line, m.GetLog(1, 10, Encoding.RAW, 640))
    for _ in range(3):
        bench.host += IDLE_MS - 1000
        assert sent(line, m.Repeat(counter_of(frames), ALL)) == frames
    assert line.ask(m.GetStatus()).staged is not None
    bench.host += IDLE_MS
    assert sent(line, m.Repeat(counter_of(frames), ALL)) == []  # a minute of silence ended it
    assert bench.status().staged is None


@pytest.mark.requirement("SEC-06")
def test_a_pairing_session_refuses_it_as_role() -> None:
    bench = Bench()
    bench.firmware.press()
    line = Line(bench, Entropy("new")(32))
    line.end = line.greet(Purpose.PAIR)
    psk = pairing_psk(bench.core.implant.secret)
    line.end.feed(bench.firmware.receive(line.end.shake(psk=psk)))
    (pong,) = sent(line, m.Ping(bytes(16)))
    refusal = line.ask(m.Repeat(counter_of([pong]), ALL))
    assert isinstance(refusal, m.Refusal)
    assert refusal.code is Refuse.ROLE
    assert isinstance(
        line.ask(m.Pair("station", "operator", Role.ADMIN, public_key(line.private))), m.Paired
    )


@pytest.mark.requirement("SEC-02")
def test_a_reboot_forgets_the_answers() -> None:
    bench = Bench()
    line = paired(bench)
    frames = sent(line, m.GetLog(1, 10, Encoding.RAW, 640))
    bench.boot()
    assert sent(line, m.Repeat(counter_of(frames), ALL)) == []
