"""A serial port behind a terminal server: Telnet with the COM port option (RFC 2217).

Sans-IO: bytes from the server go in, the line's bytes and what to answer come out.
Written for this program because pyserial's client hands every single byte through
a queue between two threads, which cannot keep up with a line. Sources: RFC 854,
856, 858, 1143, 2217.
"""

from __future__ import annotations

from enum import Enum

from pumpctl.named import NamedTuple

IAC = 0xFF
_DONT, _DO, _WONT, _WILL, _SB, _SE = 0xFE, 0xFD, 0xFC, 0xFB, 0xFA, 0xF0
_BINARY, _SGA, _COM_PORT = 0, 3, 44
_ESCAPED = bytes((IAC, IAC))

# RFC 2217: what a client asks for; the server's confirmation has the code + 100.
_BAUDRATE, _DATASIZE, _PARITY, _STOPSIZE, _CONTROL, _PURGE = 1, 2, 3, 4, 5, 12
_ANSWER = 100
_SUSPEND, _RESUME = 108, 109
_EIGHT_BITS, _NO_PARITY, _ONE_STOP = b"\x08", b"\x01", b"\x01"
_CONTROLS = (b"\x01", b"\x08", b"\x0b")
"""No flow control; DTR on; RTS on."""
_BOTH = b"\x03"
"""Purge what waits on both ways."""
_LONGEST = 1024
"""Of a subnegotiation: the longest of RFC 2217 is a signature of 255 bytes."""
_MINE = (_BINARY, _SGA, _COM_PORT)
_THEIRS = (_BINARY, _SGA, _COM_PORT)


class _Mode(Enum):
    DATA = 0
    COMMAND = 1
    """Behind an IAC."""
    OPTION = 2
    """Behind DO, DONT, WILL or WONT."""
    SUB = 3
    SUB_COMMAND = 4


class Heard(NamedTuple):
    """What came of bytes from the server."""

    data: bytes
    """From the line behind it."""
    answer: bytes
    """To be sent to the server at once."""


class Telnet:
    """The client's end."""

    def __init__(self, baud: int, *, ignore_control: bool = False) -> None:
        self._asked = {
            (_BAUDRATE, baud.to_bytes(4, "big")),
            (_DATASIZE, _EIGHT_BITS),
            (_PARITY, _NO_PARITY),
            (_STOPSIZE, _ONE_STOP),
        }
        controls = {(_CONTROL, value) for value in _CONTROLS} | {(_PURGE, _BOTH)}
        self._unconfirmed = set(self._asked) | (set() if ignore_control else controls)
        self._settings = [*sorted(self._asked), *sorted(controls)]
        self._mine, self._theirs = set[int](), set[int]()
        self._offered = set(_MINE)
        """Options of ours that were asked for and not answered."""
        self._wanted = set(_THEIRS)
        self._settings_sent = False
        self._mode, self._command = _Mode.DATA, 0
        self._sub = bytearray()
        self.suspended = False
        """The server has asked us to send nothing for now."""
        self.refused: str | None = None
        """What the server does not do."""

    @property
    def ready(self) -> bool:
        """Is everything agreed: the option, eight clean bits both ways, the port's settings?"""
        return self._clean and not self._unconfirmed

    @property
    def missing(self) -> str:
        """What is not agreed yet, for people."""
        if not self._com_port:
            return "it does not offer RFC 2217"
        if not self._clean:
            return "it does not offer Telnet's binary mode"
        return "it does not confirm the port's settings"

    def hello(self) -> bytes:
        """What a client says first."""
        out = bytearray()
        for option in _MINE:
            out += bytes((IAC, _WILL, option))
        for option in _THEIRS:
            out += bytes((IAC, _DO, option))
        return bytes(out)

    def escaped(self, data: bytes) -> bytes:
        """Bytes for the line behind the server, as Telnet carries them."""
        return data.replace(bytes((IAC,)), _ESCAPED)

    def hear(self, came: bytes) -> Heard:
        """Take what came from the server, in pieces of any size."""
        data, answer = bytearray(), bytearray()
        at, end = 0, len(came)
        while at < end:
            if self._mode in (_Mode.DATA, _Mode.SUB):
                mark = came.find(IAC, at)
                stop = end if mark < 0 else mark
                (data if self._mode is _Mode.DATA else self._sub).extend(came[at:stop])
                at = stop
                if mark >= 0:
                    at += 1
                    self._mode = _Mode.COMMAND if self._mode is _Mode.DATA else _Mode.SUB_COMMAND
                continue
            byte = came[at]
            at += 1
            self._behind_mark(byte, data, answer)
        if len(self._sub) > _LONGEST:  # no server of RFC 2217 says that much
            self._sub.clear()
            self._mode = _Mode.DATA
        return Heard(bytes(data), bytes(answer))

    def _behind_mark(self, byte: int, data: bytearray, answer: bytearray) -> None:
        match self._mode:
            case _Mode.COMMAND if byte == IAC:
                data.append(IAC)
                self._mode = _Mode.DATA
            case _Mode.COMMAND if byte == _SB:
                self._sub.clear()
                self._mode = _Mode.SUB
            case _Mode.COMMAND if byte in (_DO, _DONT, _WILL, _WONT):
                self._command = byte
                self._mode = _Mode.OPTION
            case _Mode.COMMAND:  # NOP, are you there, and the like: nothing to a line
                self._mode = _Mode.DATA
            case _Mode.OPTION:
                self._mode = _Mode.DATA
                answer += self._negotiated(self._command, byte)
            case _ if byte == IAC:
                self._sub.append(IAC)
                self._mode = _Mode.SUB
            case _:  # SE, or a server that forgot it
                self._mode = _Mode.DATA
                self._told(bytes(self._sub))
                self._sub.clear()

    def _negotiated(self, command: int, option: int) -> bytes:
        """Agree to what a line needs, refuse the rest, and answer no answer (RFC 1143)."""
        ours = command in (_DO, _DONT)
        wish, agreed = (self._offered, self._mine) if ours else (self._wanted, self._theirs)
        yes, no = (_WILL, _WONT) if ours else (_DO, _DONT)
        able = option in (_MINE if ours else _THEIRS)
        answers_us = option in wish
        wish.discard(option)
        reply = b""
        if command in (_DO, _WILL):
            if not able:
                return bytes((IAC, no, option))
            if option not in agreed and not answers_us:
                reply = bytes((IAC, yes, option))
            agreed.add(option)
        elif option in agreed:
            agreed.discard(option)
            reply = bytes((IAC, no, option))
        if self._com_port and not self._settings_sent:
            self._settings_sent = True
            reply += b"".join(self._set(code, value) for code, value in self._settings)
        return reply

    @property
    def _com_port(self) -> bool:
        return _COM_PORT in self._mine or _COM_PORT in self._theirs

    @property
    def _clean(self) -> bool:
        """Eight bits both ways, and no carriage return is taken for the end of a line."""
        return self._com_port and _BINARY in self._mine and _BINARY in self._theirs

    def _set(self, code: int, value: bytes) -> bytes:
        return bytes((IAC, _SB, _COM_PORT, code)) + self.escaped(value) + bytes((IAC, _SE))

    def _told(self, sub: bytes) -> None:
        """A subnegotiation: a confirmation, flow control, or the state of lines nobody asked."""
        if len(sub) < 2 or sub[0] != _COM_PORT:
            return
        code, value = sub[1], sub[2:]
        if code in (_SUSPEND, _RESUME):
            self.suspended = code == _SUSPEND
            return
        asked = code - _ANSWER
        self._unconfirmed.discard((asked, value))
        for one in self._asked:
            if one[0] == asked and one[1] != value and one in self._unconfirmed:
                self.refused = _refusal(asked, one[1], value)


def _refusal(code: int, wanted: bytes, value: bytes) -> str:
    what = {_BAUDRATE: "baud", _DATASIZE: "data bits"}.get(code, "parity or stop bits")
    number = int.from_bytes(wanted, "big")
    return f"it does not take {number} {what} (it says {int.from_bytes(value, 'big')})"
