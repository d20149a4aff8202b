"""Which process holds a port: by a note of ours, or by what the system shows of open files.

Nothing here opens a device or takes a lock. What cannot be seen is not told.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pumpctl.named import NamedTuple

_PROC = Path("/proc")


class Holder(NamedTuple):
    """A process that lives."""

    pid: int
    program: str
    """Empty where the system does not say."""

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.program}, process {self.pid}" if self.program else f"process {self.pid}"


def this_process() -> dict[str, Any]:
    """What a note says of this process."""
    return {"pid": os.getpid(), "began": _began(os.getpid())}


def who_is(known: object) -> Holder | None:
    """The process of a note, if it still lives: a killed one leaves its note behind."""
    if not isinstance(known, dict):
        return None
    pid, began = known.get("pid"), known.get("began")
    if type(pid) is not int or pid <= 0 or not _lives(pid) or _began(pid) != began:
        return None
    return Holder(pid, _program(pid))


def programs_with(devices: Collection[str]) -> dict[str, Holder]:
    """Which other process has which of these devices open; by /proc, where there is one.

    Of other people's processes the system tells nothing: who is not here may be there
    all the same.
    """
    wanted, found = set(devices), dict[str, Holder]()
    if not wanted or not sys.platform.startswith("linux"):
        return found
    for process in _PROC.glob("[0-9]*"):
        pid = int(process.name)
        if pid == os.getpid():
            continue
        try:
            for opened in (process / "fd").iterdir():
                target = str(opened.readlink())
                if target in wanted:
                    found.setdefault(target, Holder(pid, _program(pid)))
        except OSError:  # not ours to look at, or gone by now
            continue
    return found


def _lives(pid: int) -> bool:
    if sys.platform == "win32":  # a signal 0 is Ctrl-C there
        return _lives_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _lives_on_windows(pid: int) -> bool:
    import ctypes

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]  # only there
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE


def _began(pid: int) -> str:
    """When it began, in the system's own count: a number that is used again is another process.

    Empty where the system does not say.
    """
    try:
        told = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = told.rpartition(")")[2].split()  # the program's name may hold anything
    return fields[19] if len(fields) > 19 else ""  # starttime, field 22 of proc(5)


def _program(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""
