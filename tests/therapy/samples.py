"""Profiles, programs and pumps for the tests of this floor, and small ways to alter them."""

from __future__ import annotations

from typing import Any

from pumpctl.outcomes import StateVersion
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.profile import Profile, ProfileReading, read_profile
from pumpctl.therapy.program import (
    Mode,
    PatientDose,
    Program,
    ScheduledBolus,
    Step,
    continuous,
    make_program,
)
from pumpctl.therapy.state import (
    Battery,
    BatteryState,
    Delivery,
    Fluid,
    Line,
    PumpState,
)

FLEX = """\
format = 1

[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

[pump]
serial = "SP40-000123"

[drug]
name = "baclofen"
concentration = "2000 mcg/mL"

[program]
mode = "flex"
fallback_rate = "216 mcg/day"

[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri"]
daily_dose = "438 mcg/day"
steps = [
  { from = "00:00", basal = "14 mcg/h" },
  { from = "06:00", basal = "26 mcg/h" },
  { from = "10:00", basal = "15 mcg/h" },
]

[[program.day]]
days = ["sat", "sun"]
daily_dose = "376 mcg/day"
steps = [ { from = "00:00", basal = "14 mcg/h" } ]

[[program.bolus]]
dose = "20 mcg"
over = "10 min"
at = ["07:00", "21:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3

[reservoir]
low_alarm = "2 mL"
"""
"""The contract's own example."""

CONTINUOUS = """\
format = 1

[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

[drug]
name = "baclofen"
concentration = "2000 mcg/mL"

[program]
mode = "continuous"
daily_dose = "450 mcg/day"
fallback_rate = "300 mcg/day"

[reservoir]
low_alarm = "2 mL"
"""

MINIMUM = """\
format = 1

[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

[drug]
name = "baclofen"
concentration = "500 mcg/mL"

[program]
mode = "minimum-rate"

[reservoir]
low_alarm = "2 mL"
"""

NOW = Moment.parse("2026-03-31T14:07:00+02:00")


def altered(text: str, *changes: tuple[str, str]) -> str:
    """The text with each change made; each must find its place exactly once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def read(text: str) -> ProfileReading:
    """Read a profile as `case.toml`."""
    return read_profile(text, "case.toml")


def profile(text: str) -> Profile:
    """A profile that must be readable, whatever its findings."""
    found = read(text).profile
    assert found is not None
    return found


def named(findings: tuple[Finding, ...], name: str) -> list[Finding]:
    """The findings of one id."""
    return [finding for finding in findings if finding.id == name]


def ids(findings: tuple[Finding, ...]) -> list[str]:
    """Ids in order."""
    return [finding.id for finding in findings]


def even(
    dose: str = "450 mcg/day", concentration: int = 2000, fallback: str = "300 mcg/day"
) -> Program:
    """A continuous program."""
    return make_program(
        Mode.CONTINUOUS,
        "baclofen",
        Concentration(concentration),
        low_alarm=Volume.parse("2 mL"),
        fallback=Rate.parse(fallback),
        days=continuous(Rate.parse(dose)),
    )


def minimum(concentration: int = 2000) -> Program:
    """A minimum-rate program."""
    low = Volume.parse("2 mL")
    return make_program(Mode.MINIMUM, "baclofen", Concentration(concentration), low_alarm=low)


def flex(
    days: list[list[tuple[int, str]]],
    boluses: list[tuple[int, int, str, str]] | None = None,
    own: PatientDose | None = None,
    concentration: int = 2000,
) -> Program:
    """A flex program of (minute, rate per hour) and (day, minute, dose, over)."""
    return make_program(
        Mode.FLEX,
        "baclofen",
        Concentration(concentration),
        low_alarm=Volume.parse("2 mL"),
        fallback=Rate.parse("200 mcg/day"),
        days=[[Step(at, Rate.parse(f"{rate} mcg/h")) for at, rate in day] for day in days],
        boluses=[
            ScheduledBolus(day, at, Mass.parse(dose), Duration.parse(over))
            for day, at, dose, over in boluses or []
        ],
        patient_dose=own,
    )


def pump(**other: Any) -> PumpState:
    """A pump that runs the continuous 450 mcg/day, in step and without alarms."""
    state = PumpState(
        serial="SP40-000123",
        model="SP40",
        firmware="1.0",
        bench=True,
        state_version=StateVersion(7),
        tag_hash=tag_hash("SP40-000123", "P-0417"),
        delivery=Delivery.DELIVERING,
        program=even(),
        program_hash=b"h" * 32,
        drug="baclofen",
        concentration=Concentration(2000),
        reservoir=Volume.parse("30 mL"),
        capacity=Volume.parse("40 mL"),
        low_alarm=Volume.parse("2 mL"),
        filled_at=NOW.plus(-20 * 86_400_000),
        line=Line(Volume.parse("0.348 mL"), Fluid("baclofen", Concentration(2000))),
        clock=NOW,
        counter_ms=1_000_000,
        battery=Battery(BatteryState.OK, NOW.date.plus(1_000)),
    )
    return state._replace(**other)
