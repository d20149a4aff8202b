"""A look around an MRI scan as the journal and JSON hold it, and back.

Quantities as text with their unit, times as ISO 8601, counts as integers.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pumpctl.quantities import Mass, Rate, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.mri import Look
from pumpctl.therapy.state import Delivery, RunningBolus

KIND: Final[Literal["mri"]] = "mri"


def look_body(look: Look) -> dict[str, Any]:
    """A look as plain values."""
    return {
        "clock": str(look.clock),
        "counter_ms": look.counter_ms,
        "boot": look.boot,
        "state_version": look.state_version,
        "delivery": look.delivery.value,
        "program_hash": None if look.program_hash is None else look.program_hash.hex(),
        "rate": None if look.rate is None else str(look.rate),
        "reservoir": str(look.reservoir),
        "pulses": look.pulses,
        "alarms": list(look.alarms),
        "battery": look.battery,
        "bolus": None if look.bolus is None else _bolus_body(look.bolus),
        "bridge": look.bridge,
    }


def look_from(body: dict[str, Any]) -> Look:
    """The look again; KeyError, TypeError or ValueError where it is none."""
    return Look(
        Moment.parse(body["clock"]),
        int(body["counter_ms"]),
        int(body["boot"]),
        int(body["state_version"]),
        Delivery(body["delivery"]),
        None if body["program_hash"] is None else bytes.fromhex(body["program_hash"]),
        None if body["rate"] is None else Rate.parse(body["rate"]),
        Volume.parse(body["reservoir"]),
        int(body["pulses"]),
        tuple(map(str, body["alarms"])),
        str(body["battery"]),
        None if body["bolus"] is None else _bolus_from(body["bolus"]),
        bool(body["bridge"]),
    )


def _bolus_body(bolus: RunningBolus) -> dict[str, Any]:
    return {
        "kind": bolus.kind,
        "dose": str(bolus.dose),
        "given": str(bolus.delivered),
        "started": str(bolus.started),
        "ends": str(bolus.ends),
    }


def _bolus_from(body: dict[str, Any]) -> RunningBolus:
    return RunningBolus(
        str(body["kind"]),
        Mass.parse(body["dose"]),
        Mass.parse(body["given"]),
        Moment.parse(body["started"]),
        Moment.parse(body["ends"]),
    )
