"""`status --watch`: a pump looked at again and again, in one of three ways of showing it.

On a terminal one screen that stays; elsewhere a line for each look and each new entry
of the log; with --json one document a line. Ctrl-C is how it ends: that is exit 0,
since nothing was broken off. What is looked at is the workflow's matter.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from pumpctl.cli import context, edge
from pumpctl.cli.look.logs import line_of, shown_json
from pumpctl.cli.report import TOLD, Report, Warn, json_line
from pumpctl.errors import PortBusy, StoreError, UsageError
from pumpctl.quantities import Duration
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.look.looking import status_data
from pumpctl.workflows.look.watching import Glimpse, Watch

SHORTEST, LONGEST = Duration(1_000), Duration(3_600_000)
"""More often only costs the pump's battery; more seldom is no watching."""
_BUSY_TRIES, _BUSY_WAIT_S = 30, 0.1


class View(Protocol):
    """Where it is shown."""

    def show(self, glimpse: Glimpse, notes: tuple[str, ...]) -> None: ...
    def end(self) -> None: ...


def interval(text: str) -> Duration:
    """The time between two looks; UsageError where it is none or outside the bounds."""
    every = Duration.parse(text)
    if not SHORTEST <= every <= LONGEST:
        raise UsageError(f"--every {text}: between {SHORTEST} and {LONGEST}")
    return every


def watch_pump(every: Duration) -> int:
    """Watch until Ctrl-C, or until nobody reads any more; the exit code.

    The first look must succeed: until then nobody knows which pump is meant.
    """
    notes: list[str] = []
    watch = Watch(context.station()._replace(tell=notes.append))
    with _asked_to_end() as asked:
        glimpse = _first(watch)
        view = _view(watch, every)
        try:
            while not asked:
                view.show(glimpse, tuple(notes))
                edge.pause(every.quanta / 1_000)
                notes.clear()
                glimpse = watch.look()
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:  # whoever read has seen what was wanted
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            view.end()
    return 0


def _first(watch: Watch) -> Glimpse:
    """The first look; another process that looks just now is waited for."""
    for _ in range(_BUSY_TRIES):
        try:
            return watch.look()
        except PortBusy:
            edge.pause(_BUSY_WAIT_S)
    return watch.look()


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """Filled by Ctrl-C or a request to end, which is raised as a KeyboardInterrupt as well.

    A link that is being closed swallows that one, so as not to hide what became of a
    therapy message. There is none here, and the watch must end all the same.
    """
    asked: list[int] = []

    def end(number: int, _frame: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, end)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _view(watch: Watch, every: Duration) -> View:
    if context.as_json():
        return JsonView()
    if sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        from pumpctl.cli.look.watch_screen import LiveView

        return LiveView(watch, every)
    return PlainView()


def _told(notes: tuple[str, ...], known: set[str]) -> None:
    """Tell what comes up on stderr, each kind once: a rehearsal's time is another at each look."""
    for note in notes:
        kind = note.partition(":")[0]
        if kind not in known:
            known.add(kind)
            context.say(f"pumpctl: {note}")


def _write(text: str) -> None:
    """A line for whoever reads stdout; BrokenPipeError, or StoreError where it is not taken."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StoreError(f"the result cannot be written: {error}") from error


class JsonView:
    """One document for each look: a status, or the error that was in its way."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def show(self, glimpse: Glimpse, notes: tuple[str, ...]) -> None:
        """Write it."""
        _told(notes, self._known)
        if glimpse.error is not None:
            _write(json_line(glimpse.error))
            return
        seen = glimpse.seen
        data = {
            **status_data(seen),
            "log": [shown_json(entry) for entry in seen.log.entries],
            "log_left_out": seen.log.left_out,
        }
        warnings = [*context.warnings(), *(Warn(TOLD, note) for note in notes)]
        if seen.log.failure is not None:
            warnings.append(Warn("LOG_UNREADABLE", seen.log.failure))
        pump = (seen.state.serial, seen.state.model)
        _write(json_line(Report("status", data, "", pump=pump, warnings=tuple(warnings))))

    def end(self) -> None:
        """Nothing is open."""


class PlainView:
    """A line for each look, and one for each new entry of the log."""

    FIRST = 5
    """So many of the newest entries at the beginning."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._begun = False

    def show(self, glimpse: Glimpse, notes: tuple[str, ...]) -> None:
        """Write them."""
        from pumpctl.therapy.alarms import tell_alarms

        _told(notes, self._known)
        seen = glimpse.seen
        if glimpse.error is not None:
            _write(f"{_clock(edge.wall())}  {lost_text(glimpse)} ({glimpse.error.message})")
            return
        if not self._begun:
            _write(f"Pump {seen.state.serial} · {seen.state.model}")
        entries = seen.log.entries if self._begun else seen.log.entries[-self.FIRST :]
        self._begun = True
        for entry in entries:
            _write(f"  log {line_of(entry).strip()}")
        for told in tell_alarms(seen.state.alarms):
            if told.line not in self._known:
                self._known.add(told.line)
                _write(f"  {told.line} → {told.act}")
        _write(f"{_clock(glimpse.answered)}  {look_text(glimpse)}")

    def end(self) -> None:
        """Nothing is open."""


def look_text(glimpse: Glimpse) -> str:
    """A look in one line: delivery, rate, reservoir, what runs, alarms."""
    seen, state = glimpse.seen, glimpse.seen.state
    parts = [state.delivery.value]
    parts.append("no rate" if seen.rate is None else seen.rate.per_hour_text())
    parts.append(f"reservoir {state.reservoir}")
    if seen.forecast is not None:
        parts.append(f"low {seen.forecast.low_date}")
    if state.bolus is not None:
        parts.append(f"{state.bolus.kind} bolus {state.bolus.delivered} of {state.bolus.dose}")
    if state.bridge is not None:
        parts.append(f"bridge {state.bridge.passed} of {state.bridge.volume}")
    if state.patient_dose is not None:
        parts.append(f"patient doses left {state.patient_dose.left}")
    if seen.unresolved is not None:
        parts.append("UNRESOLVED operation")
    alarms = ", ".join(alarm.code for alarm in state.alarms)
    parts.append(f"ALARM {alarms}" if alarms else "no alarms")
    return " · ".join(parts)


def lost_text(glimpse: Glimpse) -> str:
    """That there is no answer now, and since when."""
    return f"no answer since {_clock(glimpse.answered)}, trying again"


def _clock(at: Moment) -> str:
    """`12:03:10` of the station's clock."""
    return str(at)[11:19]
