"""A conformance bench in front of an emulator in memory: no port, no waiting, seeded."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.run import Ran, chosen, left_out, run
from pumpctl.conformance.session import Own
from pumpctl.conformance.talk import Talk
from pumpctl.wire.codes import Drug, Role
from pumpctl.wire.limit_table import LimitTable, Row, signed_part, table_bytes
from pumpctl.wire.messages import Done, GetReadback
from pumpctl.wire.messages_acts import StageLimits
from tests.emulator.support import HOUR, MINUTE, Entropy, Line, paired
from tests.emulator.support import Bench as Emulator


class Wire:
    """A line whose far end has answered when `write` returns; a wait passes for both ends."""

    def __init__(self, pump: Emulator, step_ms: int = 3) -> None:
        self.pump = pump
        self.step_ms = step_ms
        """How much later it is for the pump after each writing."""
        self.now = 0.0
        self.waiting = bytearray()
        self.written = 0

    def write(self, data: bytes) -> None:
        self.pump.host += self.step_ms
        self.written += len(data)
        self.waiting += self.pump.firmware.receive(data)

    def read(self, seconds: float, *, gather: float = 0.0) -> bytes:
        if not self.waiting:
            self.now += seconds
            self.pump.host += round(1000 * seconds)
            return b""
        data = bytes(self.waiting)
        self.waiting.clear()
        return data

    def close(self) -> None:
        """Nothing is held."""


def made(concentration: int = 2000, **more: object) -> Emulator:
    """A pump as it comes from the factory."""
    return Emulator(concentration=concentration, **more)  # type: ignore[arg-type]


def keys(line: Line) -> Own:
    """What a paired line holds."""
    return Own(line.private, line.key, line.pump, line.psk)


@cache
def _paired() -> tuple[Emulator, Own]:
    """A pump that has delivered for some hours and knows one admin; made once."""
    pump = made()
    pump.wait(3 * HOUR)
    line = paired(pump)
    pump.wait(MINUTE)
    return pump, keys(line)


def paired_pump() -> tuple[Emulator, Own]:
    """One like it, and its admin's keys."""
    pump, own = _paired()
    return pump.copy(), own


def with_table(pump: Emulator) -> None:
    """Put a signed table of limits in force, as wide as the pump's own."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"t")
    public = key.public_key().public_bytes_raw()
    wide = 3_000_000
    row = Row(Drug.BACLOFEN, 2000, wide, wide, 0, wide, wide, wide, wide, 0, 0)
    raw = table_bytes(LimitTable(1, 1, public, public, (row,)))
    staged = pump.ask(StageLimits(1, raw, key.sign(signed_part(raw))), Role.ADMIN)
    pump.ask(GetReadback(), Role.ADMIN)
    assert isinstance(pump.activate(staged, 7), Done)


def bench_for(pump: Emulator, own: Own, *, step_ms: int = 3, seed: str = "run") -> Bench:
    """A bench in front of an emulator."""
    wire = Wire(pump, step_ms)
    talk = Talk(wire, ticker=lambda: wire.now, entropy=Entropy(seed))
    return Bench(talk, own)


def ran(pump: Emulator, own: Own, *only: str, seed: str = "run") -> Ran:
    """A run against an emulator; another one on the same pump needs another seed."""
    return run(bench_for(pump, own, seed=seed), chosen(only), not_tested=left_out(only))
