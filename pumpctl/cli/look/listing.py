"""`list`: ports and pumps, as far as they are known without opening any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.cli import context
from pumpctl.cli.report import Report

if TYPE_CHECKING:
    from pumpctl.transport.holders import Holder
    from pumpctl.workflows.look.listing import EmulatorSeen, Known, PortSeen

_INDENT = 4


def list_() -> Report:
    """Show serial ports, built-in pumps, and the pumps that this station is paired with.

    Says who may open a port, who has it now, and which pump was last spoken to there.
    Changes nothing and opens no port.

    Example: pumpctl list
    """
    from pumpctl.workflows.look.listing import listing

    context.without_pump()
    found = listing(context.home())
    lines = ["Serial ports"]
    for port in found.ports:
        lines += _port_lines(port)
    if not found.ports:
        lines.append("  none; docs/ports.md helps where there should be one")
    lines.append("Built-in pumps")
    lines += [_emulator_line(one) for one in found.emulators] or [
        "  none; pumpctl emulator new NAME makes one"
    ]
    lines.append("Paired pumps")
    for pump in found.pumps:
        lines += _pump_lines(pump)
    if not found.pumps:
        lines.append("  none")
    return Report(
        "list",
        {
            "ports": [_port_json(one) for one in found.ports],
            "emulators": [_emulator_json(one) for one in found.emulators],
            "pairings": [
                {"serial": pump.serial, "operator": operator}
                for pump in found.pumps
                for operator in pump.operators
            ],
            "pumps": [_pump_json(pump) for pump in found.pumps],
        },
        "\n".join(lines),
        warnings=context.warnings(),
    )


# --- for people -------------------------------------------------------------------------


def _port_lines(one: PortSeen) -> list[str]:
    """The port and what it is worth now first, what it is below."""
    port, access = one.port, one.port.access
    state = "free"
    if one.holder is not None:
        who = f"pumpctl, process {one.holder.pid}" if one.ours else one.holder.told
        state = f"IN USE by {who}"
    elif access.permitted is False:
        state = f"NOT PERMITTED: {_whose(access.group, by_group=access.by_group)}"
    lines = [f"  {port.device:24} {state}"]
    more = []
    if port.usb is not None:
        usb = port.usb
        name = port.description or usb.name or "USB"
        maker = f", {usb.maker}" if usb.maker and usb.maker not in name else ""
        more.append(f"{name}{maker}")
        number = f", serial number {usb.serial}" if usb.serial else ""
        more.append(f"USB {usb.vendor}:{usb.product}{number}")
    elif port.description:
        more.append(port.description)
    if port.by_id is not None:
        more.append(port.by_id)
    more += port.links
    if one.pump is not None and one.pump.seen is not None:
        more.append(f"pump {one.pump.serial} was here {_time(one.pump.seen.at)}")
    return lines + [" " * _INDENT + each for each in more]


def _whose(group: str | None, *, by_group: bool) -> str:
    if group is None:
        return "the system does not say whose it is"
    return f"it is for group {group}" if by_group else "it is for its owner alone"


def _emulator_line(one: EmulatorSeen) -> str:
    pump = one.listed
    state = "free"
    if pump.served_at is not None:
        state = f"served at {pump.served_at}"
    elif one.holder is not None:
        state = f"in use by pumpctl, process {one.holder.pid}"
    frozen = ", frozen" if pump.frozen else ""
    what = f"{pump.serial}  {pump.model}" if pump.serial else "its state cannot be read"
    return f"  emu://{pump.name:18} {what}  {state}{frozen}"


def _pump_lines(pump: Known) -> list[str]:
    who = ", ".join(pump.operators)
    lines = [f"  {pump.serial:24} operator{'s' if len(pump.operators) > 1 else ''} {who}"]
    if pump.seen is not None:
        lines.append(f"{' ' * _INDENT}last seen {_time(pump.seen.at)} at {pump.seen.port}")
    return lines


def _time(at: str) -> str:
    """A station's time without its seconds and its offset."""
    return at[:16].replace("T", " ")


# --- for programs -------------------------------------------------------------------------


def _port_json(one: PortSeen) -> dict[str, Any]:
    port, usb = one.port, one.port.usb
    return {
        "port": port.device,
        "description": port.description,
        "usb": None
        if usb is None
        else {
            "vendor_id": usb.vendor,
            "product_id": usb.product,
            "manufacturer": usb.maker,
            "product": usb.name,
            "serial_number": usb.serial,
            "location": usb.location,
            "latency_timer": None if usb.latency_ms is None else f"{usb.latency_ms} ms",
        },
        "by_id": port.by_id,
        "links": list(port.links),
        "permitted": port.access.permitted,
        "group": port.access.group,
        "in_use": _holder_json(one.holder, ours=one.ours),
        "last_pump": None if one.pump is None else one.pump.serial,
    }


def _emulator_json(one: EmulatorSeen) -> dict[str, Any]:
    return {
        "port": f"emu://{one.listed.name}",
        "serial": one.listed.serial,
        "model": one.listed.model,
        "frozen": one.listed.frozen,
        "served_at": one.listed.served_at,
        "in_use": _holder_json(one.holder, ours=True),
    }


def _pump_json(pump: Known) -> dict[str, Any]:
    return {
        "serial": pump.serial,
        "model": None if pump.seen is None else pump.seen.model,
        "operators": list(pump.operators),
        "last_port": None if pump.seen is None else pump.seen.port,
        "last_seen": None if pump.seen is None else pump.seen.at,
    }


def _holder_json(holder: Holder | None, *, ours: bool) -> dict[str, Any] | None:
    if holder is None:
        return None
    return {"process": holder.pid, "program": holder.program or None, "pumpctl": ours}
