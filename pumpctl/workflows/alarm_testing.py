"""The test of a pump's alarm signal, and whether somebody heard it.

Sounding is one message and changes no therapy; what was heard is known only to a
person, so it is recorded as an entry of its own: asked for at once on a terminal,
or told later. No answer is no yes.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.errors import AlarmActive, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.state import Priority
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

ANSWER_WITHIN_MS = 10 * MINUTE_MS
"""Own choice: whoever listened knows it still, and another test has not been forgotten."""


class Sounded(NamedTuple):
    """A test that was sounded, with the answer of whoever listened."""

    serial: str
    model: str
    test: str
    """Names it in the journal."""
    priority: Priority
    lasts: Duration
    at: str
    """By the station's clock."""
    heard: bool | None = None
    """None: nobody has said."""
    rehearsal: bool = False


def sound_alarm(station: Station, priority: Priority, listen: Callable[[], None]) -> Sounded:
    """Have the pump sound this signal now, and write that down; `listen` is called just before.

    Raises AlarmActive while an alarm is raised, which sounds itself; PumpRefused where
    the pump will not or cannot; StoreError, before anything sounds, without a journal.
    """
    with Journal(station.home.journal) as journal, visit(station, changes=False) as open_visit:
        state = open_visit.state()
        if state.alarms:
            first = state.alarms[0]
            raise AlarmActive(
                f"{first.code} is raised and sounds itself: {first.cause}",
                hint="a test could be taken for it; end its cause, then test",
            )
        listen()
        lasts = open_visit.pump.sound_alarm(priority)
        sounded = Sounded(
            state.serial,
            state.model,
            station.entropy(8).hex(),
            priority,
            lasts,
            str(open_visit.now()),
            rehearsal=open_visit.rehearsal,
        )
        _append(journal, station, sounded, sounded.at, "sounded")
    return sounded


def record_heard(station: Station, sounded: Sounded, heard: bool) -> Sounded:
    """Write down what the listener said of a test just sounded."""
    told = sounded._replace(heard=heard)
    with Journal(station.home.journal) as journal:
        _append(journal, station, told, told.at, "answered")
    return told


def answer_later(station: Station, heard: bool) -> Sounded:
    """The same for the last test of the pump on this line; nothing sounds.

    Raises UsageError where no test of the last ten minutes waits for an answer.
    """
    with Journal(station.home.journal) as journal, visit(station, changes=False) as open_visit:
        waiting = _waiting(journal.entries(pump=open_visit.serial))
        now = open_visit.now()
        if waiting is None or not 0 <= _age(now, waiting.at) <= ANSWER_WITHIN_MS:
            raise UsageError(
                f"no alarm test of pump {open_visit.serial} in the last 10 min waits for an answer",
                hint="sound one first, with somebody listening: pumpctl alarm test",
            )
        told = _sounded(open_visit, waiting)._replace(heard=heard)
        _append(journal, station, told, str(now), "answered")
    return told


def _age(now: Moment, at: str) -> int:
    return now.utc_ms - Moment.parse(at).utc_ms


def _waiting(entries: list[Entry]) -> Entry | None:
    """The last test, where nobody has said yet whether it was heard."""
    tests = [entry for entry in entries if entry.kind == "alarm test"]
    return tests[-1] if tests and tests[-1].body["step"] == "sounded" else None


def _sounded(open_visit: Visit, entry: Entry) -> Sounded:
    body = entry.body
    return Sounded(
        open_visit.serial,
        open_visit.link.greeting.model,
        str(body["test"]),
        Priority(body["priority"]),
        Duration(int(body["lasts_ms"])),
        entry.at,
        rehearsal=open_visit.rehearsal,
    )


def _append(journal: Journal, station: Station, told: Sounded, at: str, step: str) -> None:
    journal.append(
        "alarm test",
        at=at,
        pump=told.serial,
        operation=None,
        body={
            "step": step,
            "test": told.test,
            "priority": told.priority.value,
            "lasts_ms": told.lasts.quanta,
            "heard": told.heard,
            "operator": station.operator,
            "rehearsal": told.rehearsal,
        },
    )
