"""The edge: the one place that asks the real world for time, randomness and names.

Everything below is handed these, so that a test or a simulated world can hand
in others.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pumpctl.therapy.moment import Moment


def wall() -> Moment:
    """Now, with this computer's present offset from UTC."""
    milliseconds = time.time_ns() // 1_000_000
    offset_s = time.localtime(milliseconds // 1000).tm_gmtoff
    return Moment(milliseconds, offset_s // 60)


def wall_utc_ms() -> int:
    """Now, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def ticker() -> float:
    """Monotonic seconds, for time-outs only."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def entropy(size: int) -> bytes:
    """Random bytes of the operating system, the only source of keys and ids."""
    return os.urandom(size)


def default_home() -> Path:
    """Where a station keeps its things unless told otherwise: as platformdirs says.

    To load it took 3 ms of every command's start, so its answer for a plain Linux
    stands here, and a test holds it against platformdirs.
    """
    if sys.platform == "linux" and not {"XDG_DATA_HOME", "ANDROID_DATA"} & os.environ.keys():
        return Path(os.path.expanduser("~/.local/share/pumpctl"))  # noqa: PTH111 - never fails
    from platformdirs import user_data_path

    return user_data_path("pumpctl", appauthor=False)


_NAMED_IN = ("LOGNAME", "USER", "LNAME", "USERNAME")


def login_name() -> str:
    """Who is logged in, as far as it makes a name for an operator."""
    name = next((told for each in _NAMED_IN if (told := os.environ.get(each))), "")
    if not name:
        import getpass  # which looks into the same variables first, and loads a terminal for it

        try:
            name = getpass.getuser()
        except (OSError, KeyError, ImportError):
            return "operator"
    plain = "".join(character for character in name if character.isascii() and character.isalnum())
    return plain[:40] or "operator"
