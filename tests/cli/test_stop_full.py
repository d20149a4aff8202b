"""`stop` and `resume`, sentence by sentence of STP-01 to STP-03, each seen to fail without it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.cli import context
from pumpctl.emulator.acts import programs as emulated
from pumpctl.errors import StoreError
from pumpctl.link.session import Link
from pumpctl.pump.orders import order_program
from pumpctl.quantities import Duration
from pumpctl.station.journal import Journal
from pumpctl.therapy import after_stop
from pumpctl.therapy.after_stop import Why, ahead_of, read_reason
from pumpctl.therapy.checks import pause
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Alarm, Delivery, Priority
from pumpctl.workflows.road import stopping
from pumpctl.workflows.visit import visit
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous
from tests.therapy.samples import even, pump

PORT = ("--port", "emu://ward")
NOW = Moment.parse("2026-01-09T14:07:00+01:00")


@pytest.fixture
def running(desk: Desk) -> Desk:
    """A pump at 240 mcg/day, on its own clock."""
    desk.emulator()
    desk.rehearse()
    desk.program()
    desk.advance("2h")
    return desk


def stop(desk: Desk, *more: object) -> dict[str, Any]:
    return desk.pump("stop", "--now", *more)


# --- STP-01 ---------------------------------------------------------------------------------


@pytest.mark.requirement("STP-01")
def test_a_stop_is_one_message(running: Desk) -> None:
    sent = list[str]()
    real = Link.change

    def counted(self: Link, asked: Any, *more: Any) -> Any:
        sent.append(type(asked).__name__)
        return real(self, asked, *more)

    running.monkeypatch.setattr(Link, "change", counted)
    assert stop(running)["delivery"] == "stopped"
    assert sent == ["Stop"]


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize(
    "bar", ["library", "alarm", "unknown operation", "state version", "no reason", "journal"]
)
def test_nothing_bars_a_stop(bar: str, running: Desk) -> None:
    """Each of these bars a resume or a program, and no stop."""
    match bar:
        case "library":
            for file in running.home.glob("library*"):
                if file.is_file():
                    file.write_bytes(b"broken")
            (running.home / "library.marker").write_bytes(b"broken")
        case "alarm":
            running.data("emulator", "fault", "ward", "stall", "--for", "6h")
            running.advance("1h")
        case "unknown operation":
            with Journal(running.home / "journal.sqlite3") as journal:
                journal.append(
                    "intent",
                    at=str(NOW),
                    pump=running.json(*PORT, "status")["pump"]["serial"],
                    operation="ab" * 16,
                    body={"kind": "program", "state_version": 2},
                )
        case "state version":
            stop(running)
        case "journal":
            for file in running.home.glob("journal.sqlite3*"):
                file.unlink()
            (running.home / "journal.sqlite3").mkdir()
        case _:
            pass
    told = stop(running)
    assert (told["outcome"], told["delivery"]) == ("applied", "stopped")
    assert running.inspect()["delivery"] == "stopped"


@pytest.mark.requirement("STP-01")
def test_pairing_and_role_are_needed(running: Desk) -> None:
    with running.untouched():
        running.monkeypatch.setenv("PUMPCTL_OPERATOR", "stranger")
        document = running.json(*PORT, "stop", "--now", code=5)
        assert document["error"]["code"] == "NOT_PAIRED"


@pytest.mark.requirement("STP-01")
@pytest.mark.requirement("CNF-02")
def test_without_a_terminal_it_is_told_how_a_script_stops(running: Desk) -> None:
    with running.untouched():
        error = running.refused(9, "NOT_CONFIRMED", *PORT, "stop")
        assert "stop --now" in error["hint"]


def staged_then_stopped(desk: Desk) -> tuple[Any, Any, Any]:
    """Staged and stopped in one session: what was staged, what is, what an activation says."""
    station = context.station()._replace(port="emu://ward")
    with visit(station, changes=True) as open_visit:
        before = open_visit.state()
        program = even("100 mcg/day")
        staged = open_visit.pump.stage(order_program(program, before.tag_hash or bytes(8)))
        open_visit.pump.readback()
        held = open_visit.state().staged
        stopped = stopping.stop(open_visit, None)
        from pumpctl.outcomes import OperationId, StateVersion

        outcome = open_visit.pump.activate(
            OperationId(bytes(16)), staged, StateVersion(stopped.state_version), bytes(32)
        )
        return held, stopped.state.staged, outcome


@pytest.mark.requirement("STP-01")
def test_a_stop_voids_what_is_staged(running: Desk) -> None:
    held, left, outcome = staged_then_stopped(running)
    assert held is not None
    assert left is None
    assert type(outcome).__name__ == "Refused"
    assert running.inspect()["delivery"] == "stopped"


@pytest.mark.requirement("STP-01")
def test_without_the_voiding_what_was_staged_would_be_activated(running: Desk) -> None:
    """A pump that forgets to void: the activation that was on its way ends the stop."""
    from pumpctl.emulator.acts import dispatch
    from pumpctl.wire import messages as m

    real = dispatch.HANDLERS[m.Stop]

    def keeping(core: Any, caller: Any, asked: Any) -> Any:
        staged = core.staged
        done = real(core, caller, asked)
        core.staged = staged
        return done

    running.monkeypatch.setitem(dispatch.HANDLERS, m.Stop, keeping)
    _, left, outcome = staged_then_stopped(running)
    assert left is not None
    assert type(outcome).__name__ == "Applied"


@pytest.mark.requirement("STP-01")
def test_what_cannot_be_recorded_is_told_and_recorded_later(running: Desk) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with running.monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        document = running.json(*PORT, "stop", "--now", "--reason", "overdose")
    (warning,) = (one for one in document["warnings"] if one["code"] == "UNRECORDED")
    operation = document["data"]["operation"]
    assert operation in warning["message"]
    again = stop(running)
    with Journal(running.home / "journal.sqlite3") as journal:
        kept = journal.entries(operation=operation)
        assert [each.kind for each in kept] == ["intent", "outcome"]
        assert all(each.body["recorded_late"] for each in kept)
        assert kept[0].seq < journal.entries(operation=again["operation"])[0].seq


# --- STP-02 ---------------------------------------------------------------------------------


@pytest.mark.requirement("STP-02")
def test_the_hazard_and_when_it_begins(running: Desk) -> None:
    """Stopped at 0 h by the pump's clock: 12 h, 48 h and 96 h from then."""
    at = Moment.parse(running.pump("status")["clock"]["pump"])
    told = stop(running)
    wanted = {"withdrawal_from": 12, "old_dose_refused_after": 48, "withdrawal_to": 96}
    for key, hours in wanted.items():
        late = Moment.parse(told[key]).utc_ms - at.plus(hours * 3_600_000).utc_ms
        assert 0 <= late < 5_000, key
    text = running.run(*PORT, "stop", "--now").out
    assert "withdrawal" in text
    for key in wanted:
        assert Moment.parse(told[key]).label()[:15] in text
    assert all(len(line) <= 80 for line in text.splitlines()), text


@pytest.mark.requirement("STP-02")
def test_hours_count_from_the_last_drug(running: Desk) -> None:
    """A second stop does not begin them anew."""
    first = stop(running)
    running.advance("20h")
    again = stop(running)
    assert Moment.parse(first["without_drug_since"]).label() == (
        Moment.parse(again["without_drug_since"]).label()
    )


def test_hours_count_from_a_stall_before_the_stop() -> None:
    """Stopped 1 h ago, and the motor stood still 5 h before that."""
    state = pump(
        delivery=Delivery.STOPPED,
        stopped_for=Duration.parse("1 h"),
        clock=NOW,
        alarms=(Alarm("MOTOR_STALL", Priority.CRITICAL, "", NOW.plus(-6 * 3_600_000)),),
    )
    assert ahead_of(state, NOW).since == NOW.plus(-6 * 3_600_000)
    calm = state._replace(alarms=())
    assert ahead_of(calm, NOW).since == NOW.plus(-3_600_000)


@pytest.mark.requirement("STP-02")
def test_a_stop_is_not_limited_in_time(running: Desk) -> None:
    stop(running)
    pulses = running.inspect()["pulses"]
    running.advance("60d")
    assert (running.inspect()["delivery"], running.inspect()["pulses"]) == ("stopped", pulses)


@pytest.mark.requirement("STP-02")
def test_minimum_rate_in_mcg_a_day_and_not_after_an_overdose(running: Desk) -> None:
    """0.048 mL/day of 2000 mcg/mL are 96 mcg/day."""
    for reason in ("side effects", "before surgery", "other"):
        ran = running.run(*PORT, "stop", "--now", "--reason", reason)
        assert "minimum rate, 96 mcg/day at 2000 mcg/mL" in ran.out, reason
    assert "unless it is an overdose" in running.run(*PORT, "stop", "--now").out
    for reason in ("overdose", "Overdose suspected", "1", "1 drowsy", "suspected OD"):
        ran = running.run(*PORT, "stop", "--now", "--reason", reason)
        assert ran.code == 0
        assert "minimum" not in (ran.out + ran.err).lower(), reason
        assert "emergency overdose" in ran.out
    told = stop(running, "--reason", "overdose")
    assert (told["why"], told["minimum_rate"]) == ("overdose", None)


@pytest.mark.requirement("STP-02")
def test_without_that_look_minimum_rate_is_offered_after_an_overdose(running: Desk) -> None:
    running.monkeypatch.setattr(after_stop, "_overdose", lambda _: False)
    assert "minimum rate" in running.run(*PORT, "stop", "--now", "--reason", "an overdose").out


@pytest.mark.parametrize(
    ("typed", "why", "text"),
    [
        ("", None, ""),
        ("1", Why.OVERDOSE, "overdose"),
        ("2 drowsy", Why.SIDE_EFFECTS, "side effects: drowsy"),
        ("3. hip", Why.SURGERY, "before surgery: hip"),
        ("4) overdose after all", Why.OVERDOSE, "other: overdose after all"),
        ("5", Why.OTHER, "5"),
        ("side effects", Why.SIDE_EFFECTS, "side effects"),
        ("Before surgery tomorrow", Why.SURGERY, "Before surgery tomorrow"),
        ("the body modelled", Why.OTHER, "the body modelled"),
        ("²", Why.OTHER, "²"),
    ],
)
def test_a_reason_is_read(typed: str, why: Why | None, text: str) -> None:
    assert read_reason(typed) == (why, text)


@given(st.text(max_size=40))
def test_any_reason_is_taken(typed: str) -> None:
    found = read_reason(typed)
    assert (found.why is None) == (not typed.strip())
    assert "overdos" not in typed.lower() or found.why is Why.OVERDOSE


# --- STP-03 ---------------------------------------------------------------------------------


@pytest.mark.requirement("STP-03")
def test_after_48_hours_the_way_is_a_low_start_with_a_reason(running: Desk) -> None:
    stop(running)
    running.advance("60h")
    words = ("--plan-only", "-o", running.files / "r.json")
    error = running.refused(3, "LIMIT_HARD", *PORT, "resume", *words)
    assert "200 mcg/day" in error["hint"]
    assert "STOPPED_RESTART" in error["hint"]
    assert "second person" in error["hint"]
    again = continuous("240 mcg/day")
    error = running.refused(3, "LIMIT_HARD", *PORT, "program", "plan", running.profile(again))
    low = continuous("120 mcg/day", fallback="100 mcg/day")
    told = running.plan(low)[1]
    soft = {each["id"] for each in told["findings"] if each["severity"] == "soft"}
    assert "STOPPED_RESTART" in soft
    assert told["confirm"] is None


@pytest.mark.requirement("STP-03")
def test_without_that_check_in_station_and_pump_the_old_dose_goes_on(running: Desk) -> None:
    stop(running)
    running.advance("60h")
    running.monkeypatch.setattr(pause, "pause_of", lambda _: None)
    words = ("resume", "--plan-only", "-o", running.files / "r.json")
    error = running.refused(6, "PUMP_REFUSED", *PORT, *words)
    assert error["pump_code"] == "STOPPED_TOO_LONG", "the pump looks, too (LIM-01)"
    assert "200 mcg/day" in error["hint"]
    running.monkeypatch.setattr(emulated, "STOPPED_TOO_LONG_MS", 1 << 40)
    assert running.pump(*words)["new"]["daily_dose"] == "240 mcg/day"


@pytest.mark.requirement("STP-03")
@pytest.mark.parametrize(("hours", "code"), [(1, 0), (13, 0)])
def test_the_resume_s_screen_shows_the_hours_and_the_dose(
    hours: int, code: int, running: Desk
) -> None:
    stop(running)
    running.advance(f"{hours}h")
    ran = running.run(*PORT, "resume", "--plan-only", "-o", running.files / "r.json")
    assert ran.code == code
    assert f"without drug            {hours} h 00 min" in ran.out
    assert "REFUSED after" in ran.out
    assert "240 mcg/day" in ran.out
    assert ("STOPPED_LONG" in ran.out) == (hours > 12)


# --- a person at a terminal -----------------------------------------------------------------


if sys.platform != "win32":
    from tests.pty.test_terminal import Terminal

    @pytest.mark.requirement("STP-02")
    @pytest.mark.parametrize(
        ("typed", "why", "offered"),
        [
            ("1", "overdose", False),
            ("2 drowsy", "side effects: drowsy", True),
            ("overdose?", "overdose?", False),
            ("", None, True),
        ],
    )
    def test_a_person_stops_and_is_asked_why(
        typed: str, why: str | None, offered: bool, running: Desk
    ) -> None:
        terminal = Terminal(running, *PORT, "stop")
        screen = terminal.asked("Type STOP")
        assert "PLANNED stop is weaned" in screen
        assert "titrate FILE --reduce-by" in screen
        assert "minimum rate," not in screen
        terminal.type("STOP")
        asked = terminal.asked("Enter: none")
        for word in ("is STOPPED", "1 overdose", "2 side effects", "3 before surgery", "4 other"):
            assert word in asked
        assert running.inspect()["delivery"] == "stopped", "before any reason was given"
        terminal.type(typed)
        assert terminal.end() == 0
        assert ("96 mcg/day" in str(terminal.child.before)) is offered
        with Journal(running.home / "journal.sqlite3") as journal:
            given_ = [each.body["reason"] for each in journal.entries() if each.kind == "reason"]
        assert given_ == ([] if why is None else [why])

    def test_the_weaning_that_is_named_is_one(running: Desk) -> None:
        """The options of the screen are those of the command."""
        profile = running.profile(continuous("240 mcg/day"))
        document = running.run(
            "titrate", profile, "--reduce-by", "20 %", "--every", "2 d", "--to", "minimum-rate",
            "-o", running.files / "weaning", "--json",
        )  # fmt: skip
        assert document.code == 0, document.err
