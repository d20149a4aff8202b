"""Passphrases of operators: typed at a terminal and never shown, or read from a file of one's own.

Never an argument and never a variable. Ctrl-C, end of input and hang-up mean no (CNF-05).
"""

from __future__ import annotations

import sys
from pathlib import Path

from pumpctl.cli.therapy.confirming import Typed, hang_up_means_no
from pumpctl.errors import NotConfirmed, UsageError


def ask_hidden(prompt: str) -> str:
    """One line from the terminal, not shown; NotConfirmed for whatever means no."""
    from getpass import getpass

    try:
        with hang_up_means_no():
            return getpass(prompt, stream=sys.stderr)
    except (EOFError, KeyboardInterrupt, OSError) as error:
        raise NotConfirmed("no passphrase was typed") from error


def typed_or_read(name: str, file: Path | None, option: str) -> str:
    """The passphrase of this operator; NotConfirmed where it can be had from neither."""
    if file is not None:
        return _read(file)
    Typed(f"a script gives a file with the passphrase of {name}: {option} FILE").ready()
    return ask_hidden(f"Passphrase of {name}: ")


def new_for(name: str, file: Path | None, option: str) -> str:
    """A new one, typed twice, or from a file."""
    if file is not None:
        return _read(file)
    Typed(f"a script gives a file with a passphrase for {name}: {option} FILE").ready()
    first = ask_hidden(f"A new passphrase, which only {name} knows: ")
    if ask_hidden("The same again: ") != first:
        raise NotConfirmed("the two passphrases differ")
    return first


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"the passphrase file {file} cannot be read: {error}", hint="") from error
