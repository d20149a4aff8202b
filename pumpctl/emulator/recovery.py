"""Starting the pump, and checking what it has stored.

`start` makes a `Core` of an image, whatever a power cut or a killed process left
behind: whole old or whole new, never a mixture. `self_check` repairs one bad
copy from the other and goes to the fallback where both are bad (PMP-02, PRG-07).
Neither knows of the line.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.emulator.acts.staging import Drop
from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.core import Core, Event
from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory import slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Plug, Raised, Retained, RetainedStore
from pumpctl.wire.codes import AlarmCode, Drug, LogKind, Role
from pumpctl.wire.logentry import LogEntry, unpack

_CHECK_EVERY_MS = HOUR_MS
_QUIET_MS = DAY_MS
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


def start(
    flash: Flash, *, now: Callable[[], int], entropy: Callable[[int], bytes], power_on: bool
) -> Core:
    """A pump that runs. `power_on` is a boot; otherwise only the hosting process is new."""
    implant = implants.read(flash)
    log = LogRing(flash)
    controls = ControlStore(flash)
    store = RetainedStore(flash.store)
    control = controls.read()
    if control is not None:
        _append_missing(log, control)
    retained = store.read()
    lost_retained, lost_control = retained is None, control is None
    control = control or _without_control(flash, implant, log)
    retained = retained or _without_retained(log, implant, control, now())
    core = Core(
        flash,
        implant,
        store=store,
        retained=retained,
        controls=controls,
        control=control,
        log=log,
        now=now,
        entropy=entropy,
    )
    _know_what_is_written(core, retained.log_next)
    if not lost_control and controls.cut_while_writing(control):
        controls.repair(control)
    if control.stopped_at is not None:
        core.engine.end_boluses(core.clock.counter)
    core.engine.end_boluses(control.cancelled_at)
    core.catch_up()
    core.already.clear()
    if retained.staged:
        core.record(LogKind.STAGE_DROPPED, Drop.BOOT if power_on else Drop.LINK_LOST, 0)
        core.last_drop = Drop.BOOT if power_on else Drop.LINK_LOST
    if power_on:
        core.boot += 1
        core.pairing_until = 0
        operations = core.flash_operations.to_bytes(8, "big") + bytes(12)
        core.record(LogKind.BOOT, core.boot, core.control.state_version, operations)
    if lost_retained:
        _alarm(core, AlarmCode.BATTERY_RESET, True)
    self_check(core, lost_control=lost_control)
    core.save()
    return core


def self_check_if_due(core: Core) -> None:
    """Once an hour while the pump runs."""
    if core.clock.counter - core.checked_at >= _CHECK_EVERY_MS:
        self_check(core)


def self_check(core: Core, *, lost_control: bool = False) -> None:
    """Look at every copy that is in force."""
    core.checked_at = core.clock.counter
    bad = lost_control
    for twin in (
        implants.twin(core.flash),
        core.slots[core.control.running],
        core.fallbacks[core.control.fallback_pair],
    ):
        if twin.read().good == 1:
            twin.repair()
            bad = True
    if not lost_control:
        found = core.controls.check(core.control)
        if found.good == 1:
            core.controls.repair(core.control)
            bad = True
        elif found.good == 0:  # it is still in memory: write it to the other place
            core.commit(core.control)
            bad = True
    bad = _check_program(core, lost_control=lost_control) or bad
    if bad:
        _alarm(core, AlarmCode.MEMORY_ONE_COPY, True)
    else:
        _clear_when_quiet(core)


def _check_program(core: Core, *, lost_control: bool) -> bool:
    """Is the program still there, and its fallback? True where something was repaired."""
    pair = core.fallbacks[core.control.fallback_pair]
    program = slots.program_in(core.slots[core.control.running])
    lost_too = core.control.on_fallback and core.control.stopped_at is None
    if (
        lost_control
        or (program is None and not core.control.on_fallback)
        or (lost_too and slots.fallback_in(pair) is None)  # after the program, its fallback
    ):
        _enter_fallback(core)
        return False
    if program is not None and slots.fallback_in(pair) is None and not core.control.on_fallback:
        pair.write(
            slots.fallback_bytes(
                slots.Fallback(
                    program.fallback,
                    program.drug,
                    program.concentration,
                    core.control.program_hash,
                    core.control.state_version,
                )
            )
        )
        core.flash.flush()
        return True
    return False


def _enter_fallback(core: Core) -> None:
    """The program is lost: the prescriber's fallback rate, or nothing, and the highest alarm."""
    fallback = slots.fallback_in(core.fallbacks[core.control.fallback_pair])
    stopped_at = core.control.stopped_at
    if fallback is None and stopped_at is None:
        since = core.engine.plan.stopped_at  # a start that found nothing to give, gave nothing
        stopped_at = core.clock.counter if since is None else since
    version = core.control.state_version + 1
    core.commit(
        core.control._replace(state_version=version, on_fallback=True, stopped_at=stopped_at),
        Event(LogKind.FALLBACK, fallback.rate if fallback else 0, version),
    )
    core.program = None
    core.engine.set_plan(core.plan())
    _alarm(core, AlarmCode.MEMORY_BOTH_COPIES, True)


def _clear_when_quiet(core: Core) -> None:
    for raised in core.engine.alarms.raised:
        quiet = core.clock.counter - raised.counter >= _QUIET_MS
        if quiet and raised.code is AlarmCode.MEMORY_ONE_COPY:
            _alarm(core, AlarmCode.MEMORY_ONE_COPY, False)


def _alarm(core: Core, code: AlarmCode, on: bool) -> None:
    core.engine.alarms.put(code, on, utc=core.clock.utc, counter=core.clock.counter)


def _append_missing(log: LogRing, control: Control) -> None:
    """What the log says of a commit whose entries a power cut kept out of it."""
    for raw in control.entries:
        number = int.from_bytes(raw[:8], "big")
        if number >= log.next:
            log.skip_to(number)
            log.append(raw)


def _know_what_is_written(core: Core, saved_next: int) -> None:
    """Entries beyond the last save: time has been there, and they are not written again."""
    newest: LogEntry | None = None
    for raw in core.log.read(saved_next, core.log.next - saved_next):
        newest = unpack(raw)
        key = (newest.kind, newest.counter, newest.a, int.from_bytes(newest.data, "big"))
        core.already[key] += 1
    if newest is not None:
        core.clock.not_before(core.now(), newest.counter)


def _version_named(entry: LogEntry) -> int:
    """The state version that an entry of the log names, or 0."""
    if entry.kind in _VERSION_IN_A:
        return entry.a
    return entry.b if entry.kind in _VERSION_IN_B else 0


def _without_control(flash: Flash, implant: Implant, log: LogRing) -> Control:
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
        bridged=NO_SLOT,
        fallback_pair=newest,
        program_hash=bytes(32),
        drug=fallback.drug if fallback else Drug.BACLOFEN,
        concentration=fallback.concentration if fallback else implant.concentrations[0],
        filled_at=implant.made_at,
        stopped_at=None,
        cancelled_at=0,
        on_fallback=True,
        tag=None,
        ledger=(),
        reaches_back_to=version,
        keys=(),
        most_role=Role.CLINICIAN,
        entries=(),
    )


def _without_retained(log: LogRing, implant: Implant, control: Control, host: int) -> Retained:
    """The always-on memory was lost: the log knows the time, the pulses and the volume."""
    last: LogEntry | None = None
    reservoir = implant.capacity
    for raw in log.read(max(log.first, log.next - 500), 500):
        last = unpack(raw)
        if last.kind is LogKind.HOUR:
            reservoir = last.a
    counter = last.counter if last else 0
    base = last.time - last.counter if last else implant.made_at
    offset = last.offset_min if last else 0
    alarms: tuple[Raised, ...] = ()
    return Retained(
        boot=last.boot if last else 0,
        counter=counter,
        utc_base=base,
        offset_min=offset,
        host_offset=counter - host,
        target=counter,
        pulses=last.pulses if last else 0,
        carry_num=b"\0",
        carry_den=b"\1",
        reservoir=reservoir,
        contents=reservoir * PL_PER_NL,
        pumped=(last.pulses if last else 0) * implant.pulse * PL_PER_NL,
        line=(Plug(implant.line * PL_PER_NL, control.drug, control.concentration),),
        given=(),
        boluses=(),
        boluses_until=base + counter + offset * MINUTE_MS,
        hours_until=(base + counter + offset * MINUTE_MS) // HOUR_MS,
        alarms=alarms,
        pairing_until=0,
        staged=False,
        log_next=log.next,
        flash_operations=0,
        checked_at=counter,
    )
