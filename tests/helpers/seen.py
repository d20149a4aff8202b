"""A pump as `status` sees it, without a pump."""

from __future__ import annotations

from typing import Any

from pumpctl.pump.told import Identity
from pumpctl.quantities import Flow, Rate, Volume
from pumpctl.therapy import figures
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.look.looking import STANDING_STILL, Look, forecast_of
from tests.therapy.samples import pump

FALLBACK = Rate.parse("216 mcg/day")
"""What a pump that has lost its program says it gives."""


def seen(**other: Any) -> Look:
    """The sample pump with this about it; the station's clock agrees with it."""
    state = pump(**other)
    identity = Identity(
        serial=state.serial,
        model=state.model,
        firmware=state.firmware,
        bench=state.bench,
        role="clinician",
        capacity=state.capacity,
        pulse=Volume(100),
        least_flow=Flow.parse("0.048 mL/day"),
        most_flow=Flow.parse("24 mL/day"),
        tubing=Volume.parse("0.14 mL"),
        catheter=Volume.parse("0.208 mL"),
    )
    rate = None
    if state.delivery not in STANDING_STILL:
        rate = FALLBACK if state.program is None else _basal(state)
    return Look(
        state, identity, state.clock, 0, rate, forecast_of(state, rate), None, rehearsal=False
    )


def _basal(state: PumpState) -> Rate:
    assert state.program is not None
    return figures.rate_at(state.program, state.clock.day, state.clock.minute)
