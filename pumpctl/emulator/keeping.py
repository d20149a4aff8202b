"""What the pump does by itself and must keep: an end of a bolus or a bridge, fallback, a stop.

Each is one commit of the control block, so that power may go at any instant.
What a station asks for is in `acts`; when it is time for one of these is seen by
the delivery engine or by a self-test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.emulator import following
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.alarms import ALARMS
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import Control, Order
from pumpctl.emulator.memory.retained import Bolus
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind

if TYPE_CHECKING:
    from pumpctl.emulator.core import Core

_NOBODY = bytes(20)


def with_given(control: Control, given: int) -> Control:
    """The order is over; the ledger says what it really gave (BOL-03)."""
    order = control.order
    if order is None:
        return control
    asked = order.kind is not BolusKind.PATIENT
    kept = tuple(
        each._replace(delivered=given) if asked and each.operation == order.operation else each
        for each in control.ledger
    )
    return control._replace(ledger=kept, order=None)


def _is(order: Order | None, bolus: Bolus) -> bool:
    return order is not None and (order.kind, order.operation) == (bolus.kind, bolus.operation)


def order_over(core: Core, control: Control) -> Control:
    """The same for whatever order is running now: it is ended with what it has given."""
    for bolus in core.engine.boluses:
        if _is(control.order, bolus):
            return with_given(control, core.engine.given(bolus).half_up())
    return with_given(control, 0)


def settle(core: Core, bolus: Bolus, given: int, data: bytes) -> bool:
    """The end of an ordered bolus, durable with its log entry; False where it is so already."""
    if not _is(core.control.order, bolus):
        return False
    core.commit(
        with_given(core.control, given), Event(LogKind.BOLUS_ENDED, bolus.dose, given, data)
    )
    return True


def end_bridge(core: Core) -> None:
    """The new fluid is at the tip."""
    bridging = core.control.bridging
    if bridging is None:
        return
    passed = (core.engine.motor.pulses - bridging.since) * core.implant.pulse
    core.commit(
        core.control._replace(bridging=None),
        Event(LogKind.BRIDGE_ENDED, bridging.volume, passed, bridging.operation + bytes(4)),
    )
    core.engine.set_plan(following.plan_of(core))


def settle_lost(core: Core, known_until: int) -> None:
    """An order that was lost with the always-on memory: given is what is certain (BOL-03)."""
    order = core.control.order
    if order is None or any(_is(order, bolus) for bolus in core.engine.boluses):
        return
    elapsed = min(order.over, max(0, known_until - order.started))
    given = order.dose * elapsed // order.over
    data = int(order.kind).to_bytes(2, "big") + order.operation + bytes(2)
    core.commit(
        with_given(core.control, given), Event(LogKind.BOLUS_ENDED, order.dose, given, data)
    )


def lose_program(core: Core) -> None:
    """It cannot be followed any more: the fallback, with the highest alarm, in one commit."""
    code = AlarmCode.MEMORY_BOTH_COPIES
    if code in [each.code for each in core.engine.alarms.raised]:
        enter_fallback(core)
        return
    enter_fallback(core, Event(LogKind.ALARM_RAISED, code, ALARMS[code].priority))
    core.know_alarm(code, True, utc=core.clock.utc, counter=core.clock.counter)


def enter_fallback(core: Core, *events: Event) -> None:
    """The prescriber's fallback rate, or nothing where it is lost, too (PRG-07, STP-03)."""
    fallback = slots.fallback_in(core.fallbacks[core.control.fallback_pair])
    stopped_at = core.control.stopped_at
    if fallback is None and stopped_at is None:
        since = core.engine.plan.stopped_at  # a start that found nothing to give, gave nothing
        stopped_at = core.clock.counter if since is None else since
    version = core.control.state_version + 1
    core.commit(
        core.control._replace(state_version=version, on_fallback=True, stopped_at=stopped_at),
        Event(LogKind.FALLBACK, fallback.rate if fallback else 0, version),
        *events,
    )
    core.engine.set_plan(following.plan_of(core))


def stop_by_itself(core: Core) -> None:
    """The cell is dead: a stop like any other, but nobody's operation."""
    version = core.control.state_version + 1
    control = order_over(core, core.control)
    core.commit(
        control._replace(state_version=version, stopped_at=core.clock.counter),
        Event(LogKind.STOPPED, version, 0, _NOBODY),
    )
    core.engine.set_plan(following.plan_of(core))


def within_limits(core: Core, dose: int, over: int) -> bool:
    """Would a bolus that begins now keep to flow and windows?"""
    from pumpctl.emulator.acts import outlook  # only where one is judged: a look needs none of it
    from pumpctl.emulator.acts.caller import Refused
    from pumpctl.emulator.engine.ahead import Asked

    try:
        outlook.judge_flow_and_windows(core, outlook.now(core, bolus=Asked(dose, over)))
    except Refused:
        return False
    return True
