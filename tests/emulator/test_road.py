"""Stage, read back, activate; the ledger of operations; expiry; resolve."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pumpctl.emulator.memory import ledger
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Kind, LogKind, Purpose, Refuse, Result, Role
from pumpctl.wire.message import encode
from pumpctl.wire.program import program_hash
from tests.emulator.support import MINUTE, TAG, Bench, Entropy, Line, flex, op, paired

FIRST, SECOND = flex(300_000, 500_000), flex(400_000, 600_000)


def refused(answer: Any) -> Refuse:
    assert isinstance(answer, m.Refusal), answer
    return answer.code


@pytest.mark.requirement("PRG-01")
@pytest.mark.requirement("PRG-05")
def test_the_whole_road() -> None:
    bench = Bench()
    before = bench.status()
    staged = bench.stage(FIRST)
    assert staged.content == hashlib.sha256(encode(m.StageProgram(TAG, FIRST))).digest()
    seen = bench.status()
    assert seen.staged == m.StagedState(Kind.PROGRAM, staged.content, 600_000)
    assert (seen.program_hash, seen.state_version) == (before.program_hash, before.state_version)
    done = bench.activate(staged, 1)
    assert done == m.Done(
        op(1), Kind.PROGRAM, before.state_version + 1, bench.host, 0, repeated=False
    )
    after = bench.status()
    assert after.program_hash == program_hash(FIRST)
    assert after.delivery is Delivery.DELIVERING
    assert after.staged is None
    assert after.tag == TAG
    assert bench.get(m.GetProgram(), m.ProgramReport) == m.ProgramReport(program_hash(FIRST), FIRST)
    activated, assigned, chain = bench.entries()[-3:]
    assert (activated.kind, activated.a, activated.data[:16]) == (
        LogKind.ACTIVATED,
        done.state_version,
        op(1),
    )
    assert assigned.kind is LogKind.PATIENT_ASSIGNED
    head = chain.a.to_bytes(8, "big") + chain.b.to_bytes(8, "big") + chain.data[:16]
    assert (chain.kind, head) == (LogKind.CHAIN_HEAD, hashlib.sha256(op(1)).digest())


@pytest.mark.requirement("PRG-05")
def test_whatever_does_not_fit_is_refused_and_takes_no_place_in_the_ledger() -> None:
    bench = Bench()
    staged = bench.stage(FIRST)
    version = bench.core.control.state_version

    def answer(content: bytes, state: int, nonce: bytes) -> Refuse:
        return refused(bench.ask(m.Activate(op(1), content, state, nonce, bytes(32))))

    assert answer(bytes(32), version, staged.nonce) is Refuse.HASH_MISMATCH
    assert answer(staged.content, version, bytes(8)) is Refuse.NONCE
    assert answer(staged.content, version - 1, staged.nonce) is Refuse.STATE_VERSION
    assert answer(staged.content, version + 1, staged.nonce) is Refuse.STATE_VERSION
    assert bench.core.control.ledger == ()
    assert bench.status().state_version == version
    assert isinstance(bench.activate(staged, 1), m.Done)


def test_without_staging_there_is_nothing_to_activate_or_read_back() -> None:
    bench = Bench()
    assert refused(bench.ask(m.GetReadback())) is Refuse.NOTHING_STAGED
    staged = bench.stage(FIRST)
    assert bench.get(m.Discard(), m.Discarded) == m.Discarded(True)
    assert bench.get(m.Discard(), m.Discarded) == m.Discarded(False)
    assert refused(bench.activate(staged, 1)) is Refuse.NOTHING_STAGED


def test_a_later_staging_replaces_an_earlier_one() -> None:
    bench = Bench()
    first = bench.stage(FIRST)
    second = bench.stage(SECOND)
    assert refused(bench.activate(first, 1)) is Refuse.HASH_MISMATCH
    assert isinstance(bench.activate(second, 1), m.Done)
    assert bench.status().program_hash == program_hash(SECOND)


@pytest.mark.requirement("BOL-01")
@pytest.mark.parametrize("restart", ["nothing", "attach", "boot"])
def test_an_id_is_applied_at_most_once(restart: str) -> None:
    bench = Bench()
    staged = bench.stage(FIRST)
    version = bench.core.control.state_version
    done = bench.activate(staged, 1)
    bench.wait(MINUTE)
    if restart != "nothing":
        getattr(bench, restart)()
    for _ in range(3):
        again = bench.activate(staged, 1, version=version)
        assert again == done._replace(repeated=True)
    assert bench.status().state_version == done.state_version
    other = bench.stage(SECOND)
    assert refused(bench.activate(other, 1)) is Refuse.OPERATION_CONFLICT  # BOL-02
    assert len(bench.core.control.ledger) == 1


@pytest.mark.requirement("BOL-02")
def test_an_id_means_one_thing() -> None:
    bench = Bench()
    bench.stop(1)
    staged = bench.stage(FIRST)
    assert refused(bench.activate(staged, 1)) is Refuse.OPERATION_CONFLICT
    assert isinstance(bench.activate(staged, 2), m.Done)
    assert refused(bench.ask(m.Stop(op(2), bytes(32)))) is Refuse.OPERATION_CONFLICT
    assert bench.status().delivery is Delivery.DELIVERING


@pytest.mark.requirement("BOL-03")
@pytest.mark.parametrize("restart", ["nothing", "attach", "boot"])
def test_a_resolved_id_is_void_for_ever(restart: str) -> None:
    bench = Bench()
    asked = bench.get(m.GetOperation(op(5)), m.OperationReport)
    assert (asked.result, asked.state_version) == (Result.ABSENT, 0)
    version = bench.status().state_version
    report = bench.get(m.Resolve(op(5)), m.OperationReport)
    assert (report.result, report.state_version) == (Result.VOID, version)
    assert bench.get(m.Resolve(op(5)), m.OperationReport) == report
    if restart != "nothing":
        getattr(bench, restart)()
    assert bench.status().state_version == version
    assert refused(bench.activate(bench.stage(FIRST), 5)) is Refuse.OPERATION_VOID
    assert refused(bench.ask(m.Stop(op(5), bytes(32)))) is Refuse.OPERATION_VOID
    assert [e.kind for e in bench.entries()].count(LogKind.VOIDED) == 1


def test_resolving_an_applied_id_tells_and_writes_nothing() -> None:
    bench = Bench()
    done = bench.program(FIRST)
    before = bench.core.flash_operations
    report = bench.get(m.Resolve(op(1)), m.OperationReport)
    assert (report.result, report.state_version) == (Result.APPLIED, done.state_version)
    assert bench.get(m.GetOperation(op(1)), m.OperationReport) == report
    assert bench.core.flash_operations == before


@pytest.mark.requirement("BOL-03")
def test_the_ledger_keeps_64_and_says_how_far_back_it_reaches() -> None:
    bench = Bench()
    for number in range(1, 70):
        bench.stop(number)
    assert len(bench.core.control.ledger) == ledger.MOST
    lost = bench.get(m.GetOperation(op(5)), m.OperationReport)
    kept = bench.get(m.GetOperation(op(6)), m.OperationReport)
    assert (lost.result, kept.result) == (Result.ABSENT, Result.APPLIED)
    assert lost.reaches_back_to == kept.state_version - 1
    bench.boot()
    assert bench.get(m.GetOperation(op(6)), m.OperationReport) == kept


# --- PRG-06 ---------------------------------------------------------------------------


@pytest.mark.requirement("PRG-06")
def test_staging_ends_after_ten_minutes_of_a_talking_session() -> None:
    bench = Bench()
    line = paired(bench)
    staged = line.ask(m.StageProgram(TAG, FIRST))
    seen = line.ask(m.GetStatus())
    for _ in range(11):
        bench.host += 50_000
        seen = line.ask(m.GetStatus())
        assert seen.staged is not None
    assert seen.staged.expires_in == 50_000
    bench.host += 50_001
    assert line.ask(m.GetStatus()).staged is None
    activate = m.Activate(op(1), staged.content, seen.state_version, staged.nonce, bytes(32))
    assert refused(line.ask(activate)) is Refuse.STAGE_EXPIRED
    dropped = [e for e in bench.entries() if e.kind is LogKind.STAGE_DROPPED]
    assert len(dropped) == 1
    assert dropped[0].counter == 600_000
    assert dropped[0].data == staged.content[:20]


@pytest.mark.requirement("PRG-06")
def test_staging_ends_after_a_minute_of_silence() -> None:
    bench = Bench()
    line = paired(bench)
    line.ask(m.StageProgram(TAG, FIRST))
    bench.wait(59_999)
    assert bench.status().staged is not None
    bench.wait(1)
    assert bench.status().staged is None


@pytest.mark.requirement("PRG-06")
@pytest.mark.parametrize("end", ["close", "lost", "boot", "attach", "another", "stop"])
def test_staging_ends_with_its_session(end: str) -> None:
    bench = Bench()
    line, other = paired(bench), paired(bench, Role.CLINICIAN, "another station")
    assert line.open()
    assert isinstance(line.ask(m.StageProgram(TAG, FIRST)), m.Staged)
    if end == "close":
        assert line.ask(m.Close()) == m.Closed()
    elif end == "lost":
        bench.firmware.link_lost()
    elif end == "another":
        assert other.open()
        assert bench.status().staged is not None  # a handshake alone evicts nothing
        assert isinstance(other.ask(m.Ping(bytes(16))), m.Pong)
    elif end == "stop":
        bench.stop()
    else:
        getattr(bench, end)()
    assert bench.status().staged is None
    dropped = [e for e in bench.entries() if e.kind is LogKind.STAGE_DROPPED]
    assert len(dropped) == 1
    assert bench.status().delivery in (Delivery.MINIMUM, Delivery.STOPPED)


def test_a_session_cannot_activate_what_another_has_staged() -> None:
    bench = Bench()
    staged = bench.stage(FIRST)
    bench.session = 2
    assert refused(bench.activate(staged, 1)) is Refuse.NOTHING_STAGED
    assert refused(bench.ask(m.GetReadback())) is Refuse.NOTHING_STAGED
    assert bench.get(m.Discard(), m.Discarded) == m.Discarded(False)
    bench.session = 1
    assert isinstance(bench.activate(staged, 1), m.Done)


@pytest.mark.requirement("PRG-02")
def test_a_read_writes_nothing_to_flash() -> None:
    bench = Bench(frozen=True)
    bench.program(FIRST)
    bench.firmware.advance(3 * 3_600_000)
    before = bench.core.flash_operations
    for message in (
        m.GetStatus(),
        m.GetProgram(),
        m.GetIdentity(),
        m.GetOperation(op(1)),
        m.Ping(bytes(16)),
        m.GetReadback(),
    ):
        bench.ask(message)
    assert bench.core.flash_operations == before


def test_slots_rotate_and_the_running_one_is_never_written() -> None:
    bench = Bench()
    seen = set()
    for number in range(1, 8):
        running = bench.core.control.running
        content = bench.core.slots[running].read()
        staged = bench.stage(flex(300_000 + number))
        assert bench.core.slots[running].read() == content
        bench.activate(staged, number)
        assert bench.core.control.running != running
        seen.add(bench.core.control.running)
        assert bench.core.program == flex(300_000 + number)
    assert len(seen) >= 2


@pytest.mark.requirement("PRG-06")
@pytest.mark.requirement("SEC-02")
def test_a_silent_session_is_over_after_a_minute() -> None:
    bench = Bench()
    line = paired(bench)
    bench.wait(MINUTE - 1)
    assert isinstance(line.ask(m.Ping(bytes(16))), m.Pong)
    _, held_back = line.end.request(m.Stop(op(9), bytes(32)))
    bench.wait(MINUTE)
    assert bench.firmware.receive(held_back) == b""
    assert bench.status().delivery is not Delivery.STOPPED
    assert line.open()
    assert isinstance(line.ask(m.Ping(bytes(16))), m.Pong)


@pytest.mark.requirement("SEC-02")
def test_a_session_that_was_never_begun_is_forgotten_after_a_minute() -> None:
    bench = Bench()
    line = paired(bench)
    assert line.open()  # pending: not a record yet
    _, held_back = line.end.request(m.Ping(bytes(16)))
    bench.wait(MINUTE)
    assert bench.firmware.receive(held_back) == b""


@pytest.mark.requirement("SEC-02")
def test_nobodys_greetings_keep_a_pending_session_alive() -> None:
    bench = Bench()
    line, stranger = paired(bench), Line(bench, Entropy("stranger")(32))
    assert line.open()
    _, held_back = line.end.request(m.Stop(op(9), bytes(32)))
    for _ in range(2):
        bench.wait(MINUTE // 2)
        stranger.greet(Purpose.LOOK)
    assert bench.firmware.receive(held_back) == b""
    assert bench.status().delivery is not Delivery.STOPPED
    assert line.open()  # and the other way round: one that is young enough is not lost by them
    _, prompt = line.end.request(m.Stop(op(9), bytes(32)))
    bench.wait(MINUTE - 1)
    stranger.greet(Purpose.LOOK)
    assert bench.firmware.receive(prompt) != b""
    assert bench.status().delivery is Delivery.STOPPED


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("age", [MINUTE - 1, MINUTE])
def test_each_greeting_is_forgotten_a_minute_after_it_was_made(age: int) -> None:
    bench = Bench()
    line = paired(bench)
    old = line.greet(Purpose.SESSION)
    bench.wait(MINUTE // 2)
    young = line.greet(Purpose.SESSION)
    again = bench.firmware.receive(old.greet())  # a resend prolongs nothing
    assert again
    bench.wait(age - MINUTE // 2)
    keys: dict[str, Any] = {"own": line.private, "peer": line.pump, "psk": line.psk}
    assert bool(bench.firmware.receive(old.shake(**keys))) == (age < MINUTE)
    assert bench.firmware.receive(young.shake(**keys)) != b""


@pytest.mark.requirement("PRG-01")
def test_nothing_is_activated_that_was_not_read_back() -> None:
    bench = Bench()
    staged = bench.get(m.StageProgram(TAG, FIRST), m.Staged)
    before = bench.status()
    assert refused(bench.activate(staged, 1)) is Refuse.NOT_READ_BACK
    assert bench.status().program_hash == before.program_hash
    bench.get(m.GetReadback(), m.ProgramReadback)
    assert isinstance(bench.activate(staged, 1), m.Done)
