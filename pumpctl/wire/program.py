"""The canonical bytes of a program, which its hash is taken from.

One prescription has exactly one spelling: seven days from Monday, each a list
of steps sorted by start with equal neighbours merged, boluses sorted by day
and minute. `spelling_fault` names what breaks that; it judges form only, never
whether a dose is wise.
"""

import hashlib
from itertools import pairwise
from typing import Annotated

from pumpctl.named import NamedTuple
from pumpctl.wire import prescribed
from pumpctl.wire.fields import Many, Maybe, Reader, Struct, UInt, WireError
from pumpctl.wire.quanta import Drug, Minute, Mode, Ms, Ng, NgPerDay, Nl, PgPerNl, Weekday

FORMAT = 1
MOST_STEPS = 13
MOST_BOLUSES_A_DAY = 24
DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Step(NamedTuple):
    """From this minute on, until the next step or midnight, this rate."""

    start: Minute
    rate: NgPerDay


class ScheduledBolus(NamedTuple):
    """A dose that starts at a minute of a weekday and is spread over `over`."""

    day: Weekday
    at: Minute
    dose: Ng
    over: Ms


class PatientDose(NamedTuple):
    """What the patient may take: `lockout` from the end of any bolus, `most` in any 24 h."""

    dose: Ng
    over: Ms
    lockout: Ms
    most: Annotated[int, UInt(1)]


class Program(NamedTuple):
    """A whole prescription. In minimum rate the days are empty."""

    format: Annotated[int, UInt(1)]
    mode: Mode
    drug: Drug
    concentration: PgPerNl
    fallback: NgPerDay
    days: Annotated[
        tuple[tuple[Step, ...], ...], Many(Many(Struct(Step), MOST_STEPS), most=7, least=7)
    ]
    boluses: Annotated[
        tuple[ScheduledBolus, ...], Many(Struct(ScheduledBolus), 7 * MOST_BOLUSES_A_DAY)
    ]
    patient_dose: Annotated[PatientDose | None, Maybe(Struct(PatientDose))]
    low_alarm: Nl


PROGRAM_FIELD = Struct(Program)


def program_bytes(program: Program) -> bytes:
    """The canonical bytes; WireError where a value fits no field."""
    out = bytearray()
    PROGRAM_FIELD.put(program, out)
    return bytes(out)


def program_from(data: bytes) -> Program:
    """Read canonical bytes; WireError for anything else."""
    reader = Reader(data)
    program = PROGRAM_FIELD.get(reader)
    reader.finish()
    fault = spelling_fault(program)
    if fault is not None:
        raise WireError(fault)
    return program


def program_hash(program: Program) -> bytes:
    """SHA-256 of the canonical bytes: the name by which both sides know a program."""
    return hashlib.sha256(program_bytes(program)).digest()


def spelling_fault(program: Program) -> str | None:
    """What keeps this from being the one spelling of a program, or None."""
    if program.format != FORMAT:
        return f"program format {program.format}, only {FORMAT} is known"
    if program.mode is prescribed.Mode.MINIMUM_RATE:
        if any(program.days) or program.boluses or program.patient_dose is not None:
            return "a minimum-rate program has no steps, no boluses and no patient dose"
        return None
    for day, steps in enumerate(program.days):
        fault = _day_fault(program.mode, steps)
        if fault is not None:
            return f"day {day}: {fault}"
    if program.mode is prescribed.Mode.CONTINUOUS and len(set(program.days)) != 1:
        return "a continuous program is the same on every day"
    places = [(bolus.day, bolus.at) for bolus in program.boluses]
    if places != sorted(set(places)):
        return "boluses are not sorted by day and minute, or two start together"
    for day in range(7):
        if sum(1 for bolus in program.boluses if bolus.day == day) > MOST_BOLUSES_A_DAY:
            return f"day {day}: more than {MOST_BOLUSES_A_DAY} boluses"
    return None


def _day_fault(mode: prescribed.Mode, steps: tuple[Step, ...]) -> str | None:
    if not steps:
        return "no steps"
    if mode is prescribed.Mode.CONTINUOUS and len(steps) != 1:
        return "a continuous day has one step"
    if steps[0].start != 0:
        return "a gap: the first step does not start at 00:00"
    for earlier, later in pairwise(steps):
        if later.start <= earlier.start:
            return "steps overlap or are not sorted"
        if later.rate == earlier.rate:
            return "equal neighbouring steps are not merged"
    return None


ProgramField = Annotated[Program, PROGRAM_FIELD]
"""How a message declares that it carries a program."""
