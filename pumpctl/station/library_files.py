"""Looking at a library's files and folders, so that what cannot be read is never taken for nothing.

A folder that is not there holds nothing; one that cannot be read is a StoreError,
and so is a file where a folder should be. What lies in them is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path

from pumpctl.errors import StoreError

_HINT = "give this user the right to read it, or choose another home with --home"


def listed(folder: Path) -> tuple[str, ...]:
    """The names in a folder, in order; none where it is not there, StoreError where unreadable."""
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208  (one question, only names)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def is_there(path: Path) -> bool:
    """Whether there is something; StoreError where nobody can tell."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return True


def may_write(folder: Path, file: Path) -> bool:
    """Whether this user may write both: a home may be there for reading only."""
    return os.access(folder, os.W_OK) and os.access(file, os.W_OK)


def read_file(path: Path) -> bytes:
    """A library's file, no more than one can be; StoreError where it cannot be read."""
    from pumpctl.therapy.toml_text import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> StoreError:
    what = getattr(error, "strerror", None) or error
    return StoreError(f"{path} cannot be read: {what}", hint=_HINT)
