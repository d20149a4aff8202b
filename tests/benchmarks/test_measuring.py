"""The benchmark measures what it says: a line of its own, a year's log, pulls over both.

No timing is asserted: how fast this machine is today is the benchmark's own matter.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from benchmarks import peers, transfers, yearlog
from benchmarks.axes import line
from benchmarks.axes.registry import axis
from benchmarks.axis import Options, Row
from benchmarks.line import Relay, Transfer, judged
from benchmarks.relay import Settings, Spoiler
from pumpctl.wire.codes import LogKind
from pumpctl.wire.logentry import unpack

posix = pytest.mark.skipif(sys.platform == "win32", reason="the relay serves ptys")


@posix
def test_the_relay_delivers_what_its_arithmetic_says(tmp_path: Path) -> None:
    data = bytes(range(256)) * 16
    settings = Settings(ber=1e-3, drop=2e-3, duplicate=1e-3, latency_us=1_000)
    ideal = Spoiler(settings, "to client")
    ideal.spoil(data)
    assert min(ideal.flipped, ideal.dropped, ideal.doubled) > 0
    came = transfers.raw(settings, tmp_path, data, 20.0)
    assert came.seconds is not None, came.note
    assert came.bits == ideal.flipped


@posix
def test_pipes_at_the_ends_of_a_line(tmp_path: Path) -> None:
    ends = {name: f"pipe:{tmp_path / name}" for name in ("client", "server")}
    with Relay(Settings(latency_us=0), tmp_path, **ends) as relay:
        for there, here, said in (
            (relay.server, relay.client, b"to the client"),
            (relay.client, relay.server, b"and back"),
        ):
            with Path(f"{there}.out").open("wb", buffering=0) as out:
                out.write(said)
            with Path(f"{here}.in").open("rb", buffering=0) as into:
                came = b""
                while len(came) < len(said):
                    came += into.read(100)
                assert came == said
    assert relay.told["to_client"]["bytes"] == 13
    assert relay.told["to_server"]["bytes"] == 8


@posix
def test_a_line_between_tcp_ends_is_over_when_one_hangs_up(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    end = f"tcp:{listener.getsockname()[1]}"
    with Relay(Settings(latency_us=0), tmp_path, client="listen", server=end) as relay:
        place = ("127.0.0.1", int(relay.client.rpartition(":")[2]))
        with socket.create_connection(place, timeout=10) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(10)
                client.sendall(b"x" * 50)
                came = b""
                while len(came) < 50:
                    came += server.recv(100)
                server.sendall(b"answer")
                server.shutdown(socket.SHUT_WR)
                answer = b""
                while data := client.recv(100):
                    answer += data
                assert (came, answer) == (b"x" * 50, b"answer")
    listener.close()
    assert relay.told["to_server"]["bytes"] == 50
    assert relay.told["to_client"]["bytes"] == 6


def test_the_year_is_the_same_each_time_and_has_what_a_year_has() -> None:
    made = [yearlog.played(120).content for _ in range(2)]
    entries = [yearlog.entries_of(each) for each in made]
    assert entries[0] == entries[1]
    seen = {unpack(raw).kind for raw in entries[0]}
    assert seen >= {
        LogKind.ACTIVATED,
        LogKind.HOUR,
        LogKind.BOLUS_STARTED,
        LogKind.BOLUS_ENDED,
        LogKind.PATIENT_DOSE,
        LogKind.PATIENT_REFUSED,
        LogKind.ALARM_RAISED,
        LogKind.ALARM_CLEARED,
    }


def test_a_file_that_is_not_the_one_that_was_sent_counts_nothing(tmp_path: Path) -> None:
    came = tmp_path / "came"
    came.write_bytes(b"abd")
    assert judged(came, b"abc", 1.0, "").seconds is None
    assert "wrong bytes (3 of 3" in judged(came, b"abc", 1.0, "").note
    assert judged(came, b"abd", 1.0, "") == Transfer(1.0)
    assert judged(came, b"abd", None, "gave up") == Transfer(None, "gave up")
    assert judged(tmp_path / "none", b"abc", 1.0, "").seconds is None


def test_the_efficiency_of_a_line() -> None:
    # 11520 bytes x 10 bits are 115200: one second of the line, four seconds are a quarter.
    assert line.efficiency(Transfer(1.0), 8 * 11_520, Settings()) == 100.0
    assert line.efficiency(Transfer(4.0), 8 * 11_520, Settings()) == 25.0
    assert line.efficiency(Transfer(None, "gave up"), 8 * 11_520, Settings()) == 0.0


def test_a_peer_that_is_not_here_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "BIN", Path("/nowhere"))
    monkeypatch.setenv("PATH", "/nowhere")
    peers.python_packages.cache_clear()
    try:
        assert not any(each.here() for each in transfers.CONTENDERS)
        assert set(peers.versions().values()) == {"not installed"}
    finally:
        peers.python_packages.cache_clear()


def test_a_small_axis_measures() -> None:
    rows = axis("journal").run(Options(quick=True)).rows
    assert all(row.values and min(row.values) > 0 for row in rows)


def _failed(rows: tuple[Row, ...]) -> list[str]:
    """Of ours, what did not arrive."""
    return [row.name for row in rows if "pumpctl" in row.name and (row.note or not min(row.values))]


@posix
@pytest.mark.slow
def test_pulls_over_noisy_lines_bring_the_log_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yearlog, "CACHE", tmp_path)
    rows = axis("line").run(Options(quick=True, peers=False, jobs=2)).rows
    assert {row.name for row in rows} >= {f"{noise.name}: pumpctl" for noise in line.NOISES}
    assert not _failed(rows)
