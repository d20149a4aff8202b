"""Starting the pump, and checking what it has stored.

`start` makes a `Core` of an image, whatever a power cut or a killed process left
behind: whole old or whole new, never a mixture. `self_check` repairs one bad
copy from the other and goes to the fallback where both are bad (PMP-02, PRG-07).
What is put in the place of what is lost altogether is in `lost_control` and
`lost_retained`, loaded only then. None of them knows of the line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pumpctl.emulator import following, keeping
from pumpctl.emulator.acts.staging import Drop
from pumpctl.emulator.core import Core, Stores
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.engine.self_tests import (
    LOG_LOOK,
    arithmetic_known_answer,
    entries_follow,
    label_plausible,
    volumes_agree,
)
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Retained, RetainedStore, TheWorld
from pumpctl.emulator.memory.stored import Twin
from pumpctl.emulator.starting import written
from pumpctl.wire.codes import AlarmCode, BolusKind, LogKind

_QUIET_MS = DAY_MS
_ORDERED = frozenset({BolusKind.SINGLE, BolusKind.PRIME, BolusKind.PATIENT})


def start(
    flash: Flash, *, now: Callable[[], int], entropy: Callable[[int], bytes], power_on: bool
) -> Core:
    """A pump that runs. `power_on` is a boot; otherwise only the hosting process is new."""
    implant = implants.read(flash)
    stores = Stores(flash, RetainedStore(flash.store), ControlStore(flash), LogRing(flash))
    retained, world = stores.retained.read()
    found = stores.controls.read()
    control = None if found is None or _rolled_back(found, retained, stores.log) else found
    if control is not None:
        written.append_missing(stores.log, control)
    no_domain, no_control = retained is None, control is None
    if control is None:
        from pumpctl.emulator.starting import lost_control

        control = lost_control.control(flash, implant, stores.log, retained)
        known = [0 if found is None else found.sequence]
        known += [] if retained is None else [retained.control_sequence]
        newest = max(known)
        control = control._replace(sequence=newest + 1)  # never behind one that was
    if retained is None:
        from pumpctl.emulator.starting import lost_retained

        retained = lost_retained.retained(flash, stores.log, implant, control, now())
    core = Core(
        stores,
        implant,
        retained=retained,
        world=_world(world, retained, implant, control),
        control=control,
        now=now,
        entropy=entropy,
    )
    written.read_beyond(core)
    if not no_control and stores.controls.cut_while_writing(control):
        stores.controls.repair(control)
    if no_domain:
        from pumpctl.emulator.starting import lost_retained

        lost_retained.restore(core)
        core.put_alarm(AlarmCode.BATTERY_RESET, True)
        core.put_alarm(AlarmCode.CLOCK_LOST, True)
    following.follow(core)
    if no_domain:
        from pumpctl.emulator.starting import lost_retained

        lost_retained.settle(core, retained.counter)
    keeping.settle_lost(core, retained.counter)
    if no_control:
        _say(core)
    _check_program(core, lost_control=no_control)
    core.catch_up()
    written.take_over(core)
    if core.left_staged:
        core.last_drop = Drop.BOOT if power_on else Drop.LINK_LOST
        core.record(LogKind.STAGE_DROPPED, core.last_drop, 0)
        core.left_staged = False
    if power_on:
        _power_on(core)
    self_check(core)
    core.hourly = partial(_hourly, core)
    core.tell_lost()
    core.save()
    return core


def _world(
    world: TheWorld | None, retained: Retained, implant: implants.Implant, control: Control
) -> TheWorld:
    """It goes on, also where the pump's counter went back to what the log knows."""
    if world is None:
        from pumpctl.emulator.starting import lost_retained

        return lost_retained.world(retained, implant, control)
    return world._replace(ahead=world.ahead + max(0, world.counter - retained.counter))


def _rolled_back(found: Control, retained: Retained | None, log: LogRing) -> bool:
    """Is this control block older than the one that was in force, both of whose copies are bad?"""
    if retained is not None:
        return found.sequence < retained.control_sequence
    from pumpctl.emulator.starting import lost_log

    return found.state_version < lost_log.version_in_log(lost_log.entries(log))


def _power_on(core: Core) -> None:
    """A boot: what somebody ordered ends with what it has given, the schedule goes on."""
    core.engine.end_boluses(_ORDERED)
    core.boot += 1
    core.pairing_until = 0
    operations = core.flash_operations.to_bytes(8, "big") + bytes(12)
    core.record(LogKind.BOOT, core.boot, core.control.state_version, operations)


def _hourly(core: Core, first: bool) -> None:
    """Once an hour while the pump runs. Memory that nobody has touched is not read again."""
    if first:
        self_check(core)
        return
    core.checked_at = core.clock.counter
    _clear_when_quiet(core)
    _check_label(core)
    _check_volume(core)


def self_check(core: Core) -> None:
    """The self-tests of `engine.self_tests` that look at the whole pump, one after the other."""
    core.testing = True
    try:
        core.checked_at = core.clock.counter
        core.limit_table = following.table_of(core)
        if not arithmetic_known_answer():
            if core.control.on_fallback:
                core.put_alarm(AlarmCode.MEMORY_BOTH_COPIES, True)
            else:
                keeping.lose_program(core)
        _check_copies(core)
        _check_label(core)
        _check_volume(core)
    finally:
        core.testing = False


def _check_copies(core: Core) -> None:
    """Look at every copy that is in force. What is bad is said before it is put right."""
    bad = following.limits_lost(core) or not _log_follows(core)
    if bad:
        _say(core)
    for twin in _in_force(core):
        if twin.read().good == 1:
            bad = _say(core)
            twin.repair()
    found = core.controls.check(core.control)
    if found.good < 2:
        bad = _say(core)
    if found.good == 1:
        core.controls.repair(core.control)
    elif found.good == 0:  # it is still in memory: write it to the other place
        core.commit(core.control)
    bad = _check_program(core) or bad
    bad = _check_record(core) or bad
    core.memory_good = not bad
    _clear_when_quiet(core)


def _say(core: Core) -> bool:
    """That something is bad: before it is repaired, so that no power cut hides it. True."""
    core.put_alarm(AlarmCode.MEMORY_ONE_COPY, True)
    return True


def _in_force(core: Core) -> list[Twin]:
    control = core.control
    found = [
        implants.twin(core.flash),
        core.slots[control.running],
        core.fallbacks[control.fallback_pair],
        core.records[control.record_pair],
    ]
    if control.previous != NO_SLOT:
        found.append(core.slots[control.previous])
    if control.limits_pair != NO_SLOT:
        found.append(core.limit_pairs[control.limits_pair])
    return found


def _check_record(core: Core) -> bool:
    """The implant's record is in memory, too: with both copies bad it is written again."""
    pair = core.records[core.control.record_pair]
    if pair.read().payload is not None:
        return False
    bad = _say(core)
    pair.write(implant_record.record_bytes(core.record_in_force))
    core.flash.flush()
    return bad


def _log_follows(core: Core) -> bool:
    """Are the newest entries of the log all there?"""
    log = core.log
    first = max(log.first, log.next - LOG_LOOK)
    numbers = (int.from_bytes(raw[:8], "big") for raw in log.read(first, LOG_LOOK))
    return entries_follow(numbers, first=first, then=log.next)


def _check_label(core: Core) -> None:
    if not label_plausible(core.clock.utc, made_at=core.implant.made_at):
        core.put_alarm(AlarmCode.CLOCK_LOST, True)


def _check_volume(core: Core) -> None:
    """A sensor never replaces the estimate; that they disagree is said (C5.8)."""
    sensed = core.world.sensed(core.engine.world_time)
    if sensed is not None:
        agree = volumes_agree(
            capacity=core.implant.capacity, computed=core.engine.reservoir, sensed=sensed
        )
        core.put_alarm(AlarmCode.VOLUME_DISAGREES, not agree)


def _check_program(core: Core, *, lost_control: bool = False) -> bool:
    """Is the program still there, and its fallback? True where something was repaired."""
    control = core.control
    pair = core.fallbacks[control.fallback_pair]
    program = following.program_of(core)
    bridging = control.bridging
    bridged_lost = (
        bridging is not None
        and bridging.plays != NO_SLOT
        and slots.program_in(core.slots[bridging.plays]) is None
    )
    lost_too = control.on_fallback and control.stopped_at is None
    if (
        lost_control
        or ((program is None or bridged_lost) and not control.on_fallback)
        or (lost_too and slots.fallback_in(pair) is None)  # after the program, its fallback
    ):
        core.program = None
        keeping.lose_program(core)
        return False
    if program is None:
        core.put_alarm(AlarmCode.MEMORY_BOTH_COPIES, True)
    elif slots.fallback_in(pair) is None and not control.on_fallback:
        bad = _say(core)
        pair.write(
            slots.fallback_bytes(
                slots.Fallback(
                    program.fallback,
                    program.drug,
                    program.concentration,
                    control.program_hash,
                    control.state_version,
                )
            )
        )
        core.flash.flush()
        return bad
    return False


def _clear_when_quiet(core: Core) -> None:
    if not core.memory_good:
        return
    for raised in core.engine.alarms.raised:
        quiet = core.clock.counter - raised.counter >= _QUIET_MS
        if quiet and raised.code is AlarmCode.MEMORY_ONE_COPY:
            core.put_alarm(AlarmCode.MEMORY_ONE_COPY, False)
