"""`pumpctl --help`, from the tables of commands and options, without typer.

So the first thing that anybody types is answered at once, and the commands
stand in the groups that a person looks for.
"""

from __future__ import annotations

from pumpctl.cli.commands import COMMANDS
from pumpctl.cli.options import GLOBALS


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
