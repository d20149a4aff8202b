"""`link decode`: every frame explained, secrets kept, any bytes safe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pumpctl.transport.capture_text import Form, Head, Passed, Revealed, Trouble, written
from pumpctl.wire import flips
from pumpctl.wire.frames import Frame, decode_frame, encode_frame
from pumpctl.wire.messages import Ping
from pumpctl.workflows.line import decoding, parts
from pumpctl.workflows.line.decoding import explained
from pumpctl.workflows.line.faults import CaptureUnreadable
from pumpctl.workflows.line.parts import read_parts
from tests.helpers.captures import STEP, Talk, flipped
from tests.helpers.desk import Desk

TOKEN = bytes(range(16))


def decoded(desk: Desk, path: Path) -> dict[str, Any]:
    """The one part of a capture."""
    (part,) = desk.data("link", "decode", path)["parts"]
    found: dict[str, Any] = part
    return found


def frames(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in part["items"] if item["what"] == "frame"]


@pytest.mark.parametrize("form", Form)
def test_a_talk_in_words(desk: Desk, form: Form) -> None:
    talk = Talk()
    keys = talk.reveal()
    talk.ask(Ping(TOKEN))
    path = talk.write(desk.files / "c", form)
    part = decoded(desk, path)
    greeting, told, shake, shaken, ping, pong = frames(part)
    assert (greeting["kind"], greeting["way"], greeting["at_us"]) == ("GREETING", "out", STEP)
    assert greeting["greeting"]["purpose"] == "SESSION"
    assert greeting["greeting"]["key"] == talk.station.key.hex()
    assert told["greeting"]["serial"] == "SP40-000123"
    assert [one["kind"] for one in (shake, shaken)] == ["HANDSHAKE"] * 2
    assert shake["payload_bytes"] == 48  # one key of 32 bytes, one tag of 16
    assert ping["record"]["message"] == "PING"
    assert ping["record"]["fields"] == {"token": TOKEN.hex()}
    assert (ping["session"], ping["counter"]) == (f"{keys.session:04x}", 1)
    assert pong["record"]["message"] == "PONG"
    assert pong["record"]["to"] == 1
    assert pong["record"]["round_trip_us"] == STEP
    assert part["keys_of"] == [f"{keys.session:04x}"]
    totals = part["totals"]
    assert (totals["frames_out"], totals["frames_in"]) == (3, 3)
    assert (totals["records_out"], totals["records_in"], totals["opened"]) == (1, 1, 2)
    assert (totals["round_trips"], totals["median_us"]) == (1, STEP)
    size = sum(len(event.data) for event in talk.events if isinstance(event, Passed))
    assert totals["bytes_out"] + totals["bytes_in"] == size


@pytest.mark.requirement("SEC-08")
def test_keys_are_never_shown(desk: Desk) -> None:
    talk = Talk()
    keys = talk.reveal()
    talk.ask(Ping(TOKEN))
    path = talk.write(desk.files / "c")
    for words in ((), ("--json",), ("--brief",)):
        ran = desk.run("link", "decode", path, *words)
        assert ran.code == 0
        for key in (keys.to_pump, keys.from_pump):
            assert key.hex() not in (ran.out + ran.err).lower()
        assert "withheld" in ran.out


def test_without_keys_the_frames_still_say_what_they_are(desk: Desk) -> None:
    talk = Talk()
    talk.ask(Ping(TOKEN))
    part = decoded(desk, talk.write(desk.files / "c"))
    *_, ping, pong = frames(part)
    assert ping["record"]["state"] == "whole"
    assert ping["record"]["message"] is None
    assert pong["record"]["round_trip_us"] == STEP
    assert part["totals"]["opened"] == 0
    assert "no keys" in desk.run("link", "decode", desk.files / "c").out


def test_what_a_line_did_to_frames_is_told(desk: Desk) -> None:
    """A flipped bit each way, a resend, noise, and an answer without its last piece."""
    talk = Talk()
    talk.reveal()
    data, answer = talk.unheard(Ping(TOKEN))
    talk.passes("out", flipped(data, 20, 3))  # the pump drops it ...
    talk.passes("out", data)  # ... so it is sent again,
    talk.passes("in", flipped(answer, 20, 3))  # and the station mends what comes back
    talk.passes("out", data)
    talk.passes("in", b"\x05noise\x00")
    part = decoded(desk, talk.write(desk.files / "c"))
    *_, dropped, again, mended, repeated, noise, _end = part["items"]
    assert (dropped["what"], dropped["why"]) == ("junk", "the check fails")
    assert dropped["explained"] == "one flipped bit"
    assert (again["check"], again["again"]) == ("right", False)
    assert (mended["check"], mended["flipped_bits"]) == ("mended", 1)
    assert mended["record"]["message"] == "PONG"
    assert (repeated["again"], repeated["record"]["state"]) == (True, "repeated")
    assert (noise["what"], noise["bytes"], noise["explained"]) == ("junk", 6, None)
    totals = part["totals"]
    assert (totals["broken_out"], totals["broken_in"]) == (1, 1)
    assert (totals["mended"], totals["again"]) == (1, 1)


def test_pieces_that_are_missing_are_named(desk: Desk) -> None:
    talk = Talk()
    session = talk.keys.session
    frame = decode_frame(talk.unheard(Ping(TOKEN))[0][:-1])
    for piece, last in ((0, False), (3, True)):
        talk.passes("in", encode_frame(frame._replace(counter=9, piece=piece, last=last)))
    talk.passes("in", encode_frame(frame._replace(counter=10, piece=1, last=False)))
    part = decoded(desk, talk.write(desk.files / "c"))
    mark = f"{session:04x}"
    assert part["unfinished"] == [
        {"way": "in", "session": mark, "counter": 9, "pieces": 2, "missing": [1, 2]},
        {"way": "in", "session": mark, "counter": 10, "pieces": 1, "missing": None},
    ]
    out = desk.run("link", "decode", desk.files / "c").out
    assert "pieces 1, 2 missing" in " ".join(out.split())


def test_a_seal_that_does_not_fit_is_told(desk: Desk) -> None:
    talk = Talk()
    talk.reveal()
    data, _ = talk.unheard(Ping(TOKEN))
    frame = decode_frame(data[:-1])
    assert isinstance(frame, Frame)
    talk.passes("out", encode_frame(frame._replace(payload=flipped(frame.payload, 0, 0))))
    part = decoded(desk, talk.write(desk.files / "c"))
    record = frames(part)[-1]["record"]
    assert (record["state"], record["why"]) == ("not authentic", "authentication fails")


def test_bytes_without_an_end_trouble_and_torn_lines_are_told(desk: Desk) -> None:
    talk = Talk()
    talk.events.append(Trouble(7, "the line broke"))
    talk.passes("in", b"\x05half")
    path = talk.write(desk.files / "c")
    path.write_text(path.read_text() + '{"at": 3, "way"')
    what = {item["what"]: item for item in decoded(desk, path)["items"]}
    assert what["trouble"]["text"] == "the line broke"
    assert "torn" in what["unread"]["text"]
    assert what["junk"]["why"] == "no delimiter ends it"
    ran = desk.run("link", "decode", path)
    assert "the line broke" in ran.out


# --- a screen --------------------------------------------------------------------------------


def test_the_screen_has_80_columns_and_passes_no_foreign_letters_on(desk: Desk) -> None:
    talk = Talk()
    talk.events[0] = Head("\x1b[2J", "se\x07ssion", "\x9b31m", "tool\r\n")
    talk.events.append(Trouble(1, "\x1b]0;title\x07"))
    talk.reveal()
    for _ in range(3):
        talk.ask(Ping(TOKEN))
    path = talk.write(desk.files / "c")
    for words in ((), ("--brief",)):
        out = desk.run("link", "decode", path, *words).out
        assert all(each == "\n" or each.isprintable() for each in out)
        assert max(map(len, out.splitlines())) <= 80


def test_a_real_visit_fits_the_screen(desk: Desk) -> None:
    desk.emulator()
    capture = desk.files / "c"
    path, told = desk.plan(None, "--capture", capture)
    port = ("--port", "emu://ward")
    desk.data(*port, "--capture", capture, "apply", path, "--confirm", told["confirm"])
    out = desk.run("link", "decode", capture).out
    assert max(map(len, out.splitlines())) <= 80
    for word in ("STAGE_PROGRAM", "ACTIVATE", "DONE", "short hash"):
        assert word in out
    assert "P-0417" not in out


# --- files that are none -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"nonsense", b"\x00\xff" * 100, b'{"at": 1, "way": "out", "hex": "00"}\n'],
)
def test_what_is_no_capture(desk: Desk, content: bytes) -> None:
    path = desk.files / "c"
    path.write_bytes(content)
    desk.refused(3, "CAPTURE_UNREADABLE", "link", "decode", path)


def test_a_file_that_is_not_there_or_too_large(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.refused(2, "USAGE", "link", "decode", desk.files / "none")
    path = Talk().write(desk.files / "c")
    monkeypatch.setattr(parts, "MOST_BYTES", 100)
    desk.refused(3, "CAPTURE_UNREADABLE", "link", "decode", path)


def test_too_many_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Talk().write(desk.files / "c")
    path.write_text(2 * path.read_text())
    assert len(desk.data("link", "decode", path)["parts"]) == 2
    monkeypatch.setattr(parts, "MOST_PARTS", 1)
    desk.refused(3, "CAPTURE_UNREADABLE", "link", "decode", path)


def test_more_things_than_are_told_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    for _ in range(5):
        talk.ask(Ping(TOKEN))
    path = talk.write(desk.files / "c")
    monkeypatch.setattr(decoding, "MOST_ITEMS", 4)
    part = decoded(desk, path)
    assert len(part["items"]) == 4
    assert part["items_left_out"] == 11  # 14 frames and the end, less 4
    assert part["totals"]["frames_out"] == 7


def test_only_so_many_broken_frames_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[bytes] = []
    monkeypatch.setattr(flips, "flip_in_stuffing", searched.append)
    head = Head("", "", "", "")
    noise = Passed(0, "in", b"\x01\x01\x00" * 5000)
    explained([parts.Part(number, head, (noise,)) for number in (1, 2)])
    assert len(searched) == 200


CHUNKS = st.lists(
    st.builds(
        Passed,
        st.integers(0, 9),
        st.sampled_from(["out", "in"]),
        st.binary(min_size=1, max_size=99),
    ),
    max_size=6,
)


@pytest.mark.requirement("TEL-07")
@given(CHUNKS, st.data())
def test_any_bytes_that_passed_are_explained(chunks: list[Passed], data: st.DataObject) -> None:
    """Noise, and noise inside of a real talk whose keys are known."""
    talk = Talk()
    talk.reveal()
    talk.ask(Ping(TOKEN))
    events = list(talk.events)
    for chunk in chunks:
        events.insert(data.draw(st.integers(1, len(events))), chunk)
    (part,) = explained([parts.Part(1, Head("", "", "", ""), tuple(events[1:]))])
    size = sum(len(event.data) for event in events if isinstance(event, Passed))
    assert part.totals.bytes_out + part.totals.bytes_in == size


@pytest.mark.requirement("TEL-07")
@given(st.binary(max_size=300), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_capture_or_none(tmp_path: Path, content: bytes, headed: bool) -> None:
    head = written(Head("", "", "", ""), Form.NDJSON).encode() if headed else b""
    path = tmp_path / "c"
    path.write_bytes(head + content)
    try:
        explained(read_parts(path))
    except CaptureUnreadable:
        assert not headed or b"{" in content


@given(st.integers(0, 0xFFFF), st.binary(min_size=32, max_size=32), CHUNKS)
def test_foreign_keys_open_nothing(session: int, key: bytes, chunks: list[Passed]) -> None:
    talk = Talk()
    talk.events.append(Revealed(0, talk.keys.session, key, key))
    talk.events.append(Revealed(0, session, key, key))
    talk.ask(Ping(TOKEN))
    part = parts.Part(1, Head("", "", "", ""), (*talk.events[1:], *chunks))
    assert explained([part])[0].totals.opened == 0


def test_json_of_a_hostile_capture_is_one_document(desk: Desk) -> None:
    talk = Talk()
    talk.events[0] = Head("\ud800", "\x00", "x", "y")
    ran = desk.run("link", "decode", talk.write(desk.files / "c"), "--json")
    assert json.loads(ran.out)["ok"]
