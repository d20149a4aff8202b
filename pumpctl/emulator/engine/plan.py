"""What the delivery engine is told, and what it leaves to others.

`Plan` says what to give from an instant on; the `Keeper` makes durable what must
be. Also the bytes by which the log names a bolus. Nothing is delivered here.
"""

from __future__ import annotations

from typing import Protocol

from pumpctl.emulator.engine.clock import DAY_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import Ratio
from pumpctl.emulator.engine.schedule import Due, Schedule
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import BolusKind, Drug, LogKind


class Plan(NamedTuple):
    """What to give, from an instant on."""

    schedule: Schedule | None
    """None: the steady flow alone, as on the fallback rate."""
    steady: Ratio
    """nL/ms"""
    steady_rate: int
    """ng/day"""
    drug: Drug
    concentration: int
    """pg/nL at which everything is metered: of what is at the tip while a bridge runs."""
    reservoir_concentration: int
    """pg/nL of what the reservoir holds."""
    low_alarm: int
    """nL"""
    stopped_at: int | None
    """Counter of the stop; None while the pump delivers."""
    bridge_end: int | None
    """Pulses at which the bridge is over; None where none runs."""


class Keeper(Protocol):
    """What the engine leaves to whoever makes things durable."""

    def record(self, kind: LogKind, a: int, b: int, data: bytes = ...) -> None: ...
    def settled(self, bolus: Bolus, given: int, data: bytes) -> bool:
        """An ordered bolus has ended: durable, log entry and all? False: it was so already."""

    def bridge_over(self) -> None:
        """The line's volume has passed."""

    def starved(self) -> None:
        """48 hours without delivery in a stall."""

    def cell_dead(self) -> None:
        """The end of service has come."""

    def may_give(self, dose: int, over: int) -> bool:
        """Would this bolus, now, keep to the limits?"""


def bolus_data(bolus: Bolus) -> bytes:
    """Of a scheduled one: kind, local date and minute, concentration, counter at its start.

    Of any other: kind and operation id (zeros where the patient took it).
    """
    kind = int(bolus.kind).to_bytes(2, "big")
    if bolus.kind is not BolusKind.SCHEDULED:
        return kind + bolus.operation + bytes(2)
    return (
        kind
        + bolus.day.to_bytes(4, "big")
        + bolus.minute.to_bytes(2, "big")
        + bolus.concentration.to_bytes(4, "big")
        + bolus.started.to_bytes(8, "big")
    )


def missed_data(due: Due, concentration: int, counter: int) -> bytes:
    """The same of a scheduled bolus that was not given."""
    day, minute = due.start // DAY_MS, due.start % DAY_MS // MINUTE_MS
    bolus = Bolus(
        BolusKind.SCHEDULED,
        due.bolus.dose,
        due.bolus.over,
        concentration,
        counter,
        day,
        minute,
        bytes(16),
        0,
    )
    return bolus_data(bolus)
