"""The line of the device: made short or free of drug for a test, whole again behind it.

All by the implant's record (section 10): what it says is what the pump holds to be
in the line. A bridge is as long as the recorded line and ends by pulses alone, so
a short line is what lets one end while a run waits for it.
"""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.faults import Broken, NotApplicable
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Feature, Holds
from pumpctl.wire.messages_implant import (
    GetImplant,
    Implant,
    ImplantRecord,
    Part,
    StageImplant,
)

FAST = 32
"""The sample rate at which a pulse comes within seconds."""
_LOOK_MS = 500
_MOST_S = 180
"""Far more than two pulses take at that rate."""


def record_of(bench: Bench) -> ImplantRecord:
    """The implant's record; NotApplicable where the pump has none to revise."""
    if not bench.offers(Feature.IMPLANT):
        raise NotApplicable("without IMPLANT the line could not be made whole again")
    return bench.get(GetImplant(), Implant).record


def holding(bench: Bench, record: ImplantRecord) -> ImplantRecord:
    """The same line, all of it holding what the reservoir holds between the tests."""
    own = Part(Holds.DRUG, bench.samples.drug, bench.samples.concentration)
    return record._replace(tubing_holds=own, catheter_holds=own)


def shorten(bench: Bench, least: int, most: int) -> None:
    """Make the recorded line so many pulses long, at least and at most, full of the same drug."""
    record, pulse = holding(bench, record_of(bench)), bench.identity.pulse
    short = record._replace(
        tubing=pulse, catheter_low=(least - 1) * pulse, catheter_high=(most - 1) * pulse
    )
    bench.act(StageImplant(bench.tag, short))


def free_catheter(bench: Bench) -> None:
    """A catheter that holds water, which a prime may push out."""
    water = Part(Holds.FREE, bench.samples.drug, 0)
    record = holding(bench, record_of(bench))
    bench.act(StageImplant(bench.tag, record._replace(catheter_holds=water)))


def line_back(bench: Bench, status: m.Status, found: ImplantRecord | None) -> None:
    """The line as long as it was found, and full of what the reservoir holds."""
    if found is None:
        return
    usual, record = holding(bench, found), record_of(bench)
    whole = (status.tip_concentration, status.front) == (bench.samples.concentration, None)
    if record == usual and whole:
        return
    if record == usual:  # words alone move nothing: another line in between
        shorten(bench, 2, 2)
    bench.act(StageImplant(bench.tag, usual))


def needs_time(bench: Bench) -> None:
    """NotApplicable on a pump whose time stands still: no bridge could ever end there."""
    before = bench.status().counter
    bench.talk.pause(_LOOK_MS / 1000)
    if bench.status().counter == before:
        raise NotApplicable("the pump's time stands still, so no bridge could ever end")


def next_pulse(bench: Bench) -> None:
    """Wait until the motor has given one more."""
    pulses = bench.status().pulses
    for _ in range(_MOST_S * 1000 // _LOOK_MS):
        if bench.status().pulses > pulses:
            return
        bench.talk.pause(_LOOK_MS / 1000)
    raise Broken(f"no pulse came in {_MOST_S} s")


def end_bridge(bench: Bench) -> None:
    """Wait until the running bridge has passed; nothing else ends one (section 10)."""
    if bench.status().stopped_for is not None:
        bench.put(bench.get(m.GetProgram(), m.ProgramReport).program)
    for _ in range(_MOST_S * 1000 // _LOOK_MS):
        if bench.status().bridge is None:
            return
        bench.talk.pause(_LOOK_MS / 1000)
    raise Broken("a bridge runs that does not end")
