"""What to do when a pump refuses to stage something: a few words for each of its codes.

The pump's own words say why; here stands only what a person may do next. Where its
words say all, there is none. Nothing here changes what is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from pumpctl.errors import PumpRefused
from pumpctl.wire.codes import Refuse
from pumpctl.wire.messages import Refusal

_NEXT: Mapping[Refuse, str] = {
    Refuse.ROLE: "the pump gives this operator's key another role: pumpctl operator list",
    Refuse.BOLUS_RUNNING: "wait for its end, or end it: pumpctl bolus cancel",
    Refuse.BRIDGE_RUNNING: (
        "wait until the new drug is at the tip: pumpctl status shows when; a reduction is possible"
    ),
    Refuse.LOCKOUT: "wait until the lockout is over",
    Refuse.CRITICAL_ALARM: "find the alarm's cause first: pumpctl status shows it",
    Refuse.SELF_TEST: "a self-test takes less than a minute: try again after it",
    Refuse.STOPPED: "restore delivery first: pumpctl resume, or a low start after 48 h",
    Refuse.STOPPED_TOO_LONG: (
        "start again as with a new patient: no more than the starting dose, and less than before"
    ),
    Refuse.LIMIT_WINDOW: (
        "the pump counts what it has given itself, and by limits of its own: wait, or plan less"
    ),
    Refuse.PATIENT_TAG: "it is another patient's pump: pumpctl patient assign, if it is not",
    Refuse.CLOCK: "compare it with a third clock: pumpctl clock shows both",
    Refuse.FLASH: "the pump has lost a part of its memory: interrogate it, push a profile",
}


def refused(what: str, told: Refusal) -> PumpRefused:
    """The pump's refusal, in its own words, with what may be done next."""
    return PumpRefused(
        f"{what}: {told.detail or told.code.name}",
        pump_code=told.code.name,
        hint=_NEXT.get(told.code),
    )
