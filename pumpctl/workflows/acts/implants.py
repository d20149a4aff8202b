"""The record of the implant is written, or revised: what a later prime or bridge goes by.

It gives nothing by itself. The pump begins its reckoning of the line anew where the
record says anything else of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.errors import ReadbackDiffers
from pumpctl.pump.implant import Recorded
from pumpctl.pump.orders import Order, order_implant
from pumpctl.pump.readbacks import ImplantBack, Readback
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy.checks.implants import ImplantCase, check_implant
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.implanted import Calibration, Implanted
from pumpctl.therapy.line import UNKNOWN, ImplantRecord, LineParts, NotKnown, holds_text, line_parts
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.acts.act import Challenge, OfThePump, Pair, goes_on
from pumpctl.workflows.acts.planned import program_after
from pumpctl.workflows.implants import (
    as_recorded,
    first_record,
    moved_since_record,
    record_from,
    record_of,
    recorded_of,
    written,
)
from pumpctl.workflows.road.scene import Scene

_KEPT_AS = {"at": "recorded"}
"""Fields that have another name in the pump's whole record."""


@dataclass(frozen=True, slots=True)
class ImplantAct(OfThePump):
    """Another record of the line."""

    kind: ClassVar[Kind] = "implant"
    record: ImplantRecord
    printed: Calibration | NotKnown
    """The calibration constant, as a person read it on the package."""
    pulses: int
    """The pump's, when somebody said what the line holds."""
    before: Mapping[str, Any]
    """The record until now, as `described_record` says it."""
    running: Program | None
    """What the pump runs, and goes on with."""

    @property
    def program(self) -> Program | None:
        """The same as before."""
        return self.running

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """What is to be said of such a record, on this pump."""
        case = ImplantCase(
            record=self.record,
            kept=as_recorded(scene),
            before=record_of(scene),
            first=first_record(scene.implant),
            moved=moved_since_record(scene),
            pump=scene.state,
            printed=self.printed,
            own=scene.implant.calibration,
            library=scene.library,
        )
        return check_implant(case)

    def order(self, state: PumpState) -> Order:
        """The whole record, its volumes by the table."""
        return order_implant(recorded_of(self.record), self.tag(state))

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Every field of it, and the line's volume."""
        back = implant_back(readback)
        yield "record", recorded_of(self.record), back.record
        yield "line's volume", line_parts(self.record).whole.high, back.line

    def old(self, state: PumpState) -> dict[str, Any]:
        """The record until now."""
        return dict(self.before)

    def new(self) -> dict[str, Any]:
        """The record from now on."""
        return described_record(self.record)

    def told(self, readback: Readback) -> dict[str, Any]:
        """What the pump will keep."""
        back = implant_back(readback)
        return {
            "content": back.content.hex(),
            "line": {"volume": str(back.line)},
            **_described(back.record),
        }

    def kept(self) -> dict[str, Any]:
        """The record, and what was said beside it."""
        printed = UNKNOWN.value if self.printed is UNKNOWN else str(self.printed)
        return {**written(self.record), "calibration": printed, "pulses": self.pulses}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The line's volume, as the pump reads it back."""
        return Challenge("the line's volume", (str(implant_back(readback).line),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """The pump counts with this line, and goes on as before."""
        yield "line's volume", line_parts(self.record).whole.high, after.line.volume
        if isinstance(self.record.catheter, Fluid):
            yield "fluid at the tip", self.record.catheter, after.line.at_tip
        yield goes_on(before, after)

    def verify_record(self, kept: Implanted) -> Iterator[Pair]:
        """Every field of the record that is kept."""
        for name, wanted in recorded_of(self.record)._asdict().items():
            yield f"record's {name}", wanted, getattr(kept, _KEPT_AS.get(name, name))


def planned_implant(plan: Plan) -> ImplantAct:
    """The same from a plan file."""
    printed = str(plan.order["calibration"])
    return ImplantAct(
        record_from(plan.order),
        UNKNOWN if printed == UNKNOWN.value else Calibration.parse(printed),
        int(plan.order["pulses"]),
        plan.old,
        program_after(plan),
    )


def implant_back(readback: Readback) -> ImplantBack:
    """The read-back of a record; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, ImplantBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a record was staged")
    return readback


def described_record(record: ImplantRecord, parts: LineParts | None = None) -> dict[str, Any]:
    """A record as plans and the JSON show it.

    Its volumes are those of its own version of the table, or those that a pump keeps.
    """
    told = recorded_of(record, parts)
    whole = told.parts.whole
    return {
        "event": record.event.value,
        "line": {"volume": str(whole.high), "at_least": str(whole.low)},
        **_described(told),
    }


def _described(told: Recorded) -> dict[str, Any]:
    catheter = told.parts.catheter
    model, trimmed = told.catheter_model, told.trimmed
    return {
        "recorded": str(told.at),
        "table_version": told.table_version,
        "tubing": {"volume": str(told.parts.tubing), "holds": holds_text(told.tubing)},
        "catheter": {
            "model": model if isinstance(model, str) else UNKNOWN.value,
            "trimmed": UNKNOWN.value if trimmed is UNKNOWN else str(trimmed),
            "tip_level": told.tip_level or UNKNOWN.value,
            "volume": str(catheter.high),
            "at_least": str(catheter.low),
            "holds": holds_text(told.catheter),
        },
    }
