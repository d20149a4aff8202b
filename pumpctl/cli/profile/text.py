"""A program in plain text: its figures, a day as 24 blocks, and every hour in a table.

Without rich, so that a profile can be shown quickly. Terminals that cannot
write the blocks get digits.
"""

from __future__ import annotations

import os
import sys
from fractions import Fraction

from pumpctl.quantities import Concentration, Mass, Rate, Volume, round_half_up, round_up
from pumpctl.therapy.compare import bolus_lines, day_rows, days_label, summary
from pumpctl.therapy.curve import HOUR_MS, Curve
from pumpctl.therapy.figures import daily_doses, patient_doses_24h
from pumpctl.therapy.hours import Hour, alike_days, even_day, hours, volume_half_up
from pumpctl.therapy.moment import DAY_MS, clock_text
from pumpctl.therapy.program import Mode, PatientDose, Program

_BLOCKS = "▁▂▃▄▅▆▇█"
_DIGITS = "12345678"
_POOR_TERMINALS = {"linux", "dumb"}
"""They take the letters and show a box."""


def program_lines(program: Program) -> list[str]:
    """A program as text: its figures, then the hours of each kind of day."""
    told, curve = summary(program), Curve(program)
    per_ml = program.concentration
    hour = curve.largest(HOUR_MS)
    doses = daily_doses(program)
    share = "" if program.mode is Mode.MINIMUM else f"  ({told.fallback_share} of the smallest day)"
    lines = [f"{program.mode.value} · {program.drug} {program.concentration}"]
    for row in day_rows(None, program):
        per_hour = Rate(row.new.quanta).per_hour_text()
        lines.append(
            f"  {row.label:13}  {_with_flow(doses[row.days[0]], program)}  (mean {per_hour})"
        )
    lines += [
        f"  largest hour   {told.largest_hour} = {volume_up(hour, per_ml)}",
        f"  largest day    {told.largest_day} = {told.flow} at {program.concentration}",
        f"  fallback       {_with_flow(told.fallback.quanta, program)}{share}",
        f"  low alarm      {program.low_alarm}",
    ]
    dose = program.patient_dose
    if dose is not None:
        lines.append(f"  patient dose   {patient_dose_text(dose)}")
        lines.append(f"  24 h with all  {all_doses_text(program, curve)}")
    if program.mode is Mode.FLEX or program.boluses:
        lines += ["", *hours_text(program), *_detail(program)]
    return lines


def with_volume(mass: Mass, concentration: Concentration) -> str:
    """`20 mcg = 0.01 mL` (UNI-06)."""
    return f"{mass} = {volume_half_up(mass.quanta, concentration)}"


def volume_up(exact: Fraction | int, concentration: Concentration) -> Volume:
    """The volume of a mass (ng) that is held against an upper limit: up, once."""
    return Volume(round_up(Fraction(exact) * 1_000 / concentration.quanta))


def all_doses_text(program: Program, curve: Curve) -> str:
    """The largest 24 hours with every permitted patient dose, as mass and volume, both up."""
    exact = curve.largest(DAY_MS) + patient_doses_24h(program).quanta
    return f"{Mass(round_up(exact))} = {volume_up(exact, program.concentration)}"


def _with_flow(exact: Fraction | int, program: Program) -> str:
    """A daily dose (ng) and its volume, each half up from the exact one."""
    rate = Rate(round_half_up(exact))
    return f"{rate} = {volume_half_up(exact, program.concentration)}/day"


def patient_dose_text(dose: PatientDose) -> str:
    """What the patient may take, in one line."""
    return (
        f"{dose.dose} over {dose.over}, lockout {dose.lockout}, at most {dose.max_per_24h} in 24 h"
    )


def hours_text(program: Program) -> list[str]:
    """One line per kind of day: 24 blocks, basal and boluses of each hour, and the peak."""
    if program.mode is Mode.MINIMUM:
        return []
    lines = []
    days = [_delivered(program, day) for day in range(7)]
    top = max(max(day) for day in days) or 1
    blocks = _BLOCKS if can_write(_BLOCKS) else _DIGITS
    first = 0
    for day in range(1, 8):
        if day < 7 and days[day] == days[first]:
            continue
        masses = days[first]
        bars = "".join(blocks[max(0, round_half_up(8 * mass / top) - 1)] for mass in masses)
        even = max(masses) == min(masses)
        peak = "even" if even else f"peak {clock_text(60 * masses.index(max(masses)))}"
        label = days_label(tuple(range(first, day)))
        lines.append(f"{label:9} {bars}  00-24 h, {peak}")
        first = day
    return lines


def _delivered(program: Program, day: int) -> list[Fraction]:
    """What each hour of the clock really gives: a long bolus lies in all the hours it takes."""
    curve = Curve(program)
    starts = [day * DAY_MS + hour * HOUR_MS for hour in range(24)]
    return [curve.between(start, start + HOUR_MS) for start in starts]


def hour_table(program: Program) -> list[str]:
    """Every hour of each kind of day: basal, boluses, both together, and their volume."""
    lines = []
    for days in alike_days(program):
        table = hours(program, days[0])
        total = sum(hour.mass for hour in table)
        whole = _with_flow(total, program)
        lines += ["", f"{days_label(days)}: {whole} at {program.concentration}"]
        if even_day(program, days[0]):
            mass = table[0].mass
            volume = volume_half_up(mass, program.concentration)
            lines.append(f"  each of the 24 hours  {_mass(mass)} = {volume}")
            continue
        lines.append(f"  {'hour':7} {'basal':13} {'bolus':22} {'together':13} volume")
        for at, hour in enumerate(table):
            lines.append(
                f"  {at:02d}-{at + 1:02d}   {_mass(hour.basal):13} {_boluses(hour):22} "
                f"{_mass(hour.mass):13} {volume_half_up(hour.mass, program.concentration)}"
            )
    if any(not even_day(program, day) for day in range(7)):
        lines += ["", "A bolus is counted in the hour in which it starts."]
    return lines


def _mass(exact: Fraction) -> str:
    return str(Mass(round_half_up(exact)))


def _boluses(hour: Hour) -> str:
    given = hour.boluses
    if len(given) > 1:
        return f"{len(given)} boluses, {sum((each.dose for each in given), Mass(0))}"
    return "".join(f"{clock_text(each.at)} {each.dose}" for each in given)


def _detail(program: Program) -> list[str]:
    """Steps and boluses, days that are alike together."""
    lines = [""]
    first = 0
    for day in range(1, 8):
        if day < 7 and program.days[day] == program.days[first]:
            continue
        steps = ", ".join(
            f"{clock_text(step.start)} {step.rate.per_hour_text()}" for step in program.days[first]
        )
        lines.append(f"{days_label(tuple(range(first, day))):9} {steps}")
        first = day
    return [*lines, *(f"bolus     {line}" for line in bolus_lines(program))]


def can_write(text: str) -> bool:
    """Whether these letters can be put on stdout and will be seen there."""
    if sys.stdout.isatty() and os.environ.get("TERM") in _POOR_TERMINALS:
        return False
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
