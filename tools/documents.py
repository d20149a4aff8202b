"""docs/commands.md, docs/exit-codes.md and docs/checks.md, from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from inspect import getdoc
from pathlib import Path

import pumpctl
from pumpctl.errors import PumpctlError
from tools.model import Argument, Entry, GenerateError, Model, Option, severities

_NOTE = """\
*Generated from {source} by `python3 dev.py generate`: change it there, not here.*
"""


def commands(model: Model) -> str:
    """Every command: what it does, what it changes on the pump, its options, an example."""
    lines = [
        "# Commands",
        "",
        _NOTE.format(source="the commands in `pumpctl/cli/`"),
        "`pumpctl COMMAND --help` says the same in a terminal. What the exit codes mean is in",
        "[exit-codes.md](exit-codes.md), what the checks look for in [checks.md](checks.md).",
        "",
        "## At a glance",
        "",
        *_table(
            ("", "command", "what it does", "what it changes on the pump"),
            (
                (section, f"[`{entry.words}`](#{_anchor(entry)})", entry.short, entry.effect)
                for section, entry in _by_section(model.entries)
            ),
        ),
        "",
        "## Global options",
        "",
        "They may stand before or after the command. An option on the command line wins over",
        "the variable of the environment.",
        "",
        *_table(
            ("option", "variable", "meaning"),
            (
                (f"`{_spelled(option)}`", _code(option.variable) or "–", _sentence(option.help))
                for option in model.globals
            ),
        ),
    ]
    for entry in model.entries:
        lines += ["", *_section(entry)]
    return "\n".join(lines) + "\n"


def _by_section(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    """Each command, with its section's name where that begins."""
    last = ""
    for entry in entries:
        yield "" if entry.section == last else f"**{entry.section}**", entry
        last = entry.section


def _section(entry: Entry) -> Iterator[str]:
    yield f"## `pumpctl {entry.words}`"
    for paragraph in entry.paragraphs:
        yield from ("", paragraph)
    yield from ("", f"**What it changes on the pump:** {entry.effect}")
    yield from ("", "```", f"pumpctl {_usage(entry)}", "```")
    rows = [_argument_row(argument) for argument in entry.arguments]
    rows += [_option_row(option) for option in entry.options]
    if rows:
        yield from ("", *_table(("argument or option", "meaning", "if left out"), rows))
    yield from ("", "Example:", "", "```", entry.example, "```")


def _usage(entry: Entry) -> str:
    parts = [entry.words, *(_spelled(option) for option in entry.options if option.required)]
    if any(not option.required for option in entry.options):
        parts.append("[OPTIONS]")
    parts += [each.metavar if each.required else f"[{each.metavar}]" for each in entry.arguments]
    return " ".join(parts)


def _argument_row(argument: Argument) -> tuple[str, str, str]:
    return (
        f"`{argument.metavar}`",
        argument.help,
        "*it is needed*" if argument.required else "–",
    )


def _option_row(option: Option) -> tuple[str, str, str]:
    meaning = option.help + (" May be given several times." if option.repeatable else "")
    if option.required:
        return f"`{_spelled(option)}`", meaning, "*it is needed*"
    return f"`{_spelled(option)}`", meaning, _code(option.default) or "–"


def _spelled(option: Option) -> str:
    short = [name for name in option.names if not name.startswith("--")]
    long = [name for name in option.names if name.startswith("--")]
    return ", ".join([*short, *long]) + (f" {option.metavar}" if option.metavar else "")


def exit_codes(model: Model) -> str:
    """The errors' tree as a table, by exit code."""
    _load_errors()
    rows = [
        (
            str(error.exit_code),
            f"`{error.code}`",
            error.changed,
            _meaning(error),
            _sentence(error.default_hint) or "–",
        )
        for error in sorted(_tree(PumpctlError), key=lambda error: error.exit_code)
    ]
    lines = [
        "# Exit codes and errors",
        "",
        _NOTE.format(source="the errors' classes"),
        "Exit code 0 means done, and verified where something was written. Every other exit",
        "code comes from one of the errors below. With `--json` the document on stdout holds",
        "the same: `error.exit`, `error.code`, `error.changed` (`yes`, `no` or `unknown`: what",
        "became of the pump), `error.message` and `error.hint`. Scripts may rely on exit codes,",
        "codes and `changed`; messages and hints may be worded anew.",
        "",
        *_table(("exit", "code", "pump changed", "meaning", "hint"), rows),
        "",
        "A single error may know better than this table whether the pump was changed, and may",
        "give a better hint; what it says counts.",
    ]
    told = [
        f"- `pumpctl {entry.words} {_spelled(option)}`: {_sentence(option.help)}"
        for entry in model.entries
        for option in entry.options
        if re.match(r"Exit \d", option.help)
    ]
    if told:
        lines += ["", "An exit code that is an answer and no error:", "", *told]
    return "\n".join(lines) + "\n"


def _load_errors() -> None:
    """Import every module that declares an error of its own: most are in `pumpctl/errors.py`."""
    package = Path(pumpctl.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if re.search(r'^    code = "[A-Z_]+"$', path.read_text(encoding="utf-8"), re.MULTILINE):
            import_module(".".join(path.relative_to(package.parent).with_suffix("").parts))


def _tree(base: type[PumpctlError]) -> Iterator[type[PumpctlError]]:
    """Every error of this package below, in the order of declaration."""
    for error in base.__subclasses__():
        if error.__module__.startswith("pumpctl."):
            yield error
            yield from _tree(error)


def _meaning(error: type[PumpctlError]) -> str:
    text = (getdoc(error) or "").split("\n\n")[0]
    if not error.__doc__:
        raise GenerateError(f"pumpctl/errors.py: {error.__name__} does not say what it means")
    return re.sub(r" \(exit \d+\)", "", " ".join(text.split()))


def checks() -> str:
    """Every check of doses and pumps: id, severity, source, why."""
    from pumpctl.therapy.checks import rules

    possible = severities()
    rows = [
        (
            f"`{rule.id}`",
            " or ".join(possible[rule.id]),
            rule.source,
            _sentence(rule.why),
            rule.incident or "–",
        )
        for rule in rules().values()
    ]
    lines = [
        "# Checks",
        "",
        _NOTE.format(source="the checks in `pumpctl/therapy/`"),
        f"The {len(rows)} findings that a profile, a program or a change can meet.",
        "`pumpctl explain ID` shows one of them, `pumpctl explain --list` all.",
        "",
        "- **hard**: refused; there is no override.",
        "- **soft**: refused until it is overridden by name and with a reason,",
        "  `--override ID=REASON`; the reason is recorded.",
        "- **note**: shown, and nothing more.",
        "",
        "Where two severities stand, the first is the usual one; the other holds in some cases,",
        "most of all where a pump is there.",
        "",
        *_table(("id", "severity", "source", "why", "what happened without it"), rows),
    ]
    return "\n".join(lines) + "\n"


# --- words for Markdown ------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _sentence(text: str) -> str:
    first = text[:1] if text.startswith("pumpctl ") else text[:1].upper()
    return first + text[1:] + ("" if not text or text[-1] in ".!?" else ".")


def _anchor(entry: Entry) -> str:
    """As GitHub and most renderers make it from the heading."""
    return f"pumpctl-{entry.words.replace(' ', '-')}"
