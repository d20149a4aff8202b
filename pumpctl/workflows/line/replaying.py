"""What a station said in a capture, said again to a pump in bench mode; the answers compared.

Greeting and handshake are made anew, and so is every seal; the messages are the recorded
ones, in their order, one at a time. One number has to be another: the nonce that the pump
drew when something was staged is replaced, in the activation, by the one it drew now.
State versions, operation ids and hashes stay as they were recorded: on a copy of that
pump they are right, and on another one its refusal is what there is to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pumpctl.errors import (
    Changed,
    NoAnswer,
    OutcomeUnknown,
    PumpctlError,
    UsageError,
)
from pumpctl.link import patience
from pumpctl.link.session import Link
from pumpctl.named import NamedTuple
from pumpctl.transport.line import LineLost
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Op
from pumpctl.wire.greeting import PumpGreeting
from pumpctl.wire.message import spec_of
from pumpctl.workflows.line.comparing import Difference, differences
from pumpctl.workflows.line.decoding import explained
from pumpctl.workflows.line.faults import BenchOnly, CaptureSealed
from pumpctl.workflows.line.parts import Part
from pumpctl.workflows.line.told import FrameTold, PartTold
from pumpctl.workflows.line.wording import name_of
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

NOT_SAID = {
    Op.CLOSE: "the session is closed at its own end",
    Op.REPEAT: "it repaired a line that is another one now",
    Op.PAIR: "keys are not changed by a replay",
    Op.GRANT: "keys are not changed by a replay",
    Op.UNPAIR: "keys are not changed by a replay",
}
"""Messages that are left out, and why."""


class Exchange(NamedTuple):
    """A recorded request, and what the pump answered to it then."""

    counter: int
    message: Any
    answer: Any
    """None where none came."""


class Conversation(NamedTuple):
    """One recorded session."""

    part: int
    session: int
    greeting: PumpGreeting | None
    exchanges: tuple[Exchange, ...]


class Again(NamedTuple):
    """One request, said again."""

    counter: int
    request: str
    recorded: Any
    now: Any
    differences: tuple[Difference, ...]

    @property
    def differs(self) -> bool:
        """In something that does not move by itself?"""
        return any(not one.moves for one in self.differences)


class Replayed(NamedTuple):
    """One session, said again."""

    part: int
    session: int
    serial: str
    model: str
    greeting: tuple[Difference, ...]
    exchanges: tuple[Again, ...]
    left_out: tuple[str, ...]
    changed: Changed
    """What became of the pump; `unknown` where a change was not answered."""

    @property
    def differs(self) -> bool:
        """Did the pump do anything else than the recorded one?"""
        greeting = any(not one.moves for one in self.greeting)
        return greeting or any(again.differs for again in self.exchanges)


def conversations(parts: Iterable[Part], only: int | None = None) -> tuple[Conversation, ...]:
    """Every session whose keys the capture holds. CaptureSealed where there is none."""
    chosen = [part for part in parts if only in (None, part.number)]
    if not chosen:
        raise UsageError(f"the capture has no part {only}")
    found = [each for part in explained(chosen) for each in _of_part(part)]
    if not found:
        raise CaptureSealed("the capture holds no keys of any session")
    return tuple(found)


def _of_part(part: PartTold) -> Iterable[Conversation]:
    frames = [item for item in part.items if isinstance(item, FrameTold)]
    greetings = [told.greeting for told in frames if isinstance(told.greeting, PumpGreeting)]
    for session in part.sessions:
        asked: dict[int, Any] = {}
        answers: dict[int, Any] = {}
        for told in frames:
            record = told.record
            if told.frame.session != session or record is None or record.message is None:
                continue
            if told.way == "out":
                asked[record.counter] = record.message
            elif record.to is not None:
                answers[record.to] = record.message
        exchanges = tuple(
            Exchange(counter, message, answers.get(counter)) for counter, message in asked.items()
        )
        yield Conversation(part.number, session, greetings[-1] if greetings else None, exchanges)


def replay(
    station: Station,
    recorded: Sequence[Conversation],
    progress: Callable[[int, int], None],
) -> tuple[Replayed, ...]:
    """Say them again to the pump on the port, which must say that it is in bench mode.

    Raises BenchOnly before anything of the capture is sent, what opening a session
    raises, LineLost, and OutcomeUnknown where the line broke under a change of therapy.
    A request without an answer is a result.
    """
    done: list[Replayed] = []
    try:
        done.extend(_replay(station, conversation, progress) for conversation in recorded)
    except PumpctlError as error:
        if error.changed == "no":
            error.changed = worst(done)
        raise
    return tuple(done)


def worst(done: Iterable[Replayed]) -> Changed:
    """What became of the pump in all of them."""
    told = {each.changed for each in done}
    return "unknown" if "unknown" in told else "yes" if "yes" in told else "no"


def _replay(
    station: Station, conversation: Conversation, progress: Callable[[int, int], None]
) -> Replayed:
    with visit(station, changes=True) as open_visit:
        greeting, pump = open_visit.link.greeting, open_visit.pump
        if not (greeting.bench and pump.bench):
            raise BenchOnly(f"pump {greeting.serial} is not in bench mode")
        model, then = pump.identity.model, conversation.greeting
        changes = () if then is None else differences(then, greeting)
        said = _Saying(open_visit)
        try:
            for number, exchange in enumerate(conversation.exchanges, 1):
                said.again(exchange)
                progress(number, len(conversation.exchanges))
        except PumpctlError as error:
            if error.changed == "no":
                error.changed = said.changed
            raise
    return Replayed(
        conversation.part,
        conversation.session,
        greeting.serial,
        model,
        changes,
        tuple(said.exchanges),
        tuple(said.left_out),
        said.changed,
    )


class _Saying:
    """A session in which a recorded one is said again."""

    def __init__(self, open_visit: Visit) -> None:
        self._link = open_visit.link
        self._nonces: dict[bytes, bytes] = {}
        self.exchanges: list[Again] = []
        self.left_out: list[str] = []
        self.changed: Changed = "no"

    def again(self, exchange: Exchange) -> None:
        """One recorded request, and its answer of now beside the one of then."""
        message, name = exchange.message, name_of(exchange.message)
        if Op[name] in NOT_SAID:
            self.left_out.append(name)
            return
        if isinstance(message, m.Activate):
            message = message._replace(nonce=self._nonces.get(message.nonce, message.nonce))
        now = self._say(message)
        self._learn(exchange.answer, now)
        self.exchanges.append(
            Again(exchange.counter, name, exchange.answer, now, differences(exchange.answer, now))
        )

    def _learn(self, recorded: Any, now: Any) -> None:
        """Which nonce stands for which: the pump draws a new one whenever something is staged."""
        if isinstance(recorded, m.Staged) and isinstance(now, m.Staged):
            self._nonces[recorded.nonce] = now.nonce

    def _say(self, message: Any) -> Any:
        spec = spec_of(message)
        tries = patience.READING
        if spec.therapy:
            # An interruption from here on leaves an outcome that nobody knows.
            self._link.therapy_sent = Link.ever_sent = True
            tries = patience.THERAPY
        elif spec.stages:
            tries = patience.STAGING
        try:
            answer = self._link.try_ask(message, object, tries)
        except LineLost as error:
            if spec.therapy:
                raise OutcomeUnknown(
                    f"the line broke after {spec.op.name} was said: {error.message}",
                    hint="it is a pump on a bench: pumpctl status shows what became of it",
                ) from error
            raise
        except NoAnswer:
            if spec.therapy:
                self.changed = "unknown"
            return None
        did = spec.therapy and isinstance(answer, m.Done) and not answer.repeated
        if did and self.changed == "no":
            self.changed = "yes"
        return answer
