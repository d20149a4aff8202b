"""Every field type: what it writes it reads, and it refuses everything else."""

from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire.codes import Mode, Role
from pumpctl.wire.fields import (
    Blob,
    Code,
    Field,
    Fixed,
    Flag,
    Many,
    Maybe,
    Reader,
    SInt,
    Struct,
    Text,
    UInt,
    WireError,
    fields_of,
)
from tests.wire.strategies import largest, values
from tools.protocol_tables import form_of


class Pair(NamedTuple):
    left: Annotated[int, UInt(1)]
    right: Annotated[int | None, Maybe(UInt(2))]


EVERY: tuple[Field, ...] = (
    UInt(1),
    UInt(2, 1439),
    UInt(8),
    SInt(2),
    Flag(),
    Code(Mode),
    Fixed(0),
    Fixed(16),
    Blob(5),
    Text(40),
    Maybe(UInt(8)),
    Many(UInt(2), 4),
    Many(Many(Flag(), 2), 3, 3),
    Struct(Pair),
)


def put(field: Field, value: Any) -> bytes:
    out = bytearray()
    field.put(value, out)
    return bytes(out)


def get(field: Field, raw: bytes) -> Any:
    reader = Reader(raw)
    value = field.get(reader)
    reader.finish()
    return value


@given(st.data(), st.sampled_from(EVERY))
def test_what_is_written_is_read(data: st.DataObject, field: Field) -> None:
    value = data.draw(values(field))
    raw = put(field, value)
    assert len(raw) <= field.most_bytes
    assert get(field, raw) == value


@pytest.mark.parametrize("field", EVERY, ids=lambda field: type(field).__name__)
def test_the_largest_value_takes_the_most_bytes(field: Field) -> None:
    raw = put(field, largest(field))
    assert len(raw) == field.most_bytes
    for cut in range(len(raw)):
        with pytest.raises(WireError):
            get(field, raw[:cut])
    with pytest.raises(WireError):
        get(field, raw + b"\0")


@pytest.mark.requirement("TEL-07")
@given(st.sampled_from(EVERY), st.binary(max_size=60))
def test_any_bytes_are_a_value_in_one_spelling_or_refused(field: Field, raw: bytes) -> None:
    try:
        value = get(field, raw)
    except WireError:
        return
    assert put(field, value) == raw


def _name(thing: Any) -> str:
    return form_of(thing) if hasattr(thing, "most_bytes") else repr(thing)


WRONG: tuple[tuple[Field, Any], ...] = (
    (UInt(1), 256),
    (UInt(1), -1),
    (UInt(1), True),
    (UInt(1), 1.0),
    (UInt(1), "1"),
    (UInt(1), None),
    (UInt(2, 1439), 1440),
    (SInt(2), 32768),
    (SInt(2), -32769),
    (SInt(2), False),
    (SInt(2), 0.5),
    (Flag(), 1),
    (Flag(), None),
    (Code(Mode), 0x03A3),
    (Code(Mode), Role.OBSERVER),
    (Fixed(2), b"a"),
    (Fixed(2), b"abc"),
    (Fixed(2), bytearray(2)),
    (Fixed(2), "ab"),
    (Blob(2), b"abc"),
    (Blob(2), "ab"),
    (Text(4), "abcde"),
    (Text(4), "ä"),
    (Text(4), "a\n"),
    (Text(4), "\x7f"),
    (Text(4), "\0"),
    (Text(4), b"ab"),
    (Maybe(UInt(1)), 256),
    (Many(UInt(1), 2), (1, 2, 3)),
    (Many(UInt(1), 2, 1), ()),
    (Many(UInt(1), 2), [1]),
    (Many(UInt(1), 2), None),
    (Struct(Pair), (1, None)),
    (Struct(Pair), Pair(1, 65536)),
    (Struct(Pair), None),
)


@pytest.mark.requirement("UNI-01")
@pytest.mark.parametrize(("field", "value"), WRONG, ids=_name)
def test_a_wrong_value_is_refused(field: Field, value: Any) -> None:
    with pytest.raises(WireError):
        put(field, value)


SPELLED_WRONG: tuple[tuple[Field, str], ...] = (
    (UInt(2, 1439), "05A0"),
    (Flag(), "02"),
    (Flag(), "FF"),
    (Code(Mode), "0000"),
    (Code(Mode), "FFFF"),
    (Code(Mode), "03A2"),
    (Blob(2), "0003616263"),
    (Blob(2), "0002FF"),
    (Text(4), "0561626364 65"),
    (Text(4), "011F"),
    (Text(4), "017F"),
    (Text(4), "0180"),
    (Text(4), "0361"),
    (Maybe(UInt(1)), "0201"),
    (Maybe(UInt(1)), "01"),
    (Many(UInt(1), 2), "03010203"),
    (Many(UInt(1), 3, 2), "0101"),
)


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize(("field", "raw"), SPELLED_WRONG, ids=_name)
def test_wrong_bytes_are_refused(field: Field, raw: str) -> None:
    with pytest.raises(WireError):
        get(field, bytes.fromhex(raw))


def test_a_field_that_says_nothing_of_the_line_is_a_mistake() -> None:
    class Silent(NamedTuple):
        number: int

    with pytest.raises(TypeError, match=r"Silent\.number"):
        fields_of(Silent)


class Run(NamedTuple):
    """Neighbours that are encoded in one go, and what ends a run."""

    one: Annotated[int, UInt(1)]
    two: Annotated[int, UInt(4)]
    three: Annotated[int, UInt(8)]
    minute: Annotated[int, UInt(2, 1439)]
    last: Annotated[int, UInt(2)]


@given(values(Struct(Run)))
def test_a_run_of_integers_is_encoded_like_each_of_them(value: Run) -> None:
    struct: Struct[Run] = Struct(Run)
    assert [part.packed is not None for part in struct.parts] == [True, False, False]
    alone = b"".join(put(field, item) for field, item in zip(struct.fields, value, strict=True))
    assert put(struct, value) == alone
    assert get(struct, alone) == value


@pytest.mark.requirement("TEL-07")
@pytest.mark.parametrize("wrong", [-1, 1 << 32, True, False, 1.0, "1", None, b"1"])
def test_in_a_run_of_integers_each_is_checked(wrong: Any) -> None:
    value = Run(1, 2, 3, 4, 5)._replace(two=wrong)
    with pytest.raises(WireError, match="is no integer from 0 to 4294967295"):
        put(Struct(Run), value)


@pytest.mark.requirement("TEL-07")
def test_a_run_of_integers_that_ends_early_is_refused() -> None:
    raw = put(Struct(Run), Run(1, 2, 3, 4, 5))
    for size in range(len(raw)):
        with pytest.raises(WireError):
            get(Struct(Run), raw[:size])
