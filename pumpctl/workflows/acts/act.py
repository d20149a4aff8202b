"""What the one road needs to know of a change of therapy, whatever its kind.

A new kind is a class that answers this, beside its message pair, and nothing else.
It knows no terminal, and it sends nothing: the road does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from pumpctl.named import NamedTuple
from pumpctl.pump.orders import Order
from pumpctl.pump.readbacks import Readback
from pumpctl.quantities import Mass
from pumpctl.station.plan import Kind
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Delivery, PumpState
from pumpctl.workflows.road.scene import Scene

Pair = tuple[str, object, object]
"""What is compared, what it must be, and what it is."""

DELIVERS = frozenset({Delivery.DELIVERING, Delivery.MINIMUM, Delivery.BOLUS, Delivery.BRIDGE})
"""What a pump may be doing after a change that makes it give drug (PRG-10)."""
NOBODY = bytes(8)
"""The short hash where the pump has no patient."""


class Challenge(NamedTuple):
    """What is typed to confirm (CNF-02): a figure of the read-back, in words and written out."""

    what: str
    wanted: tuple[str, ...]
    """Quantities in the contract's grammar, in order; a time of day as `14:07`."""

    def __str__(self) -> str:
        return " ".join(self.wanted)


class Act(Protocol):
    """One change, as the person or the script asked for it. Frozen."""

    @property
    def kind(self) -> Kind:
        """Its word in plans, gates and journal."""
        ...

    @property
    def wire_kind(self) -> str:
        """What a pump calls it."""
        ...

    @property
    def patient(self) -> str:
        """The clinic's own label of the patient; empty: whoever the pump holds."""
        ...

    @property
    def whom(self) -> Patient | None:
        """For whom the label's rules speak; None where nobody says."""
        ...

    @property
    def program(self) -> Program | None:
        """What runs afterwards; None where it is not known: the fallback goes on."""
        ...

    @property
    def by_hand(self) -> bool:
        """Whether the token comes only from `confirm`: a prime, a change of drug or strength."""
        ...

    def tag(self, state: PumpState) -> bytes:
        """The short hash of the patient that the order names."""
        ...

    def tag_after(self, state: PumpState) -> bytes | None:
        """Whose pump it is afterwards."""
        ...

    def findings(self, scene: Scene) -> tuple[Finding, ...]:
        """Everything that the checks say of it in this scene, hard ones first.

        Asked when it is planned and again when it is applied. InputRefused for what is
        no such act at all in this state (a resume of a running pump).
        """
        ...

    def order(self, state: PumpState) -> Order:
        """The staging message: equal bytes for an equal state version."""
        ...

    def compare(self, state: PumpState, readback: Readback) -> Iterator[Pair]:
        """The station's own calculation beside the pump's, field by field.

        Kind and content are compared by the road. ReadbackDiffers where it is of
        another kind.
        """
        ...

    def old(self, state: PumpState) -> dict[str, Any]:
        """What it replaces, as the contract's `old`; quantities as strings."""
        ...

    def new(self) -> dict[str, Any]:
        """What it makes, as the contract's `new`."""
        ...

    def told(self, readback: Readback) -> dict[str, Any]:
        """The read-back as JSON."""
        ...

    def kept(self) -> dict[str, Any]:
        """What `registry` makes it from again, beside the plan's program and patient.

        It goes into the journal too: never the patient's tag.
        """
        ...

    def challenge(self, old: Mapping[str, Any], readback: Readback) -> Challenge:
        """What must be typed; `old` is the plan's."""
        ...

    def verify(self, before: PumpState, after: PumpState) -> Iterator[Pair]:
        """What must hold afterwards beside the state version, the program and the patient."""
        ...


class OfThePump:
    """What an act answers that is for whoever the pump holds, and assigns nobody."""

    __slots__ = ()
    kind: ClassVar[Kind]

    @property
    def wire_kind(self) -> str:
        """What a pump calls it: the same."""
        return self.kind

    @property
    def patient(self) -> str:
        """Whoever the pump holds."""
        return ""

    @property
    def whom(self) -> Patient | None:
        """Nobody says for whom the label's rules would speak."""
        return None

    @property
    def by_hand(self) -> bool:
        """A script may have the token from the plan's output."""
        return False

    def tag(self, state: PumpState) -> bytes:
        """The pump's own."""
        return state.tag_hash or NOBODY

    def tag_after(self, state: PumpState) -> bytes | None:
        """Whatever the pump held before."""
        return state.tag_hash


def goes_on(before: PumpState, after: PumpState) -> Pair:
    """Of an act that gives nothing: what was stopped stays so, what gave drug gives it."""
    same = after.delivery is before.delivery
    may_begin = before.delivery not in DELIVERS | {Delivery.STOPPED}  # a stall that ends
    gives = after.delivery in DELIVERS and (before.delivery in DELIVERS or may_begin)
    return "delivery", True, same or gives


@runtime_checkable
class KeepsRecord(Protocol):
    """An act after which the pump's implant record is another one."""

    def verify_record(self, kept: Implanted) -> Iterator[Pair]:
        """What must hold of the record that the pump keeps now."""
        ...


@runtime_checkable
class GivesDose(Protocol):
    """An act after which the pump's ledger says how much of it was given."""

    def verify_dose(self, after: PumpState, delivered: Mass) -> Iterator[Pair]:
        """What must hold of the dose; `delivered` was asked after `after`, and is not less."""
        ...
