"""Test only: pumpctl, which kills itself with SIGKILL at one moment that no byte marks.

    python -m tests.faults.dying MOMENT ARGUMENTS...

The moments lie around the station's journal and around the pump's commit.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any, NamedTuple


class Moment(NamedTuple):
    """When to die, and what must be true of the pump then."""

    side: str
    name: str
    truth: str
    """`old` or `new`."""

    @property
    def phase(self) -> str:
        """Its row in the table."""
        return f"{self.side}: {self.name}"


STATION = "station"
PUMP = "pump"
MOMENTS = (
    Moment(STATION, "before the intent", "old"),
    Moment(STATION, "intent not committed", "old"),
    Moment(STATION, "intent written", "old"),
    Moment(STATION, "activate just sent", "new"),
    Moment(STATION, "answer received", "new"),
    Moment(STATION, "outcome not committed", "new"),
    Moment(STATION, "outcome written", "new"),
    Moment(STATION, "verified, not shown", "new"),
    Moment(PUMP, "before its control block", "old"),
    Moment(PUMP, "control block erased", "old"),
    Moment(PUMP, "control block half written", "new"),
    Moment(PUMP, "control block written", "new"),
    Moment(PUMP, "saved, not answered", "new"),
)


def die() -> None:
    """At once, and without any cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: Any, name: str, before: Callable[..., None], after: Callable[..., None]) -> None:
    inner = getattr(owner, name)

    def outer(*args: Any, **named: Any) -> Any:
        before(*args, **named)
        result = inner(*args, **named)
        after(*args, **named)
        return result

    setattr(owner, name, outer)


def _nothing(*_args: Any, **_named: Any) -> None:
    """Not here."""


def _at_append(kind: str) -> Callable[..., None]:
    def at(_journal: Any, written: str, **_named: Any) -> None:
        if written == kind:
            die()

    return at


def _uncommitted(kind: str) -> None:
    """Die inside the journal's transaction, right before it is committed."""
    from pumpctl.station.journal import Journal

    writing = ""

    def begin(_journal: Any, written: str, **_named: Any) -> None:
        nonlocal writing
        writing = written

    class Dying(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql == "COMMIT" and writing == kind:
                die()
            return super().execute(sql, *args)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **named: connect(  # type: ignore[assignment]
        *args, factory=Dying, **named
    )
    _around(Journal, "append", begin, _nothing)


def _station(name: str) -> None:
    from pumpctl.link import session
    from pumpctl.station.journal import Journal
    from pumpctl.workflows.road import applying

    match name:
        case "before the intent":
            _around(Journal, "append", _at_append("intent"), _nothing)
        case "intent not committed":
            _uncommitted("intent")
        case "intent written":
            _around(Journal, "append", _nothing, _at_append("intent"))
        case "activate just sent":
            _after_first_therapy_byte()
        case "answer received":
            _around(session.Link, "change", _nothing, lambda *_a, **_n: die())
        case "outcome not committed":
            _uncommitted("outcome")
        case "outcome written":
            _around(Journal, "append", _nothing, _at_append("outcome"))
        case "verified, not shown":
            _around(applying, "verify", _nothing, lambda *_a, **_n: die())
        case _:
            raise SystemExit(f"no moment {name!r} of a station")


def _after_first_therapy_byte() -> None:
    from pumpctl.link.session import Link
    from pumpctl.transport.network import SocketLine

    sending = False

    def begin(*_args: Any, **_named: Any) -> None:
        nonlocal sending
        sending = True

    def sent(*_args: Any, **_named: Any) -> None:
        if sending:
            die()

    _around(Link, "change", begin, _nothing)
    _around(SocketLine, "write", _nothing, sent)


def _pump(name: str) -> None:
    """Only while an activation is being handled."""
    from pumpctl.emulator.acts import dispatch, treat
    from pumpctl.emulator.edge.ends import TcpEnd
    from pumpctl.emulator.memory.control import ControlStore
    from pumpctl.emulator.memory.flash import Flash
    from pumpctl.wire import messages as m

    activating = committing = False
    writes = 0

    def begin(*_args: Any, **_named: Any) -> None:
        nonlocal activating
        activating = True

    def commit(*_args: Any, **_named: Any) -> None:
        nonlocal committing
        if activating and name == "before its control block":
            die()
        committing = activating

    def committed(*_args: Any, **_named: Any) -> None:
        if activating and name == "control block written":
            die()

    def write(*_args: Any, **_named: Any) -> None:
        nonlocal writes
        writes += 1 if committing else 0
        last = {"control block erased": 1, "control block half written": 2}.get(name)
        if committing and writes == last:
            die()

    def answer(*_args: Any, **_named: Any) -> None:
        if activating and name == "saved, not answered":
            die()

    if name not in {each.name for each in MOMENTS if each.side == PUMP}:
        raise SystemExit(f"no moment {name!r} of a pump")
    _around(treat, "activate", begin, _nothing)
    dispatch.HANDLERS[m.Activate] = treat.activate
    _around(ControlStore, "write", commit, committed)
    _around(Flash, "write", write, _nothing)
    _around(TcpEnd, "send", answer, _nothing)


def main() -> int:
    """Arm the moment, then be pumpctl."""
    side, _, name = sys.argv[1].partition(": ")
    (_station if side == STATION else _pump)(name)
    sys.argv[1:2] = []
    from pumpctl.__main__ import main as pumpctl

    return pumpctl()


if __name__ == "__main__":
    sys.exit(main())
