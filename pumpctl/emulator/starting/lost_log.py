"""What the log tells a pump that has lost its other memory.

Values and pure functions over its entries: the label, stops and stalls, boluses
that ran, refills. What is made of them is in `lost_control`, `lost_retained` and
`lost_past`. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pumpctl.emulator.engine.hunger import FED_MS
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind
from pumpctl.wire.logentry import LogEntry, unpack

_VERSION_IN_A = frozenset(
    {
        LogKind.ACTIVATED,
        LogKind.STOPPED,
        LogKind.RESUMED,
        LogKind.VOIDED,
        LogKind.PATIENT_ASSIGNED,
    }
)
_VERSION_IN_B = frozenset(
    {
        LogKind.HOUR,
        LogKind.BOOT,
        LogKind.PAIRED,
        LogKind.UNPAIRED,
        LogKind.GRANTED,
        LogKind.FALLBACK,
    }
)


class Halt(NamedTuple):
    """From this counter on: since when the pump is stopped, and its motor stalled."""

    counter: int
    stopped: int | None
    stalled: int | None

    @property
    def gives(self) -> bool:
        """Neither of the two?"""
        return self.stopped is None and self.stalled is None


class Filled(NamedTuple):
    """A recorded refill."""

    number: int
    """Of its entry."""
    at: int
    """Label of its activation, UTC ms."""
    since: int
    """Pulses at the injection."""
    volume: int
    """nL"""
    concentration: int
    """pg/nL"""


def entries(log: LogRing) -> list[LogEntry]:
    """All that is held and can be read, oldest first."""
    return [unpack(raw) for raw in log.read(log.first, log.next - log.first)]


def version_in_log(told: Iterable[LogEntry]) -> int:
    """The highest state version that the log names."""
    return max((_version_named(entry) for entry in told), default=0)


def _version_named(entry: LogEntry) -> int:
    if entry.kind in _VERSION_IN_A:
        return entry.a
    return entry.b if entry.kind in _VERSION_IN_B else 0


def label(told: Iterable[LogEntry]) -> tuple[int, int] | None:
    """UTC ms when the counter was 0, and the offset in min; None of an empty log.

    What is written at the very instant of a clock set, but CLOCK_SET itself, may still
    carry the old label.
    """
    found = None
    counter = -1
    for entry in told:
        if entry.kind is LogKind.CLOCK_SET or entry.counter != counter:
            found = entry.time - entry.counter, entry.offset_min
            counter = entry.counter
    return found


def rate_of_hour(entry: LogEntry) -> int:
    """Basal rate that an HOUR entry names, ng/day: 0 only of a stopped pump."""
    return int.from_bytes(entry.data[12:20], "big")


def concentration_of_hour(entry: LogEntry) -> int:
    """By what was metered then, pg/nL."""
    return int.from_bytes(entry.data[8:12], "big")


# --- stops and stalls --------------------------------------------------------------------


def halts(told: Iterable[LogEntry]) -> list[Halt]:
    """Each change, oldest first. A second stop of a stopped pump is none.

    Every hour's entry says whether the pump delivers, so that one lost entry does
    not undo a stop.
    """
    found: list[Halt] = []
    stopped: int | None = None
    stalled: int | None = None
    for entry in told:
        before = stopped, stalled
        rests = entry.kind is LogKind.STOPPED or (entry.kind is LogKind.FALLBACK and not entry.a)
        if entry.kind is LogKind.HOUR:
            rests = not rate_of_hour(entry)
            stopped = stopped if rests else None
        if rests and stopped is None:
            stopped = entry.counter
        elif entry.kind is LogKind.RESUMED:
            stopped = None
        elif entry.a == AlarmCode.MOTOR_STALL:
            if entry.kind is LogKind.ALARM_RAISED:
                stalled = entry.counter
            elif entry.kind is LogKind.ALARM_CLEARED:
                stalled = None
        if (stopped, stalled) != before:
            found.append(Halt(entry.counter, stopped, stalled))
    return found


def stood_still(changes: Sequence[Halt], start: int, end: int) -> int:
    """For how many ms from `start` to `end` the motor was known to stand still."""
    total = 0
    ends = [each.counter for each in changes[1:]] + [end]
    for halt, until in zip(changes, ends, strict=False):
        if halt.stalled is not None:
            total += max(0, min(until, end) - max(halt.counter, start))
    return total


def hunger(changes: Iterable[Halt], until: int) -> tuple[int | None, int | None]:
    """Since when nothing was delivered, and since when it is again while that does not count.

    The rule is the engine's (`Delivery.starving_since`); `until` is the counter now.
    """
    since: int | None = None
    fed: int | None = None
    for halt in changes:
        if fed is not None and halt.counter - fed >= FED_MS:
            since = fed = None
        if not halt.gives:
            since, fed = halt.counter if since is None else since, None
        elif since is not None and fed is None:
            fed = halt.counter
    return (None, None) if fed is not None and until - fed >= FED_MS else (since, fed)


# --- boluses --------------------------------------------------------------------------------


def bolus_kind(entry: LogEntry) -> BolusKind:
    """Of a BOLUS_STARTED or BOLUS_ENDED."""
    return BolusKind(int.from_bytes(entry.data[:2], "big"))


def unended(told: Iterable[LogEntry], until: int) -> list[LogEntry]:
    """BOLUS_STARTED of those that ran when the log's last word was written, at this counter.

    One that should have been over by then has ended; that entry of it cannot be read.
    """
    running: dict[bytes, LogEntry] = {}
    for entry in told:
        if entry.kind is LogKind.BOLUS_STARTED:
            running[entry.data] = entry
        elif entry.kind is LogKind.BOLUS_ENDED:
            running.pop(entry.data, None)
    return [each for each in running.values() if until <= each.counter + each.b]


def certain(bolus: LogEntry, until: int, changes: Sequence[Halt]) -> int:
    """What a bolus had certainly given by this counter, ng, rounded down (BOL-03)."""
    end = min(until, bolus.counter + bolus.b)
    elapsed = end - bolus.counter - stood_still(changes, bolus.counter, end)
    return bolus.a * max(0, elapsed) // bolus.b


# --- refills ---------------------------------------------------------------------------------


def fills(told: Iterable[LogEntry], pulse: int) -> list[Filled]:
    """Every refill, oldest first. `pulse` is the nominal volume of one, nL.

    The injection lies before the activation; how far, the next hour's volume says.
    """
    found: list[Filled] = []
    exact = True
    for entry in told:
        if entry.kind is LogKind.REFILLED:
            found.append(Filled(entry.number, entry.time, entry.pulses, entry.a, entry.b))
            exact = False
        elif entry.kind is LogKind.HOUR and not exact and entry.a:
            since = entry.pulses - (found[-1].volume - entry.a) // pulse
            found[-1] = found[-1]._replace(since=min(found[-1].since, max(0, since)))
            exact = True
    return found
