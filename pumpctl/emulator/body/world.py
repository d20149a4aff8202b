"""The world of one pump: its reservoir, its line and its motor as they really are.

The pump sees none of it: it knows the pulses that it gave, and its own estimates.
All volumes here are pL, masses fg, concentrations pg/nL, counters the world's
time in ms. Whoever moves the pump calls `pump` for every stretch of even flow,
never across an edge of a fault (`next_edge`), and `note_alarms` at each edge.
The reservoir holds one drug: that of its last fill.
"""

from collections.abc import Iterator
from typing import Annotated

from pumpctl.emulator.body.faults import (
    MILLION,
    MOST_FAULTS,
    Fault,
    FaultKind,
    Faults,
    check_amount,
)
from pumpctl.emulator.body.fluid import (
    MOST_PLUGS,
    PL_PER_NL,
    Given,
    Picolitres,
    Plug,
    PlugFlow,
    free,
    pure,
)
from pumpctl.emulator.body.tip import (
    HOUR_MS,
    MOST_DRUGS,
    NOTHING_YET,
    Spell,
    Tally,
    Tip,
    TipState,
)
from pumpctl.named import NamedTuple
from pumpctl.wire.fields import Many, Struct
from pumpctl.wire.vocabulary import U32, Drug, Ms, Yes

VALVE_PERCENT = 105
"""What the fill valve lets in, of the capacity (this project's choice)."""
OVERFULL_PERCENT = 110
"""What a pulse moves of its volume while more than the capacity presses on it (the same)."""
SENSOR_STEP = 100_000
"""nL: the resolution of a reservoir's sensor (the same)."""


class WorldState(NamedTuple):
    """The whole world at one instant."""

    pulse: Picolitres
    """What one pulse really moves."""
    reservoir: Annotated[Plug, Struct(Plug)]
    line: Annotated[tuple[Plug, ...], Many(Struct(Plug), MOST_PLUGS, 1)]
    """From the tip back to the pump."""
    pumped: Picolitres
    """Out of the reservoir, by the motor."""
    air: Picolitres
    """Drawn by the motor where the reservoir gave nothing more."""
    moved: Picolitres
    """Into the line since the last fill, air included."""
    leaked_volume: Picolitres
    leaked: Annotated[tuple[Given, ...], Many(Struct(Given), MOST_DRUGS)]
    leak_rest: U32
    """What of a pL has leaked, in millionths."""
    spilled_volume: Picolitres
    """Injected, but not into the reservoir: beside it, or what its valve refused."""
    spilled: Annotated[tuple[Given, ...], Many(Struct(Given), MOST_DRUGS)]
    tip: Annotated[TipState, Struct(TipState)]
    faults: Annotated[tuple[Fault, ...], Many(Struct(Fault), MOST_FAULTS)]
    handled: Yes
    """Somebody drained or filled it by hand since the last recorded refill."""
    critical: Yes
    """A critical alarm was raised when alarms were noted last, at `noted`."""
    noted: Ms
    stuck: Yes
    """The motor has not come back after a magnetic field."""


def new_world(
    *, pulse: int, reservoir: int, drug: Drug, concentration: int, line: int
) -> WorldState:
    """Of a new pump: filled, and its line primed with the same fluid (batch 1)."""
    return WorldState(
        pulse=pulse,
        reservoir=pure(reservoir, drug, concentration, 1),
        line=(pure(line, drug, concentration, 1),),
        pumped=0,
        air=0,
        moved=0,
        leaked_volume=0,
        leaked=(),
        leak_rest=0,
        spilled_volume=0,
        spilled=(),
        tip=NOTHING_YET,
        faults=(),
        handled=False,
        critical=False,
        noted=0,
        stuck=False,
    )


class World:
    """One pump's."""

    def __init__(self, state: WorldState, *, capacity: int, nominal: int, sensor: bool) -> None:
        """Its reservoir's capacity and nominal pulse (pL); has the reservoir a sensor?"""
        self._capacity = capacity
        self._nominal = nominal
        self._sensor = sensor
        self.pulse = state.pulse
        self.reservoir = state.reservoir
        self.line = PlugFlow(state.line)
        self.tip = Tip(state.tip)
        self.pumped = state.pumped
        self.air = state.air
        self.leaked_volume = state.leaked_volume
        self.spilled_volume = state.spilled_volume
        self.handled = state.handled
        self._moved = state.moved
        self._leaked = Tally(state.leaked)
        self._leak_rest = state.leak_rest
        self._spilled = Tally(state.spilled)
        self._faults = Faults(state.faults)
        self._critical = state.critical
        self._noted = state.noted
        self._stuck = state.stuck

    def state(self) -> WorldState:
        """To be stored."""
        return WorldState(
            self.pulse,
            self.reservoir,
            self.line.plugs,
            self.pumped,
            self.air,
            self._moved,
            self.leaked_volume,
            self.leaked,
            self._leak_rest,
            self.spilled_volume,
            self.spilled,
            self.tip.state(),
            self.faults,
            self.handled,
            self._critical,
            self._noted,
            self._stuck,
        )

    # --- what is to be seen ----------------------------------------------------------------

    @property
    def given(self) -> tuple[Given, ...]:
        """Past the tip since the pump was made, one entry per drug."""
        return self.tip.given

    @property
    def spells(self) -> tuple[Spell, ...]:
        """The last stretches in which one fluid left the tip, oldest first."""
        return self.tip.spells

    @property
    def hours(self) -> tuple[tuple[int, int], ...]:
        """(hour of the counter, fg of all drugs past the tip in it), the last week's."""
        return self.tip.hours

    @property
    def leaked(self) -> tuple[Given, ...]:
        """Lost between pump and catheter, one entry per drug."""
        return self._leaked.entries()

    @property
    def spilled(self) -> tuple[Given, ...]:
        """Injected, but not into the reservoir, one entry per drug."""
        return self._spilled.entries()

    @property
    def front(self) -> int | None:
        """pL until nothing but the reservoir's fluid is in the line; None where that is so."""
        return self.line.front(self.reservoir.batch)

    def sensed(self, counter: int) -> int | None:
        """What the reservoir's sensor reads, nL; None where there is none."""
        if not self._sensor:
            return None
        error = self.amount(FaultKind.SENSOR, counter) or 0
        read = max(0, self.reservoir.volume // PL_PER_NL + error)
        return read - read % SENSOR_STEP

    # --- the motor -------------------------------------------------------------------------

    def turns(self, counter: int) -> bool:
        """Would the motor turn now if it were driven?"""
        if self._stuck or not self._faults:
            return not self._stuck
        return all(self.amount(kind, counter) is None for kind in (FaultKind.STALL, FaultKind.MRI))

    def note_alarms(self, critical: bool, counter: int) -> None:
        """Tell whether a critical alarm is raised now; at every edge of a fault, and at any change.

        A field that begins while one is raised leaves the motor stuck. A stall
        that the field itself has brought about is noted after it has begun.
        """
        self._stuck |= self._critical and self._faults.begun(FaultKind.MRI, self._noted, counter)
        self._critical, self._noted = critical, counter
        self._faults.forget_past(counter)

    def restart_motor(self) -> None:
        """It is started anew; only a fault still holds it."""
        self._stuck = False

    def calibrate(self, error: int) -> None:
        """From now on a pulse really moves so many ppm more than its nominal volume."""
        check_amount(FaultKind.CALIBRATION, error)
        self.pulse = self._nominal * (MILLION + error) // MILLION

    def pump(self, pulses: int, since: int, counter: int) -> None:
        """The motor has turned so often, evenly, between these counters.

        Of several hours of the counter each has its share, rounded down, and the
        last one the rest.
        """
        if self.amount(FaultKind.OCCLUSION, since) is not None:
            return
        leak = self.amount(FaultKind.LEAK, since) or 0
        for share, begins, ends in _by_hours(pulses, since, counter):
            left: list[Plug] = []
            for drawn in self._draw(self._volume(share)):
                enters = self._leak(drawn, leak)
                self._moved += enters.volume
                left += self.line.push(enters)
            self.tip.note(tuple(left), begins, ends)

    def _volume(self, pulses: int) -> int:
        """Of so many pulses. Each that begins with the reservoir overfull moves more."""
        raised = self.pulse * OVERFULL_PERCENT // 100
        over = max(0, self.reservoir.volume - self._capacity)
        strong = min(pulses, -(-over // raised))
        return strong * raised + (pulses - strong) * self.pulse

    def _draw(self, volume: int) -> tuple[Plug, ...]:
        """Out of the reservoir, and air where it gives no more."""
        fluid = self._take(volume)
        self.pumped += fluid.volume
        self.air += volume - fluid.volume
        return tuple(each for each in (fluid, free(volume - fluid.volume)) if each.volume)

    def _take(self, volume: int) -> Plug:
        taken = self.reservoir.part(volume)
        self.reservoir = self.reservoir.without(taken)
        return taken

    def _leak(self, drawn: Plug, share: int) -> Plug:
        """What of this enters the line; fractions of a pL are carried on."""
        lost, self._leak_rest = divmod(drawn.volume * share + self._leak_rest, MILLION)
        leak = drawn.part(lost)
        self.leaked_volume += leak.volume
        self._leaked.add(leak)
        return drawn.without(leak)

    # --- needle and syringe ----------------------------------------------------------------

    def drain(self, volume: int | None = None) -> Plug:
        """So much, or all that is there, is drawn out by needle; what came."""
        self.handled = True
        return self._take(self.reservoir.volume if volume is None else volume)

    def fill(self, volume: int, drug: Drug, concentration: int, counter: int) -> int:
        """Inject this; how much of it is in the reservoir, mixed with what was left there."""
        self.handled = True
        return self._inject(volume, drug, concentration, counter)

    def follow(
        self,
        *,
        drained: int,
        injected: int,
        drug: Drug,
        concentration: int,
        since: int,
        counter: int,
    ) -> Plug | None:
        """A refill was recorded, with `since` pumped after its injection; what came by needle.

        Where somebody has handled the reservoir, the world is as it is: None.
        Where nobody has, the record is what happened: what has been pumped since
        goes back, the refill is done, and as much of what is there now takes its
        place in the line. What has passed the tip meanwhile, or leaked, is not undone.
        """
        if self.handled:
            self.handled = False
            return None
        back = self.line.last(min(since, self._moved))
        volume = sum(plug.volume for plug in back)
        # Air that had to be mixed with fluid to be stored was never in the reservoir.
        fluid = min(self.pumped, sum(plug.volume for plug in back if plug.batch))
        self.pumped -= fluid
        self.air -= volume - fluid
        self._put(fluid, sum(plug.mass for plug in back))
        taken = self._take(drained)
        entered = self._inject(injected, drug, concentration, counter)
        self.line.replace_last(*self._draw(volume))
        if entered:
            self._moved = volume  # else the same fluid as before has been put back
        return taken

    def reline(self, line: tuple[Plug, ...]) -> None:
        """Another line, or other contents, from the tip back: after a revision of the implant."""
        self.line = PlugFlow(line)
        self._moved = 0

    def _inject(self, volume: int, drug: Drug, concentration: int, counter: int) -> int:
        if not volume:
            return 0
        wrong = self._faults.use_up(FaultKind.WRONG_FILL, counter)
        batch = self.reservoir.batch + 1
        syringe = pure(volume, drug, concentration if wrong is None else wrong, batch)
        beside = (self._faults.use_up(FaultKind.POCKET, counter) or 0) * PL_PER_NL
        room = max(0, self._capacity * VALVE_PERCENT // 100 - self.reservoir.volume)
        enters = syringe.part(min(room, max(0, volume - beside)))
        spilled = syringe.without(enters)
        self.spilled_volume += spilled.volume
        self._spilled.add(spilled)
        if enters.volume:
            self.reservoir = self.reservoir._replace(drug=drug, batch=enters.batch)
            self._put(enters.volume, enters.mass)
            self._moved = 0
        return enters.volume

    def _put(self, volume: int, mass: int) -> None:
        self.reservoir = self.reservoir._replace(
            volume=self.reservoir.volume + volume, mass=self.reservoir.mass + mass
        )

    # --- faults ----------------------------------------------------------------------------

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that are in force or to come, the newest last."""
        return self._faults.all()

    @property
    def has_faults(self) -> bool:
        """Is any in force or to come?"""
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """From its beginning on it is there. UsageError for one that cannot be, or one too many."""
        self._faults.add(fault)
        if fault.kind is FaultKind.MRI and fault.since <= self._noted:
            self._stuck |= self._critical

    def clear(self, kind: FaultKind | None = None) -> int:
        """This kind of fault, or every one, is gone; how many were. A stuck motor stays so."""
        return self._faults.clear(kind)

    def amount(self, kind: FaultKind, counter: int) -> int | None:
        """Of the newest fault of this kind that is in force; None where none is."""
        return self._faults.amount(kind, counter)

    def next_edge(self, counter: int) -> int | None:
        """The next counter at which a fault begins or ends."""
        return self._faults.next_edge(counter)


def _by_hours(pulses: int, since: int, counter: int) -> Iterator[tuple[int, int, int]]:
    """(pulses, from, to) of each hour of the counter."""
    rest = pulses
    begins = since
    while (ends := (begins // HOUR_MS + 1) * HOUR_MS) < counter:
        share = pulses * (ends - begins) // (counter - since)
        yield share, begins, ends
        rest -= share
        begins = ends
    yield rest, begins, counter
