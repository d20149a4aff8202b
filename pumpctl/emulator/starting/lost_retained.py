"""What stands in the place of an always-on domain that is lost: what the log knows goes on.

`retained` makes the values; `restore` puts into the engine what needs the whole
pump to be known: the line, the doses of the last day; `settle` ends the boluses
that ran. The world stays what it is. No dose is invented here.
"""

from __future__ import annotations

from pumpctl.emulator import keeping
from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL, Given, pure
from pumpctl.emulator.body.world import new_world
from pumpctl.emulator.core import Core
from pumpctl.emulator.core_event import Event
from pumpctl.emulator.engine import battery, link_budget, past
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.schedule import Due, weekday_of
from pumpctl.emulator.engine.turns import Turns
from pumpctl.emulator.memory import implant_record
from pumpctl.emulator.memory.control import Control
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Done, Metering, Raised, Retained, TheWorld
from pumpctl.emulator.starting import lost_line, lost_log, lost_past
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind
from pumpctl.wire.logentry import LogEntry
from pumpctl.wire.program import ScheduledBolus

_ORDERED = (BolusKind.SINGLE, BolusKind.PRIME)
_SCHEDULED = int(BolusKind.SCHEDULED).to_bytes(2, "big")
_MOST_STARTS = 255


def retained(flash: Flash, log: LogRing, implant: Implant, control: Control, host: int) -> Retained:
    """The instant of the log's last word, as far as it is known; `host` is the host's time.

    The counter goes on from there: what has lasted since then lasts on, none is cut short.
    """
    told = lost_log.entries(log)
    last = told[-1] if told else None
    counter, pulses = (last.counter, last.pulses) if last else (0, 0)
    local = control.label.utc_base + counter + control.label.offset_min * MINUTE_MS
    halts = lost_log.halts(told)
    starving_since, fed_since = lost_log.hunger(halts, counter)
    alarms = _alarms(told)
    elective = alarms.get(AlarmCode.ELECTIVE_REPLACEMENT)
    turns = _turns(told, local)
    bolus_end, order_end = _ends(told, counter)
    record = implant_record.record_in(implant_record.records(flash)[control.record_pair])
    line = implant_record.line_volume(record or implant_record.unknown(implant))
    return Retained(
        boot=last.boot if last else 0,
        counter=counter,
        control_sequence=control.sequence,
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
            reservoir=_reservoir(told, implant, control, pulses),
            line=(pure(line * PL_PER_NL, control.drug, control.concentration, 1),),
            batch=1,
            given=_given(told, control),
            boluses=(),
            served=turns.served,
            turn_since=turns.since,
            turn_until=turns.until,
            hours_until=local // HOUR_MS,
            last_bolus_end=bolus_end,
            last_order_end=order_end,
            patient_starts=_patient_starts(told, counter),
            stalled_since=halts[-1].stalled if halts else None,
            starving_since=starving_since,
            fed_since=fed_since,
            past=past.EMPTY,
        ),
        battery=battery.reckoned(
            counter=counter, pulses=pulses, eri_at=elective.counter if elective else None
        ),
        budget=link_budget.fresh(counter),
        alarms=tuple(alarms.values()),
        pairing_until=0,
        staged=False,
        log_next=log.next,
        lost_told=log.first,
        flash_operations=_flash_operations(told),
        checked_at=counter,
    )


def world(kept: Retained, implant: Implant, control: Control) -> TheWorld:
    """The world where nothing is known of it: as the pump believes it to be."""
    metering = kept.metering
    state = new_world(
        pulse=implant.calibration,
        reservoir=metering.reservoir * PL_PER_NL,
        drug=control.drug,
        concentration=control.concentration,
        line=sum(plug.volume for plug in metering.line),
    )
    return TheWorld(state, 0, kept.counter)


# --- what the log counts ---------------------------------------------------------------


def _alarms(told: list[LogEntry]) -> dict[int, Raised]:
    alarms: dict[int, Raised] = {}
    for entry in told:
        if entry.kind is LogKind.ALARM_RAISED:
            alarms[entry.a] = Raised(AlarmCode(entry.a), entry.time, entry.counter)
        elif entry.kind is LogKind.ALARM_CLEARED:
            alarms.pop(entry.a, None)
    return alarms


def _reservoir(told: list[LogEntry], implant: Implant, control: Control, pulses: int) -> int:
    """The newest volume that is told, by an hour or a refill, less the pulses since; nL."""
    volume, since = implant.capacity, 0
    for entry in told:
        if entry.kind is LogKind.HOUR:
            volume, since = entry.a, entry.pulses
        elif entry.kind is LogKind.REFILLED:
            volume, since = control.fill.volume, control.fill.since
    return max(0, volume - max(0, pulses - since) * implant.pulse)


def _given(told: list[LogEntry], control: Control) -> tuple[Given, ...]:
    """Mass past the tip since the pump was made, as the newest hour says."""
    masses = [int.from_bytes(each.data[:8], "big") for each in told if each.kind is LogKind.HOUR]
    return (Given(control.drug, masses[-1] * FG_PER_NG),) if masses and masses[-1] else ()


def _flash_operations(told: list[LogEntry]) -> int:
    """Only a count: what the newest boot says, and what was done since is not known."""
    boots = [int.from_bytes(each.data[:8], "big") for each in told if each.kind is LogKind.BOOT]
    return max(boots, default=0)


def _ends(told: list[LogEntry], counter: int) -> tuple[int | None, int | None]:
    """Counter at the end of the last bolus, and of the last one that was ordered.

    One that ran when memory was lost ended with it.
    """
    ends = [(entry.counter, entry) for entry in told if entry.kind is LogKind.BOLUS_ENDED]
    ends += [(counter, entry) for entry in lost_log.unended(told, counter)]
    ordered = [at for at, entry in ends if lost_log.bolus_kind(entry) in _ORDERED]
    return max((at for at, _ in ends), default=None), max(ordered, default=None)


def _patient_starts(told: list[LogEntry], counter: int) -> tuple[int, ...]:
    starts = [each.counter for each in told if each.kind is LogKind.PATIENT_DOSE]
    return tuple(each for each in starts if each > counter - DAY_MS)[-_MOST_STARTS:]


def _turns(told: list[LogEntry], local: int) -> Turns:
    """Every setting of the clock gone through again, so that no bolus is given twice (TIM-03).

    What was given has had its turn, also where the setting under which that was is
    not in the log any more.
    """
    first = told[0].time + told[0].offset_min * MINUTE_MS if told else local
    turns = Turns((), first, first)
    given: list[Due] = []
    for entry in told:
        if entry.kind is LogKind.CLOCK_SET:
            old, new = (
                int.from_bytes(entry.data[at : at + 2], "big", signed=True) for at in (16, 18)
            )
            turns.reach(entry.a + old * MINUTE_MS)
            turns.set_to(entry.b + new * MINUTE_MS)
        elif entry.kind is LogKind.BOLUS_STARTED and entry.data[:2] == _SCHEDULED:
            given.append(_due(entry))
    turns.reach(local)
    for due in given:
        had = any(span.first <= due.start <= span.last for span in turns.served)
        if due.start > turns.until and not had:
            turns.gave(due)
    return turns


def _due(entry: LogEntry) -> Due:
    """The scheduled bolus that BOLUS_STARTED names."""
    day, minute = int.from_bytes(entry.data[2:6], "big"), int.from_bytes(entry.data[6:8], "big")
    start = day * DAY_MS + minute * MINUTE_MS
    return Due(start, ScheduledBolus(weekday_of(day), minute, entry.a, entry.b))


# --- into the engine ------------------------------------------------------------------------


def restore(core: Core) -> None:
    """What is in the line, and what was given in the last day."""
    told = lost_log.entries(core.log)
    core.engine.line, core.engine.batch = lost_line.rebuilt(core, told)
    core.engine.past = lost_past.rebuilt(core, told)


def settle(core: Core, until: int) -> None:
    """End the boluses that ran when memory was lost, with what they had certainly given.

    An ordered one comes last: its end is a commit, which saves what is known by then.
    """
    told = lost_log.entries(core.log)
    halts = lost_log.halts(told)
    order = core.control.order
    own = None if order is None else int(order.kind).to_bytes(2, "big") + order.operation
    running = lost_log.unended(told, until)
    for entry in sorted(running, key=lambda each: each.data[:18] == own):
        given = lost_log.certain(entry, until, halts)
        if entry.data[:18] == own:
            ended = Event(LogKind.BOLUS_ENDED, entry.a, given, entry.data)
            core.commit(keeping.with_given(core.control, given), ended)
        else:
            core.record(LogKind.BOLUS_ENDED, entry.a, given, entry.data)
