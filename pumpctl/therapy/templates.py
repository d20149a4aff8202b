"""The text of a new profile, one for each mode, for a person to fill in.

Each is a whole profile that can be checked at once, so that a newcomer sees
what a good one looks like; but its tag is a placeholder, and with that tag no
pump takes it. The figures are examples and say so. What a profile means is not
known here.
"""

from __future__ import annotations

from pumpctl.therapy.patient import PLACEHOLDER_TAG
from pumpctl.therapy.program import Mode

_HEAD = """\
#:schema ./profile.schema.json
# A new profile. Every figure below is an example: replace each one, and the tag
# (no pump takes the placeholder). Then: pumpctl profile check FILE
format = 1

[patient]
tag = "{tag}"               # the clinic's own label, never a name
spasticity_origin = "spinal"    # spinal | cerebral
age_group = "adult"             # under-12 | 12-17 | adult
history = "new"                 # new | established | transferred | replacement

# [pump]
# serial = "..."                # with this, only that pump takes the profile

[drug]
name = "baclofen"
concentration = "500 mcg/mL"    # what the pump holds; only a refill changes it

[program]
mode = "{mode}"
"""

_TAIL = """
[reservoir]
low_alarm = "2 mL"
"""

_CONTINUOUS = """\
daily_dose = "100 mcg/day"      # for every day, scheduled boluses included
fallback_rate = "75 mcg/day"    # what to give if the stored program is ever damaged

# A scheduled bolus, on top of the basal rate; it is part of daily_dose:
# [[program.bolus]]
# dose = "10 mcg"
# over = "10 min"
# at = ["07:00"]
# days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""

_FLEX = """\
fallback_rate = "75 mcg/day"    # what to give if the stored program is ever damaged

[[program.day]]                 # one of these for each group of days that are alike
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
daily_dose = "100 mcg/day"      # your own total: 7 x 4 + 14 x 4.5 + 3 x 3
steps = [                       # at most 13 a day, from 00:00, in order
  { from = "00:00", basal = "4 mcg/h" },
  { from = "07:00", basal = "4.5 mcg/h" },
  { from = "21:00", basal = "3 mcg/h" },
]

# A scheduled bolus, on top of the steps; it is part of daily_dose:
# [[program.bolus]]
# dose = "10 mcg"
# over = "10 min"
# at = ["07:00"]
# days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

# A dose on the patient's own activation; it is not part of daily_dose:
# [program.patient_dose]
# dose = "5 mcg"
# over = "5 min"
# lockout = "6 h"
# max_per_24h = 2
"""

_MINIMUM = """\
# No days, no doses and no fallback: the pump gives its least flow, 0.048 mL/day.
"""

_BODIES = {
    Mode.CONTINUOUS.value: _CONTINUOUS,
    Mode.FLEX.value: _FLEX,
    Mode.MINIMUM.value: _MINIMUM,
}
MODES = tuple(_BODIES)
"""The modes by name, the commonest first."""


def template(mode: str, tag: str = PLACEHOLDER_TAG) -> str:
    """The text of a new profile in one of `MODES`."""
    return _HEAD.format(tag=tag, mode=mode) + _BODIES[mode] + _TAIL
