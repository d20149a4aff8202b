"""The emulator's own truth at one instant, as plain values.

This is what the world knows, beside what the pump believes, and not what the
line tells: real fluid, real pulses, the card's secret. Looking writes nothing to
flash.
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpctl.emulator.acts import alarm_test, patient_dose
from pumpctl.emulator.acts.look import delivery_now
from pumpctl.emulator.body.faults import FAULTS
from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL, Given, Plug
from pumpctl.emulator.body.tip import HOUR_MS, Spell
from pumpctl.emulator.core import Core
from pumpctl.emulator.edge.faulting import amount_text
from pumpctl.emulator.engine.battery import CELL
from pumpctl.emulator.engine.exact import ratio
from pumpctl.emulator.memory import image
from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.wire.codes import Drug
from pumpctl.wire.secret import secret_text


class Operation(NamedTuple):
    """One entry of the pump's ledger."""

    operation: OperationId
    kind: str
    result: str
    state_version: int
    at: int
    """UTC ms"""


class Fluid(NamedTuple):
    """Some of a line, from the tip on."""

    volume: Volume
    drug: str | None
    """None for water or air."""
    concentration: Concentration


class AtTip(NamedTuple):
    """What left the tip between two instants (UTC ms, by the present label)."""

    since: int
    until: int
    mass: Mass


class SpellAtTip(NamedTuple):
    """A stretch in which one fluid left the tip."""

    since: int
    until: int
    drug: str | None
    concentration: Concentration
    volume: Volume
    mass: Mass


class FaultSeen(NamedTuple):
    """A fault that is in force, or is to come."""

    kind: str
    amount: str
    """With its unit; empty where the kind has none."""
    way: str
    """`less` for an amount below 0, `more` for another, empty where there is none."""
    since: int
    until: int | None
    """UTC ms, by the present label; None: until it is cleared or used up."""


class BridgeSeen(NamedTuple):
    """A bridge that runs, as the pump meters it."""

    volume: Volume
    passed: Volume
    concentration: Concentration
    """Of the old fluid."""


class PatientSeen(NamedTuple):
    """The patient's own doses."""

    left: int
    """Of the most in 24 h."""
    wait_ms: int


class Sounding(NamedTuple):
    """What can be heard."""

    priority: str
    why: str
    """The alarm's code, or `test`."""


class Truth(NamedTuple):
    """What really is."""

    hours: tuple[AtTip, ...]
    """Past the tip, hour by hour of the pump's counter, the last week's."""
    spells: tuple[SpellAtTip, ...]
    line: tuple[Fluid, ...]
    leaked: dict[str, Mass]
    leaked_volume: Volume
    spilled: dict[str, Mass]
    spilled_volume: Volume
    air: Volume
    reservoir_concentration: Concentration
    pulse: int
    """pL that one pulse really moves."""
    motor_turns: bool
    faults: tuple[FaultSeen, ...]


class Believed(NamedTuple):
    """What the pump takes for true."""

    reservoir: Volume
    line: tuple[Fluid, ...]
    given: dict[str, Mass]


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
    lost_pulses: int
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
    sounding: Sounding | None
    keys: tuple[str, ...]
    """`role operator@station` of every paired key."""
    pairing_open: bool
    log_first: int
    log_next: int
    flash_writes: int
    """Erases, writes and flushes since the pump was made."""
    wear: dict[str, int]
    """Most erasures of one page, by region of the flash."""
    charge: int
    """Of the cell, in hundredths of a percent, rounded down."""
    bridge: BridgeSeen | None
    patient_doses: PatientSeen | None
    believed: Believed
    truth: Truth


def inspect_core(core: Core, name: str) -> Inspection:
    """Look at a pump that is held here."""
    engine, control, clock = core.engine, core.control, core.clock
    stopped = engine.plan.stopped_at
    own = patient_dose.state(core)
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
        lost_pulses=engine.motor.lost,
        pumped=Volume(core.world.pumped // PL_PER_NL),
        delivered={_word(control.drug): Mass(0)} | _masses(core.world.given),
        reservoir=Volume(core.world.reservoir.volume // PL_PER_NL),
        estimate=Volume(engine.reservoir),
        capacity=Volume(core.implant.capacity),
        drug=_word(control.drug),
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
        sounding=_sounding(core),
        keys=tuple(f"{key.role.name.lower()} {key.operator}@{key.station}" for key in control.keys),
        pairing_open=core.pairing_open,
        log_first=core.log.first,
        log_next=core.log.next,
        flash_writes=core.flash_operations,
        wear={
            region: max(
                core.flash.erasures(page) for run, count in runs for page in range(run, run + count)
            )
            for region, runs in image.REGIONS.items()
        },
        charge=engine.battery.held.charge * 10_000 // CELL,
        bridge=_bridge(core),
        patient_doses=None if own is None else PatientSeen(own.left, own.next_in),
        believed=Believed(
            Volume(engine.reservoir),
            _fluids(engine.line.plugs),
            _masses(engine.past_tip.entries()),
        ),
        truth=_truth(core),
    )


def _truth(core: Core) -> Truth:
    world, now = core.world, core.engine.world_time
    label = core.clock.utc - now
    """Of the world's time 0: hours and faults are by the world's own counter."""
    return Truth(
        hours=tuple(
            AtTip(label + hour * HOUR_MS, label + (hour + 1) * HOUR_MS, _mass(mass))
            for hour, mass in world.hours
        ),
        spells=tuple(_spell(each, label) for each in world.spells),
        line=_fluids(world.line.plugs),
        leaked=_masses(world.leaked),
        leaked_volume=Volume(world.leaked_volume // PL_PER_NL),
        spilled=_masses(world.spilled),
        spilled_volume=Volume(world.spilled_volume // PL_PER_NL),
        air=Volume(world.air // PL_PER_NL),
        reservoir_concentration=Concentration(world.reservoir.concentration),
        pulse=world.pulse,
        motor_turns=world.turns(now),
        faults=tuple(
            FaultSeen(
                FAULTS[each.kind].word,
                amount_text(each.kind, each.amount),
                ("less" if each.amount < 0 else "more") if FAULTS[each.kind].least < 0 else "",
                label + each.since,
                None if each.until is None else label + each.until,
            )
            for each in world.faults
            if each.until is None or now < each.until
        ),
    )


def _bridge(core: Core) -> BridgeSeen | None:
    bridging = core.control.bridging
    if bridging is None:
        return None
    passed = (core.engine.motor.pulses - bridging.since) * core.implant.pulse
    return BridgeSeen(
        Volume(bridging.volume),
        Volume(min(passed, bridging.volume)),
        Concentration(bridging.concentration),
    )


def _sounding(core: Core) -> Sounding | None:
    signal = alarm_test.sounding(core)
    if signal is None:
        return None
    return Sounding(signal.priority.name.lower(), "test" if signal.why is None else signal.why.name)


def _word(drug: Drug) -> str:
    return drug.name.lower()


def _mass(femtograms: int) -> Mass:
    return Mass(ratio(femtograms, FG_PER_NG).half_up())


def _masses(given: Iterable[Given]) -> dict[str, Mass]:
    return {_word(each.drug): _mass(each.mass) for each in given}


def _fluids(plugs: Iterable[Plug]) -> tuple[Fluid, ...]:
    return tuple(
        Fluid(
            Volume(each.volume // PL_PER_NL),
            _word(each.drug) if each.mass else None,
            Concentration(each.concentration),
        )
        for each in plugs
    )


def _spell(each: Spell, label: int) -> SpellAtTip:
    fluid = Plug(each.volume, each.drug, each.mass, each.batch)
    return SpellAtTip(
        label + each.since,
        label + each.until,
        _word(each.drug) if each.mass else None,
        Concentration(fluid.concentration),
        Volume(each.volume // PL_PER_NL),
        _mass(each.mass),
    )
