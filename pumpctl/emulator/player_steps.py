"""A patient story as values: what is done to a pump, when, and what is expected of it.

Whoever writes stories makes these of messages of the wire and quanta; `player`
plays them. Nothing here is done.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pumpctl.emulator.edge.faulting import Asked
from pumpctl.emulator.memory.flash import PowerCut
from pumpctl.named import NamedTuple
from pumpctl.wire.messages_acts import StageRefill


class Look(NamedTuple):
    """Nothing is done."""


class Break(NamedTuple):
    """A fault begins, or happens."""

    fault: Asked


class Mend(NamedTuple):
    """Faults end."""

    kind: str
    """Empty for all."""


class Change(NamedTuple):
    """A change of therapy by the whole road: stage, read back, activate.

    What a station asks the pump for is filled in when it is played: the patient's
    tag, and of a resume the program.
    """

    message: Any


class Refill(NamedTuple):
    """Needle, syringe, and the record of what came and went."""

    message: StageRefill
    """Its `drained`, `filled_at`, `since` and `bridge` are filled in."""
    drained: int | None
    """nL that the needle draws; None: all that comes."""
    bridge: bool
    """With a bridge of the recorded line's volume."""


class LateBridge(NamedTuple):
    """The repair of a bridge that the last refill was played without."""


class Stop(NamedTuple):
    """The one message."""


class CancelBolus(NamedTuple):
    """The other one."""


class PatientDose(NamedTuple):
    """The patient presses."""


Act: TypeAlias = (
    Look | Break | Mend | Change | Refill | LateBridge | Stop | CancelBolus | PatientDose
)


class LinkLost(NamedTuple):
    """The line goes away after the answer to this message of the road."""

    after: str
    """`staged`, `read-back`, or `activated`, whose answer nobody hears."""


FACTORY_PROGRAM = b""
"""Stands for the hash of the program that a new pump runs."""
LINK_LOST_AFTER = ("staged", "read-back", "activated")


class Expect(NamedTuple):
    """What must be so right after the step; None: not looked at. Volumes nL, masses ng."""

    delivery: str | None = None
    alarms: frozenset[str] | None = None
    """All that are raised."""
    refused: str | None = None
    """The code; without one, nothing may be refused."""
    reservoir: int | None = None
    """As the pump reckons."""
    true_reservoir: int | None = None
    past_tip: int | None = None
    """Really, since the step before."""
    believed_past_tip: int | None = None
    """As the pump reckons, since the step before."""
    at_tip: int | None = None
    """pg/nL, really."""
    drained: int | None = None
    """What came by needle in this step."""
    running: bytes | None = None
    """The program's hash, or FACTORY_PROGRAM."""
    boluses: int | None = None
    """Scheduled ones begun since the step before."""
    missed: int | None = None
    """Scheduled ones that the log names as missed since."""


class Step(NamedTuple):
    """One thing that happens."""

    at: int
    """ms since the beginning."""
    note: str
    act: Act
    what: str
    """The act in a few words, for people."""
    cut: PowerCut | LinkLost | None
    """A power cut at the operation of the flash with this number, counted in the step."""
    expect: Expect


class Seen(NamedTuple):
    """The pump and the truth, right after a step. Volumes nL, masses ng, rates ng/day."""

    delivery: str
    rate: int | None
    """The basal rate; None while the motor gives nothing."""
    alarms: tuple[str, ...]
    reservoir: int
    running: bytes
    believed_past_tip: int | None
    """None where the memory that counts was lost in this step, and some of the count with it."""
    true_reservoir: int
    past_tip: int
    at_tip: int
    drained: int | None
    boluses: int
    missed: int


class Told(NamedTuple):
    """One line of the timeline."""

    step: Step
    time: int
    """The pump's label, UTC ms."""
    offset_min: int
    refused: str | None
    detail: str
    """What the pump says of a refusal, or what became of a cut or a fault."""
    seen: Seen
    wrong: tuple[str, ...]
    """Expectations that do not hold."""
