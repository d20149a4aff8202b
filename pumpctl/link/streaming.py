"""The log as fast as the line allows: bytes and times in, bytes and slices of log out; sans-IO.

    ask ahead      GET_LOG for numbers not asked yet, while the answer before still comes
    repeat         only the fragments that are missing, of each answer, are sent again
    in order       a slice is handed on when everything before it was: what is durable is
                   always a beginning, and a pull that is cut goes on at its end

The pump keeps no timer and no stream: it answers requests, and repeats what it is
asked for. Everything that waits is here, and waits in proportion to the line: its
rate and its round trip are measured. The line itself, the clock and the store are
the caller's.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from pumpctl.errors import Corrupt, NoAnswer, PumpRefused
from pumpctl.link.weather import FRAGMENTS, OVERHEAD, Weather
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding
from pumpctl.wire.fields import WireError
from pumpctl.wire.frames import Junk
from pumpctl.wire.initiator import Answer, Initiator, Part
from pumpctl.wire.logbatch import MOST_BYTES, MOST_ENTRIES, unpack_batch
from pumpctl.wire.logentry import SIZE
from pumpctl.wire.records import MOST_FRAGMENTS, MOST_KEPT_BYTES, MOST_OUTSTANDING

ANSWER_S = 1.4
"""Line time of one answer: long enough to cost little, short enough to be interrupted."""
FIRST_BYTES, LEAST_BYTES = 2048, 1024
"""Of an answer, before the line's rate is known, and on the slowest line."""
FIRST_ROUND_S = 0.25
"""Taken for the round trip until one was measured."""
GIVE_UP_S, GIVE_UP_FRAMES = 20.0, 12
"""Without a whole frame, while all was asked for again and again: so long, and the time of
so many of the largest frames."""
UNPROVED = 6
"""So many times as long, and as the line needs for what is open, without an authentic answer:
frames that keep coming and never make one are somebody else's."""
LONGEST_QUIET_S = 4.0
MOST_REPEATED = 64
"""Questions for fragments of which a refusal is still understood."""
MOST_WAITING = 2 * MOST_OUTSTANDING
"""Answers that are open, or wait for one before them: beyond it nothing new is asked."""
BAD_LINE = 0.05
"""Share of frames lost above which answers are halved, so that twice as many may heal at once."""
_ANSWER_OVERHEAD = 56
"""Bytes of an answer beside its batch: message, request's counter, tag."""
LEAST_RATE = 120
"""Bytes per second: no line is taken for slower than 1200 baud."""
_SLOWEST = 960
"""Bytes per second, taken for the line's rate until it was measured: 9600 baud."""
_GATHER_S = 0.02
_MEASURED_S, _FIRST_S = 0.2, 0.02
"""Seconds over which the line's rate is measured, and for the first time."""
_GROWTH = 1.5
_VERY_BAD, _FEW = 0.15, 8
"""Share of frames lost from which so few pieces are sent twice: all that follows waits for them."""
_ANEW = 4
_ALL = (1 << MOST_FRAGMENTS) - 1


class Slice(NamedTuple):
    """What the pump holds of the numbers from `first` to before `until`."""

    first: int
    until: int
    entries: tuple[bytes, ...]
    """80 bytes each; a number that is missing among them is missing in the pump."""


class _Ask(NamedTuple):
    """A request that is not answered yet."""

    first: int
    until: int
    size: int
    """Bytes that its answer is expected to have."""
    data: bytes
    first_sent: int
    """Its place among all sendings of requests, and that of its latest one."""
    last_sent: int
    place: int
    """So many requests for the log went before it, and so many bytes of their answers."""
    begins: int


class _Repeat(NamedTuple):
    """Pieces that were asked for again, due before the answer after `mark` begins ..."""

    mark: int
    by: float
    """... and by this time, after all that the pump had to send before them."""
    pieces: int


class LogStream:
    """One pull over one session."""

    def __init__(
        self,
        end: Initiator,
        first: int,
        until: int,
        *,
        now: float,
        encoding: Encoding = Encoding.DIFFERENCE,
        round_s: float = FIRST_ROUND_S,
        rate: float = 0.0,
    ) -> None:
        """Entries from `first` to before `until`; `now` in seconds of any steady clock.

        `round_s` and `rate` (bytes per second, 0: not known) are what was seen of the line.
        """
        self._end = end
        self._encoding = encoding
        self._todo = [(first, until)] if first < until else []
        """Ranges to be asked for, in rising order."""
        self._next, self._until = first, until
        self._open: dict[int, _Ask] = {}
        """By the counter of the request, in the order of sending."""
        self._begun: dict[int, list[_Repeat]] = {}
        """Answers that are not whole yet, by their own counter."""
        self._ready: dict[int, Slice] = {}
        self._repeated: dict[int, int] = {}
        """Of each REPEAT its own counter, and that of the answer that it named."""
        self._urgent = bytearray()
        self._newest = self._whole_to = end.newest_answer
        self._taken: dict[int, int] = {}
        """Counters of answers beyond `_whole_to`, up to which none is missing that the pump
        still keeps, and the first sending of what each answers."""
        self._asks = self._asked_bytes = 0
        """Requests for the log so far, and bytes of their answers."""
        self._sendings = self._heard_to = 0
        """Of requests, resends included; and the latest before which all were heard or resent."""
        self._probed: float | None = None
        """When something was asked on a line that was idle: the answer tells the round trip."""
        self._round_s = round_s
        self._rate, self._measured = rate, False
        self._since, self._bytes = None, 0
        self._good = self._came = self._proved = now
        """When the last whole frame came, the last byte or question against silence, and the
        last authentic answer."""
        self._asked = now
        """When silence was last answered by asking again."""
        self._silences = 0
        self._per_entry = float(SIZE) if encoding is Encoding.RAW else SIZE / 4
        self._mended = end.mended
        self.weather = Weather()
        self.repeats = 0
        """Questions for missing fragments so far."""

    @property
    def done(self) -> bool:
        """Was everything handed on?"""
        return self._next >= self._until

    @property
    def held(self) -> int:
        """Answers that are open or wait for one before them; at most `MOST_WAITING`."""
        return len(self._open) + len(self._ready)

    @property
    def gather(self) -> float:
        """Seconds for which bytes may gather before they are worth waking up for."""
        if not self._rate:
            return 0.0
        return min(_GATHER_S, self._answer_bytes() / self._rate / 32)

    # --- in ---------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Slice]:
        """What came, as slices in the order of the log.

        Raises Corrupt where an answer is not what was asked for, PumpRefused where the
        pump does not answer it.
        """
        if not data:
            return []
        good = lost = 0
        for event in self._end.feed(data):
            if isinstance(event, Junk):
                lost += 1
                continue
            good += 1
            if isinstance(event, Part):
                self._part(event)
            elif isinstance(event, Answer):
                self._answer(event, now)
        mended, self._mended = self._end.mended - self._mended, self._end.mended
        self.weather.note(good=good - mended, mended=mended, lost=lost, size=len(data))
        self._measure(len(data), now)
        if good:
            self._good, self._silences = now, 0
            if self._probed is not None:
                took, self._probed = now - self._probed, None
                self._round_s = took if took < self._round_s else (7 * self._round_s + took) / 8
        return self._in_order()

    def _part(self, part: Part) -> None:
        farthest = self._end.newest_answer + len(self._open) + MOST_OUTSTANDING
        if part.counter not in self._begun and part.counter <= farthest:
            self._begun[part.counter] = []
            self._began(part.counter)

    def _began(self, counter: int) -> None:
        if counter <= self._newest:
            return
        self._newest = counter

    def _answer(self, answer: Answer, now: float) -> None:
        self._begun.pop(answer.counter, None)
        self._began(answer.counter)
        ask = self._open.pop(answer.to, None)
        self._proved_by(answer, ask, now)
        if ask is None:
            if isinstance(answer.message, m.Refusal):
                self._forgotten(self._repeated.pop(answer.to, 0))
            return
        if isinstance(answer.message, m.Refusal):
            why = answer.message.detail or answer.message.code.name
            raise PumpRefused(f"the pump refused: {why}", pump_code=answer.message.code.name)
        if not isinstance(answer.message, m.LogReport):
            raise Corrupt(f"the pump answered {type(answer.message).__name__} to GetLog")
        self._take(ask, answer.message)

    def _forgotten(self, counter: int) -> None:
        """The pump keeps this answer no more: what it told is asked in a new request.

        Answers come in the order of the requests, so its place tells which one it was.
        """
        if counter not in self._begun:
            return
        place = sorted(self._begun).index(counter)
        del self._begun[counter]
        if place < len(self._open):
            ask = self._open.pop(list(self._open)[place])
            insort(self._todo, (ask.first, ask.until))

    def _proved_by(self, answer: Answer, ask: _Ask | None, now: float) -> None:
        """What one more authentic answer tells of the others.

        A pump counts its answers, in the order in which it hears the requests. A counter
        that is missing is an answer that was made, and is asked for by its counter. Where
        none is missing below an answer, requests that were sent before its own and are
        still open were never heard.
        """
        self._proved = now
        self._taken[answer.counter] = 0 if ask is None else ask.first_sent
        self._whole_to = max(self._whole_to, answer.counter - MOST_OUTSTANDING)
        for counter in range(self._whole_to + 1, answer.counter):
            if counter not in self._taken:
                self._begun.setdefault(counter, [])
        while (place := self._taken.get(self._whole_to + 1)) is not None:
            self._whole_to += 1
            self._heard_to = max(self._heard_to, place)
        for counter in [each for each in self._taken if each <= self._whole_to]:
            del self._taken[counter]
        for counter in [each for each in self._begun if each <= self._whole_to]:
            self._forgotten(counter)
        for counter, each in self._open.items():
            if each.last_sent < self._heard_to:
                self._urgent += self._send_again(counter)

    def _send_again(self, counter: int) -> bytes:
        self._sendings += 1
        ask = self._open[counter]
        self._open[counter] = ask._replace(last_sent=self._sendings)
        return ask.data

    def _take(self, ask: _Ask, told: m.LogReport) -> None:
        entries = _unpacked(told)
        if told.encoding is not self._encoding or len(entries) > ask.until - ask.first:
            raise Corrupt("the pump answered more, or in another form, than was asked for")
        until = ask.until
        if entries:
            self._per_entry += (len(told.batch) / len(entries) - self._per_entry) / 2
            first, last = _number(entries[0]), _number(entries[-1])
            if not ask.first <= first <= last:
                raise Corrupt("the pump answered with other entries than were asked for")
            if last + 1 < min(ask.until, told.next):
                until = last + 1
                insort(self._todo, (until, ask.until))
            elif last >= ask.until:  # some are missing: as many came from beyond, which is asked
                entries = tuple(each for each in entries if _number(each) < ask.until)
        self._ready[ask.first] = Slice(ask.first, until, entries)

    def _in_order(self) -> list[Slice]:
        found = []
        while (each := self._ready.pop(self._next, None)) is not None:
            found.append(each)
            self._next = each.until
        return found

    def _measure(self, size: int, now: float) -> None:
        """The rate, between bytes that follow one another."""
        if self._since is None or now - self._came > self._quiet():  # it stood still in between
            self._since, self._bytes, self._came = now, 0, now
            return
        self._bytes += size
        self._came = now
        span = now - self._since
        if span >= (_MEASURED_S if self._measured else _FIRST_S):
            measured = self._bytes / span
            # No line brings more than its rate; what was swallowed or missing makes it less.
            if self._measured and measured < self._rate:
                measured = (7 * self._rate + measured) / 8
            self._rate = max(measured, LEAST_RATE)
            self._measured, self._since, self._bytes = True, now, 0

    # --- out --------------------------------------------------------------------------

    def send(self, now: float) -> bytes:
        """What is to be put on the line now; NoAnswer where the pump has fallen silent."""
        out = self._urgent
        self._urgent = bytearray()
        if self._open and now >= self._give_up_at():
            raise NoAnswer("the pump does not answer any more while its log is pulled")
        if self._open and self.wait(now) <= 0:
            out += self._break_silence(now)
        for counter in self._begun:
            if counter < self._newest or self._end.pieces_of(counter)[1] is not None:
                out += self._repeat(counter, now)
        while self._todo and self._room():
            for counter in self._begun:
                out += self._repeat(counter, now)
            out += self._request(now)
        return bytes(out)

    def wait(self, now: float) -> float:
        """Seconds until there may be something to send though nothing came."""
        quiet = self._quiet()
        due = min(self._came + quiet, max(self._good, self._asked) + 10 * quiet + 3)
        return max(min(due, self._give_up_at()) - now, 0.0)

    def _give_up_at(self) -> float:
        """When this pull ends with NoAnswer, if nothing more comes."""
        rate = self._rate or _SLOWEST
        patience = GIVE_UP_S + GIVE_UP_FRAMES * (FRAGMENTS[0] + OVERHEAD) / rate
        line = sum(ask.size for ask in self._open.values()) / rate
        return min(self._good + patience, self._proved + UNPROVED * (patience + line))

    def _room(self) -> bool:
        """May the next request go? Then little enough is on its way, and kept by the pump."""
        size = self._answer_bytes()
        if self.held >= MOST_WAITING and self._todo[0][0] != self._next:
            return False
        oldest = next(iter(self._open.values()), None)
        if oldest is not None:  # its answer is kept by the pump until too much came after it
            kept = self._asked_bytes - oldest.begins + size + _ANSWER_OVERHEAD
            if self._asks - oldest.place >= MOST_OUTSTANDING or kept > MOST_KEPT_BYTES:
                return False
        # Where requests get lost, one more must be under way for the line to stay busy.
        enough = size / 2
        if not self.weather.clear:
            enough = 1.25 * size if self.weather.loss < BAD_LINE else 2.5 * size
        return self._ahead() < max(enough, 2 * self._round_s * self._rate + LEAST_BYTES / 2)

    def _waiting(self) -> int:
        """Requests whose answer has not begun."""
        return max(len(self._open) - len(self._begun), 0)

    def _repeating(self) -> int:
        """Bytes of pieces that were asked for again, and may still come."""
        return sum(self._size_of(each.pieces) for asked in self._begun.values() for each in asked)

    def _size_of(self, pieces: int) -> int:
        return min(pieces.bit_count() * self.weather.fragment(), self._answer_bytes())

    def _ahead(self) -> float:
        """Bytes that the line still has to bring, resends left out."""
        waiting = self._waiting()
        asks = list(self._open.values())
        ahead = float(sum(ask.size for ask in asks[len(asks) - waiting :]))
        if self._newest in self._begun and len(asks) > waiting:
            held, last = self._end.pieces_of(self._newest)
            if last is None:
                size = asks[len(asks) - waiting - 1].size
                ahead += max(size - held.bit_length() * self.weather.fragment(), 0)
        return ahead

    def _request(self, now: float) -> bytes:
        first, until = self._todo.pop(0)
        most = max(1, min(int(self._answer_bytes() / self._per_entry), MOST_ENTRIES))
        if first + most < until:
            insort(self._todo, (first + most, until))
            until = first + most
        alone = not self._open
        asked = m.GetLog(first, until - first, self._encoding, self.weather.fragment())
        counter, data = self._end.request(asked)
        size = int((until - first) * self._per_entry) + _ANSWER_OVERHEAD
        self._sendings += 1
        self._open[counter] = _Ask(
            first, until, size, data, self._sendings, self._sendings, self._asks, self._asked_bytes
        )
        self._asks += 1
        self._asked_bytes += size
        if alone:
            self._good = self._came = self._proved = self._probed = now
            self._since = None
        return data

    def _repeat(self, counter: int, now: float) -> bytes:
        """A request for what is missing of this answer and not on its way already."""
        held, last = self._end.pieces_of(counter)
        top = held.bit_length()
        if last is not None:
            top = last + 1
        elif counter < self._newest:
            top = MOST_FRAGMENTS
        asked = self._begun[counter]
        asked[:] = [each for each in asked if each.mark >= self._newest and each.by > now]
        missing = ((1 << top) - 1) & ~held
        for each in asked:
            missing &= ~each.pieces
        if not missing:
            return b""
        return self._ask_repeat(counter, missing, now)

    def _ask_repeat(self, counter: int, missing: int, now: float) -> bytes:
        before = self._ahead() + self._repeating() + self._size_of(missing)
        by = now + 2 * self._round_s + 1.25 * before / (self._rate or _SLOWEST)
        self._begun[counter].append(_Repeat(self._newest + self._waiting(), by, missing))
        self.repeats += 1
        request, data = self._end.request(m.Repeat(counter, missing.to_bytes(32, "big")))
        self._repeated[request] = counter
        if len(self._repeated) > MOST_REPEATED:
            del self._repeated[next(iter(self._repeated))]
        if self.weather.loss >= _VERY_BAD and missing.bit_count() <= _FEW:
            data += self._end.request(m.Repeat(counter, missing.to_bytes(32, "big")))[1]
        return data + data  # a second copy has no effect, and the line up is free

    def _break_silence(self, now: float) -> bytes:
        """Ask again for all that is missing: first for what was least likely heard."""
        self._came = self._asked = self._probed = now
        self._silences += 1
        if self._silences == _ANEW:
            return self._anew()
        out = bytearray()
        for counter, asked in self._begun.items():
            asked.clear()
            held, last = self._end.pieces_of(counter)
            missing = (_ALL if last is None else (1 << last + 1) - 1) & ~held
            out += self._ask_repeat(counter, missing, now)
        if self._begun and self._silences == 1:
            return bytes(out)  # which requests were heard, their answers tell
        for counter in list(self._open)[len(self._open) - self._waiting() :]:
            out += self._send_again(counter)
        return bytes(out)

    def _anew(self) -> bytes:
        """Ask everything in new requests: the pump may have forgotten the answers to the old."""
        for ask in self._open.values():
            insort(self._todo, (ask.first, ask.until))
        self._open.clear()
        self._begun.clear()
        return b""

    # --- measures of the line -----------------------------------------------------------

    def _quiet(self) -> float:
        """Seconds without a byte after which something is lost, and longer each time."""
        frame = (self.weather.fragment() + OVERHEAD) / (self._rate or _SLOWEST)
        quiet = 2 * self._round_s + 1.5 * frame + 0.03
        return min(quiet * _GROWTH**self._silences, max(LONGEST_QUIET_S, quiet))

    def _answer_bytes(self) -> int:
        """Of the next answer's batch."""
        if not self._rate:
            return FIRST_BYTES
        most = MOST_BYTES if self.weather.loss < BAD_LINE else MOST_BYTES // 2
        return int(min(max(ANSWER_S * self._rate, LEAST_BYTES), most))


def _number(entry: bytes) -> int:
    return int.from_bytes(entry[:8], "big")


def _unpacked(told: m.LogReport) -> tuple[bytes, ...]:
    try:
        return unpack_batch(told.encoding, told.batch, told.entries)
    except WireError as error:
        raise Corrupt(f"the pump's log cannot be read: {error}") from error
