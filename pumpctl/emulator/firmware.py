"""The pump as the line sees it: bytes in, bytes out, and time.

`Firmware` joins the secure session to the handlers. Before any byte leaves, the
state up to that instant is in the state file. It opens no files or ports; flash,
clock and entropy are handed in, so that the same code runs behind a pty, behind
TCP, in a process, and in a world with virtual time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumpctl.emulator.acts import keys, patient_dose
from pumpctl.emulator.acts.caller import Caller, Refused
from pumpctl.emulator.acts.dispatch import handle
from pumpctl.emulator.acts.staging import IDLE_MS, Drop
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.link_budget import GREETING_BYTES, HANDSHAKE_BYTES
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import FIRMWARE
from pumpctl.emulator.starting import recovery
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Feature, FrameKind, Refuse
from pumpctl.wire.frames import Junk
from pumpctl.wire.greeting import MAJOR, MINOR, PumpGreeting, StationGreeting
from pumpctl.wire.responder import Knock, Opened, PeerKey, Request, Responder, Send
from pumpctl.wire.secret import pairing_psk

FEATURES = int(
    Feature.BOLUS
    | Feature.BRIDGE
    | Feature.REFILL
    | Feature.CLOCK
    | Feature.LIMITS
    | Feature.PATIENT_DOSE
    | Feature.PATIENT
    | Feature.IMPLANT
    | Feature.ALARM_TEST
)
"""What this pump can stage and do: everything that there is."""


class Firmware:
    """One pump, running."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._session: int | None = None
        self._heard = 0
        self._filtered = 0
        """Bytes of this call that only the filter of a sleeping receiver has seen."""
        self._end = Responder(
            private_key=core.implant.private,
            entropy=core.entropy,
            greet=self._greet,
            find_key=self._find_key,
            pairing_psk=self._pairing_psk,
            clock=lambda: self.core.clock.counter,
            admit=self._admit,
        )

    @classmethod
    def boot(
        cls, flash: Flash, *, now: Callable[[], int], entropy: Callable[[int], bytes]
    ) -> Firmware:
        """Power on: boot count, log entry, self-test."""
        return cls(recovery.start(flash, now=now, entropy=entropy, power_on=True))

    @classmethod
    def attach(
        cls, flash: Flash, *, now: Callable[[], int], entropy: Callable[[int], bytes]
    ) -> Firmware:
        """A pump that never lost its power gets a new process to run in."""
        return cls(recovery.start(flash, now=now, entropy=entropy, power_on=False))

    # --- the line -------------------------------------------------------------------

    def receive(self, data: bytes) -> bytes:
        """Take what came on the line; what goes back."""
        core = self.core
        core.catch_up()
        self._end_idle()
        counter, engine = core.clock.counter, core.engine
        received = len(data)
        if not self._end.in_session:
            received = core.budget.heard(len(data), counter)
        engine.battery.bytes(received=received)
        self._filtered = len(data) - received
        out = bytearray()
        for event in self._end.receive(data):
            match event:
                case Send():
                    out += event.data
                case Opened():
                    self._opened(event)
                case Request():
                    self._heard_from(event.session)
                    again = self._end.repeat(event)
                    out += self._end.reply(event, self._answer(event)) if again is None else again
                    if isinstance(event.message, m.Close):
                        self._end.end(event.session)
                case Junk():
                    pass  # noise changes nothing and is not answered (PMP-01)
        engine.battery.bytes(sent=len(out))
        core.put_alarm(AlarmCode.LINK_FLOOD, core.budget.flooded(counter))
        core.save()
        return bytes(out)

    def link_lost(self) -> None:
        """The line went away, and the session with it."""
        self.core.catch_up()
        self.core.drop_staged(Drop.LINK_LOST)
        self._end.close()
        self.core.save()

    # --- what is done to the pump itself -----------------------------------------------

    def tick(self) -> None:
        """Time goes on without anybody asking."""
        self.core.catch_up()
        self.core.save()

    def press(self) -> None:
        """The local act that opens pairing for a minute (SEC-03), and the ear of a flooded pump."""
        self.core.catch_up()
        self.core.budget.authentic(self.core.clock.counter)
        keys.open_pairing(self.core)
        self.core.save()

    def patient_dose(self) -> Refused | None:
        """The patient presses for a dose of their own; why it is refused, or None."""
        self.core.catch_up()
        refused = patient_dose.take(self.core)
        self.core.save()
        return refused

    def advance(self, duration: int) -> None:
        """Make it this many ms later. Saved first: a killed process goes on to the same end."""
        self.core.catch_up()
        self.core.clock.advance(self.core.now(), duration)
        self.core.save()
        self.tick()

    # --- underneath ----------------------------------------------------------------------

    def _end_idle(self) -> None:
        """Over: a session silent for a minute; a greeting or pending session a minute old."""
        counter = self.core.clock.counter
        if self._session is not None and counter - self._heard >= IDLE_MS:
            self._end.end(self._session)
            self._session = None
        self._end.forget_waiting(counter - IDLE_MS)

    def _greet(self, station: StationGreeting) -> PumpGreeting:
        core = self.core
        return PumpGreeting(
            MAJOR,
            MINOR,
            FEATURES | (Feature.BENCH if core.implant.bench else 0),
            core.implant.model,
            core.implant.serial,
            FIRMWARE,
            core.control.limits_version,
            core.control.state_version,
            core.boot,
            keys.find(core, station.key) is not None,
            core.pairing_open,
            core.entropy(16),
            station.random,
        )

    def _admit(self, knock: Knock) -> bool:
        """May this frame of somebody who has proved nothing cost any work (SEC-07)?"""
        core, battery = self.core, self.core.engine.battery
        counter = core.clock.counter
        if not core.budget.admit(knock.kind, counter, key=knock.key, again=knock.again):
            return False
        greeting = knock.kind is FrameKind.GREETING
        passed = min(self._filtered, GREETING_BYTES if greeting else HANDSHAKE_BYTES)
        self._filtered -= passed
        battery.bytes(received=passed)
        if not greeting and not knock.again:
            battery.handshake()
        return True

    def _find_key(self, name: bytes) -> PeerKey | None:
        key = keys.find(self.core, name)
        return None if key is None else PeerKey(key.key_id, key.public, key.psk)

    def _pairing_psk(self) -> bytes | None:
        return pairing_psk(self.core.implant.secret) if self.core.pairing_open else None

    def _opened(self, event: Opened) -> None:
        """A session's first record: what another one has staged is dropped (PRG-06)."""
        key = None if event.pairing else event.key_id
        self.core.budget.authentic(self.core.clock.counter, key)
        staged = self.core.staged
        if staged is not None and staged.session != event.session:
            self.core.drop_staged(Drop.OTHER_SESSION)

    def _heard_from(self, session: int) -> None:
        """An authentic record, a REPEAT too, prolongs its session and what is staged in it."""
        core = self.core
        self._session, self._heard = session, core.clock.counter
        if core.staged is not None and core.staged.session == session:
            core.staged = core.staged._replace(heard=core.clock.counter)

    def _answer(self, request: Request) -> Any:
        core = self.core
        if request.message is None:
            return Refused(Refuse.MALFORMED, request.fault).message()
        key = None if request.pairing else keys.find(core, request.key_id)
        if isinstance(request.message, m.Close):
            core.drop_staged(Drop.SESSION_CLOSED)
            return m.Closed()
        caller = Caller(
            request.session,
            None if key is None else key.role,
            request.key_id,
            request.pairing,
            request.exported,
            request.major,
        )
        return handle(core, caller, request.message)
