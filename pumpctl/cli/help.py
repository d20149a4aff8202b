"""`pumpctl --help`, from the tables of commands and options, without typer.

So the first thing that anybody types is answered at once, and the commands
stand in the groups that a person looks for.
"""

from __future__ import annotations

from pumpctl.cli.commands import COMMANDS
from pumpctl.cli.options import GLOBALS

_WIDTH = 80


_MARK = "Example: "


def pasteable(docstring: str) -> str:
    """A command's docstring with its example in lines that a shell takes as they stand."""
    from inspect import cleandoc

    *paragraphs, last = cleandoc(docstring).split("\n\n")
    if not last.startswith(_MARK):
        return "\n\n".join([*paragraphs, last])
    import re

    from pumpctl.cli.folding import wrap

    example = " ".join(last.split())
    whole = re.sub(r'"[^"]*"', lambda found: found[0].replace(" ", "\u00a0"), example)
    lines = wrap(whole, _WIDTH - 4, subsequent_indent="  ")
    text = " \\\n".join(lines).replace("\u00a0", " ")
    return "\n\n".join([*paragraphs, f"\b\n{text}"])


def help_text() -> str:
    """The help of the program itself."""
    sections: dict[str, list[str]] = {}
    for command in COMMANDS:
        line = f"  {command.words:18} {command.help}"
        sections.setdefault(command.section, []).append(line)
    lines = [
        "Usage: pumpctl [GLOBAL OPTIONS] COMMAND ...",
        "",
        "Program an implanted intrathecal baclofen pump and read its telemetry.",
    ]
    for title, entries in sections.items():
        lines += ["", f"{title}:", *entries]
    lines += ["", "Global options, before or after the command:"]
    for option in GLOBALS:
        variable = f" ({option.variable})" if option.variable else ""
        lines.append(f"  {f'{option.name} {option.value}':18} {option.help}{variable}")
    lines += ["", "pumpctl COMMAND --help says what a command changes, with an example."]
    return "\n".join(lines)
