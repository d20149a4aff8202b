"""Screens for people: status, plan, confirmation. With `report/`, the only user of rich.

80 columns are enough for every one; the figures that matter stand in columns.
What is "new" on a confirmation comes from the pump's read-back alone (CNF-01).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pumpctl.cli.profile_text import hours_text, program_lines
from pumpctl.quantities import Duration, Rate
from pumpctl.therapy import figures
from pumpctl.therapy.compare import DAY_NAMES, percent_text, share_text
from pumpctl.therapy.forecast import forecast
from pumpctl.therapy.moment import clock_text
from pumpctl.therapy.state import PumpState, clock_difference_ms

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.applying import AppliedPlan
    from pumpctl.workflows.looking import Look
    from pumpctl.workflows.planning import Planned

_STYLES = {"hard": "bold red", "soft": "bold yellow", "note": ""}


def console(stream: Any) -> Console:
    """A console that never guesses: no emoji, no markup, no highlighting."""
    width = None if stream.isatty() else 80
    return Console(file=stream, emoji=False, markup=False, highlight=False, width=width)


# --- status --------------------------------------------------------------------------


def show_status(seen: Look, *, full: bool) -> None:
    """A pump as it is now."""
    out = console(sys.stdout)
    state = seen.state
    kind = " · bench" if state.bench else ""
    out.print(Text(f"Pump {state.serial} · {state.model}{kind}", style="bold"))
    _alarms(out, seen)
    table = _grid(2)
    table.add_row(
        "delivery", Text(state.delivery.value, style=_delivery_style(state.delivery.value))
    )
    if state.stopped_for is not None:
        table.add_row("without drug for", hours_of(state.stopped_for))
    if state.program is not None:
        program = state.program
        today = figures.daily_dose_rounded(program, state.clock.day)
        rate = figures.rate_at(program, state.clock.day, state.clock.minute)
        stopped = state.delivery.value == "stopped"
        table.add_row("program", program.mode.value + (", NOT running" if stopped else ""))
        table.add_row("its dose today", f"{today}  ({DAY_NAMES[state.clock.day]})")
        table.add_row("basal now", "nothing: stopped" if stopped else rate.per_hour_text())
        table.add_row("fallback", str(program.fallback))
    table.add_row("drug", f"{state.drug} {state.concentration}")
    table.add_row("reservoir", f"{state.reservoir} of {state.capacity}, alarm at {state.low_alarm}")
    if seen.forecast is not None:
        table.add_row("low reservoir", f"{seen.forecast.low_date}")
        table.add_row("refill by", f"{seen.forecast.refill_by}")
    table.add_row("pump clock", f"{state.clock.label()}  ({_difference(seen.difference_ms)})")
    if state.bolus is not None:
        table.add_row("bolus", f"{state.bolus.kind}, {state.bolus.delivered} of {state.bolus.dose}")
    if state.staged is not None:
        table.add_row("staged", f"not active, expires in {state.staged.expires_in}")
    if full:
        table.add_row("line", f"{state.line.volume}, at the tip {state.line.at_tip.concentration}")
        table.add_row("battery", state.battery.state.value)
        table.add_row("state version", str(state.state_version))
        table.add_row("log", f"entries {state.log_first} to {state.log_next - 1}")
        if state.program_hash is not None:
            table.add_row("program hash", state.program_hash.hex()[:16])
    out.print(table)
    if full and state.program is not None:
        out.print("\n".join(program_lines(state.program)), soft_wrap=True)


def _alarms(out: Console, seen: Look) -> None:
    if seen.unresolved is not None:
        out.print(
            Text(
                f"UNRESOLVED operation {str(seen.unresolved.operation)[:8]} since "
                f"{seen.unresolved.at}: run pumpctl resolve",
                style="bold red",
            )
        )
    for alarm in seen.state.alarms:
        style = "bold red" if alarm.priority.value == "critical" else "yellow"
        out.print(
            Text(
                f"ALARM {alarm.code} ({alarm.priority.value}) since {alarm.since.label()}: "
                f"{alarm.cause}",
                style=style,
            )
        )
    if not seen.state.alarms:
        out.print("No alarms.")


def _delivery_style(delivery: str) -> str:
    return "" if delivery in ("delivering", "minimum", "bolus", "bridge") else "bold red"


def _difference(milliseconds: int) -> str:
    seconds = abs(milliseconds) // 1000
    if seconds <= 60:
        return f"in step, {'-' if milliseconds < 0 and seconds else '+'}{seconds} s"
    days, rest = divmod(seconds, 86_400)
    told = f"{days} d {clock_text(rest // 60)}" if days else f"{clock_text(rest // 60)} h"
    return f"{'behind' if milliseconds < 0 else 'ahead of'} the station by {told}"


# --- plans -----------------------------------------------------------------------------


def show_plan(planned: Planned, output: Path | None, token: str | None) -> None:
    """A plan on stdout: the screen of a confirmation, and what to do with it."""
    out = console(sys.stdout)
    _change(out, planned)
    if output is not None:
        out.print(f"\nPlan written to {output}, good until {planned.plan.expires}.")
    if token is None:
        names = ", ".join(sorted({finding.id for finding in planned.plan.open_soft}))
        out.print(
            Text(f"Open soft findings: {names}. Plan again with --override.", style="bold yellow")
        )
    else:
        place = "PLAN" if output is None else output
        out.print(f"Confirm with: pumpctl apply {place} --confirm {token}", soft_wrap=True)


def show_confirmation(planned: Planned) -> None:
    """The screen before the challenge, on stderr."""
    _change(console(sys.stderr), planned)


def _change(out: Console, planned: Planned) -> None:
    state, plan = planned.state, planned.plan
    kind = "emulator" if state.bench else "pump"
    out.print(
        Text(
            f"Pump {state.serial} · {kind} · patient {plan.patient or 'as the pump holds'}",
            style="bold",
        )
    )
    difference = _difference(clock_difference_ms(state.clock, planned.now))
    out.print(f"Pump clock {state.clock.label()}, {difference}")
    for alarm in state.alarms:
        out.print(
            Text(f"ALARM {alarm.code} ({alarm.priority.value}): {alarm.cause}", style="bold red")
        )
    if state.delivery.value != "delivering":
        out.print(Text(f"Delivery now: {_delivery_text(state)}", style="bold"))
    calm = [] if state.alarms else ["no alarms"]
    calm.append("nothing unresolved")
    calm.append(
        "no bolus, no bridge running"
        if state.bolus is None
        else f"a {state.bolus.kind} bolus is running: {state.bolus.delivered} of {state.bolus.dose}"
    )
    out.print(" · ".join(calm))
    out.print()
    for row in _figures(planned):
        out.print(row)
    _findings(out, plan)
    for row in _bounds(planned):
        out.print(row)
    out.print()
    for line in hours_text(planned.act.program):
        out.print("  " + line)
    ahead = forecast(
        planned.act.program,
        state.reservoir,
        planned.act.program.low_alarm,
        state.clock,
        state.filled_at,
    )
    out.print(f"\n  low reservoir {ahead.low_date} · refill by {ahead.refill_by}")
    out.print(
        f'  Every "new" dose is the pump\'s own read-back of what it stored '
        f"({plan.readback['hash'][:8]})."
    )


def _figures(planned: Planned) -> Iterator[Text]:
    """The rows of old and new; new in bold, from the pump's read-back."""
    old, back, new = planned.state.program, planned.readback, planned.act.program
    was = figures.week(old) if old is not None else None
    yield _row("", "now", "new", "")
    for days in _alike(planned):
        before = None if was is None else was[days[0]].daily_dose
        after = Rate(back.days[days[0]].daily_dose.quanta)
        yield _row(
            f"daily dose  {_day_label(days)}",
            before,
            after,
            percent_text(0 if before is None else before.quanta, after.quanta),
        )
    hour = max(day.largest_hour for day in back.days)
    old_hour = None if was is None else max(day.largest_hour for day in was)
    change = percent_text(0 if old_hour is None else old_hour.quanta, hour.quanta)
    yield _row("largest hour", old_hour, hour, change)
    volume = max(day.volume for day in back.days)
    flow = None if old is None else figures.flow_of_largest_day(old)
    yield _row("flow, largest day", flow, f"{volume}/day", "")
    same = (new.drug, new.concentration) == (planned.state.drug, planned.state.concentration)
    held = "as the pump holds it" if same else "NOT what the pump holds"
    yield Text(f"  {'drug':26}{new.drug} {new.concentration}, {held}")


def _bounds(planned: Planned) -> Iterator[Text]:
    """What it can come to at most and at least: with all patient doses, and the fallback."""
    old, back = planned.state.program, planned.readback
    patient = figures.largest_24h_with_patient_doses(old) if old is not None else None
    yield _row("24 h with patient doses", patient, back.largest_24h, "")
    yield _row("fallback", None if old is None else old.fallback, back.program.fallback, "")
    smallest = min(day.daily_dose for day in back.days)
    share = share_text(back.program.fallback.quanta, smallest.quanta)
    yield Text(f"{'':45}{share} of the smallest day")


def _row(label: str, now: object, new: object, change: str) -> Text:
    row = Text(f"  {label:26}{'–' if now is None else now!s:17}")
    row.append(f"{new!s:17}", style="bold")
    row.append(f"{change:>10}")
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
    return first if first == last else f"{first}–{last}"


def _delivery_text(state: PumpState) -> str:
    if state.stopped_for is not None:
        return f"stopped, without drug for {hours_of(state.stopped_for)}"
    return state.delivery.value


def hours_of(duration: Duration) -> str:
    """`27 h 05 min`, rounded down to a minute: nobody reads milliseconds of a stop."""
    hours, minutes = divmod(duration.quanta // 60_000, 60)
    return f"{hours} h {minutes:02d} min"


def _findings(out: Console, plan: Plan) -> None:
    overridden = {override.id: override.reason for override in plan.overrides}
    for finding in plan.findings:
        reason = overridden.get(finding.id)
        mark = f"{finding.severity} {finding.id}: {finding.message}"
        if reason is not None:
            mark += f"  [overridden: {reason}]"
        for place, line in enumerate(wrap(mark, 76)):
            out.print(
                Text(("  " if place == 0 else "    ") + line, style=_STYLES[finding.severity])
            )


def show_plan_file(plan: Plan) -> None:
    """A plan from a file, on stderr, before it is confirmed without a pump at hand."""
    out = console(sys.stderr)
    out.print(Text(f"Pump {plan.pump.serial} · patient {plan.patient or 'as it is'}", style="bold"))
    table = _grid(3)
    table.add_row("", "now", "new")
    for label, key in (
        ("largest day", "daily_dose"),
        ("largest hour", "largest_hour"),
        ("flow", "flow"),
        ("fallback", "fallback_rate"),
    ):
        table.add_row(label, str(plan.old.get(key, "–")), str(plan.new.get(key, "–")))
    out.print(table)
    _findings(out, plan)
    out.print(f"Good until {plan.expires}; the pump itself is asked again when it is applied.")


def applied_text(applied: AppliedPlan) -> str:
    """What an apply came to, in two lines."""
    state = applied.state
    what = "Resumed" if applied.plan.kind == "resume" else "Activated"
    today = (
        ""
        if state.program is None
        else (f", {figures.daily_dose_rounded(state.program, state.clock.day)} today")
    )
    return (
        f"{what} and verified on pump {state.serial}: {state.delivery.value}{today}.\n"
        f"State version {applied.state_version}, operation {str(applied.operation)[:8]}."
    )


def _grid(columns: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=18, style="dim", no_wrap=True)
    for _ in range(columns - 1):
        table.add_column(min_width=16)
    return table
