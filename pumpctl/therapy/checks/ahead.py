"""Does what was given already, and what is to come, overfill a window together? (LIM-05)

The schedule by itself is held against the windows in `sliding`. Here the course
until now stands in front of it: a bolus of a while ago or one that runs, the
last hours of another program. Told only of windows that the change makes worse,
so that nothing is refused for what was given before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.quantities import Duration, Mass, round_up
from pumpctl.therapy.checks.bands import exceeds, sources_of
from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Sourced, window_text
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Delivery
from pumpctl.therapy.windows import Over, windows_worse

_SHIPPED = DEFAULT.listed[0].windows
_FOUND = (
    "No patient: formal analysis of a published requirements set found that a rule which only "
    "looks back lets a bolus pass after a start, and a later window exceeds the limit (Vašíček "
    "2024)."
)


def _worst(case: PumpCase, length: Duration, limit: Sourced[Mass]) -> Over | None:
    """The fullest window that the change overfills; None where the schedule alone does it."""
    if case.past is None or case.past.given is None:
        return None
    left = None if case.pump.delivery is Delivery.STOPPED else case.pump.program
    now, pair = case.pump.clock.label_ms, (length, limit.value)
    for over in windows_worse(case.past.given, case.program, left, now, [pair]):
        if over.mass > Curve(case.program).peak(length.quanta)[0]:
            return over
    return None


def _seen(over: Over, limit: Sourced[Mass]) -> Seen:
    value = str(Mass(round_up(over.mass)))
    return Seen(
        f"with what was given already {value} in {window_text(over.length)}, above "
        f"{limit.value}: from {Moment(over.start).label()} on by the pump's clock",
        value=value,
        limit=f"{limit.value} in any {window_text(over.length)}",
        path=("program", "mode"),
        source=limit.source,
    )


@pump_check(
    "WINDOW_AHEAD_HARD",
    Severity.HARD,
    source=sources_of(each.hard for each in _SHIPPED),
    why="What was given before the change is still at work: together with the new program some "
    "window holds more than it may, though each of the two is within its limits.",
    incident=_FOUND,
)
def window_ahead_hard(case: PumpCase) -> Iterator[Seen]:
    """No window that holds what was given already is filled above its limit by the change."""
    for window in case.limits.windows:
        over = _worst(case, window.length, window.hard)
        if over is not None:
            yield _seen(over, window.hard)


@pump_check(
    "WINDOW_AHEAD_SOFT",
    Severity.SOFT,
    source=sources_of(each.soft for each in _SHIPPED),
    why="What was given before the change is still at work: together with the new program some "
    "window holds more than there is experience with. Wait, or give the reason.",
    incident=_FOUND,
)
def window_ahead_soft(case: PumpCase) -> Iterator[Seen]:
    """No window that holds what was given already is filled beyond what needs a reason."""
    for length, soft, hard in case.limits.windows:
        over = _worst(case, length, soft) if soft is not None else None
        if soft is not None and over is not None and not exceeds(over.mass, hard):
            yield _seen(over, soft)
