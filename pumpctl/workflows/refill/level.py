"""What should be inside a reservoir, and what a pump had counted at an injection.

From the pump's log, with this station's own record of the fill where it has one. The
count of the pump's pulses decides; a clock only says between which of them to look.
What it means is `therapy/residual` and `therapy/refill`.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

from pumpctl.errors import Corrupt, InputRefused, PumpRefused
from pumpctl.named import NamedTuple
from pumpctl.pump.entries import log_entry
from pumpctl.quantities import Volume
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.practice import ESTIMATE
from pumpctl.therapy.residual import REFILLED, Fill, Level, last_fill, residual
from pumpctl.wire.fields import WireError
from pumpctl.workflows.course.pump_log import NotKnown
from pumpctl.workflows.refill.once import Recorded, applied, refills, unmeasured
from pumpctl.workflows.road.scene import Scene

_MOST_CHANGES = 500
"""So many state versions are gone back, looking for the last refill."""
_FIRST = 32
"""Entries read at the beginning of a log: the first hour is among them."""
_BESIDE = 4
"""The fill is logged with its activation, among so many entries."""


class Counted(NamedTuple):
    """The pump's pulses at an instant that has passed."""

    pulses: int
    off: Volume
    """By at most so much pumped volume it may be wrong."""


def level_of(scene: Scene) -> Level:
    """What should be inside now: the pump's estimate beside its pulses since the last fill."""
    state = scene.state
    pulse = Fraction(scene.visit.pump.identity.pulse.quanta)
    fill = _last_fill(scene, pulse)
    if fill is not None and fill.pulses > state.pulses:  # the count fell: its memory was lost
        fill = None
    return Level(state.reservoir, state.pulses, pulse, fill)


def _last_fill(scene: Scene, pulse: Fraction) -> Fill | None:
    own = applied(scene.journal, scene.state.serial)
    passed_over = unmeasured(scene.journal, scene.state.serial)
    own = tuple(each for each in own if each.operation not in passed_over)
    try:
        entry = _refilled(scene, passed_over)
    except NotKnown:
        return _as_recorded(scene, own)
    known = {each.operation for each in own}
    with suppress(NotKnown):  # what was before it cannot be told: it counts
        while entry is not None and str(entry.operation) not in known:
            passed_over |= {str(entry.operation)}
            before = _refilled(scene, passed_over)
            if not _sets_nothing(entry, before, pulse):
                break
            entry = before  # another station's, which was given up before the drain
    if entry is None:
        return _as_made(scene, pulse)
    fill = last_fill([entry])
    for each in own:  # our record says at which pulse the injection was
        if fill is not None and each.operation == str(entry.operation):
            return fill._replace(pulses=int(each.measured["since"]))
    return fill


def _sets_nothing(entry: LogEntry, before: LogEntry | None, pulse: Fraction) -> bool:
    """Whether a fill is what the one before it had left, so that nothing was measured."""
    fill = last_fill([entry])
    older = None if before is None else last_fill([before])
    if fill is None or older is None:
        return False
    left = residual(older, fill.pulses, pulse).expected
    return abs(fill.volume.quanta - left.quanta) <= ESTIMATE.value.quanta


def _refilled(scene: Scene, passed_over: frozenset[str]) -> LogEntry | None:
    """The log's entry of the last fill that was measured; None where the whole log holds none."""
    version, log = int(scene.state.state_version), scene.log
    for _ in range(_MOST_CHANGES):
        entry = log.maker(version)
        if entry is None:
            return None
        if entry.get("operation_kind") == "REFILL" and str(entry.operation) not in passed_over:
            beside: LogEntry | None = entry
            for _ in range(_BESIDE):
                beside = None if beside is None else log.after(beside)
                if beside is not None and beside.kind == REFILLED:
                    return beside
            raise NotKnown("the pump's log does not say how much was filled in")
        version -= 1
    raise NotKnown("the last refill is too many changes ago")


def filled_elsewhere(scene: Scene) -> Moment | None:
    """When the last refill in the pump's log was recorded, where our journal knows none such."""
    try:
        entry = _refilled(scene, frozenset())
    except NotKnown:
        return None
    own = {each.operation for each in refills(scene.journal, scene.state.serial)}
    return None if entry is None or str(entry.operation) in own else entry.time


def _as_recorded(scene: Scene, own: tuple[Recorded, ...]) -> Fill | None:
    """Our own record of the fill that the pump names, where its log does not reach back."""
    filled_at = scene.state.filled_at
    for each in reversed(own):
        if filled_at is not None and each.measured["filled_at_utc_ms"] == filled_at.utc_ms:
            volume = Volume.parse(each.measured["volume"])
            return Fill(volume, filled_at, int(each.measured["since"]))
    return None


def _as_made(scene: Scene, pulse: Fraction) -> Fill | None:
    """The fill of before the log began: the first volume that it tells, and what was pumped."""
    state = scene.state
    try:
        batch = scene.visit.pump.log(state.log_first, _FIRST)
        entries = [log_entry(raw) for raw in batch.entries]
    except (PumpRefused, Corrupt, WireError):
        return None
    if not entries or state.filled_at is None:
        return None
    told = next((each for each in entries if isinstance(each.get("reservoir_nl"), int)), None)
    volume, pulses = state.reservoir.quanta, state.pulses
    if told is not None:
        volume, pulses = int(told.get("reservoir_nl") or 0), told.pulses
    if not volume:
        return None
    first = entries[0].pulses
    return Fill(Volume(volume + int((pulses - first) * pulse)), state.filled_at, first)


def counted_at(scene: Scene, at: Moment) -> Counted:
    """The pump's pulses at an instant of the station's clock, from the log's neighbours of it.

    Between two entries the pulses are taken as even, and rounded down. InputRefused for
    an instant that is still to come, or of which the log does not tell.
    """
    state, ago = scene.state, scene.now.utc_ms - at.utc_ms
    if ago < 0:
        raise InputRefused(
            f"an injection at {at} is still to come: it is {scene.now}",
            hint="leave injected.at out for now",
        )
    counter = state.counter_ms - ago
    try:
        entries = scene.log.since(counter)
    except NotKnown as error:
        raise InputRefused(
            f"when {at} was, the pump's log cannot tell: {error}",
            hint="an injection is recorded on the day on which it was made",
        ) from error
    points = [(each.counter_ms, each.pulses) for each in entries]
    points.append((state.counter_ms, state.pulses))
    before = [point for point in points if point[0] <= counter]
    if not before:
        raise InputRefused(f"{at} is before the pump's log begins")
    start, first = before[-1]
    end, last = next((point for point in points if point[0] > counter), before[-1])
    if end == start:
        return Counted(first, Volume(0))
    pulse = scene.visit.pump.identity.pulse
    pulses = first + (last - first) * (counter - start) // (end - start)
    return Counted(pulses, Volume((last - first) * pulse.quanta))
