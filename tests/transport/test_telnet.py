"""Telnet with the COM port option: what is agreed, and that the line's bytes pass untouched."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.transport.telnet import Telnet

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, SGA, COM = 0, 1, 3, 44
AGREED = bytes(
    byte
    for command, option in (
        *((DO, option) for option in (BINARY, SGA, COM)),
        *((WILL, option) for option in (BINARY, SGA, COM)),
    )
    for byte in (IAC, command, option)
)


def sub(code: int, value: bytes) -> bytes:
    """A subnegotiation of RFC 2217."""
    return bytes((IAC, SB, COM, code)) + value.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))


CONFIRMED = (
    sub(101, (9600).to_bytes(4, "big")) + sub(102, b"\x08") + sub(103, b"\x01") + sub(104, b"\x01")
)
CONTROLLED = sub(105, b"\x01") + sub(105, b"\x08") + sub(105, b"\x0b") + sub(112, b"\x03")


def ready() -> Telnet:
    """A client that has agreed on everything."""
    telnet = Telnet(9600)
    telnet.hello()
    telnet.hear(AGREED + CONFIRMED + CONTROLLED)
    assert telnet.ready
    return telnet


def test_what_is_said_first_and_what_is_asked_then() -> None:
    telnet = Telnet(9600)
    offered = telnet.hello()
    for option in (BINARY, SGA, COM):
        assert bytes((IAC, WILL, option)) in offered
        assert bytes((IAC, DO, option)) in offered
    assert not telnet.ready
    assert "RFC 2217" in telnet.missing
    data, asked = telnet.hear(AGREED)
    assert data == b""
    # 9600 = 0x2580: the rate as four bytes, big end first (RFC 2217, SET-BAUDRATE).
    assert bytes((IAC, SB, COM, 1, 0, 0, 0x25, 0x80, IAC, SE)) in asked
    for code, value in ((2, 8), (3, 1), (4, 1), (5, 1), (5, 8), (5, 11), (12, 3)):
        assert bytes((IAC, SB, COM, code, value, IAC, SE)) in asked
    assert not telnet.ready
    assert "settings" in telnet.missing
    assert telnet.hear(CONFIRMED) == (b"", b"")
    telnet.hear(CONTROLLED[:-1])
    assert "settings" in telnet.missing
    telnet.hear(CONTROLLED[-1:])
    assert telnet.ready


def test_a_server_that_confirms_no_controls_needs_the_option() -> None:
    for ignore in (False, True):
        telnet = Telnet(9600, ignore_control=ignore)
        telnet.hello()
        telnet.hear(AGREED + CONFIRMED)
        assert telnet.ready is ignore


def test_another_rate_than_asked_is_refused() -> None:
    telnet = Telnet(9600)
    telnet.hello()
    telnet.hear(AGREED + sub(101, (115_200).to_bytes(4, "big")))
    assert telnet.refused is not None
    assert "9600 baud" in telnet.refused and "115200" in telnet.refused


def test_a_server_that_is_not_clean_is_not_ready() -> None:
    """Without binary mode a carriage return would grow a line feed or a zero."""
    telnet = Telnet(9600)
    telnet.hello()
    telnet.hear(
        AGREED.replace(bytes((IAC, WILL, BINARY)), bytes((IAC, WONT, BINARY)))
        + CONFIRMED
        + CONTROLLED
    )
    assert not telnet.ready
    assert "binary" in telnet.missing


def test_what_a_line_does_not_need_is_refused_and_no_answer_is_answered() -> None:
    telnet = ready()
    assert telnet.hear(bytes((IAC, WILL, ECHO))).answer == bytes((IAC, DONT, ECHO))
    assert telnet.hear(bytes((IAC, DO, ECHO))).answer == bytes((IAC, WONT, ECHO))
    assert telnet.hear(bytes((IAC, WONT, ECHO, IAC, DONT, ECHO))).answer == b""
    assert telnet.hear(AGREED).answer == b"", "an answer to an answer has no end (RFC 1143)"
    assert telnet.hear(bytes((IAC, DONT, SGA))).answer == bytes((IAC, WONT, SGA))
    assert telnet.hear(bytes((IAC, DONT, SGA))).answer == b""
    assert telnet.hear(bytes((IAC, DO, SGA))).answer == bytes((IAC, WILL, SGA))


def test_suspended_until_it_resumes() -> None:
    telnet = ready()
    telnet.hear(sub(108, b""))
    assert telnet.suspended
    telnet.hear(sub(109, b""))
    assert not telnet.suspended


def test_an_endless_subnegotiation_ends() -> None:
    telnet = ready()
    telnet.hear(bytes((IAC, SB, COM)) + bytes(5000))
    assert telnet.hear(b"on").data == b"on"


@pytest.mark.parametrize("between", [b"", bytes((IAC, 241)), sub(107, b"\xff"), sub(106, b"\0")])
@given(line=st.binary(max_size=300), cuts=st.lists(st.integers(0, 900), max_size=8))
def test_the_bytes_of_the_line_pass_in_any_pieces(
    between: bytes, line: bytes, cuts: list[int]
) -> None:
    """Whatever the line carries and wherever TCP cuts it, with notices in between."""
    telnet = ready()
    half = len(line) // 2
    sent = telnet.escaped(line[:half]) + between + telnet.escaped(line[half:])
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    heard = [telnet.hear(sent[start:end]) for start, end in pairwise(edges)]
    assert b"".join(one.data for one in heard) == line
    assert b"".join(one.answer for one in heard) == b""
    assert telnet.ready


@given(st.binary(max_size=400))
def test_rubbish_breaks_nothing(came: bytes) -> None:
    telnet = Telnet(9600)
    telnet.hello()
    telnet.hear(came)
    assert len(telnet.hear(b"").data) == 0
