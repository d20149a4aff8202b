"""The kind BOLUS: a clinician's single or priming bolus, on top of the program.

It leaves the program alone (BOL-08). When one may begin is the matrix of BOL-04
and REF-08; how much, `limits`. Giving it is the delivery engine's matter.
"""

from __future__ import annotations

from pumpctl.emulator.acts import limits, outlook
from pumpctl.emulator.acts.act import Accepted, Act, Change
from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.acts.readback import content_of
from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL, PlugFlow, pure
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.ahead import Asked
from pumpctl.emulator.engine.alarms import ALARMS
from pumpctl.emulator.engine.exact import ratio
from pumpctl.emulator.engine.figures import Figures
from pumpctl.emulator.memory.control import Control, Order
from pumpctl.wire.codes import BolusKind, Holds, Kind, LogKind, Refuse
from pumpctl.wire.messages_acts import BolusReadback, StageBolus

NONCE_LASTS_MS = 30_000
"""A bolus that is confirmed later than that must be asked for again (BOL-07)."""


def refuse_by_state(core: Core) -> None:
    """No bolus in any of these states, whoever asks (BOL-04, REF-08)."""
    engine, control = core.engine, core.control
    if engine.plan.stopped_at is not None:
        raise Refused(Refuse.STOPPED, "the pump is stopped")
    if core.on_fallback:
        raise Refused(Refuse.CRITICAL_ALARM, "the fallback rate is in force")
    if core.testing:
        raise Refused(Refuse.SELF_TEST, "a self-test is running")
    if control.bridging is not None:
        raise Refused(Refuse.BRIDGE_RUNNING, "a bridge is running: the old drug is at the tip")
    refuse_mixed_line(core)
    if engine.boluses:
        raise Refused(Refuse.BOLUS_RUNNING, "a bolus is running")
    if engine.alarms.critical:
        raised = [each.code for each in engine.alarms.raised]
        names = ", ".join(code.name for code in raised if ALARMS[code].blocks_bolus)
        raise Refused(Refuse.CRITICAL_ALARM, f"a critical alarm: {names}")


def refuse_mixed_line(core: Core) -> None:
    """Metered by the reservoir's drug, a bolus would push out as much of another one."""
    held = core.control.concentration
    if any(plug.mass and plug.concentration != held for plug in core.engine.line.plugs):
        raise Refused(Refuse.BRIDGE_RUNNING, "drug of another concentration is still in the line")


def _judge(core: Core, asked: StageBolus) -> None:
    if asked.kind not in (BolusKind.SINGLE, BolusKind.PRIME):
        raise Refused(Refuse.IMPLAUSIBLE, "a clinician gives a single or a priming bolus")
    refuse_by_state(core)
    if asked.kind is BolusKind.PRIME:
        _refuse_prime(core, asked.dose)
    hard = outlook.hard_now(core)
    wait = _lockout(core, hard.bolus_lockout)
    if wait:
        raise Refused(Refuse.LOCKOUT, f"locked out for {-(-wait // 1000)} s after the last bolus")
    bolus = Asked(asked.dose, asked.over)
    limits.check_bolus(bolus, hard)
    outlook.judge_flow_and_windows(core, outlook.now(core, bolus), hard)


def _refuse_prime(core: Core, dose: int) -> None:
    """Only what is recorded as free of drug is primed, and no more of it (REF-09)."""
    line, record = core.engine.line, core.record_in_force
    if Holds.UNKNOWN in (record.tubing_holds.holds, record.catheter_holds.holds):
        raise Refused(Refuse.IMPLAUSIBLE, "what the line holds is unknown: it is not primed")
    free = 0
    for plug in line.plugs:
        if plug.mass:
            break
        free += plug.volume
    if dose * FG_PER_NG > free * core.control.concentration:
        raise Refused(Refuse.RANGE, f"only {free // PL_PER_NL} nL at the tip are free of drug")


def _lockout(core: Core, lasts: int) -> int:
    last = core.engine.last_order_end
    return 0 if last is None else max(0, last + lasts - core.clock.counter)


def _read(core: Core, stored: bytes, asked: StageBolus) -> BolusReadback:
    """`past_tip` follows the line's contents; all else depends on the stored bytes alone."""
    control, engine = core.control, core.engine
    volume = ratio(asked.dose * 1_000, control.concentration)
    line = PlugFlow(engine.line.plugs)
    pushed = pure(
        (volume.times(PL_PER_NL)).half_up(), control.drug, control.concentration, engine.batch
    )
    past = ratio(sum(plug.mass for plug in line.push(pushed)), FG_PER_NG).half_up()
    program = core.program
    day = 0 if program is None else Figures(program, core.implant.least_flow).largest_24h()
    return BolusReadback(
        kind=Kind.BOLUS,
        content=content_of(stored),
        bolus=asked.kind,
        dose=asked.dose,
        volume=volume.half_up(),
        over=asked.over,
        past_tip=past,
        stays_in_line=max(0, asked.dose - past),
        largest_24h=day + asked.dose,
    )


def _change(core: Core, control: Control, asked: StageBolus, how: Accepted) -> Change:
    number = control.orders + 1
    order = Order(
        number,
        how.operation,
        asked.kind,
        asked.dose,
        asked.over,
        control.concentration,
        core.clock.counter,
    )
    data = int(asked.kind).to_bytes(2, "big") + how.operation + bytes(2)
    event = Event(LogKind.BOLUS_STARTED, asked.dose, asked.over, data)
    return Change(control._replace(order=order, orders=number), (event,))


BOLUS = Act(Kind.BOLUS, _judge, _read, _change)
