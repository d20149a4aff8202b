"""What can be wrong with a capture, and with saying it again. Each knows its exit code."""

from __future__ import annotations

from pumpctl.errors import InputRefused, WrongPump


class CaptureUnreadable(InputRefused):
    """The file is no capture of a line, or none that this program can read."""

    code = "CAPTURE_UNREADABLE"
    default_hint = "captures are written by --capture FILE and by link capture FILE"


class CaptureSealed(InputRefused):
    """The capture holds no keys, so that nobody can say what was said in it."""

    code = "CAPTURE_SEALED"
    default_hint = "only sessions with a pump in bench mode leave their keys: rehearse it on one"


class ReplayDiffers(InputRefused):
    """The capture was said again, and the pump's answers are not those of the capture."""

    code = "REPLAY_DIFFERS"
    default_hint = "`data` names every difference; those of clocks and counters are no fault"


class BenchOnly(WrongPump):
    """The pump does not say inside the session that it is in bench mode."""

    code = "BENCH_ONLY"
    default_hint = "nothing was said again; a replay is for built-in pumps and pumps on a bench"
