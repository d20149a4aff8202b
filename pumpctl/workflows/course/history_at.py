"""What a pump was giving when its clock showed a time: one place in its history.

The face of the clock is what people remember, and it can have been set: a time that
it showed twice, or never, is refused with the reason and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pumpctl.errors import InputRefused
from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_hash
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.workflows.course.history import History
from pumpctl.workflows.course.in_force import Stretch


class Then(NamedTuple):
    """What was in force at a time."""

    program: Program
    hash: bytes | None
    state: str
    """`running`, `stopped` or `fallback`."""
    begin: Moment | None
    """When that state began, by the pump's clock face; None: earlier than is known."""


def program_at(found: History, at: Moment) -> Then:
    """What was in force when the pump's clock showed this time. InputRefused with the reason."""
    state = found.state
    if at.utc_ms > state.clock.utc_ms:
        raise InputRefused(
            f"{at} is in the future of this pump: its clock shows {state.clock}",
            hint="without --at it shows what is in force now",
        )
    counts = list(_counts(found, at))
    places = {place for count in counts if (place := _place(found.course.stretches, count))}
    then = {_then(found.course.stretches, place) for place in places}
    if len(then) > 1:
        raise InputRefused(
            f"the pump's clock was set back, and showed {at} more than once, "
            "while different programs were in force",
            hint="pumpctl program history shows each with the pump's own counter",
        )
    if not counts and any(_shown_before(found, at)):
        raise InputRefused(
            f"the pump's clock was set forward over {at}: it never showed that time",
            hint="choose a time before or after; pumpctl program history shows both",
        )
    known = next(iter(then), None)
    if known is None:
        why = found.incomplete or "the pump's log begins later"
        raise InputRefused(
            f"{at} is before what is known of this pump: {why}",
            hint="pumpctl program history shows how far back it is known",
        )
    return known


def _counts(found: History, at: Moment) -> Iterator[int]:
    """Each count of the pump's counter at which its clock showed this time, or may have."""
    for face, after in pairwise(found.faces):
        shifts = {face.shift_ms}
        if not after.set_here:  # a clock that was lost meanwhile: nobody knows when
            shifts.add(after.shift_ms)
        yield from (
            count
            for shift in shifts
            if face.counter_ms <= (count := at.utc_ms - shift) < after.counter_ms
        )
    last = found.faces[-1]
    if at.utc_ms == last.counter_ms + last.shift_ms:
        yield last.counter_ms


def _shown_before(found: History, at: Moment) -> Iterator[bool]:
    """Whether the clock showed an earlier time at anything that is known."""
    return (face.counter_ms + face.shift_ms <= at.utc_ms for face in found.faces)


def _place(stretches: tuple[Stretch, ...], count: int) -> int | None:
    """Which stretch this count is in, from 1 on; None: before all that is known."""
    begun = [
        number
        for number, each in enumerate(stretches, 1)
        if each.seen is None or each.seen.counter_ms <= count
    ]
    return begun[-1] if begun else None


def _then(stretches: tuple[Stretch, ...], place: int) -> Then | None:
    """What was in force; of a stop the program that was stopped."""
    here = stretches[place - 1]
    held = next((each for each in reversed(stretches[:place]) if each.program is not None), None)
    if held is None or held.program is None:
        return None
    state = (
        "stopped" if here.program is None else "fallback" if here.by == "fallback" else "running"
    )
    known = not held.assumed and held.by != "fallback"
    return Then(
        held.program,
        program_hash(held.program) if known else None,
        state,
        None if here.began is None else here.began.time,
    )
