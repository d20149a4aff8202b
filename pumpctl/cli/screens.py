"""The screen of a pump as it is. With `change_screen` and `report/`, the only users of rich.

80 columns are enough; the figures that matter stand in one column.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pumpctl.cli.profile.text import patient_dose_text, program_lines
from pumpctl.quantities import Duration
from pumpctl.therapy import figures
from pumpctl.therapy.alarms import tell_alarms
from pumpctl.therapy.boluses_seen import LastBolus
from pumpctl.therapy.compare import DAY_NAMES
from pumpctl.therapy.moment import Moment, clock_text
from pumpctl.therapy.own_doses import left_text, until_text, when_text
from pumpctl.therapy.state import Battery, BatteryState, Delivery, Fluid

if TYPE_CHECKING:
    from pumpctl.workflows.look.looking import Look

_STILL = {Delivery.STOPPED: "stopped", Delivery.STALLED: "the motor stands still"}
_BATTERY = {
    BatteryState.OK: "good",
    BatteryState.ELECTIVE_REPLACEMENT: "elective replacement",
    BatteryState.END_OF_SERVICE: "end of service",
}
_STYLES = {"hard": "bold red", "soft": "bold yellow", "note": ""}


class _Console(Console):
    """One that leaves it to the caller what a reader who went away means."""

    def on_broken_pipe(self) -> None:
        """Not an exit with 1, which is a bug of ours, perhaps after a change of the pump."""
        raise BrokenPipeError


def console(stream: Any) -> Console:
    """A console that never guesses: no emoji, no markup, no highlighting."""
    width = None if stream.isatty() else 80
    return _Console(file=stream, emoji=False, markup=False, highlight=False, width=width)


# --- status --------------------------------------------------------------------------


def show_status(seen: Look, *, full: bool) -> None:
    """A pump as it is now."""
    out = console(sys.stdout)
    state = seen.state
    kind = " · bench" if state.bench else ""
    out.print(Text(f"Pump {state.serial} · {state.model}{kind}", style="bold"))
    _alarms(out, seen)
    table = _grid(2)
    style = _delivery_style(state.delivery.value)
    shown = state.delivery.value.upper() if style else state.delivery.value
    table.add_row("delivery", Text(shown, style=style))
    if state.stopped_for is not None:
        table.add_row("without drug for", hours_of(state.stopped_for))
    for name, value in _dose_rows(seen):
        table.add_row(name, value)
    for name, told in _drug_rows(seen):
        table.add_row(name, told)
    if seen.forecast is not None:
        table.add_row("low reservoir", f"{seen.forecast.low_date}")
        table.add_row("refill by", f"{seen.forecast.refill_by}")
    table.add_row("pump clock", f"{state.clock.label()}  ({difference_text(seen.difference_ms)})")
    for name, value in bolus_rows(seen):
        table.add_row(name, value)
    if state.bridge is not None:
        passed = state.bridge.passed.text_in("mL").removesuffix(" mL")
        old = f"{state.line.at_tip.drug} {state.line.at_tip.concentration}"
        table.add_row("bridge", f"{passed} of {state.bridge.volume} of {old} has passed")
    if state.staged is not None:
        table.add_row("staged", f"not active, expires in {state.staged.expires_in}")
    if full or state.battery.state is not BatteryState.OK:
        table.add_row("battery", _battery_text(state.battery))
    if full:
        tip = state.line.at_tip.concentration
        table.add_row("line", f"{state.line.volume}, at the tip {tip or 'no drug'}")
        table.add_row("state version", str(state.state_version))
        table.add_row("log", f"entries {state.log_first} to {state.log_next - 1}")
        if state.program_hash is not None:
            table.add_row("program hash", state.program_hash.hex()[:16])
    out.print(table)
    if full and state.program is not None:
        out.print("\n".join(program_lines(state.program)), soft_wrap=True)


def _dose_rows(seen: Look) -> Iterator[tuple[str, str]]:
    """What the pump is to give, and what of it is given now: by the pump, not by the program."""
    state, program = seen.state, seen.state.program
    still = _STILL.get(state.delivery)
    now = f"nothing: {still or 'it says no rate'}"
    if seen.rate is not None:
        now = f"{seen.rate} ({seen.rate.per_hour_text()})"
    if program is None:
        yield "program", "none that runs: lost, or put aside for the fallback rate"
        yield "basal now", now
        return
    bridge = ", after the bridge" if state.bridge is not None else ""
    yield "program", program.mode.value + (", NOT running" if still else bridge)
    today = figures.daily_dose_rounded(program, state.clock.day)
    yield "its dose today", f"{today}  ({DAY_NAMES[state.clock.day]})"
    yield "basal now", now if seen.rate is None else seen.rate.per_hour_text()
    yield "fallback", str(program.fallback)


def _drug_rows(seen: Look) -> Iterator[tuple[str, str | Text]]:
    """What the reservoir holds and how much of it, and what leaves the catheter."""
    state = seen.state
    yield "drug", f"{state.drug} {state.concentration}"
    yield from tip_rows(seen)
    yield "reservoir", f"{state.reservoir} of {state.capacity}, alarm at {state.low_alarm}"
    if state.sensed is not None:
        yield "sensed", f"{state.sensed}, by the pump's sensor"


def tip_rows(seen: Look) -> Iterator[tuple[str, Text]]:
    """What really leaves the catheter, where that is not what is in the reservoir."""
    from pumpctl.therapy.emergency import rate_at_tip
    from pumpctl.workflows.look.looking import front_arrives, status_data

    state, tip = seen.state, seen.state.line.at_tip
    if state.bridge is not None or tip == Fluid(state.drug, state.concentration):
        return
    held = f"{tip.drug} {tip.concentration}" if tip.concentration else "NO DRUG"
    front = front_arrives(state)
    until = "; nobody knows until when"
    if front is not None:
        until = f" until {until_text(front, state.clock)}"
    style = "bold yellow" if tip.concentration else "bold red"
    yield "at catheter tip", Text(f"{held}{until}", style=style)
    real = rate_at_tip(status_data(seen))
    if real is not None:
        yield "really given now", Text(f"{real} ({real.per_hour_text()})", style=style)


def bolus_rows(seen: Look) -> Iterator[tuple[str, str]]:
    """The bolus that runs, or the last one, and the patient's own doses."""
    state, last = seen.state, seen.last_bolus
    if state.bolus is not None:
        ends = until_text(state.bolus.ends, state.clock)
        what = f"{state.bolus.delivered} of {state.bolus.dose}"
        yield "bolus running", f"{state.bolus.kind}, {what} given, ends {ends}"
    elif seen.last_bolus_doubt is not None:
        yield "last bolus", f"NOT KNOWN: {seen.last_bolus_doubt}"
    elif last is not None:
        yield "last bolus", last_bolus_text(last, state.clock)
    own = None if state.program is None else state.program.patient_dose
    if own is not None:
        yield "patient dose", patient_dose_text(own)
    if state.patient_dose is not None:
        yield (
            "" if own is not None else "patient dose",
            left_text(own, state.patient_dose, state.clock),
        )


def last_bolus_text(bolus: LastBolus, clock: Moment) -> str:
    """`single, 20 mcg at 09:20`; of one that was cut short what was really given."""
    at = bolus.ended or bolus.started
    when = "" if at is None else f", {when_text(at, clock)}"
    if bolus.given is None:
        return f"{bolus.kind}, {bolus.ordered} ordered{when}; its end is not known"
    if bolus.partial:
        return f"{bolus.kind}, CUT SHORT: {bolus.given} of {bolus.ordered} given{when}"
    return f"{bolus.kind}, {bolus.given} given{when}"


def _battery_text(battery: Battery) -> str:
    date = "" if battery.replace_by is None else f", replace the pump by {battery.replace_by}"
    return _BATTERY[battery.state] + date


def _alarms(out: Console, seen: Look) -> None:
    if seen.unresolved is not None:
        out.print(
            Text(
                f"UNRESOLVED operation {str(seen.unresolved.operation)[:8]} since "
                f"{seen.unresolved.at}: run pumpctl resolve",
                style="bold red",
            )
        )
    if seen.refill_unfinished is not None:
        out.print(Text(f"UNFINISHED REFILL: {seen.refill_unfinished}", style="bold red"))
        out.print("  → pumpctl refill goes on where it stopped")
    for told in tell_alarms(seen.state.alarms):
        out.print(Text(told.line, style="bold red" if told.critical else "yellow"))
        out.print(f"  → {told.act}")
    if not seen.state.alarms:
        out.print("No alarms.")


def _delivery_style(delivery: str) -> str:
    return "" if delivery in ("delivering", "minimum", "bolus", "bridge") else "bold red"


def difference_text(milliseconds: int) -> str:
    seconds = abs(milliseconds) // 1000
    if seconds <= 60:
        return f"in step, {'-' if milliseconds < 0 and seconds else '+'}{seconds} s"
    days, rest = divmod(seconds, 86_400)
    told = f"{days} d {clock_text(rest // 60)}" if days else f"{clock_text(rest // 60)} h"
    return f"{'behind' if milliseconds < 0 else 'ahead of'} the station by {told}"


def hours_of(duration: Duration) -> str:
    """`27 h 05 min`, rounded down to a minute: nobody reads milliseconds of a stop."""
    hours, minutes = divmod(duration.quanta // 60_000, 60)
    return f"{hours} h {minutes:02d} min"


def span_text(duration: Duration) -> str:
    """How long something takes: `10 min`, `24 min 49 s`, rounded up to a second."""
    minutes, seconds = divmod(-(-duration.quanta // 1000), 60)
    return f"{minutes} min {seconds:02d} s" if minutes and seconds else str(duration)


def _grid(columns: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=18, style="dim", no_wrap=True)
    for _ in range(columns - 1):
        table.add_column(min_width=16)
    return table
