"""The emulator and the oracle held against each other, at an instant and hour by hour."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from pumpctl.wire.codes import BolusKind, LogKind
from pumpctl.wire.logentry import LogEntry, unpack
from tests.emulator.support import Bench
from tests.emulator.year.demand import DAY, MINUTE, PULSE, SCHEDULED, Bolus, Ended
from tests.emulator.year.oracle import Oracle
from tests.oracles.tally import Tally

HIGHEST = 2000
"""pg/nL of the list: 200 ng are one pulse."""
ONE_PULSE_NG = PULSE * HIGHEST // 1000
_CARRY = Fraction(1, 2**100)
"""nL. A motor may cut a carry whose fraction has grown too long."""
_FG_PER_NG = 1_000_000


class Apart(AssertionError):
    """The two are not of one mind."""


class Worst(NamedTuple):
    """The largest differences that were found."""

    pulses: int = 0
    ng: Fraction = Fraction(0)
    """Past the tip: of the world's truth, and of what the pump believes."""

    def or_worse(self, other: Worst) -> Worst:
        return Worst(max(self.pulses, other.pulses), max(self.ng, other.ng))


class Judge:
    """Of one story."""

    def __init__(self, name: str, bench: Bench, oracle: Oracle, tally: Tally) -> None:
        self.worst = Worst()
        self._name = name
        self._bench = bench
        self._oracle = oracle
        self._tally = tally
        self._read_to = 1

    def compare(self) -> None:
        """Are both of one mind now, and at each hour since the last time? Apart where not."""
        core, oracle = self._bench.core, self._oracle
        engine, world, motor = core.engine, core.world, core.engine.motor
        oracle.run(core.clock.counter)
        given = Fraction(sum(each.mass for each in world.given))
        believed = Fraction(sum(each.mass for each in engine.past_tip.entries()))
        apart = max(abs(given - oracle.world.passed), abs(believed - oracle.belief.passed))
        here = Worst(
            max(abs(motor.pulses - oracle.given), abs(motor.lost - oracle.lost)),
            apart / _FG_PER_NG,
        )
        self.worst = self.worst.or_worse(here)
        self._tally.add("instants compared")
        self._read_log()
        self._same("pulses", motor.pulses, oracle.given)
        self._same("pulses lost", motor.lost, oracle.lost)
        self._same("estimate of the reservoir, nL", engine.reservoir, oracle.estimate)
        self._same("in the reservoir, pL", world.reservoir.volume, oracle.world.volume)
        owed = oracle.due - (motor.pulses + motor.lost) * PULSE
        if abs(Fraction(motor.carry.num, motor.carry.den) - owed) > _CARRY:
            raise Apart(f"{self._where()}: it carries {motor.carry}, and {owed} nL are owed")
        if here.ng > ONE_PULSE_NG:
            raise Apart(f"{self._where()}: mass past the tip is {here.ng} ng apart")

    def _read_log(self) -> None:
        """Hours, and starts and ends of boluses, that are new in the log."""
        log, oracle = self._bench.core.log, self._oracle
        starts: list[Bolus] = []
        ends: list[Ended] = []
        for raw in log.read(self._read_to, log.next):
            entry = unpack(raw)
            if entry.kind is LogKind.HOUR:
                self._tally.add("hours of the log compared")
                self._same("pulses at an hour", entry.pulses, oracle.pulses_at(entry.counter))
            elif entry.kind is LogKind.BOLUS_ENDED:
                ends.append(Ended(entry.counter, entry.a, entry.b))
            elif entry.kind is LogKind.BOLUS_STARTED:
                starts += _scheduled(entry)
        self._read_to = log.next
        self._same("scheduled boluses begun", sorted(starts), sorted(oracle.started))
        self._same("ends of boluses", sorted(ends), sorted(oracle.ended))
        self._tally.add("boluses: ended", len(ends))
        for told in (oracle.started, oracle.ended, oracle.course):
            told.clear()

    def _same(self, what: str, real: object, wanted: object) -> None:
        if real != wanted:
            raise Apart(f"{self._where()}: {what}: {real} where {wanted} is wanted")

    def _where(self) -> str:
        counter = self._bench.core.clock.counter
        return f"{self._name}, day {counter // DAY} ({counter} ms)"


def _scheduled(entry: LogEntry) -> list[Bolus]:
    """The bolus of the schedule that this entry names; none of any other kind."""
    if int.from_bytes(entry.data[:2], "big") != BolusKind.SCHEDULED:
        return []
    day, minute = (int.from_bytes(entry.data[a:b], "big") for a, b in ((2, 6), (6, 8)))
    return [Bolus(entry.counter, entry.a, entry.b, SCHEDULED, day * DAY + minute * MINUTE)]
