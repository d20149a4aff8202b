"""Before an MRI scan of somebody with a pump: what the guidance asks, and what speaks against it.

The motor stands still in the field and should turn again afterwards; one that was
alarming may not. Values in, values out; what is recorded, and how a pump is asked, is
not known here. What comes after the scan is in `mri_after`.
"""

from __future__ import annotations

from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration, Rate, Volume
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.state import Delivery, PumpState, RunningBolus

STALL: Final = "MOTOR_STALL"
_GIVES: Final = (Delivery.DELIVERING, Delivery.MINIMUM, Delivery.BOLUS, Delivery.BRIDGE)
_NOT: Final = {
    Delivery.STOPPED: "is stopped",
    Delivery.STALLED: "stands still",
    Delivery.EMPTY: "is empty",
    Delivery.FALLBACK: "is on its fallback rate, not on its program",
}


class Guidance(NamedTuple):
    """What is asked for pumps of some models."""

    models: tuple[str, ...]
    version: int
    recovers_within: Duration
    """Out of the field, until the pump has looked whether its motor turns."""
    asks: tuple[str, ...]
    source: str


GUIDANCE: Final = (
    Guidance(
        ("SP20", "SP40", "SP40S"),
        1,
        Duration(20 * MINUTE_MS),
        (
            "The motor stops in the field and resumes by itself, where its schedule then is.",
            "Do NOT stop the pump for the scan, and do not empty it.",
            "A pump that is alarming may not resume: clear that up before the scan.",
            "No bolus during the scan: what is due in the field is lost, and never made up.",
            "After EVERY scan: pumpctl mri after, twice, before the patient leaves.",
        ),
        "makers' MRI guidance for pumps of this kind; C5.9",
    ),
)
"""By model, with a version: guidance changes, and what was asked that day is recorded."""


class Point(NamedTuple):
    """Something that stands in the way. `id` is API."""

    id: str
    message: str


class Look(NamedTuple):
    """What is kept of an interrogation, so that a later one can be held against it."""

    clock: Moment
    counter_ms: int
    boot: int
    state_version: int
    delivery: Delivery
    program_hash: bytes | None
    rate: Rate | None
    reservoir: Volume
    pulses: int
    alarms: tuple[str, ...]
    battery: str
    bolus: RunningBolus | None
    bridge: bool

    @property
    def epoch_ms(self) -> int:
        """The clock's face at count 0: it moves when the clock is set, and with nothing else."""
        return self.clock.label_ms - self.counter_ms


def seen(state: PumpState) -> Look:
    """What is kept of a state."""
    return Look(
        state.clock,
        state.counter_ms,
        state.boot,
        state.state_version,
        state.delivery,
        state.program_hash,
        state.rate,
        state.reservoir,
        state.pulses,
        tuple(alarm.code for alarm in state.alarms),
        state.battery.state.value,
        state.bolus,
        state.bridge is not None,
    )


def guidance_for(model: str) -> Guidance | None:
    """The newest guidance for this model; None where there is none."""
    return next((each for each in GUIDANCE if model in each.models), None)


# --- before -----------------------------------------------------------------------------


def obstacles(state: PumpState, *, unresolved: bool) -> tuple[Point, ...]:
    """What speaks against a scan now: soft, since a scan may be urgent."""
    found: list[Point] = []
    if guidance_for(state.model) is None:
        text = f"no guidance for {state.model} is on record here: ask its maker"
        found.append(Point("NO_GUIDANCE", text))
    for alarm in state.alarms:
        text = f"{alarm.code} ({alarm.priority.value}) since {alarm.since.label()}: {alarm.cause}"
        found.append(Point("ALARM", f"{text}; a pump that is alarming may not resume"))
    if state.delivery not in _GIVES:
        words = _NOT[state.delivery]
        found.append(Point("NOT_DELIVERING", f"the pump {words}; after a scan nobody could tell"))
    if state.bolus is not None:
        text = (
            f"a {state.bolus.kind} bolus runs until {state.bolus.ends.label()}: in the field the "
            "rest of it would be lost"
        )
        found.append(Point("BOLUS", text))
    if unresolved:
        found.append(Point("UNRESOLVED", "an earlier operation has no known outcome yet"))
    return tuple(found)
