"""The first walk over a file's data: is every value of the shape that was declared?

Takes what `tomllib` gave and a table of `shape`, and gives typed values back:
quantities, dates, minutes of the day, words. What is faulty becomes `BAD`, so
that one fault hides no other. What the values mean together is not known here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from pumpctl.errors import QuantityError, UsageError
from pumpctl.therapy import shape
from pumpctl.therapy.findings import Fault, Rule, Seen, Severity
from pumpctl.therapy.moment import Date
from pumpctl.therapy.places import Path


class Bad:
    """Stands for a value that was there, but could not be taken."""

    __slots__ = ()


BAD = Bad()

_FORMAT = "format 1 of profiles and libraries"
_RULES = (
    ("KEY_UNKNOWN", _FORMAT,
     "A misspelt key would be a setting that is silently left out."),
    ("KEY_MISSING", _FORMAT,
     "Nothing that decides a dose is ever filled in by the program."),
    ("VALUE_KIND", _FORMAT,
     "A value of another kind was meant for another key."),
    ("VALUE_CHOICE", _FORMAT,
     "Only these words have a meaning here."),
    ("VALUE_COUNT", _FORMAT,
     "Every list and every count has a limit, and none is empty."),
    ("VALUE_TEXT", _FORMAT,
     "Labels are compared letter by letter: they are short, printable, without spaces around."),
    ("QUANTITY", "UNI-02, UNI-03, UNI-04",
     "The commonest programming errors are slips of unit and point: mg for mcg, hour for day."),
    ("TIME_OF_DAY", "UNI-03",
     "Hours typed in a minutes field led to a recall with two deaths (2004)."),
    ("DATE", _FORMAT,
     "A date has one spelling, year first: 03-04 is another day for another reader."),
    ("MODE_CONTRADICTION", "PRG-08",
     "A file that says two things about how the dose is given means neither."),
)  # fmt: skip
_INCIDENTS = {
    "QUANTITY": "Reported programming errors: out by ten, mg for mcg, per hour for per day.",
    "TIME_OF_DAY": "FDA Class I recall of 22 Sep 2004: hours typed in the field of minutes of a "
    "periodic bolus; 7 serious injuries, 2 deaths.",
}
RULES: dict[str, Rule] = {
    name: Rule(name, Severity.HARD, source, why, _INCIDENTS.get(name, ""))
    for name, source, why in _RULES
}
"""The faults that any file can have; a `shape.Document` adds its own."""


class Walk:
    """One walk over one file; `faults` grows as it goes."""

    def __init__(self, document: shape.Document) -> None:
        self.faults: list[Fault] = []
        self._document = document
        self._known: dict[int, dict[str, shape.Key]] = {}
        """By the identity of a table: looked up for every step of every day."""

    def all(self, data: object) -> object:
        """The typed values of the whole file."""
        return self.value(self._document.root, data, ())

    def fault(
        self,
        rule: str,
        path: Path,
        what: str,
        value: str | None = None,
        limit: str | None = None,
        *,
        key: bool = False,
    ) -> Bad:
        """Note a fault, its message led by the name of the place; gives BAD."""
        name = name_of(path) or self._document.name
        known = RULES.get(rule) or self._document.rules[rule]
        self.faults.append(Fault(known, Seen(f"{name}: {what}", value, limit, path, key)))
        return BAD

    def value(self, kind: shape.Kind, data: object, path: Path) -> object:
        """The typed value, or BAD with its fault noted."""
        match kind:  # the commonest first
            case shape.Amount():
                return self._amount(kind, data, path)
            case shape.Choice(words):
                return self._choice(data, words, path)
            case shape.Table():
                return self._table(kind, data, path)
            case shape.TimeOfDay():
                return self._time(data, path)
            case shape.ListOf():
                return self._list(kind, data, path)
            case shape.Exactly():
                return self._exactly(kind, data, path)
            case shape.Text(longest):
                return self._text(data, longest, path)
            case shape.DateText():
                return self._date(data, path)
            case shape.Count():
                return self._count(kind, data, path)
            case _:
                assert_never(kind)

    def _exactly(self, kind: shape.Exactly, data: object, path: Path) -> object:
        if data == kind.number and type(data) is int:
            return data
        what = f"found {found(data)}, expected {kind.number}"
        return self.fault(kind.rule, path, what, found(data), str(kind.number))

    def _count(self, kind: shape.Count, data: object, path: Path) -> object:
        if type(data) is not int:
            return self._kind(data, "a whole number without quotes", path)
        if kind.low <= data <= kind.high:
            return data
        limit = f"{kind.low} to {kind.high}"
        what = f"found {found(data)}, expected {limit}"
        return self.fault("VALUE_COUNT", path, what, found(data), limit)

    def _kind(self, data: object, expected: str, path: Path) -> Bad:
        what = f"found {found(data)}, expected {expected}"
        return self.fault("VALUE_KIND", path, what, found(data), expected)

    def _text(self, data: object, longest: int, path: Path) -> object:
        if not isinstance(data, str):
            return self._kind(data, "text in quotes", path)
        if data and data == data.strip() and data.isprintable() and len(data) <= longest:
            return data
        limit = f"1 to {longest} printable characters, no space around them"
        return self.fault("VALUE_TEXT", path, f"expected {limit}", found(data), limit)

    def _choice(self, data: object, words: tuple[str, ...], path: Path) -> object:
        if not isinstance(data, str):
            return self._kind(data, f"one of {', '.join(words)}", path)
        if data in words:
            return data
        what = f"found {found(data)}, expected one of {', '.join(words)}{_nearest(data, words)}"
        return self.fault("VALUE_CHOICE", path, what, found(data), ", ".join(words))

    def _amount(self, kind: shape.Amount, data: object, path: Path) -> object:
        try:
            if isinstance(data, str):
                value = kind.kind.parse(data, kind.units)
                if value <= kind.most:
                    return value
                what = f"{found(data)} is far more than anything that can be meant here"
                return self.fault("QUANTITY", path, what, found(data), f"at most {kind.most}")
        except QuantityError as error:
            nearest = " or ".join(error.nearest)
            hint = f" (nearest taken: {nearest})" if nearest else ""
            return self.fault(
                "QUANTITY", path, f"{error.message}{hint}", found(data), nearest or None
            )
        units = " or ".join(kind.units)
        if isinstance(data, (int, Decimal)) and not isinstance(data, bool):
            what = f"{found(data)} has no unit; {kind.kind.KIND} is text in quotes, in {units}"
            return self.fault("QUANTITY", path, what, found(data), units)
        return self._kind(data, f"{kind.kind.KIND} as text in quotes, in {units}", path)

    def _time(self, data: object, path: Path) -> object:
        expected = '"HH:MM" from "00:00" to "23:59"'
        if not isinstance(data, str):
            return self._kind(data, f"a time of day as text, {expected}", path)
        hours, _, minutes = data.partition(":")
        if len(data) <= 5 and data.isascii() and hours.isdigit() and minutes.isdigit():
            near = f'"{hours.zfill(2)}:{minutes}"'
            if len(minutes) == 2 and int(hours) < 24 and int(minutes) < 60:
                if len(hours) == 2:
                    return int(hours) * 60 + int(minutes)
                what = f"found {found(data)}, expected {near}: two digits for the hour"
                return self.fault("TIME_OF_DAY", path, what, found(data), near)
            if data == "24:00":
                what = 'found "24:00": a day ends there; the next one begins with its own "00:00"'
                return self.fault("TIME_OF_DAY", path, what, found(data), '"23:59"')
        what = f"found {found(data)}, expected a time of day, {expected}"
        return self.fault("TIME_OF_DAY", path, what, found(data), expected)

    def _date(self, data: object, path: Path) -> object:
        expected = 'a date as text in quotes, "YYYY-MM-DD"'
        if not isinstance(data, str):
            return self._kind(data, expected, path)
        try:
            return Date.parse(data)
        except UsageError:
            what = f"found {found(data)}, expected {expected}"
            return self.fault("DATE", path, what, found(data), expected)

    def _list(self, kind: shape.ListOf, data: object, path: Path) -> object:
        if not isinstance(data, list):
            tables = isinstance(kind.item, shape.Table) and isinstance(data, dict)
            name = name_of(path)
            return self._kind(data, f"a list: [[{name}]]" if tables else "a list in [ ]", path)
        if not 1 <= len(data) <= kind.most:
            limit = f"1 to {kind.most}"
            rule = kind.rule if data else "VALUE_COUNT"
            self.fault(rule, path, f"{len(data)} entries, expected {limit}", str(len(data)), limit)
            return BAD
        return [self.value(kind.item, each, (*path, at)) for at, each in enumerate(data)]

    def _table(self, table: shape.Table, data: object, path: Path) -> object:
        if not isinstance(data, dict):
            return self._kind(data, "a table of keys", path)
        known = self._known.get(id(table))
        if known is None:
            known = self._known[id(table)] = {key.name: key for key in table.keys}
        modes = table.modes
        mode = data.get("mode") if modes else None
        made: dict[str, object] = {}
        for name, each in data.items():
            here = (*path, name)
            key = known.get(name)
            if key is None:
                what = f"there is no such key here{_nearest(name, tuple(known))}"
                self.fault("KEY_UNKNOWN", here, what, found(name), ", ".join(known), key=True)
                continue
            made[name] = self.value(key.kind, each, here)
            if key.modes and mode in modes and mode not in key.modes:
                what = f"does not belong to mode {mode}, only to {' and '.join(key.modes)}"
                made[name] = self.fault("MODE_CONTRADICTION", here, what, mode, key=True)
        for key in table.keys:
            if key.name in data or not key.required or (key.modes and mode not in key.modes):
                continue
            what = f"{key.name} is missing here: {key.doc[0].lower()}{key.doc[1:]}"
            self.fault("KEY_MISSING", path, what, None, key.name, key=True)
        return made


def name_of(path: Path) -> str:
    """`program.day[1].steps[3].from`, counted from 1: what a person would point at."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text[1:] if len(text) < 80 else f"{text[1:77]}..."


def found(data: object) -> str:
    """A value as the file would have it, short enough for one line."""
    match data:
        case bool():
            return "true" if data else "false"
        case str():
            short = data if len(data) <= 40 else f"{data[:40]}..."
            return '"' + repr(short)[1:-1] + '"'
        case list():
            return "a list"
        case dict():
            return "a table"
        case int() if abs(data) >= 10**18:
            return "a huge number"
        case _:
            return str(data)[:40]


def _nearest(word: str, words: tuple[str, ...]) -> str:
    """`; nearest: "steps"`, where one is near."""
    from difflib import get_close_matches

    near = get_close_matches(word[:40].lower(), words, n=1)
    return f'; nearest: "{near[0]}"' if near else ""
