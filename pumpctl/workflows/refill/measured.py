"""What was measured for a refill when it was planned, as whole numbers that stay.

Everything that a later look at the pump could no longer tell: its pulses at the
injection, what should have been inside then, the time of the fill. Plan and journal
keep it. What it means is `therapy/refill`; nothing here asks a pump.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.pump.encode import canonical, program_of
from pumpctl.pump.readbacks import Bridged
from pumpctl.quantities import Concentration, Volume
from pumpctl.therapy.bridge import metered
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.refill import Discrepancy, Suspected, pocket_limit
from pumpctl.therapy.residual import Fill, Level
from pumpctl.therapy.state import Fluid, PumpState, RunningBridge


class Measured(NamedTuple):
    """One refill's measurements. Moments are of the pump's clock."""

    volume: Volume
    """New, right after the injection: what is left, and what went in."""
    since: int
    """The pump's pulses at the injection."""
    drained_since: int
    """At the drain, against which it is held: hours may lie between it and the injection."""
    off: Volume
    """By at most so much pumped volume `since` may be wrong; nothing where it was read then."""
    filled_at: Moment
    """Of the injection; of the last fill, where nothing went in."""
    pulses: int
    """When it was planned."""
    planned: Moment
    per_pulse: Volume
    own: Volume
    """The pump's own estimate when it was planned."""
    fill: Fill | None
    """The last fill; None where no record tells of it."""
    fluid: Fluid
    """What the reservoir held."""
    sensed: Volume | None
    """By the sensor, at the injection; None: there is none, or it saw nothing of the refill."""
    bridge: Bridged | None
    """What the pump is told of the line."""
    restart: bool
    """More than 48 h without drug: no bridge brings the old dose back."""
    expiry: Date | None = None
    """The last day of what is inside afterwards: of the two where some of the old is left."""
    unsettled: Suspected | None = None
    """Non-delivery that was suspected at a refill which was given up, and no fill since."""

    @property
    def level(self) -> Level:
        """What should have been inside, told twice."""
        return Level(self.own, self.pulses, Fraction(self.per_pulse.quanta), self.fill)

    @property
    def expected(self) -> Volume:
        """The expected residual at the drain."""
        return self.level.expected(self.drained_since)

    @property
    def estimated(self) -> Volume:
        """The pump's own estimate of it."""
        return self.level.estimated(self.drained_since)

    @property
    def counted(self) -> Fraction | None:
        """By the pump's pulses since the fill, in nL; None where no count is kept."""
        found = self.level.counted(self.drained_since)
        return None if found is None else found.delivered

    @property
    def displaced(self) -> Volume:
        """Pumped between the injection and the planning."""
        return self.per_pulse * (self.pulses - self.since)

    def left_at(self, pulses: int) -> Volume:
        """What the pump must reckon at this count afterwards."""
        moved = (pulses - self.since) * self.per_pulse.quanta
        return Volume(max(0, self.volume.quanta - moved))

    def agrees(self, after: PumpState) -> bool:
        """Whether the sensor shows what the pump reckons, within what may be."""
        apart = 0 if after.sensed is None else after.sensed.quanta - after.reservoir.quanta
        return abs(apart) <= pocket_limit(after.capacity).value.quanta

    def bridge_after(self, before: PumpState, pulses: int) -> RunningBridge | None:
        """Its own bridge, or the one that ran before, as it must run at this count."""
        pulse, running = self.per_pulse, before.bridge
        if self.bridge is not None:
            return metered(self.bridge.volume, (pulses - self.since) * pulse.quanta, pulse)
        if running is None:
            return None
        moved = (pulses - before.pulses) * pulse.quanta
        return metered(running.volume, running.passed.quanta + moved, pulse)

    def kept(self) -> dict[str, Any]:
        """In strings and whole numbers; `measured_from` reads it back."""
        bridge, fill = self.bridge, self.fill
        return {
            "volume": str(self.volume),
            "since": self.since,
            "drained_since": self.drained_since,
            "off": str(self.off),
            "filled_at_utc_ms": self.filled_at.utc_ms,
            "planned_utc_ms": self.planned.utc_ms,
            "offset_min": self.planned.offset_min,
            "pulses": self.pulses,
            "per_pulse": str(self.per_pulse),
            "own": str(self.own),
            "filled": None if fill is None else str(fill.volume),
            "filled_pulses": None if fill is None else fill.pulses,
            "filled_utc_ms": None if fill is None else fill.at.utc_ms,
            "fluid": [self.fluid.drug, str(self.fluid.concentration)],
            "sensed": None if self.sensed is None else str(self.sensed),
            "bridge": None
            if bridge is None
            else [str(bridge.volume), bridge.old.drug, str(bridge.old.concentration)],
            "restart": self.restart,
            "expiry": None if self.expiry is None else str(self.expiry),
            "unsettled": None if self.unsettled is None else _suspected(self.unsettled),
            # For whoever reads the journal later (REF-07):
            "expected": str(self.expected),
            "counted": None if self.counted is None else str(self.counted),
        }


def measured_from(kept: Mapping[str, Any]) -> Measured:
    """What `kept` wrote; ValueError, KeyError, TypeError or QuantityError for anything else."""
    offset, bridge = int(kept["offset_min"]), kept["bridge"]
    fill = None
    if kept["filled"] is not None:
        at = Moment(int(kept["filled_utc_ms"]), offset)
        fill = Fill(Volume.parse(kept["filled"]), at, int(kept["filled_pulses"]))
    return Measured(
        volume=Volume.parse(kept["volume"]),
        since=int(kept["since"]),
        drained_since=int(kept["drained_since"]),
        off=Volume.parse(kept["off"]),
        filled_at=Moment(int(kept["filled_at_utc_ms"]), offset),
        pulses=int(kept["pulses"]),
        planned=Moment(int(kept["planned_utc_ms"]), offset),
        per_pulse=Volume.parse(kept["per_pulse"]),
        own=Volume.parse(kept["own"]),
        fill=fill,
        fluid=_fluid(*kept["fluid"]),
        sensed=None if kept["sensed"] is None else Volume.parse(kept["sensed"]),
        bridge=None if bridge is None else Bridged(Volume.parse(bridge[0]), _fluid(*bridge[1:])),
        restart=bool(kept["restart"]),
        expiry=None if kept["expiry"] is None else Date.parse(kept["expiry"]),
        unsettled=None if kept["unsettled"] is None else _suspected_from(kept["unsettled"]),
    )


def _suspected(found: Suspected) -> dict[str, str | None]:
    filled, expected, drained, counted = found.found
    return {
        "filled": None if filled is None else str(filled),
        "expected": str(expected),
        "drained": str(drained),
        "counted": None if counted is None else str(counted),
        "old": None if found.old is None else canonical(found.old).hex(),
    }


def _suspected_from(kept: Mapping[str, Any]) -> Suspected:
    old, found = kept["old"], discrepancy_from(kept, kept["drained"])
    return Suspected(found, None if old is None else program_of(bytes.fromhex(old)))


def discrepancy_from(kept: Mapping[str, Any], drained: str) -> Discrepancy:
    """Drained against what was expected then, by the count since the fill."""
    filled, counted = kept["filled"], kept["counted"]
    return Discrepancy(
        None if filled is None else Volume.parse(filled),
        Volume.parse(kept["expected"]),
        Volume.parse(drained),
        None if counted is None else Fraction(counted),
    )


def _fluid(drug: str, concentration: str) -> Fluid:
    return Fluid(str(drug), Concentration.parse(concentration))
