"""`pair` and `unpair`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import NotConfirmed, UsageError

VARIABLE = "PUMPCTL_PAIRING_SECRET"
ROLES = ("observer", "clinician", "engineer", "admin")


def pair(
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="A file with the implant card's secret.")
    ] = None,
    role: Annotated[
        str,
        typer.Option("--role", metavar="|".join(ROLES), help="Asked for; the pump may grant less."),
    ] = "admin",
) -> Report:
    """Pair this operator of this station with the pump on the port.

    The pump must have been made ready by a local act within the last 60 seconds. The
    secret comes from --secret-file, PUMPCTL_PAIRING_SECRET or the keyboard, never from
    the command line. It changes the pump's keys, not its therapy.

    Example: pumpctl --port ./tty0 pair --secret-file card.txt
    """
    from pumpctl.workflows.people import pairing

    if role not in ROLES:
        raise UsageError(f"--role {role}: one of {', '.join(ROLES)}")
    result = pairing.pair(context.station(), _secret(secret_file), role)
    return Report(
        "pair",
        {"operator": result.operator, "role": result.role, "key": result.key},
        f"Paired with pump {result.serial} as {result.operator}, role {result.role}.",
        pump=(result.serial, result.model),
        warnings=context.warnings(),
    )


def unpair() -> Report:
    """Have the pump on the port forget this operator's key, and forget the pump here.

    It changes the pump's keys, not its therapy.

    Example: pumpctl --port ./tty0 unpair
    """
    from pumpctl.workflows.people import pairing

    result = pairing.unpair(context.station())
    return Report(
        "unpair",
        {"operator": result.operator, "key": result.key},
        f"Pump {result.serial} no longer knows {result.operator} of this station.",
        pump=(result.serial, result.model),
        warnings=context.warnings(),
    )


def _secret(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the secret file {file} cannot be read: {error}", hint="") from error
    from_environment = os.environ.get(VARIABLE)
    if from_environment:
        return from_environment
    if not sys.stdin.isatty():
        raise NotConfirmed(
            "there is no terminal to type the pairing secret on",
            hint=f"--secret-file FILE or {VARIABLE}",
        )
    import getpass

    try:
        return getpass.getpass("Pairing secret from the implant card: ", stream=sys.stderr)
    except EOFError as error:
        raise NotConfirmed("no pairing secret was typed") from error
