"""A storm on the line: everything that may come to a pump that nobody means to treat.

`python -m tests.emulator.storm --days N --seed S` leaves one pump alone and throws
at its copy whatever there is, for so many days, in small steps of time; both get
the same treatment now and then. At odd instants a copy of the quiet one leaps there
at once, and pulses, carry, fluids and log of the two are held against each other.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import AlarmCode, BolusKind, Drug, LogKind
from pumpctl.wire.program import PatientDose, program_hash
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, daily, flex, paired
from tests.emulator.throws import THROWS, Storm

NOISE = frozenset({LogKind.STAGE_DROPPED, LogKind.PAIRING_OPENED, LogKind.VOIDED})
"""What a log says of the line alone; alarms, too, but only that of the flood."""
ALARMS = frozenset({LogKind.ALARM_RAISED, LogKind.ALARM_CLEARED})


class Seen(NamedTuple):
    """What one pump has given, and where it stands."""

    counter: int
    pulses: int
    lost: int
    carry: Fraction
    reservoir: int
    boluses: tuple[Any, ...]
    line: tuple[Any, ...]
    given: tuple[Any, ...]
    world_line: tuple[Any, ...]
    world_reservoir: Any
    pumped: int
    version: int


def seen(bench: Bench) -> Seen:
    """Its whole delivery at this instant."""
    core = bench.core
    engine, world = core.engine, core.world
    return Seen(
        core.clock.counter,
        engine.motor.pulses,
        engine.motor.lost,
        Fraction(*engine.motor.carry),
        engine.reservoir,
        tuple(engine.boluses),
        engine.line.plugs,
        (*engine.past_tip.entries(), *world.given),
        world.line.plugs,
        world.reservoir,
        world.pumped,
        core.control.state_version,
    )


def therapy(bench: Bench, since: int) -> list[tuple[Any, ...]]:
    """What the log says of the therapy after this counter, its own numbers left out."""
    found = []
    for entry in bench.entries():
        flood = entry.kind in ALARMS and entry.a == AlarmCode.LINK_FLOOD
        if entry.counter > since and entry.kind not in NOISE and not flood:
            found.append(tuple(entry)[1:])
    return found


# --- the same treatment for both ------------------------------------------------------------

PROGRAM = flex(
    300_007,
    511_013,
    290_000,
    boluses=daily((61, 20_011, 29 * MINUTE + 77), (700, 7_001, 3 * MINUTE + 331)),
    patient=PatientDose(5_003, 7 * MINUTE + 1, 30 * MINUTE, 12),
)
NEXT = flex(400_003, 350_001, concentration=2000, boluses=daily((333, 9_001, 10 * MINUTE)))


class Treatment:
    """A clinic's acts, the same on whatever pump."""

    def __init__(self) -> None:
        self.count = 0
        self.refused = 0

    def __call__(self, number: int, bench: Bench) -> None:
        acts_in_turn = (
            self.program, self.bolus, self.patient, self.refill, self.stall, self.clock, self.stop
        )  # fmt: skip
        acts_in_turn[number % len(acts_in_turn)](bench, 10 * number + 1)

    def act(self, bench: Bench, message: object, operation: int) -> None:
        """What this pump must not have now the quiet one refuses as well, or they part."""
        staged = bench.ask(message)
        if isinstance(staged, m.Refusal):
            self.refused += 1
            return
        bench.ask(m.GetReadback())
        answer = bench.activate(staged, operation)
        assert isinstance(answer, m.Done), answer
        self.count += 1

    def program(self, bench: Bench, operation: int) -> None:
        concentration = bench.core.control.concentration
        self.act(bench, m.StageProgram(TAG, PROGRAM if concentration == 500 else NEXT), operation)

    def bolus(self, bench: Bench, operation: int) -> None:
        order = acts.StageBolus(TAG, BolusKind.SINGLE, 30_011, 7 * HOUR + 13)
        self.act(bench, order, operation)

    def patient(self, bench: Bench, operation: int) -> None:
        bench.firmware.patient_dose()
        self.count += 1

    def refill(self, bench: Bench, operation: int) -> None:
        """Recorded when some of it had been pumped; with a bridge from the other fluid."""
        core = bench.core
        old = core.control.concentration
        bridge = acts.Bridge(348_000, Drug.BACLOFEN, old)
        since = max(0, core.engine.motor.pulses - 77)
        # To the last drop: of a mixture every stretch of time rounds its own share.
        there = core.engine.reservoir + (core.engine.motor.pulses - since) * core.implant.pulse
        program = NEXT if old == 500 else PROGRAM
        order = acts.StageRefill(
            TAG, there, 30_000_000, 30_000_000, core.clock.utc, since, bridge, program
        )
        self.act(bench, order, operation)

    def stall(self, bench: Bench, operation: int) -> None:
        core = bench.core
        core.catch_up()
        now = core.clock.counter
        core.world.add(Fault(FaultKind.STALL, now, now + 5 * HOUR + 7, 0))
        core.save()
        self.count += 1

    def clock(self, bench: Bench, operation: int) -> None:
        self.act(bench, acts.StageClock(-90 * MINUTE - 501, 0), operation)

    def stop(self, bench: Bench, operation: int) -> None:
        bench.stop(operation)
        bench.wait(3 * HOUR + 1)
        program = bench.get(m.GetProgram(), m.ProgramReport).program
        self.act(bench, acts.StageResume(TAG, program_hash(program)), operation + 1)


# --- the two beside each other -------------------------------------------------------------


class Result(NamedTuple):
    """What was thrown, and what of it was compared."""

    thrown: Counter[str]
    days: int
    instants: int
    entries: int
    treatments: int
    pulses: int
    difference: str

    def __str__(self) -> str:
        rows = {
            "days": self.days,
            "pulses": self.pulses,
            "acts of treatment on both": self.treatments,
            "instants compared": self.instants,
            "entries of the log compared": self.entries,
            **dict(sorted(self.thrown.items())),
        }
        wide = max(map(len, rows))
        lines = [f"  {name:<{wide}}  {count:>13,}" for name, count in rows.items()]
        return "\n".join([*lines, self.difference or "equal, pulse by pulse"])


def duel(days: int, seed: int) -> Result:
    """One left alone, the other one not, for so many days; the first difference ends it."""
    dice = Random(f"storm {seed}")
    quiet = Bench()
    line = paired(quiet)
    stormy = quiet.copy()
    line.bench = stormy
    storm, treatment = Storm(stormy, line, dice), Treatment()
    end, difference = quiet.host + days * DAY, ""
    number = instants = entries = 0
    while stormy.host < end and not difference:
        for bench in (quiet, stormy):
            treatment(number, bench)
        number += 1
        since = quiet.core.clock.counter
        for _ in range(4):
            storm.blow(dice.randint(1, 6 * HOUR))
            leaping = quiet.copy()  # from the last treatment to here in one piece
            leaping.wait(stormy.host - leaping.host)
            wanted, real = therapy(leaping, since), therapy(stormy, since)
            instants += 1
            if seen(leaping) != seen(stormy) or wanted != real:
                difference = f"DIFFERENT at {seen(stormy).counter} ms: {_apart(leaping, stormy)}"
                break
        quiet.wait(stormy.host - quiet.host)
        entries += len(therapy(quiet, since))
    pulses = quiet.core.engine.motor.pulses
    lived = quiet.core.clock.counter // DAY
    return Result(storm.thrown, lived, instants, entries, treatment.count // 2, pulses, difference)


def _apart(wanted: Bench, real: Bench) -> str:
    """The first figure that differs."""
    for name, one, other in zip(Seen._fields, seen(wanted), seen(real), strict=True):
        if one != other:
            return f"{name} is {other}, and {one} where nothing was thrown"
    return "the log"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.storm", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    result = duel(asked.days, asked.seed)
    print(result)
    return 1 if result.difference or any(not result.thrown[name] for name in THROWS) else 0


if __name__ == "__main__":
    sys.exit(main())
