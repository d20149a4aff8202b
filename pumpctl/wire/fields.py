"""How one field of a message becomes bytes and comes back.

A field type is a small object with `put(value, out)` and `get(reader)`.
Integers are big-endian and of fixed width; whatever repeats has a count and a
limit; nothing is optional without a presence byte. `Reader` refuses to read
past the end, so a decoder ends in bounded time and memory (TEL-07).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from pumpctl.named import NamedTuple

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class WireError(ValueError):
    """Bytes that are no message, or a value that fits no field. The codec raises nothing else."""


class Reader:
    """A cursor over received bytes."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes; refuses to read past the end."""
        end = self._at + size
        if end > len(self._data):
            raise WireError(f"{size} bytes wanted at {self._at}, only {len(self._data)} there")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def uint(self, size: int) -> int:
        """The next `size` bytes as an unsigned integer."""
        return int.from_bytes(self.take(size), "big")

    def finish(self) -> None:
        """Refuse bytes that nothing asked for: nothing is ignored silently (TEL-06)."""
        if self._at != len(self._data):
            raise WireError(f"{len(self._data) - self._at} bytes too many")


class Field(Protocol):
    """What every field type can do."""

    @property
    def most_bytes(self) -> int: ...
    def put(self, value: Any, out: bytearray) -> None: ...
    def get(self, reader: Reader) -> Any: ...


class UInt:
    """An unsigned integer of `size` bytes, at most `top`."""

    __slots__ = ("size", "top")

    def __init__(self, size: int, top: int | None = None) -> None:
        self.size = size
        self.top = (1 << (8 * size)) - 1 if top is None else top

    @property
    def most_bytes(self) -> int:
        return self.size

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= self.top:
            raise WireError(f"{value!r} is no integer from 0 to {self.top}")
        out += value.to_bytes(self.size, "big")

    def get(self, reader: Reader) -> int:
        value = reader.uint(self.size)
        if value > self.top:
            raise WireError(f"{value} is above {self.top}")
        return value


class SInt:
    """A signed integer of `size` bytes, two's complement."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def most_bytes(self) -> int:
        return self.size

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise WireError(f"{value!r} is no integer")
        try:
            out += value.to_bytes(self.size, "big", signed=True)
        except OverflowError as error:
            raise WireError(f"{value} does not fit {self.size} bytes") from error

    def get(self, reader: Reader) -> int:
        return int.from_bytes(reader.take(self.size), "big", signed=True)


class Flag:
    """True or false; any byte but 0 and 1 is refused."""

    __slots__ = ()

    @property
    def most_bytes(self) -> int:
        return 1

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bool):
            raise WireError(f"{value!r} is neither true nor false")
        out.append(1 if value else 0)

    def get(self, reader: Reader) -> bool:
        byte = reader.uint(1)
        if byte > 1:
            raise WireError(f"a flag is 0 or 1, not {byte}")
        return byte == 1


class Code(Generic[E]):
    """A value of an enumeration with far-apart numbers, 16 bits wide (TEL-02)."""

    __slots__ = ("enum",)

    def __init__(self, enum: type[E]) -> None:
        self.enum = enum

    @property
    def most_bytes(self) -> int:
        return 2

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, self.enum):
            raise WireError(f"{value!r} is no {self.enum.__name__}")
        out += int(value).to_bytes(2, "big")

    def get(self, reader: Reader) -> E:
        number = reader.uint(2)
        try:
            return self.enum(number)
        except ValueError as error:
            raise WireError(f"0x{number:04X} is no {self.enum.__name__}") from error


class Fixed:
    """Exactly `size` bytes."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def most_bytes(self) -> int:
        return self.size

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bytes) or len(value) != self.size:
            raise WireError(f"exactly {self.size} bytes wanted")
        out += value

    def get(self, reader: Reader) -> bytes:
        return reader.take(self.size)


class Blob:
    """Up to `limit` bytes behind a 16-bit count."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @property
    def most_bytes(self) -> int:
        return 2 + self.limit

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bytes) or len(value) > self.limit:
            raise WireError(f"at most {self.limit} bytes wanted")
        out += len(value).to_bytes(2, "big") + value

    def get(self, reader: Reader) -> bytes:
        size = reader.uint(2)
        if size > self.limit:
            raise WireError(f"{size} bytes, at most {self.limit} allowed")
        return reader.take(size)


class Text:
    """Up to `limit` bytes of printable ASCII behind an 8-bit count."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @property
    def most_bytes(self) -> int:
        return 1 + self.limit

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, str) or not value.isascii() or not (value + "x").isprintable():
            raise WireError(f"{value!r} is not printable ASCII")
        if len(value) > self.limit:
            raise WireError(f"{len(value)} characters, at most {self.limit} allowed")
        out.append(len(value))
        out += value.encode("ascii")

    def get(self, reader: Reader) -> str:
        size = reader.uint(1)
        if size > self.limit:
            raise WireError(f"{size} characters, at most {self.limit} allowed")
        raw = reader.take(size)
        if any(byte < 0x20 or byte > 0x7E for byte in raw):
            raise WireError("text that is not printable ASCII")
        return raw.decode("ascii")


class Maybe:
    """A value or nothing: a presence byte, then the value."""

    __slots__ = ("inner",)

    def __init__(self, inner: Field) -> None:
        self.inner = inner

    @property
    def most_bytes(self) -> int:
        return 1 + self.inner.most_bytes

    def put(self, value: Any, out: bytearray) -> None:
        out.append(0 if value is None else 1)
        if value is not None:
            self.inner.put(value, out)

    def get(self, reader: Reader) -> Any:
        present = reader.uint(1)
        if present > 1:
            raise WireError(f"a presence byte is 0 or 1, not {present}")
        return self.inner.get(reader) if present else None


class Many:
    """`least` to `most` values behind an 8-bit count, as a tuple."""

    __slots__ = ("inner", "least", "most")

    def __init__(self, inner: Field, most: int, least: int = 0) -> None:
        self.inner = inner
        self.least = least
        self.most = most

    @property
    def most_bytes(self) -> int:
        return 1 + self.most * self.inner.most_bytes

    def put(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, tuple) or not self.least <= len(value) <= self.most:
            raise WireError(f"a tuple of {self.least} to {self.most} values wanted")
        out.append(len(value))
        for item in value:
            self.inner.put(item, out)

    def get(self, reader: Reader) -> tuple[Any, ...]:
        count = reader.uint(1)
        if not self.least <= count <= self.most:
            raise WireError(f"{count} values, {self.least} to {self.most} allowed")
        return tuple(self.inner.get(reader) for _ in range(count))


class Part(NamedTuple):
    """Encoded in one go: one field, or a run of integers, whose bytes one call packs."""

    first: int
    until: int
    field: Field
    packed: Any  # a run's `struct.Struct`, else None


_FORMS = {1: "B", 2: "H", 4: "I", 8: "Q"}


def _form(field: Field) -> str | None:
    """Of an unsigned integer that may have every value of its size."""
    if type(field) is UInt and field.top == (1 << 8 * field.size) - 1:
        return _FORMS.get(field.size)
    return None


def _packing() -> Any:
    """Loaded where something is packed: a check of a profile, which encodes a program, does not."""
    import struct

    return struct


def _parts(fields: tuple[Field, ...]) -> tuple[Part, ...]:
    found = []
    first = 0
    while first < len(fields):
        forms, until = "", first
        while until < len(fields) and (form := _form(fields[until])):
            forms += form
            until += 1
        packed = _packing().Struct(">" + forms) if len(forms) > 2 else None
        until = until if packed else first + 1
        found.append(Part(first, until, fields[first], packed))
        first = until
    return tuple(found)


class Struct(Generic[T]):
    """A NamedTuple whose annotations are `Annotated[type, field]`, its fields in order."""

    __slots__ = ("_parts", "cls", "fields")

    def __init__(self, cls: Callable[..., T]) -> None:
        self.cls = cls
        self.fields = fields_of(cls)
        self._parts: tuple[Part, ...] | None = None

    @property
    def most_bytes(self) -> int:
        return sum(field.most_bytes for field in self.fields)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is encoded in one go; worked out at the first use, of few of the structs."""
        parts = self._parts
        if parts is None:
            parts = self._parts = _parts(self.fields)
        return parts

    def put(self, value: Any, out: bytearray) -> None:
        if value.__class__ is not self.cls:
            raise WireError(f"{type(value).__name__} where {self.cls} is wanted")
        for part in self.parts:
            if part.packed is None:
                part.field.put(value[part.first], out)
            else:
                self.put_part(part, value, out)

    def put_part(self, part: Part, value: Any, out: bytearray) -> None:
        """These fields of a value alone."""
        if part.packed is None:
            part.field.put(value[part.first], out)
            return
        run = value[part.first : part.until]
        if bool not in map(type, run):  # which would be packed as an integer
            try:
                out += part.packed.pack(*run)
                return
            except _packing().error:
                pass
        for field, item in zip(self.fields[part.first : part.until], run, strict=True):
            field.put(item, out)  # says which one it is

    def get(self, reader: Reader) -> T:
        found: list[Any] = []
        for part in self.parts:
            if part.packed is None:
                found.append(part.field.get(reader))
            else:
                found += part.packed.unpack(reader.take(part.packed.size))
        return self.cls(*found)


class _Annotated(NamedTuple):
    name: str
    field: Field


def named_fields_of(cls: Any) -> tuple[_Annotated, ...]:
    """The fields of a NamedTuple class, by name, as its annotations declare them."""
    found = []
    for name in cls._fields:
        metadata: tuple[Field, ...] = getattr(cls.__annotations__[name], "__metadata__", ())
        if len(metadata) != 1:
            raise TypeError(f"{cls.__name__}.{name} does not say how it crosses the line")
        found.append(_Annotated(name, *metadata))
    return tuple(found)


def fields_of(cls: Any) -> tuple[Field, ...]:
    """The same without the names."""
    return tuple(entry.field for entry in named_fields_of(cls))
