"""Places in TOML text, by example; `tests/property` holds the scanner against `tomllib`."""

from __future__ import annotations

from pumpctl.therapy.places import locate, places, position

TEXT = """\
# a comment with [brackets]
top = 1
[a.b]   # header
c."d e".f = 'x'
[[a.list]]
x = [ 1, # [
  "two, ]",
  { y = 3, z.w = [4] },
]
[[a.list]]
"""


def test_places_by_example() -> None:
    found = places(TEXT)
    expected = {
        ("top",): "2:1",
        ("a",): "3:1",
        ("a", "b"): "3:1",
        ("a", "b", "c", "d e", "f"): "4:13",
        ("a", "list", 0): "5:1",
        ("a", "list", 0, "x"): "6:5",
        ("a", "list", 0, "x", 1): "7:3",
        ("a", "list", 0, "x", 2, "y"): "8:9",
        ("a", "list", 0, "x", 2, "z", "w", 0): "8:19",
        ("a", "list", 1): "10:1",
    }
    for path, where in expected.items():
        key = path == ("top",)
        line, column = position(TEXT, locate(found, path, key=key))
        assert f"{line}:{column}" == where, path


def test_a_string_over_several_lines_ends_with_the_last_of_its_quotes() -> None:
    for string in ('"""a\nb = 1\n"""', '"""\n\\""""', '"""a"""""', "'''\n'''", "'''a\\''''"):
        text = f"x = {string}\ny = 2\n"
        found = places(text)
        place = found["x",]
        assert text[place.value : place.end] == string
        assert found["y",].key == text.index("\ny = 2") + 1


def test_what_is_missing_is_looked_for_around_its_place() -> None:
    found = places(TEXT)
    assert locate(found, ("a", "b", "nothing", 3)) == TEXT.index("[a.b]")
    assert locate(found, ("nothing",)) == 0
    assert position(TEXT, 0) == (1, 1)


def test_a_broken_text_gives_what_there_is() -> None:
    for text in ("x = [ }", "x = [1", "[x", "x", "= ", '"a', "x = {a", "a = '''"):
        assert () in places(text)
    assert ("x",) in places("x = 1\ny = [ }")
