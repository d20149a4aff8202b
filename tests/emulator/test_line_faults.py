"""A line that misbehaves: what it may do to the bytes, and what pump and station see of it."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.emulator.body.faults import Fault, FaultKind
from pumpctl.emulator.edge import bench
from pumpctl.emulator.edge.line_faults import (
    MILLION,
    SOUND,
    LineFaults,
    Settings,
    _Dice,
    faults_of_world,
)
from pumpctl.transport import emulated
from pumpctl.transport.line import LineLost, open_line
from pumpctl.transport.surroundings import Surroundings
from pumpctl.wire.codes import Purpose
from pumpctl.wire.frames import MOST_STUFFED
from pumpctl.wire.initiator import Greeted, Initiator
from tests.emulator.support import MONDAY, Bench, Entropy

frames = st.lists(
    st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\0", b"\1") + b"\0"),
    max_size=20,
)
chances = st.integers(0, MILLION)
settings_of_a_line = st.builds(
    Settings,
    drop=st.integers(1, MILLION),
    duplicate=chances,
    corrupt=chances,
    delay=st.integers(0, 50),
)


def line(settings: Settings, seed: int = 1) -> LineFaults:
    return LineFaults(lambda: settings, seed)


def carried(settings: Settings, data: bytes, seed: int = 1) -> list[bytes]:
    return line(settings, seed).to_pump(data, 0)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


@given(st.lists(st.binary(max_size=40)))
def test_a_sound_line_passes_everything_at_once(sent: list[bytes]) -> None:
    for way in (line(SOUND).to_pump, line(SOUND).to_station):
        for piece in sent:
            assert b"".join(way(piece, 0)) == piece


@given(frames, settings_of_a_line, st.integers(0, 1 << 64), st.lists(st.integers(0, 1300)))
def test_the_fate_of_a_frame_depends_on_the_seed_alone(
    sent: list[bytes], settings: Settings, seed: int, cuts: list[int]
) -> None:
    """Not on how its bytes come in pieces, nor on what passes the other way."""
    data = b"".join(sent)
    whole = LineFaults(lambda: settings, seed)
    first = whole.to_pump(data, 0) + whole.to_pump(b"", 1000)
    again = LineFaults(lambda: settings, seed)
    second = []
    for piece in pieces(data, cuts):
        second += again.to_pump(piece, 0)
        again.to_station(piece, 0)
    assert second + again.to_pump(b"", 1000) == first


@given(frames, st.integers(1, MILLION), chances)
def test_frames_are_lost_and_doubled_whole_and_in_order(
    sent: list[bytes], drop: int, duplicate: int
) -> None:
    arrived = carried(Settings(drop=drop, duplicate=duplicate), b"".join(sent))
    waiting = iter(arrived)
    got = next(waiting, None)
    for frame in sent:
        for _ in range(2):
            if got == frame:
                got = next(waiting, None)
    assert got is None, "each at most twice, none out of turn, none cut"


@given(frames)
def test_the_ends_of_the_scale(sent: list[bytes]) -> None:
    data = b"".join(sent)
    assert carried(Settings(drop=MILLION), data) == []
    assert carried(Settings(duplicate=MILLION), data) == [f for f in sent for _ in range(2)]
    flipped = bytes(255 - byte for byte in data)
    assert b"".join(carried(Settings(corrupt=MILLION), data)) == flipped


def test_the_rates_are_what_was_asked_for() -> None:
    data = b"ab\0" * 20_000
    for seed in range(3):
        lost = 20_000 - len(carried(Settings(drop=300_000), data, seed))
        assert abs(lost - 6000) < 400  # six standard deviations: 389
        doubled = len(carried(Settings(duplicate=500_000), data, seed)) - 20_000
        assert abs(doubled - 10_000) < 430
        spoiled = b"".join(carried(Settings(corrupt=1000), data, seed))
        flips = (int.from_bytes(data, "big") ^ int.from_bytes(spoiled, "big")).bit_count()
        assert abs(flips - 480) < 132
        assert len(spoiled) == len(data)


def test_the_two_directions_have_fates_of_their_own() -> None:
    faulty, data = line(Settings(drop=500_000)), b"".join(bytes([1 + n, 0]) for n in range(200))
    assert faulty.to_pump(data, 0) != faulty.to_station(data, 0)


def test_the_same_numbers_everywhere() -> None:
    """SplitMix64's published figures: a scenario means the same on every computer."""
    dice = _Dice(1234567)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [dice.draw() for _ in published] == published


@given(frames, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20))
def test_what_is_delayed_comes_late_whole_and_in_order(
    sent: list[bytes], steps: list[tuple[int, int]]
) -> None:
    """Also while the delay changes under it."""
    now, delay = 0, [0]
    out: list[bytes] = []
    due: list[int] = []
    faulty = LineFaults(lambda: Settings(delay=delay[0]), 1)
    for frame, (step, late) in zip(sent, steps, strict=False):
        now, delay[0] = now + step, late
        due.append(max([now + late, *due[-1:]]))
        out += faulty.to_pump(frame, now)
        assert len(out) == sum(at <= now for at in due)
        left = [at for at in due if at > now]
        assert faulty.due_in(now) == (left[0] - now if left else None)
    out += faulty.to_pump(b"", now + 30)
    assert out == sent[: len(due)]


def test_a_line_that_heals_passes_what_was_held_in_order() -> None:
    settings = [Settings(delay=100)]
    faulty = LineFaults(lambda: settings[0], 1)
    assert faulty.to_pump(b"one\0two\0thr", 0) == []
    settings[0] = SOUND
    assert faulty.to_pump(b"ee\0", 50) == [], "nothing overtakes"
    assert faulty.due_in(50) == 50
    assert faulty.to_pump(b"", 100) == [b"one\0", b"two\0", b"three\0"]
    assert faulty.due_in(100) is None


def test_nothing_is_held_without_bound() -> None:
    endless = b"x" * 10_000
    assert b"".join(carried(Settings(drop=1), endless)) == endless[: 10_000 - 10_000 % MOST_STUFFED]
    slow = line(Settings(delay=10_000))
    for _ in range(100):
        assert slow.to_station(b"y" * 9999 + b"\0", 0) == []
    assert len(b"".join(slow.to_station(b"", 10_000))) <= 1 << 18


def test_a_cut_line_takes_with_it_what_was_under_way() -> None:
    settings = [Settings(delay=10)]
    faulty = LineFaults(lambda: settings[0], 1)
    assert faulty.to_pump(b"one\0tw", 0) == []
    settings[0] = Settings(disconnect=True)
    assert faulty.disconnected is settings[0].disconnect
    assert faulty.to_station(b"answer\0", 0) == []
    settings[0] = SOUND
    assert faulty.disconnected is settings[0].disconnect
    assert faulty.to_pump(b"three\0", 50) == [b"three\0"]


def test_the_settings_come_from_the_pumps_world() -> None:
    pump = Bench()
    assert faults_of_world(pump.firmware) is SOUND
    at = pump.core.engine.world_time
    for kind, until, amount in (
        (FaultKind.DROP, None, 1),
        (FaultKind.DUPLICATE, None, 2),
        (FaultKind.CORRUPT, None, 3),
        (FaultKind.DELAY, None, 4),
        (FaultKind.DISCONNECT, at + 5000, 0),
    ):
        pump.core.world.add(Fault(kind, at, until, amount))
    assert faults_of_world(pump.firmware) == Settings(1, 2, 3, 4, disconnect=True)
    pump.wait(5000)
    assert faults_of_world(pump.firmware) == Settings(1, 2, 3, 4, disconnect=False)
    pump.core.world.clear()
    assert faults_of_world(pump.firmware) == SOUND


# --- inside this process ------------------------------------------------------------------


class Host:
    """A home with one pump, its clock, and the faults of its line."""

    def __init__(self, home: Path) -> None:
        self.home, self.now, self.settings = home, MONDAY, SOUND
        self.around: dict[str, Any] = {"now": lambda: self.now, "entropy": Entropy("faults")}
        bench.create(home, "x", **self.around)

    def open(self) -> bench.LocalLine:
        return bench.open_local(self.home, "x", faults=lambda _: self.settings, **self.around)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def hello() -> tuple[Initiator, bytes]:
    end = Initiator(entropy=Entropy("hello"), purpose=Purpose.LOOK, key=bytes(8))
    return end, end.greet()


def test_a_local_line_drops_delays_and_heals(host: Host) -> None:
    end, greeting = hello()
    with host.open() as local:
        host.settings = Settings(drop=MILLION)
        local.write(greeting)
        host.settings = Settings(delay=200)
        local.write(greeting)
        assert local.read() == b""
        host.now += 200  # it is at the pump, and the answer is on its way
        assert local.read() == b""
        host.now += 199
        assert local.read() == b""
        host.now += 1
        (greeted,) = end.feed(local.read())
        assert isinstance(greeted, Greeted)


def test_a_local_line_that_is_cut_stays_cut_until_it_is_opened_again(host: Host) -> None:
    end, greeting = hello()
    with host.open() as local:
        local.write(greeting)
        host.settings = Settings(disconnect=True)
        for act in (local.read, lambda: local.write(greeting)):
            with pytest.raises(ConnectionResetError, match="x is cut"):
                act()
        host.settings = SOUND
        with pytest.raises(ConnectionResetError):
            local.read()
    with host.open() as local:
        local.write(greeting)
        assert end.feed(local.read())


def test_a_cut_drops_what_was_staged(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = []
    local = host.open()
    held = local._held
    assert held is not None
    monkeypatch.setattr(held.firmware, "link_lost", lambda: lost.append(True))
    host.settings = Settings(disconnect=True)
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            local.read()
    assert lost == [True]
    local.close()


def test_the_scheme_makes_a_lost_line_of_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = partial(bench.open_local, faults=lambda _: host.settings)
    monkeypatch.setattr(emulated, "open_local", faulty)
    around = Surroundings(host.home, host.around["now"], host.around["entropy"])
    _, greeting = hello()
    with open_line("emu://x", around, lambda: 0) as opened:
        opened.write(greeting)
        assert opened.read(0) != b""
        host.settings = Settings(disconnect=True)
        with pytest.raises(LineLost, match="reading: the line to emulator x is cut"):
            opened.read(0)
        with pytest.raises(LineLost, match="writing"):
            opened.write(greeting)
