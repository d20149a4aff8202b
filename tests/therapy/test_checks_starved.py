"""After 48 h of a stall: the pump is believed, and a fallback is no dose to go on from."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Rate
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.past import Ordered, Past
from pumpctl.therapy.state import Alarm, Delivery, Priority
from tests.therapy.changing import findings
from tests.therapy.samples import NOW as CLOCK
from tests.therapy.samples import even, pump
from tests.therapy.test_checks_label import of

HOUR = 3_600_000
NOW = pump().counter_ms
STOPPED = {"STOPPED_SHORT", "STOPPED_LONG", "STOPPED_TOO_LONG", "STOPPED_RESTART"}
ALARM = Alarm("STOPPED_TOO_LONG", Priority.CRITICAL, "48 h without drug", CLOCK)


def told(dose: str, past: Past | None, **state: Any) -> list[str]:
    """What is said of the pause, of bringing this daily dose."""
    found: tuple[Finding, ...] = findings(of(dose, "established"), past, **state)
    return [each.id for each in found if each.id in STOPPED]


@pytest.mark.requirement("STP-03")
def test_behind_a_stall_of_48_h_the_fallback_is_no_dose_to_go_on_from() -> None:
    """300 ran, then 50 h of stall, then 2 h of a fallback of 150: nobody has started again yet."""
    steady = even("150 mcg/day")
    assert {step.rate for day in steady.days for step in day} == {Rate.parse("150 mcg/day")}
    ordered = (Ordered(NOW - 900 * HOUR, even("300 mcg/day")), Ordered(NOW - 2 * HOUR, steady))
    begun = Past(ordered, began=NOW - 900 * HOUR, flowed=NOW, begun_again=NOW - 2 * HOUR)
    state: dict[str, Any] = {
        "delivery": Delivery.FALLBACK,
        "program": None,
        "program_hash": None,
        "rate": Rate.parse("150 mcg/day"),
        "alarms": (ALARM,),
    }

    def said(dose: str, past: Past | None = begun, **more: Any) -> list[str]:
        return told(dose, past, **{**state, **more})

    assert said("280") == ["STOPPED_TOO_LONG"], "less than before, and no starting dose"
    assert said("200") == ["STOPPED_RESTART"]
    assert said("150") == [], "as much as flows now is no restart"
    assert said("100") == [], "a reduction is never refused for it"
    assert said("280", None) == ["STOPPED_TOO_LONG"], "the pump says so itself"
    assert said("280", alarms=()) == []
    later = begun._replace(begun_again=NOW - 24 * HOUR)
    assert said("280", later) == [], "from then on it is an increase like any other"
    small = (Ordered(NOW - 900 * HOUR, even("180 mcg/day")), Ordered(NOW - 2 * HOUR, steady))
    assert said("180", begun._replace(ordered=small)) == ["STOPPED_TOO_LONG"], "the old dose"


@pytest.mark.requirement("STP-03")
def test_a_stalled_pump_is_believed_where_nobody_knows_the_course() -> None:
    state: dict[str, Any] = {"delivery": Delivery.STALLED, "program": None, "alarms": (ALARM,)}
    assert told("280", None, **state) == ["STOPPED_TOO_LONG"]
    assert told("280", None, **{**state, "alarms": ()}) == []
