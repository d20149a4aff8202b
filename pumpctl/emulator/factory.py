"""Making a pump: a blank image, an implant record, a minimum-rate program.

A new pump is filled, its line primed, and runs at the model's minimum rate. It
knows neither files nor the line.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.engine.clock import HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.figures import least_rate
from pumpctl.emulator.memory import image, slots
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore
from pumpctl.emulator.memory.flash import Flash, MemoryStore
from pumpctl.emulator.memory.implant import LOW_ALARM, Implant, Model
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Plug, Retained, RetainedStore
from pumpctl.wire.codes import Drug, LogKind, Mode, Role
from pumpctl.wire.logentry import LogEntry, pack
from pumpctl.wire.message import encode
from pumpctl.wire.messages import StageProgram
from pumpctl.wire.program import FORMAT, Program, program_hash

_NO_TAG = bytes(8)


def minimum_rate(concentration: int, least_flow: int) -> Program:
    """The program of a pump that nobody has programmed yet."""
    return Program(
        FORMAT,
        Mode.MINIMUM_RATE,
        Drug.BACLOFEN,
        concentration,
        least_rate(concentration, least_flow).half_up(),
        ((),) * 7,
        (),
        None,
        LOW_ALARM,
    )


def make(
    model: Model,
    *,
    volume: int,
    concentration: int,
    bench: bool,
    frozen: bool,
    offset_min: int,
    now: Callable[[], int],
    entropy: Callable[[int], bytes],
) -> tuple[bytes, Implant]:
    """The image of a new pump, filled with `volume` nL of baclofen."""
    store = MemoryStore(image.blank())
    flash = Flash(store)
    made_at = now()
    serial = f"{model.name}-{int.from_bytes(entropy(8), 'big') % 1_000_000:06d}"
    implant = implants.made(
        model,
        serial=serial,
        made_at=made_at,
        bench=bench,
        frozen=frozen,
        private=entropy(32),
        secret=entropy(16),
    )
    implants.write(flash, implant)
    program = minimum_rate(concentration, model.least_flow)
    name = program_hash(program)
    slots.slots(flash)[0].write(encode(StageProgram(_NO_TAG, program)))
    slots.fallbacks(flash)[0].write(
        slots.fallback_bytes(slots.Fallback(program.fallback, program.drug, concentration, name, 1))
    )
    ControlStore(flash).write(_control(name, concentration, made_at))
    log = LogRing(flash)
    log.append(pack(LogEntry(1, 1, LogKind.BOOT, offset_min, 0, made_at, 0, 1, 1, bytes(20))))
    local = made_at + offset_min * MINUTE_MS
    RetainedStore(store).write(
        Retained(
            boot=1,
            counter=0,
            utc_base=made_at,
            offset_min=offset_min,
            host_offset=-made_at,
            target=0,
            pulses=0,
            carry_num=b"\0",
            carry_den=b"\1",
            reservoir=volume,
            contents=volume * PL_PER_NL,
            pumped=0,
            line=(Plug(implant.line * PL_PER_NL, Drug.BACLOFEN, concentration),),
            given=(),
            boluses=(),
            boluses_until=local,
            hours_until=local // HOUR_MS,
            alarms=(),
            pairing_until=0,
            staged=False,
            log_next=log.next,
            flash_operations=flash.operations,
            checked_at=0,
        )
    )
    return bytes(store.image), implant


def _control(name: bytes, concentration: int, made_at: int) -> Control:
    return Control(
        sequence=1,
        state_version=1,
        running=0,
        bridged=NO_SLOT,
        fallback_pair=0,
        program_hash=name,
        drug=Drug.BACLOFEN,
        concentration=concentration,
        filled_at=made_at,
        stopped_at=None,
        cancelled_at=0,
        on_fallback=False,
        tag=None,
        ledger=(),
        reaches_back_to=0,
        keys=(),
        most_role=Role.CLINICIAN,
        entries=(),
    )
