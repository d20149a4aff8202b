"""`named.NamedTuple` against `typing.NamedTuple`: the same class, made quicker."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import types
import typing
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl import named
from pumpctl.named import NamedTuple

T = TypeVar("T")
PACKAGE = Path(named.__file__).resolve().parent


class Own(NamedTuple):
    """A point."""

    x: int
    y: Other | None = None
    new: str = "n"
    """Called as what the constructor calls."""

    @property
    def twice(self) -> int:
        return 2 * self.x

    def moved(self) -> Own:
        return self._replace(x=self.x + 1)


class Typing(typing.NamedTuple):
    x: int
    y: Other | None = None
    new: str = "n"


class Other(NamedTuple):
    """Without a default."""

    only: bytes


class Empty(NamedTuple):
    """No field at all, as a message that says everything by its name."""


class Box(NamedTuple, Generic[T]):
    value: T
    source: str = ""


@given(st.integers(), st.none() | st.builds(Other, st.binary()), st.text())
def test_it_does_what_typings_does(x: int, y: Other | None, new: str) -> None:
    own: Any = Own(x, new=new, y=y)
    other: Any = Typing(x, new=new, y=y)
    assert own == other == (x, y, new)
    assert hash(own) == hash(other)
    assert (own.x, own.y, own.new) == (other.x, other.y, other.new)
    assert own._asdict() == other._asdict()
    assert repr(own) == repr(other).replace("Typing", "Own")
    assert own._replace(y=None) == other._replace(y=None)
    assert Own._make(other) == own
    for again in (copy.copy(own), copy.deepcopy(own), pickle.loads(pickle.dumps(own))):  # noqa: S301
        assert again == own
        assert type(again) is Own


def test_what_is_known_of_the_class_is_the_same() -> None:
    assert Own._fields == Typing._fields == Own.__match_args__
    assert Own._field_defaults == Typing._field_defaults
    assert inspect.signature(Own).parameters.keys() == inspect.signature(Typing).parameters.keys()
    assert [p.default for p in inspect.signature(Own).parameters.values()] == [
        p.default for p in inspect.signature(Typing).parameters.values()
    ]
    assert get_type_hints(Own) == get_type_hints(Typing)
    assert (Own.__doc__, Own.__module__, Own.__qualname__) == ("A point.", __name__, "Own")
    assert Own.__mro__[-2:] == Typing.__mro__[-2:] == (tuple, object)
    assert not hasattr(Own(1), "__dict__")
    assert Empty() == ()
    assert repr(Empty()) == "Empty()"


def test_methods_stay() -> None:
    assert Own(3).twice == 6
    assert Own(3).moved() == Own(4)


def test_a_generic_one_takes_its_parameter() -> None:
    assert Box[int](3) == Box(3) == (3, "")
    assert Box(3).value == 3


def test_it_is_taken_apart_by_a_pattern() -> None:
    match Own(1, None, "a"):
        case Own(x, new=text):
            assert (x, text) == (1, "a")
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 2}, {"y": None}])
def test_wrong_fields_are_an_error(given: dict[str, Any]) -> None:
    for cls in (Own, Typing):
        with pytest.raises(TypeError):
            cls(**given)


def test_nothing_can_be_set_or_replaced_that_is_no_field() -> None:
    for cls in (Own, Typing):
        with pytest.raises(AttributeError):
            cls(1).x = 2  # type: ignore[misc]
        with pytest.raises((TypeError, ValueError)):
            cls(1)._replace(z=2)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            cls._make([1])


BAD = {
    "a field without a default behind one with": {"__annotations__": {"a": int, "b": int}, "a": 1},
    "a field with an underscore": {"__annotations__": {"_a": int}},
    "a method of its own that it must not have": {"__annotations__": {}, "_make": print},
}


@pytest.mark.parametrize("base", [NamedTuple, typing.NamedTuple], ids=["own", "typing"])
@pytest.mark.parametrize("said", BAD.values(), ids=BAD)
def test_what_typing_refuses_is_refused(said: dict[str, Any], base: Any) -> None:
    said = {"__module__": __name__, **said}
    with pytest.raises((TypeError, ValueError, AttributeError)):
        types.new_class("Bad", (base,), exec_body=lambda found: found.update(said))


@pytest.mark.parametrize("base", [NamedTuple, typing.NamedTuple], ids=["own", "typing"])
def test_another_base_is_refused(base: Any) -> None:
    with pytest.raises(TypeError):
        types.new_class("Bad", (base, dict))


def test_the_package_uses_no_other() -> None:
    """One that is made by `typing` costs five times as much, and nobody would see it."""
    slow = re.compile(
        r"^from typing import .*\bNamedTuple\b|typing\.NamedTuple|namedtuple\(", re.MULTILINE
    )
    found = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.name != "named.py" and slow.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
