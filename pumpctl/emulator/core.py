"""The pump's state in one place: how it is held, moved in time, and made durable.

Handlers read and change it only through here: `commit` for everything durable,
`record` for the log, `catch_up` for time, `save` for the always-on domain. What a
commit means for the always-on domain is done by `following`, after a commit and
at a start alike. The core knows no message of the line and no session.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.emulator import following, keeping
from pumpctl.emulator.acts.staging import Drop, Staged
from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.body.world import World
from pumpctl.emulator.core_event import NO_DATA, Event
from pumpctl.emulator.engine.alarms import AlarmBoard
from pumpctl.emulator.engine.battery import Battery
from pumpctl.emulator.engine.clock import DAY_MS, Clock
from pumpctl.emulator.engine.delivery import Delivery
from pumpctl.emulator.engine.link_budget import LinkBudget
from pumpctl.emulator.engine.self_tests import CHECK_EVERY_MS
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore, Label
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Bolus, Done, Retained, RetainedStore, TheWorld
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import AlarmCode, LogKind
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.wire.program import Program

_CHUNK_MS = 7 * DAY_MS
"""A long catch-up is saved this often, so that a killed process goes on from there."""


class Stores(NamedTuple):
    """Where everything durable lies."""

    flash: Flash
    retained: RetainedStore
    controls: ControlStore
    log: LogRing


class Core:
    """One pump's state. Made by `recovery`, which decides what a start means."""

    def __init__(
        self,
        stores: Stores,
        implant: Implant,
        *,
        retained: Retained,
        world: TheWorld,
        control: Control,
        now: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.flash = stores.flash
        self.implant = implant
        self.controls = stores.controls
        self.control = control
        self.log = stores.log
        self.now = now
        self.entropy = entropy
        self.slots = slots.slots(self.flash)
        self.fallbacks = slots.fallbacks(self.flash)
        self.records = implant_record.records(self.flash)
        self.limit_pairs = implant_record.limit_pairs(self.flash)
        self.boot = retained.boot
        self.pairing_until = retained.pairing_until
        self.checked_at = retained.checked_at
        self.lost_told = retained.lost_told
        """Lost entries of the log below this number have been named."""
        self.done = retained.done
        """Which numbered changes the always-on domain has followed."""
        self.staged: Staged | None = None
        self.last_drop: Drop | None = None
        """Why the last staging ended, while that still answers somebody's question."""
        self.testing = False
        """During a self-test, which no bolus may disturb (BOL-04)."""
        self.memory_good = True
        """Was every copy whole when they were looked at last?"""
        self.hourly: Callable[[bool], None] = self._unchecked
        """The self-tests of every hour; the first of a stretch of time looks at memory, too."""
        self.already: list[LogEntry] = []
        """Entries beyond the last save that have not come about again since the start."""
        self.beyond: int | None = retained.log_next
        """The log's entries from here on are still to be taken over; None once that is done."""
        self.left_staged = retained.staged
        """Something lay staged before this start, and the log has not said what became of it."""
        self.budget = LinkBudget(retained.budget)
        self._store = stores.retained
        self._operations_before = retained.flash_operations
        self.clock = Clock(
            counter=retained.counter,
            utc_base=control.label.utc_base,
            offset_min=control.label.offset_min,
            frozen=implant.frozen,
            host_offset=retained.host_offset,
            target=retained.target,
            drift_ppm=retained.drift_ppm,
            drift_from=retained.drift_from,
        )
        self.record_in_force = following.record_of(self)
        self.limit_table = following.table_of(self)
        self.program: Program | None = following.program_of(self)
        self.engine = Delivery(
            clock=self.clock,
            world=World(
                world.state,
                capacity=implant.capacity * PL_PER_NL,
                nominal=implant.pulse * PL_PER_NL,
                sensor=implant.sensor,
            ),
            world_ahead=world.ahead,
            alarms=AlarmBoard(retained.alarms, self.record),
            battery=Battery(retained.battery, made_at=implant.made_at),
            pulse=implant.pulse,
            metering=retained.metering,
            plan=following.plan_of(self),
            state_version=control.state_version,
            keeper=self,
        )

    # --- what is delivered -------------------------------------------------------

    @property
    def on_fallback(self) -> bool:
        """Is the fallback rate in force: the program lost, or starved in a stall? (PRG-07)"""
        return self.control.on_fallback or self.program is None

    @property
    def world(self) -> World:
        """What the pump cannot see."""
        return self.engine.world

    def free_slot(self) -> int:
        """The slot that is neither running nor needed for a bridge."""
        taken = {self.control.running, self.control.previous}
        if self.control.bridging is not None:
            taken.add(self.control.bridging.plays)
        taken.discard(NO_SLOT)
        return next(index for index in range(len(self.slots)) if index not in taken)

    # --- time -----------------------------------------------------------------------

    def catch_up(self) -> None:
        """Deliver up to now, and end what has run out on the way."""
        target = self.clock.target(self.now())
        while self.staged is not None and self.staged.ends[0] <= target:
            due, why = self.staged.ends
            self.engine.advance(max(due, self.clock.counter))
            self.drop_staged(why)
        saved, first = self.clock.counter, True
        while (due := self.checked_at + CHECK_EVERY_MS) <= target:
            self.engine.advance(max(due, self.clock.counter))
            self.hourly(first)
            first = False
            if self.clock.counter - saved > _CHUNK_MS:
                self.save()
                saved = self.clock.counter
        self.engine.advance(target)
        self.put_alarm(AlarmCode.LINK_FLOOD, self.budget.flooded(self.clock.counter))

    @property
    def pairing_open(self) -> bool:
        """Has somebody pressed, less than a minute ago?"""
        return self.clock.counter < self.pairing_until

    # --- staging ----------------------------------------------------------------------

    def drop_staged(self, why: Drop) -> bool:
        """Forget what is staged. Was there anything?"""
        dropped = self.dropping(why)
        for event in dropped:
            self.record(event.kind, event.a, event.b, event.data)
            self.staged, self.last_drop = None, why
        return bool(dropped)

    def dropping(self, why: Drop) -> tuple[Event, ...]:
        """What the log is to say when what is staged is dropped; nothing where nothing is."""
        staged = self.staged
        if staged is None:
            return ()
        return (Event(LogKind.STAGE_DROPPED, why, staged.kind, staged.content[:20]),)

    # --- durable ------------------------------------------------------------------------

    def record(self, kind: LogKind, a: int, b: int, data: bytes = NO_DATA) -> None:
        """Write one entry of the log, unless a killed process had written it already."""
        for entry in self.already:
            if (entry.kind, entry.counter, entry.a, entry.data) == (
                kind, self.clock.counter, a, data,
            ):  # fmt: skip
                self.already.remove(entry)
                return
        self.log.append(pack(self._entry(Event(kind, a, b, data), self.log.next)))
        self.tell_lost()

    def commit(self, control: Control, *events: Event) -> None:
        """Make a change real, at once and whole, and let the log say so.

        What was delivered until now is saved first, so that a start after a power
        cut goes on from this very instant under the new rule.
        """
        self.save()
        entries = tuple(
            pack(self._entry(event, self.log.next + place)) for place, event in enumerate(events)
        )
        control = control._replace(sequence=self.control.sequence + 1, entries=entries)
        self.controls.write(control)
        self.control = control
        self.engine.state_version = control.state_version
        for entry in entries:
            self.log.append(entry)
        self.tell_lost()

    def tell_lost(self) -> None:
        """Name what the ring has overwritten before every paired station had it (TEL-05)."""
        keys = self.control.keys
        wanted = max(self.lost_told, min((key.released for key in keys), default=self.log.first))
        if self.log.first > wanted:
            self.lost_told = self.log.first
            event = Event(LogKind.LOG_LOST, wanted, self.log.first - wanted)
            self.log.append(pack(self._entry(event, self.log.next)))

    def put_alarm(self, code: AlarmCode, on: bool) -> None:
        """Raise or clear an alarm at this instant."""
        self.engine.alarms.put(code, on, utc=self.clock.utc, counter=self.clock.counter)
        self.engine.tell_world()

    def know_alarm(self, code: AlarmCode, on: bool, *, utc: int, counter: int) -> None:
        """The log says already that it was raised or cleared."""
        self.engine.alarms.know(code, on, utc=utc, counter=counter)
        self.engine.tell_world()

    def save(self) -> None:
        """Bring the always-on domain up to this instant, before any reply leaves."""
        engine, clock = self.engine, self.clock
        self._store.write(
            Retained(
                boot=self.boot,
                counter=clock.counter,
                control_sequence=self.control.sequence,
                host_offset=clock.host_offset,
                drift_ppm=clock.drift_ppm,
                drift_from=clock.drift_from,
                target=clock.frozen_target,
                done=self.done,
                metering=engine.metering(),
                battery=engine.battery.held,
                budget=self.budget.held,
                alarms=engine.alarms.raised,
                pairing_until=self.pairing_until,
                staged=self.staged is not None or self.left_staged,
                log_next=self.log.next if self.beyond is None else self.beyond,
                lost_told=self.lost_told,
                flash_operations=self.flash_operations,
                checked_at=self.checked_at,
            ),
            TheWorld(engine.world.state(), engine.world_ahead, clock.counter),
        )

    def lose_memory(self) -> None:
        """The always-on domain loses its power: the next start knows only flash."""
        self._store.lose()

    @property
    def flash_operations(self) -> int:
        """Erases, writes and flushes since the pump was made."""
        return self._operations_before + self.flash.operations

    # --- what the engine leaves to us (engine.plan.Keeper) ---------------------------------

    def settled(self, bolus: Bolus, given: int, data: bytes) -> bool:
        """Write down what an ordered bolus really gave; False where that is done already."""
        return keeping.settle(self, bolus, given, data)

    def bridge_over(self) -> None:
        """The line's volume has passed: from now on the program at its own concentration."""
        keeping.end_bridge(self)

    def starved(self) -> None:
        """Beyond 48 h of stall the fallback (STP-03)."""
        keeping.enter_fallback(self)

    def cell_dead(self) -> None:
        """A motor on a dead cell cannot meter: stop, durably, and say so."""
        keeping.stop_by_itself(self)

    def may_give(self, dose: int, over: int) -> bool:
        """Would this bolus, begun now, keep to every limit?"""
        return keeping.within_limits(self, dose, over)

    def _unchecked(self, _first: bool) -> None:
        """Until the pump has started, nothing is tested by the hour."""
        self.checked_at = self.clock.counter

    # --- underneath --------------------------------------------------------------------------

    def _entry(self, event: Event, number: int) -> LogEntry:
        clock = self.clock
        label = event.label or Label(0, clock.utc_base, clock.offset_min)
        return LogEntry(
            number,
            self.boot,
            event.kind,
            label.offset_min,
            clock.counter,
            label.utc_base + clock.counter,
            self.engine.motor.pulses,
            event.a,
            event.b,
            event.data,
        )


__all__ = ["NO_DATA", "Core", "Done", "Event", "Stores"]
