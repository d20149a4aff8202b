"""One conversation with one pump over one line.

Errors of the link are exceptions; a pump's refusal is a value. A change of
therapy ends as `Applied`, `Refused` or `Unknown`: from the moment its first
byte is handed to the line, only the pump's own authentic answer can make it
anything but unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pumpctl.errors import (
    Corrupt,
    LinkError,
    NoAnswer,
    NotPaired,
    PumpRefused,
    VersionSkew,
    WrongPump,
)
from pumpctl.link import patience
from pumpctl.link.pace import FRAME, Pace
from pumpctl.link.patience import Patience
from pumpctl.named import NamedTuple
from pumpctl.outcomes import Applied, OperationId, Outcome, Refused, StateVersion, Unknown
from pumpctl.quantities import Mass
from pumpctl.told_log import DEBUG, INFO, WARNING, told
from pumpctl.transport.line import Line, LineLost
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Purpose
from pumpctl.wire.codes import Role as RoleCode
from pumpctl.wire.frames import DELIMITER, Junk
from pumpctl.wire.greeting import MAJOR, PumpGreeting
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready, Skew
from pumpctl.wire.messages_implant import GetImplant
from pumpctl.wire.secret import key_id, pairing_psk, session_psk
from pumpctl.wire.session import Entropy

if TYPE_CHECKING:
    from pumpctl.link.slices import Slice

_READS = (
    m.Ping,
    m.Close,
    m.GetIdentity,
    m.GetStatus,
    m.GetProgram,
    m.GetOperation,
    m.GetLog,
    m.Repeat,
    m.GetReadback,
    GetImplant,
)
"""All that may be asked of a pump of another major version: none of it writes."""

R = TypeVar("R")
Ticker = Callable[[], float]
"""A monotonic clock in seconds, for time-outs only."""


class OwnKey(NamedTuple):
    """This operator's key pair at this station."""

    private: bytes
    public: bytes

    @property
    def id(self) -> bytes:
        """The short name by which a greeting refers to it."""
        return key_id(self.public)


class PairedPump(NamedTuple):
    """What pairing left behind for one pump and one operator."""

    serial: str
    public: bytes
    psk: bytes
    role: str


class Link:
    """A greeted pump; `open` or `pair` makes a session of it."""

    ever_sent: ClassVar[bool] = False
    """Has this process handed a byte of any therapy message to a line?"""

    def __init__(
        self, line: Line, *, entropy: Entropy, ticker: Ticker, purpose: Purpose, key: bytes
    ) -> None:
        self._line = line
        self._ticker = ticker
        self._end = Initiator(entropy=entropy, purpose=purpose, key=key)
        self._pace = Pace()
        self._junk = 0
        self.bytes_on_wire = 0
        self.ready = False
        self.therapy_sent = False
        """Has a byte of a therapy message been handed to the line?"""
        self.greeting: PumpGreeting = self._greet()

    @property
    def read_only(self) -> bool:
        """Another major version: it may be looked at, and nothing else (TEL-06)."""
        return self.greeting.major != MAJOR

    def open(self, own: OwnKey, pump: PairedPump) -> None:
        """Open a session between paired parties.

        Raises WrongPump, NotPaired, NoAnswer or Corrupt.
        """
        if self.greeting.serial != pump.serial:
            raise WrongPump(f"pump {self.greeting.serial} answered, not {pump.serial}")
        if not self.greeting.known:
            raise NotPaired(
                f"pump {pump.serial} does not know this operator's key any more",
                hint="its pairing was removed, or this home is a copy of an old one: pair again",
            )
        self._shake(own=own.private, peer=pump.public, psk=pump.psk)

    def pair(
        self, own: OwnKey, secret: bytes, *, station: str, operator: str, role: str
    ) -> PairedPump:
        """Pair inside the minute that the local act on the pump opened."""
        if not self.greeting.pairing_open:
            raise NotPaired(
                f"pump {self.greeting.serial} is not open for pairing",
                hint="press its pairing key (an emulator: pumpctl emulator press NAME), "
                "then pair within 60 s",
            )
        try:
            keys = self._shake(own=None, peer=None, psk=pairing_psk(secret))
        except LineLost:
            raise
        except LinkError as error:
            raise NotPaired(
                f"pump {self.greeting.serial} does not accept this pairing secret",
                hint="read the implant card again; is it this pump's card?",
            ) from error
        asked = m.Pair(station, operator, RoleCode[role.upper()], own.public)
        paired = self.ask(asked, m.Paired, patience.STAGING)
        return PairedPump(
            self.greeting.serial, paired.key, session_psk(keys.exported), paired.role.name.lower()
        )

    def try_ask(
        self, message: object, reply: type[R], tries: Patience = patience.READING
    ) -> R | m.Refusal:
        """Send a request that may be sent again; its answer, or the pump's refusal."""
        if self.read_only and not isinstance(message, _READS):
            raise VersionSkew(self._skew_text())
        counter, data = self._end.request(message)
        answer = self._exchange(counter, data, tries)
        told(INFO, "%s: %s", type(message).__name__, type(answer).__name__)
        if isinstance(answer, m.Refusal):
            return answer
        if not isinstance(answer, reply):
            raise Corrupt(f"the pump answered {type(answer).__name__} to {type(message).__name__}")
        return answer

    def ask(self, message: object, reply: type[R], tries: Patience = patience.READING) -> R:
        """The same where a refusal is nothing but an error: raises PumpRefused."""
        answer = self.try_ask(message, reply, tries)
        if isinstance(answer, m.Refusal):
            raise PumpRefused(
                f"the pump refused: {answer.detail or answer.code.name}", pump_code=answer.code.name
            )
        return answer

    def change(self, message: m.Activate | m.Stop | m.CancelBolus) -> Outcome:
        """Send the one message that changes therapy, and say truly what became of it."""
        operation = OperationId(message.operation)
        if self.read_only and isinstance(message, m.Activate):  # nothing bars a stop (STP-01)
            raise VersionSkew(self._skew_text())
        counter, data = self._end.request(message)
        self.therapy_sent = Link.ever_sent = True
        try:
            answer = self._exchange(counter, data, patience.THERAPY)
        except KeyboardInterrupt:
            return Unknown(operation, "interrupted while the pump was being asked")
        except Exception as error:  # noqa: BLE001  whatever it was, the bytes may have left
            # Python shows a warning that nobody asked for, too: no traceback in it.
            told(WARNING, "%s: unknown", type(message).__name__)
            told(DEBUG, "why it is unknown", trace=True)
            return Unknown(operation, str(error) or type(error).__name__)
        told(INFO, "%s: %s", type(message).__name__, type(answer).__name__)
        if isinstance(answer, m.Refusal):
            return Refused(operation, answer.code.name, answer.detail)
        if isinstance(answer, m.Done) and answer.operation == operation:
            return Applied(operation, StateVersion(answer.state_version), Mass(answer.delivered))
        return Unknown(operation, f"the pump answered {type(answer).__name__}")

    def stream_log(
        self, first: int, until: int, encoding: Encoding = Encoding.DIFFERENCE
    ) -> Iterator[Slice]:
        """Entries from `first` to before `until`, as fast as the line allows, in order."""
        from pumpctl.link.line_rate import FIRST_ROUND_S  # only where a log is pulled
        from pumpctl.link.pulling import slices
        from pumpctl.link.streaming import LogStream

        stream = LogStream(
            self._end,
            first,
            until,
            now=self._ticker(),
            encoding=encoding,
            round_s=self._pace.trip_s or FIRST_ROUND_S,
        )
        return slices(stream, self._line, self._ticker, self._count)

    def close(self) -> None:
        """Say goodbye where there is a session, and give the line back. Never fails."""
        try:
            # Neither a second Ctrl-C nor a bug may hide what became of a change of therapy.
            with suppress(Exception, KeyboardInterrupt):
                if self.ready:
                    counter, data = self._end.request(m.Close())
                    self._exchange(counter, data, patience.CLOSING)
        finally:
            self.ready = False
            with suppress(KeyboardInterrupt):  # pyserial waits a while to close a socket
                self._line.close()

    # --- underneath ---------------------------------------------------------------

    def _count(self, size: int) -> None:
        self.bytes_on_wire += size

    def _greet(self) -> PumpGreeting:
        event = self._send(self._end.greet(), patience.GREETING, (Greeted, Skew))
        if isinstance(event, Greeted):
            told(INFO, "pump %s greets", event.greeting.serial)
            return event.greeting
        if isinstance(event, Skew):
            raise VersionSkew(
                f"the pump speaks protocol {event.major}.{event.minor}, "
                f"which this program cannot read"
            )
        if self._junk:
            raise Corrupt(
                "something answers on this line, but it is no pump that can be understood"
            )
        raise NoAnswer("nothing answered on this line")

    def _shake(self, *, own: bytes | None, peer: bytes | None, psk: bytes) -> Any:
        data = self._end.shake(own=own, peer=peer, psk=psk)
        event = self._send(data, patience.HANDSHAKE, Ready)
        if event is None:
            raise NoAnswer(f"pump {self.greeting.serial} does not complete the handshake")
        self.ready = True
        return event.keys

    def _exchange(self, counter: int, data: bytes, tries: Patience) -> Any:
        event = self._send(data, tries, Answer, counter)
        if event is None:
            raise NoAnswer(f"pump {self.greeting.serial} does not answer any more")
        return event.message

    def _send(
        self, data: bytes, tries: Patience, wanted: Any, counter: int | None = None
    ) -> Any | None:
        """Send, take what comes back, send again; the event that is wanted, or None at the end.

        Sent again after a silence only: while frames of this session come in, the answer
        may be among them. What is no frame prolongs nothing, so that noise cannot hold it.
        """
        pace, ticker, size = self._pace, self._ticker, len(data)
        sending_s, started = pace.bytes_s(size), ticker()
        now, bound = started, started + tries.bound(sending_s) + pace.trip_s
        end, sendings, back, pieces, junk, loose = bound, 0, 0, 0, 0, 0
        while True:
            sendings += 1
            if sendings > 1:
                told(WARNING, "no answer, sending again (sending %d)", sendings)
            self.bytes_on_wire += size
            sent = now + sending_s  # `write` may or may not wait for the last bit
            self._line.write(data)
            now = ticker()
            quiet = max(sent, now) + pace.frame_s(tries.frame) + pace.trip_s
            quiet += tries.silence(sendings)
            while True:
                if quiet + sending_s > end:  # another one could not be answered any more
                    quiet = end
                if now >= quiet:
                    break
                came = self._line.read(quiet - now)
                now = ticker()
                if not came:
                    continue
                back += len(came)
                pieces += 1
                self.bytes_on_wire += len(came)
                # Bytes without a delimiter: what is longer than any frame will be none.
                tail = len(came) - came.rfind(DELIMITER) - 1
                loose = tail if DELIMITER in came else loose + tail
                spoiled = junk
                for event in self._end.feed(came):
                    if isinstance(event, Junk):
                        junk += event.size + 1
                        self._junk += 1
                        told(DEBUG, "%d bytes that are nothing: %s", event.size, event.why)
                    elif isinstance(event, wanted) and counter in (None, getattr(event, "to", 0)):
                        pace.learn(
                            out=size,
                            back=back,
                            pieces=pieces,
                            sendings=sendings,
                            seconds=now - started,
                        )
                        return event
                if junk == spoiled and loose <= FRAME:
                    quiet = max(quiet, now + pace.frame_s(tries.frame) + patience.GAP_S)
                    end = bound + pace.bytes_s(max(0, min(back - junk, tries.most)))
            if now >= end:
                return None

    def _skew_text(self) -> str:
        return f"the pump speaks protocol {self.greeting.major}.{self.greeting.minor}: reading only"
