"""What an alarm means for whoever stands at the station: its line, and what to do about it.

One place for the wording. Values in, text out: when a pump raises an alarm, and what
its delivery does about it, is the pump's matter (ALM-01).
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpctl.named import NamedTuple
from pumpctl.therapy.state import Alarm, Priority

WARNING = "ALARM_ACTIVE"
"""The code of a warning that tells of an alarm; API."""

WHAT_TO_DO = {
    "LOW_RESERVOIR": "Refill soon: withdrawal has been seen above the alarm's volume.",
    "EMPTY_RESERVOIR": "Refill now and watch for withdrawal; the volume is an estimate.",
    "ELECTIVE_REPLACEMENT": "Plan the replacement: 90 days after it began the pump stops.",
    "END_OF_SERVICE": "Nothing is given. Treat for withdrawal; the pump must be replaced.",
    "MOTOR_STALL": "Nothing is given. Watch for withdrawal; after a scan look again.",
    "STOPPED_TOO_LONG": "The old dose is unsafe now: begin again by the starting rule.",
    "MEMORY_ONE_COPY": "Look again after 24 h; if it is still there, have it examined.",
    "MEMORY_BOTH_COPIES": "Program the pump again; watch for withdrawal until then.",
    "BATTERY_RESET": "Drain and compare at once: what is known of volumes is uncertain.",
    "CLOCK_LOST": "Compare the pump's clock, then set it: pumpctl clock.",
    "LINK_FLOOD": "Something else sends to this pump: find it; delivery is not disturbed.",
    "VOLUME_DISAGREES": "Drain and compare: the sensor or the estimate is wrong.",
}
"""One line for each code, from the pump's reactions (ALM-01), C5 of docs/safety.md and practice."""
_UNKNOWN = "This program does not know it: look at the patient, then ask the maker."


class AlarmTold(NamedTuple):
    """An alarm for a screen."""

    code: str
    critical: bool
    line: str
    """Code, priority, since when, and the cause as the pump names it (ALM-02)."""
    act: str
    """What to do, one line."""


def tell_alarms(alarms: Iterable[Alarm]) -> tuple[AlarmTold, ...]:
    """Uncleared alarms, the critical ones first, else in the pump's order."""
    ordered = sorted(alarms, key=lambda alarm: alarm.priority is not Priority.CRITICAL)
    return tuple(
        AlarmTold(
            alarm.code,
            alarm.priority is Priority.CRITICAL,
            f"ALARM {alarm.code} ({alarm.priority.value}) since {alarm.since.label()}: "
            f"{alarm.cause}",
            WHAT_TO_DO.get(alarm.code, _UNKNOWN),
        )
        for alarm in ordered
    )


def alarm_warnings(alarms: Iterable[Alarm]) -> tuple[tuple[str, str], ...]:
    """The same as (code, message), for the `warnings` of a JSON document."""
    return tuple((WARNING, f"{told.line} {told.act}") for told in tell_alarms(alarms))
