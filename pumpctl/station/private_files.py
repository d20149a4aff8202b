"""Files that nobody but their owner may read: made so before anything is written to them.

Short hashes of patients' tags can be guessed back from few tags, and logs are a
patient's course (SEC-08). What others write into the file is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_private(path: Path) -> None:
    """An empty file of mode 0600 where there is none; one that is there stays as it is.

    Raises OSError where that cannot be.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
