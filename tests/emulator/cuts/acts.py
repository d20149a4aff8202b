"""Every act that makes something durable: how its pump is prepared, and its steps.

An act is a chain of steps, each of which is to be there whole or not at all:
stage, then activate; or one message; or time that goes by. Most are what a
station asks for; those that the pump does by itself, and settings, are in
`acts_alone` and `acts_set`. Nothing is cut here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Drug, Holds, Role
from pumpctl.wire.messages_acts import Bridge, StageBolus, StageBridge, StageRefill, StageResume
from pumpctl.wire.messages_implant import Part, StageImplant
from pumpctl.wire.program import PatientDose, Program, program_hash
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, daily, flex, op

OLD = flex(
    300_000,
    500_000,
    boluses=daily((60, 20_000, 30 * MINUTE), (180, 10_000, 20 * MINUTE)),
    patient=PatientDose(10_000, 5 * MINUTE, 4 * HOUR, 3),
)
NEW = flex(400_000, 900_000, 450_000, fallback=216_000)
STRONG = flex(280_000, 480_000, concentration=2_000, fallback=150_000)
OPERATION = 77
LINE = 348_000
"""nL: of a built-in pump."""
Step = Callable[[Bench], object]


class Act(NamedTuple):
    """Something that is cut."""

    prepare: Callable[[], Bench]
    steps: tuple[Step, ...]
    sound: bool = True
    """Nothing is done to the pump's world or memory on purpose."""


# --- steps ---------------------------------------------------------------------------------


def stage(message: Any, role: Role = Role.ADMIN) -> Step:
    """Stage and read back."""

    def do(bench: Bench) -> None:
        made = message(bench) if callable(message) else message
        staged = bench.ask(made, role)
        assert isinstance(staged, m.Staged), staged
        read = bench.ask(m.GetReadback(), role)
        assert not isinstance(read, m.Refusal), read

    return do


def activate(operation: int = OPERATION) -> Step:
    """Make real what is staged."""

    def do(bench: Bench) -> None:
        staged = bench.core.staged
        assert staged is not None
        version = bench.core.control.state_version
        asked = m.Activate(op(operation), staged.content, version, staged.nonce, bytes(range(32)))
        done(bench.ask(asked, Role.ADMIN))

    return do


def ask(message: Any, role: Role | None = Role.ADMIN, **how: Any) -> Step:
    """One message."""

    def do(bench: Bench) -> None:
        made = message(bench) if callable(message) else message
        done(bench.ask(made, role, **how))

    return do


def done(answer: object) -> None:
    """It was not refused."""
    assert not isinstance(answer, m.Refusal), answer


def wait(ms: int) -> Step:
    """Time goes by."""
    return lambda bench: bench.wait(ms)


def staged_and_real(message: Any) -> tuple[Step, Step]:
    """The road."""
    return stage(message), activate()


def do(bench: Bench, *steps: Step) -> Bench:
    """All these on this pump."""
    for step in steps:
        step(bench)
    return bench


# --- pumps ---------------------------------------------------------------------------------


def fresh() -> Bench:
    """No patient yet, minimum rate."""
    return do(Bench(), wait(2 * HOUR))


def programmed(program: Program = OLD) -> Bench:
    """At 02:00, an hour after a scheduled bolus and one before the next."""
    bench = Bench()
    bench.program(program)
    return do(bench, wait(2 * HOUR))


def stopped() -> Bench:
    bench = Bench()
    bench.program(OLD)
    bench.stop(5)
    return do(bench, wait(2 * HOUR))


def giving_scheduled() -> Bench:
    bench = Bench()
    bench.program(OLD)
    return do(bench, wait(75 * MINUTE))


def order(operation: int, dose: int = 30_000, over: int = 40 * MINUTE) -> tuple[Step, ...]:
    """A clinician's bolus."""
    return stage(StageBolus(TAG, BolusKind.SINGLE, dose, over)), activate(operation)


def giving() -> Bench:
    """An ordered bolus runs, and has given a share that is no whole ng."""
    return do(programmed(), *order(6, 30_001), wait(23 * MINUTE + 1))


def refill(
    program: Program, *, late: int = 0, bridge: Bridge | None = None
) -> Callable[[Bench], StageRefill]:
    """Drained empty and filled up, `late` pulses ago."""

    def made(bench: Bench) -> StageRefill:
        engine = bench.core.engine
        drained = engine.reservoir + late * 100
        return StageRefill(
            TAG,
            drained=drained,
            injected=40_000_000,
            volume=40_000_000,
            filled_at=bench.core.clock.utc,
            since=engine.motor.pulses - late,
            bridge=bridge,
            program=program,
        )

    return made


OVER = Bridge(LINE, Drug.BACLOFEN, 500)


def bridging() -> Bench:
    """Two hours after a refill with 2000 mcg/mL."""
    stepped = refill(STRONG, late=30, bridge=OVER)
    return do(programmed(), stage(stepped), activate(8), wait(2 * HOUR))


def forgotten() -> Bench:
    """Filled with another concentration, and nobody thought of the line."""
    return do(programmed(), stage(refill(STRONG, late=30)), activate(8), wait(HOUR))


def unprimed() -> Bench:
    """Right after an implant, its catheter still free of drug."""
    return do(programmed(), stage(_implanted), activate(8))


def _implanted(bench: Bench) -> StageImplant:
    record = bench.core.record_in_force
    empty = Part(Holds.FREE, Drug.BACLOFEN, 0)
    return StageImplant(TAG, record._replace(catheter_holds=empty))


# --- acts of a station -----------------------------------------------------------------------

ASKED: dict[str, Act] = {
    "first program": Act(fresh, staged_and_real(m.StageProgram(TAG, NEW))),
    "program": Act(programmed, staged_and_real(m.StageProgram(TAG, NEW))),
    "program of a stopped pump": Act(stopped, staged_and_real(m.StageProgram(TAG, NEW))),
    "program beside a bolus": Act(giving, staged_and_real(m.StageProgram(TAG, NEW))),
    "program beside a scheduled bolus": Act(
        giving_scheduled, staged_and_real(m.StageProgram(TAG, NEW))
    ),
    "program in a bridge": Act(
        bridging,
        staged_and_real(
            m.StageProgram(TAG, flex(200_000, 400_000, concentration=2_000, fallback=120_000))
        ),
    ),
    "resume": Act(stopped, staged_and_real(StageResume(TAG, program_hash(OLD)))),
    "stop": Act(programmed, (ask(m.Stop(op(OPERATION), bytes(32))),)),
    "stop with something staged": Act(
        programmed,
        (stage(m.StageProgram(TAG, NEW)), ask(m.Stop(op(OPERATION), bytes(range(32))))),
    ),
    "stop while an ordered bolus runs": Act(giving, (ask(m.Stop(op(OPERATION), bytes(32))),)),
    "cancel of a scheduled bolus": Act(
        giving_scheduled, (ask(m.CancelBolus(op(OPERATION), bytes(32))),)
    ),
    "cancel of an ordered bolus": Act(giving, (ask(m.CancelBolus(op(OPERATION), bytes(32))),)),
    "void": Act(programmed, (ask(m.Resolve(op(OPERATION))),)),
    "bolus": Act(programmed, staged_and_real(StageBolus(TAG, BolusKind.SINGLE, 30_001, HOUR))),
    "prime": Act(unprimed, staged_and_real(StageBolus(TAG, BolusKind.PRIME, 60_000, 20 * MINUTE))),
    "refill of the same drug": Act(
        programmed, staged_and_real(refill(flex(310_000, 510_000), late=40))
    ),
    "refill with a bridge": Act(programmed, staged_and_real(refill(STRONG, late=40, bridge=OVER))),
    "refill beside a bolus": Act(giving, staged_and_real(refill(flex(310_000, 510_000), late=40))),
    "refill that ends a stop": Act(stopped, staged_and_real(refill(STRONG, bridge=OVER))),
    "refill in a bridge": Act(bridging, staged_and_real(refill(STRONG, late=40))),
    "bridge repaired": Act(
        forgotten,
        staged_and_real(lambda bench: StageBridge(TAG, OVER, bench.core.control.fill.since)),
    ),
}
