"""What goes into the log that `--log-level` asks for. Never what is in a message.

Without that option nobody has loaded `logging`, and there is nothing to say: to load it
took a twentieth of a `status`.
"""

from __future__ import annotations

import sys

DEBUG, INFO, WARNING = 10, 20, 30


def told(level: int, text: str, *values: object, trace: bool = False) -> None:
    """Write a line, if anybody listens; `trace` adds the exception that is being handled."""
    logging = sys.modules.get("logging")
    if logging is None:
        return
    log = logging.getLogger("pumpctl")
    if log.hasHandlers():
        log.log(level, text, *values, exc_info=trace)
