"""Everything that may come to a pump on its line from somebody who treats nobody.

Garbage, floods, handshakes that prove nothing, replays, halves of records, and what
a paired station may ask without changing a therapy. What is thrown is counted; that
it changes nothing is for `storm` to see.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.codes import BolusKind, Drug, Encoding, Purpose
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from tests.emulator.support import DAY, HOUR, MINUTE, TAG, Bench, Line, flex, op

THROWS = (
    "garbage",
    "floods of greetings",
    "strangers' handshakes",
    "replayed records",
    "half records",
    "damaged records",
    "pairing attempts",
    "polls",
    "log pulls",
    "stagings",
    "discards",
    "failed activations",
    "ids voided",
    "process restarts",
)


class Storm:
    """Thrown at one pump."""

    def __init__(self, bench: Bench, line: Line, dice: Random) -> None:
        self.bench = bench
        self.dice = dice
        self.thrown: Counter[str] = Counter()
        self._line = line
        self._stranger = Line(bench, dice.randbytes(32))
        self._old = [dice.randbytes(100)]
        """Records of before, to be sent again."""
        self._ids = 1 << 100
        self._throws: dict[str, Callable[[], None]] = {
            "garbage": self.garbage,
            "floods of greetings": self.greetings,
            "strangers' handshakes": self.handshake,
            "replayed records": self.replay,
            "half records": self.half,
            "damaged records": self.damaged,
            "pairing attempts": self.pair,
            "polls": self.poll,
            "log pulls": self.log,
            "stagings": self.stage,
            "discards": self.discard,
            "failed activations": self.activate,
            "ids voided": self.void,
            "process restarts": self.restart,
        }

    def blow(self, ms: int) -> None:
        """So much time, in small steps, with something in each of them."""
        end = self.bench.host + ms
        while self.bench.host < end:
            step = self.dice.choice((0, 1, 17, 999, 60_001, 3 * MINUTE, 11 * MINUTE))
            self.bench.host = min(end, self.bench.host + self.dice.randint(0, step))
            name = self.dice.choice(THROWS)
            self._throws[name]()
            self.thrown[name] += 1
        self.bench.firmware.tick()

    # --- from strangers ----------------------------------------------------------------

    def garbage(self) -> None:
        data = self.dice.randbytes(self.dice.choice((1, 30, 700, 5000)))
        self.receive(data + b"\0" * self.dice.randrange(3))

    def greetings(self) -> None:
        for _ in range(self.dice.randrange(1, 30)):
            end = Initiator(entropy=self.bench.entropy, purpose=Purpose.SESSION)
            self.receive(end.greet())

    def handshake(self) -> None:
        """By a key that nobody has paired, or with another psk than its own."""
        line = self.dice.choice((self._stranger, self._line))
        end = Initiator(entropy=self.bench.entropy, purpose=Purpose.SESSION, key=line.key)
        if self._greeted(end):
            psk = self.dice.randbytes(32)
            self.receive(end.shake(own=line.private, peer=line.pump, psk=psk))

    def replay(self) -> None:
        for data in self.dice.sample(self._old, min(5, len(self._old))):
            self.receive(data)

    def pair(self) -> None:
        """With or without the local act; never with the secret of the card."""
        if self.dice.random() < 0.5:
            self.bench.firmware.press()
            self.thrown["local acts that open pairing"] += 1
        end = Initiator(entropy=self.bench.entropy, purpose=Purpose.PAIR)
        if self._greeted(end):
            self.receive(end.shake(psk=self.dice.randbytes(32)))

    # --- from a station that is paired ---------------------------------------------------

    def half(self) -> None:
        data = self._record(m.GetStatus())
        self.receive(data[: self.dice.randrange(max(1, len(data)))])

    def damaged(self) -> None:
        data = bytearray(self._record(self._some_staging()))
        if data:
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
        self.receive(bytes(data))

    def poll(self) -> None:
        question = self.dice.choice(
            (m.GetStatus(), m.GetIdentity(), m.GetProgram(), m.GetReadback(),
             m.GetOperation(self.dice.randbytes(16)), m.Ping(self.dice.randbytes(16)))
        )  # fmt: skip
        self.ask(question)

    def log(self) -> None:
        how = self.dice.choice((Encoding.RAW, Encoding.DIFFERENCE))
        most, fragment = self.dice.randrange(1, 200), self.dice.choice((0, 32, 100, 640))
        self.ask(m.GetLog(self.dice.choice((1, 40)), most, how, fragment))
        self.ask(m.Repeat(self.dice.randrange(1, 9), self.dice.randbytes(32)))

    def stage(self) -> None:
        self.ask(self._some_staging())

    def discard(self) -> None:
        self.ask(self._some_staging())
        self.ask(m.Discard())

    def activate(self) -> None:
        """Not read back, or of another version, content or nonce."""
        staged = self.ask(self._some_staging())
        if not isinstance(staged, m.Staged):
            return
        version = self.bench.core.control.state_version
        asked = m.Activate(
            self._fresh(), staged.content, version, staged.nonce, self.dice.randbytes(32)
        )
        wrong = self.dice.randrange(4)
        if wrong:
            self.ask(m.GetReadback())
            asked = (
                asked._replace(state_version=version + self.dice.choice((-1, 1))),
                asked._replace(content=hashlib.sha256(staged.content).digest()),
                asked._replace(nonce=bytes(8)),
            )[wrong - 1]
        answer = self.ask(asked)
        assert isinstance(answer, m.Refusal), answer

    def void(self) -> None:
        self.ask(m.Resolve(self._fresh()))

    def restart(self) -> None:
        self.bench.attach()

    # --- underneath ------------------------------------------------------------------------

    def receive(self, data: bytes) -> bytes:
        self.thrown["bytes"] += len(data)
        return self.bench.firmware.receive(data)

    def ask(self, message: object) -> Any:
        """In a session, a new one where the old one is over; None where none is given."""
        data = self._record(message)
        if not data:
            return None
        events = self._line.end.feed(self.receive(data))
        answers = [event.message for event in events if isinstance(event, Answer)]
        return answers[0] if answers else None

    def _record(self, message: object) -> bytes:
        """The bytes of a request in a running session; none where the pump opens none."""
        alive = self.dice.random() < 0.6 and hasattr(self._line, "end")
        if not alive and not self._opened():
            self.thrown["sessions refused"] += 1
            return b""
        _, data = self._line.end.request(message)
        self._old = [*self._old[-20:], data]
        return data

    def _opened(self) -> bool:
        self.thrown["sessions"] += 1
        end = Initiator(entropy=self.bench.entropy, purpose=Purpose.SESSION, key=self._line.key)
        if not self._greeted(end):
            return False
        line = self._line
        events = end.feed(self.receive(end.shake(own=line.private, peer=line.pump, psk=line.psk)))
        if not any(isinstance(event, Ready) for event in events):
            return False
        line.end = end
        return True

    def _greeted(self, end: Initiator) -> bool:
        events = end.feed(self.receive(end.greet()))
        return any(isinstance(event, Greeted) for event in events)

    def _fresh(self) -> bytes:
        self._ids += 1
        return op(self._ids)

    def _some_staging(self) -> object:
        dice = self.dice
        return dice.choice(
            (
                m.StageProgram(TAG, flex(dice.randrange(100_000, 900_000))),
                acts.StageBolus(TAG, BolusKind.SINGLE, dice.randrange(1, 50_000), HOUR),
                acts.StageClock(dice.randrange(-DAY, DAY), 60),
                acts.StageBridge(TAG, acts.Bridge(300_000, Drug.BACLOFEN, 500), 0),
                acts.StagePatient(None),
            )
        )
