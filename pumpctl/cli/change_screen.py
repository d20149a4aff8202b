"""The screen of a change, before it is confirmed: 80 columns, and it fits 24 lines.

Its order is the contract's. What is "new" comes from the pump's read-back alone
(CNF-01); the pump's state and the next dates stand beside it, fresh.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from pumpctl.cli.profile_text import hours_text, patient_dose_text
from pumpctl.cli.screens import console, difference_text, hours_of
from pumpctl.quantities import Mass, Rate
from pumpctl.therapy import figures
from pumpctl.therapy.compare import DAY_NAMES, percent_text, share_text
from pumpctl.therapy.forecast import forecast
from pumpctl.therapy.program import Mode, Program
from pumpctl.therapy.state import PumpState, clock_difference_ms

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.planning import Planned

_STYLES = {"hard": "bold red", "soft": "bold yellow", "note": ""}
_WIDTH = 78


def show_plan(planned: Planned, output: Path | None, token: str | None, port: str | None) -> None:
    """A plan on stdout: the screen of a confirmation, and what to do with it."""
    out = console(sys.stdout)
    _change(out, planned)
    if output is not None:
        out.print(f"\nPlan written to {output}, good until {planned.plan.expires}.")
    if token is None:
        names = ", ".join(sorted({finding.id for finding in planned.plan.open_soft}))
        out.print(Text(f"Open soft findings: {names}.", style="bold yellow"))
        out.print("Plan again with --override ID=REASON for each, or change the program.")
    elif output is not None:
        on = f"--port {port} " if port else ""
        out.print(f"Apply with: pumpctl {on}apply {output} --confirm {token}", soft_wrap=True)


def show_confirmation(planned: Planned) -> None:
    """The screen before the challenge, on stderr."""
    _change(console(sys.stderr), planned)


def _change(out: Console, planned: Planned) -> None:
    state, plan = planned.state, planned.plan
    kind = "emulator" if state.bench else "pump"
    patient = plan.patient or "as the pump holds it"
    if plan.patient and state.tag_hash is None:
        patient += " (new to it)"
    out.print(Text(f"Pump {state.serial} · {kind} · patient {patient}", style="bold"))
    for alarm in state.alarms:
        line = f"ALARM {alarm.code} ({alarm.priority.value}): {alarm.cause}"
        out.print(Text(line, style="bold red"))
    bolus = state.bolus
    running = (
        "no bolus, no bridge"
        if bolus is None
        else f"{bolus.kind} bolus running: {bolus.delivered} of {bolus.dose}"
    )
    calm = "" if state.alarms else "no alarms · "
    out.print(f"{calm}nothing unresolved · {running} · {_delivery_text(state)}")
    difference = clock_difference_ms(state.clock, planned.now)
    out.print(f"pump clock {state.clock.label()}, {difference_text(difference)}")
    for row in _figures(planned):
        out.print(row)
    _findings(out, plan)
    for row in _bounds(planned):
        out.print(row)
    for line in hours_text(planned.act.program):
        out.print("  " + line)
    ahead = forecast(
        planned.act.program,
        state.reservoir,
        planned.act.program.low_alarm,
        state.clock,
        state.filled_at,
    )
    dates = f"low reservoir {ahead.low_date} · refill by {ahead.refill_by}"
    late = ahead.refill_by < state.clock.date
    out.print(Text(f"  {dates}{' - ALREADY PAST' if late else ''}", style="bold" if late else ""))
    library = f"limits of {plan.library.site}, version {plan.library.version}"
    out.print(f'  "new" is the pump\'s own read-back ({plan.readback["hash"][:8]}) · {library}')


def _change_text(old: Program | None, before: int, after: int) -> str:
    """The change in percent; minimum rate is no dose that a percentage could be of."""
    if old is not None and old.mode is Mode.MINIMUM:
        return "from minimum"
    return percent_text(before, after)


def _figures(planned: Planned) -> Iterator[Text]:
    """The rows of old and new; new in bold, from the pump's read-back."""
    old, back, new = planned.state.program, planned.readback, planned.act.program
    was = figures.week(old) if old is not None else None
    stopped = planned.state.stopped_for is not None
    yield _row("", "stored" if stopped else "now", "new", "")
    for days in _alike(planned):
        before = None if was is None else was[days[0]].daily_dose
        after = Rate(back.days[days[0]].daily_dose.quanta)
        change = _change_text(old, 0 if before is None else before.quanta, after.quanta)
        yield _row(f"daily dose  {_day_label(days)}", before, after, change)
    hour = max(day.largest_hour for day in back.days)
    old_hour = None if was is None else max(day.largest_hour for day in was)
    change = _change_text(old, 0 if old_hour is None else old_hour.quanta, hour.quanta)
    yield _row("largest hour", old_hour, hour, change)
    volume = max(day.volume for day in back.days)
    flow = None if old is None else figures.flow_of_largest_day(old)
    yield _row("flow, largest day", flow, f"{volume}/day", "")
    same = (new.drug, new.concentration) == (planned.state.drug, planned.state.concentration)
    held = "as the pump holds it" if same else "NOT what the pump holds"
    yield Text(f"  {'drug':24}{new.drug} {new.concentration}, {held}")


def _bounds(planned: Planned) -> Iterator[Text]:
    """What it can come to at most and at least: with all patient doses, and the fallback."""
    old, back, new = planned.state.program, planned.readback, planned.readback.program
    for held, label in ((old, "patient dose, now"), (new, "patient dose, new")):
        if held is not None and held.patient_dose is not None:
            yield Text(f"  {label:24}{patient_dose_text(held.patient_dose)}")
    patient = figures.largest_24h_with_patient_doses(old) if old is not None else None
    yield _row("24 h, patient doses too", patient, back.largest_24h, "")
    smallest = min(day.daily_dose for day in back.days)
    share = share_text(new.fallback.quanta, smallest.quanta)
    note = "" if share == "100 %" else f"{share} of the least day"
    yield _row("fallback", None if old is None else old.fallback, new.fallback, note)


def _row(label: str, now: object, new: object, change: str) -> Text:
    row = Text(f"  {label:24}{'-' if now is None else now!s:15} ")
    row.append(f"{new!s:15} ", style="bold")
    row.append(f"{change:>8}")
    row.rstrip()
    return row


def _alike(planned: Planned) -> list[tuple[int, ...]]:
    """Neighbouring days with the same old and new dose, together."""
    old = planned.state.program
    was = figures.week(old) if old is not None else None
    groups: list[list[int]] = []
    keys: list[tuple[object, object]] = []
    for day in range(7):
        key = (None if was is None else was[day].daily_dose, planned.readback.days[day].daily_dose)
        if keys and keys[-1] == key:
            groups[-1].append(day)
        else:
            groups.append([day])
            keys.append(key)
    return [tuple(group) for group in groups]


def _day_label(days: tuple[int, ...]) -> str:
    if len(days) == 7:
        return "every day"
    first, last = DAY_NAMES[days[0]], DAY_NAMES[days[-1]]
    return first if first == last else f"{first}-{last}"


def _delivery_text(state: PumpState) -> str:
    if state.stopped_for is not None:
        return f"STOPPED, no drug for {hours_of(state.stopped_for)}"
    return state.delivery.value


def _findings(out: Console, plan: Plan) -> None:
    overridden = {override.id: override.reason for override in plan.overrides}
    for finding in plan.findings:
        reason = overridden.get(finding.id)
        mark = f"{finding.severity} {finding.id}: {finding.message}"
        if reason is not None:
            mark += f"  [overridden: {reason}]"
        for place, line in enumerate(wrap(mark, _WIDTH - 4)):
            indent = "  " if place == 0 else "    "
            out.print(Text(indent + line, style=_STYLES[finding.severity]))


def show_plan_file(plan: Plan) -> None:
    """A plan from a file, on stderr, before it is confirmed without a pump at hand."""
    out = console(sys.stderr)
    patient = plan.patient or "as the pump holds it"
    out.print(Text(f"Pump {plan.pump.serial} · patient {patient}", style="bold"))
    out.print(f"{plan.kind} · planned by {plan.operator} at {plan.made}")
    out.print(_row("", "old", "new", ""))
    old_days = {day["day"]: day["daily_dose"] for day in plan.old.get("days", [])}
    for day in plan.readback["days"]:
        before = old_days.get(day["day"])
        after = str(Rate.parse(day["daily_dose"]))
        change = percent_text(
            0 if before is None else Rate.parse(before).quanta, Rate.parse(after).quanta
        )
        out.print(_row(f"daily dose  {day['day'].capitalize()}", before, after, change))
    hour = max(Mass.parse(day["largest_hour"]) for day in plan.readback["days"])
    out.print(_row("largest hour", plan.old.get("largest_hour"), hour, ""))
    out.print(_row("flow, largest day", plan.old.get("flow"), plan.new.get("flow"), ""))
    drug = plan.new["drug"]
    out.print(f"  {'drug':24}{drug['name']} {drug['concentration']}")
    _findings(out, plan)
    out.print(_row("24 h, patient doses too", None, plan.readback["largest_24h"], ""))
    fallback = plan.readback["fallback_rate"]
    out.print(_row("fallback", plan.old.get("fallback_rate"), fallback, ""))
    out.print(f"Good until {plan.expires}; the pump is asked again when it is applied.")
