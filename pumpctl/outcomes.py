"""What can become of a change of therapy: applied, certainly not, or unknown.

Floor 0. A caller must take the three apart (`match`), so that nobody can hide
the third in a boolean. Also the names that a change carries: its operation id
and the pump's state version.
"""

from __future__ import annotations

from typing import NewType

from pumpctl.named import NamedTuple
from pumpctl.quantities import Mass

StateVersion = NewType("StateVersion", int)
"""Counts the pump's durable changes; a plan is made for exactly one value."""


class OperationId(bytes):
    """128 bits made by the station, once per plan; the pump applies one at most once."""

    __slots__ = ()
    SIZE = 16

    def __new__(cls, value: bytes) -> OperationId:
        if len(value) != cls.SIZE:
            raise ValueError(f"an operation id has {cls.SIZE} bytes, not {len(value)}")
        return super().__new__(cls, value)

    @classmethod
    def from_text(cls, text: str) -> OperationId:
        """Read the 32 hexadecimal digits that `str` writes."""
        return cls(bytes.fromhex(text))

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"OperationId({self.hex()})"


class Applied(NamedTuple):
    """The pump holds the change durably and said so."""

    operation: OperationId
    state_version: StateVersion
    delivered: Mass = Mass(0)
    """What a bolus had really given when this was said."""


class Refused(NamedTuple):
    """The change certainly did not happen, and this operation id never will.

    `code` is the pump's refusal by name, or `VOID` where the id was voided.
    """

    operation: OperationId
    code: str
    detail: str


class Unknown(NamedTuple):
    """Nobody knows: the first activate byte left, and no answer came back."""

    operation: OperationId
    why: str


Outcome = Applied | Refused | Unknown
