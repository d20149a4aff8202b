"""The emulators of a home: made, listed, pressed, advanced, opened, removed; and every refusal."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pumpctl.emulator.edge import bench
from pumpctl.emulator.edge.shelf import STATE, take_lock
from pumpctl.emulator.memory import image
from pumpctl.errors import PortBusy, PortMissing, StoreError, UsageError
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.wire.secret import secret_bytes
from tests.emulator.support import DAY, MONDAY, Entropy

HOST = [MONDAY]


def around(seed: str = "bench") -> dict[str, Any]:
    return {"now": lambda: HOST[0], "entropy": Entropy(seed)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    HOST[0] = MONDAY
    return tmp_path / "home"


def test_a_new_pump_is_filled_primed_and_in_minimum_rate(home: Path) -> None:
    made = bench.create(home, "ward-3", frozen=True, **around())
    assert made.serial.startswith("SP40-")
    assert len(made.serial) == 11
    seen = bench.inspect(home, "ward-3", **around())
    assert (seen.serial, seen.secret) == (made.serial, made.secret_text)
    assert len(secret_bytes(made.secret_text)) == 16
    assert (seen.delivery, seen.reservoir, seen.pulses) == ("minimum", Volume(40_000_000), 0)
    assert seen.concentration == Concentration(500)
    assert seen.delivered == {"baclofen": Mass(0)}
    assert (seen.bench, seen.frozen, seen.boot, seen.time) == (True, True, 1, MONDAY)
    assert seen.operations == ()


def test_what_it_is_made_with(home: Path) -> None:
    bench.create(
        home,
        "x",
        model="SP20",
        volume=Volume(18_000_000),
        concentration=Concentration(2000),
        bench=False,
        offset_min=-300,
        **around(),
    )
    seen = bench.inspect(home, "x", **around())
    assert (seen.model, seen.capacity) == ("SP20", Volume(20_000_000))
    assert (seen.estimate, seen.concentration) == (Volume(18_000_000), Concentration(2000))
    assert (seen.bench, seen.frozen, seen.offset_min) == (False, False, -300)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "SP99"},
        {"volume": Volume(0)},
        {"volume": Volume(40_000_001)},
        {"model": "SP20", "volume": Volume(20_000_001)},
        {"concentration": Concentration(50)},
        {"concentration": Concentration(501)},
        {"offset_min": 900},
    ],
)
def test_no_pump_is_made_of_wrong_values(home: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        bench.create(home, "x", **wrong, **around())
    assert bench.list_emulators(home) == ()


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", ".", "-x", "ä", "x" * 41, "a.b"])
def test_names_are_strict(home: Path, name: str) -> None:
    with pytest.raises(UsageError):
        bench.create(home, name, **around())
    with pytest.raises(UsageError):
        bench.open_local(home, name, **around())


def test_two_of_one_name_are_refused_and_the_first_is_untouched(home: Path) -> None:
    first = bench.create(home, "x", **around("one"))
    with pytest.raises(UsageError, match="already"):
        bench.create(home, "x", **around("two"))
    assert bench.inspect(home, "x", **around()).serial == first.serial


def test_all_are_listed_by_name_held_or_not(home: Path) -> None:
    assert bench.list_emulators(home) == ()
    made = [bench.create(home, name, **around(name)) for name in ("b", "a", "c")]
    with bench.open_local(home, "a", **around()):
        listed = bench.list_emulators(home)
    assert [each.name for each in listed] == ["a", "b", "c"]
    assert {each.serial for each in listed} == {each.serial for each in made}
    (home / "emulators" / "b" / STATE).write_bytes(b"nothing")
    assert bench.list_emulators(home)[1].serial == ""


def test_their_order_is_that_in_which_they_were_put_there(home: Path) -> None:
    """Not that of their clocks: a story's pump has a time of its own."""
    for put_at, name in ((1, "c"), (2, "a"), (3, "z"), (3, "b")):
        new = bench.make(now=lambda: MONDAY, entropy=Entropy(name))
        bench.keep(home, name, new, now=partial(int, put_at))
    assert bench.in_order(home) == ("c", "a", "b", "z")
    (home / "emulators" / "z" / "put").unlink()
    assert bench.list_emulators(home)[-1].put_at == MONDAY, "as the pump says it was made"


def test_another_pump_in_its_place(home: Path) -> None:
    first = bench.create(home, "x", **around("one"))
    other = bench.make(**around("two"))
    put_at = bench.list_emulators(home)[0].put_at
    with bench.open_local(home, "x", **around()):
        for act in (
            lambda: bench.refuse_taken(home, "x", again=True),
            lambda: bench.keep(home, "x", other, now=lambda: MONDAY, again=True),
        ):
            with pytest.raises(PortBusy):
                act()
    assert bench.inspect(home, "x", **around()).serial == first.serial
    bench.refuse_taken(home, "x", again=True)
    bench.keep(home, "x", other, now=lambda: MONDAY + 5, again=True)
    assert bench.inspect(home, "x", **around()).serial == other.serial
    assert bench.list_emulators(home)[0].put_at == put_at, "in the same place of the order"
    bench.keep(home, "y", other, now=lambda: MONDAY, again=True)
    assert len(bench.list_emulators(home)) == 2


def test_a_note_of_a_killed_server_is_not_believed(home: Path) -> None:
    bench.create(home, "x", **around())
    note = home / "emulators" / "x" / "served"
    note.write_text("socket://127.0.0.1:1", "utf-8")
    assert bench.list_emulators(home)[0].served_at is None, "nobody holds it"
    with bench.open_local(home, "x", **around()):
        assert bench.list_emulators(home)[0].served_at is None, "who holds it does not serve it"
    assert not note.exists()


def test_removed_is_gone(home: Path) -> None:
    bench.create(home, "x", **around())
    bench.remove(home, "x")
    assert bench.list_emulators(home) == ()
    for act in (bench.remove, lambda *_: bench.inspect(home, "x", **around())):
        with pytest.raises(PortMissing):
            act(home, "x")
    bench.create(home, "x", **around())


def test_a_held_pump_is_busy_for_everybody_else(home: Path) -> None:
    bench.create(home, "x", **around())
    with bench.open_local(home, "x", **around()):
        for act in (
            lambda: bench.open_local(home, "x", **around()),
            lambda: bench.remove(home, "x"),
            lambda: bench.inspect(home, "x", **around()),
            lambda: bench.press(home, "x", **around()),
            lambda: bench.advance(home, "x", 1, **around()),
            lambda: bench.serve(home, "x", tcp=("127.0.0.1", 0), ready=lambda _: None, **around()),
        ):
            with pytest.raises(PortBusy):
                act()
    bench.inspect(home, "x", **around())


def test_press_and_advance_are_remembered_by_the_next_process(home: Path) -> None:
    bench.create(home, "x", **around())
    assert bench.press(home, "x", **around()).pairing_open
    assert bench.inspect(home, "x", **around()).pairing_open
    seen = bench.advance(home, "x", 7 * DAY, **around())
    assert (seen.counter, seen.pulses, seen.pairing_open) == (7 * DAY, 7 * 480, False)
    assert bench.inspect(home, "x", **around()).counter == 7 * DAY
    for wrong in (-1, bench.LONGEST_ADVANCE_MS + 1):
        with pytest.raises(UsageError):
            bench.advance(home, "x", wrong, **around())


def test_looking_writes_nothing_to_flash(home: Path) -> None:
    bench.create(home, "x", frozen=True, **around())
    first = bench.inspect(home, "x", **around())
    assert bench.inspect(home, "x", **around()) == first


def test_a_closed_line_is_closed(home: Path) -> None:
    bench.create(home, "x", **around())
    line = bench.open_local(home, "x", **around())
    line.write(b"garbage\0")
    assert line.read() == b""
    line.close()
    line.close()
    with pytest.raises(ValueError, match="closed"):
        line.write(b"x")


def test_a_state_file_of_the_wrong_size_is_refused(home: Path) -> None:
    bench.create(home, "x", **around())
    state = home / "emulators" / "x" / STATE
    assert state.stat().st_size == image.SIZE
    assert state.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    state.write_bytes(b"\xff" * 100)
    for _ in range(2):  # and the lock is given back
        with pytest.raises(StoreError):
            bench.open_local(home, "x", **around())
    state.write_bytes(b"\xff" * image.SIZE)
    with pytest.raises(StoreError, match="implant record"):
        bench.open_local(home, "x", **around())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights as on unix")
def test_a_home_that_cannot_be_written(home: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError):
        bench.create(blocked, "x", **around())
    if os.geteuid() == 0:
        return
    home.mkdir()
    home.chmod(0o500)
    with pytest.raises(StoreError):
        bench.create(home, "x", **around())
    home.chmod(0o700)
    bench.create(home, "x", **around())
    folder = home / "emulators" / "x"
    (folder / STATE).chmod(0o400)
    with pytest.raises(StoreError):
        bench.open_local(home, "x", **around())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_pump_whose_state_cannot_be_written_falls_silent(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.create(home, "x", **around())
    line = bench.open_local(home, "x", **around())
    held = line._held
    assert held is not None

    def full(offset: int, data: bytes) -> None:
        with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
            device.write(data)

    monkeypatch.setattr(held.firmware.core.flash.store, "write", full)
    line.write(b"x\0")  # it falls silent, and does not claim that nothing has happened
    assert line.read() == b""
    line.write(b"x\0")
    take_lock(home, "x").release()
    line.close()
    take_lock(home, "x").release()


def test_a_failed_make_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, target: Any) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StoreError, match="No space"):
        bench.create(home, "x", **around())
    assert not (home / "emulators" / "x").exists()
