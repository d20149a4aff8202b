"""The profile of the demo: weekdays and weekend, two boluses. Plain text, nothing else."""

from __future__ import annotations

TEXT = """\
format = 1

[patient]
tag = "DEMO-1"
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
steps = [{ from = "00:00", basal = "14 mcg/h" }]

[[program.bolus]]
dose = "20 mcg"
over = "10 min"
at = ["07:00", "21:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[reservoir]
low_alarm = "2 mL"
"""
