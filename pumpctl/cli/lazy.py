"""typer, as the commands name it: loaded when something of it is used, not where it is named.

Only typer reads the annotations of a command, and a command line without options needs no
typer. Knows nothing of commands.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Typer:
    """Stands for typer in the annotations of a command."""

    def __getattr__(self, name: str) -> Any:
        import typer

        return getattr(typer, name)


if TYPE_CHECKING:
    import typer as typer  # noqa: PLC0414 - handed on
else:
    typer = _Typer()
