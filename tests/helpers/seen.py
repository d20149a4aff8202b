"""A pump as `status` sees it, without a pump."""

from __future__ import annotations

from typing import Any

from pumpctl.pump.pump import Identity
from pumpctl.quantities import Flow, Volume
from pumpctl.therapy.forecast import forecast
from pumpctl.workflows.looking import Look
from tests.therapy.samples import pump


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
    ahead = None
    if state.program is not None:
        ahead = forecast(
            state.program, state.reservoir, state.low_alarm, state.clock, state.filled_at
        )
    return Look(state, identity, state.clock, 0, ahead, None, rehearsal=False)
