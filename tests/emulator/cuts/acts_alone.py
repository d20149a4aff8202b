"""What the pump does by itself and must keep: ends, fallback, a stop, a repair, an hour."""

from __future__ import annotations

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.wire import messages as m
from pumpctl.wire.messages_acts import StageClock
from pumpctl.wire.secret import key_id
from tests.emulator.cuts.acts import (
    NEW,
    OPERATION,
    Act,
    activate,
    ask,
    bridging,
    do,
    giving,
    order,
    programmed,
    stage,
    staged_and_real,
    wait,
)
from tests.emulator.cuts.acts_set import paired
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, flex, lose_program, op

FALLBACK_HOURS = 48


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
    bench.wait(MINUTE * 5)
    since = bench.core.engine.stalled_since
    return do(bench, wait(since + 48 * HOUR - HOUR // 2 - bench.core.clock.counter))


def ruin(*names: str, copies: int = 2) -> "object":
    """Bits of these change by themselves, in one copy or in both."""

    def done(bench: Bench) -> None:
        control = bench.core.control
        for name in names:
            pages = {
                "slot": image.SLOTS[control.running],
                "fallback": image.FALLBACK[control.fallback_pair],
                "control": image.CONTROL[control.sequence % 2],
                "record": image.RECORD[control.record_pair],
            }[name]
            for page in pages[:copies]:
                bench.core.flash.flip(page * PAGE + 30, 0x24)

    return done


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
    refused: Refused | None = bench.firmware.patient_dose()
    assert refused is None, refused


def unrefused() -> Bench:
    """Long enough after the last bolus for a dose of the patient's own."""
    return do(programmed(), wait(6 * HOUR))


def crowded() -> Bench:
    """As many operations as the ledger holds, and keys."""
    bench = paired()
    for number in range(1_000, 1_070):
        bench.ask(m.Resolve(op(number)))
    for number in range(14):
        bench.firmware.press()
        do(bench, ask(m.Pair("station", "someone", _ROLE, bytes([number]) * 32), None, pairing=True))
    return do(bench, wait(MINUTE))


from pumpctl.wire.codes import Role  # noqa: E402

_ROLE = Role.CLINICIAN

ALONE: dict[str, Act] = {
    "end of an ordered bolus": Act(giving, (wait(HOUR),)),
    "end of a bridge": Act(nearly_over, (wait(2 * HOUR),)),
    "an hour with its boluses": Act(
        lambda: do(programmed(), wait(50 * MINUTE)), (wait(HOUR),)
    ),
    "patient dose": Act(unrefused, (patient_dose,)),
    "fallback after a lost program": Act(programmed, (ruin("slot"), wait(HOUR)), sound=False),
    "stop after a lost fallback": Act(
        programmed, (ruin("slot", "fallback"), wait(HOUR)), sound=False
    ),
    "fallback after a stall": Act(starving, (wait(HOUR),), sound=False),
    "program after the fallback": Act(
        lost, staged_and_real(m.StageProgram(TAG, NEW)), sound=False
    ),
    "stop at the end of service": Act(programmed, (drained, wait(HOUR))),
    "the same during a bolus": Act(giving, (drained, wait(HOUR))),
    "repair of one copy": Act(programmed, (ruin("slot", "control", copies=1), wait(HOUR))),
    "repair of a lost fallback": Act(programmed, (ruin("fallback"), wait(HOUR))),
    "stop of a crowded pump": Act(crowded, (ask(m.Stop(op(OPERATION), bytes(range(32)))),)),
}
