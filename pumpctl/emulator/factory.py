"""Making a pump: a blank image, an implant record, a minimum-rate program.

A new pump is filled, its line primed, and runs at the model's minimum rate. It
knows neither files nor the line.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.emulator.body.fluid import PL_PER_NL, pure
from pumpctl.emulator.body.world import new_world
from pumpctl.emulator.engine import battery, link_budget, past
from pumpctl.emulator.engine.clock import HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.figures import least_rate
from pumpctl.emulator.memory import image, implant_record, slots
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory.control import NO_SLOT, Control, ControlStore, Fill, Label
from pumpctl.emulator.memory.flash import MemoryStore
from pumpctl.emulator.memory.implant import LOW_ALARM, Implant, Model
from pumpctl.emulator.memory.implant_record import first_record, line_volume
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Done, Metering, Retained, RetainedStore, TheWorld
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
    pulse_error: int = 0,
) -> tuple[bytes, Implant]:
    """The image of a new pump, filled with `volume` nL of baclofen.

    Its pulses really move `pulse_error` ppm more than their nominal volume.
    """
    store = MemoryStore(image.blank())
    flash = image.flash_of(store)
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
    record = first_record(model, concentration, made_at)
    implant_record.records(flash)[0].write(implant_record.record_bytes(record))
    program = minimum_rate(concentration, model.least_flow)
    name = program_hash(program)
    slots.slots(flash)[0].write(encode(StageProgram(_NO_TAG, program)))
    slots.fallbacks(flash)[0].write(
        slots.fallback_bytes(slots.Fallback(program.fallback, program.drug, concentration, name, 1))
    )
    ControlStore(flash).write(_control(name, concentration, made_at, offset_min))
    log = LogRing(flash)
    log.append(pack(LogEntry(1, 1, LogKind.BOOT, offset_min, 0, made_at, 0, 1, 1, bytes(20))))
    line = line_volume(record) * PL_PER_NL
    local = made_at + offset_min * MINUTE_MS
    RetainedStore(store).write(
        Retained(
            boot=1,
            counter=0,
            control_sequence=1,
            host_offset=-made_at,
            drift_ppm=0,
            drift_from=made_at,
            target=0,
            done=Done(0, 0, 0, 0, 0, 0),
            metering=Metering(
                pulses=0,
                lost=0,
                carry_num=b"\0",
                carry_den=b"\1",
                reservoir=volume,
                line=(pure(line, Drug.BACLOFEN, concentration, 1),),
                batch=1,
                given=(),
                boluses=(),
                served=(),
                turn_since=local,
                turn_until=local,
                hours_until=local // HOUR_MS,
                last_bolus_end=None,
                last_order_end=None,
                patient_starts=(),
                stalled_since=None,
                starving_since=None,
                fed_since=None,
                past=past.EMPTY,
            ),
            battery=battery.FULL,
            budget=link_budget.fresh(0),
            alarms=(),
            pairing_until=0,
            staged=False,
            log_next=log.next,
            lost_told=log.first,
            flash_operations=flash.operations,
            checked_at=0,
        ),
        TheWorld(
            new_world(
                pulse=model.pulse * (1_000_000 + pulse_error) // 1_000,
                reservoir=volume * PL_PER_NL,
                drug=Drug.BACLOFEN,
                concentration=concentration,
                line=line,
            ),
            0,
            0,
        ),
    )
    return bytes(store.image), implant


def _control(name: bytes, concentration: int, made_at: int, offset_min: int) -> Control:
    return Control(
        sequence=1,
        state_version=1,
        running=0,
        previous=NO_SLOT,
        fallback_pair=0,
        program_hash=name,
        drug=Drug.BACLOFEN,
        concentration=concentration,
        filled_at=made_at,
        fill=Fill(0, 0, 0, 0, 0),
        bridging=None,
        order=None,
        orders=0,
        label=Label(0, made_at, offset_min),
        record_pair=0,
        record_number=0,
        limits_pair=NO_SLOT,
        limits_version=0,
        limits_key=None,
        stopped_at=None,
        starts=0,
        cancels=0,
        on_fallback=False,
        tag=None,
        ledger=(),
        reaches_back_to=0,
        keys=(),
        most_role=Role.CLINICIAN,
        entries=(),
    )
