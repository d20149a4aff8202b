"""What the command line offers, read from the real commands: words, options, values, texts.

Completions and the tables of the documentation are made of this and of nothing
else. A command that cannot be loaded, or does not say what the documentation
needs, is an error here, so that no generated file can leave it out.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pumpctl.cli.commands import COMMANDS, GROUPS, Command
from pumpctl.cli.main import build, load
from pumpctl.cli.options import GLOBALS, GlobalOption

What = Literal["flag", "text", "file", "dir", "port", "emulator", "pump", "words", "ids"]


class GenerateError(Exception):
    """The code does not say what a generated file needs; the message is for its author."""


class Value(NamedTuple):
    """What may be typed: "words" are known choices, "ids" are finding ids before an =."""

    what: What
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """An option of a command, or a global one; `metavar` is empty for a flag."""

    names: tuple[str, ...]
    value: Value
    metavar: str
    help: str
    variable: str = ""
    default: str = ""
    repeatable: bool = False
    required: bool = False

    @property
    def long(self) -> str:
        """The name that is spelled out."""
        return next(name for name in self.names if name.startswith("--"))


class Argument(NamedTuple):
    """A positional argument."""

    metavar: str
    value: Value
    help: str
    required: bool


class Entry(NamedTuple):
    """One command as people meet it."""

    words: str
    section: str
    short: str
    paragraphs: tuple[str, ...]
    example: str
    effect: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]


class Model(NamedTuple):
    """The whole command line."""

    entries: tuple[Entry, ...]
    groups: dict[str, str]
    globals: tuple[Option, ...]

    def below(self, group: str) -> dict[str, str]:
        """The words that may follow: of the root ("") or of a group, with what they do."""
        found: dict[str, str] = {}
        for entry in self.entries:
            first, _, second = entry.words.partition(" ")
            if not group:
                found.setdefault(first, self.groups[first] if second else entry.short)
            elif first == group and second:
                found[second] = entry.short
        return found


HELP = Option(("--help", "-h"), Value("flag"), "", "show the help of a command and end")


def read() -> Model:
    """Everything there is; GenerateError where a command cannot be loaded or says too little."""
    values = _values()
    entries = tuple(_entry(command, values) for command in COMMANDS)
    shared = tuple(_global(option, values) for option in GLOBALS)
    if values:
        raise GenerateError(f"tools/model.py knows values of what is no more: {sorted(values)}")
    model = Model(entries, dict(GROUPS), shared)
    for entry in entries:
        _check_example(model, entry)
    return model


def _values() -> dict[tuple[str, str], Value]:
    """Values that typer does not know of, by command and option; each from the code that rules.

    Entries are taken out as they are met; one that is left over is out of date.
    """
    from pumpctl.cli.context import _LEVELS as LEVELS
    from pumpctl.cli.people.pairing import ROLES
    from pumpctl.emulator.body.faults import FAULTS
    from pumpctl.emulator.memory.implant import MODELS
    from pumpctl.therapy.checks import rules
    from pumpctl.therapy.templates import MODES
    from pumpctl.wire.codes import LogKind
    from pumpctl.workflows.scenario.scenarios import shipped

    soft = tuple(name for name, kinds in severities().items() if "soft" in kinds)
    values = {
        ("", "--port"): Value("port"),
        ("", "--pump"): Value("pump"),
        ("", "--log-level"): Value("words", LEVELS),
        ("pair", "--role"): Value("words", ROLES),
        ("profile new", "--mode"): Value("words", MODES),
        ("emulator new", "--model"): Value("words", tuple(MODELS)),
        ("emulator fault", "kind"): Value("words", tuple(each.word for each in FAULTS.values())),
        ("emulator play", "scenario"): Value("words", shipped()),
        ("logs show", "--kind"): Value("words", tuple(kind.name.lower() for kind in LogKind)),
        ("explain", "name"): Value("words", tuple(rules())),
        ("demo", "--keep"): Value("dir"),
    }
    for command in COMMANDS:
        named = command.words.startswith("emulator ") and command.words != "emulator new"
        if named and "name" in inspect.signature(_loaded(command)).parameters:
            values[command.words, "name"] = Value("emulator")
        if "override" in inspect.signature(_loaded(command)).parameters:
            values[command.words, "--override"] = Value("ids", soft)
    return values


def severities() -> dict[str, tuple[str, ...]]:
    """The severities that each check can have: its own first, then those its code names."""
    from pumpctl.therapy.checks import rules
    from pumpctl.therapy.checks.registry import EVERY_KIND

    known = rules()
    found: dict[str, tuple[str, ...]] = {}
    for name, rule in known.items():
        checks = [kind.by_id[name] for kind in EVERY_KIND if name in kind.by_id]
        sources = [inspect.getsource(each.run) for each in checks]
        named = re.findall(r"Severity\.([A-Z]+)", "".join(sources))
        found[name] = tuple(dict.fromkeys([rule.severity.value, *map(str.lower, named)]))
    return found


def _loaded(command: Command) -> Any:
    try:
        return load(command)
    except Exception as error:
        raise GenerateError(
            f"the command {command.words!r} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


def _entry(command: Command, values: dict[tuple[str, str], Value]) -> Entry:
    function = _loaded(command)
    found = build(command.words.split())
    for word in command.words.split():
        found = found.commands[word]
    paragraphs = [" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n")]
    if not paragraphs[-1].startswith("Example: pumpctl "):
        raise GenerateError(f"{command.place}: the docstring does not end in Example: pumpctl …")
    example = paragraphs.pop().removeprefix("Example: ")
    if not paragraphs:
        raise GenerateError(f"{command.place}: the docstring does not say what it does")
    options, arguments = [], []
    for parameter in found.params:
        if parameter.param_type_name == "option":
            options.append(_option(command, parameter, values))
        else:
            arguments.append(_argument(command, parameter, values))
    return Entry(
        command.words,
        command.section,
        command.help,
        tuple(paragraphs),
        example,
        _effect(command, paragraphs, function),
        tuple(options),
        tuple(arguments),
    )


def _option(command: Command, found: Any, values: dict[tuple[str, str], Value]) -> Option:
    names = (*found.opts, *found.secondary_opts)
    value = _value(command, found, names, values)
    default = found.default if isinstance(found.default, (str, int)) else ""
    if found.is_flag and not found.secondary_opts:
        default = ""
    elif found.is_flag:
        default = found.opts[0] if found.default else found.secondary_opts[0]
    return Option(
        names,
        value,
        "" if found.is_flag else _metavar(found, value),
        _help(command, found),
        default=str(default),
        repeatable=bool(found.multiple),
        required=bool(found.required),
    )


def _argument(command: Command, found: Any, values: dict[tuple[str, str], Value]) -> Argument:
    value = _value(command, found, (found.name,), values)
    metavar = (found.metavar or found.name.upper()).strip("[]")
    return Argument(metavar, value, _help(command, found), bool(found.required))


def _value(
    command: Command, found: Any, names: tuple[str, ...], values: dict[tuple[str, str], Value]
) -> Value:
    for name in names:
        if (known := values.pop((command.words, name), None)) is not None:
            return known
    if getattr(found, "is_flag", False):
        return Value("flag")
    if "|" in (found.metavar or ""):
        return Value("words", tuple(found.metavar.split("|")))
    return Value("file" if found.type.name == "path" else "text")


def _metavar(found: Any, value: Value) -> str:
    if found.metavar:
        return str(found.metavar)
    if value.what == "words" and len(value.words) <= 4:
        return "|".join(value.words)
    if value.what in ("file", "dir"):
        return value.what.upper()
    return "N" if found.type.name.startswith("int") else str(found.opts[-1]).strip("-").upper()


def _help(command: Command, found: Any) -> str:
    if not found.help:
        raise GenerateError(f"{command.place}: {found.name} has no help")
    return str(found.help)


def _global(option: GlobalOption, values: dict[tuple[str, str], Value]) -> Option:
    by_metavar: dict[str, What] = {"": "flag", "FILE": "file", "DIR": "dir"}
    plain = Value(by_metavar.get(option.value, "text"))
    value = values.pop(("", option.name), plain)
    return Option((option.name,), value, option.value, option.help, variable=option.variable)


_SPEAKS_OF_CHANGE = re.compile(
    r"\bchang(e|es|ed)\b|\bno real pump\b|\bvoided\b|\bstages\b|\bon the pump now\b",
    re.IGNORECASE,
)


_BUILT_IN = {
    "emulator new": "Nothing on any that is there: it makes a built-in pump, at minimum rate.",
    "emulator serve": "Nothing by itself: it puts built-in pumps on a line.",
    "emulator advance": "Built-in pumps only: it delivers through the time that passes for it.",
    "emulator inspect": "Nothing: a built-in pump is only looked at.",
    "emulator fault": "Built-in pumps only: what it delivers, or what it has stored, may go wrong.",
    "emulator press": "Built-in pumps only: it takes a pairing for a minute, or, with "
    "`--patient-dose`, gives the patient's dose where its program permits one.",
    "emulator play": "Nothing on any that is there: the story is played on a new built-in pump.",
    "emulator list": "Nothing: built-in pumps are only listed.",
    "emulator remove": "Built-in pumps only: it is deleted, with all that it holds.",
}
"""What those that act on built-in pumps change there; no implanted pump can be reached."""


def _effect(command: Command, paragraphs: list[str], function: Any) -> str:
    """What it changes on the pump: the sentences of the docstring that say so."""
    if command.words in _BUILT_IN:
        return _BUILT_IN[command.words]
    if command.words.startswith("emulator "):
        raise GenerateError(f"tools/model.py does not say what {command.words} changes on a pump")
    sentences = [each for part in paragraphs for each in re.split(r"(?<=[.!?]) +(?=[A-Z`])", part)]
    told = [sentence for sentence in sentences if _SPEAKS_OF_CHANGE.search(sentence)]
    if _never_asks_a_pump(function) and not any("real pump" in each for each in told):
        return "Nothing: no pump is asked."
    if not told:
        raise GenerateError(f"{command.place}: the docstring does not say what changes on the pump")
    if told == ["It changes nothing on the pump."]:
        return "Nothing."
    return " ".join(told)


def _never_asks_a_pump(function: Any) -> bool:
    """Does it say `context.without_pump()` whatever its options are? Behind an `if` does not do."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return any(ast.unparse(each) == "context.without_pump()" for each in getattr(tree, "body", ()))


def _check_example(model: Model, entry: Entry) -> None:
    """An example that could not be typed is worse than none."""
    known = {name: option for option in _every(model, entry) for name in option.names}
    typed = iter(shlex.split(entry.example)[1:])
    words = []
    for word in typed:
        if word == ">":  # the shell's business
            break
        name = word.partition("=")[0]
        if not word.startswith("-"):
            words.append(word)
        elif name not in known:
            raise GenerateError(f"the example of {entry.words} uses {name}, which it has not")
        elif known[name].metavar and "=" not in word:
            next(typed)
    if words[: len(entry.words.split())] != entry.words.split():
        raise GenerateError(f"the example of {entry.words} shows another command")
    given = len(words) - len(entry.words.split())
    needed = sum(argument.required for argument in entry.arguments)
    if not needed <= given <= len(entry.arguments):
        raise GenerateError(f"the example of {entry.words} has {given} arguments")


def _every(model: Model, entry: Entry) -> Iterator[Option]:
    yield from model.globals
    yield from entry.options
    yield HELP
