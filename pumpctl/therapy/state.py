"""A pump as it was seen at one instant: values only.

Filled by the floor that speaks with pumps, read by checks, screens and records.
Nothing here knows how it was asked for, and nothing in it changes.
"""

from __future__ import annotations

from enum import Enum

from pumpctl.named import NamedTuple
from pumpctl.outcomes import StateVersion
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Program

__all__ = [
    "Alarm",
    "Battery",
    "BatteryState",
    "Delivery",
    "Fluid",
    "Line",
    "Moment",
    "PatientDoseState",
    "Priority",
    "PumpState",
    "RunningBolus",
    "RunningBridge",
    "StagedState",
    "clock_difference_ms",
]


class Delivery(Enum):
    """What the pump does at this moment."""

    DELIVERING = "delivering"
    MINIMUM = "minimum"
    BOLUS = "bolus"
    BRIDGE = "bridge"
    STOPPED = "stopped"
    STALLED = "stalled"
    EMPTY = "empty"
    FALLBACK = "fallback"


class Priority(Enum):
    """How urgent an alarm is."""

    CRITICAL = "critical"
    NON_CRITICAL = "non-critical"


class BatteryState(Enum):
    """Elective replacement is announced 90 days before the end of service."""

    OK = "ok"
    ELECTIVE_REPLACEMENT = "eri"
    END_OF_SERVICE = "eos"


class Alarm(NamedTuple):
    """An alarm that has not been cleared; it names its cause (ALM-02)."""

    code: str
    priority: Priority
    cause: str
    since: Moment


class Fluid(NamedTuple):
    """A drug at a concentration."""

    drug: str
    concentration: Concentration


class Line(NamedTuple):
    """Tubing and catheter: their volume, what is at the tip, and what is on its way."""

    volume: Volume
    at_tip: Fluid
    front_remaining: Volume | None = None
    """The volume still to be moved until the reservoir's drug is at the tip."""


class RunningBolus(NamedTuple):
    """A bolus that is being given now. `kind`: scheduled, patient, single, prime ..."""

    kind: str
    dose: Mass
    delivered: Mass
    started: Moment
    ends: Moment


class RunningBridge(NamedTuple):
    """A bridge that is running: the old program, metered by volume, until the line is new."""

    volume: Volume
    """Of the old drug in the line at the injection."""
    passed: Volume
    """Of it, since the injection."""

    @property
    def remaining(self) -> Volume:
        """What is still to pass; nothing where a pulse reached beyond the end."""
        return Volume(max(0, self.volume.quanta - self.passed.quanta))


class StagedState(NamedTuple):
    """What lies staged, not active, and until when (PRG-06)."""

    program_hash: bytes
    expires_in: Duration


class PatientDoseState(NamedTuple):
    """How many of the patient's own doses are left now, and when the next may start."""

    left: int
    next_at: Moment | None


class Battery(NamedTuple):
    """The battery, and the date by which the pump must be replaced."""

    state: BatteryState
    replace_by: Date | None


class PumpState(NamedTuple):
    """Everything that an interrogation tells about a pump, but its log."""

    serial: str
    model: str
    firmware: str
    bench: bool
    state_version: StateVersion
    tag_hash: bytes | None
    """Eight bytes of serial and patient tag; None where no patient is assigned."""
    delivery: Delivery
    program: Program | None
    program_hash: bytes | None
    drug: str
    concentration: Concentration
    reservoir: Volume
    """As the pump computes it: an estimate (PMP-03)."""
    capacity: Volume
    low_alarm: Volume
    filled_at: Moment | None
    line: Line
    clock: Moment
    """The pump's clock: its UTC and its own fixed offset."""
    counter_ms: int
    battery: Battery
    alarms: tuple[Alarm, ...] = ()
    bolus: RunningBolus | None = None
    bridge: RunningBridge | None = None
    staged: StagedState | None = None
    patient_dose: PatientDoseState | None = None
    stopped_for: Duration | None = None
    rate: Rate | None = None
    """The basal rate that applies now, as the pump says."""
    sensed: Volume | None = None
    """The reservoir as a sensor reads it; None for a pump without one. It replaces nothing."""
    pulses: int = 0
    log_first: int = 0
    log_next: int = 0
    boot: int = 0


def clock_difference_ms(pump: Moment, station: Moment) -> int:
    """By how much the pump's clock is ahead of the station's, as their faces show it.

    Local labels are compared, offsets included: what matters is when the
    patient's morning is.
    """
    return pump.label_ms - station.label_ms
