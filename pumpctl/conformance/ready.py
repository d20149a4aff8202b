"""How a device is found, made ready for the next test, and put back in the end.

All of it by the protocol's own road: what a test has moved (program, stop, bolus,
bridge, fill, label, tag) is set back by a staged, read-back activation. What
cannot be set back is said, and never passed over.
"""

from __future__ import annotations

import hashlib

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.faults import Broken, NotAdmin, NotOnTheBench, NotRestorable
from pumpctl.conformance.lines import end_bridge, holding, line_back, record_of
from pumpctl.conformance.samples import Samples
from pumpctl.errors import Blocked
from pumpctl.named import NamedTuple
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Feature, Priority, Role
from pumpctl.wire.messages_acts import StageClock, StagePatient, StageRefill
from pumpctl.wire.messages_implant import ImplantRecord, StageImplant
from pumpctl.wire.program import Program, program_hash

_UNFIT = frozenset({Delivery.STALLED, Delivery.EMPTY, Delivery.FALLBACK})


class NotFit(Blocked):
    """The pump keeps its duties by refusing what the tests would ask of it now (exit 10)."""

    code = "NOT_FIT"
    default_hint = (
        "nothing was changed; end the cause (a refill, a new program, a motor that turns), "
        "then run again"
    )


class Found(NamedTuple):
    """The device before the first test."""

    program: Program
    tag: bytes | None
    stopped: bool
    label: int
    """Label less counter, ms."""
    offset: int
    """Of the label, minutes."""
    record: ImplantRecord | None
    """The implant's; None where the pump offers none."""


def found(bench: Bench) -> Found:
    """Look at the device, and make sure of everything that must be so before the first test.

    Raises NotOnTheBench, NotAdmin, NotFit or NotRestorable; nothing has been changed then.
    """
    identity = bench.get(m.GetIdentity(), m.Identity)
    if not identity.bench:
        raise NotOnTheBench(
            f"pump {identity.serial} is NOT in bench mode: nothing was staged, stopped or changed"
        )
    if identity.role is not Role.ADMIN:
        raise NotAdmin(f"pump {identity.serial} holds this key as {identity.role.name.lower()}")
    status, told = bench.status(), bench.ask(m.GetProgram())
    _check_fit(identity.serial, status)
    if not isinstance(told, m.ProgramReport):
        raise NotRestorable(f"pump {identity.serial} does not tell the program that it runs")
    if status.bridge is not None or status.bolus is not None:
        what = "bridge" if status.bolus is None else "bolus"
        raise NotRestorable(f"a {what} is running on pump {identity.serial}")
    greeting = bench.look().pump
    bench.know(
        identity,
        Samples.of(identity, status),
        own_tag(identity.serial) if status.tag is None else status.tag,
        greeting.features,
        greeting.library,
    )
    return Found(
        told.program,
        status.tag,
        status.stopped_for is not None,
        status.time - status.counter,
        status.offset,
        record_of(bench) if bench.offers(Feature.IMPLANT) else None,
    )


def _check_fit(serial: str, status: m.Status) -> None:
    """A pump that is stalled, empty or in a critical alarm refuses much that the tests ask for.

    It keeps its duties by that (section 9), so a run would fail it for nothing.
    """
    critical = [one for one in status.alarms if one.priority is Priority.CRITICAL]
    why = [f"{one.code.name} ({one.cause})" for one in critical]
    if not why and status.delivery in _UNFIT:
        why = [f"it says that it is {status.delivery.name}"]
    if why:
        raise NotFit(f"pump {serial} is not fit for a run: {'; '.join(why)}")


def own_tag(serial: str) -> bytes:
    """The tag hash (section 13) of a patient that nobody is."""
    text = b"pumpctl tag\0" + serial.encode("utf-8") + b"\0" + b"conformance"
    return hashlib.sha256(text).digest()[:8]


def make_ready(bench: Bench, before: Found) -> None:
    """Where every test begins: a session, nothing staged, the usual program delivered."""
    status = bench.status()
    if status.staged is not None:
        bench.get(m.Discard(), m.Discarded)
    if status.bolus is not None:
        bench.get(m.CancelBolus(bench.new_id(), NO_CHAIN), m.Done)
    _tag_back(bench, status)
    _fill_back(bench, status)
    line_back(bench, bench.status(), before.record)
    _label_back(bench, status, before)
    usual = bench.samples.flat()
    if status.program_hash != program_hash(usual) or status.stopped_for is not None:
        bench.put(usual)


def put_back(bench: Bench, before: Found) -> str:
    """Deliver the program that was found; what became of the device, in sentences.

    Broken where it does not deliver it.
    """
    make_ready(bench, before)
    staged = bench.stage(before.program)
    told = bench.get(m.GetReadback(), m.ProgramReadback)
    if told.program != before.program:
        raise Broken("the read-back of the program that was found differs")
    bench.get(bench.activation(staged), m.Done)
    said = ["The program that was found is delivered again."]
    if before.stopped:
        said.append("The pump had been stopped; it was left delivering.")
    if before.record is not None and before.record != holding(bench, before.record):
        bench.act(StageImplant(bench.tag, before.record))
        said.append("What it reckons to be in its line is again what its record says.")
    if before.tag is None:
        said.append(_without_tag(bench))
    after = bench.status()
    if after.program_hash != program_hash(before.program) or after.stopped_for is not None:
        raise Broken("the pump does not deliver the program that was found")
    if (after.time - after.counter, after.offset) != (before.label, before.offset):
        raise Broken("the pump's clock is not what it was")
    return " ".join(said)


def refill(bench: Bench, status: m.Status, program: Program) -> StageRefill:
    """A refill that leaves the reservoir as it is, from this moment on."""
    return StageRefill(
        bench.tag,
        status.reservoir,
        status.reservoir,
        status.reservoir,
        status.filled_at,
        status.pulses,
        None,
        program,
    )


def _tag_back(bench: Bench, status: m.Status) -> None:
    if status.tag == bench.tag:
        return
    if status.tag is None:
        bench.put(bench.samples.flat())  # which brings it
    else:
        bench.act(StagePatient(bench.tag))


def _fill_back(bench: Bench, status: m.Status) -> None:
    """The concentration that was found, and no bridge."""
    if status.bridge is not None:
        end_bridge(bench)
    if status.concentration != bench.samples.concentration:
        bench.act(refill(bench, status, bench.samples.flat()))


def _label_back(bench: Bench, status: m.Status, before: Found) -> None:
    shift = before.label - (status.time - status.counter)
    if shift or status.offset != before.offset:
        bench.act(StageClock(shift, before.offset))


def _without_tag(bench: Bench) -> str:
    """Clear the tag that the tests' programs brought; what came of it."""
    if not bench.offers(Feature.PATIENT):
        return f"It had no patient's tag and now holds {bench.tag.hex()}, which it cannot clear."
    bench.act(StagePatient(None))
    return "It has no patient's tag, as before."
