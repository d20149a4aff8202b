"""What stands in the place of a control block that is lost in all four copies.

Nobody knows then which program ran, nor who may speak: the fallback is given, and
the pump is paired anew. What else the block said is taken from where it is told
as well: the log, the pages in flash, the always-on domain. No dose is invented here.
"""

from __future__ import annotations

from pumpctl.emulator.body.fluid import PL_PER_NL, Plug
from pumpctl.emulator.following import table_in
from pumpctl.emulator.memory import implant_record, slots
from pumpctl.emulator.memory.control import NO_SLOT, Bridging, Control, Fill, Label
from pumpctl.emulator.memory.flash import Flash
from pumpctl.emulator.memory.implant import Implant
from pumpctl.emulator.memory.logring import LogRing
from pumpctl.emulator.memory.retained import Done, Retained
from pumpctl.emulator.starting import lost_log
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Drug, LogKind, Role
from pumpctl.wire.logentry import LogEntry

_NOBODY = bytes(16)
_NOTHING_DONE = Done(0, 0, 0, 0, 0, 0)


def control(flash: Flash, implant: Implant, log: LogRing, kept: Retained | None) -> Control:
    """The fallback, and all else as far as it is told; `kept` is the always-on domain, if whole.

    The state version goes on above all that was ever named. One more, because a
    commit's entries may be missing; the ledger says that it knows nothing so old.
    Numbers go on from what the domain has followed, so that the next change is new to it.
    """
    told = lost_log.entries(log)
    pairs = slots.fallbacks(flash)
    found = {at: each for at, pair in enumerate(pairs) if (each := slots.fallback_in(pair))}
    newest = max(found, key=lambda at: found[at].state_version, default=0)
    fallback = found.get(newest)
    drug = fallback.drug if fallback else Drug.BACLOFEN
    concentration = fallback.concentration if fallback else implant.concentrations[0]
    version = 1 + max(lost_log.version_in_log(told), fallback.state_version if fallback else 0)
    done = _NOTHING_DONE if kept is None else kept.done
    fills = lost_log.fills(told, implant.pulse)
    last = fills[-1] if fills else None
    halts = lost_log.halts(told)
    limits = _limits(flash, told)
    return Control(
        sequence=1,
        state_version=version,
        running=0,
        previous=NO_SLOT,
        fallback_pair=newest,
        program_hash=bytes(32),
        drug=drug,
        concentration=concentration,
        filled_at=last.at if last else implant.made_at,
        fill=Fill(done.fill, 0, 0, last.volume, last.since)
        if last
        else Fill(done.fill, 0, 0, 0, 0),
        bridging=_logged_bridge(told, implant.pulse, drug)
        if kept is None
        else bridge_of(kept.metering.line, kept.metering.pulses, drug, concentration),
        order=None,
        orders=done.order,
        label=_label(told, implant, kept),
        record_pair=_record_pair(flash, told),
        record_number=done.record,
        limits_pair=limits.pair,
        limits_version=limits.version,
        limits_key=limits.key,
        stopped_at=halts[-1].stopped if halts else None,
        starts=done.start,
        cancels=done.cancel,
        on_fallback=True,
        tag=_tag(told),
        ledger=(),
        reaches_back_to=version,
        keys=(),
        most_role=Role.CLINICIAN,
        entries=(),
    )


def _label(told: list[LogEntry], implant: Implant, kept: Retained | None) -> Label:
    """As the log tells it; a new one where the always-on domain has not seen it set."""
    found = lost_log.label(told)
    if found is None:
        found = implant.made_at, 0
    if kept is None:
        return Label(0, *found)
    before = lost_log.label(entry for entry in told if entry.number < kept.log_next)
    return Label(kept.done.label + (before is not None and before != found), *found)


def _tag(told: list[LogEntry]) -> bytes | None:
    """Whose pump it is was last said by PATIENT_ASSIGNED; zeros are nobody."""
    tags = [entry.data[:8] for entry in told if entry.kind is LogKind.PATIENT_ASSIGNED]
    return tags[-1] if tags and any(tags[-1]) else None


# --- what is at the tip (PRG-07) ------------------------------------------------------------


def bridge_of(
    line: tuple[Plug, ...], pulses: int, drug: Drug, concentration: int
) -> Bridging | None:
    """Until the reservoir's fluid is at the tip, everything is metered by what is before it.

    Of several fluids by the strongest one, so that none gives more than was prescribed.
    `line` is what is believed, from the tip back; `drug` and `concentration` (pg/nL) are
    the reservoir's.
    """
    before = 0
    others: list[Plug] = []
    passed = 0
    for plug in line:
        passed += plug.volume
        if plug.concentration and (plug.drug, plug.concentration) != (drug, concentration):
            others.append(plug)
            before = passed
    if not others:
        return None
    strongest = max(others, key=lambda plug: plug.concentration)
    return Bridging(
        -(-before // PL_PER_NL),
        pulses,
        strongest.drug,
        strongest.concentration,
        NO_SLOT,
        _NOBODY,
    )


def _logged_bridge(told: list[LogEntry], pulse: int, drug: Drug) -> Bridging | None:
    """One that the log has begun and not ended; a second one takes no other's place."""
    begun: LogEntry | None = None
    for entry in told:
        if entry.kind is LogKind.BRIDGE_STARTED and begun is None:
            begun = entry
        elif entry.kind is LogKind.BRIDGE_ENDED:
            begun = None
    if begun is None:
        return None
    since = begun.pulses
    for filled in lost_log.fills(told, pulse):
        if filled.number < begun.number:
            since = filled.since
    return Bridging(begun.a, since, drug, begun.b, NO_SLOT, _NOBODY)


# --- pairs of pages ---------------------------------------------------------------------------


def _record_pair(flash: Flash, told: list[LogEntry]) -> int:
    """The newer record of the implant; of two of one time, whose turn it was. 0: there is none."""
    pairs = implant_record.records(flash)
    found = {at: each for at, pair in enumerate(pairs) if (each := implant_record.record_in(pair))}
    turn = sum(entry.kind is LogKind.IMPLANT_SET for entry in told) % len(pairs)
    return max(found, key=lambda at: (found[at].recorded_at, at == turn), default=0)


class _Limits(NamedTuple):
    """What the control block says of the table."""

    pair: int
    version: int
    key: bytes | None


def _limits(flash: Flash, told: list[LogEntry]) -> _Limits:
    """The newest table (LIM-07). One that the log names and no page holds is a lost one.

    An older table is none in its place: its version would go down, and its key may
    be one that was handed over since.
    """
    pairs = implant_record.limit_pairs(flash)
    tables = {index: found for index, pair in enumerate(pairs) if (found := table_in(pair))}
    named = max((entry.a for entry in told if entry.kind is LogKind.LIMITS_SET), default=0)
    newest = max(tables, key=lambda index: tables[index].version, default=None)
    if newest is not None and tables[newest].version >= named:
        return _Limits(newest, tables[newest].version, tables[newest].next_key)
    if not named:
        return _Limits(NO_SLOT, 0, None)
    return _Limits(0 if newest is None else 1 - newest, named, None)
