"""The codec over the whole registry, and the table of roles."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import Encoding, Op, Role
from pumpctl.wire.fields import WireError
from pumpctl.wire.message import REGISTRY, Spec, answer, decode, encode, permits, spec_of
from pumpctl.wire.messages import LogReport, Ping, Pong
from pumpctl.wire.records import MOST_PLAIN
from tests.wire.golden import hexed, records
from tests.wire.strategies import largest, values

SPECS = list(REGISTRY.values())
GOLDEN = [
    (record["op"], hexed(record["hex"]))
    for family in ("session", "look", "stage", "acts", "implant", "keys", "alarm")
    for record in records(f"messages_{family}.toml")
]
COUNTER = 8
"""An answer carries its request's counter in front."""


@given(st.data(), st.sampled_from(SPECS))
def test_what_is_encoded_is_decoded(data: st.DataObject, spec: Spec) -> None:
    message = data.draw(values(spec.struct))
    raw = encode(message)
    assert raw[:2] == int(spec.op).to_bytes(2, "big")
    assert len(raw) <= spec.most_bytes
    assert decode(raw, from_station=spec.from_station) == message
    with pytest.raises(WireError, match="other way"):
        decode(raw, from_station=not spec.from_station)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.op.name)
def test_the_largest_message_fits_a_record(spec: Spec) -> None:
    message = largest(spec.struct)
    raw = encode(message)
    assert len(raw) == spec.most_bytes <= MOST_PLAIN - COUNTER
    assert decode(raw, from_station=spec.from_station) == message


@pytest.mark.requirement("TEL-07")
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_message_or_refused(raw: bytes, from_station: bool) -> None:
    _one_spelling_or_refused(raw, from_station)


@pytest.mark.requirement("TEL-07")
@given(st.data(), st.sampled_from(GOLDEN))
def test_any_change_of_a_message_is_another_message_or_refused(
    data: st.DataObject, golden: tuple[str, bytes]
) -> None:
    name, raw = golden
    at = data.draw(st.integers(0, len(raw)))
    until = data.draw(st.integers(at, len(raw)))
    changed = raw[:at] + data.draw(st.binary(max_size=8)) + raw[until:]
    _one_spelling_or_refused(changed, REGISTRY[Op[name]].from_station)


@pytest.mark.requirement("TEL-07")
def test_a_hundred_thousand_damaged_messages() -> None:
    rng = random.Random(20)
    tried = taken = 0
    for _ in range(100_000 // len(GOLDEN)):
        for name, raw in GOLDEN:
            changed = bytearray(raw)
            for _ in range(rng.randint(1, 4)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            changed = changed[: rng.randint(0, len(changed))] if rng.random() < 0.2 else changed
            taken += _one_spelling_or_refused(bytes(changed), REGISTRY[Op[name]].from_station)
            tried += 1
    print(f"{tried} damaged messages: {taken} are other messages, {tried - taken} refused")
    assert 0 < taken < tried


def _one_spelling_or_refused(raw: bytes, from_station: bool) -> bool:
    try:
        message = decode(raw, from_station=from_station)
    except WireError:
        return False
    assert encode(message) == raw
    return True


def test_bytes_after_the_last_field_are_refused() -> None:
    with pytest.raises(WireError, match="too many"):
        decode(encode(Ping(bytes(16))) + b"\0", from_station=True)


def test_what_is_no_message_is_not_encoded() -> None:
    for thing in (None, 3, (), Ping):
        with pytest.raises(WireError):
            encode(thing)


def test_an_op_code_is_declared_once() -> None:
    with pytest.raises(TypeError, match="PONG is declared twice"):
        answer(Op.PONG)(Pong)


def test_a_message_knows_its_declaration() -> None:
    assert spec_of(Ping(bytes(16))) is spec_of(Ping) is REGISTRY[Op.PING]


def test_every_request_names_answers_of_the_pump() -> None:
    for spec in SPECS:
        if spec.from_station:
            assert spec.replies
            assert all(not REGISTRY[reply].from_station for reply in spec.replies)
        else:
            assert not spec.replies
            assert not spec.roles


@pytest.mark.requirement("PRG-01")
@pytest.mark.requirement("STP-01")
def test_only_three_messages_can_change_delivery() -> None:
    therapy = {spec.op for spec in SPECS if spec.therapy}
    assert therapy == {Op.ACTIVATE, Op.STOP, Op.CANCEL_BOLUS}
    assert not any(spec.stages for spec in SPECS if spec.therapy)


ANY = "OCEA"
TREATS = "CA"
TABLE = {
    # Every request by hand, with the initials of the roles that may send it. An engineer
    # is added to TREATS in bench mode only.
    **dict.fromkeys(["PING", "CLOSE", "GET_IDENTITY", "GET_STATUS", "GET_PROGRAM"], ANY),
    **dict.fromkeys(["GET_OPERATION", "GET_LOG", "REPEAT", "GET_IMPLANT"], ANY),
    **dict.fromkeys(["RELEASE_LOG", "UNPAIR"], ANY),
    **dict.fromkeys(["STAGE_PROGRAM", "STAGE_BOLUS", "STAGE_BRIDGE", "STAGE_REFILL"], TREATS),
    **dict.fromkeys(["STAGE_RESUME", "STAGE_CLOCK", "STAGE_PATIENT", "STAGE_IMPLANT"], TREATS),
    **dict.fromkeys(["DISCARD", "GET_READBACK", "ACTIVATE", "RESOLVE"], TREATS),
    **dict.fromkeys(["STOP", "CANCEL_BOLUS", "TEST_ALARM"], TREATS),
    **dict.fromkeys(["STAGE_LIMITS", "GRANT"], "A"),
    "PAIR": "",
}


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.op.name)
def test_the_table_of_roles(spec: Spec) -> None:
    allowed = TABLE[spec.op.name] if spec.from_station else ""
    for role in Role:
        assert permits(spec, role, bench=False) == (role.name[0] in allowed)
        in_bench = allowed + "E" if allowed == TREATS else allowed
        assert permits(spec, role, bench=True) == (role.name[0] in in_bench)


@pytest.mark.requirement("SEC-06")
def test_the_table_holds_every_request_and_nothing_else() -> None:
    assert set(TABLE) == {spec.op.name for spec in SPECS if spec.from_station}


@pytest.mark.requirement("SEC-05")
def test_nothing_reads_or_writes_memory() -> None:
    forbidden = {"address", "memory", "offset_bytes", "command", "shell", "script"}
    for spec in SPECS:
        assert not forbidden & set(spec.cls._fields), spec.op.name


def test_a_full_batch_fits_its_field_and_its_record() -> None:
    full = LogReport(0, 200, 0, 0, Encoding.RAW, bytes(200 * 80))
    assert decode(encode(full), from_station=False) == full
    assert 8 + len(encode(full)) <= MOST_PLAIN  # the counter of its request stands before it
    with pytest.raises(WireError):
        encode(full._replace(batch=bytes(200 * 80 + 1)))
