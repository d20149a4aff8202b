"""How a message is declared, once, and how it becomes bytes.

A declaration is a NamedTuple under `@message(...)`, which says its op-code,
who sends it, which roles may, which reply answers it, and whether it changes
therapy. Every table of messages (documentation, the pump's role matrix, the
golden tests) is read off `REGISTRY`; none is written twice.

A message's bytes are its op-code (16 bits) and its fields in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Op, Role
from pumpctl.wire.fields import Reader, Struct, WireError

M = TypeVar("M")

ANYONE = frozenset(Role)
TREATS = frozenset({Role.CLINICIAN, Role.ADMIN})
ADMINISTERS = frozenset({Role.ADMIN})
NOBODY: frozenset[Role] = frozenset()


class Spec(NamedTuple):
    """What is known of a message besides its fields."""

    op: Op
    cls: Any
    struct: Struct[Any]
    from_station: bool
    roles: frozenset[Role]
    replies: tuple[Op, ...]
    therapy: bool
    stages: bool

    @property
    def most_bytes(self) -> int:
        """The size that its encoding never exceeds."""
        return 2 + self.struct.most_bytes


REGISTRY: dict[Op, Spec] = {}
_BY_CLASS: dict[Any, Spec] = {}
_BY_NUMBER: dict[int, Spec] = {}


def request(
    op: Op,
    *,
    roles: frozenset[Role],
    reply: Op | tuple[Op, ...],
    therapy: bool = False,
    stages: bool = False,
) -> Callable[[type[M]], type[M]]:
    """Declare what a station sends.

    `therapy`: handling it can change delivery (activate, stop, cancel).
    `stages`: it puts something into the staged slot, and changes no delivery.
    """

    def declare(cls: type[M]) -> type[M]:
        replies = (reply,) if isinstance(reply, Op) else reply
        _register(Spec(op, cls, Struct(cls), True, roles, replies, therapy, stages))
        return cls

    return declare


def answer(op: Op) -> Callable[[type[M]], type[M]]:
    """Declare what a pump sends back."""

    def declare(cls: type[M]) -> type[M]:
        _register(Spec(op, cls, Struct(cls), False, NOBODY, (), False, False))
        return cls

    return declare


def _register(spec: Spec) -> None:
    if spec.op in REGISTRY:
        raise TypeError(f"{spec.op.name} is declared twice")
    REGISTRY[spec.op] = spec
    _BY_CLASS[spec.cls] = spec
    _BY_NUMBER[int(spec.op)] = spec  # asked for each message: an enum is slow to call


def spec_of(message: object) -> Spec:
    """The declaration of a message (or of a class of messages)."""
    cls = message if isinstance(message, type) else type(message)
    return _BY_CLASS[cls]


def encode(message: object) -> bytes:
    """A message as bytes; WireError where a value fits no field."""
    spec = _BY_CLASS.get(type(message))
    if spec is None:
        raise WireError(f"{type(message).__name__} is no message")
    out = bytearray(int(spec.op).to_bytes(2, "big"))
    spec.struct.put(message, out)
    return bytes(out)


def decode(data: bytes, *, from_station: bool) -> Any:
    """Bytes as a message of the given direction; WireError for anything else."""
    reader = Reader(data)
    number = reader.uint(2)
    spec = _BY_NUMBER.get(number)
    if spec is None:
        raise WireError(f"0x{number:04X} is no message")
    if spec.from_station is not from_station:
        raise WireError(f"{spec.op.name} goes the other way")
    message = spec.struct.get(reader)
    reader.finish()
    return message


def permits(spec: Spec, role: Role, *, bench: bool) -> bool:
    """The role × message matrix, default deny (SEC-06).

    An engineer looks at any pump, but treats only one in bench mode.
    """
    if role is Role.ENGINEER and spec.roles == TREATS:
        return bench
    return role in spec.roles
