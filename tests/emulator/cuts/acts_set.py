"""The acts that dose nothing by themselves: clock, patient, implant, limits, keys, log, signal."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pumpctl.wire import messages as m
from pumpctl.wire.codes import Drug, Holds, Priority, Role
from pumpctl.wire.limit_table import LimitTable, Row, signed_part, table_bytes
from pumpctl.wire.messages_acts import StageClock, StageLimits, StagePatient
from pumpctl.wire.messages_implant import ImplantRecord, Part, StageImplant
from pumpctl.wire.secret import key_id
from tests.emulator.cuts.acts import (
    OPERATION,
    Act,
    activate,
    ask,
    do,
    programmed,
    stage,
    staged_and_real,
    wait,
)
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, op

OTHER_TAG = b"patient2"
SITE = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"s")
NEXT = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"n")
KEY, SECOND = bytes(range(32)), bytes(range(1, 33))
PAIR = m.Pair("station", "operator", Role.ADMIN, KEY)
SOON = m.Pair("station", "another", Role.CLINICIAN, SECOND)


def limits(version: int, *keys: Ed25519PrivateKey) -> StageLimits:
    """A table, signed by the first of these keys, and by the one for the next table."""
    rows = tuple(
        Row(
            Drug.BACLOFEN, each, 1_500_000, 1_200_000, 30_000, 150_000 + version,
            25_000, 200_000, 1_600_000, 0, HOUR,
        )
        for each in (500, 2_000)
    )  # fmt: skip
    signer, following = keys[0].public_key(), keys[-1].public_key()
    table = LimitTable(1, version, signer.public_bytes_raw(), following.public_bytes_raw(), rows)
    raw = table_bytes(table)
    signatures = dict.fromkeys(keys)
    return StageLimits(version, raw, b"".join(key.sign(signed_part(raw)) for key in signatures))


def limited() -> Bench:
    return do(programmed(), stage(limits(1, SITE, NEXT)), activate(8), wait(HOUR))


def revised(bench: Bench) -> StageImplant:
    """A new catheter, free of drug."""
    old: ImplantRecord = bench.core.record_in_force
    record = old._replace(
        catheter_model="SC140",
        trimmed=120,
        catheter_low=250_000,
        catheter_high=260_000,
        tip_level="T10",
        catheter_holds=Part(Holds.FREE, Drug.BACLOFEN, 0),
        recorded_at=bench.core.clock.utc,
    )
    return StageImplant(TAG, record)


def pressed() -> Bench:
    bench = programmed()
    bench.firmware.press()
    return do(bench, wait(MINUTE // 4))


def paired() -> Bench:
    """Two keys, the first an admin's."""
    bench = pressed()
    do(bench, ask(PAIR, None, pairing=True))
    bench.firmware.press()
    return do(bench, ask(SOON, None, pairing=True), wait(HOUR))


SETTINGS: dict[str, Act] = {
    "clock forward, a bolus late": Act(programmed, staged_and_real(StageClock(90 * MINUTE, 60))),
    "clock forward, boluses missed": Act(programmed, staged_and_real(StageClock(50 * HOUR, 0))),
    "clock back": Act(programmed, staged_and_real(StageClock(-90 * MINUTE, 0))),
    "patient assigned": Act(programmed, staged_and_real(StagePatient(OTHER_TAG))),
    "patient cleared": Act(programmed, staged_and_real(StagePatient(None))),
    "implant revised": Act(programmed, staged_and_real(revised)),
    "first limits": Act(programmed, staged_and_real(limits(3, SITE, NEXT))),
    "next limits": Act(limited, staged_and_real(limits(4, NEXT))),
    "pair": Act(pressed, (ask(PAIR, None, pairing=True),)),
    "grant": Act(paired, (ask(m.Grant(key_id(SECOND), Role.OBSERVER)),)),
    "unpair": Act(paired, (ask(m.Unpair(key_id(SECOND))),)),
    "release of the log": Act(paired, (ask(m.ReleaseLog(5), key=key_id(KEY)),)),
    "alarm test": Act(programmed, (ask(m.AlarmTest(Priority.CRITICAL)),)),
    "void with something staged": Act(
        programmed, (stage(StagePatient(OTHER_TAG)), ask(m.Resolve(op(OPERATION))))
    ),
}
