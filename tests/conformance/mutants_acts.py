"""Mutants of boluses, bridges, refills, clock, patient, implant and tables of limits."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.engine import turns as turns_module
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire import messages_implant as implant
from pumpctl.wire.codes import BolusKind, Delivery, LogKind, Refuse
from tests.conformance.log_tools import writes
from tests.conformance.mutate import (
    Go,
    Patch,
    answers,
    breaks,
    fields,
    forgets,
    handled,
    later,
    lets,
    on,
)

# --- boluses ----------------------------------------------------------------------

fields("P2-bolus", m.Status, rate=lambda told: told.rate + (told.bolus is not None))


@breaks("P2-prime")
def _all_single(patch: Patch) -> None:
    def shown(answer: Any, _core: Any, _asked: Any) -> Any:
        bolus = answer.bolus
        made = None if bolus is None else bolus._replace(kind=BolusKind.SINGLE)
        return answer._replace(bolus=made)

    answers(patch, m.Status, shown)


fields("P4-bolus", acts.BolusReadback, largest_24h=lambda told: told.largest_24h - told.dose)
on("P9-bolus", m.Activate, lambda core, message, _a: forgets(core, message.operation), before=True)
lets("P8-bolus-running", Refuse.BOLUS_RUNNING)
lets("P8-bolus-stopped", Refuse.STOPPED)
lets("P8-order-zero", asked=acts.StageBolus, when=lambda order: not order.dose)
lets(
    "P8-bolus-kind",
    asked=acts.StageBolus,
    when=lambda order: order.kind in (BolusKind.SCHEDULED, BolusKind.PATIENT),
)
lets("P8-bolus-rate", Refuse.LIMIT_RATE, asked=acts.StageBolus)
lets("P8-bolus-window", Refuse.LIMIT_WINDOW, asked=acts.StageBolus)
lets("P8-bolus-tag", Refuse.PATIENT_TAG, asked=acts.StageBolus)


@breaks("P19-cancel-bolus")
def _cancels_free(patch: Patch) -> None:
    def told(answer: Any, _core: Any, asked: Any) -> Any:
        free = isinstance(asked, m.CancelBolus)
        return answer._replace(state_version=answer.state_version - free)

    answers(patch, m.Done, told)


@breaks("P19-stop-bolus")
def _keeps_bolus(patch: Patch) -> None:
    """A stop keeps the bolus, and goes on with it."""
    held: list[Any] = []

    def shown(answer: Any, _core: Any, _asked: Any) -> Any:
        if answer.bolus is not None:
            held[:] = [answer.bolus]
        return answer._replace(bolus=held[0] if held else None)

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if isinstance(message, m.CancelBolus):
            held.clear()
        answer = go(message)
        if isinstance(answer, m.Done) and isinstance(message, m.Activate):
            held[:] = held or [m.RunningBolus(BolusKind.SINGLE, 1, 0, 1, 2)]
        return shown(answer, None, None) if isinstance(answer, m.Status) else answer

    handled(patch, handler)


@breaks("P2-bolus-program")
def _push_ends_bolus(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        program = isinstance(answer, m.Done) and not core.engine.plan.stopped_at
        if program and isinstance(message, m.Activate) and answer.kind.name == "PROGRAM":
            core.engine.boluses.clear()
        return answer

    handled(patch, handler)


writes("P16-bolus", LogKind.BOLUS_STARTED, data=bytes(20))
writes("P16-bolus-order", LogKind.BOLUS_STARTED, kind=LogKind.BOLUS_ENDED)


def _patient(name: str, **wrong: Any) -> None:
    def shown(told: Any) -> Any:
        state = told.patient_dose
        return None if state is None else state._replace(**wrong)

    fields(name, m.Status, patient_dose=shown)


_patient("L11-patient-dose", left=200)
_patient("P8-lockout", next_in=0)

# --- bridges -----------------------------------------------------------------------------


def _days_at_own(told: Any) -> Any:
    return tuple(day._replace(volume=day.volume + 1) for day in told.days)


fields("P4-bridge", acts.BridgeReadback, days=_days_at_own)
lets("P8-bridge-range", Refuse.RANGE, asked=acts.StageBridge)
lets("P8-bridge-fluid", Refuse.CONCENTRATION, asked=acts.StageBridge)
lets("P8-bridge-tag", Refuse.PATIENT_TAG, asked=acts.StageBridge)
fields("P8-bridge-lowered", acts.BridgeReadback, program_hash=bytes(32))
writes("P2-bridge-passed", LogKind.BRIDGE_ENDED, data=bytes(20))
writes("P2-bridge-end", LogKind.BRIDGE_ENDED, a=0)


def _no_bridge(told: Any) -> Any:
    return Delivery.DELIVERING if told.delivery is Delivery.BRIDGE else told.delivery


fields("P2-bridge", m.Status, delivery=_no_bridge)
fields("P2-refill-bridge", m.Status, delivery=_no_bridge)
lets("P8-bridge-bolus", Refuse.BRIDGE_RUNNING, asked=acts.StageBolus)
lets("P8-bridge-increase", Refuse.BRIDGE_RUNNING, asked=m.StageProgram)


@breaks("P19-bridge")
def _stop_ends_bridge(patch: Patch) -> None:
    def shown(told: Any, _core: Any, _asked: Any) -> Any:
        return told._replace(bridge=None) if told.stopped_for is not None else told

    answers(patch, m.Status, shown)


# --- refills ------------------------------------------------------------------------------

fields("P4-refill", acts.RefillReadback, largest_hour=lambda told: told.largest_hour + 1)
fields("P2-refill", m.Status, filled_at=1)
fields("P2-refill-since", m.Status, reservoir=lambda told: told.reservoir + 100)
fields("P2-refill-concentration", m.Status, concentration=2000)
lets("P8-refill-bridge", Refuse.CONCENTRATION, asked=acts.StageRefill)
lets("P8-refill-bolus", Refuse.BOLUS_RUNNING, asked=acts.StageRefill)
lets("P8-refill-mixed", Refuse.BRIDGE_RUNNING, asked=acts.StageBolus)
lets("P8-refill-range", Refuse.RANGE, asked=acts.StageRefill)
lets("P8-refill-program", Refuse.LIMIT_RATE_LOW, asked=acts.StageRefill)
lets("P8-refill-tag", Refuse.PATIENT_TAG, asked=acts.StageRefill)
writes("P16-refilled", LogKind.REFILLED, a=1)


@breaks("P2-refill-stopped")
def _refilled_stopped(patch: Patch) -> None:
    kinds: list[str] = []

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(answer, m.Done):
            kinds.append(answer.kind.name)
        if isinstance(answer, m.Status) and kinds[-2:] == ["STOP", "REFILL"]:
            return answer._replace(delivery=Delivery.STOPPED)
        return answer

    handled(patch, handler)


# --- the clock ------------------------------------------------------------------------------

fields("P4-clock", acts.ClockReadback, missed=0)
on("P18-clock", acts.StageClock, lambda core, _m, _a: later(core))
lets("P8-clock", Refuse.CLOCK)


@breaks("P18-late")
def _never_late(patch: Patch) -> None:
    patch.setattr(turns_module, "LATE_MS", 0)


@breaks("P18-missed")
def _always_late(patch: Patch) -> None:
    patch.setattr(turns_module, "LATE_MS", 1 << 60)


@breaks("P18-once")
def _no_turns(patch: Patch) -> None:
    inner = turns_module.Turns.set_to

    def set_to(self: Any, *label: Any) -> None:
        inner(self, *label)
        self.served = ()

    patch.setattr(turns_module.Turns, "set_to", set_to)


@breaks("P18-basal")
def _old_rate(patch: Patch) -> None:
    held: list[int] = []

    def handler(_core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(answer, m.Done) and answer.kind.name == "PROGRAM":
            held.clear()
        if isinstance(answer, m.Status):
            held[:] = held or [answer.rate]
            return answer._replace(rate=held[0])
        return answer

    handled(patch, handler)


writes("P16-clock", LogKind.CLOCK_SET, a=lambda entry: entry.b)


@breaks("P18-running")
def _clock_ends_bolus(patch: Patch) -> None:
    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        if isinstance(answer, m.Done) and answer.kind.name == "CLOCK":
            core.engine.boluses.clear()
        return answer

    handled(patch, handler)


# --- patient, implant, tables ---------------------------------------------------------------

fields("P4-patient", acts.PatientReadback, old=None)
fields("P2-patient", m.Status, tag=lambda told: told.tag or b"somebody")
on("P2-patient-program", m.StageProgram, lambda core, message, _a: _takes_tag(core, message))


def _takes_tag(core: Any, message: Any) -> None:
    core.control = core.control._replace(tag=message.tag)


writes("P16-patient", LogKind.PATIENT_ASSIGNED, data=bytes(20))
fields("L11-implant", implant.Implant, serial="SP40-000000")
fields("P4-implant", implant.ImplantReadback, line=lambda told: told.line - 3)
lets("P8-implant", Refuse.IMPLAUSIBLE, asked=implant.StageImplant)
lets("P8-implant-tag", Refuse.PATIENT_TAG, asked=implant.StageImplant)
writes("P2-implant", LogKind.IMPLANT_SET, a=0)
fields("P4-table", acts.LimitsReadback, accepted=False)
lets("P8-table-signature", Refuse.SIGNATURE)
lets("P8-table-successor", Refuse.SIGNATURE)
lets("P8-table-holder", Refuse.SIGNATURE)
lets("P8-table-spelling", Refuse.MALFORMED, asked=acts.StageLimits)
lets("P8-table-version", Refuse.RANGE, asked=acts.StageLimits)
lets("P8-table-rows", Refuse.IMPLAUSIBLE, asked=acts.StageLimits)
