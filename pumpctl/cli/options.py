"""Global options: read from anywhere on the command line, or the environment.

They may stand before or after the command; typer has no such thing, so they
are taken out here before typer sees the rest. One table, from which the help
and the completions are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple


class GlobalOption(NamedTuple):
    """`value` names what follows it, or is empty for a flag; `variable` of the environment."""

    name: str
    value: str
    variable: str
    help: str


GLOBALS = (
    GlobalOption(
        "--port",
        "URL",
        "PUMPCTL_PORT",
        "device path, COM3, socket://HOST:PORT, rfc2217://HOST:PORT or emu://NAME; "
        "of a device or rfc2217 also ?baud=9600",
    ),
    GlobalOption("--pump", "SERIAL", "PUMPCTL_PUMP", "refuse any other pump"),
    GlobalOption("--home", "DIR", "PUMPCTL_HOME", "keys, journal, records, emulators"),
    GlobalOption("--database", "URL", "PUMPCTL_DATABASE", "where records go"),
    GlobalOption("--operator", "NAME", "PUMPCTL_OPERATOR", "who acts, in every record"),
    GlobalOption("--json", "", "", "one JSON document on stdout, on failure too"),
    GlobalOption("--log-level", "LEVEL", "", "debug, info, warning or error, on stderr"),
    GlobalOption("--capture", "FILE", "", "write every byte that passes to FILE"),
    GlobalOption("--version", "", "", "show the version and end"),
)
_BY_NAME = {option.name: option for option in GLOBALS}


class Given(NamedTuple):
    """What was given, by option name without dashes, and what is left for the command."""

    values: dict[str, str]
    rest: list[str]


def split_globals(arguments: Sequence[str], environment: Mapping[str, str]) -> Given:
    """Take the global options out of a command line; what stands behind `--` stays.

    An option given twice is refused, since nobody can know which one was meant.
    """
    values: dict[str, str] = {}
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
            break
        name, mark, attached = argument.partition("=")
        option = _BY_NAME.get(name)
        if option is None:
            rest.append(argument)
            continue
        key = name[2:]
        if key in values:
            raise UsageError(f"{name} is given twice")
        if not option.value:
            if mark:
                raise UsageError(f"{name} takes no value")
            values[key] = "yes"
            continue
        value = attached if mark else next(waiting, None)
        if value is None or value == "" or (not mark and value.startswith("--")):
            raise UsageError(f"{name} needs a value: {option.value}")
        values[key] = value
    for option in GLOBALS:
        if option.variable and environment.get(option.variable):
            values.setdefault(option.name[2:], environment[option.variable])
    return Given(values, rest)
