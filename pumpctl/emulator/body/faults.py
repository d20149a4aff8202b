"""What can go wrong on demand: the kinds, what each means, and which are in force.

One table says it for everybody: commands, scenarios and pages of the docs. A
fault is a value with a beginning and perhaps an end, on the world's counter; what
it does to fluids, motor or line is done where those live.
"""

from enum import Enum, IntEnum
from typing import Annotated

from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Code, SInt
from pumpctl.wire.vocabulary import MaybeMs, Ms

MOST_FAULTS = 16
MILLION = 1_000_000
"""Percentages are held in parts per million."""


class FaultKind(IntEnum):
    """What goes wrong; numbers as far apart as those of the wire."""

    STALL = 0x03A3
    MRI = 0x04E6
    OCCLUSION = 0x0745
    LEAK = 0x09CC
    POCKET = 0x0A6F
    WRONG_FILL = 0x0D2A
    SENSOR = 0x0E89
    CALIBRATION = 0x103B
    CLOCK_DRIFT = 0x1398
    DROP = 0x14DD
    DELAY = 0x177E
    DUPLICATE = 0x19F7
    CORRUPT = 0x1A54
    DISCONNECT = 0x1D11
    DRAIN = 0x1EB2
    FILL = 0x2075
    BATTERY = 0x23D6
    FLASH_BIT = 0x2493
    MEMORY = 0x2730
    REBOOT = 0x29B9
    RETAINED = 0x2A1A


class Takes(Enum):
    """What has to be told beside the kind, and in which quanta its amount is held."""

    PERCENT = "ppm"
    VOLUME = "nL"
    CONCENTRATION = "pg/nL"
    DURATION = "ms"
    COUNT = ""


class Lasts(Enum):
    """How long it is there."""

    TIME = "until it is cleared, or for the time that is told"
    CLEARED = "until it is cleared"
    NEXT_FILL = "until the next fill, which uses it up"
    AT_ONCE = "it happens, and is over"


class Effect(NamedTuple):
    """One row of the table."""

    word: str
    """In commands and scenarios."""
    does: str
    lasts: Lasts
    takes: tuple[Takes, ...] = ()
    """The first is the amount."""
    least: int = 0
    """The amount, in its quanta; 0 to 0 where none is taken."""
    most: int = 0
    zero: bool = False
    """Does an amount of 0 do something?"""


_RESERVOIR = 1_000_000_000
"""nL: no more than a litre of anything is meant by a volume here."""
_STRONGEST = 1_000_000
"""pg/nL: as much as water weighs."""
_SYRINGE = (Takes.VOLUME, Takes.CONCENTRATION)

FAULTS: dict[FaultKind, Effect] = {
    FaultKind.STALL: Effect("stall", "the motor does not turn", Lasts.TIME),
    FaultKind.MRI: Effect(
        "mri",
        "a magnetic field holds the motor; a pump that was in a critical alarm does not resume",
        Lasts.TIME,
    ),
    FaultKind.OCCLUSION: Effect(
        "occlusion", "the motor turns and nothing moves: the catheter is blocked", Lasts.TIME
    ),
    FaultKind.LEAK: Effect(
        "leak",
        "this share of what leaves the pump is lost before the catheter",
        Lasts.TIME,
        (Takes.PERCENT,),
        0,
        MILLION,
    ),
    FaultKind.POCKET: Effect(
        "pocket",
        "so much of the next fill goes beside the reservoir",
        Lasts.NEXT_FILL,
        (Takes.VOLUME,),
        0,
        _RESERVOIR,
    ),
    FaultKind.WRONG_FILL: Effect(
        "wrong-fill",
        "the next fill is really of this concentration",
        Lasts.NEXT_FILL,
        (Takes.CONCENTRATION,),
        0,
        _STRONGEST,
        zero=True,
    ),
    FaultKind.SENSOR: Effect(
        "sensor",
        "the reservoir's sensor reads so much too much, or too little",
        Lasts.TIME,
        (Takes.VOLUME,),
        -_RESERVOIR,
        _RESERVOIR,
    ),
    FaultKind.CALIBRATION: Effect(
        "calibration",
        "a pulse really moves so much more, or less, than its nominal volume",
        Lasts.AT_ONCE,
        (Takes.PERCENT,),
        -MILLION // 2,
        MILLION // 2,
        zero=True,
    ),
    FaultKind.CLOCK_DRIFT: Effect(
        "clock-drift",
        "the pump's counter runs so much faster, or slower, than the host's clock",
        Lasts.CLEARED,
        (Takes.PERCENT,),
        -MILLION // 2,
        MILLION // 2,
    ),
    FaultKind.DROP: Effect(
        "drop", "this share of frames never arrives", Lasts.TIME, (Takes.PERCENT,), 0, MILLION
    ),
    FaultKind.DELAY: Effect(
        "delay",
        "whatever is sent arrives so much later, each way",
        Lasts.TIME,
        (Takes.DURATION,),
        0,
        86_400_000,
    ),
    FaultKind.DUPLICATE: Effect(
        "duplicate", "this share of frames arrives twice", Lasts.TIME, (Takes.PERCENT,), 0, MILLION
    ),
    FaultKind.CORRUPT: Effect(
        "corrupt", "this share of bits arrives flipped", Lasts.TIME, (Takes.PERCENT,), 0, MILLION
    ),
    FaultKind.DISCONNECT: Effect("disconnect", "there is no line", Lasts.TIME),
    FaultKind.DRAIN: Effect(
        "drain",
        "so much is drawn out of the reservoir by needle, and nothing is recorded",
        Lasts.AT_ONCE,
        (Takes.VOLUME,),
        0,
        _RESERVOIR,
    ),
    FaultKind.FILL: Effect(
        "fill",
        "so much of this concentration is injected by syringe, and nothing is recorded",
        Lasts.AT_ONCE,
        _SYRINGE,
        0,
        _RESERVOIR,
    ),
    FaultKind.BATTERY: Effect(
        "battery",
        "only this share of the battery's charge is left",
        Lasts.AT_ONCE,
        (Takes.PERCENT,),
        0,
        MILLION,
        zero=True,
    ),
    FaultKind.FLASH_BIT: Effect(
        "flash-bit", "so many bits of the flash flip", Lasts.AT_ONCE, (Takes.COUNT,), 1, 1_000
    ),
    FaultKind.MEMORY: Effect(
        "memory",
        "so many of the two stored copies of the running program go bad",
        Lasts.AT_ONCE,
        (Takes.COUNT,),
        1,
        2,
    ),
    FaultKind.REBOOT: Effect("reboot", "the pump's firmware starts anew", Lasts.AT_ONCE),
    FaultKind.RETAINED: Effect(
        "retained", "the always-on memory loses its power, and all that was in it", Lasts.AT_ONCE
    ),
}


class Fault(NamedTuple):
    """One fault, in force from `since` on and before `until` (counter)."""

    kind: Annotated[FaultKind, Code(FaultKind)]
    since: Ms
    until: MaybeMs
    """None: until it is cleared, or used up."""
    amount: Annotated[int, SInt(8)]
    """In the quanta of what the kind takes; 0 where it takes nothing."""

    def in_force(self, counter: int) -> bool:
        """Is it there at this counter?"""
        return self.since <= counter and (self.until is None or counter < self.until)


def check_amount(kind: FaultKind, amount: int) -> None:
    """UsageError where no such fault can be."""
    effect = FAULTS[kind]
    if not effect.least <= amount <= effect.most:
        unit = f" {effect.takes[0].value}".rstrip() if effect.takes else ""
        raise UsageError(
            f"{effect.word} of {amount}{unit}",
            hint=f"from {effect.least} to {effect.most}{unit}",
        )


class Faults:
    """Those that are in force, or will be: the newest last."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = list(faults)

    def all(self) -> tuple[Fault, ...]:
        """Those of the future too."""
        return tuple(self._faults)

    def __bool__(self) -> bool:
        """Is there any? Asked before and after every message; nearly always there is none."""
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """UsageError for one that cannot be, that is over at once, or one too many."""
        effect = FAULTS[fault.kind]
        check_amount(fault.kind, fault.amount)
        if effect.lasts is Lasts.AT_ONCE:
            raise UsageError(f"{effect.word} is done at once, and not kept")
        if fault.until is not None and fault.until <= fault.since:
            raise UsageError(f"a fault ({effect.word}) that ends before it begins")
        if len(self._faults) >= MOST_FAULTS:
            raise UsageError(
                f"there are {MOST_FAULTS} faults already", hint="clear those that are done with"
            )
        self._faults.append(fault)

    def clear(self, kind: FaultKind | None = None) -> int:
        """Without this kind, or without any; how many there were."""
        kept = [each for each in self._faults if kind not in {None, each.kind}]
        gone, self._faults = len(self._faults) - len(kept), kept
        return gone

    def amount(self, kind: FaultKind, counter: int) -> int | None:
        """Of the newest of this kind that is in force; None where none is."""
        for fault in reversed(self._faults):
            if fault.kind is kind and fault.in_force(counter):
                return fault.amount
        return None

    def use_up(self, kind: FaultKind, counter: int) -> int | None:
        """The same of the oldest, which is then gone."""
        for fault in self._faults:
            if fault.kind is kind and fault.in_force(counter):
                self._faults.remove(fault)
                return fault.amount
        return None

    def begun(self, kind: FaultKind, after: int, until: int) -> bool:
        """Has one of this kind begun after the one counter, and by the other?"""
        return any(each.kind is kind and after < each.since <= until for each in self._faults)

    def next_edge(self, counter: int) -> int | None:
        """The next counter at which one begins or ends; None where nothing will."""
        if not self._faults:
            return None
        edges = [edge for each in self._faults for edge in (each.since, each.until)]
        return min((edge for edge in edges if edge is not None and edge > counter), default=None)

    def forget_past(self, counter: int) -> None:
        """Those that are over make room."""
        if self._faults:
            self._faults = [e for e in self._faults if e.until is None or counter < e.until]
