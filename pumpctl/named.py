"""NamedTuple, as `typing` means it, made in a tenth of the time.

A command loads some two hundred of these classes. `typing` compiles each annotation and
a text for each constructor: 77 us a class, a sixth of a whole `status`. Nobody asks for
the annotations before a type checker does, and constructors differ by their names only.
A type checker sees `typing.NamedTuple` itself.
"""

from __future__ import annotations

import sys
from collections import _tuplegetter  # type: ignore[attr-defined]  # what namedtuple reads by
from functools import cache
from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - handed on

_WORDS = {
    "__getnewargs__", "__init__", "__new__", "__slots__", "_asdict", "_field_defaults", "_fields",
    "_make", "_replace",
}  # fmt: skip
"""What a class must not say itself; `typing` has the same rule."""

_IN_NEW: dict[str, Any] = {"new": tuple.__new__, "__builtins__": {}}


@cache
def _code_of_new(count: int) -> CodeType:
    """A constructor of so many fields, whatever they are called."""
    taken = "".join(f", a{number}" for number in range(count))
    given = "".join(f"a{number}, " for number in range(count))
    made: FunctionType = eval(f"lambda _cls{taken}: new(_cls, ({given}))", _IN_NEW)  # noqa: S307
    return made.__code__


class _Named(tuple):  # type: ignore[type-arg]
    """What all of them do, as `collections.namedtuple` has it."""

    __slots__ = ()
    if TYPE_CHECKING:  # an annotation here would be taken for a field's
        _fields: tuple[str, ...]

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes: Any) -> Self:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"Got unexpected field names: {list(changes)!r}")
        return made

    __replace__ = _replace

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        told = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)
        )
        return f"{self.__class__.__name__}({told})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


class _Maker(type):
    """Makes, of a class below `NamedTuple`, a tuple with names."""

    def __new__(cls, name: str, bases: tuple[type, ...], said: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, said)
        if any(base.__name__ != "Generic" for base in bases[1:]):
            raise TypeError(f"{name}: a NamedTuple has no other base, but for Generic")
        wrong = _WORDS & said.keys()
        if wrong:
            raise AttributeError(f"Cannot overwrite NamedTuple attribute {min(wrong)}")
        fields = tuple(map(sys.intern, _annotations_of(said)))
        defaults = {field: said[field] for field in fields if field in said}
        if tuple(defaults) != fields[len(fields) - len(defaults) :]:
            raise TypeError(f"{name}: a field without a default follows one with")
        new = FunctionType(
            _code_of_new(len(fields)).replace(co_name="__new__", co_varnames=("_cls", *fields)),
            _IN_NEW,
            "__new__",
            tuple(defaults.values()) or None,
        )
        new.__qualname__ = f"{name}.__new__"
        said |= {
            "__slots__": (),
            "__match_args__": fields,
            "_fields": fields,
            "_field_defaults": defaults,
            "__new__": new,
        }
        for number, field in enumerate(fields):
            said[field] = _tuplegetter(number, None)
        return type(name, (_Named, *bases[1:]), said)


def _annotations_of(said: dict[str, Any]) -> dict[str, Any]:
    """What a class says of its fields; Python 3.14 keeps it as a function until then."""
    if sys.version_info >= (3, 14) and "__annotations__" not in said:
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(said)
        if annotate is not None:
            said["__annotations__"] = annotate(annotationlib.Format.VALUE)
    found: dict[str, Any] = said.get("__annotations__", {})
    for field in found:
        if field.startswith("_"):
            raise ValueError(f"Field names cannot start with an underscore: {field!r}")
    return found


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Maker):
        """The base that a class names; nothing of it is left in the class that is made."""
