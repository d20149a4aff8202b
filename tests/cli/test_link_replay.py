"""`link replay`: a capture reproduces what a pump did, on a copy of it, and shows where not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pumpctl.errors import NoAnswer
from pumpctl.link.session import Link
from pumpctl.pump.pump import Pump
from pumpctl.transport.capture_text import Form, Revealed, read, written
from pumpctl.transport.line import LineLost
from pumpctl.wire import codes
from pumpctl.wire import messages as m
from pumpctl.wire.message import REGISTRY, spec_of
from pumpctl.wire.messages import Ping
from pumpctl.workflows.line import comparing, replaying, wording
from pumpctl.workflows.line.comparing import differences
from pumpctl.workflows.line.replaying import NOT_SAID
from tests.helpers.captures import Talk
from tests.helpers.desk import Desk

WARD, COPY = ("--port", "emu://ward"), ("--port", "emu://copy")
BOLUS = ("bolus", "single", "20 mcg", "--over", "10 min")


def copy(desk: Desk, name: str = "copy", of: str = "ward") -> None:
    """The same pump once more, as it is now."""
    shelf = desk.home / "emulators"
    shutil.rmtree(shelf / name, ignore_errors=True)
    shutil.copytree(shelf / of, shelf / name)


def bolus(desk: Desk, name: str = "c.ndjson") -> Path:
    """A bolus given under a capture; `copy` is the pump before it."""
    desk.emulator()
    desk.rehearse()
    desk.program()
    plan = desk.files / "bolus.json"
    told = desk.pump(*BOLUS, "--plan-only", "-o", plan)
    copy(desk)
    capture = desk.files / name
    desk.pump("apply", plan, "--confirm", told["confirm"], "--capture", capture)
    return capture


def replayed(desk: Desk, capture: Path, *more: object, code: int = 0) -> dict[str, Any]:
    return desk.json(*COPY, "link", "replay", capture, *more, code=code)


def answers(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    (session,) = document["data"]["sessions"]
    return [(one["request"], one["recorded"], one["now"]) for one in session["exchanges"]]


# --- a change of therapy, once more ------------------------------------------------------------


@pytest.mark.parametrize("name", ["c.ndjson", "c.hex"])
def test_a_copy_does_the_same_again(desk: Desk, name: str) -> None:
    capture = bolus(desk, name)
    document = replayed(desk, capture)
    data = document["data"]
    assert data["same"]
    assert data["changed"] == "yes"
    said = answers(document)
    assert ("ACTIVATE", "DONE", "DONE") in said
    assert ("STAGE_BOLUS", "STAGED", "STAGED") in said
    assert data["sessions"][0]["left_out"] == ["CLOSE"]
    truth, other = desk.inspect(), desk.inspect("copy")
    assert truth["operations"] == other["operations"]
    assert truth["state_version"] == other["state_version"]
    assert truth["delivery"] == other["delivery"] == "bolus"


def test_what_moves_by_itself_is_told_apart(desk: Desk) -> None:
    capture = bolus(desk)
    document = replayed(desk, capture)
    (session,) = document["data"]["sessions"]
    found = {
        (one["request"], each["field"]): each["moves"]
        for one in session["exchanges"]
        for each in one["differences"]
    }
    assert found[("STAGE_BOLUS", "nonce")] is True
    assert all(found.values())


@pytest.mark.requirement("BOL-01")
def test_the_same_pump_shows_what_has_changed_and_gives_no_second_bolus(desk: Desk) -> None:
    capture = bolus(desk)
    replayed(desk, capture)
    before = desk.truth("copy")
    document = replayed(desk, capture, code=3)
    assert desk.truth("copy") == before
    assert document["error"]["code"] == "REPLAY_DIFFERS"
    assert document["error"]["changed"] == document["data"]["changed"] == "no"
    said = answers(document)
    assert ("STAGE_BOLUS", "STAGED", "REFUSAL BOLUS_RUNNING") in said
    (session,) = document["data"]["sessions"]
    done = next(one for one in session["exchanges"] if one["request"] == "ACTIVATE")
    assert {each["field"] for each in done["differences"] if not each["moves"]} == {"repeated"}
    ran = desk.run(*COPY, "link", "replay", capture)
    assert ran.code == 3
    assert "≠ STAGE_BOLUS" in ran.out
    assert "REFUSAL BOLUS_RUNNING" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100


def test_without_the_nonce_of_now_the_pump_refuses(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mapping removed: the recorded nonce is nobody's."""
    capture = bolus(desk)
    monkeypatch.setattr(replaying._Saying, "_learn", lambda *_: None)
    assert ("ACTIVATE", "DONE", "REFUSAL NONCE") in answers(replayed(desk, capture, code=3))


# --- a fault report ------------------------------------------------------------------------------


def test_a_capture_of_a_fault_shows_it_again_and_its_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled motor bars the test of the alarm signal; a pump that turns again plays it."""
    desk.emulator()
    desk.rehearse()
    desk.program()
    desk.data("emulator", "fault", "ward", "stall")
    desk.advance("1 h")
    copy(desk)
    capture = desk.files / "report.ndjson"
    with monkeypatch.context() as blind:  # the station would not even ask
        state = Pump.state
        blind.setattr(Pump, "state", lambda self: state(self)._replace(alarms=()))
        error = desk.refused(6, "PUMP_REFUSED", *WARD, "--capture", capture, "alarm", "test")
    assert error["pump_code"] == "ALARM_RAISED"
    same = replayed(desk, capture)
    refusal = ("TEST_ALARM", "REFUSAL ALARM_RAISED", "REFUSAL ALARM_RAISED")
    assert refusal in answers(same)
    assert same["data"]["same"]
    desk.data("emulator", "fault", "copy", "clear", "stall")
    desk.advance("1 h", "copy")
    other = replayed(desk, capture, code=3)
    assert ("TEST_ALARM", "REFUSAL ALARM_RAISED", "ALARM_SOUNDS") in answers(other)
    status = next(
        one
        for one in other["data"]["sessions"][0]["exchanges"]
        if one["request"] == "GET_STATUS" and not one["same"]
    )
    named = {each["field"]: each["now"] for each in status["differences"] if not each["moves"]}
    assert named["delivery"] == "DELIVERING"
    assert named["alarms.count"] == 0


def test_an_answer_that_never_came_is_one_too(desk: Desk) -> None:
    talk = Talk()
    talk.reveal()
    talk.ask(Ping(bytes(16)))
    talk.passes("out", talk.unheard(Ping(bytes(range(16))))[0])
    capture = talk.write(desk.files / "c")
    desk.emulator("copy")
    document = replayed(desk, capture, code=3)  # another pump: its greeting is another
    assert answers(document) == [("PING", "PONG", "PONG"), ("PING", "no answer", "PONG")]
    (session,) = document["data"]["sessions"]
    assert "serial" in {each["field"] for each in session["greeting"]}


def test_silence_now_is_a_difference_and_a_change_of_which_nobody_knows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = bolus(desk)
    ask = Link.try_ask

    def silent(self: Link, message: object, *rest: object) -> object:
        if isinstance(message, m.Activate):
            raise NoAnswer("silent")
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "try_ask", silent)
    document = replayed(desk, capture, code=3)
    assert ("ACTIVATE", "DONE", "no answer") in answers(document)
    assert document["error"]["changed"] == document["data"]["changed"] == "unknown"


def test_a_line_that_breaks_under_a_change_leaves_an_unknown_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = bolus(desk)
    ask = Link.try_ask

    def broken(self: Link, message: object, *rest: object) -> object:
        if isinstance(message, m.Activate):
            raise LineLost("gone")
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "try_ask", broken)
    document = replayed(desk, capture, code=7)
    assert document["error"]["code"] == "OUTCOME_UNKNOWN"
    assert document["error"]["changed"] == "unknown"


def test_a_line_that_breaks_later_does_not_hide_a_change(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = bolus(desk)
    ask = Link.try_ask
    seen: list[object] = []

    def broken(self: Link, message: object, *rest: object) -> object:
        if seen:
            raise LineLost("gone")
        seen.extend([message] if isinstance(message, m.Activate) else [])
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "try_ask", broken)
    document = replayed(desk, capture, code=5)
    assert document["error"]["code"] == "LINE_LOST"
    assert document["error"]["changed"] == "yes"


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.requirement("SEC-04")
def test_a_pump_that_is_not_in_bench_mode_hears_nothing_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = bolus(desk)
    desk.data("emulator", "new", "real", "--pair", "--no-bench")
    asked: list[str] = []
    ask = Link.try_ask

    def noted(self: Link, message: object, *rest: object) -> object:
        asked.append(type(message).__name__)
        return ask(self, message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "try_ask", noted)
    with desk.untouched("real"):
        desk.refused(5, "BENCH_ONLY", "--port", "emu://real", "link", "replay", capture)
    assert asked == ["GetIdentity"]


@pytest.mark.requirement("SEC-04")
def test_without_that_question_a_real_pump_would_be_given_the_bolus(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check removed: the same capture stages on a pump that could be in a patient."""
    capture = bolus(desk)
    desk.data("emulator", "new", "real", "--pair", "--no-bench", "--frozen")
    from pumpctl.wire.greeting import PumpGreeting

    monkeypatch.setattr(Pump, "bench", property(lambda _: True))
    monkeypatch.setattr(PumpGreeting, "bench", property(lambda _: True))
    document = desk.json("--port", "emu://real", "link", "replay", capture, code=3)
    assert "STAGE_BOLUS" in [request for request, _, _ in answers(document)]


def test_a_capture_without_keys_cannot_be_said_again(desk: Desk) -> None:
    capture = bolus(desk)
    events = [each for each in read(capture.read_text()) if not isinstance(each, Revealed)]
    capture.write_text("".join(written(each, Form.NDJSON) for each in events))
    with desk.untouched("copy"):
        error = desk.refused(3, "CAPTURE_SEALED", *COPY, "link", "replay", capture)
    assert "bench mode" in error["hint"]


def test_words_and_files_that_it_does_not_take(desk: Desk) -> None:
    capture = bolus(desk)
    with desk.untouched("copy"):
        desk.refused(2, "USAGE", *COPY, "link", "replay", capture, "--part", "2")
        desk.refused(2, "USAGE", *COPY, "link", "replay", desk.files / "none")
        (desk.files / "x").write_text("x")
        desk.refused(3, "CAPTURE_UNREADABLE", *COPY, "link", "replay", desk.files / "x")
        desk.refused(2, "USAGE", "link", "replay", capture)


def test_one_part_of_several(desk: Desk) -> None:
    desk.emulator()
    copy(desk)
    capture = desk.files / "c"
    for words in (("link", "ping", "--count", "1"), ("status",), ("link", "ping", "--count", "2")):
        desk.pump("--capture", capture, *words)
    document = replayed(desk, capture, "--part", "3")
    assert [said for said, _, _ in answers(document)] == ["GET_IDENTITY", "PING", "PING"]
    assert len(replayed(desk, capture)["data"]["sessions"]) == 3


def test_keys_are_not_changed_and_the_line_is_not_repaired_by_a_replay(desk: Desk) -> None:
    talk = Talk()
    talk.reveal()
    talk.ask(m.Unpair(bytes(8)))
    talk.ask(m.Grant(bytes(8), codes.Role.OBSERVER))
    talk.ask(m.Repeat(1, bytes(32)))
    talk.ask(Ping(bytes(16)))
    capture = talk.write(desk.files / "c")
    desk.emulator("copy")
    document = replayed(desk, capture, code=3)
    assert [said for said, _, _ in answers(document)] == ["PING"]
    (session,) = document["data"]["sessions"]
    assert session["left_out"] == ["UNPAIR", "GRANT", "REPEAT"]
    assert document["data"]["changed"] == "no"


# --- the comparison ------------------------------------------------------------------------------


def test_the_table_of_what_moves_names_real_fields() -> None:
    from tests.wire.strategies import largest

    for name, moves in comparing.MOVES.items():
        if name == "GREETING":
            continue
        message = largest(REGISTRY[codes.Op[name]].struct)
        paths = {leaf.path.replace("[0]", "") for leaf in wording.leaves(message)}
        assert moves <= paths, name


def test_what_is_left_out_is_nothing_that_a_pump_delivers_by() -> None:
    for op in NOT_SAID:
        spec = REGISTRY[op]
        assert spec.from_station
        assert not spec.therapy
        assert not spec.stages


def test_answers_of_one_kind_field_by_field() -> None:
    one = m.Refusal(codes.Refuse.NONCE, "a")
    assert differences(one, one) == ()
    (found,) = differences(one, one._replace(detail="b"))
    assert found == ("detail", "a", "b", False)
    (found,) = differences(one, None)
    assert found == ("answer", "REFUSAL NONCE", "no answer", False)
    assert differences(None, None) == ()
    staged = m.Staged(codes.Kind.BOLUS, bytes(32), 1, bytes(8))
    found = differences(staged, staged._replace(nonce=b"12345678"))[0]
    assert found.moves
    assert spec_of(staged).op is codes.Op.STAGED
