"""What is in the line of a pump that has lost its memory, by the log and the implant's record.

Plug flow is gone through again with what is known of each fluid. What the pump
meters by is for the control block to say, not for this.
"""

from __future__ import annotations

from itertools import pairwise

from pumpctl.emulator.body.fluid import PL_PER_NL, Plug, PlugFlow, free, pure
from pumpctl.emulator.core import Core
from pumpctl.emulator.following import recorded_line
from pumpctl.emulator.memory import implant_record
from pumpctl.emulator.starting import lost_log
from pumpctl.wire.codes import Holds, LogKind
from pumpctl.wire.logentry import LogEntry


def rebuilt(core: Core, told: list[LogEntry]) -> tuple[PlugFlow, int]:
    """The line, and the batch of the fluid in the reservoir.

    Before the first fluid that is known the line counts as full of that; where the line
    was recorded anew, it began as recorded.
    """
    engine, pulse, pulses = core.engine, core.implant.pulse, core.engine.motor.pulses
    fluids = _fluids(core, told)
    batches = [1]
    for (_, one), (_, other) in pairwise(fluids):
        batches.append(batches[-1] + (one != other))
    since = _recorded_at(core, told)
    if since is None:
        since = 0
        line = PlugFlow((_plug(core, engine.line.volume, fluids[0][1], batches[0]),))
    else:
        line = PlugFlow(recorded_line(core, batches[-1]))
    ends = [start for start, _ in fluids[1:]] + [pulses]
    for (start, concentration), end, batch in zip(fluids, ends, batches, strict=True):
        moved = max(0, end - max(start, since)) * pulse * PL_PER_NL
        line.push(_plug(core, moved, concentration, batch))
    return line, batches[-1]


def _plug(core: Core, volume: int, concentration: int, batch: int) -> Plug:
    if not concentration:
        return free(volume)
    return pure(volume, core.control.drug, concentration, batch)


def _fluids(core: Core, told: list[LogEntry]) -> list[tuple[int, int]]:
    """What was in the reservoir: since how many pulses, and its pg/nL, oldest first.

    A running bridge says it. Else the refills say it, and what was before the first
    of them, the hours until then; last of all the record, which may not know.
    """
    control = core.control
    now = control.concentration
    if control.bridging is not None:
        return [(0, control.bridging.concentration), (control.bridging.since, now)]
    fills = lost_log.fills(told, core.implant.pulse)
    if not fills and not control.fill.number:
        return [(0, now)]
    hours = [
        lost_log.concentration_of_hour(entry)
        for entry in told
        if entry.kind is LogKind.HOUR and (not fills or entry.number < fills[0].number)
    ]
    part = core.record_in_force.tubing_holds
    recorded = part.concentration if part.holds is Holds.DRUG else 0
    first = hours[-1] if fills and hours else recorded
    earlier = [(each.since, each.concentration) for each in fills[:-1]]
    return [(0, first), *earlier, (control.fill.since, now)]


def _recorded_at(core: Core, told: list[LogEntry]) -> int | None:
    """Pulses at which the line was last recorded to be another, or to hold something else."""
    pair = core.control.record_pair
    other = implant_record.record_in(core.records[1 - pair])
    if other is not None and implant_record.line_contents(other) == implant_record.line_contents(
        core.record_in_force
    ):
        return None
    sets = [entry.pulses for entry in told if entry.kind is LogKind.IMPLANT_SET]
    return sets[-1] if sets else None
