"""A drug library's file: read with every finding and its place, written so that it reads back."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pumpctl.errors import InternalError, LibrarySyntax
from pumpctl.therapy import library_shape
from pumpctl.therapy.checks import check_library, rules
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.library import Band, Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.library_draft import LibraryDraft, draft_of
from pumpctl.therapy.library_file import LibraryReading, read_library, read_library_bytes
from pumpctl.therapy.library_text import to_toml
from pumpctl.therapy.moment import Date
from tests.helpers.libraries import site_library
from tests.therapy.checking import window
from tests.therapy.samples import altered, ids, named

TEXT = site_library(short=True)
SCHEMA: dict[str, Any] = json.loads(library_shape.schema_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def read(text: str) -> LibraryReading:
    return read_library(text, "site.toml")


def place(text: str, reading: LibraryReading, name: str) -> str:
    """The rest of the line at which the first finding of this name points."""
    first = named(reading.findings, name)[0]
    assert first.line is not None and first.column is not None
    return text.split("\n")[first.line - 1][first.column - 1 :]


# --- the library that ships ------------------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_the_library_that_ships_reads_back_as_itself() -> None:
    reading = read(to_toml(DEFAULT))
    assert reading.library == DEFAULT
    assert to_toml(DEFAULT) == to_toml(reading.library)
    assert set(ids(reading.findings)) == {"LIBRARY_SITE", "LIBRARY_DATES"}, "else it is a site's"


def test_a_site_s_library_is_without_findings() -> None:
    reading = read(site_library())
    assert reading.findings == ()
    library = reading.library
    assert library is not None
    assert (library.site, library.version) == ("st-elsewhere", 1)
    assert (str(library.issued), str(library.expires)) == ("2020-01-01", "2999-12-31")
    assert library.listed == DEFAULT.listed


@pytest.mark.requirement("CNF-04")
def test_a_site_says_when_two_people_confirm() -> None:
    assert DEFAULT.second_person == "never"
    asks = DEFAULT._replace(second_person="soft-limits")
    assert read(to_toml(asks)).library == asks
    assert draft_of(asks).formed() == asks
    unsaid = altered(TEXT, ('[policy]\nsecond_person = "never"\n', ""))
    assert read(unsaid).library == read(TEXT).library


def test_what_it_does_not_limit_is_not_limited() -> None:
    bare = DEFAULT.listed[0]._replace(bolus=Band(), windows=(), usual=())
    library = Library("x", 7, Date(0), None, "a list", (bare,))
    again = read(to_toml(library)).library
    assert again == library
    assert "[drug.bolus]" not in to_toml(library)
    hard_only = bare._replace(windows=(window("4 h", "300 mcg"),))
    library = library._replace(listed=(hard_only,))
    assert read(to_toml(library)).library == library


def test_bytes() -> None:
    plain = TEXT.encode()
    for data in (plain, b"\xef\xbb\xbf" + plain, plain.replace(b"\n", b"\r\n")):
        assert read_library_bytes(data, "f").library == read(TEXT).library
    with pytest.raises(LibrarySyntax, match="f:1:3: this is not UTF-8"):
        read_library_bytes(b"# \xff", "f")
    with pytest.raises(LibrarySyntax, match="a library has at most"):
        read_library_bytes(b"#" * 300_000, "f")
    with pytest.raises(LibrarySyntax, match="f:2:9"):
        read_library("format = 1\n[library\n", "f")
    with pytest.raises(LibrarySyntax, match=r"nested too deeply for a library|Invalid|Unclosed"):
        read_library("x = " + "[" * 3000, "f")


# --- faults of shape, with their places ----------------------------------------------


@pytest.mark.parametrize(
    ("change", "name", "where"),
    [
        (("format = 1", "format = 2"), "LIBRARY_FORMAT", "2"),
        (('site = "st-elsewhere"\n', ""), "KEY_MISSING", "[library]"),
        (("version = 1", "version = 0"), "VALUE_COUNT", "0"),
        (("version = 1", "version = 2147483649"), "VALUE_COUNT", "2147483649"),
        (("version = 1", "version = 1.0"), "VALUE_KIND", "1.0"),
        (("version = 1", "version = true"), "VALUE_KIND", "true"),
        (('"2020-01-01"', "2020-01-01"), "VALUE_KIND", "2020-01-01"),
        (('"2020-01-01"', '"01/02/2020"'), "DATE", '"01/02/2020"'),
        (('"2020-01-01"', '"2020-02-30"'), "DATE", '"2020-02-30"'),
        (('"2000 mcg/mL"', '"2000 mcg/mg"'), "QUANTITY", '"2000 mcg/mg"'),
        (('"2000 mcg/mL"', "2000"), "QUANTITY", "2000"),
        (('soft_low = { limit = "22 mcg/day"', 'soft_low = { limit = "22 mcg/h"'),
         "QUANTITY", '"22 mcg/h"'),
        (("soft_low = { limit = \"22 mcg/day\"", "soft_low = { limits = \"22 mcg/day\""),
         "KEY_UNKNOWN", "limits"),
        (("[drug.rate]\nhard_high", "[drug.rate]\nhard_hihg"), "KEY_UNKNOWN", "hard_hihg"),
        (('increase_soft = { limit = "20 %"', 'increase_soft = { limit = "20"'),
         "QUANTITY", '"20"'),
        (('increase_soft = { limit = "20 %"', 'increase_soft = { limit = "0.2"'),
         "QUANTITY", '"0.2"'),
        (('group = "under-12"', 'group = "child"'), "VALUE_CHOICE", '"child"'),
        (('length = "24 h"', 'length = "24"'), "QUANTITY", '"24"'),
        (('[drug.bolus]', '[[drug.bolus]]'), "VALUE_KIND", "[[drug.bolus]]"),
        (('"concentrations supplied', '" concentrations supplied'), "VALUE_TEXT", '" conc'),
        (('second_person = "never"', 'second_person = "always"'), "VALUE_CHOICE", '"always"'),
        (('second_person = "never"', "second_person = true"), "VALUE_KIND", "true"),
        (('second_person = "never"', 'second = "never"'), "KEY_UNKNOWN", "second"),
        (('second_person = "never"\n', ""), "KEY_MISSING", "[policy]"),
    ],
)  # fmt: skip
def test_a_fault_of_shape_stands_at_its_place(
    change: tuple[str, str], name: str, where: str
) -> None:
    text = altered(TEXT, change)
    reading = read(text)
    assert reading.library is None
    assert name in ids(reading.findings)
    assert place(text, reading, name).startswith(where)
    assert not VALIDATOR.is_valid(json.loads(json.dumps(tomllib.loads(text), default=str))) or (
        name in ("DATE", "VALUE_TEXT", "VALUE_KIND")  # a schema cannot tell these
    )


def test_all_faults_come_in_one_go() -> None:
    text = altered(
        TEXT,
        ("version = 1", "version = 0"),
        ('length = "1 h"', 'length = "1 hour"'),
        ('group = "spinal"', 'group = "back"'),
        ("reduction_soft = { limit = \"70 %\"", "reduction_soft = { limit = \"70\""),
        ('expires = "2999-12-31"', 'expires = "2019-01-01"'),
    )  # fmt: skip
    assert set(ids(read(text).findings)) == {
        "VALUE_COUNT", "QUANTITY", "VALUE_CHOICE", "LIBRARY_DATES",
    }  # fmt: skip


def test_no_number_without_its_source() -> None:
    text = altered(
        TEXT,
        ('{ limit = "22 mcg/day", source = "lowest dose of label studies, cerebral (to verify)" }',
         '{ limit = "22 mcg/day" }'),
    )  # fmt: skip
    reading = read(text)
    assert ids(reading.findings) == ["KEY_MISSING"]
    assert "where this figure comes from" in reading.findings[0].message


def test_a_part_that_is_missing_without_a_fault_is_a_bug_of_ours() -> None:
    draft = draft_of(DEFAULT)
    assert draft.formed() == DEFAULT
    with pytest.raises(InternalError):
        draft._replace(site=None).formed()


def test_a_library_that_was_not_read_is_checked_alike() -> None:
    own, read_ = check_library(draft_of(DEFAULT)), read(to_toml(DEFAULT)).findings
    assert sorted(ids(own)) == sorted(ids(read_))
    assert own[0].line is None


def test_where_a_fault_counts() -> None:
    draft = LibraryDraft((), None, "x", 1, None, None, "y", ())
    assert not draft.faulty(("library",))
    broken = read(altered(TEXT, ('expires = "2999-12-31"', "expires = 1")))
    assert [each.id for each in broken.findings] == ["VALUE_KIND"], "no LIBRARY_DATES besides"


def test_a_file_of_another_kind_is_said_to_be_one() -> None:
    reading = read("format = 1\n[drug]\nname = 'x'\n")
    assert ids(reading.findings) == ["KEY_MISSING", "VALUE_KIND"]
    assert reading.library is None


# --- the schema -------------------------------------------------------------------------


def test_the_schema_takes_what_the_reader_takes() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for text in (TEXT, site_library(), to_toml(DEFAULT)):
        assert VALIDATOR.is_valid(tomllib.loads(text))


def test_the_schema_file_is_not_stale() -> None:
    file = Path(__file__).resolve().parents[2] / "profiles" / "library.schema.json"
    assert file.read_text(encoding="utf-8") == library_shape.schema_text(), "dev.py generate"


def test_every_rule_is_explained() -> None:
    known = rules()
    for name in ("LIBRARY_FORMAT", "DATE", "LIBRARY_SITE", "LIBRARY_ORDER", "LIBRARY_EXPIRED"):
        assert known[name].severity is Severity.HARD and known[name].why
