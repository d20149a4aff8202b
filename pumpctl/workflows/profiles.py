"""Reading a profile file: the one place that opens one. Loads no pump and no link."""

from __future__ import annotations

import sys
from pathlib import Path

from pumpctl.errors import ProfileSyntax
from pumpctl.therapy.profile import MAX_BYTES, ProfileReading, read_profile_bytes


def read_profile_path(path: Path) -> ProfileReading:
    """Read and check a profile; `-` is standard input.

    Raises ProfileSyntax for what cannot be read as a profile at all. No more than a
    profile's worth is read, whatever the file is.
    """
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ProfileSyntax(f"{path} cannot be read: {what}", hint="is this the right file?") from (
            error
        )
    return read_profile_bytes(raw, str(path))
