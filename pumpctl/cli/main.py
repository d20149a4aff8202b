"""From a command line to an exit code: options out, one command in, errors told.

Only the module of the command that was asked for is imported, and typer only
when there is a command or a help to show.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from pumpctl.cli import context
from pumpctl.cli.commands import COMMANDS, GROUPS, Command
from pumpctl.cli.options import split_globals
from pumpctl.cli.report import Report, emit, emit_error, therapy_was_sent
from pumpctl.errors import InternalError, Interrupted, OutcomeUnknown, PumpctlError, UsageError

_LINK = "pumpctl.link.session"
EPILOG = "Global options may stand before or after the command: pumpctl --help shows them."


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    as_json = "--json" in arguments
    if _LINK in sys.modules:  # a second run in one process
        sys.modules[_LINK].Link.ever_sent = False
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a screen of few letters is no failure
    try:
        given = split_globals(arguments, os.environ)
        if "version" in given.values:
            from pumpctl import __version__

            told = Report("version", {"version": __version__}, f"pumpctl {__version__}")
            return emit(told, as_json=as_json)
        context.begin(given.values)
        return _dispatch(given.rest, as_json)
    except PumpctlError as error:
        return emit_error(error, as_json=as_json)
    except KeyboardInterrupt:
        return emit_error(_interrupted(), as_json=as_json)
    except Exception as error:
        return emit_error(_bug(error), as_json=as_json)


def _dispatch(rest: list[str], as_json: bool) -> int:
    if not rest or rest[0] in ("--help", "-h"):
        from pumpctl.cli.help import help_text

        if rest:
            return emit(Report("help", {"help": help_text()}, help_text()), as_json=as_json)
        raise UsageError("no command was given", hint="pumpctl --help shows them all")
    _end_in_order()
    command = _all_words(rest)
    result = _called(command) if command is not None else _parsed(rest)
    if isinstance(result, Report):
        return emit(result, as_json=as_json)
    return result if isinstance(result, int) else 0


def _all_words(rest: Sequence[str]) -> Callable[[], Any] | None:
    """The call of a command line that is nothing but a command's words and its operands.

    There is no option in it, so typer need not be loaded: half of the time of a `status`, a
    third of a `profile check`. None where there is more to it, or too little; typer says what.
    """
    if any(not word or word.startswith("-") for word in rest):
        return None
    for many in (2, 1):
        words = " ".join(rest[:many])
        for command in COMMANDS:
            if command.words == words:
                return _with(load(command), rest[many:])
    return None


def _with(function: Callable[..., Any], operands: Sequence[str]) -> Callable[[], Any] | None:
    """The function called with these, where they are all that it needs and plainly declared."""
    required = function.__code__.co_argcount - len(function.__defaults__ or ())
    if len(operands) != required:
        return None
    values: list[Any] = []
    for name, text in zip(function.__code__.co_varnames, operands, strict=False):
        declared = function.__annotations__[name]
        if declared.startswith("Annotated[str, typer.Argument("):
            values.append(text)
        elif declared.startswith("Annotated[Path, typer.Argument("):
            if os.path.exists(text) and not os.access(text, os.R_OK):  # noqa: PTH110
                return None  # typer refuses it before the command looks
            from pathlib import Path

            values.append(Path(text))
        else:
            return None
    return (lambda: function(*values)) if values else function


def _called(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except EOFError as error:  # as typer takes it: nobody answers any more
        raise _interrupted() from error


def _parsed(rest: list[str]) -> Any:
    """What the command gives, its options read by typer."""
    import typer

    command = build(rest)
    try:
        result = command(args=rest, prog_name="pumpctl", standalone_mode=False)
    except typer.TyperException as error:
        raise _usage(error) from error
    except typer.Abort as error:
        raise _interrupted() from error
    except typer.Exit as error:
        return error.exit_code
    if result == Interrupted.exit_code:  # what typer makes of a Ctrl-C
        raise _interrupted()
    return result


def build(rest: Sequence[str]) -> Any:
    """The typer command for this command line: the named one in full, others by name only."""
    import typer

    words = [word for word in rest if not word.startswith("-")]
    root = _app(typer, "Program an intrathecal baclofen pump and read its telemetry.")
    groups: dict[str, Any] = {}
    for command in _meant(words):
        first, _, second = command.words.partition(" ")
        target = root
        if second:
            if first not in groups:
                groups[first] = _app(typer, GROUPS[first])
                root.add_typer(groups[first], name=first, help=GROUPS[first])
            target = groups[first]
        asked = bool(words) and words[0] == first and (not second or words[1:2] == [second])
        function = load(command) if asked else _named(command)
        target.command(second or first, help=_help_of(function) if asked else command.help)(
            function
        )

    root.callback(epilog=EPILOG)(_nothing)
    return typer.main.get_command(root)


def _meant(words: Sequence[str]) -> Sequence[Command]:
    """The command that these words begin with; else those of its group; else all."""
    for many in (2, 1):
        meant = [c for c in COMMANDS if words and c.words.split()[:many] == list(words[:many])]
        if meant:
            return meant
    return COMMANDS


def load(command: Command) -> Callable[..., Any]:
    """Import the function of a command."""
    module, _, function = command.place.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"pumpctl.cli.{module}"), function)
    return found


def _help_of(function: Callable[..., Any]) -> str:
    from pumpctl.cli.help import pasteable

    return pasteable(function.__doc__ or "")


def _app(typer: Any, text: str) -> Any:
    return typer.Typer(
        help=text,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )


def _nothing() -> None:
    """Program an intrathecal baclofen pump and read its telemetry."""


def _named(command: Command) -> Callable[[], None]:
    def stand_in() -> None:
        raise InternalError(f"{command.words} was not loaded")

    return stand_in


def _end_in_order() -> None:
    """A request to end, or a terminal that goes away, is told like a Ctrl-C: never in silence."""
    import signal

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with suppress(ValueError):  # not the main thread: whoever started it has its signals
                signal.signal(number, interrupt)


def _interrupted() -> PumpctlError:
    """130 before the first byte of a therapy message, 7 after it: nobody has said what came."""
    if therapy_was_sent():
        return OutcomeUnknown("interrupted after a change of therapy was sent to the pump")
    return Interrupted("interrupted")


def _usage(error: Any) -> UsageError:
    message = error.format_message() or str(error)
    return UsageError(message[:1].lower() + message[1:].rstrip("."))


def _bug(error: Exception) -> PumpctlError:
    """Keep the traceback in the log, and say where it is.

    After a change of therapy was sent, a bug is above all an outcome that nobody knows.
    """
    import traceback
    from pathlib import Path

    from pumpctl.station.private_files import make_private, make_private_folder

    what = f"a bug in pumpctl: {type(error).__name__}: {error}"
    told: PumpctlError = OutcomeUnknown(what) if therapy_was_sent() else InternalError(what)
    text = "".join(traceback.format_exception(error))
    try:
        log = context.home().log
    except PumpctlError:
        log = Path(os.devnull)
    for path in (log, Path(os.devnull)):
        try:
            make_private_folder(path.parent)
            make_private(path)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
            first = f"{told.hint}; " if therapy_was_sent() else ""
            told.hint = f"{first}the traceback is in {path}; please report it"
            return told
        except OSError:
            continue
    return told
