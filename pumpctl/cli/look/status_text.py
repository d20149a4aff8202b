"""The words of a pump as it is: what `status` shows, and rows that other screens show too.

80 columns are enough; the figures that matter stand in one column. What is coloured
is drawn by `screens`, which alone knows rich.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration
from pumpctl.therapy import figures
from pumpctl.therapy.alarms import tell_alarms
from pumpctl.therapy.boluses_seen import LastBolus
from pumpctl.therapy.moment import DAY_NAMES, Moment, clock_text
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
NAMES = 20
"""Letters for the names of a table's rows."""
_WIDTH = 80


class Told(NamedTuple):
    """Text, and how it is written where that can be shown: a style of rich."""

    text: str
    style: str = ""


class StatusScreen(NamedTuple):
    """A pump as it is now: lines, a table of names and values, and the program in full."""

    head: list[Told]
    rows: list[tuple[str, Told]]
    program: list[str]


def status_screen(seen: Look, *, full: bool) -> StatusScreen:
    """All that `status` shows, or with `full` all that `interrogate` does."""
    state = seen.state
    kind = " · bench" if state.bench else ""
    head = [Told(f"Pump {state.serial} · {state.model}{kind}", "bold"), *_alarms(seen)]
    detail: Iterable[str] = ()
    if full and state.program is not None:
        from pumpctl.cli.profile.text import program_lines  # an interrogation's alone

        detail = program_lines(state.program)
    return StatusScreen(head, list(_status_rows(seen, full)), list(detail))


def _status_rows(seen: Look, full: bool) -> Iterator[tuple[str, Told]]:
    state = seen.state
    style = _delivery_style(state.delivery.value)
    yield "delivery", Told(state.delivery.value.upper() if style else state.delivery.value, style)
    if state.stopped_for is not None:
        yield "without drug for", Told(hours_of(state.stopped_for))
    yield from _plain(_dose_rows(seen))
    yield from _drug_rows(seen)
    if seen.forecast is not None:
        yield "low reservoir", Told(f"{seen.forecast.low_date}")
        yield "refill by", Told(f"{seen.forecast.refill_by}")
    clock = f"{state.clock.label()}  ({difference_text(seen.difference_ms)})"
    yield "pump clock", Told(clock)
    yield from _plain(bolus_rows(seen))
    if state.bridge is not None:
        passed = state.bridge.passed.text_in("mL").removesuffix(" mL")
        old = f"{state.line.at_tip.drug} {state.line.at_tip.concentration}"
        yield "bridge", Told(f"{passed} of {state.bridge.volume} of {old} has passed")
    if state.staged is not None:
        yield "staged", Told(f"not active, expires in {state.staged.expires_in}")
    if full or state.battery.state is not BatteryState.OK:
        yield "battery", Told(_battery_text(state.battery))
    if full:
        tip = state.line.at_tip.concentration
        yield "line", Told(f"{state.line.volume}, at the tip {tip or 'no drug'}")
        yield "state version", Told(str(state.state_version))
        yield "log", Told(f"entries {state.log_first} to {state.log_next - 1}")
        if state.program_hash is not None:
            yield "program hash", Told(state.program_hash.hex()[:16])


def _plain(rows: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Told]]:
    return ((name, Told(value)) for name, value in rows)


def show_status(seen: Look, *, full: bool) -> None:
    """A pump as it is now. Where it cannot be coloured, rich is not loaded: 20 ms."""
    screen = status_screen(seen, full=full)
    if sys.stdout.isatty():
        from pumpctl.cli.screens import draw_status

        draw_status(screen)
    else:
        sys.stdout.write("\n".join(plain_lines(screen)) + "\n")


def plain_lines(screen: StatusScreen) -> Iterator[str]:
    """The same in 80 columns without any style, for a file or a pipe."""
    for line in screen.head:
        yield from _in_80(line.text, "")
    for name, value in screen.rows:
        yield from _in_80(f"{name:{NAMES}}{value.text}", " " * NAMES)
    yield from screen.program


def _in_80(line: str, indent: str) -> list[str]:
    if len(line) <= _WIDTH:
        return [line]
    from pumpctl.cli.folding import wrap

    return wrap(line, _WIDTH, subsequent_indent=indent)


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


def _drug_rows(seen: Look) -> Iterator[tuple[str, Told]]:
    """What the reservoir holds and how much of it, and what leaves the catheter."""
    state = seen.state
    yield "drug", Told(f"{state.drug} {state.concentration}")
    yield from tip_rows(seen)
    held = f"{state.reservoir} of {state.capacity}, alarm at {state.low_alarm}"
    yield "reservoir", Told(held)
    if state.sensed is not None:
        yield "sensed", Told(f"{state.sensed}, by the pump's sensor")


def tip_rows(seen: Look) -> Iterator[tuple[str, Told]]:
    """What really leaves the catheter, where that is not what is in the reservoir."""
    state, tip = seen.state, seen.state.line.at_tip
    if state.bridge is not None or tip == Fluid(state.drug, state.concentration):
        return
    from pumpctl.therapy.emergency import rate_at_tip
    from pumpctl.workflows.look.looking import front_arrives, status_data

    held = f"{tip.drug} {tip.concentration}" if tip.concentration else "NO DRUG"
    front = front_arrives(state)
    until = "; nobody knows until when"
    if front is not None:
        until = f" until {until_text(front, state.clock)}"
    style = "bold yellow" if tip.concentration else "bold red"
    yield "at catheter tip", Told(f"{held}{until}", style)
    real = rate_at_tip(status_data(seen))
    if real is not None:
        yield "really given now", Told(f"{real} ({real.per_hour_text()})", style)


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
        from pumpctl.cli.profile.text import patient_dose_text

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


def _alarms(seen: Look) -> Iterator[Told]:
    if seen.unresolved is not None:
        operation = str(seen.unresolved.operation)[:8]
        since = f"UNRESOLVED operation {operation} since {seen.unresolved.at}"
        yield Told(f"{since}: run pumpctl resolve", "bold red")
    if seen.refill_unfinished is not None:
        yield Told(f"UNFINISHED REFILL: {seen.refill_unfinished}", "bold red")
        yield Told("  → pumpctl refill goes on where it stopped")
    for told in tell_alarms(seen.state.alarms):
        yield Told(told.line, "bold red" if told.critical else "yellow")
        yield Told(f"  → {told.act}")
    if not seen.state.alarms:
        yield Told("No alarms.")


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
