"""What the pump does by itself and must keep: ends, fallback, a stop, a repair, an hour."""

from __future__ import annotations

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.logring import PER_PAGE
from pumpctl.emulator.starting import recovery
from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Role
from tests.emulator.cuts.acts import (
    NEW,
    OPERATION,
    Act,
    Step,
    ask,
    bridging,
    do,
    giving,
    programmed,
    stage,
    staged_and_real,
    wait,
)
from tests.emulator.cuts.acts_set import paired
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, lose_program, op


def nearly_over() -> Bench:
    """A bridge with an hour to go, or a little more."""
    bench = bridging()
    while bench.core.engine.plan.bridge_end - bench.core.engine.motor.pulses > 350:
        bench.wait(20 * MINUTE)
    return bench


def starving() -> Bench:
    """Half an hour before the fallback: the motor has stood still for 47.5 h."""
    bench = programmed()
    bench.core.world.add(Fault(FaultKind.STALL, bench.core.engine.world_time, None, 0))
    bench.wait(5 * MINUTE)
    since = bench.core.engine.stalled_since
    return do(bench, wait(since + 48 * HOUR - HOUR // 2 - bench.core.clock.counter))


def ruin(*names: str, copies: int = 2) -> tuple[Step, ...]:
    """Bits of these change by themselves, in one copy or in both, and are found at once.

    At once, because a start that finds no program does not know since when there is none.
    """

    def done(bench: Bench) -> None:
        control = bench.core.control
        bridging = control.bridging
        for name in names:
            pages = {
                "slot": image.SLOTS[control.running],
                "played": image.SLOTS[control.running if bridging is None else bridging.plays],
                "fallback": image.FALLBACK[control.fallback_pair],
                "control": image.CONTROL[control.sequence % 2],
            }[name]
            for page in pages[:copies]:
                bench.store.image[page * PAGE + 30] ^= 0x24  # nothing that the pump writes

    return done, check


def check(bench: Bench) -> None:
    """The pump looks at its memory."""
    recovery.self_check(bench.core)
    bench.core.save()


def lost() -> Bench:
    """On the fallback; a magnetic field during the alarm has left the motor stuck."""
    bench = programmed()
    lose_program(bench)
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(FaultKind.MRI, now + MINUTE, now + 5 * MINUTE, 0))
    return do(bench, wait(HOUR))


def drained(bench: Bench) -> None:
    """The cell gives no more."""
    bench.core.engine.battery.drain_to(0, bench.core.clock.counter)
    bench.core.save()


def patient_dose(bench: Bench) -> None:
    """The patient presses."""
    refused: Refused | None = bench.firmware.patient_dose()
    assert refused is None, refused


def unrefused() -> Bench:
    """Long enough after the last bolus for a dose of the patient's own."""
    return do(programmed(), wait(6 * HOUR))


def own_dose() -> Bench:
    """One that runs."""
    return do(unrefused(), patient_dose, wait(MINUTE))


def crowded() -> Bench:
    """As many operations as the ledger holds, and keys."""
    bench = paired()
    for number in range(1_000, 1_070):
        bench.ask(m.Resolve(op(number)))
    for number in range(14):
        bench.firmware.press()
        key = m.Pair("station", "someone", Role.CLINICIAN, bytes([number]) * 32)
        do(bench, ask(key, None, pairing=True))
    return do(bench, wait(MINUTE))


def full_log() -> Bench:
    """The ring is full: three entries more, and its oldest page is erased."""
    bench = paired()
    core = bench.core
    while core.log.next % PER_PAGE != PER_PAGE - 2 or core.log.next < image.LOG_PAGES * PER_PAGE:
        core.record(LogKind.HOUR, 0, 0)
    core.save()
    return bench


ALONE: dict[str, Act] = {
    "end of an ordered bolus": Act(giving, (wait(HOUR),)),
    "end of a bridge": Act(nearly_over, (wait(2 * HOUR),)),
    "an hour with its boluses": Act(lambda: do(programmed(), wait(50 * MINUTE)), (wait(HOUR),)),
    "three hours with a full log": Act(full_log, (wait(3 * HOUR),)),
    "patient dose": Act(unrefused, (patient_dose,)),
    "end of a patient dose": Act(own_dose, (wait(HOUR),)),
    "fallback after a lost program": Act(programmed, ruin("slot"), sound=False),
    "fallback in a bridge": Act(bridging, ruin("played"), sound=False),
    "stop after a lost fallback": Act(programmed, ruin("slot", "fallback"), sound=False),
    "fallback after a stall": Act(starving, (wait(HOUR),), sound=False),
    "program after the fallback": Act(lost, staged_and_real(m.StageProgram(TAG, NEW)), sound=False),
    "stop at the end of service": Act(programmed, (drained, wait(HOUR))),
    "the same during a bolus": Act(giving, (drained, wait(HOUR))),
    "repair of one copy": Act(programmed, ruin("slot", copies=1), sound=False),
    "repair of a lost fallback": Act(programmed, ruin("fallback"), sound=False),
    "stop of a crowded pump": Act(crowded, (ask(m.Stop(op(OPERATION), bytes(range(32)))),)),
}


def forget(bench: Bench) -> None:
    """The always-on domain loses its power."""
    bench.core.lose_memory()


STARTS: dict[str, Act] = {
    "start beside an ordered bolus": Act(giving, ()),
    "start beside the patient's dose": Act(own_dose, ()),
    "start with something staged": Act(giving, (stage(m.StageProgram(TAG, NEW)),)),
    "start in a bridge": Act(bridging, ()),
    "start without the always-on domain": Act(giving, (forget,), sound=False),
    "start without a program": Act(giving, ruin("slot")[:1], sound=False),
    "start without program and fallback": Act(giving, ruin("slot", "fallback")[:1], sound=False),
    "start with one bad copy": Act(programmed, ruin("slot", "control", copies=1)[:1], sound=False),
}
"""What is cut here is the start itself."""
