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

from pumpctl.errors import Corrupt, NoAnswer, PumpRefused
from pumpctl.link.asked import Again, Ask
from pumpctl.link.line_rate import FIRST_ROUND_S, LineRate
from pumpctl.link.slices import Slice, slice_of
from pumpctl.link.weather import FRAGMENTS, OVERHEAD, Weather
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding
from pumpctl.wire.frames import Junk
from pumpctl.wire.initiator import Answer, Initiator, Part
from pumpctl.wire.logbatch import MOST_BATCH, MOST_ENTRIES
from pumpctl.wire.logentry import SIZE
from pumpctl.wire.records import MOST_FRAGMENTS, MOST_KEPT_BYTES, MOST_OUTSTANDING

ANSWER_S = 1.4
"""Line time of one answer: long enough to cost little, short enough to be interrupted."""
FIRST_BYTES, LEAST_BYTES = 2048, 1024
"""Of an answer, before the line's rate is known, and on the slowest line."""
GIVE_UP_S, GIVE_UP_FRAMES = 20.0, 12
"""Without a whole frame, while all was asked for again: and the time of so many of the largest."""
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
_GATHER_S, _GROWTH, _ANEW = 0.02, 1.5, 4
_RECOVERS = 0.25
"""Of an answer, by which the window grows again with each that comes."""
_ALL = (1 << MOST_FRAGMENTS) - 1


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
    ) -> None:
        """Entries from `first` to before `until`; `now` in seconds of any steady clock.

        `round_s`: the shortest round trip that was seen on this line.
        """
        self._end = end
        self._encoding = encoding
        self._todo = [(first, until)] if first < until else []
        """Ranges to be asked for, in rising order."""
        self._next, self._until = first, until
        self._open: dict[int, Ask] = {}
        """By the counter of the request, in the order of sending."""
        self._begun: dict[int, list[Again]] = {}
        """Answers that are not whole yet, by their own counter."""
        self._ready: dict[int, Slice] = {}
        self._repeated: dict[int, int] = {}
        """Of each REPEAT its own counter, and that of the answer that it named."""
        self._urgent = bytearray()
        self._newest = self._whole_to = end.newest_answer
        self._taken: dict[int, int] = {}
        """Counters of answers beyond `_whole_to`, up to which none is missing that the pump
        still keeps, and the first sending of what each answers."""
        self._window = float(MOST_OUTSTANDING)
        """Answers from the oldest open one on that may be asked for."""
        self._asks = self._asked_bytes = 0
        """Requests for the log so far, and bytes of their answers."""
        self._sendings = self._heard_to = 0
        """Of requests, resends included; and the latest before which all were heard or resent."""
        self._line = LineRate(now, round_s)
        self._good = self._proved = now
        """When the last whole frame came, and the last authentic answer that brought something."""
        self._asked_to = first
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
        """Seconds for which bytes may gather before they are worth waking up for; 0 at the end."""
        rate, due = self._line.measured, self._answer_bytes()
        if not rate or (not self._todo and self._ahead() < due / 8):
            return 0.0
        return min(_GATHER_S, due / rate / 32)

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
        self._line.note(len(data), now, self._quiet())
        if good:
            self._good, self._silences = now, 0
            self._line.answered(now)
        return self._in_order()

    def _part(self, part: Part) -> None:
        farthest = self._end.newest_answer + len(self._open) + MOST_OUTSTANDING
        if part.counter not in self._begun and part.counter <= farthest:
            self._begun[part.counter] = []
            self._newest = max(self._newest, part.counter)

    def _answer(self, answer: Answer, now: float) -> None:
        self._begun.pop(answer.counter, None)
        self._newest = max(self._newest, answer.counter)
        ask = self._open.pop(answer.to, None)
        self._proved_by(answer, ask)
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
        self._window = min(self._window + _RECOVERS, MOST_OUTSTANDING)
        self._proved = now

    def _forgotten(self, counter: int) -> None:
        """The pump keeps this answer no more: what it told is asked in a new request.

        Answers come in the order of the requests, so its place tells which one it was.
        """
        if counter not in self._begun:
            return
        # Refusals take places among what the pump keeps, too: fewer at a time, or none is left.
        self._window = max(self._window / 2, 1.0)
        place = sorted(self._begun).index(counter)
        del self._begun[counter]
        if place < len(self._open):
            ask = self._open.pop(list(self._open)[place])
            insort(self._todo, (ask.first, ask.until))

    def _proved_by(self, answer: Answer, ask: Ask | None) -> None:
        """What one more authentic answer tells of the others.

        A pump counts its answers, in the order in which it hears the requests. A counter
        that is missing is an answer that was made, and is asked for by its counter. Where
        none is missing below an answer, requests that were sent before its own and are
        still open were never heard.
        """
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

    def _take(self, ask: Ask, told: m.LogReport) -> None:
        found = slice_of(ask.first, ask.until, self._encoding, told)
        if told.entries:
            self._per_entry += (len(told.batch) / told.entries - self._per_entry) / 2
        if found.until < ask.until:
            insort(self._todo, (found.until, ask.until))
        self._ready[ask.first] = found

    def _in_order(self) -> list[Slice]:
        found = []
        while (each := self._ready.pop(self._next, None)) is not None:
            found.append(each)
            self._next = each.until
        return found

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
                out += self._repeat(counter)
        while self._todo and self._room():
            for counter in self._begun:
                out += self._repeat(counter)
            out += self._request(now)
        return bytes(out)

    def wait(self, now: float) -> float:
        """Seconds until there may be something to send though nothing came."""
        quiet = self._quiet()
        due = min(self._line.came + quiet, max(self._good, self._asked) + 10 * quiet + 3)
        return max(min(due, self._give_up_at()) - now, 0.0)

    def _give_up_at(self) -> float:
        """When this pull ends with NoAnswer, if nothing more comes."""
        rate = self._line.taken
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
            if self._asks - oldest.place >= self._window or kept > MOST_KEPT_BYTES:
                return False
        # Where requests get lost, one more must be under way for the line to stay busy.
        enough = size / 2
        if not self.weather.clear:
            enough = 1.25 * size if self.weather.loss < BAD_LINE else 2.5 * size
        return self._ahead() < max(
            enough, 2 * self._line.round_s * self._line.measured + LEAST_BYTES / 2
        )

    def _waiting(self) -> int:
        """Requests whose answer has not begun."""
        return max(len(self._open) - len(self._begun), 0)

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
        due = self._answer_bytes()
        most = max(1, min(int(due / self._per_entry), MOST_ENTRIES))
        if first + most < until:
            insort(self._todo, (first + most, until))
            until = first + most
        alone = not self._open
        room = min(due * 5 // 4, MOST_BATCH)  # entries may be dearer than those before
        asked = m.GetLog(first, until - first, self._encoding, self.weather.fragment(), room)
        counter, data = self._end.request(asked)
        size = int((until - first) * self._per_entry) + _ANSWER_OVERHEAD
        self._sendings += 1
        self._open[counter] = Ask(
            first, until, size, data, self._sendings, self._sendings, self._asks, self._asked_bytes
        )
        self._asks += 1
        self._asked_bytes += size
        if alone:
            self._line.probe(now)
            if not self._silences:
                self._good = now
        if until > self._asked_to:
            self._asked_to = until
            if alone:
                self._proved = now
        return data

    def _repeat(self, counter: int) -> bytes:
        """A request for what is missing of this answer and not on its way already."""
        held, last = self._end.pieces_of(counter)
        top = held.bit_length()
        if last is not None:
            top = last + 1
        elif counter < self._newest:
            top = MOST_FRAGMENTS
        asked = self._begun[counter]
        asked[:] = [each for each in asked if each.mark >= self._newest]
        missing = ((1 << top) - 1) & ~held
        for each in asked:
            missing &= ~each.pieces
        if not missing:
            return b""
        return self._ask_repeat(counter, missing)

    def _ask_repeat(self, counter: int, missing: int) -> bytes:
        self._begun[counter].append(Again(self._newest + self._waiting(), missing))
        self.repeats += 1
        request, data = self._end.request(m.Repeat(counter, missing.to_bytes(32, "big")))
        self._repeated[request] = counter
        if len(self._repeated) > MOST_REPEATED:
            del self._repeated[next(iter(self._repeated))]
        return data + data  # a second copy has no effect, and the line up is free

    def _break_silence(self, now: float) -> bytes:
        """Ask again for all that is missing: first for what was least likely heard."""
        self._line.probe(now)
        self._asked = now
        self._silences += 1
        if self._silences == _ANEW:
            return self._anew()
        out = bytearray()
        for counter, asked in self._begun.items():
            asked.clear()
            held, last = self._end.pieces_of(counter)
            missing = (_ALL if last is None else (1 << last + 1) - 1) & ~held
            out += self._ask_repeat(counter, missing)
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
        frame = (self.weather.fragment() + OVERHEAD) / self._line.taken
        quiet = 2 * self._line.round_s + 1.5 * frame + 0.03
        return min(quiet * _GROWTH**self._silences, max(LONGEST_QUIET_S, quiet))

    def _answer_bytes(self) -> int:
        """Of the next answer's batch."""
        if not self._line.measured:
            return FIRST_BYTES
        if not self.weather.known:
            return min(2 * FIRST_BYTES, int(max(ANSWER_S * self._line.measured, LEAST_BYTES)))
        most = MOST_BATCH if self.weather.loss < BAD_LINE else MOST_BATCH // 2
        return int(min(max(ANSWER_S * self._line.measured, LEAST_BYTES), most))
