"""Files and folders that nobody but their owner may read: made so before anything is in them.

Short hashes of patients' tags can be guessed back from few tags, and logs are a
patient's course (SEC-08). What others write into the file is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """A folder of mode 0700 where there is none, and so each missing one above it.

    Raises OSError where that cannot be.
    """
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def make_private(path: Path) -> None:
    """An empty file of mode 0600 where there is none; one that is there stays as it is.

    Raises OSError where that cannot be.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))


def still_uri(path: Path) -> str | None:
    """How SQLite reads a file that is whole where nothing can be written; None elsewhere.

    As after a fault of the disk. A file in WAL mode it reads there only when told that
    nothing moves; where a log of its own lies beside it, that would leave the log out.
    """
    try:
        beside = path.with_name(f"{path.name}-wal")
        whole = path.is_file() and not os.access(path.parent, os.W_OK)
        if not whole or (beside.exists() and beside.stat().st_size):
            return None
    except OSError:
        return None
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"
