"""The whole road of any act, and the world's truth, for tests of what a pump does with it."""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Drug, LogKind, Refuse, Role
from pumpctl.wire.messages_acts import Bridge, StageRefill
from pumpctl.wire.program import Program
from tests.emulator.support import MONDAY, TAG, Bench, flex, op

FG_PER_NG = 1_000_000
LINE = 348_000
"""nL: tubing 0.140 mL and a catheter of 80 cm at 0.0026 mL/cm (0.208 mL)."""
CHAIN = bytes(range(32))


def code(answer: Any) -> Refuse:
    assert isinstance(answer, m.Refusal), answer
    return answer.code


def act(bench: Bench, asked: object, number: int = 2, role: Role = Role.CLINICIAN) -> Any:
    """Stage, read back, activate; where something is refused, the refusal."""
    staged = bench.ask(asked, role)
    if not isinstance(staged, m.Staged):
        return staged
    answer = bench.ask(m.GetReadback(), role)
    if isinstance(answer, m.Refusal):
        return answer
    version = bench.core.control.state_version
    return bench.ask(m.Activate(op(number), staged.content, version, staged.nonce, CHAIN), role)


def done(bench: Bench, asked: object, number: int = 2, role: Role = Role.CLINICIAN) -> m.Done:
    """The same where it must be taken."""
    answer = act(bench, asked, number, role)
    assert isinstance(answer, m.Done), answer
    return answer


def read_back(bench: Bench, asked: object, role: Role = Role.CLINICIAN) -> Any:
    """Stage, and what the pump says that it will do."""
    bench.get(asked, m.Staged, role)
    return bench.ask(m.GetReadback(), role)


def refill_of(
    program: Program,
    since: int,
    old: int | None = None,
    *,
    bridge: int = LINE,
    drained: int = 40_000_000,
    injected: int = 40_000_000,
    volume: int = 40_000_000,
) -> StageRefill:
    """All that is there comes out, 40 mL go in; with a bridge where a concentration was `old`."""
    bridging = None if old is None else Bridge(bridge, Drug.BACLOFEN, old)
    return StageRefill(TAG, drained, injected, volume, MONDAY, since, bridging, program)


def at_100(concentration: int = 500, days: int = 10, **more: Any) -> Bench:
    """A pump at 100 mcg/day since it was made, ten days ago: of 500 mcg/mL 20 000 pulses."""
    bench = Bench(frozen=True, concentration=concentration, **more)
    bench.program(flex(100_000, concentration=concentration))
    bench.firmware.advance(days * 86_400_000)
    return bench


def given(bench: Bench) -> int:
    """ng of baclofen that have really left the tip; nothing is lost in the division here."""
    total: int = sum(each.mass for each in bench.core.world.given)
    assert total % FG_PER_NG == 0
    return total // FG_PER_NG


def stall(bench: Bench, ms: int | None, kind: FaultKind = FaultKind.STALL) -> None:
    """From now on, for so long, the motor is held."""
    now = bench.core.engine.world_time
    bench.core.world.add(Fault(kind, now, None if ms is None else now + ms, 0))


def alarms(bench: Bench) -> set[AlarmCode]:
    return {each.code for each in bench.status().alarms}


def logged(bench: Bench, *kinds: LogKind) -> list[Any]:
    """The entries of these kinds."""
    return [each for each in bench.entries() if each.kind in kinds]
