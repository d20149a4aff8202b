"""The pump's state in one place: how it is held, moved in time, and made durable.

Handlers read and change it only through here: `commit` for everything durable,
`record` for the log, `catch_up` for time, `save` for the always-on domain. The
core knows no message of the line and no session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from pumpctl.emulator.acts.staging import Drop, Staged
from pumpctl.emulator.body.fluid import Fluid
from pumpctl.emulator.engine.alarms import AlarmBoard
from pumpctl.emulator.engine.clock import DAY_MS, Clock
from pumpctl.emulator.engine.delivery import Delivery, Plan
from pumpctl.emulator.engine.exact import ZERO, ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.schedule import Schedule, flow_of
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import LOW_ALARM, Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Retained, RetainedStore
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.wire.program import Program

_CHUNK_MS = 7 * DAY_MS
"""A long catch-up is saved this often, so that a killed process goes on from there."""
NO_DATA = bytes(20)


class Event(NamedTuple):
    """What the log is to say."""

    kind: LogKind
    a: int
    b: int
    data: bytes = NO_DATA


class Core:
    """One pump's state. Made by `recovery`, which decides what a start means."""

    def __init__(
        self,
        flash: Flash,
        implant: Implant,
        *,
        store: RetainedStore,
        retained: Retained,
        controls: ControlStore,
        control: Control,
        log: LogRing,
        now: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.flash = flash
        self.implant = implant
        self.controls = controls
        self.control = control
        self.log = log
        self.now = now
        self.entropy = entropy
        self.slots = slots.slots(flash)
        self.fallbacks = slots.fallbacks(flash)
        self.boot = retained.boot
        self.pairing_until = retained.pairing_until
        self.checked_at = retained.checked_at
        self.staged: Staged | None = None
        self.last_drop: Drop | None = None
        """Why the last staging ended, while that still answers somebody's question."""
        self.already: Counter[tuple[int, ...]] = Counter()
        """Entries that a killed process had written beyond its last save."""
        self._store = store
        self._operations_before = retained.flash_operations
        self.clock = Clock(
            counter=retained.counter,
            utc_base=retained.utc_base,
            offset_min=retained.offset_min,
            frozen=implant.frozen,
            host_offset=retained.host_offset,
            target=retained.target,
        )
        self.program: Program | None = slots.program_in(self.slots[control.running])
        self.engine = Delivery(
            clock=self.clock,
            motor=Motor(
                pulse=implant.pulse,
                pulses=retained.pulses,
                carry=ratio(
                    int.from_bytes(retained.carry_num, "big"),
                    int.from_bytes(retained.carry_den, "big"),
                ),
            ),
            fluid=Fluid(
                contents=retained.contents,
                drug=control.drug,
                concentration=control.concentration,
                line=retained.line,
                pumped=retained.pumped,
                given=retained.given,
            ),
            alarms=AlarmBoard(retained.alarms, self.record),
            reservoir=retained.reservoir,
            boluses=retained.boluses,
            boluses_until=retained.boluses_until,
            hours_until=retained.hours_until,
            plan=self.plan(),
            state_version=control.state_version,
            record=self.record,
        )

    # --- what is delivered -------------------------------------------------------

    @property
    def on_fallback(self) -> bool:
        """Is the stored program lost? (PRG-07)"""
        return self.control.on_fallback or self.program is None

    def plan(self) -> Plan:
        """What the control block means for the delivery engine."""
        control, program = self.control, self.program
        if not self.on_fallback and program is not None:
            return Plan(
                Schedule(program, self.implant.least_flow),
                ZERO,
                0,
                control.concentration,
                program.low_alarm,
                control.stopped_at,
            )
        fallback = slots.fallback_in(self.fallbacks[control.fallback_pair])
        if fallback is None:  # no built-in dose
            stopped = self.clock.counter if control.stopped_at is None else control.stopped_at
            return Plan(None, ZERO, 0, control.concentration, LOW_ALARM, stopped)
        return Plan(
            None,
            flow_of(fallback.rate, fallback.concentration),
            fallback.rate,
            fallback.concentration,
            LOW_ALARM,
            control.stopped_at,
        )

    def free_slot(self) -> int:
        """The slot that is neither running nor bridged from."""
        taken = {self.control.running, self.control.bridged} - {NO_SLOT}
        return next(index for index in range(len(self.slots)) if index not in taken)

    # --- time -----------------------------------------------------------------------

    def catch_up(self) -> None:
        """Deliver up to now, and end what has run out on the way."""
        target = self.clock.target(self.now())
        while self.staged is not None and self.staged.ends[0] <= target:
            due, why = self.staged.ends
            self.engine.advance(max(due, self.clock.counter))
            self.drop_staged(why)
        while target - self.clock.counter > _CHUNK_MS:
            self.engine.advance(self.clock.counter + _CHUNK_MS)
            self.save()
        self.engine.advance(target)

    @property
    def pairing_open(self) -> bool:
        """Has somebody pressed, less than a minute ago?"""
        return self.clock.counter < self.pairing_until

    # --- staging ----------------------------------------------------------------------

    def drop_staged(self, why: Drop) -> bool:
        """Forget what is staged. Was there anything?"""
        if self.staged is None:
            return False
        staged, self.staged, self.last_drop = self.staged, None, why
        self.record(LogKind.STAGE_DROPPED, why, staged.kind, staged.content[:20])
        return True

    # --- durable ------------------------------------------------------------------------

    def record(self, kind: LogKind, a: int, b: int, data: bytes = NO_DATA) -> None:
        """Write one entry of the log, unless a killed process had written it already."""
        key = (kind, self.clock.counter, a, int.from_bytes(data, "big"))
        if self.already[key] > 0:
            self.already[key] -= 1
            return
        self.log.append(pack(self._entry(Event(kind, a, b, data), self.log.next)))

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

    def save(self) -> None:
        """Bring the always-on domain up to this instant, before any reply leaves."""
        engine, clock, carry = self.engine, self.clock, self.engine.motor.carry
        self._store.write(
            Retained(
                boot=self.boot,
                counter=clock.counter,
                utc_base=clock.utc_base,
                offset_min=clock.offset_min,
                host_offset=clock.host_offset,
                target=clock.frozen_target,
                pulses=engine.motor.pulses,
                carry_num=_big(carry.num),
                carry_den=_big(carry.den),
                reservoir=engine.reservoir,
                contents=engine.fluid.contents,
                pumped=engine.fluid.pumped,
                line=tuple(engine.fluid.line),
                given=engine.fluid.given,
                boluses=tuple(engine.boluses),
                boluses_until=engine.boluses_until,
                hours_until=engine.hours_until,
                alarms=engine.alarms.raised,
                pairing_until=self.pairing_until,
                staged=self.staged is not None,
                log_next=self.log.next,
                flash_operations=self.flash_operations,
                checked_at=self.checked_at,
            )
        )

    @property
    def flash_operations(self) -> int:
        """Erases, writes and flushes since the pump was made."""
        return self._operations_before + self.flash.operations

    def _entry(self, event: Event, number: int) -> LogEntry:
        return LogEntry(
            number,
            self.boot,
            event.kind,
            self.clock.offset_min,
            self.clock.counter,
            self.clock.utc,
            self.engine.motor.pulses,
            event.a,
            event.b,
            event.data,
        )


def _big(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
