"""Bytes written by hand against the codec, both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pumpctl.wire.codes import Encoding, FrameKind, LogKind, Op
from pumpctl.wire.frames import Deframer, Frame, decode_frame, encode_frame
from pumpctl.wire.greeting import (
    PumpGreeting,
    StationGreeting,
    decode_pump_greeting,
    decode_station_greeting,
    encode_greeting,
)
from pumpctl.wire.limit_table import SIGNATURE, LimitTable, signed_part, table_bytes, table_from
from pumpctl.wire.logbatch import pack_batch, unpack_batch
from pumpctl.wire.logentry import LogEntry, pack, unpack
from pumpctl.wire.message import REGISTRY, decode, encode
from pumpctl.wire.program import Program, program_bytes, program_from, program_hash
from tests.wire.golden import Plain, built, hexed, records
from tests.wire.plain import batch_bytes, batch_entries, crc32c_bits, frame_bytes, stuff

FAMILIES = ("session", "look", "stage", "acts", "implant", "keys", "alarm")
MESSAGES = [record for family in FAMILIES for record in records(f"messages_{family}.toml")]


def _name(record: Plain) -> str:
    return str(record.get("op") or record.get("who") or record["name"])


@pytest.mark.parametrize("record", MESSAGES, ids=_name)
def test_message(record: Plain) -> None:
    spec = REGISTRY[Op[record["op"]]]
    message = built(spec.cls, record["value"])
    raw = hexed(record["hex"])
    assert encode(message).hex() == raw.hex()
    assert decode(raw, from_station=spec.from_station) == message
    assert len(raw) <= spec.most_bytes


def test_every_message_has_a_golden_record() -> None:
    assert {Op[record["op"]] for record in MESSAGES} == set(Op) == set(REGISTRY)


@pytest.mark.parametrize("record", records("programs.toml"), ids=_name)
def test_program(record: Plain) -> None:
    raw = hexed(record["hex"])
    program = built(Program, record["value"])
    assert program_bytes(program).hex() == raw.hex()
    assert program_from(raw) == program
    assert program_hash(program).hex() == record["hash"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.requirement("LIM-07")
@pytest.mark.parametrize("record", records("limit_tables.toml"), ids=_name)
def test_limit_table(record: Plain) -> None:
    raw, signatures = hexed(record["hex"]), hexed(record["signature"])
    table = built(LimitTable, record["value"])
    assert table_bytes(table).hex() == raw.hex()
    assert table_from(raw) == table
    keys = [table.signer] if table.next_key == table.signer else [table.signer, table.next_key]
    assert len(signatures) == SIGNATURE * len(keys)
    for place, key in enumerate(keys):
        one = signatures[SIGNATURE * place : SIGNATURE * (place + 1)]
        signed = b"pumpctl limits\0" + raw
        Ed25519PublicKey.from_public_bytes(key).verify(one, signed)  # raises where it does not hold
        assert signed_part(raw) == signed


@pytest.mark.parametrize("record", records("greetings.toml"), ids=_name)
def test_greeting(record: Plain) -> None:
    raw = hexed(record["hex"])
    station = record["who"] == "station"
    greeting = built(StationGreeting if station else PumpGreeting, record["value"])
    assert encode_greeting(greeting).hex() == raw.hex()
    assert (decode_station_greeting if station else decode_pump_greeting)(raw) == greeting


@pytest.mark.requirement("TEL-01")
@pytest.mark.parametrize("record", records("frames.toml"), ids=_name)
def test_frame(record: Plain) -> None:
    value: dict[str, Any] = record["value"]
    frame = Frame(**value | {"kind": FrameKind[value["kind"]], "payload": hexed(value["payload"])})
    line, body, crc = hexed(record["line"]), hexed(record["body"]), hexed(record["crc"])
    assert encode_frame(frame).hex() == line.hex()
    assert decode_frame(line[:-1]) == frame
    assert Deframer().feed(line) == [frame]
    # The same once more by code that shares nothing with the encoder.
    assert crc32c_bits(body).to_bytes(4, "big") == crc
    assert stuff(body + crc) + b"\0" == line
    assert frame_bytes(*frame) == line


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize("record", records("log_batches.toml"), ids=_name)
def test_log_batch(record: Plain) -> None:
    entries = tuple(map(hexed, record["entries"]))
    raw = hexed(record["hex"])
    assert pack_batch(Encoding.DIFFERENCE, entries) == (len(entries), raw)
    assert unpack_batch(Encoding.DIFFERENCE, raw, len(entries)) == entries
    # The same once more by code that shares nothing with the packer.
    assert batch_bytes(entries).hex() == raw.hex()
    assert tuple(batch_entries(raw)) == entries


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize("record", records("log.toml"), ids=_name)
def test_log_entry(record: Plain) -> None:
    value: dict[str, Any] = record["value"]
    entry = LogEntry(**value | {"kind": LogKind[value["kind"]], "data": hexed(value["data"])})
    raw = hexed(record["hex"])
    assert pack(entry).hex() == raw.hex()
    assert unpack(raw) == entry
    assert crc32c_bits(raw[:-4]) == int.from_bytes(raw[-4:], "big")


def test_the_check_of_the_document() -> None:
    assert crc32c_bits(b"123456789") == 0xE3069283
