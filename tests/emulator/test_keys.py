"""Pairing, roles, sessions: who may say what (SEC-03, SEC-06)."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.emulator.acts.dispatch import HANDLERS
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import BolusKind, Encoding, Feature, LogKind, Purpose, Refuse, Role
from pumpctl.wire.fields import Fixed
from pumpctl.wire.message import REGISTRY, permits, spec_of
from pumpctl.wire.noise import public_key
from pumpctl.wire.secret import key_id
from tests.emulator.support import MINUTE, TAG, Bench, Entropy, Line, flex, op, paired


def code(answer: Any) -> Refuse:
    assert isinstance(answer, m.Refusal), answer
    return answer.code


SAMPLES: list[Any] = [
    m.Ping(bytes(16)),
    m.GetIdentity(),
    m.GetStatus(),
    m.GetProgram(),
    m.GetOperation(op(1)),
    m.GetLog(1, 10, Encoding.RAW, 640),
    m.Repeat(1, bytes(32)),
    m.ReleaseLog(1),
    m.StageProgram(TAG, flex()),
    acts.StageResume(TAG, bytes(32)),
    acts.StageBolus(TAG, BolusKind.SINGLE, 1_000, MINUTE),
    acts.StageClock(0, 0),
    acts.StagePatient(None),
    acts.StageLimits(1, b"", b""),
    m.Discard(),
    m.GetReadback(),
    m.Activate(op(1), bytes(32), 1, bytes(8), bytes(32)),
    m.Stop(op(2), bytes(32)),
    m.CancelBolus(op(3), bytes(32)),
    m.Resolve(op(4)),
    m.Pair("s", "o", Role.ADMIN, bytes(32)),
    m.Grant(bytes(8), Role.OBSERVER),
    m.Unpair(bytes(8)),
]


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("bench_mode", [True, False])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("message", SAMPLES, ids=lambda each: type(each).__name__)
def test_the_matrix_of_roles_and_messages(message: Any, role: Role, bench_mode: bool) -> None:
    bench = Bench(bench=bench_mode)
    answer = bench.ask(message, role)
    may = permits(spec_of(message), role, bench=bench_mode)
    own_check = isinstance(message, m.Unpair) and role is not Role.ADMIN
    refused_role = isinstance(answer, m.Refusal) and answer.code is Refuse.ROLE
    assert refused_role == (not may or own_check)


@pytest.mark.requirement("SEC-06")
def test_observers_change_nothing_and_engineers_nothing_off_the_bench() -> None:
    for message in SAMPLES:
        spec = spec_of(message)
        if spec.therapy or spec.stages:
            assert code(Bench().ask(message, Role.OBSERVER)) is Refuse.ROLE
            assert code(Bench(bench=False).ask(message, Role.ENGINEER)) is Refuse.ROLE


def test_without_a_key_nothing_is_answered() -> None:
    for message in SAMPLES:
        assert code(Bench().ask(message, None)) is Refuse.ROLE


@pytest.mark.requirement("TEL-06")
def test_a_station_of_another_major_version_looks_and_stops() -> None:
    taken = set()
    for message in SAMPLES:
        answer = Bench().ask(message, Role.ADMIN, major=2)
        if not (isinstance(answer, m.Refusal) and answer.code is Refuse.UNSUPPORTED):
            taken.add(spec_of(message).op.name)
    assert taken == {
        "PING",
        "GET_IDENTITY",
        "GET_STATUS",
        "GET_PROGRAM",
        "GET_OPERATION",
        "GET_LOG",
        "REPEAT",
        "GET_READBACK",
        "STOP",
    }


@pytest.mark.requirement("TEL-06")
def test_a_station_of_another_major_version_does_not_pair() -> None:
    bench = Bench()
    bench.firmware.press()
    pair = m.Pair("s", "o", Role.ADMIN, public_key(Entropy("t")(32)))
    assert code(bench.ask(pair, None, pairing=True, major=2)) is Refuse.UNSUPPORTED
    assert bench.core.control.keys == ()
    assert isinstance(bench.ask(m.Ping(bytes(16)), None, pairing=True, major=2), m.Pong)
    assert code(bench.ask(m.Stop(op(1), bytes(32)), None, pairing=True, major=2)) is Refuse.ROLE
    assert isinstance(bench.ask(pair, None, pairing=True), m.Paired)


def test_every_request_is_handled() -> None:
    requests = {spec.cls for spec in REGISTRY.values() if spec.from_station}
    assert requests - set(HANDLERS) == {m.Close}


# --- pairing ----------------------------------------------------------------------------


@pytest.mark.requirement("SEC-03")
def test_pairing_needs_the_local_act_and_the_cards_secret() -> None:
    bench = Bench()
    early, line = Line(bench, Entropy("e")(32)), Line(bench, Entropy("s")(32))
    assert early.pair() is None  # the pump does not even shake hands
    assert not early.greeting.pairing_open
    bench.firmware.press()
    assert line.pair(secret=bytes(16)) is None
    assert line.greeting.pairing_open
    assert isinstance(line.pair(), m.Paired)
    assert line.open()
    assert line.greeting.known
    assert line.ask(m.GetIdentity()).role is Role.ADMIN
    kinds = [e.kind for e in bench.entries()]
    assert kinds.count(LogKind.PAIRING_OPENED) == kinds.count(LogKind.PAIRED) == 1


@pytest.mark.requirement("SEC-03")
def test_pairing_closes_after_a_minute_a_pairing_or_a_boot() -> None:
    bench = Bench()
    bench.firmware.press()
    bench.wait(59_999)
    assert bench.core.pairing_open
    bench.wait(1)
    assert not bench.core.pairing_open
    paired(bench)
    assert not bench.core.pairing_open
    bench.firmware.press()
    bench.attach()
    assert bench.core.pairing_open
    bench.boot()
    assert not bench.core.pairing_open


def test_a_pairing_session_that_outlasts_the_minute_pairs_nothing() -> None:
    bench = Bench()
    line = Line(bench, Entropy("s")(32))
    bench.firmware.press()
    line.pair()  # a pairing to have a session, then a second one in the same session, too late
    for _ in range(2):  # kept alive: a silent session would be over by then
        bench.wait(MINUTE // 2)
        assert isinstance(line.ask(m.Ping(bytes(16))), m.Pong)
    again = m.Pair("s", "o", Role.ADMIN, public_key(Entropy("t")(32)))
    assert code(line.ask(again)) is Refuse.PAIRING_CLOSED


def test_a_pairing_session_does_nothing_but_pair() -> None:
    bench = Bench()
    line = Line(bench, Entropy("s")(32))
    bench.firmware.press()
    line.pair()
    for message in SAMPLES:
        if not isinstance(message, m.Ping | m.Pair):
            assert code(line.ask(message)) is Refuse.ROLE


@pytest.mark.requirement("SEC-06")
def test_the_first_may_be_admin_later_ones_at_most_clinician() -> None:
    bench = Bench()
    first = paired(bench, Role.ADMIN, "first")
    granted = []
    line = first
    for number, asked in enumerate((Role.ADMIN, Role.CLINICIAN, Role.OBSERVER, Role.ENGINEER)):
        line = Line(bench, Entropy(f"later {number}")(32))
        bench.firmware.press()
        granted.append(line.pair(asked).role)
    assert granted == [Role.CLINICIAN, Role.CLINICIAN, Role.OBSERVER, Role.ENGINEER]
    assert first.open()
    assert first.ask(m.Grant(line.key, Role.ADMIN)) == m.Granted(line.key, Role.ADMIN)
    assert line.open()
    assert line.ask(m.GetIdentity()).role is Role.ADMIN


def test_who_asks_for_less_gets_less_and_the_admins_place_stays_free() -> None:
    bench = Bench()
    observer = paired(bench, Role.OBSERVER, "first")
    assert observer.ask(m.GetIdentity()).role is Role.OBSERVER
    assert code(observer.ask(m.Stop(op(1), bytes(32)))) is Refuse.ROLE
    assert paired(bench, Role.ADMIN, "second").ask(m.GetIdentity()).role is Role.ADMIN


def test_pairing_again_renews_the_secret_and_keeps_the_role() -> None:
    bench = Bench()
    line = paired(bench)
    old = line.psk
    bench.firmware.press()
    assert line.pair(Role.ADMIN).role is Role.ADMIN
    assert line.psk != old
    assert line.open()
    assert len(bench.core.control.keys) == 1


def test_sixteen_keys_are_the_most() -> None:
    bench = Bench()
    for number in range(16):
        line = Line(bench, Entropy(f"key {number}")(32))
        bench.firmware.press()
        assert isinstance(line.pair(Role.CLINICIAN), m.Paired)
    line = Line(bench, Entropy("one more")(32))
    bench.firmware.press()
    assert code(line.pair()) is Refuse.KEYS_FULL
    assert bench.core.pairing_open


def test_the_last_admin_stays_admin_but_may_leave() -> None:
    bench = Bench()
    admin = paired(bench, Role.ADMIN, "admin")
    other = paired(bench, Role.CLINICIAN, "other")
    assert code(other.ask(m.Unpair(admin.key))) is Refuse.ROLE
    assert admin.open()
    assert code(admin.ask(m.Grant(admin.key, Role.OBSERVER))) is Refuse.LAST_ADMIN
    assert code(admin.ask(m.Unpair(bytes(8)))) is Refuse.NOT_FOUND
    assert admin.ask(m.Unpair(other.key)) == m.Unpaired(other.key)
    assert not other.open()
    assert not other.greeting.known
    assert admin.ask(m.Unpair(admin.key)) == m.Unpaired(admin.key)
    assert code(admin.ask(m.GetStatus())) is Refuse.ROLE
    assert bench.core.control.keys == ()


def test_keys_survive_a_boot_and_raise_the_state_version() -> None:
    bench = Bench()
    version = bench.status().state_version
    line = paired(bench)
    assert bench.status().state_version == version + 1
    bench.boot()
    assert not isinstance(line.ask(m.Ping(bytes(16))), m.Pong)  # the session is gone
    assert line.open()
    assert line.greeting.boot == 2
    assert isinstance(line.ask(m.Ping(bytes(16))), m.Pong)


# --- the secure session ----------------------------------------------------------------------


def test_the_greeting_says_what_this_pump_is() -> None:
    for bench_mode in (True, False):
        bench = Bench(bench=bench_mode)
        line = Line(bench, Entropy("s")(32))
        line.greet(Purpose.LOOK)
        greeting = line.greeting
        assert greeting.bench is bench_mode
        assert greeting.features & ~Feature.BENCH == sum(Feature) - Feature.BENCH
        assert (greeting.serial, greeting.model) == (bench.core.implant.serial, "SP40")
        assert not greeting.known
        assert not line.open()


@pytest.mark.requirement("SEC-02")
def test_recorded_traffic_has_no_effect_also_after_a_boot() -> None:
    bench = Bench()
    line = paired(bench)
    staged = line.ask(m.StageProgram(TAG, flex()))
    assert isinstance(line.ask(m.GetReadback()), m.ProgramReadback)
    version = line.ask(m.GetStatus()).state_version
    message = m.Activate(op(1), staged.content, version, staged.nonce, bytes(32))
    _, recorded = line.end.request(message)
    first = bench.firmware.receive(recorded)
    assert bench.firmware.receive(recorded) == first  # answered from the cache, byte by byte
    state = bench.status().state_version
    entries = len(bench.entries())
    bench.boot()
    assert bench.firmware.receive(recorded) == b""
    assert bench.status().state_version == state
    assert len(bench.entries()) == entries + 1


@pytest.mark.requirement("PMP-01")
def test_garbage_is_not_answered_and_changes_nothing() -> None:
    bench = Bench(frozen=True)
    entropy = Entropy("garbage")
    before = bench.core.flash_operations
    for size in range(1, 600, 7):
        assert bench.firmware.receive(entropy(size) + b"\0") == b""
    assert bench.core.flash_operations == before


def test_a_message_that_makes_no_sense_is_refused_as_malformed() -> None:
    bench = Bench()
    line = paired(bench)
    assert line.end._channel is not None
    _, (data,) = line.end._channel.seal(b"\x50\xd2")
    events = line.end.feed(bench.firmware.receive(data))
    assert code(events[0].message) is Refuse.MALFORMED  # type: ignore[union-attr]


def test_key_ids_are_as_long_as_the_wire_wants() -> None:
    assert len(key_id(bytes(32))) == Fixed(8).size
