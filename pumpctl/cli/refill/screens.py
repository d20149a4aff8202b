"""The screens of a guided refill: one for each step, each below half a page of 80 columns.

The figure that matters stands in bold in one column. Nothing is asked or decided here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from pumpctl.cli.acts.body import WIDTH, fact
from pumpctl.cli.folding import wrap
from pumpctl.cli.screens import console
from pumpctl.quantities import Mass, Volume, mass_of, round_half_up
from pumpctl.therapy.alarms import tell_alarms
from pumpctl.therapy.bridge import BridgePlan, Impossible
from pumpctl.therapy.bridge_effect import worst_without
from pumpctl.therapy.compare import summary
from pumpctl.therapy.delivery import time_text, volume_text
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.forecast import whole_periods
from pumpctl.therapy.moment import Moment, clock_text
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.refill import LOOK_ALIKE, Discrepancy, Meaning, Offer
from pumpctl.therapy.trend import Drift, trend
from pumpctl.workflows.refill.answers import Chosen
from pumpctl.workflows.refill.steps import Steps

if TYPE_CHECKING:
    from pumpctl.workflows.refill.guide import Seen

_STYLES = {Severity.HARD: "bold red", Severity.SOFT: "bold yellow", Severity.NOTE: ""}


def show(lines: Iterable[Text | str]) -> None:
    """On stderr: stdout is for what came of it."""
    out = console(sys.stderr)
    for line in lines:
        out.print(line)


def heading(text: str) -> Text:
    """Where in the sequence this is."""
    return Text(f"\n── {text} ".ljust(WIDTH + 1, "─"), style="bold")


def findings(found: Iterable[Finding]) -> Iterator[Text]:
    """What the checks say, as on the screen of the plan."""
    for finding in found:
        for place, line in enumerate(
            wrap(f"{finding.severity.value} {finding.id}: {finding.message}", WIDTH - 4)
        ):
            indent = "  " if place == 0 else "    "
            yield Text(indent + line, style=_STYLES[finding.severity])


def said(text: str, style: str = "") -> Iterator[Text]:
    """Plain words, folded."""
    for line in wrap(text, WIDTH):
        yield Text(line, style=style)


# --- before anything is drained -------------------------------------------------------------


def pump(seen: Seen) -> Iterator[Text]:
    """Alarms first; whose it is, is asked."""
    state = seen.state
    kind = "emulator" if state.bench else "pump"
    yield Text(f"Refill · {kind} {state.model} · {state.delivery.value}", style="bold")
    for told in tell_alarms(state.alarms):
        yield Text(f"ALARM {told.line}", style="bold red" if told.critical else "yellow")
        yield Text(f"  → {told.act}")
    calm = "" if state.alarms else "No alarms · "
    yield Text(f"{calm}nothing unresolved")
    if state.bridge is not None:
        left = f"a bridge is running: {state.bridge.remaining} to go"
        yield Text(left, style="bold yellow")


def before(seen: Seen) -> Iterator[Text]:
    """What to expect, what it holds, and how the refills before were."""
    state, level = seen.state, seen.level
    yield heading("before draining")
    yield fact("EXPECT TO DRAIN", seen.expected, strong=True)
    if seen.unsettled is not None:
        text = "SUSPECTED NON-DELIVERY, found when the last refill was given up"
        yield Text(f"  {text}", style="bold red")
    if level.fill is not None:
        counted = level.counted(state.pulses)
        gone = "" if counted is None else f", {volume_text(counted.delivered)} delivered since"
        yield fact("filled", f"{level.fill.volume} on {level.fill.at.label()}{gone}")
    if state.reservoir != seen.expected:
        yield fact("pump's own estimate", state.reservoir)
    if state.sensed is not None:
        yield fact("by its sensor", state.sensed)
    yield fact("holds", f"{state.drug} {state.concentration}, of {state.capacity} at most")
    yield fact("gives", _dose(seen.program))
    yield fact("low-reservoir alarm", state.low_alarm)
    yield fact("refills before", _past(seen.past))


def _dose(program: Program) -> str:
    if program.mode is Mode.MINIMUM:
        return "minimum rate"
    days = set(daily_doses(program))
    return f"{summary(program).largest_day}" + (" on its largest day" if len(days) > 1 else "")


def _past(past: tuple[Discrepancy, ...]) -> str:
    if not past:
        return "none on record here"
    told = "; ".join(_against(each) for each in past[-3:])
    drift = trend(past).drift
    return told + ("" if drift is Drift.TOO_FEW else f": {drift.value}")


def _against(found: Discrepancy) -> str:
    """`0.3 % less than programmed`; the volumes, where no fill is known."""
    text = found.percent_text
    if text is None or found.ratio is None:
        return f"{found.volume_text} drained"
    if found.ratio == 1:
        return "as programmed"
    return f"{text[1:]} {'more' if found.ratio > 1 else 'less'} than programmed"


# --- the drain ------------------------------------------------------------------------------


def drained(found: Discrepancy) -> Iterator[Text]:
    """The figure, the percentage, the meaning."""
    style = {Meaning.WITHIN: "bold green", Meaning.NON_DELIVERY: "bold red"}
    yield fact("drained", found.drained, strong=True)
    yield fact("expected", found.expected)
    apart = fact("apart", "")
    apart.append(found.volume_text, style=style.get(found.meaning, "bold yellow"))
    yield apart
    if found.percent_text is not None:
        early = "" if found.judged is not None else " (too early to be judged)"
        yield fact("delivered", f"{_against(found)}{early}")
    meaning = fact("meaning", "")
    meaning.append(found.meaning.value.upper(), style=style.get(found.meaning, "bold yellow"))
    yield meaning


def offer(found: Offer) -> Iterator[Text]:
    """The old dose is refused; what may be given."""
    yield Text("  The OLD DOSE IS REFUSED after this refill.", style="bold red")
    least = "" if found.deliverable else f" (this concentration: no less than {found.least})"
    yield fact("offered at most", f"{found.dose}{least}", strong=True)
    yield Text("  Have a profile of it ready: pumpctl profile new. Its path is asked later.")


# --- what goes in ---------------------------------------------------------------------------


def closed_list(seen: Seen, drug: str | None = None) -> Iterator[Text]:
    """The drugs of the library, or the concentrations of one."""
    if drug is None:
        yield fact("drugs", ", ".join(seen.library.drugs()))
        return
    yield fact("concentrations", ", ".join(map(str, seen.library.concentrations(drug))))


def look_alikes() -> Text:
    """Which ampoules are taken for each other."""
    told = ", ".join(f"{each} = {each.concentration} mcg/mL" for each in LOOK_ALIKE)
    return fact("look-alikes", told)


def injected(volume: Volume, steps: Steps, program: Program, at: Moment) -> Iterator[Text]:
    """What the volume means: its mass; without a bridge, which takes its part, days at the dose."""
    assert steps.concentration is not None  # noqa: S101  asked before
    same = (program.drug, program.concentration) == (steps.drug, steps.concentration)
    if isinstance(steps.program, Chosen):
        program = steps.program.program
    mass = Mass(round_half_up(mass_of(volume, steps.concentration))).text_in("mg")
    yield Text(f"\n  {volume} of {steps.drug} {steps.concentration}  =  {mass}", style="bold")
    if same and volume > program.low_alarm and program.mode is not Mode.MINIMUM:
        days = whole_periods(program, volume, program.low_alarm, at)
        yield Text(f"  = {days} days until the low-reservoir alarm, at {_dose(program)}")
        if program.patient_dose is not None:
            yield Text("    and all of the patient's own doses")
        yield Text("")


# --- program and bridge ---------------------------------------------------------------------


def bridge(plan: BridgePlan) -> Iterator[Text]:
    """Volume and end, and what would be without it."""
    order = plan.order
    yield fact("BRIDGE", order.volume, strong=True)
    passed = f", {order.passed} of it have passed" if order.passed else ""
    yield fact("in the line", f"{order.old.drug} {order.old.concentration}{passed}")
    yield fact("goes on with", f"{_dose(plan.played)}, as before")
    lasts = time_text(plan.ends - plan.starts.label_ms)
    yield fact("ends", f"{plan.end.label()}, after {lasts}", strong=True)
    for place, line in enumerate(wrap(f"without it: {worst_without(plan)}", WIDTH - 4)):
        yield Text(("  " if place == 0 else "    ") + line, style="bold yellow")


def no_bridge(plan: Impossible) -> Iterator[Text]:
    """Why there can be none, and what can be done."""
    yield from said(f"No bridge is possible: {plan.why}. {plan.instead}.", "bold red")


# --- what is on record ----------------------------------------------------------------------


def recorded(steps: Steps) -> Iterator[Text]:
    """The answers so far, in their order."""
    for label, value in _answers(steps):
        if value is not None:
            yield fact(label, value)


def _answers(steps: Steps) -> Iterator[tuple[str, object]]:
    yield "begun", f"{steps.begun.label()} by {steps.operator}"
    yield "prescriber", steps.prescriber
    yield "order", steps.reference
    if steps.drained is not None:
        found = steps.drained
        meaning = found.discrepancy.meaning.value
        yield "DRAINED", f"{found.volume} at {clock_text(found.at.minute)}: {meaning}"
    for name, why in steps.reasons:
        yield "reason", f"{why} ({name})"
    fluid = [str(each) for each in (steps.drug, steps.concentration) if each is not None]
    yield "drug", " ".join(fluid) or None
    ampoule = None if steps.ampoule is None else str(steps.ampoule)
    yield "ampoule", ampoule
    yield "lot", steps.lot
    yield "expiry", steps.expiry
    if steps.program is not None:
        program = getattr(steps.program, "program", None)
        yield "program", "the present one" if program is None else _dose(program)
    if steps.injected is not None:
        at = clock_text(steps.injected.at.minute)
        yield "INJECTED", f"{steps.injected.volume} at {at}"
    yield "bridge", steps.bridge
    yield "next visit", steps.next_visit
    yield "GIVEN UP", steps.given_up
    yield "left inside", steps.left


def summary_of(steps: Steps) -> str:
    """What is on record of the needle, in half a line."""
    parts = []
    if steps.drained is not None:
        at = clock_text(steps.drained.at.minute)
        parts.append(f"drained {steps.drained.volume} at {at}")
    if steps.injected is not None:
        at = clock_text(steps.injected.at.minute)
        parts.append(f"injected {steps.injected.volume} at {at}")
    return ", ".join(parts) or "nothing drained, nothing injected"
