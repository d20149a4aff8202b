"""The implant's record: told, revised, kept plausible (sections 9 and 11)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Feature, Holds, Kind, LogKind, Refuse
from pumpctl.wire.messages_implant import (
    GetImplant,
    Implant,
    ImplantReadback,
    ImplantRecord,
    StageImplant,
)

needs = needing(Feature.IMPLANT)
_LONGEST = 2_000_000


def _record(bench: Bench) -> ImplantRecord:
    return bench.get(GetImplant(), Implant).record


def _staged(bench: Bench, record: ImplantRecord) -> StageImplant:
    return StageImplant(bench.tag, record)


@needs("L11-implant", "IMPLANT fits IDENTITY and STATUS.")
def told(bench: Bench) -> None:
    seen, status = bench.get(GetImplant(), Implant), bench.status()
    same("model", seen.model, bench.identity.model)
    same("serial", seen.serial, bench.identity.serial)
    same("tag", seen.tag, status.tag)
    same("tubing", seen.record.tubing, bench.identity.tubing)
    same("catheter", seen.record.catheter_high, bench.identity.catheter)
    same("line", status.line, seen.record.tubing + seen.record.catheter_high)
    expect(seen.made_at <= status.time, "it was made in the future")
    expect(seen.calibration > 0, "a calibration of nothing")
    expect(seen.record.catheter_low <= seen.record.catheter_high, "bounds the wrong way round")


@needs("P4-implant", "The read-back of a record: the record, and the line by its upper bound.")
def readback(bench: Bench) -> None:
    record = _record(bench)
    record = record._replace(catheter_low=0, catheter_high=record.catheter_high + 3, tip_level="T9")
    staged = bench.get(_staged(bench, record), m.Staged)
    seen = bench.get(m.GetReadback(), ImplantReadback)
    same("content", seen.content, staged.content)
    same("record", seen.record, record)
    same("line", seen.line, record.tubing + record.catheter_high)


@needs("P8-implant", "A line of nothing, too long, or with its bounds crossed is refused.")
def refused(bench: Bench) -> None:
    record = _record(bench)
    for wrong, code in (
        (record._replace(catheter_low=record.catheter_high + 1), Refuse.IMPLAUSIBLE),
        (record._replace(tubing=0, catheter_low=0, catheter_high=0), Refuse.RANGE),
        (record._replace(tubing=_LONGEST, catheter_high=record.catheter_high + 1), Refuse.RANGE),
    ):
        with bench.nothing_written():
            bench.refused(_staged(bench, wrong), code)


@needs("P8-implant-tag", "A record for another patient is refused.")
def tag(bench: Bench) -> None:
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    with bench.nothing_written():
        bench.refused(StageImplant(other, _record(bench)), Refuse.PATIENT_TAG)


@needs("P2-implant", "A revised record is kept, logged, and changes nothing delivered.")
def revised(bench: Bench) -> None:
    before, record = bench.status(), _record(bench)
    holds = (record.tubing_holds, record.catheter_holds)
    as_told = all(
        part.holds is Holds.DRUG and part.concentration == before.tip_concentration
        for part in holds
    )
    if before.front is not None or not as_told:
        raise NotApplicable("the line holds something else than its record says")
    changed = record._replace(tip_level="L1" if record.tip_level != "L1" else "T10")
    done = bench.act(_staged(bench, changed))
    same("kind", done.kind, Kind.IMPLANT)
    same("state_version", done.state_version, before.state_version + 1)
    same("the record", _record(bench), changed)
    after = bench.status()
    for what in ("program_hash", "delivery", "rate", "line", "tip_concentration"):
        same(what, getattr(after, what), getattr(before, what))
    found = [e for e in bench.entries(before.log_next) if e.kind is LogKind.IMPLANT_SET]
    due = [(done.state_version, done.operation + bytes(4))]
    same("the entries", [(e.a, e.data) for e in found], due)
    bench.act(_staged(bench, record))
    same("the record, put back", _record(bench), record)
