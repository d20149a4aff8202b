"""Room for as many open files as a ward of pumps needs. Knows nothing of what they are."""

from __future__ import annotations

import sys

from pumpctl.errors import PortError

PER_PUMP = 6
"""Lock, state, listener, client, control listener, and one that is turned away."""
SPARE = 64
"""What the process has open besides."""
_WINDOWS_SOCKETS = 512
"""What select() of Windows takes at once, as Python builds it."""


def make_room(pumps: int) -> None:
    """Raise this process's own limit of open files; PortError where the system forbids it."""
    if sys.platform == "win32":
        if 3 * pumps + 1 > _WINDOWS_SOCKETS:  # listener, client, control listener; the stopper
            raise _too_many(pumps, f"sockets; this system watches {_WINDOWS_SOCKETS}")
        return
    import resource

    wanted = PER_PUMP * pumps + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft == endless or soft >= wanted:
        return
    if hard != endless and hard < wanted:
        raise _too_many(pumps, f"{wanted} open files; the limit here is {hard}")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        raise _too_many(pumps, f"{wanted} open files; the limit here is {soft}") from error


def _too_many(pumps: int, why: str) -> PortError:
    return PortError(
        f"{pumps} emulators in one process need {why}",
        hint="serve fewer of them, or raise the limit (ulimit -n)",
    )
