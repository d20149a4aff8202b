"""Pumps for a log stream: a list of entries, and the ways in which a pump may be odd."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pumpctl.wire import messages as m
from pumpctl.wire.codes import LogKind, Refuse
from pumpctl.wire.logbatch import MOST_ENTRIES, pack_batch
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.wire.responder import Request, Send
from tests.wire.ends import Pump


def entries(count: int, first: int = 1, boot: int = 1) -> list[bytes]:
    """Hours of a steady program with something else now and then."""
    found = []
    for number in range(first, first + count):
        kind = LogKind.HOUR if number % 7 else LogKind.BOLUS_STARTED
        at = 3_600_000 * number + (0 if number % 7 else number * 7919 % 1000)
        found.append(
            pack(
                LogEntry(
                    number, boot, kind, 60, at, 1_788_134_400_000 + at, 75 * number,
                    20_000 + number % 5, number * 31 % 977, number.to_bytes(20, "big"),
                )
            )
        )  # fmt: skip
    return found


class Oddity(NamedTuple):
    """What a pump does that others do not, and may."""

    fewer: int = MOST_ENTRIES
    """Entries of an answer, at most."""
    overwrites: int = 0
    """Of the oldest entries, lost with every GET_LOG it hears."""
    forgets: int = 0
    """Each so-manieth REPEAT finds nothing kept; 0: none."""
    deaf: int = 0
    """Each so-manieth request is not handled at all; 0: none."""


class LogPump(Pump):
    """Answers GET_LOG from a list of entries, and repeats what it keeps."""

    def __init__(self, held: list[bytes], start: int = 1, odd: Oddity | None = None) -> None:
        super().__init__("log pump")
        self.held = {int.from_bytes(entry[:8], "big"): entry for entry in held}
        self.next = max(self.held, default=start - 1) + 1
        self.odd = odd or Oddity()
        self.asked: list[m.GetLog] = []
        self.repeats = 0
        self.resent = 0
        """Bytes of whole answers that were sent again."""
        self.said: Callable[[m.GetLog, object], object] = lambda _asked, answer: answer
        """A test's way to have it answer something else."""
        self._heard = 0

    def hear(self, data: bytes) -> bytes:
        """What the pump says to these bytes."""
        out = b""
        for event in self.end.receive(data):
            if isinstance(event, Send):
                self.resent += len(event.data)
                out += event.data
            elif isinstance(event, Request):
                self._heard += 1
                if self.odd.deaf and self._heard % self.odd.deaf == 0:
                    continue
                again = None
                if isinstance(event.message, m.Repeat):
                    self.repeats += 1
                    if not self.odd.forgets or self.repeats % self.odd.forgets:
                        again = self.end.repeat(event)
                out += self.end.reply(event, self._log(event)) if again is None else again
        return out

    def _log(self, request: Request) -> object:
        asked = request.message
        if isinstance(asked, m.Repeat):
            return m.Refusal(Refuse.NOT_FOUND, "")
        assert isinstance(asked, m.GetLog)
        self.asked.append(asked)
        for number in sorted(self.held)[: self.odd.overwrites]:
            if len(self.held) > 1:
                del self.held[number]
        numbers = [number for number in sorted(self.held) if number >= asked.first]
        most = min(asked.most, MOST_ENTRIES, self.odd.fewer)
        chosen = tuple(self.held[each] for each in numbers[:most])
        count, batch = pack_batch(asked.encoding, chosen, asked.room)
        first = int.from_bytes(chosen[0][:8], "big") if count else self.next
        answer = m.LogReport(
            first, count, min(self.held, default=self.next), self.next, asked.encoding, batch
        )
        return self.said(asked, answer)
