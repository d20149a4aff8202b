"""Who asks, and how a handler says no. Shared by all handlers; knows none of them."""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Refuse, Role
from pumpctl.wire.greeting import MAJOR
from pumpctl.wire.messages import Refusal

_DETAIL = 160


class Caller(NamedTuple):
    """The far end of an authenticated session."""

    session: int
    role: Role | None
    """None in a pairing session, or where the key has been forgotten meanwhile."""
    key_id: bytes
    pairing: bool = False
    exported: bytes = b""
    """Secret of the session's handshake; pairing makes a shared key of it."""
    major: int = MAJOR
    """Version of the protocol that the station speaks."""


class Refused(Exception):
    """The pump does not do it, and nothing has changed."""

    def __init__(self, code: Refuse, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    def message(self) -> Refusal:
        """The answer on the line."""
        plain = "".join(each if " " <= each <= "~" else "?" for each in self.detail)
        return Refusal(self.code, plain[:_DETAIL])
