"""Profiles as text, for tests: one that is fine, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

FLEX = """\
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

[reservoir]
low_alarm = "2 mL"
"""


def continuous(
    daily: str = "240 mcg/day",
    *,
    fallback: str = "150 mcg/day",
    concentration: str = "2000 mcg/mL",
    tag: str = "P-0417",
    serial: str = "",
) -> str:
    """A continuous profile: no clock matters to it."""
    pump = f'[pump]\nserial = "{serial}"\n\n' if serial else ""
    return f"""\
format = 1

[patient]
tag = "{tag}"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

{pump}[drug]
name = "baclofen"
concentration = "{concentration}"

[program]
mode = "continuous"
daily_dose = "{daily}"
fallback_rate = "{fallback}"

[reservoir]
low_alarm = "2 mL"
"""


def spoiled(old: str, new: str, text: str = FLEX) -> str:
    """The profile with one thing changed, which must be in it."""
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def written(path: Path, text: str) -> Path:
    """The text in a file."""
    path.write_text(text, "utf-8")
    return path
