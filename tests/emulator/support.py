"""A pump on the test bench: image in memory, virtual time, seeded entropy, no line.

`Bench` speaks to the handlers as a key of any role would, past the secure
session; `Line` speaks through it, as a station does.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

from pumpctl.emulator import factory
from pumpctl.emulator.acts.caller import Caller
from pumpctl.emulator.acts.dispatch import handle
from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory.flash import MemoryStore, PowerCut
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.memory.implant import MODELS
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Drug, Mode, Purpose, Role
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from pumpctl.wire.message import encode
from pumpctl.wire.noise import public_key
from pumpctl.wire.program import PatientDose, Program, ScheduledBolus, Step
from pumpctl.wire.secret import key_id, pairing_psk, session_psk

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = 1_788_134_400_000
"""2026-08-31T00:00Z, a Monday."""
TAG = b"patient1"
R = TypeVar("R")


class Entropy:
    """Numbers that look random and are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(f"{self._seed} {self._count}".encode()).digest(size)


def op(number: int) -> bytes:
    """An operation id."""
    return number.to_bytes(16, "big")


def flex(
    *rates: int,
    concentration: int = 500,
    boluses: tuple[ScheduledBolus, ...] = (),
    fallback: int = 100_000,
    patient: PatientDose | None = None,
    low_alarm: int = 2_000_000,
) -> Program:
    """A flex program whose days are the same: these ng/day, spread evenly over the hours."""
    rates = rates or (300_000, 500_000)
    steps = tuple(
        Step(index * 1440 // len(rates), rate)
        for index, rate in enumerate(rates)
        if index == 0 or rate != rates[index - 1]
    )
    return Program(
        1, Mode.FLEX, Drug.BACLOFEN, concentration, fallback, (steps,) * 7, boluses, patient,
        low_alarm,
    )  # fmt: skip


def daily(*bolus: tuple[int, int, int]) -> tuple[ScheduledBolus, ...]:
    """The same (minute, ng, ms) every day."""
    return tuple(
        ScheduledBolus(day, at, dose, over) for day in range(7) for at, dose, over in bolus
    )


class Bench:
    """One pump and everything around it."""

    def __init__(
        self,
        *,
        model: str = "SP40",
        concentration: int = 500,
        volume: int | None = None,
        bench: bool = True,
        frozen: bool = False,
        offset_min: int = 0,
        start: int = MONDAY,
        store: MemoryStore | None = None,
    ) -> None:
        self.host = start
        self.entropy = Entropy("bench")
        if store is None:
            made_as = MODELS[model]
            image, _ = factory.make(
                made_as,
                volume=made_as.capacity if volume is None else volume,
                concentration=concentration,
                bench=bench,
                frozen=frozen,
                offset_min=offset_min,
                now=self.now,
                entropy=self.entropy,
            )
            store = MemoryStore(image)
        self.store = store
        self.session = 1
        self.attach()

    def now(self) -> int:
        return self.host

    def copy(self) -> Bench:
        """The same pump once more, in the same instant."""
        other = Bench(store=MemoryStore(bytes(self.store.image)), start=self.host)
        other.session = self.session
        return other

    def attach(self) -> None:
        self.firmware = Firmware.attach(flash_of(self.store), now=self.now, entropy=self.entropy)

    def boot(self, cut: PowerCut | None = None) -> None:
        self.firmware = Firmware.boot(flash_of(self.store, cut), now=self.now, entropy=self.entropy)

    @property
    def core(self) -> Any:
        return self.firmware.core

    def wait(self, ms: int) -> None:
        """Let the host's time pass; the pump notices."""
        self.host += ms
        self.firmware.tick()

    def ask(
        self,
        message: object,
        role: Role | None = Role.CLINICIAN,
        *,
        session: int | None = None,
        pairing: bool = False,
        key: bytes = b"somebody",
        major: int = 1,
    ) -> Any:
        """What the handlers answer to a key of this role."""
        core = self.core
        core.catch_up()
        caller = Caller(session or self.session, role, key, pairing, bytes(32), major)
        answer = handle(core, caller, message)
        core.save()
        encode(answer)  # it fits its own message
        return answer

    def get(self, message: object, reply: type[R], role: Role = Role.CLINICIAN) -> R:
        """The same where nothing but this reply will do."""
        answer = self.ask(message, role)
        assert isinstance(answer, reply), answer
        return answer

    def status(self) -> m.Status:
        return self.get(m.GetStatus(), m.Status)

    def stage(self, program: Program, tag: bytes = TAG) -> m.Staged:
        staged = self.get(m.StageProgram(tag, program), m.Staged)
        self.get(m.GetReadback(), m.ProgramReadback)
        return staged

    def activate(self, staged: m.Staged, operation: int, *, version: int | None = None) -> Any:
        return self.ask(
            m.Activate(
                op(operation),
                staged.content,
                self.core.control.state_version if version is None else version,
                staged.nonce,
                hashlib.sha256(op(operation)).digest(),
            )
        )

    def program(self, program: Program, operation: int = 1, tag: bytes = TAG) -> m.Done:
        """The whole road."""
        done = self.activate(self.stage(program, tag), operation)
        assert isinstance(done, m.Done), done
        return done

    def stop(self, operation: int = 99) -> m.Done:
        return self.get(m.Stop(op(operation), bytes(32)), m.Done)

    def entries(self, first: int = 1) -> list[Any]:
        """The log from here on, unpacked."""
        from pumpctl.wire.logentry import unpack

        return [unpack(raw) for raw in self.core.log.read(first, 1 << 30)]


def lose_program(bench: Bench) -> None:
    """Both copies go bad, and the next self-check finds it."""
    from pumpctl.emulator.memory.flash import PAGE
    from pumpctl.emulator.memory.image import SLOTS

    for page in SLOTS[bench.core.control.running]:
        bench.store.write(page * PAGE + 30, b"\x55\xaa\x55")
    bench.firmware.advance(HOUR)


class Line:
    """A station's end of the secure session, straight into the firmware."""

    def __init__(self, bench: Bench, private: bytes) -> None:
        self.bench = bench
        self.private = private
        self.key = key_id(public_key(private))
        self.psk = bytes(32)
        self.pump = public_key(bytes(31) + b"p")  # nobody's, until it is paired

    def greet(self, purpose: Purpose) -> Initiator:
        end = Initiator(entropy=self.bench.entropy, purpose=purpose, key=self.key)
        (greeted,) = end.feed(self.bench.firmware.receive(end.greet()))
        assert isinstance(greeted, Greeted)
        self.greeting = greeted.greeting
        return end

    def pair(self, role: Role = Role.ADMIN, secret: bytes | None = None) -> Any:
        """Pair; the answer."""
        self.end = self.greet(Purpose.PAIR)
        psk = pairing_psk(self.bench.core.implant.secret if secret is None else secret)
        events = self.end.feed(self.bench.firmware.receive(self.end.shake(psk=psk)))
        if not events:
            return None
        (ready,) = events
        assert isinstance(ready, Ready)
        self.psk = session_psk(ready.keys.exported)
        answer = self.ask(m.Pair("station", "operator", role, public_key(self.private)))
        if isinstance(answer, m.Paired):
            self.pump = answer.key
        return answer

    def open(self) -> bool:
        """Open a session as a paired key."""
        self.end = self.greet(Purpose.SESSION)
        shake = self.end.shake(own=self.private, peer=self.pump, psk=self.psk)
        events = self.end.feed(self.bench.firmware.receive(shake))
        return bool(events) and isinstance(events[0], Ready)

    def ask(self, message: object) -> Any:
        _, data = self.end.request(message)
        events = self.end.feed(self.bench.firmware.receive(data))
        answers = [event.message for event in events if isinstance(event, Answer)]
        return answers[0] if answers else None


def paired(bench: Bench, role: Role = Role.ADMIN, seed: str = "a station") -> Line:
    """Press, pair, open."""
    line = Line(bench, Entropy(seed)(32))
    bench.firmware.press()
    answer = line.pair(role)
    assert isinstance(answer, m.Paired), answer
    assert line.open()
    return line
