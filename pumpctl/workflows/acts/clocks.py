"""The pump's clock is set, by a difference: a plan of an hour ago is still right (TIM-02, TIM-03).

The program goes on by the new face. What that does to scheduled doses the station
computes from the program and from the settings that the pump's log tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pumpctl.errors import InputRefused, PlanStale, ReadbackDiffers
from pumpctl.named import NamedTuple
from pumpctl.pump.orders import Order, order_clock
from pumpctl.pump.readbacks import ClockBack, Readback
from pumpctl.quantities import Duration, Mass, round_half_up
from pumpctl.station.plan import Kind, Plan
from pumpctl.therapy import practice
from pumpctl.therapy.checks.clocks import check_clock, size_text
from pumpctl.therapy.clock_set import ClockEffect, Due, clock_effect
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.moment import MINUTE_MS, Moment, clock_text
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.workflows.acts.act import Challenge, OfThePump, Pair, goes_on
from pumpctl.workflows.acts.planned import program_after
from pumpctl.workflows.clocks import Settings, settings
from pumpctl.workflows.course.pump_log import PumpLog
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.visit import Visit

_APART_MS = 1_000
"""Below it two clocks show the same; and so near a setting is verified."""


class Before(NamedTuple):
    """The pump as it was when a setting was planned."""

    state: PumpState
    settings: Settings


@dataclass(frozen=True, slots=True)
class ClockAct(OfThePump):
    """So much forward, and this offset from UTC."""

    kind: ClassVar[Kind] = "clock"
    shift_ms: int
    offset_min: int
    program: Program | None
    """What runs, and goes on by the new face."""
    before: Before | None = None
    """None from a plan file."""

    def after(self, clock: Moment) -> Moment:
        """The same instant on the new face."""
        return Moment(clock.utc_ms + self.shift_ms, self.offset_min)

    def effect(self, state: PumpState, known: Settings, reach: int = 0) -> ClockEffect | None:
        """What it does to the schedule; None where the pump does not play its program."""
        if self.program is None or state.bridge is not None:
            return None
        if state.delivery in (Delivery.FALLBACK, Delivery.BRIDGE):
            return None
        new = self.after(state.clock)
        return clock_effect(self.program, state.clock, new, known.lived(state.clock), reach)

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """How far, which doses, which windows.

        PlanStale where one of the two clocks was set after the plan: it would set a wrong time.
        """
        state, past = scene.state, scene.past
        meant = self.after(state.clock)
        if abs(meant.utc_ms - scene.now.utc_ms) > practice.CLOCK.value.quanta:
            raise PlanStale(
                f"the pump's clock would show {meant.label()}, and by the station's it is "
                f"{Moment(scene.now.utc_ms, meant.offset_min).label()}: one was set since"
            )
        known = settings(scene.log, state)
        longest = max((length.quanta for length in scene.windows), default=0)
        return check_clock(
            self.after(state.clock).label_ms - state.clock.label_ms,
            state,
            self.effect(state, known, 2 * max(longest, 24 * 60 * MINUTE_MS)),
            past=None if past is None else past.given,
            whole=known.whole,
            now=scene.now,
            library=scene.library,
        )

    def order(self, state: PumpState) -> Order:
        """A difference and no time of day: equal bytes whenever it is staged."""
        return order_clock(self.shift_ms, self.offset_min)

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """Shift, offset, and how many scheduled boluses are jumped over."""
        back = clock_back(readback)
        yield "shift", self.shift_ms, back.shift_ms
        yield "offset", self.offset_min, back.offset_min
        if self.before is None:
            return
        known = self.before.settings
        effect = self.effect(state, known)
        if effect is not None and known.whole:
            yield "boluses jumped over", effect.jumped, back.missed
        elif effect is not None and self.program is not None:
            # Some may have had their turn before a setting that is not known.
            most = clock_effect(self.program, effect.old, effect.new).jumped
            yield "boluses jumped over at most", True, back.missed <= most
        elif state.delivery is Delivery.FALLBACK and state.bridge is None:
            yield "boluses jumped over", 0, back.missed

    def old(self, state: PumpState) -> dict[str, Any]:
        """What the pump's clock shows."""
        return {"clock": str(state.clock)}

    def new(self) -> dict[str, Any]:
        """What it will show, and what that does to scheduled doses, from when it was planned."""
        if self.before is None:
            return {}
        state, known = self.before
        effect = self.effect(state, known)
        told: dict[str, Any] = {
            "clock": str(self.after(state.clock)),
            "shift": size_text(self.after(state.clock).label_ms - state.clock.label_ms),
        }
        if effect is None:
            return told
        return told | effect_told(effect, stopped=state.delivery is Delivery.STOPPED)

    def told(self, readback: Readback) -> dict[str, Any]:
        """The pump's own words."""
        back = clock_back(readback)
        return {
            "content": back.content.hex(),
            "shift_ms": back.shift_ms,
            "offset_min": back.offset_min,
            "missed": back.missed,
        }

    def kept(self) -> dict[str, Any]:
        """Shift and offset."""
        return {"shift_ms": self.shift_ms, "offset_min": self.offset_min}

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """The new time: what the pump showed when this was planned, and the read-back's shift."""
        back = clock_back(readback)
        new = Moment(Moment.parse(str(old["clock"])).utc_ms + back.shift_ms, back.offset_min)
        return Challenge("the new time of the pump's clock", (clock_text(new.minute),))

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """The face went forward by the shift, measured by the counter; what it did goes on.

        PRG-10
        """
        went = after.clock.utc_ms - before.clock.utc_ms - (after.counter_ms - before.counter_ms)
        yield "clock", True, abs(went - self.shift_ms) <= _APART_MS
        yield "offset", self.offset_min, after.clock.offset_min
        yield goes_on(before, after)


def clock_act(offset_min: int | None) -> Callable[[Visit], ClockAct]:
    """To the station's time, with its offset or with another one.

    InputRefused where the pump's clock shows just that.
    """

    def made(visit: Visit) -> ClockAct:
        state = visit.state()
        now = visit.now()
        offset = now.offset_min if offset_min is None else offset_min
        shift = now.utc_ms - state.clock.utc_ms
        if abs(shift) < _APART_MS and offset == state.clock.offset_min:
            raise InputRefused(
                f"the pump's clock is in step: it shows {state.clock.label()}",
                hint="there is nothing to set",
            )
        return ClockAct(
            shift,
            offset,
            state.program,
            Before(state, settings(PumpLog(visit.pump, state), state)),
        )

    return made


def planned_clock(plan: Plan) -> ClockAct:
    """The same from a plan file."""
    shift, offset = plan.order["shift_ms"], plan.order["offset_min"]
    if type(shift) is not int or type(offset) is not int:
        raise ValueError("it does not say by how much")
    return ClockAct(shift, offset, program_after(plan))


def clock_back(readback: Readback) -> ClockBack:
    """The read-back of a setting; ReadbackDiffers where it is of something else."""
    if not isinstance(readback, ClockBack):
        raise ReadbackDiffers(f"the pump read back a {readback.kind}, and a clock was staged")
    return readback


def effect_told(effect: ClockEffect, *, stopped: bool) -> dict[str, Any]:
    """What a setting does to scheduled doses, as JSON: labels are of the new face.

    A stopped pump gives none of them, not even late.
    """
    late = None if effect.late is None else _due(effect.late)
    missed = [_due(each) for each in effect.missed]
    return {
        "jumped": effect.jumped,
        "given_late": None if stopped else late,
        "not_given": [*missed, late] if stopped and late is not None else missed,
        "not_repeated": [_due(each) for each in effect.silent],
        "moved": [
            {
                **_due(each.due),
                "before": None if each.before is None else str(Duration(each.before)),
                "after": None if each.after is None else str(Duration(each.after)),
            }
            for each in effect.shifted
        ],
        "basal": [rate.per_hour_text() for rate in effect.rate],
        "next_24h": None if stopped else [str(Mass(round_half_up(each))) for each in effect.day],
    }


def _due(due: Due) -> dict[str, str]:
    return {"at": due.label, "dose": str(due.dose), "over": str(due.over)}
