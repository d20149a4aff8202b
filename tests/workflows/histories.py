"""A pump's life told as a test wants it: its log entry by entry, its state, a journal.

Written without the code that reads it: what was in force when is kept aside as it
is told, so that both can be compared.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

from pumpctl.errors import PumpRefused
from pumpctl.outcomes import OperationId, StateVersion
from pumpctl.pump.encode import to_wire
from pumpctl.pump.log_held import LogBatch
from pumpctl.quantities import Duration, Flow, Mass, Rate, Volume
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.past import Ordered, Past
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import Alarm, Delivery, Priority, PumpState, RunningBolus
from pumpctl.wire import codes
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.wire.program import program_bytes
from pumpctl.workflows.course.past import Told, past_of
from tests.therapy.samples import even, minimum, pump

HOUR = 3_600_000
DAY = 24 * HOUR
MADE = Moment.parse("2026-01-05T00:00:00Z")
LEAST = Rate(96_000)
SERIAL = pump().serial
PULSE = 100
CONCENTRATION = 2_000


class Noted(NamedTuple):
    """An entry of the journal, as far as the course looks at it."""

    kind: str
    pump: str
    body: dict[str, Any]


class Life:
    """What happens to a pump, in order. `at` is its counter now, in ms."""

    def __init__(self, *, log_first: int = 1, per_answer: int = 100) -> None:
        self.at = 0
        self.version = 1
        self.program: Program | None = minimum(CONCENTRATION)
        self.delivery = Delivery.MINIMUM
        self.stopped_at: int | None = None
        self.alarms: dict[str, int] = {}
        self.boluses: list[tuple[int, int, int]] = []
        self.lost_pulses = 0
        self.shift = 0
        self.orders: list[Ordered] = []
        """The truth: everything that was in force."""
        self.intents: dict[str, Noted] = {}
        self.raw: list[bytes] = []
        self.log_first = log_first
        self.per_answer = per_answer
        self.asked: list[tuple[int, int]] = []
        self.add(LogKind.BOOT, 1, 1)
        self._ordered(self.program)

    # --- the log ------------------------------------------------------------------------

    def add(self, kind: LogKind, a: int = 0, b: int = 0, data: bytes = b"") -> None:
        number = len(self.raw) + 1
        time = MADE.utc_ms + self.shift + self.at
        entry = LogEntry(
            number, 1, kind, 0, self.at, time, self.pulses, a, b, data.ljust(20, b"\0")
        )
        self.raw.append(pack(entry))

    @property
    def pulses(self) -> int:
        """By the orders, less what was lost."""
        ng = (
            sum(
                (min(after.at, self.at) - each.at) * self._rate(each.program)
                for each, after in pairwise([*self.orders, Ordered(self.at, None)])
            )
            // DAY
        )
        for start, over, dose in self.boluses:
            ng += dose * min(over, self.at - start) // over
        return max(0, ng * 1_000 // CONCENTRATION // PULSE - self.lost_pulses)

    @staticmethod
    def _rate(program: Program | None) -> int:
        if program is None:
            return 0
        return (program.days[0][0].rate if program.days[0] else program.fallback).quanta

    def _ordered(self, program: Program | None) -> None:
        self.orders.append(Ordered(self.at, program))

    def wait(self, ms: int) -> None:
        """Time passes; each full hour leaves its entry."""
        until = self.at + ms
        while (hour := (self.at // HOUR + 1) * HOUR) <= until:
            self.at = hour
            self.add(LogKind.HOUR, 1, self.version)
        self.at = until

    # --- what is done to it -------------------------------------------------------------

    def change(self, program: Program, *, own: bool = True) -> None:
        """A program is activated, by this station or by another."""
        operation = len(self.raw).to_bytes(16, "big")
        if own:
            self.intents[str(OperationId(operation))] = Noted(
                "intent",
                SERIAL,
                {
                    "program_bytes": _bytes(program),
                    "old_program_bytes": self.program and _bytes(self.program),
                },
            )
        self.program = program
        self._activated(codes.Kind.PROGRAM, operation)

    def resume(self) -> None:
        assert self.stopped_at is not None
        self._activated(codes.Kind.RESUME, len(self.raw).to_bytes(16, "big"))

    def _activated(self, kind: codes.Kind, operation: bytes) -> None:
        self.version += 1
        self.add(LogKind.ACTIVATED, self.version, kind, operation)
        if self.stopped_at is not None:
            self.add(LogKind.RESUMED, self.version, self.at - self.stopped_at, operation)
            self.stopped_at = None
        assert self.program is not None
        self.delivery = Delivery.DELIVERING if self.program.days[0] else Delivery.MINIMUM
        self._ordered(self.program)

    def stop(self) -> None:
        self.version += 1
        self.stopped_at = self.at if self.stopped_at is None else self.stopped_at
        self.delivery = Delivery.STOPPED
        self._ordered(None)
        self.add(LogKind.STOPPED, self.version, 0, bytes(range(16)))

    def fallback(self, rate: int) -> None:
        """Both copies of the program are lost."""
        self.version += 1
        self.add(LogKind.FALLBACK, rate, self.version)
        self.program = None
        if self.stopped_at is None and not rate:
            self.stopped_at = self.at
        if self.stopped_at is not None:
            self._ordered(None)
        else:
            self.delivery = Delivery.FALLBACK
            steady = even(f"{rate // 1000} mcg/day")
            self._ordered(steady._replace(fallback=Rate(rate)))

    def neutral(self, kind: codes.Kind | None = None) -> None:
        """A key is granted, or an operation that changes no program."""
        self.version += 1
        if kind is None:
            self.add(LogKind.GRANTED, codes.Role.CLINICIAN, self.version)
        else:
            self.add(LogKind.ACTIVATED, self.version, kind, len(self.raw).to_bytes(16, "big"))

    def alarm(self, code: codes.AlarmCode, on: bool = True) -> None:
        kind = LogKind.ALARM_RAISED if on else LogKind.ALARM_CLEARED
        self.add(kind, code, codes.Priority.CRITICAL)
        if on:
            self.alarms[code.name] = self.at
        else:
            del self.alarms[code.name]

    def bolus(
        self, dose: int, over: int, kind: codes.BolusKind = codes.BolusKind.SCHEDULED
    ) -> bytes:
        """One begins; its identity."""
        self.boluses.append((self.at, over, dose))
        data = int(kind).to_bytes(2, "big") + bytes(10)
        if kind is codes.BolusKind.SCHEDULED:
            data += self.at.to_bytes(8, "big")
        self.add(LogKind.BOLUS_STARTED, dose, over, data)
        return data

    def bolus_ended(self, identity: bytes) -> None:
        """It ends now, whole or cut short."""
        start, over, dose = self.boluses[-1]
        given = dose * min(over, self.at - start) // over
        if given < dose:
            self.boluses[-1] = (start, max(1, self.at - start), given)
        self.add(LogKind.BOLUS_ENDED, dose, given, identity)

    # --- as it is looked at ---------------------------------------------------------------

    def state(self) -> PumpState:
        running = [each for each in self.boluses if each[0] + each[1] > self.at]
        clock = MADE.plus(self.at + self.shift)
        return pump(
            program=self.program,
            delivery=self.delivery,
            state_version=StateVersion(self.version),
            counter_ms=self.at,
            clock=clock,
            stopped_for=None if self.stopped_at is None else Duration(self.at - self.stopped_at),
            alarms=tuple(
                Alarm(code, Priority.CRITICAL, code, clock.plus(since - self.at))
                for code, since in self.alarms.items()
            ),
            bolus=RunningBolus("scheduled", Mass(running[0][2]), Mass(0), clock, clock)
            if running
            else None,
            pulses=self.pulses,
            log_first=self.log_first,
            log_next=len(self.raw) + 1,
        )

    def log(self, first: int, most: int) -> LogBatch:
        """What `Pump.log` gives."""
        self.asked.append((first, most))
        number = max(first, self.log_first)
        found = self.raw[number - 1 : number - 1 + min(most, self.per_answer)]
        return LogBatch(number, tuple(found), self.log_first, len(self.raw) + 1)

    def told(self, *windows: str) -> Told:
        """What the course is found to be."""
        identity = SimpleNamespace(least_flow=Flow(48_000), pulse=Volume(PULSE))
        visit: Any = SimpleNamespace(pump=SimpleNamespace(log=self.log, identity=identity))
        journal: Any = SimpleNamespace(
            entries=lambda operation=None, pump=None: (
                [self.intents[operation]] if operation in self.intents else []
            )
        )
        return past_of(visit, journal, self.state(), [Duration.parse(each) for each in windows])


def steady(hours: int = 100, daily: int = 240) -> Life:
    """A pump that has run one dose for some time."""
    life = Life()
    life.wait(HOUR)
    life.change(even(f"{daily} mcg/day"))
    life.wait(hours * HOUR)
    return life


def known(life: Life, *windows: str) -> Past:
    told = life.told(*windows)
    assert told.past is not None, told.missing
    return told.past


def refusing(*_: object) -> LogBatch:
    """A pump that does not give its log away."""
    raise PumpRefused("this key may not", pump_code="ROLE")


def _bytes(program: Program) -> str:
    return program_bytes(to_wire(program)).hex()
