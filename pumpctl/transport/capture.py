"""A line that writes down every byte that passes.

One JSON object a line: `at` (ms since the first), `way` (`out` or `in`), `hex`.
A capture holds raw, encrypted bytes and nothing that opens them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pumpctl.errors import StoreError
from pumpctl.transport.line import Line


class CaptureLine:
    """Passes everything on, and keeps a copy in a file."""

    def __init__(self, inner: Line, path: Path, monotonic: Callable[[], float]) -> None:
        self._inner = inner
        self._monotonic = monotonic
        self._start = monotonic()
        self.broken: str | None = None
        """Why the capture is not whole. A full disk must never disturb a therapy."""
        try:
            self._file = path.open("a", encoding="ascii")
        except OSError as error:
            raise StoreError(f"the capture {path} cannot be written: {error}") from error

    def write(self, data: bytes) -> None:
        """Write, noting it first: what was about to leave is known even if the line dies."""
        self._note("out", data)
        self._inner.write(data)

    def read(self, seconds: float) -> bytes:
        """Read, and note what came."""
        data = self._inner.read(seconds)
        if data:
            self._note("in", data)
        return data

    def close(self) -> None:
        """Close line and file."""
        self._inner.close()
        try:
            self._file.close()  # tries once more to write what a full disk did not take
        except OSError as error:
            self.broken = self.broken or f"the capture cannot be written: {error}"

    def _note(self, way: str, data: bytes) -> None:
        if self.broken is not None:
            return
        at = round((self._monotonic() - self._start) * 1000)
        try:
            self._file.write(json.dumps({"at": at, "way": way, "hex": data.hex()}) + "\n")
            self._file.flush()
        except OSError as error:
            self.broken = f"the capture cannot be written: {error}"
