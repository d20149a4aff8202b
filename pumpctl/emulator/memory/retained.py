"""The always-on domain: what moves with every instant and is never in flash.

A real pump keeps it in memory that does not lose its power. Beside it lies the
world, which no pump knows: both are saved in one write, and each has a check of
its own, so that a pump can lose its memory while the world stays what it is.
Two alternating copies, each with a sequence number; the newest good one counts.
Everything here is a value; what it means is known to the rooms that it comes from.
"""

from typing import Annotated, Any, Generic, TypeVar

from pumpctl.emulator.body.fluid import Given, Plug
from pumpctl.emulator.body.world import WorldState
from pumpctl.emulator.engine.battery import BatteryState
from pumpctl.emulator.engine.link_budget import BudgetState
from pumpctl.emulator.engine.past import Past
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.flash import PAGE, Store
from pumpctl.emulator.memory.stored import seal, unseal
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Blob, Fixed, Many, Reader, SInt, Struct, UInt, WireError
from pumpctl.wire.vocabulary import (
    U16,
    U32,
    U64,
    AlarmCode,
    BolusKind,
    MaybeMs,
    Ms,
    Ng,
    Nl,
    PgPerNl,
    UtcMs,
    Yes,
)

T = TypeVar("T")
BigInt = Annotated[bytes, Blob(160)]
"""An integer of any size that a carry may need, big-endian."""


class Bolus(NamedTuple):
    """A bolus that is being given; metered, as everything, at the tip's concentration."""

    kind: BolusKind
    dose: Ng
    over: Ms
    concentration: PgPerNl
    """By which it was metered when it began."""
    started: Ms
    """Counter."""
    day: U32
    """Local date, in days since 1970-01-01; with `minute` a scheduled bolus's identity."""
    minute: U16
    operation: Annotated[bytes, Fixed(16)]
    lost: Ms
    """Of its time, how much the motor stood still."""


class Raised(NamedTuple):
    """An alarm that has not been cleared."""

    code: AlarmCode
    since: UtcMs
    counter: Ms


class Span(NamedTuple):
    """Local labels, both ends included, whose scheduled boluses have had their turn."""

    first: U64
    last: U64


class Metering(NamedTuple):
    """What the delivery engine carries from instant to instant."""

    pulses: U64
    """That the motor gave."""
    lost: U64
    """That were due while the motor did not turn; never made up."""
    carry_num: BigInt
    carry_den: BigInt
    reservoir: Nl
    """The pump's own estimate."""
    line: Annotated[tuple[Plug, ...], Many(Struct(Plug), 24)]
    """What the pump believes of the line, from the tip back to the pump."""
    batch: U32
    """What it calls the fluid in the reservoir."""
    given: Annotated[tuple[Given, ...], Many(Struct(Given), 8)]
    """Mass past the tip, as the pump believes."""
    boluses: Annotated[tuple[Bolus, ...], Many(Struct(Bolus), 8)]
    served: Annotated[tuple[Span, ...], Many(Struct(Span), 16)]
    """Of earlier settings of the clock."""
    turn_since: U64
    """Local label at which this setting of the clock began."""
    turn_until: U64
    """Local label up to which scheduled boluses have had their turn (at most once each)."""
    hours_until: U64
    """Local hour up to which hour records are written."""
    last_bolus_end: MaybeMs
    """Counter; of any bolus: the patient's lockout begins there."""
    last_order_end: MaybeMs
    """The same of a clinician's."""
    patient_starts: Annotated[tuple[int, ...], Many(UInt(8), 255)]
    """Counters of the patient's own doses of the last 24 h."""
    stalled_since: MaybeMs
    """Counter at the first pulse that did not come; nothing while the motor turns."""
    starving_since: MaybeMs
    """Counter since which nothing, or too little to matter, was delivered."""
    fed_since: MaybeMs
    """Counter since which it is delivered again, while that does not count yet."""
    past: Annotated[Past, Struct(Past)]


class Done(NamedTuple):
    """Which numbered changes of the control block the always-on domain has followed."""

    label: U32
    fill: U32
    order: U32
    record: U32
    start: U32
    cancel: U32


class Retained(NamedTuple):
    """The whole domain at one instant."""

    boot: U32
    counter: Ms
    control_sequence: U64
    """Of the control block that was in force; an older one is none."""
    host_offset: Annotated[int, SInt(8)]
    """Counter less host time, of a pump that is not frozen."""
    drift_ppm: Annotated[int, SInt(4)]
    """How much faster than the host's its counter runs."""
    drift_from: UtcMs
    """Host time from which the drift counts."""
    target: Ms
    """Counter to which a frozen pump has been told to go."""
    done: Annotated[Done, Struct(Done)]
    metering: Annotated[Metering, Struct(Metering)]
    battery: Annotated[BatteryState, Struct(BatteryState)]
    budget: Annotated[BudgetState, Struct(BudgetState)]
    alarms: Annotated[tuple[Raised, ...], Many(Struct(Raised), 16)]
    pairing_until: Ms
    staged: Yes
    log_next: U64
    lost_told: U64
    flash_operations: U64
    checked_at: Ms


class TheWorld(NamedTuple):
    """The world, and its own time: it goes on where a pump has lost its counter."""

    state: Annotated[WorldState, Struct(WorldState)]
    ahead: Ms
    """Its time less the pump's counter."""
    counter: Ms
    """The pump's counter when this was written."""


_RETAINED: Struct[Retained] = Struct(Retained)
_WORLD: Struct[TheWorld] = Struct(TheWorld)
_MARK = b"RTND"
_WORLD_MARK = b"WRLD"
_ROOM = image.RETAINED_PAGES * PAGE
_NOTHING = object()
"""Equal to no value."""
WORLD_AT = 3 * PAGE
"""Where in a copy the world begins."""


class Encoder(Generic[T]):
    """Encodes a struct again and again: what has not changed since is not encoded again.

    The bytes are those of the struct itself, always and all of them; only parts that are
    equal to those of the time before are taken from there.
    """

    __slots__ = ("_bytes", "_inner", "_last", "_places", "_struct")

    def __init__(self, struct: Struct[T]) -> None:
        self._struct = struct
        self._inner = tuple(
            Encoder(part.field) if isinstance(part.field, Struct) else None for part in struct.parts
        )
        self._places = tuple(
            part.first if part.packed is None else slice(part.first, part.until)
            for part in struct.parts
        )
        self._last: list[Any] = [_NOTHING] * len(struct.parts)
        self._bytes = [b""] * len(struct.parts)

    def encoded(self, value: Any) -> bytes:
        """All of it; WireError where a value fits no field."""
        struct = self._struct
        if value.__class__ is not struct.cls:
            raise WireError(f"{type(value).__name__} where {struct.cls} is wanted")
        last = self._last
        for place, where in enumerate(self._places):
            item = value[where]
            if item == last[place]:
                continue
            inner = self._inner[place]
            if inner is not None:
                self._bytes[place] = inner.encoded(item)
            else:
                out = bytearray()
                struct.put_part(struct.parts[place], value, out)
                self._bytes[place] = bytes(out)
            last[place] = item  # only now: what fits no field is refused every time
        return b"".join(self._bytes)


class RetainedStore:
    """The two copies."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sequence = 0
        # It is saved before every answer, and from one to the next hardly anything changes.
        self._retained = Encoder(_RETAINED)
        self._world = Encoder(_WORLD)

    def read(self) -> tuple[Retained | None, TheWorld | None]:
        """The newest good copies; None where both are bad.

        The world is the one that was saved together with the domain. Only where the
        domain is lost it is the newest that there is: the world does not go back.
        """
        domains = self._good(_MARK, _RETAINED, 0)
        worlds = self._good(_WORLD_MARK, _WORLD, WORLD_AT)
        both = max(domains.keys() & worlds.keys(), default=None)
        if both is not None:  # a copy that was torn while it was written is no pair
            self._sequence = both  # and its place is the next to be written
            return domains[both], worlds[both]
        self._sequence = max((*domains, *worlds), default=0)
        newest = max(domains, default=None)
        world = worlds[max(worlds)] if worlds else None
        return None if newest is None else domains[newest], world

    def write(self, retained: Retained, world: TheWorld) -> None:
        """Replace the older copy."""
        self._sequence += 1
        number = self._sequence.to_bytes(8, "big")
        first = seal(_MARK, number + self._retained.encoded(retained))
        second = seal(_WORLD_MARK, number + self._world.encoded(world))
        whole = first.ljust(WORLD_AT, b"\xff") + second
        if len(first) > WORLD_AT or len(whole) > _ROOM:
            raise WireError("the always-on domain has outgrown its memory")
        self._store.write(image.RETAINED[self._sequence % 2] * PAGE, whole)

    def lose(self) -> None:
        """The pump's memory loses its power; the world does not."""
        for page in image.RETAINED:
            self._store.write(page * PAGE, bytes(64))

    def _good(self, mark: bytes, struct: Struct[T], at: int) -> dict[int, T]:
        """Every good copy, by its sequence number."""
        found: dict[int, T] = {}
        for page in image.RETAINED:
            payload = unseal(mark, self._store.read(page * PAGE + at, _ROOM - at))
            if payload is None:
                continue
            reader = Reader(payload[8:])
            try:
                value = struct.get(reader)
                reader.finish()
            except WireError:
                continue
            found[int.from_bytes(payload[:8], "big")] = value
        return found
