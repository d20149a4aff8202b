"""The bench that the tests stand on: one session, one device, and short words for both.

It keeps the running session and opens another where a test has ended it, asks
with resends, and brings the pump back to the program that runs between the
tests. What is tested, and what a duty says, is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pumpctl.conformance.duties import expect, same
from pumpctl.conformance.faults import Broken
from pumpctl.conformance.samples import Samples
from pumpctl.conformance.session import Answer, Own, Sealed, Session
from pumpctl.conformance.talk import Greeted, Talk, of_kind, plain
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Feature, FrameKind, LogKind, Purpose, Refuse, Result
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import MOST_PAYLOAD, Frame
from pumpctl.wire.logbatch import unpack_batch
from pumpctl.wire.logentry import LogEntry, unpack
from pumpctl.wire.message import encode
from pumpctl.wire.program import Program

R = TypeVar("R")
NO_CHAIN = bytes(32)
OF_TIME = frozenset(
    {
        LogKind.HOUR,
        LogKind.ALARM_RAISED,
        LogKind.ALARM_CLEARED,
        LogKind.BOLUS_STARTED,
        LogKind.BOLUS_ENDED,
        LogKind.BRIDGE_ENDED,
    }
)
"""Entries that time brings, whatever the line does."""


class Bench:
    """A device, and a session with it."""

    def __init__(self, talk: Talk, own: Own) -> None:
        self.talk = talk
        self.own = own
        self.changed = False
        """Has the device said DONE to anything yet?"""
        self._session: Session | None = None
        self._nonce: bytes | None = None
        """Of the last staging."""
        self.identity: m.Identity
        self.samples: Samples
        self.tag: bytes
        self.features = 0
        self.library = 0

    def know(
        self, identity: m.Identity, samples: Samples, tag: bytes, features: int, library: int
    ) -> None:
        """What the device is; `library` is its table of limits, 0 for none."""
        self.identity, self.samples, self.tag = identity, samples, tag
        self.features, self.library = features, library

    # --- the session -----------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The running session; opened where there is none."""
        return self.open() if self._session is None else self._session

    def open(self) -> Session:
        """A new session, which has said its first record."""
        greeted = self.talk.greet(self.talk.own_greeting(self.own.key))
        self.take_over(self.talk.shake(greeted, self.own))
        self.ping()
        return self.session

    def take_over(self, session: Session) -> None:
        """From now on this is the session."""
        self._session = session

    def forget_session(self) -> None:
        """The test has ended it."""
        self._session = None

    def look(self, key: bytes | None = None) -> Greeted:
        """A greeting that only looks."""
        own = self.talk.own_greeting(self.own.key if key is None else key, Purpose.LOOK)
        return self.talk.greet(own)

    # --- asking ----------------------------------------------------------------------

    def exchange(self, sealed: Sealed, what: str = "a request") -> Answer:
        """Send a sealed request until it is answered; the answer."""
        session, found = self.session, list[Answer]()

        def answered(frame: Frame) -> bool:
            found.extend(session.take([frame]))
            return any(answer.to == sealed.counter for answer in found)

        self.talk.exchange(sealed.data, answered, what)
        answer = next(answer for answer in found if answer.to == sealed.counter)
        if isinstance(answer.message, m.Done) and not answer.message.repeated:
            self.changed = True
        if isinstance(answer.message, m.Staged):
            self._nonce = answer.message.nonce
        return answer

    def ask(self, message: object) -> Any:
        """What the device answers."""
        return self.exchange(self.session.seal(message), _name(message)).message

    def get(self, message: object, reply: type[R]) -> R:
        """The same where nothing but this reply will do."""
        answer = self.ask(message)
        if not isinstance(answer, reply):
            raise Broken(f"{_name(message)} was answered by {_answer_text(answer)}")
        return answer

    def refused(self, message: object, *codes: Refuse) -> m.Refusal:
        """Broken unless it is refused with one of these codes."""
        answer = self.ask(message)
        if not isinstance(answer, m.Refusal) or answer.code not in codes:
            due = " or ".join(code.name for code in codes)
            raise Broken(f"{_name(message)} was answered by {_answer_text(answer)}, not {due}")
        return answer

    def ping(self) -> Answer:
        """Broken unless it comes back as it was."""
        token = self.talk.entropy(16)
        answer = self.exchange(self.session.seal(m.Ping(token)), "a PING")
        same("the answer to a PING", answer.message, m.Pong(token))
        return answer

    def after(self, data: bytes) -> list[Frame]:
        """Send these bytes and a PING; every frame that comes but the PING's own answer.

        A pump handles what is complete in its order, so what it has to say to the bytes
        comes before the PONG: silence needs no waiting.
        """
        session = self.session
        self.talk.send(data)
        ping = session.seal(m.Ping(self.talk.entropy(16)))
        pongs: list[Answer] = []

        def answered(frame: Frame) -> bool:
            pongs.extend(a for a in session.take([frame]) if a.to == ping.counter)
            return bool(pongs)

        heard = self.talk.exchange(ping.data, answered, "a PING after it")
        own = {frame for answer in pongs for frame in answer.frames}
        return [frame for frame in heard if frame not in own]

    def silent(self, data: bytes, what: str) -> None:
        """Broken if these bytes are answered."""
        answers = self.after(data)
        if answers:
            raise Broken(f"{what} was answered by a {answers[0].kind.name} frame")

    def silent_without_session(self, data: bytes, what: str) -> None:
        """The same where no session runs: a greeting that only looks is what is answered."""
        self.talk.send(data)
        own = self.talk.own_greeting(self.own.key, Purpose.LOOK)
        heard = self.talk.exchange(
            plain(FrameKind.GREETING, own), of_kind(FrameKind.GREETING), "a greeting after it"
        )
        others = [frame for frame in heard if frame.kind is not FrameKind.GREETING]
        if others:
            raise Broken(f"{what} was answered by a {others[0].kind.name} frame")

    # --- what the device says of itself -------------------------------------------------

    def status(self) -> m.Status:
        """Fresh."""
        return self.get(m.GetStatus(), m.Status)

    def offers(self, feature: Feature) -> bool:
        """Does the greeting's bit say so?"""
        return bool(self.features & feature)

    def operation(self, operation: bytes) -> m.OperationReport:
        """What the ledger says of an id."""
        return self.get(m.GetOperation(operation), m.OperationReport)

    def entries(self, first: int) -> list[LogEntry]:
        """The log from this number on, each entry by its own check."""
        found: list[LogEntry] = []
        while True:
            report = self.get(m.GetLog(first, 100, Encoding.RAW, MOST_PAYLOAD), m.LogReport)
            if not report.entries:
                return found
            found += unpacked(report)
            first = found[-1].number + 1

    # --- the road ----------------------------------------------------------------------

    def new_id(self) -> bytes:
        """An operation id that nobody has used."""
        return self.talk.entropy(16)

    def stage(self, program: Program) -> m.Staged:
        """Stage a program; Broken where it is not taken."""
        return self.get(m.StageProgram(self.tag, program), m.Staged)

    def staged(self, program: Program) -> m.Staged:
        """The same, with its read-back asked for."""
        staged = self.stage(program)
        self.get(m.GetReadback(), m.ProgramReadback)
        return staged

    def activation(self, staged: m.Staged, operation: bytes | None = None) -> m.Activate:
        """The ACTIVATE that fits; a test replaces what it wants to spoil."""
        return m.Activate(
            self.new_id() if operation is None else operation,
            staged.content,
            self.status().state_version,
            staged.nonce,
            NO_CHAIN,
        )

    def put(self, program: Program) -> m.Done:
        """The whole road; DONE."""
        return self.get(self.activation(self.staged(program)), m.Done)

    def stop(self, operation: bytes | None = None) -> m.Done:
        """Stop; DONE."""
        return self.get(m.Stop(self.new_id() if operation is None else operation, NO_CHAIN), m.Done)

    def activate_staged(self, message: object) -> m.Done:
        """Read back and activate what this message has staged; DONE."""
        answer = self.ask(m.GetReadback())
        if isinstance(answer, m.Refusal):
            raise Broken(f"GetReadback was answered by {_answer_text(answer)}")
        content = digest(encode(message))
        same("content of the read-back", answer.content, content)
        if self._nonce is None:
            raise Broken("nothing was staged")
        status = self.status()
        asked = m.Activate(self.new_id(), content, status.state_version, self._nonce, NO_CHAIN)
        return self.get(asked, m.Done)

    def act(self, message: object) -> m.Done:
        """The whole road of any kind; DONE."""
        self.get(message, m.Staged)
        return self.activate_staged(message)

    @contextmanager
    def nothing_written(self, *ids: bytes) -> Iterator[m.Status]:
        """Broken where what happens inside leaves a trace that a line can see.

        Program, state version, delivery, what is staged; the log, but for what time
        brings; and these ids in the ledger.
        """
        before = self.status()
        yield before
        after = self.status()
        for what in ("state_version", "program_hash", "stopped_for", "tag"):
            if what == "stopped_for" and before.stopped_for is not None:
                expect(after.stopped_for is not None, "the stop has ended")
                continue
            same(f"afterwards the {what}", getattr(after, what), getattr(before, what))
        left = None if after.staged is None else after.staged.content
        same(
            "afterwards what is staged",
            left,
            None if before.staged is None else before.staged.content,
        )
        new = [e.kind.name for e in self.entries(before.log_next) if e.kind not in OF_TIME]
        expect(not new, f"the log has {', '.join(new)} more")
        for each in ids:
            result = self.operation(each).result
            expect(result is Result.ABSENT, f"the ledger holds the id as {result.name}")


def unpacked(report: m.LogReport) -> list[LogEntry]:
    """The entries of a LOG; Broken where it, or one of them, is damaged."""
    try:
        raw = unpack_batch(report.encoding, report.batch, report.entries)
        return [unpack(each) for each in raw]
    except WireError as error:
        raise Broken(f"the log cannot be read: {error}") from error


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def _name(message: object) -> str:
    return type(message).__name__ if not isinstance(message, bytes) else "a record"


def _answer_text(answer: object) -> str:
    if isinstance(answer, m.Refusal):
        return f"REFUSAL {answer.code.name} ({answer.detail})"
    return type(answer).__name__
