"""This invocation: the global options as values, and the station made of them.

Filled once by `begin` before a command runs; commands ask `station()` when they
need one, so that a check of a profile builds nothing of it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from pumpctl.cli.report import TOLD, Warn
from pumpctl.errors import UsageError

TYPE_CHECKING = False  # what typing would say; importing typing costs a help its time
if TYPE_CHECKING:
    from pumpctl.station.home import Home
    from pumpctl.station.library_store import InForce
    from pumpctl.workflows.surroundings import Station

_LEVELS = ("debug", "info", "warning", "error")
_values: dict[str, str] = {}
_told: list[str] = []
_library: list[InForce] = []


def begin(values: dict[str, str]) -> None:
    """Take the global options of this invocation."""
    _values.clear()
    _values.update(values)
    _told.clear()
    _library.clear()
    level = values.get("log-level")
    if level is not None:
        if level.lower() not in _LEVELS:
            raise UsageError(f"--log-level {level}: one of {', '.join(_LEVELS)}")
        import logging

        logging.basicConfig(
            level=level.upper(),
            stream=sys.stderr,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )


def as_json() -> bool:
    """Was --json given?"""
    return "json" in _values


def port() -> str | None:
    """The port that was given, if any."""
    return _values.get("port")


def given(name: str) -> str | None:
    """A global option by its name without dashes, from the command line or the environment."""
    return _values.get(name)


def home() -> Home:
    """The station's home."""
    from pathlib import Path

    from pumpctl.cli import edge
    from pumpctl.station.home import Home

    given = _values.get("home")
    try:
        return Home(Path(given).expanduser().absolute() if given else edge.default_home())
    except RuntimeError as error:  # ~somebody, who is nobody here
        raise UsageError(f"--home {given}: {error}") from error


def operator() -> str:
    """Who acts."""
    from pumpctl.cli import edge
    from pumpctl.station.home import checked_name

    return checked_name(_values.get("operator") or edge.login_name(), "an operator")


def station() -> Station:
    """The station of this invocation."""
    from pathlib import Path

    from pumpctl.cli import edge
    from pumpctl.workflows.surroundings import Station

    capture = _values.get("capture")
    return Station(
        home=home(),
        operator=operator(),
        wall=edge.wall,
        ticker=edge.ticker,
        entropy=edge.entropy,
        tell=tell,
        port=_values.get("port"),
        only=_values.get("pump"),
        capture=None if capture is None else Path(capture),
        rehearsal=os.environ.get("PUMPCTL_NOW") or None,
        database=_values.get("database"),
    )


def library() -> InForce:
    """The drug library that is in force here, looked at once."""
    from pumpctl.cli import edge
    from pumpctl.workflows.library.libraries import library_in_force

    if not _library:
        _library.append(library_in_force(home(), edge.wall().date))
    return _library[0]


def without_pump() -> None:
    """Said by commands that ask no pump: a rehearsal's clock means nothing to them."""
    if os.environ.get("PUMPCTL_NOW"):
        tell("PUMPCTL_NOW is ignored: this command asks no pump")


def tell(line: str) -> None:
    """A line for the person at the station, on stderr; the same one is told once."""
    if line in _told:
        return
    _told.append(line)
    say(f"pumpctl: {line}")


def warnings() -> tuple[Warn, ...]:
    """What was told so far, for the JSON document, and a library that is not valid (LIM-08)."""
    told = [Warn(TOLD, line) for line in _told]
    with suppress(Exception):  # a stop that was done is not undone by what this has to say
        warning = library().warning
        if warning is not None:
            told.append(Warn(*warning))
    return tuple(told)


def say(text: str) -> None:
    """Something for the person at the terminal, on stderr; not a warning."""
    from pumpctl.cli.folding import folded

    try:
        print(folded(text, sys.stderr), file=sys.stderr, flush=True)
    except OSError:
        return  # nobody can be told; that must never stand in the way of a stop
