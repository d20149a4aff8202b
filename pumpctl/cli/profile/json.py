"""A profile and what it gives, as JSON: one place for `check`, `show`, `diff` and `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.cli.report import finding_json

if TYPE_CHECKING:
    from pumpctl.quantities import Rate
    from pumpctl.therapy.forecast import Outlook
    from pumpctl.therapy.profile import ProfileReading
    from pumpctl.therapy.program import Program, ScheduledBolus


def reading_json(reading: ProfileReading) -> dict[str, Any]:
    """What `profile check` promises: hash, mode, days and findings; null where there is none."""
    program = reading.program
    data: dict[str, Any] = {
        "hash": None,
        "mode": None,
        "days": [],
        "findings": [finding_json(found) for found in reading.findings],
    }
    if program is None:
        return data
    from pumpctl.therapy.figures import week
    from pumpctl.therapy.moment import DAYS

    data["hash"] = hash_text(program)
    data["mode"] = program.mode.value
    data["days"] = [
        {
            "day": DAYS[day.day],
            "daily_dose": str(day.daily_dose),
            "largest_hour": str(day.largest_hour),
        }
        for day in week(program)
    ]
    return data


def hash_text(program: Program) -> str | None:
    """The hash that a pump will report; None for a drug that no pump knows."""
    from pumpctl.pump.encode import program_hash

    try:
        return program_hash(program).hex()
    except ValueError:  # a hard finding says so
        return None


def drug_json(program: Program) -> dict[str, str]:
    """Drug and concentration."""
    return {"name": program.drug, "concentration": str(program.concentration)}


def detail_json(program: Program) -> dict[str, Any]:
    """Everything that a program consists of, day by day."""
    from pumpctl.therapy.moment import DAYS, clock_text

    dose = program.patient_dose
    return {
        "drug": drug_json(program),
        "fallback_rate": str(program.fallback),
        "low_alarm": str(program.low_alarm),
        "steps": [
            {
                "day": DAYS[day],
                "steps": [
                    {"from": clock_text(step.start), "basal": basal_text(step.rate)}
                    for step in steps
                ],
            }
            for day, steps in enumerate(program.days)
        ],
        "boluses": [
            {"day": DAYS[bolus.day], **bolus_json(bolus, program)} for bolus in program.boluses
        ],
        "patient_dose": None
        if dose is None
        else {
            "dose": str(dose.dose),
            "over": str(dose.over),
            "lockout": str(dose.lockout),
            "max_per_24h": dose.max_per_24h,
        },
    }


def basal_text(rate: Rate) -> str:
    """A basal rate per hour, as a profile has it; per day where no decimal is it exactly."""
    try:
        return rate.text_in("mcg/h")
    except ValueError:  # 100 mcg/day is 4.1666... mcg/h
        return str(rate)


def bolus_json(bolus: ScheduledBolus, program: Program) -> dict[str, str]:
    """A scheduled bolus, in mcg and in mL."""
    from pumpctl.therapy.hours import volume_half_up
    from pumpctl.therapy.moment import clock_text

    return {
        "at": clock_text(bolus.at),
        "dose": str(bolus.dose),
        "over": str(bolus.over),
        "volume": str(volume_half_up(bolus.dose.quanta, program.concentration)),
    }


def hours_json(program: Program) -> list[dict[str, Any]]:
    """The 24 hours of each kind of day; a bolus in the hour in which it starts."""
    from pumpctl.quantities import Mass, round_half_up
    from pumpctl.therapy.hours import alike_days, hours, volume_half_up
    from pumpctl.therapy.moment import clock_text

    return [
        {
            "days": days_json(days),
            "hours": [
                {
                    "from": clock_text(60 * at),
                    "basal_mass": str(Mass(round_half_up(hour.basal))),
                    "boluses": [bolus_json(bolus, program) for bolus in hour.boluses],
                    "mass": str(Mass(round_half_up(hour.mass))),
                    "volume": str(volume_half_up(hour.mass, program.concentration)),
                }
                for at, hour in enumerate(hours(program, days[0]))
            ],
        }
        for days in alike_days(program)
    ]


def days_json(days: tuple[int, ...]) -> list[str]:
    """Days by their names in a profile."""
    from pumpctl.therapy.moment import DAYS

    return [DAYS[day] for day in days]


def outlook_json(seen: Outlook) -> dict[str, Any]:
    """The days ahead and the dates; what is left is at the end of each day."""
    from pumpctl.therapy.library import window_text
    from pumpctl.therapy.moment import DAYS

    return {
        "from": str(seen.start),
        "low_date": str(seen.low_date),
        "empty_date": str(seen.empty_date),
        "refill_by": str(seen.refill.date),
        "refill_because": seen.refill.because.value,
        "mass": str(seen.mass),
        "volume": str(seen.volume),
        "days": [
            {
                "date": str(day.date),
                "day": DAYS[day.date.weekday],
                "mass": str(day.mass),
                "volume": str(day.volume),
                "largest_hour": str(day.largest_hour),
                "windows": [
                    {"length": window_text(length), "mass": str(mass)}
                    for length, mass in zip(seen.windows, day.windows, strict=True)
                ],
                "left_scheduled": str(day.left_scheduled),
                "left_with_patient_doses": str(day.left_with_patient_doses),
            }
            for day in seen.days
        ],
    }
