"""Whose pump it is: assigned, cleared, told as a short hash only (sections 9 and 13)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, needing, same
from pumpctl.conformance.ready import refill
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Feature, Kind, LogKind, Priority, Refuse
from pumpctl.wire.message import encode
from pumpctl.wire.messages_acts import (
    Bridge,
    PatientReadback,
    StageBolus,
    StageBridge,
    StageClock,
    StageLimits,
    StagePatient,
)

needs = needing(Feature.PATIENT)


def _other(bench: Bench) -> bytes:
    return bytes(byte ^ 0xFF for byte in bench.tag)


@needs("P4-patient", "The read-back of an assignment: the tag that is held, and the new.")
def readback(bench: Bench) -> None:
    for new in (_other(bench), None):
        staged = bench.get(StagePatient(new), m.Staged)
        told = bench.get(m.GetReadback(), PatientReadback)
        same("content", told.content, staged.content)
        same("old and new", (told.old, told.new), (bench.tag, new))


@needs("P2-patient", "An assignment changes the tag, and nothing that is delivered.")
def assigned(bench: Bench) -> None:
    before = bench.status()
    done = bench.act(StagePatient(None))
    same("kind", done.kind, Kind.PATIENT)
    same("state_version", done.state_version, before.state_version + 1)
    after = bench.status()
    same("tag", after.tag, None)
    same("program_hash", after.program_hash, before.program_hash)
    same("delivery", after.delivery, before.delivery)
    bench.act(StagePatient(_other(bench)))
    same("tag", bench.status().tag, _other(bench))
    staging = m.StageProgram(bench.tag, bench.samples.flex())
    bench.refused(staging, Refuse.PATIENT_TAG)


@needs("P2-patient-program", "A pump without a tag takes it with a program.")
def with_program(bench: Bench) -> None:
    bench.act(StagePatient(None))
    bench.stage(bench.samples.flex())
    same("tag, while it is staged", bench.status().tag, None)
    bench.put(bench.samples.flex())
    same("tag", bench.status().tag, bench.tag)


@needs("P16-patient", "PATIENT_ASSIGNED holds the version, the new tag and the old.")
def logged(bench: Bench) -> None:
    first = bench.status().log_next
    done = bench.act(StagePatient(None))
    found = [e for e in bench.entries(first) if e.kind is LogKind.PATIENT_ASSIGNED]
    due = [(done.state_version, bytes(8) + bench.tag + bytes(4))]
    same("the entries", [(e.a, e.data) for e in found], due)


@case("P20-unsupported", "A kind whose feature bit is not set is refused as UNSUPPORTED.")
def unsupported(bench: Bench) -> None:
    status, tag = bench.status(), bench.tag
    drug, held = bench.samples.drug, bench.samples.concentration
    orders: dict[Feature, object] = {
        Feature.BOLUS: StageBolus(tag, BolusKind.SINGLE, 1000, 600_000),
        Feature.BRIDGE: StageBridge(tag, Bridge(1000, drug, held), status.pulses),
        Feature.REFILL: refill(bench, status, bench.samples.flat()),
        Feature.CLOCK: StageClock(0, status.offset),
        Feature.LIMITS: StageLimits(1, b"", b""),
        Feature.PATIENT: StagePatient(tag),
        Feature.ALARM_TEST: m.AlarmTest(Priority.CRITICAL),
    }
    for bit, order in orders.items():
        if not bench.offers(bit):
            with bench.nothing_written():
                bench.refused(encode(order), Refuse.UNSUPPORTED)
