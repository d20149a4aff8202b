"""A program in plain text: its figures, and a day as 24 blocks.

Without rich, so that a profile can be shown quickly. Terminals that cannot
write the blocks get digits.
"""

from __future__ import annotations

import sys

from pumpctl.quantities import Rate
from pumpctl.therapy.compare import DAY_NAMES, day_rows, summary
from pumpctl.therapy.moment import clock_text
from pumpctl.therapy.program import Mode, PatientDose, Program

_BLOCKS = "▁▂▃▄▅▆▇█"
_DIGITS = "12345678"


def program_lines(program: Program) -> list[str]:
    """A program as text: its figures, then the hours of each kind of day."""
    told = summary(program)
    share = "" if program.mode is Mode.MINIMUM else f"  ({told.fallback_share} of the smallest day)"
    lines = [f"{program.mode.value} · {program.drug} {program.concentration}"]
    for row in day_rows(None, program):
        per_hour = Rate(row.new.quanta).per_hour_text()
        lines.append(f"  {row.label:13}  {row.new}  (mean {per_hour})")
    lines += [
        f"  largest hour   {told.largest_hour}",
        f"  largest day    {told.largest_day} = {told.flow} at {program.concentration}",
        f"  fallback       {told.fallback}{share}",
        f"  low alarm      {program.low_alarm}",
    ]
    dose = program.patient_dose
    if dose is not None:
        lines.append(f"  patient dose   {patient_dose_text(dose)}")
        lines.append(f"  24 h with all  {told.largest_24h_with_patient_doses}")
    if program.mode is Mode.FLEX or program.boluses:
        lines += ["", *hours_text(program), *_detail(program)]
    return lines


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
    days = [_hours(program, day) for day in range(7)]
    top = max(max(day) for day in days)
    blocks = _BLOCKS if _can_write(_BLOCKS) else _DIGITS
    first = 0
    for day in range(1, 8):
        if day < 7 and days[day] == days[first]:
            continue
        hours = days[first]
        bars = "".join(blocks[max(0, (16 * mass + top) // (2 * top) - 1)] for mass in hours)
        peak = clock_text(60 * hours.index(max(hours)))
        lines.append(f"{_label(first, day - 1):9} {bars}  00-24 h, peak {peak}")
        first = day
    return lines


def _hours(program: Program, day: int) -> tuple[int, ...]:
    """Mass in ng per clock hour, boluses counted where they start; for drawing only."""
    steps = program.days[day]
    ends = [step.start for step in steps[1:]] + [1440]
    masses = [0] * 24
    for step, end in zip(steps, ends, strict=True):
        for hour in range(step.start // 60, (end + 59) // 60):
            minutes = min(end, 60 * hour + 60) - max(step.start, 60 * hour)
            masses[hour] += step.rate.quanta * minutes
    masses = [mass // 1440 for mass in masses]
    for bolus in program.boluses:
        if bolus.day == day:
            masses[bolus.at // 60] += bolus.dose.quanta
    return tuple(masses)


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
        lines.append(f"{_label(first, day - 1):9} {steps}")
        first = day
    slots: dict[tuple[int, str], list[int]] = {}
    for bolus in program.boluses:
        what = f"{bolus.dose} over {bolus.over}"
        slots.setdefault((bolus.at, what), []).append(bolus.day)
    for (at, what), days in sorted(slots.items()):
        named = "every day" if len(days) == 7 else ", ".join(DAY_NAMES[day] for day in days)
        lines.append(f"bolus     {clock_text(at)} {what}, {named}")
    return lines


def _label(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "every day"
    return DAY_NAMES[first] if first == last else f"{DAY_NAMES[first]}-{DAY_NAMES[last]}"


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
