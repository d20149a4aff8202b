"""Between two events of delivery nothing happens; what is saved is what a full encoding gives."""

import hashlib
import random
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.engine.battery import PPM
from pumpctl.emulator.engine.delivery import Delivery
from pumpctl.emulator.memory.retained import Encoder, Retained, TheWorld
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind
from pumpctl.wire.fields import Many, Maybe, Struct, UInt, WireError
from pumpctl.wire.messages_acts import StageBolus
from pumpctl.wire.program import Program
from tests.emulator.roads import act
from tests.emulator.support import HOUR, MINUTE, TAG, Bench, daily, flex
from tests.wire.strategies import values

LENGTHS = (1, 17, MINUTE, 20 * MINUTE, HOUR - 1, HOUR, 5 * HOUR, 30 * HOUR)
FAULTS = (FaultKind.STALL, FaultKind.MRI, FaultKind.OCCLUSION, FaultKind.SENSOR)


def program(bench: Bench, what: Program, number: int) -> None:
    """The whole road, unless the pump refuses."""
    staged = bench.ask(m.StageProgram(TAG, what))
    if isinstance(staged, m.Staged):
        bench.get(m.GetReadback(), m.ProgramReadback)
        bench.activate(staged, number)


def memories(seed: int) -> list[bytes]:
    """All that a pump and its world know after each step of this seed's story.

    Seen before anybody asks: whoever asks makes the pump look at this very instant.
    """
    found = []
    rng = random.Random(seed)
    bench = Bench(frozen=True, volume=1_000_000)
    bench.program(flex(300_000, 700_000, boluses=daily((430, 20_000, 10 * MINUTE))))
    for number in range(60):
        world, engine = bench.core.world, bench.core.engine
        match rng.randrange(12):
            case 0:
                since = engine.world_time + rng.choice((0, 1, 7 * MINUTE))
                fault = Fault(rng.choice(FAULTS), since, since + rng.choice(LENGTHS), 0)
                world.clear()
                world.add(fault)
            case 1:
                bench.stop(100 + number)
            case 2:
                program(bench, flex(rng.choice((50_000, 250_000)), 500_000), 200 + number)
            case 3:
                engine.battery.drain_to(rng.choice((PPM // 2, PPM // 7)), bench.core.clock.counter)
            case 4:
                act(bench, StageBolus(TAG, BolusKind.SINGLE, 20_000, 20 * MINUTE), 300 + number)
            case 5:
                world.drain(rng.choice((1_000_000, 100_000_000)))
            case _:
                bench.firmware.advance(rng.choice(LENGTHS))
        found.append(hashlib.sha256(bench.store.image).digest())
        bench.status()
    return found


@pytest.mark.requirement("PMP-01")
@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_missed_between_two_events(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pump that looks for everything at every instant has the same memory, byte by byte."""
    short = memories(seed)
    monkeypatch.setattr(Delivery, "_note_instant", Delivery._happen)
    assert memories(seed) == short


def test_an_event_that_is_looked_for_too_late_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above fails where an event is missing among those that are waited for."""
    until_next = Delivery._until_next
    late = lambda self, flow, turns: until_next(self, flow, turns) + 3 * HOUR  # noqa: E731
    monkeypatch.setattr(Delivery, "_until_next", late)
    short = memories(0)
    monkeypatch.setattr(Delivery, "_note_instant", Delivery._happen)
    assert memories(0) != short


class Inner(NamedTuple):
    small: Annotated[int, UInt(1)]
    large: Annotated[int, UInt(8)]
    odd: Annotated[int, UInt(2, 1439)]


class Outer(NamedTuple):
    first: Annotated[int, UInt(4)]
    second: Annotated[int, UInt(2)]
    inner: Annotated[Inner, Struct(Inner)]
    maybe: Annotated[int | None, Maybe(UInt(8))]
    many: Annotated[tuple[Inner, ...], Many(Struct(Inner), 4)]


def whole(struct: Struct[Any], value: Any) -> bytes:
    out = bytearray()
    struct.put(value, out)
    return bytes(out)


@pytest.mark.parametrize("cls", [Outer, Retained, TheWorld])
@given(data=st.data())
def test_what_is_encoded_again_is_what_is_encoded_anew(cls: Any, data: st.DataObject) -> None:
    struct: Struct[Any] = Struct(cls)
    encoder = Encoder(struct)
    one = data.draw(values(struct))
    other = data.draw(values(struct))
    for _ in range(4):
        taken = data.draw(st.lists(st.booleans(), min_size=len(one), max_size=len(one)))
        mixed = cls(*[b if new else a for a, b, new in zip(one, other, taken, strict=True)])
        assert encoder.encoded(mixed) == whole(struct, mixed)


def test_what_fits_no_field_is_refused_each_time_and_leaves_nothing_behind() -> None:
    struct: Struct[Outer] = Struct(Outer)
    encoder = Encoder(struct)
    good = Outer(1, 2, Inner(3, 4, 5), None, ())
    assert encoder.encoded(good) == whole(struct, good)
    for bad in (
        good._replace(first=-1),
        good._replace(second=1 << 16),
        good._replace(inner=Inner(9, 9, 1440)),
        good._replace(first=7, maybe=-1),
        good._replace(many=(Inner(1, 1, 1),) * 5),
        good.inner,
    ):
        for _ in range(2):
            with pytest.raises(WireError):
                encoder.encoded(bad)
        assert encoder.encoded(good) == whole(struct, good)
