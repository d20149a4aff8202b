"""Programs and read-backs of programs as plans and the JSON show them; challenges of both.

Shared by the acts that bring a program and by whatever shows one. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pumpctl.errors import ReadbackDiffers
from pumpctl.pump.encode import program_hash
from pumpctl.pump.readbacks import DayFigures, ProgramBack, Readback
from pumpctl.quantities import Mass, Rate, Volume, round_half_up
from pumpctl.therapy import figures
from pumpctl.therapy.compare import change, summary
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.program import Program
from pumpctl.workflows.acts.act import Challenge, Pair


def described(program: Program | None) -> dict[str, Any]:
    """A program's figures as a plan and the JSON show them."""
    if program is None:
        return {"mode": None}
    told = summary(program)
    dose = program.patient_dose
    return {
        "hash": program_hash(program).hex(),
        "mode": program.mode.value,
        "drug": {"name": told.drug, "concentration": str(told.concentration)},
        "daily_dose": str(told.largest_day),
        "days": [
            {
                "day": DAYS[day.day],
                "daily_dose": str(day.daily_dose),
                "largest_hour": str(day.largest_hour),
            }
            for day in figures.week(program)
        ],
        "largest_hour": str(told.largest_hour),
        "flow": str(told.flow),
        "fallback_rate": str(told.fallback),
        "boluses": len(program.boluses),
        "patient_dose": None
        if dose is None
        else {
            "dose": str(dose.dose),
            "over": str(dose.over),
            "lockout": str(dose.lockout),
            "max_per_24h": dose.max_per_24h,
        },
        "low_alarm": str(program.low_alarm),
    }


def days_told(days: tuple[DayFigures, ...]) -> list[dict[str, str]]:
    """The pump's own figures of the days."""
    return [
        {
            "day": DAYS[number],
            "daily_dose": str(Rate(day.daily_dose.quanta)),
            "volume": str(day.volume),
            "largest_hour": str(day.largest_hour),
        }
        for number, day in enumerate(days)
    ]


def program_told(readback: ProgramBack) -> dict[str, Any]:
    """The pump's own figures of a program."""
    return {
        "hash": readback.program_hash.hex(),
        "content": readback.content.hex(),
        "days": days_told(readback.days),
        "largest_24h": str(readback.largest_24h),
        "fallback_rate": str(readback.program.fallback),
    }


def program_back(readback: Readback) -> ProgramBack:
    """The read-back of a program; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, ProgramBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a program was staged")
    return readback


def program_pairs(program: Program, tag: bytes, readback: ProgramBack) -> Iterator[Pair]:
    """The station's own figures of a program beside the pump's."""
    yield "program", program, readback.program
    yield "program hash", program_hash(program).hex(), readback.program_hash.hex()
    yield "patient", tag.hex(), readback.tag.hex()
    total = figures.largest_24h_with_patient_doses(program)
    yield "largest 24 h", total, readback.largest_24h
    yield from day_pairs(program, readback.days)


def day_pairs(program: Program, told: tuple[DayFigures, ...]) -> Iterator[Pair]:
    """Each day of a program, by its own concentration."""
    exact, per_nl = figures.daily_doses(program), program.concentration.quanta
    for day, seen in zip(figures.week(program), told, strict=True):
        name = DAYS[day.day]
        yield f"dose {name}", Mass(day.daily_dose.quanta), seen.daily_dose
        yield f"largest hour {name}", day.largest_hour, seen.largest_hour
        volume = Volume(round_half_up(exact[day.day] * 1000 / per_nl))
        yield f"volume {name}", volume, seen.volume


def program_challenge(old: Mapping[str, Any], readback: ProgramBack) -> Challenge:
    """The largest day's dose; where no day's total changes, the largest hour."""
    doses = [Rate(day.daily_dose.quanta) for day in readback.days]
    if old.get("days") and [day["daily_dose"] for day in old["days"]] == [str(d) for d in doses]:
        hour = max(day.largest_hour for day in readback.days)
        return Challenge("the largest hour", (str(hour),))
    return Challenge("the largest day's dose", (str(max(doses)),))


def change_percent(old: Program | None, new: Program | None) -> str | None:
    """The change of the largest day's dose, signed, to a tenth of a percent."""
    if old is None or new is None:
        return None
    relative = change(figures.largest_day(old), figures.largest_day(new))
    if relative is None:
        return None
    tenths = round_half_up(abs(relative) * 1000)
    sign = "-" if relative < 0 and tenths else ""
    return f"{sign}{tenths // 10}.{tenths % 10}".removesuffix(".0")
