"""Reading a profile file: the one place that opens one. Loads no pump and no link."""

from __future__ import annotations

import sys
from pathlib import Path

from pumpctl.errors import ProfileSyntax
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.profile import ProfileReading, read_profile_bytes
from pumpctl.therapy.toml_text import MAX_BYTES


def read_profile_path(path: Path, library: Library = DEFAULT) -> ProfileReading:
    """Read a profile and check it against a library; `-` is standard input.

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
    return read_profile_bytes(raw, str(path), library)
