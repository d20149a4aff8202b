"""Signed tables of hard limits: their bytes, whom the pump believes, and what they narrow."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.acts import hard
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.memory import implant
from pumpctl.wire.codes import Drug, Refuse
from pumpctl.wire.fields import WireError
from pumpctl.wire.limit_table import (
    LimitTable,
    Row,
    signed_part,
    table_bytes,
    table_from,
)
from pumpctl.wire.messages_acts import StageLimits
from tests.emulator.support import DAY, HOUR
from tests.wire.golden import Plain, built, hexed, records

GOLDEN = records("limits.toml")
SITE = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"s")
NEXT = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"n")
PUMP = implant.made(
    implant.MODELS["SP40"],
    serial="SP40-000001",
    made_at=0,
    bench=True,
    frozen=True,
    private=bytes(32),
    secret=bytes(16),
)
ROW = Row(
    Drug.BACLOFEN,
    500,
    most_daily=1_000_000,
    most_rate=800_000,
    least_rate=30_000,
    most_bolus=100_000,
    most_patient_dose=25_000,
    window_hour=160_000,
    window_day=1_200_000,
    bolus_lockout=4 * HOUR,
    patient_lockout_least=HOUR,
)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def table(*rows: Row, version: int = 1, following: Ed25519PrivateKey = SITE) -> LimitTable:
    return LimitTable(1, version, public(SITE), public(following), rows or (ROW,))


def message(made: LimitTable, *keys: Ed25519PrivateKey) -> StageLimits:
    raw = table_bytes(made)
    signature = b"".join(key.sign(signed_part(raw)) for key in keys or (SITE,))
    return StageLimits(made.version, raw, signature)


def judge(asked: StageLimits, stored: int = 0, pinned: bytes | None = None) -> LimitTable:
    return hard.judge_table(
        asked,
        implant=PUMP,
        drug=Drug.BACLOFEN,
        concentration=500,
        stored_version=stored,
        pinned=pinned,
    )


def refusal(*given: Any, **more: Any) -> Refuse:
    with pytest.raises(Refused) as refused:
        judge(*given, **more)
    assert refused.value.detail
    return refused.value.code


# --- the bytes ---------------------------------------------------------------------------


@pytest.mark.parametrize("record", GOLDEN, ids=lambda record: str(record["name"]))
def test_the_golden_records(record: Plain) -> None:
    raw = hexed(record["hex"])
    made = built(LimitTable, record["value"])
    assert table_bytes(made).hex() == raw.hex()
    assert table_from(raw) == made
    asked = StageLimits(made.version, raw, hexed(record["signature"]))
    assert hard.judge_table(
        asked,
        implant=PUMP,
        drug=Drug.BACLOFEN,
        concentration=made.rows[0].concentration,
        stored_version=0,
        pinned=made.signer,
    )


@pytest.mark.parametrize(
    "made",
    [
        table()._replace(format=2),
        table(ROW, ROW),
        table(ROW._replace(concentration=1000), ROW),
        table()._replace(rows=()),
        table(*(ROW._replace(concentration=each) for each in range(9))),
        table()._replace(signer=bytes(31)),
    ],
)
def test_only_one_spelling(made: LimitTable) -> None:
    with pytest.raises(WireError):
        table_bytes(made)


def test_reading_refuses_what_writing_does() -> None:
    raw = table_bytes(table(ROW, ROW._replace(concentration=1000)))
    row = (len(raw) - 70) // 2
    swapped = raw[:70] + raw[70 + row :] + raw[70 : 70 + row]
    for wrong in (raw[:-1], raw + b"\0", swapped, b"\x02" + raw[1:], b""):
        with pytest.raises(WireError):
            table_from(wrong)


@given(st.binary(max_size=700))
def test_any_bytes_are_a_table_or_a_wire_error(raw: bytes) -> None:
    try:
        made = table_from(raw)
    except WireError:
        return
    assert table_bytes(made) == raw


# --- whom the pump believes ----------------------------------------------------------------


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("SEC-08")
def test_the_first_table_is_believed_by_its_own_key_and_the_next_by_the_pinned_one() -> None:
    assert judge(message(table())) == table()
    second = table(version=2)
    assert judge(message(second), stored=1, pinned=public(SITE)) == second
    assert refusal(message(second), stored=1, pinned=public(NEXT)) is Refuse.SIGNATURE


@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize("version", [0, 1, 6, 7])
def test_the_version_never_goes_down_and_never_stands(version: int) -> None:
    asked = message(table(version=version))
    assert refusal(asked, stored=7, pinned=public(SITE)) is Refuse.RANGE
    assert judge(message(table(version=8)), stored=7, pinned=public(SITE)).version == 8


def test_a_new_pump_takes_no_version_zero() -> None:
    assert refusal(message(table(version=0))) is Refuse.RANGE


@pytest.mark.requirement("SEC-08")
def test_another_key_for_the_next_table_must_sign_as_well() -> None:
    handing_over = table(following=NEXT)
    assert judge(message(handing_over, SITE, NEXT)).next_key == public(NEXT)
    for keys in ((SITE,), (NEXT,), (NEXT, SITE), (SITE, SITE), (NEXT, NEXT)):
        assert refusal(message(handing_over, *keys)) is Refuse.SIGNATURE
    assert refusal(message(table(), SITE, SITE)) is Refuse.SIGNATURE
    nobody = table()._replace(next_key=bytes(32))
    assert refusal(message(nobody)) is Refuse.SIGNATURE


@pytest.mark.requirement("SEC-08")
def test_every_flipped_bit_is_found() -> None:
    asked = message(table())
    whole = asked.signature + asked.table
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        wrong = asked._replace(signature=bytes(flipped[:64]), table=bytes(flipped[64:]))
        assert refusal(wrong) in {Refuse.SIGNATURE, Refuse.MALFORMED}


def test_a_signature_for_something_else_is_none() -> None:
    raw = table_bytes(table())
    for wrong in (SITE.sign(raw), NEXT.sign(signed_part(raw)), bytes(64), b"", bytes(128)):
        assert refusal(StageLimits(1, raw, wrong)) is Refuse.SIGNATURE


def test_without_the_look_at_the_signature_a_forged_table_would_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forged = StageLimits(1, table_bytes(table()), bytes(64))
    assert refusal(forged) is Refuse.SIGNATURE
    monkeypatch.setattr(hard, "_verify", lambda *_: None)
    assert judge(forged) == table()


def test_message_and_table_name_one_version() -> None:
    assert refusal(message(table())._replace(version=2)) is Refuse.MALFORMED
    assert refusal(StageLimits(1, b"", bytes(64))) is Refuse.MALFORMED


# --- what makes sense ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        ROW._replace(least_rate=800_001),
        ROW._replace(most_daily=29_999),
        ROW._replace(window_day=29_999),
        ROW._replace(window_hour=1_249),
        ROW._replace(most_daily=0),
        ROW._replace(most_rate=0),
        ROW._replace(most_rate=23_999, least_rate=0),  # below the model's minimum flow
        ROW._replace(most_bolus=0),
        ROW._replace(most_patient_dose=0),
        ROW._replace(window_hour=0),
        ROW._replace(window_day=0),
        ROW._replace(least_rate=3_000_001, most_rate=4_000_000, most_daily=4_000_000),
        ROW._replace(bolus_lockout=DAY + 1),
        ROW._replace(patient_lockout_least=DAY + 1),
    ],
)
def test_a_row_that_nothing_could_meet_is_implausible(row: Row) -> None:
    assert refusal(message(table(row))) is Refuse.IMPLAUSIBLE
    other = row._replace(concentration=2000)
    if row.most_rate != 23_999:
        assert refusal(message(table(ROW, other))) is Refuse.IMPLAUSIBLE


@pytest.mark.parametrize(
    "row",
    [
        ROW._replace(least_rate=800_000),
        ROW._replace(most_rate=24_000, least_rate=0),
        ROW._replace(most_daily=30_000, window_day=30_000, window_hour=1_250),
        ROW._replace(bolus_lockout=DAY, patient_lockout_least=0),
    ],
)
def test_a_row_that_something_meets_is_taken(row: Row) -> None:
    assert judge(message(table(row))).rows == (row,)


def test_a_table_without_the_reservoirs_concentration_is_implausible() -> None:
    assert refusal(message(table(ROW._replace(concentration=1000)))) is Refuse.IMPLAUSIBLE


# --- what holds ----------------------------------------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_limits_are_keyed_by_concentration() -> None:
    made = table(ROW, ROW._replace(concentration=1000, most_daily=900_000))
    assert hard.hard_limits(PUMP, made, Drug.BACLOFEN, 500).most_daily == 1_000_000
    assert hard.hard_limits(PUMP, made, Drug.BACLOFEN, 1000).most_daily == 900_000
    for concentration, installed in ((2000, made), (501, made), (501, None), (50, None)):
        with pytest.raises(Refused) as refused:
            hard.hard_limits(PUMP, installed, Drug.BACLOFEN, concentration)
        assert refused.value.code is Refuse.CONCENTRATION


@pytest.mark.parametrize("concentration", [500, 1000, 2000])
def test_without_a_table_the_factorys_absolutes_hold(concentration: int) -> None:
    own = hard.hard_limits(PUMP, None, Drug.BACLOFEN, concentration)
    assert (own.least_rate, own.most_rate) == (48 * concentration, 24_000 * concentration)
    assert own.most_daily == own.window_hour == own.window_day == own.most_bolus == 3_000_000
    assert (own.bolus_lockout, own.patient_lockout_least) == (0, 0)


def test_a_flow_that_is_no_whole_rate_is_rounded_inwards() -> None:
    odd = PUMP._replace(least_flow=48_001, most_flow=23_999_999)
    own = hard.hard_limits(odd, None, Drug.BACLOFEN, 500)
    assert (own.least_rate, own.most_rate) == (24_001, 11_999_999)


_NUMBER = st.integers(0, 2**64 - 1)


@pytest.mark.requirement("LIM-07")
@given(st.tuples(*[_NUMBER] * 9))
def test_a_table_only_narrows(numbers: tuple[int, ...]) -> None:
    own = hard.factory(PUMP, Drug.BACLOFEN, 500)
    row = Row(Drug.BACLOFEN, 500, *numbers)
    held = hard.hard_limits(PUMP, table(row), Drug.BACLOFEN, 500)
    for name in own._fields[2:]:
        mine, theirs, now = (getattr(each, name) for each in (own, row, held))
        least = name in {"least_rate", "bolus_lockout", "patient_lockout_least"}
        assert now == (max(mine, theirs) if least else min(mine, theirs))
