"""`emulator inspect`: a built-in pump's own truth, as JSON and for people.

What really is stands beside what the pump believes. Only shown here; the values
come from the emulator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.quantities import Duration, Mass
from pumpctl.quantity_text import decimal_text
from pumpctl.therapy.moment import DAY_MS, Moment

if TYPE_CHECKING:
    from pumpctl.emulator.edge.inspection import FaultSeen, Fluid, Inspection

_PL_IN_ML = 1_000_000_000


def inspect(name: Annotated[str, typer.Argument(help="The pump's name.")]) -> Report:
    """Show a built-in pump's own truth: what no telemetry could tell.

    Example: pumpctl emulator inspect ward-3 --json
    """
    from pumpctl.emulator.edge import bench as pumps

    context.without_pump()
    told = pumps.inspect(context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
    text = "\n".join(_lines(told))
    return Report("emulator.inspect", inspection(told), text, warnings=context.warnings())


# --- for programs ----------------------------------------------------------------------------


def inspection(told: Inspection) -> dict[str, Any]:
    """The contract's `emulator inspect` → `data`, and what an engineer asks next."""
    return {
        "time": _time(told, told.time),
        "pulses": told.pulses,
        "pumped": str(told.pumped),
        "delivered": _masses(told.delivered),
        "reservoir": str(told.reservoir),
        "program": {"hash": told.program_hash.hex()},
        "operations": [
            {
                "operation": str(one.operation),
                "kind": one.kind,
                "result": one.result,
                "state_version": one.state_version,
                "at": _time(told, one.at),
            }
            for one in told.operations
        ],
        "flash_writes": told.flash_writes,
        "serial": told.serial,
        "model": told.model,
        "pairing_secret": told.secret,
        "bench": told.bench,
        "frozen": told.frozen,
        "state_version": told.state_version,
        "delivery": told.delivery,
        "drug": {"name": told.drug, "concentration": str(told.concentration)},
        "boot": told.boot,
        "counter_ms": told.counter,
        "staged": None if told.staged is None else told.staged.hex(),
        "alarms": list(told.alarms),
        "sounding": None if told.sounding is None else told.sounding._asdict(),
        "keys": list(told.keys),
        "pairing_open": told.pairing_open,
        "log": {"first": told.log_first, "next": told.log_next},
        **_of_the_world(told),
        **_of_the_pump(told),
    }


def _of_the_world(told: Inspection) -> dict[str, Any]:
    truth = told.truth
    return {
        "past_tip": [
            {
                "from": _time(told, hour.since),
                "to": _time(told, hour.until),
                "mass": str(hour.mass),
            }
            for hour in truth.hours
        ],
        "spells": [
            {
                "from": _time(told, spell.since),
                "to": _time(told, spell.until),
                "drug": spell.drug,
                "concentration": str(spell.concentration),
                "volume": str(spell.volume),
                "mass": str(spell.mass),
            }
            for spell in truth.spells
        ],
        "line": _fluids(truth.line),
        "reservoir_concentration": str(truth.reservoir_concentration),
        "leaked": {"volume": str(truth.leaked_volume), "mass": _masses(truth.leaked)},
        "spilled": {"volume": str(truth.spilled_volume), "mass": _masses(truth.spilled)},
        "air": str(truth.air),
        "true_pulse": f"{decimal_text(truth.pulse, _PL_IN_ML)} mL",
        "motor_turns": truth.motor_turns,
        "faults": [fault_json(told, fault) for fault in truth.faults],
    }


def _of_the_pump(told: Inspection) -> dict[str, Any]:
    believed, bridge, own = told.believed, told.bridge, told.patient_doses
    return {
        "believed": {
            "reservoir": str(believed.reservoir),
            "line": _fluids(believed.line),
            "given": _masses(believed.given),
        },
        "lost_pulses": told.lost_pulses,
        "bridge": None
        if bridge is None
        else {
            "volume": str(bridge.volume),
            "passed": str(bridge.passed),
            "concentration": str(bridge.concentration),
        },
        "patient_doses": None
        if own is None
        else {"left": own.left, "next_at": _time(told, told.time + own.wait_ms)},
        "battery": {"charge": f"{decimal_text(told.charge, 100)} %"},
        "wear": dict(told.wear),
    }


def fault_json(told: Inspection, fault: FaultSeen) -> dict[str, Any]:
    """One fault that is in force."""
    return {
        "kind": fault.kind,
        "amount": fault.amount or None,
        "way": fault.way or None,
        "since": _time(told, fault.since),
        "until": None if fault.until is None else _time(told, fault.until),
    }


def _time(told: Inspection, utc: int) -> str:
    return str(Moment(utc, told.offset_min))


def _masses(masses: dict[str, Mass]) -> dict[str, str]:
    return {drug: str(mass) for drug, mass in masses.items()}


def _fluids(line: Iterable[Fluid]) -> list[dict[str, Any]]:
    return [
        {"volume": str(part.volume), "drug": part.drug, "concentration": str(part.concentration)}
        for part in line
    ]


# --- for people -------------------------------------------------------------------------------


def _lines(told: Inspection) -> Iterator[str]:
    truth, believed = told.truth, told.believed
    label = Moment(told.time, told.offset_min).label()
    frozen = " · frozen" if told.frozen else ""
    yield f"{told.name} · {told.serial}, {told.model} · {label} by its clock{frozen}"
    yield f"  {told.delivery} · alarms: {', '.join(told.alarms) or 'none'}"
    yield ""
    filled = str(truth.reservoir_concentration) if told.reservoir else "empty"
    drug_free = "air" if truth.air else "free of drug"
    rows = [
        ("", "really", "as the pump believes"),
        ("reservoir", str(told.reservoir), str(believed.reservoir)),
        ("filled with", filled, str(told.concentration)),
        ("past the tip", _plain(told.delivered), _plain(believed.given)),
        ("in the line", _line(truth.line, drug_free), _line(believed.line, "free of drug")),
    ]
    wide = max(len(real) for _, real, _ in rows) + 3
    for name, real, thought in rows:
        yield f"{name:14}{real:{wide}}{thought}"
    for text in _losses(told):
        yield f"{'':14}{text}"
    yield ""
    day = [hour.mass.quanta for hour in truth.hours if hour.until > told.time - DAY_MS]
    yield f"last 24 h     {Mass(sum(day))} past the tip"
    for fault in truth.faults:
        yield f"fault         {fault_text(told, fault)}"
    if told.bridge is not None:
        yield (
            f"bridge        {told.bridge.passed} of {told.bridge.volume} passed, "
            f"metered at {told.bridge.concentration}"
        )
    if told.patient_doses is not None:
        wait = told.patient_doses.wait_ms
        yield (
            f"patient doses {told.patient_doses.left} left in 24 h, "
            f"{f'the next in {Duration(wait)}' if wait else 'one may be taken now'}"
        )
    if told.sounding is not None:
        yield f"sounds        {told.sounding.priority}: {told.sounding.why}"
    if told.staged is not None:
        yield f"staged        {told.staged.hex()[:8]}, not active"
    yield ""
    lost = f", {told.lost_pulses} lost" if told.lost_pulses else ""
    true_pulse = f"{decimal_text(truth.pulse, 1_000)} nL each"
    yield f"motor         {told.pulses} pulses{lost}; {true_pulse}" + (
        "" if truth.motor_turns else "; it does not turn"
    )
    yield f"battery       {decimal_text(told.charge, 100)} %"
    worn = max(told.wear, key=lambda region: told.wear[region])
    yield (
        f"flash         {told.flash_writes} operations; most worn: {worn}, "
        f"{told.wear[worn]} erasures"
    )
    yield f"program       {told.program_hash.hex()[:16]}, state version {told.state_version}"
    yield f"log           entries {told.log_first} to {told.log_next - 1}, boot {told.boot}"
    yield f"keys          {', '.join(told.keys) or 'none'}" + (
        "; open for pairing" if told.pairing_open else ""
    )
    yield f"card          {told.secret}"
    for one in told.operations:
        yield (
            f"operation     {str(one.operation)[:8]} {one.kind} {one.result}, "
            f"state version {one.state_version}"
        )


def _losses(told: Inspection) -> Iterator[str]:
    truth = told.truth
    if truth.leaked_volume:
        yield f"{truth.leaked_volume} leaked, {_plain(truth.leaked)}"
    if truth.spilled_volume:
        yield f"{truth.spilled_volume} beside the reservoir, {_plain(truth.spilled)}"
    if truth.air:
        yield f"{truth.air} of air drawn"


def fault_text(told: Inspection, fault: FaultSeen) -> str:
    """One fault for people."""
    words = [fault.kind, *([fault.amount] if fault.amount else [])]
    if fault.way == "less":
        words.append("less")
    until = "" if fault.until is None else Moment(fault.until, told.offset_min).label()
    return " ".join(words) + (f", until {until}" if until else "")


def _plain(masses: dict[str, Mass]) -> str:
    return ", ".join(f"{mass} {drug}" for drug, mass in masses.items() if mass) or "nothing"


def _line(parts: Iterable[Fluid], drug_free: str) -> str:
    """From the tip on. A motor that has drawn air has it in the line."""
    return " | ".join(
        f"{part.volume} {part.concentration if part.drug else drug_free}" for part in parts
    )
