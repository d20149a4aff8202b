"""The patient's own dose: taken by a local act, allowed or refused by the pump alone (BOL-04).

Lockout counts from the end of any bolus, the most in any 24 h by start. Neither
a push, a clock set nor a reboot resets a counter; what the always-on memory
loses is in the log. No message of the line gives one.
"""

from __future__ import annotations

from pumpctl.emulator.acts.caller import Refused
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.following import follow
from pumpctl.emulator.memory.control import Order
from pumpctl.wire.codes import BolusKind, LogKind, Refuse
from pumpctl.wire.messages import PatientState
from pumpctl.wire.program import PatientDose

_NOBODY = bytes(16)


def take(core: Core) -> Refused | None:
    """The patient presses. Given, or the reason why not; the log says either."""
    counter = core.clock.counter
    try:
        own = _allowed(core)
    except Refused as no:
        core.record(LogKind.PATIENT_REFUSED, no.code, _wait(core))
        return no
    number = core.control.orders + 1
    order = Order(
        number, _NOBODY, BolusKind.PATIENT, own.dose, own.over, core.control.concentration, counter
    )
    data = int(BolusKind.PATIENT).to_bytes(2, "big") + _NOBODY + bytes(2)
    core.commit(
        core.control._replace(order=order, orders=number),
        Event(LogKind.PATIENT_DOSE, own.dose, own.over),
        Event(LogKind.BOLUS_STARTED, own.dose, own.over, data),
    )
    follow(core)
    return None


def state(core: Core) -> PatientState | None:
    """What is left of the last 24 hours, and how long until the next; None without any."""
    own = _program_dose(core)
    return None if own is None else PatientState(max(0, own.most - len(_recent(core))), _wait(core))


def _program_dose(core: Core) -> PatientDose | None:
    return None if core.program is None or core.on_fallback else core.program.patient_dose


def _allowed(core: Core) -> PatientDose:
    own = _program_dose(core)
    if own is None:
        raise Refused(Refuse.UNSUPPORTED, "the program gives the patient no doses of their own")
    from pumpctl.emulator.acts import limits, outlook  # a look asks for the state alone
    from pumpctl.emulator.acts.boluses import refuse_by_state
    from pumpctl.emulator.engine.ahead import Asked

    refuse_by_state(core)
    if _wait(core):
        raise Refused(Refuse.LOCKOUT, "locked out, or the most of 24 h is taken")
    due = core.engine.turns.next(core.engine.plan.schedule)
    if due is not None and due.start < core.clock.local + own.over:
        raise Refused(Refuse.BOLUS_RUNNING, "a scheduled bolus begins before it would end")
    hard = outlook.hard_now(core)
    bolus = Asked(own.dose, own.over)
    limits.check_bolus(bolus, hard, patient=True)
    outlook.judge_flow_and_windows(core, outlook.now(core, bolus), hard)
    return own


def _recent(core: Core) -> tuple[int, ...]:
    """Counters of the doses of the last 24 hours."""
    since = core.clock.counter - DAY_MS
    return tuple(each for each in core.engine.patient_starts if each > since)


def _wait(core: Core) -> int:
    """ms until lockout and count allow the next; 0 where they do."""
    own = _program_dose(core)
    if own is None:
        return 0
    counter, last = core.clock.counter, core.engine.last_bolus_end
    until = [counter]
    running = [bolus.started + bolus.over for bolus in core.engine.boluses]
    if running:
        until.append(max(running) + own.lockout)
    elif last is not None:
        until.append(last + own.lockout)
    recent = _recent(core)
    if len(recent) >= own.most:
        until.append(recent[len(recent) - own.most] + DAY_MS)
    return max(until) - counter
