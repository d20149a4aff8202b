"""What stands in the place of memory that is lost altogether: the log, the factory, nothing.

Without the control block nobody knows which program ran, nor who may speak;
without the always-on domain the log knows the time, the pulses and the volume.
The world stays what it is. No dose is invented here.
"""

from __future__ import annotations

from pumpctl.emulator.body.fluid import PL_PER_NL, pure
from pumpctl.emulator.body.world import new_world
from pumpctl.emulator.engine import battery, link_budget, past
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, Fill, Label
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Done, Metering, Raised, Retained, TheWorld
from pumpctl.wire.codes import AlarmCode, BolusKind, Drug, LogKind, Role
from pumpctl.wire.logentry import LogEntry, unpack

_VERSION_IN_A = frozenset(
    {
        LogKind.ACTIVATED,
        LogKind.STOPPED,
        LogKind.RESUMED,
        LogKind.VOIDED,
        LogKind.PATIENT_ASSIGNED,
    }
)
_VERSION_IN_B = frozenset(
    {
        LogKind.HOUR,
        LogKind.BOOT,
        LogKind.PAIRED,
        LogKind.UNPAIRED,
        LogKind.GRANTED,
        LogKind.FALLBACK,
    }
)
_ORDERED = (BolusKind.SINGLE, BolusKind.PRIME)
_LOOK_BACK = 2_000
"""Entries of the log: more than a day's, whatever the program."""


def _version_named(entry: LogEntry) -> int:
    """The state version that an entry of the log names, or 0."""
    if entry.kind in _VERSION_IN_A:
        return entry.a
    return entry.b if entry.kind in _VERSION_IN_B else 0


def control(flash: Flash, implant: Implant, log: LogRing) -> Control:
    """All four copies are bad: nobody knows which program ran, nor who may speak.

    The state version goes on above all that was ever named. One more, because a
    commit's entries may be missing; the ledger says that it knows nothing so old.
    """
    found = [slots.fallback_in(pair) for pair in slots.fallbacks(flash)]
    newest = max(
        (index for index, each in enumerate(found) if each),
        key=lambda index: getattr(found[index], "state_version", 0),
        default=0,
    )
    fallback = found[newest]
    named = max(
        (_version_named(unpack(raw)) for raw in log.read(log.first, log.next - log.first)),
        default=0,
    )
    version = 1 + max(named, fallback.state_version if fallback else 0)
    return Control(
        sequence=1,
        state_version=version,
        running=0,
        previous=NO_SLOT,
        fallback_pair=newest,
        program_hash=bytes(32),
        drug=fallback.drug if fallback else Drug.BACLOFEN,
        concentration=fallback.concentration if fallback else implant.concentrations[0],
        filled_at=implant.made_at,
        fill=Fill(0, 0, 0, 0, 0),
        bridging=None,
        order=None,
        orders=0,
        label=_label(log, implant),
        record_pair=0,
        record_number=0,
        limits_pair=NO_SLOT,
        limits_version=0,
        limits_key=None,
        stopped_at=None,
        starts=0,
        cancels=0,
        on_fallback=True,
        tag=None,
        ledger=(),
        reaches_back_to=version,
        keys=(),
        most_role=Role.CLINICIAN,
        entries=(),
    )


def _label(log: LogRing, implant: Implant) -> Label:
    last = _newest(log)
    if last is None:
        return Label(0, implant.made_at, 0)
    return Label(0, last.time - last.counter, last.offset_min)


def _newest(log: LogRing) -> LogEntry | None:
    found = None
    for raw in log.read(max(log.first, log.next - 10), 10):
        found = unpack(raw)
    return found


def retained(flash: Flash, log: LogRing, implant: Implant, control: Control, host: int) -> Retained:
    """The always-on memory was lost: what the log knows of the last day goes on."""
    last: LogEntry | None = None
    reservoir = implant.capacity
    bolus_end = order_end = eri = None
    starts: list[int] = []
    alarms: dict[int, Raised] = {}
    for raw in log.read(max(log.first, log.next - _LOOK_BACK), _LOOK_BACK):
        last = unpack(raw)
        if last.kind is LogKind.HOUR:
            reservoir = last.a
        elif last.kind is LogKind.BOLUS_ENDED:
            bolus_end = last.counter
            if int.from_bytes(last.data[:2], "big") in _ORDERED:
                order_end = last.counter
        elif last.kind is LogKind.PATIENT_DOSE:
            starts.append(last.counter)
        elif last.kind is LogKind.ALARM_RAISED:
            alarms[last.a] = Raised(AlarmCode(last.a), last.time, last.counter)
            if last.a == AlarmCode.ELECTIVE_REPLACEMENT:
                eri = last.counter
        elif last.kind is LogKind.ALARM_CLEARED:
            alarms.pop(last.a, None)
    counter = last.counter if last else 0
    pulses = last.pulses if last else 0
    local = control.label.utc_base + counter + control.label.offset_min * MINUTE_MS
    record = implant_record.record_in(implant_record.records(flash)[control.record_pair])
    line = implant_record.line_volume(record or implant_record.unknown(implant))
    return Retained(
        boot=last.boot if last else 0,
        counter=counter,
        host_offset=counter - host,
        drift_ppm=0,
        drift_from=host,
        target=counter,
        done=Done(
            control.label.number,
            control.fill.number,
            control.orders,
            control.record_number,
            control.starts,
            control.cancels,
        ),
        metering=Metering(
            pulses=pulses,
            lost=0,
            carry_num=b"\0",
            carry_den=b"\1",
            reservoir=reservoir,
            line=(pure(line * PL_PER_NL, control.drug, control.concentration, 1),),
            batch=1,
            given=(),
            boluses=(),
            served=(),
            turn_since=local,
            turn_until=local,
            hours_until=local // HOUR_MS,
            last_bolus_end=bolus_end,
            last_order_end=order_end,
            patient_starts=tuple(each for each in starts if each > counter - DAY_MS)[-255:],
            stalled_since=None,
            past=past.EMPTY,
        ),
        battery=battery.reckoned(counter=counter, pulses=pulses, eri_at=eri),
        budget=link_budget.fresh(counter),
        alarms=tuple(alarms.values()),
        pairing_until=0,
        staged=False,
        log_next=log.next,
        lost_told=log.first,
        flash_operations=0,
        checked_at=counter,
    )


def world_after(world: TheWorld | None, kept: Retained, implant: Implant) -> TheWorld:
    """The world goes on, also where the pump's counter went back to what the log knows."""
    metering = kept.metering
    if world is None:
        line = metering.line[0]
        state = new_world(
            pulse=implant.calibration,
            reservoir=metering.reservoir * PL_PER_NL,
            drug=line.drug,
            concentration=line.concentration,
            line=sum(plug.volume for plug in metering.line),
        )
        return TheWorld(state, 0, kept.counter)
    behind = max(0, world.counter - kept.counter)
    return world._replace(ahead=world.ahead + behind)
