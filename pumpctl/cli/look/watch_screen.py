"""The one screen of `status --watch`: what is given now first, the log at the bottom.

It fits the terminal, 80 columns are enough, and nothing in it is known by colour alone.
What is not of now is dim and says how old it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Group
from rich.live import Live
from rich.text import Text

from pumpctl.cli import edge
from pumpctl.cli.folding import wrap
from pumpctl.cli.look.status_text import bolus_rows, difference_text, hours_of, tip_rows
from pumpctl.cli.look.watch import lost_text
from pumpctl.cli.screens import console
from pumpctl.quantities import Duration, Quantity, flow_of
from pumpctl.therapy import figures
from pumpctl.therapy.alarms import tell_alarms
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.log_text import told
from pumpctl.therapy.moment import DAY_NAMES
from pumpctl.therapy.own_doses import until_text, when_text
from pumpctl.therapy.state import Delivery
from pumpctl.workflows.look.looking import Look
from pumpctl.workflows.look.watching import Glimpse, Watch

_CALM = (Delivery.DELIVERING, Delivery.MINIMUM, Delivery.BOLUS, Delivery.BRIDGE)
_NAME = 16
_BAR = 20
_LEAST_LOG = 3
"""Lines of log for which advice beside an alarm gives way on a low screen."""


class LiveView:
    """The alternate screen while it is watched; its last picture stays behind."""

    def __init__(self, watch: Watch, every: Duration) -> None:
        self._watch = watch
        self._every = every
        self._glimpse: Glimpse | None = None
        self._note = ""
        self._console = console(sys.stdout)
        self._live = Live(
            console=self._console,
            screen=True,
            get_renderable=self._frame,
            refresh_per_second=2,  # an age is told in seconds, also while nobody answers
        )

    def show(self, glimpse: Glimpse, notes: tuple[str, ...]) -> None:
        """Show it from now on."""
        self._glimpse, self._note = glimpse, " · ".join(notes)
        if not self._live.is_started:
            self._live.start()
        self._live.refresh()

    def end(self) -> None:
        """Leave the screen, and what was seen last below the prompt."""
        if self._live.is_started:
            self._live.stop()
        self._console.print(self._picture(ended=True))

    def _frame(self) -> Group:
        return self._picture(ended=False)

    def _picture(self, *, ended: bool) -> Group:
        if self._glimpse is None:
            return Group()
        age = self._glimpse.age_s(edge.wall(), edge.ticker())
        size = self._console.size
        foot = f"every {self._every} · Ctrl-C ends · nothing here changes the pump"
        if self._note:
            foot = self._note
        lines = picture(
            self._glimpse,
            self._watch.entries,
            age,
            width=size.width,
            height=size.height - 1,
            foot="the watch has ended" if ended else foot,
        )
        return Group(*lines)


def picture(
    glimpse: Glimpse,
    entries: tuple[LogEntry, ...],
    age_s: int,
    *,
    width: int,
    height: int,
    foot: str,
) -> list[Text]:
    """The whole screen as lines, no more than `height`, none wider than `width`."""
    seen = glimpse.seen
    old = glimpse.error is not None
    head = [_headline(glimpse, age_s, width)]
    if old:
        lost = f"{lost_text(glimpse)}. What stands below is {_age(age_s)} OLD."
        head += [Text(line, style="bold reverse") for line in wrap(lost, width)]
        if glimpse.error is not None:
            head.append(Text(f"  {glimpse.error.message}"))
    body = [_dimmed(line, old) for line in _rows(seen, old)]
    alarms = list(_alarms(seen, width, acts=True))
    if len(head) + len(alarms) + len(body) + _LEAST_LOG + 3 > height:
        alarms = list(_alarms(seen, width, acts=False))
    lines = [*head, *alarms, Text(), *body]
    room = height - len(lines) - 3
    if room > 0:
        lines += [Text(), Text("log", style="bold")]
        lines += [_dimmed(_log_line(entry, seen), old) for entry in entries[-room:]]
        if seen.log.failure is not None:
            lines[-1] = Text(seen.log.failure, style="yellow")
    lines.append(Text(foot, style="dim"))
    if len(lines) > height:
        lines = [*lines[: height - 1], Text("… make the window higher", style="bold")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        line.no_wrap = True
    return lines


def _headline(glimpse: Glimpse, age_s: int, width: int) -> Text:
    state = glimpse.seen.state
    left = f"Pump {state.serial} · {state.model}{' · bench' if state.bench else ''}"
    right = f"seen {str(glimpse.answered)[11:19]}, {_age(age_s)} ago"
    gap = max(2, width - len(left) - len(right))
    return Text(left + " " * gap + right, style="bold")


def _alarms(seen: Look, width: int, *, acts: bool) -> Iterator[Text]:
    if seen.unresolved is not None:
        operation = str(seen.unresolved.operation)[:8]
        yield Text(f"UNRESOLVED operation {operation}: run pumpctl resolve", style="bold red")
    alarms = tell_alarms(seen.state.alarms)
    for alarm in alarms:
        style = "bold red" if alarm.critical else "bold yellow"
        for line in wrap(alarm.line, width, subsequent_indent="  "):
            yield Text(line, style=style)
        if acts:
            yield Text(f"  → {alarm.act}")
    if not alarms:
        yield Text("No alarms.")


def _rows(seen: Look, old: bool) -> Iterator[Text]:
    """The figures: delivery and rate first, then what it comes from and how long it lasts."""
    state, program = seen.state, seen.state.program
    calm = state.delivery in _CALM
    now = "nothing is given"
    if seen.rate is not None:
        tip = state.line.at_tip.concentration
        even = state.bridge is None and state.concentration and tip == state.concentration
        flow = flow_of(seen.rate, state.concentration) if even else None
        given = "basal " if state.delivery is Delivery.BOLUS else ""
        now = f"{given}{seen.rate.per_hour_text()} · {seen.rate}" + (
            "" if flow is None else f" · {flow}"
        )
    yield Text.assemble(
        _named(
            f"{'then ' if old else ''}{state.delivery.value.upper()}",
            "bold green" if calm else "bold red",
        ),
        (now, "bold"),
    )
    if state.stopped_for is not None:
        yield _row("without drug for", hours_of(state.stopped_for), "bold red")
    if state.bolus is not None:
        bolus = state.bolus
        ends = until_text(bolus.ends, state.clock)
        bar = _bar(bolus.delivered, bolus.dose)
        yield _row(
            "bolus running", f"{bar} {bolus.kind}, {bolus.delivered} of {bolus.dose}, ends {ends}"
        )
    if state.bridge is not None:
        bridge = state.bridge
        bar = _bar(bridge.passed, bridge.volume)
        yield _row("bridge running", f"{bar} {bridge.passed} of {bridge.volume} has passed")
    yield Text()
    if program is None:
        yield _row("program", "none that runs", "bold red")
    else:
        today = figures.daily_dose_rounded(program, state.clock.day)
        runs = "" if calm else ", NOT running"
        day = DAY_NAMES[state.clock.day]
        yield _row("program", f"{program.mode.value}, {today} on {day}{runs}")
    yield _row("drug", f"{state.drug} {state.concentration}")
    for name, leaves in tip_rows(seen):
        yield Text.assemble(_named(name, "dim"), Text(leaves.text, style=leaves.style))
    yield _row("reservoir", f"{state.reservoir} of {state.capacity}, alarm at {state.low_alarm}")
    if seen.forecast is not None:
        dates = seen.forecast
        yield _row("low reservoir", f"{dates.low_date} · refill by {dates.refill_by}")
    for name, value in bolus_rows(seen):
        if name != "bolus running":
            yield _row(name, value)
    if state.staged is not None:
        yield _row("staged", f"not active, expires in {state.staged.expires_in}")
    yield _row("pump clock", f"{state.clock.label()}, {difference_text(seen.difference_ms)}")


def _log_line(entry: LogEntry, seen: Look) -> Text:
    when = when_text(entry.time, seen.state.clock)
    return Text(f"{entry.number:>7}  {when}  {told(entry)}")


def _row(name: str, value: str, style: str = "") -> Text:
    return Text.assemble(_named(name, "dim"), (value, style))


def _named(name: str, style: str) -> tuple[str, str]:
    return f"{name:<{_NAME}}  ", style


def _bar(done: Quantity, whole: Quantity) -> str:
    """How much of it has been given, as a bar; full only when all of it has."""
    share = _BAR if not whole.quanta else min(_BAR, _BAR * done.quanta // whole.quanta)
    return "█" * share + "░" * (_BAR - share)


def _dimmed(line: Text, old: bool) -> Text:
    if old:
        line = Text(line.plain, style="dim")
    return line


def _age(seconds: int) -> str:
    """`7 s`, `4 min 10 s`, `3 h 05 min`."""
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
