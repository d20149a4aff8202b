"""What keeps pumps of one process out of each other's way: ends that never block, turns, room."""

from __future__ import annotations

import select
import socket
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pumpctl.emulator.edge import descriptors, server
from pumpctl.emulator.edge.ends import PtyEnd, TcpEnd
from pumpctl.errors import PortError

# --- ends -----------------------------------------------------------------------------------------


class Watching:
    """What an end wants watched."""

    def __init__(self) -> None:
        self.now: dict[int, bool] = {}

    def reading(self, descriptor: int) -> None:
        assert descriptor not in self.now
        self.now[descriptor] = False

    def writing(self, descriptor: int, wanted: bool) -> None:
        assert descriptor in self.now
        self.now[descriptor] = wanted

    def forget(self, descriptor: int) -> None:
        del self.now[descriptor]


def test_a_client_that_takes_nothing_blocks_nothing() -> None:
    """What it does not take waits, within bounds; it gets that much once it listens."""
    watching = Watching()
    end = TcpEnd("127.0.0.1", 0, watching)
    (listener,) = watching.now
    port = int(end.where.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as deaf:
        select.select([listener], [], [], 20)
        end.welcome([listener])
        (client,) = watching.now.keys() - {listener}
        sent = 0
        while not watching.now[client]:
            end.send(bytes(10_000))
            sent += 10_000
        for _ in range(100):
            end.send(bytes(10_000))
        got = 0
        while watching.now[client]:
            got += len(deaf.recv(65536))
            end.flush()
        end.hang_up()
        assert end.lost() and not end.lost()
        assert watching.now == {listener: False}
        while piece := deaf.recv(65536):
            got += len(piece)
        assert sent <= got <= sent + (1 << 18)
    end.close()
    assert watching.now == {}


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
def test_a_pty_that_nobody_reads_blocks_nothing(tmp_path: Path) -> None:
    watching = Watching()
    end = PtyEnd(tmp_path / "tty0", tmp_path, watching)
    (master,) = watching.now
    while not watching.now[master]:
        end.send(bytes([7]) * 1000)
    end.hang_up()  # a line that is cut: what waited is gone
    assert watching.now == {master: False}
    assert end.lost() and not end.lost()
    end.close()
    assert watching.now == {}


# --- turns --------------------------------------------------------------------------------------


class Clock:
    """Virtual ms, moved by waiting and by work."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Busy:
    """A pump whose every turn takes a while."""

    def __init__(self, clock: Clock, name: str, cost: int) -> None:
        self.clock, self.name, self.cost = clock, name, cost
        self.ticks: list[int] = []
        self.turns = 0

    def happened(self, _on: set[int], _now: int) -> None:
        self.turns += 1
        self.clock.now += self.cost

    def tick(self, now: int) -> None:
        self.ticks.append(now)
        self.clock.now += 1

    def due_in(self, _now: int) -> int | None:
        return None

    def line_lost(self) -> None:
        return None


def turns(monkeypatch: pytest.MonkeyPatch, pumps: int, flooded: int, cost: int = 20) -> list[Busy]:
    """Ten virtual seconds in which the first ones always have something to do."""
    clock = Clock()
    ward = [Busy(clock, str(number), cost) for number in range(pumps)]
    stopper = SimpleNamespace(stopped=False)
    ready = [(SimpleNamespace(data=pump, fd=9), 1) for pump in ward[:flooded]]

    def select(wait: float) -> list[Any]:
        if not ready:
            clock.now += max(1, round(wait * 1000))
        stopper.stopped = clock.now >= 10_000
        return ready

    monkeypatch.setattr(server, "_ms", clock)
    fake: Any = SimpleNamespace(select=select)
    loop: Any = server._Loop(fake, ward, print)  # type: ignore[arg-type]
    assert loop.run(stopper) == []
    return ward


def test_ticks_are_spread_over_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ward = turns(monkeypatch, pumps=4, flooded=0)
    for number, pump in enumerate(ward):
        phase = 250 * (number + 1) % 1000
        assert {at % 1000 for at in pump.ticks} == {phase}
        assert len(pump.ticks) in (9, 10)


@pytest.mark.parametrize(("pumps", "flooded"), [(3, 1), (50, 5), (50, 50)])
def test_who_always_has_something_to_do_stops_no_tick_and_no_other_turn(
    monkeypatch: pytest.MonkeyPatch, pumps: int, flooded: int
) -> None:
    ward = turns(monkeypatch, pumps, flooded)
    counts = Counter(pump.turns for pump in ward[:flooded])
    assert max(counts) - min(counts) <= 1, "turn by turn"
    round_ms = 20 * flooded + flooded + 1
    for pump in ward:
        assert len(pump.ticks) >= 8
        gaps = [late - early for early, late in pairwise(pump.ticks)]
        assert max(gaps) <= 1000 + (pumps // (flooded + 1) + 2) * round_ms


# --- the limit of open files ------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_the_limit_of_open_files_is_raised_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limit, put = [(256, 4096)], []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limit[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: put.append(pair))
    descriptors.make_room(30)
    assert put == []
    descriptors.make_room(200)
    assert put == [(200 * descriptors.PER_PUMP + descriptors.SPARE, 4096)]
    limit[0] = (256, resource.RLIM_INFINITY)
    descriptors.make_room(200)
    assert put[1:] == [(1264, resource.RLIM_INFINITY)]
    limit[0] = (256, 1000)
    with pytest.raises(PortError, match="200 emulators in one process need 1264 open files"):
        descriptors.make_room(200)

    def forbidden(*_: object) -> None:
        raise ValueError

    limit[0] = (256, 4096)
    monkeypatch.setattr(resource, "setrlimit", forbidden)
    with pytest.raises(PortError, match="the limit here is 256"):
        descriptors.make_room(200)
