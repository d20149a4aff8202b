"""Is there a bridge where one is needed, and is it one that keeps the dose? (REF-03, REF-08)

A case is one change of fluid, or one new program while a bridge runs, with what
was planned for it. `check_bridge` runs all checks of this kind; those of the
implant's record are in `line_record`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.named import NamedTuple
from pumpctl.quantities import round_down, round_up
from pumpctl.therapy import practice
from pumpctl.therapy.bridge import BridgePlan, Impossible, NotNeeded, Planned
from pumpctl.therapy.bridge_effect import consequences, worst_without
from pumpctl.therapy.checks.library_age import also_orders
from pumpctl.therapy.checks.registry import Checks
from pumpctl.therapy.compare import greatest_changes, percent_text
from pumpctl.therapy.course import course_of
from pumpctl.therapy.curve import WEEK_MS
from pumpctl.therapy.delivery import (
    dose_text,
    flow_text,
    greatest_rate,
    in_volume,
    least_rate,
    mass_text,
    time_text,
)
from pumpctl.therapy.findings import Fault, Finding, Seen, Severity, placed
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import TABLES, ImplantRecord, TubingTable, holds_text
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Fluid, PumpState, RunningBridge

_FORGOTTEN = "A bridge forgotten after a change of concentration: under- or overdose for days."


class BridgeCase(NamedTuple):
    """One change, with everything that it is held against."""

    plan: Planned
    new: Program
    """What is to run when the line is new."""
    pump: PumpState
    """As it was interrogated now."""
    record: ImplantRecord
    now: Moment
    """The station's clock."""
    left_out: bool = False
    """Whether the change is to be made without the bridge."""
    playing: Program | None = None
    """While a bridge runs: the program that it plays; None where nobody knows."""
    tables: tuple[TubingTable, ...] = TABLES
    library: Library = DEFAULT

    @property
    def by_volume(self) -> bool:
        """Whether the record's volumes decide anything here: a bridge, or that none is needed."""
        if isinstance(self.plan, NotNeeded):
            return self.plan.front is not None
        return isinstance(self.plan, BridgePlan) and not self.left_out

    @property
    def gives(self) -> bool:
        """Whether there is a bridge to be given, or left out."""
        return isinstance(self.plan, BridgePlan)


bridge_check = Checks[BridgeCase]()
"""Of a bridge, planned or left out."""
also_orders(bridge_check)


def check_bridge(case: BridgeCase) -> tuple[Finding, ...]:
    """All findings of this change as far as the line is concerned, hard ones first."""
    from pumpctl.therapy.checks import line_record  # noqa: F401  (so that it registers)

    return placed(bridge_check.run(case), None)


def check_in_bridge(new: Program, pump: PumpState) -> tuple[Finding, ...]:
    """Whether a change of program alone may be made while a bridge runs, hard ones first.

    It is held against the program that was prescribed last. What the bridge really plays
    may be another one; the pump holds the change against that one, too.
    """
    if pump.bridge is None or pump.program is None:
        return ()
    return placed(
        [Fault(_IN_BRIDGE.rule, seen) for seen in _rises(pump.program, new, pump.bridge)], None
    )


@bridge_check(
    "BRIDGE_LEFT_OUT",
    Severity.SOFT,
    source="REF-03; Boster 2016: a bridge must be programmed when the concentration changes",
    why="Tubing and catheter still hold the old drug, and the new program moves it at the new "
    "flow. Without a bridge the patient gets another dose for days, and nobody chose it.",
    incident=_FORGOTTEN,
)
def bridge_left_out(case: BridgeCase) -> Iterator[Seen]:
    """A bridge that is needed is not left out."""
    if not case.left_out:
        return
    if isinstance(case.plan, Impossible):
        yield Seen(
            f"without a bridge, and {case.plan.why}: what leaves the tip until the line is new "
            "cannot be computed",
            value="unknown",
        )
    elif isinstance(case.plan, BridgePlan):
        spell = worst_without(case.plan)
        yield Seen(
            f"without a bridge: {spell}",
            value=dose_text(spell.given, spell.lasts),
            limit=dose_text(spell.counted, spell.lasts),
        )


@bridge_check(
    "BRIDGE_IMPOSSIBLE",
    Severity.HARD,
    source="REF-08",
    why="A bridge goes on giving the dose that the patient has now, from what is in the line. "
    "Where either is not known, it cannot.",
    incident=_FORGOTTEN,
)
def bridge_impossible(case: BridgeCase) -> Iterator[Seen]:
    """The bridge can be computed."""
    if isinstance(case.plan, Impossible) and not case.left_out:
        yield Seen(f"{case.plan.why}; {case.plan.instead}", value="no bridge")


@bridge_check(
    "BRIDGE_UNCERTAIN",
    Severity.SOFT,
    source="REF-08",
    why="The line's volume is not known. The bridge takes the bound with which the patient gets "
    "too little, not too much, for as long as the true volume differs. Find the trimmed length in "
    "the implant's papers, or watch for withdrawal.",
)
def bridge_uncertain(case: BridgeCase) -> Iterator[Seen]:
    """The line's volume is known."""
    if isinstance(case.plan, NotNeeded) and case.plan.uncertain is not None:
        line, passed = case.plan.uncertain.line, case.plan.uncertain.order.passed
        yield Seen(
            f"the line's volume is {line}, and {passed} have passed: without a bridge at worst "
            f"{worst_without(case.plan.uncertain)}",
            value=str(line),
            limit="one volume",
        )
        return
    if not isinstance(case.plan, BridgePlan) or case.left_out or case.plan.line.known:
        return
    spells = [each.bridged for each in consequences(case.plan) if each.bridged is not None]
    worst = max(spells, key=lambda spell: spell.lasts)
    yield Seen(
        f"the line's volume is {case.plan.line}: with a bridge of {case.plan.order.volume} at "
        f"worst {worst}, from {worst.start.label()}",
        value=str(case.plan.line),
        limit="one volume",
    )


@bridge_check(
    "BRIDGE_OLD_UNKNOWN",
    Severity.SOFT,
    source="REF-08",
    why="A bridge goes on giving the dose that the patient has now. Where the program that gave it "
    "is not known, the bridge gives the new program's dose from what is in the line: a change of "
    "dose that nobody chose. Look the old dose up before going on.",
    incident=_FORGOTTEN,
)
def bridge_old_unknown(case: BridgeCase) -> Iterator[Seen]:
    """The program that the bridge goes on with is known."""
    if isinstance(case.plan, BridgePlan) and case.plan.old_unknown and not case.left_out:
        yield Seen(
            "the program until now is not known: the bridge gives the new program's dose "
            f"until {case.plan.end.label()}",
            value="unknown",
            limit="the program until now",
        )


@bridge_check(
    "BRIDGE_ARRIVED",
    Severity.SOFT,
    source="REF-08",
    why="The new fluid has been leaving the tip while the pump may still have counted with the "
    "old one: look at the patient for signs of overdose, or withdrawal, before going on.",
    incident=_FORGOTTEN,
)
def bridge_arrived(case: BridgeCase) -> Iterator[Seen]:
    """The front has not reached the tip before the pump was told of it."""
    plan = case.plan
    if not isinstance(plan, NotNeeded) or plan.front is None:
        return
    since = case.pump.clock.label_ms - plan.front.label_ms
    what = holds_text(Fluid(case.new.drug, case.new.concentration))
    rate = f" ({dose_text(plan.given, since)})" if since > 0 else ""
    has, up_to = ("has", "") if plan.uncertain is None else ("may have", "up to ")
    yield Seen(
        f"{what} {has} been at the tip since {plan.front.label()}, {time_text(since)}: "
        f"{up_to}{mass_text(plan.given)}{rate} have left it since",
        value=str(plan.front),
        limit=str(case.pump.clock),
    )


@bridge_check(
    "BRIDGE_LATE",
    Severity.NOTE,
    source="REF-08",
    why="What has been displaced between the injection and the programming counts: the bridge "
    "meters only the rest.",
)
def bridge_late(case: BridgeCase) -> Iterator[Seen]:
    """Say how much of the line has passed already."""
    if isinstance(case.plan, BridgePlan) and case.plan.order.passed:
        order = case.plan.order
        yield Seen(
            f"{order.passed} of {order.volume} have passed already",
            value=str(order.passed),
            limit=str(order.volume),
        )


@bridge_check(
    "BRIDGE_FLOW",
    Severity.HARD,
    source="pump model range",
    why="The bridge gives the old doses at the old concentration; the pump must be able to move "
    "that flow.",
)
def bridge_flow(case: BridgeCase) -> Iterator[Seen]:
    """The pump can give the bridge's flows."""
    if not isinstance(case.plan, BridgePlan) or case.left_out:
        return
    start, played = case.plan.starts.label_ms, case.plan.played
    end, concentration = start + WEEK_MS + DAY_MS, played.concentration
    everything = in_volume(course_of(played, start, end), concentration)
    basal = in_volume(course_of(played._replace(boluses=()), start, end), concentration)
    least, greatest = practice.MINIMUM_FLOW, practice.MAXIMUM_FLOW
    lowest, highest = least_rate(basal, start, end), greatest_rate(everything, start, end)
    limit = f"{least.value} to {greatest.value}"
    if lowest < least.value.quanta:
        text = flow_text(lowest, round_down)
        yield Seen(f"the bridge's least flow is {text}", value=text, limit=limit)
    if highest > greatest.value.quanta:
        text = flow_text(highest, round_up)
        yield Seen(f"the bridge's greatest flow is {text}", value=text, limit=limit)


@bridge_check(
    "BRIDGE_RUNNING",
    Severity.HARD,
    source="REF-03, REF-08",
    why="A bridge is running: the line holds two fluids, and with a third one no bridge could be "
    "metered. Wait until the front has arrived.",
)
def bridge_running(case: BridgeCase) -> Iterator[Seen]:
    """The fluid does not change again while a bridge runs."""
    bridge, new = case.pump.bridge, Fluid(case.new.drug, case.new.concentration)
    held = Fluid(case.pump.drug, case.pump.concentration)
    if bridge is not None and new != held:
        yield Seen(
            f"a bridge from the last change is running, {bridge.remaining} are still to pass",
            value=holds_text(new),
            limit=holds_text(held),
        )


@bridge_check(
    "BRIDGE_INCREASE",
    Severity.HARD,
    source="REF-08",
    why="What an increase does is seen only when the new fluid is at the tip. Until then the dose "
    "stays, or is reduced.",
)
def bridge_increase(case: BridgeCase) -> Iterator[Seen]:
    """No day's dose rises while a bridge runs."""
    bridge, playing = case.pump.bridge, case.playing
    if bridge is None:
        return
    if playing is None:
        yield Seen(
            "which program the running bridge plays is not known, so an increase is not excluded",
            value="unknown",
            limit="no increase",
        )
        return
    yield from _rises(playing, case.new, bridge)


_IN_BRIDGE = bridge_check.by_id["BRIDGE_INCREASE"]


def _rises(old: Program, new: Program, bridge: RunningBridge) -> Iterator[Seen]:
    """The greatest rise of a day's dose."""
    rise = greatest_changes(old, new)[1]
    if rise > 0:
        yield Seen(
            f"the daily dose rises by {percent_text(1, 1 + rise)[1:]} while a bridge runs: "
            f"{bridge.remaining} are still to pass",
            value=percent_text(1, 1 + rise),
            limit="no increase",
        )


@bridge_check(
    "BRIDGE_PATIENT_DOSES",
    Severity.NOTE,
    source="REF-08",
    why="While a bridge runs the pump refuses the patient's own doses, with the reason. Tell the "
    "patient how long.",
)
def bridge_patient_doses(case: BridgeCase) -> Iterator[Seen]:
    """Say until when the patient has no doses of their own."""
    plan = case.plan
    if not isinstance(plan, BridgePlan) or case.left_out:
        return
    if plan.played.patient_dose is not None or plan.new.patient_dose is not None:
        yield Seen(
            f"no doses of the patient's own until {plan.end.label()}",
            value=str(plan.end),
        )
