"""The whole firmware beside stepping second by second, and what a pump weighs.

Going from event to event stands beside the same firmware taken second by second,
doing all that it does (flash, log, alarms, battery, plug flow of two lines); an
hour of that is timed. Beside both, for its own sake, a bare loop that every second
looks up what is due and gives a pulse when one is owed, and does nothing else. All
must give the same pulses, or the benchmark ends with a fault. Memory is what the
interpreter itself counts for one pump more.
"""

from __future__ import annotations

import gc
import hashlib
import sys
import time
import tracemalloc
from math import lcm

from benchmarks.axis import Axis, Options, Result, Row, Target
from benchmarks.processes import ROOT
from pumpctl.emulator import factory
from pumpctl.emulator.acts.caller import Caller
from pumpctl.emulator.acts.dispatch import handle
from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory.flash import MemoryStore
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.memory.implant import MODELS
from pumpctl.pump.encode import to_wire
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Role
from pumpctl.wire.program import Program

MONDAY = 1_788_134_400_000  # 2026-08-31T00:00Z
AT_LEAST = 100
DAY = 86_400
PULSE = 100


class Entropy:
    """The same numbers in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(str(self._count).encode()).digest(size)


def pump(program: Program) -> Firmware:
    """A frozen pump that runs this."""
    entropy = Entropy()

    def now() -> int:
        return MONDAY

    image, _ = factory.make(
        MODELS["SP40"],
        volume=40_000_000,
        concentration=program.concentration,
        bench=True,
        frozen=True,
        offset_min=0,
        now=now,
        entropy=entropy,
    )
    firmware = Firmware.attach(flash_of(MemoryStore(image)), now=now, entropy=entropy)
    core, caller = firmware.core, Caller(1, Role.CLINICIAN, b"somebody")
    staged = handle(core, caller, m.StageProgram(b"patient1", program))
    handle(core, caller, m.GetReadback())
    done = handle(
        core, caller, m.Activate(bytes(15) + b"1", staged.content, 1, staged.nonce, bytes(32))
    )
    if not isinstance(done, m.Done):
        sys.exit(f"the pump did not take the program: {done}")
    return firmware


def stepped(program: Program, days: int) -> int:
    """Pulses of so many days, one second after the other."""
    scale = lcm(DAY, *(bolus.over // 1_000 for bolus in program.boluses)) * program.concentration
    per_second = [[0] * DAY for _ in range(7)]
    for day, steps in enumerate(program.days):
        ends = [step.start * 60 for step in steps[1:]] + [DAY]
        for step, end in zip(steps, ends, strict=True):
            for second in range(step.start * 60, end):
                per_second[day][second] = step.rate * 1_000 * (scale // DAY)
    for bolus in program.boluses:
        seconds = bolus.over // 1_000
        for second in range(seconds):
            day, at = divmod(bolus.at * 60 + second, DAY)
            per_second[(bolus.day + day) % 7][at] += bolus.dose * 1_000 * (scale // seconds)
    pulse = PULSE * scale * program.concentration
    owed = pulses = 0
    for day in range(days):
        today = per_second[day % 7]
        for second in range(DAY):
            owed += today[second]
            while owed >= pulse:
                owed -= pulse
                pulses += 1
    return pulses


def by_seconds(program: Program, seconds: int) -> tuple[float, int]:
    """The firmware's engine stopped at every second: time taken, and pulses."""
    engine = pump(program).core.engine
    begun = time.perf_counter()
    for second in range(1, seconds + 1):
        engine.advance(second * 1_000)
    return time.perf_counter() - begun, engine.motor.pulses


def memory(program: Program, pumps: int) -> tuple[int, int]:
    """Bytes of one pump that runs, and of each of many, their images (on disk) not counted."""
    gc.collect()
    tracemalloc.start()
    first, _ = tracemalloc.get_traced_memory()
    ward = [pump(program)]
    one, _ = tracemalloc.get_traced_memory()
    ward += [pump(program) for _ in range(pumps - 1)]
    gc.collect()
    many, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = len(ward[0].core.flash.store.image)  # type: ignore[attr-defined]
    return one - first - size, (many - first) // pumps - size


def run(options: Options) -> Result:
    """Time them, hold their pulses against each other."""
    days, pumps = (2, 3) if options.quick else (30, 200)
    stretch = 60 if options.quick else 3_600
    profile = ROOT / "profiles" / "flex.toml"
    read = read_profile_bytes(profile.read_bytes(), profile.name).program
    if read is None:
        sys.exit("profiles/flex.toml cannot be read")
    program = to_wire(read)
    events = []
    given = entries = 0
    for _ in range(options.times(7)):
        firmware = pump(program)
        begun = time.perf_counter()
        firmware.advance(days * DAY * 1_000)
        events.append(days / (time.perf_counter() - begun))
        given = firmware.core.engine.motor.pulses
        entries = firmware.core.log.next - 1
    begun = time.perf_counter()
    wanted = stepped(program, days)
    bare = days / (time.perf_counter() - begun)
    if given != wanted:
        sys.exit(f"the firmware gave {given} pulses, stepping {wanted}")
    took, few = by_seconds(program, stretch)
    slow = stretch / DAY / took
    whole = pump(program)
    whole.advance(stretch * 1_000)
    if few != whole.core.engine.motor.pulses:
        sys.exit("taken by seconds the firmware gives other pulses")
    one, each = memory(program, pumps)
    ratio = tuple(rate / slow for rate in events)
    rows = (
        Row("event to event", tuple(events), "days/s"),
        Row("the same firmware, second by second", (slow,), "days/s"),
        Row("a bare loop over seconds", (bare,), "days/s"),
        Row("event to event / by seconds", ratio, "×", Target(AT_LEAST, least=True)),
        Row("event to event / the bare loop", tuple(rate / bare for rate in events), "×"),
        Row("memory of one pump, beside its image", (one / 1024,), "KiB"),
        Row(f"memory of each of {pumps}", (each / 1024,), "KiB"),
    )
    notes = (f"{days} days of profiles/flex.toml: {given} pulses, {entries} log entries",)
    return Result(rows, notes)


AXIS = Axis("emulator", "simulated days per second of a whole pump", run)
