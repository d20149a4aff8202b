"""The emulator's own truth, as plain values, and as JSON for the control socket.

This is what the world knows, not what the pump believes or what the line tells:
real fluid, real pulses, the card's secret. Looking writes nothing to flash.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pumpctl.emulator.acts.look import delivery_now
from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL
from pumpctl.emulator.core import Core
from pumpctl.emulator.engine.exact import ratio
from pumpctl.outcomes import OperationId
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.wire.secret import secret_text


class Operation(NamedTuple):
    """One entry of the pump's ledger."""

    operation: OperationId
    kind: str
    result: str
    state_version: int
    at: int
    """UTC ms"""


class Inspection(NamedTuple):
    """Everything about one emulator at one instant."""

    name: str
    serial: str
    model: str
    secret: str
    """As it is printed on the implant card."""
    bench: bool
    frozen: bool
    time: int
    """Label, UTC ms."""
    offset_min: int
    counter: int
    boot: int
    state_version: int
    delivery: str
    program_hash: bytes
    pulses: int
    pumped: Volume
    """Out of the reservoir since the pump was made."""
    delivered: dict[str, Mass]
    """Past the catheter's tip, one entry per drug."""
    reservoir: Volume
    """What is really in it, down to 1 nL."""
    estimate: Volume
    """What the pump believes is in it."""
    capacity: Volume
    drug: str
    concentration: Concentration
    stopped_for: int | None
    staged: bytes | None
    """Content hash of what is staged."""
    tag: bytes | None
    operations: tuple[Operation, ...]
    """Oldest first."""
    alarms: tuple[str, ...]
    keys: tuple[str, ...]
    """`role operator@station` of every paired key."""
    pairing_open: bool
    log_first: int
    log_next: int
    flash_writes: int
    """Erases, writes and flushes since the pump was made."""


def inspect_core(core: Core, name: str) -> Inspection:
    """Look at a pump that is held here."""
    engine, control, clock = core.engine, core.control, core.clock
    stopped = engine.plan.stopped_at
    return Inspection(
        name=name,
        serial=core.implant.serial,
        model=core.implant.model,
        secret=secret_text(core.implant.secret),
        bench=core.implant.bench,
        frozen=core.implant.frozen,
        time=clock.utc,
        offset_min=clock.offset_min,
        counter=clock.counter,
        boot=core.boot,
        state_version=control.state_version,
        delivery=delivery_now(core).name.lower(),
        program_hash=control.program_hash,
        pulses=engine.motor.pulses,
        pumped=Volume(core.world.pumped // PL_PER_NL),
        delivered={control.drug.name.lower(): Mass(0)}
        | {
            each.drug.name.lower(): Mass(ratio(each.mass, FG_PER_NG).half_up())
            for each in core.world.given
        },
        reservoir=Volume(core.world.reservoir.volume // PL_PER_NL),
        estimate=Volume(engine.reservoir),
        capacity=Volume(core.implant.capacity),
        drug=control.drug.name.lower(),
        concentration=Concentration(control.concentration),
        stopped_for=None if stopped is None else clock.counter - stopped,
        staged=None if core.staged is None else core.staged.content,
        tag=control.tag,
        operations=tuple(
            Operation(
                OperationId(each.operation),
                each.kind.name.lower(),
                each.result.name.lower(),
                each.state_version,
                each.at,
            )
            for each in control.ledger
        ),
        alarms=tuple(each.code.name for each in engine.alarms.raised),
        keys=tuple(f"{key.role.name.lower()} {key.operator}@{key.station}" for key in control.keys),
        pairing_open=core.pairing_open,
        log_first=core.log.first,
        log_next=core.log.next,
        flash_writes=core.flash_operations,
    )


_VOLUMES = ("pumped", "reservoir", "estimate", "capacity")
_BYTES = ("program_hash", "staged", "tag")


def to_json(seen: Inspection) -> dict[str, Any]:
    """As plain JSON: quanta as integers, bytes as hexadecimal digits."""
    table: dict[str, Any] = seen._asdict()
    for key in _VOLUMES:
        table[key] = table[key].quanta
    for key in _BYTES:
        table[key] = None if table[key] is None else table[key].hex()
    table["concentration"] = seen.concentration.quanta
    table["delivered"] = {drug: mass.quanta for drug, mass in seen.delivered.items()}
    table["operations"] = [[str(each.operation), *each[1:]] for each in seen.operations]
    return table


def from_json(table: dict[str, Any]) -> Inspection:
    """The same values back."""
    table = dict(table)
    for key in _VOLUMES:
        table[key] = Volume(table[key])
    for key in _BYTES:
        table[key] = None if table[key] is None else bytes.fromhex(table[key])
    table["concentration"] = Concentration(table["concentration"])
    table["delivered"] = {drug: Mass(mass) for drug, mass in table["delivered"].items()}
    table["operations"] = tuple(
        Operation(OperationId.from_text(each[0]), *each[1:]) for each in table["operations"]
    )
    for key in ("alarms", "keys"):
        table[key] = tuple(table[key])
    return Inspection(**table)
