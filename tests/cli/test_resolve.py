"""`resolve`: the truth by kind, and what may be true where no pump can be asked."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.cli.therapy import resolve as resolve_screen
from pumpctl.errors import NoAnswer
from pumpctl.outcomes import StateVersion, Unknown
from pumpctl.pump.encode import canonical
from pumpctl.pump.pump import Pump
from pumpctl.quantities import Concentration, Mass
from pumpctl.station.journal import Entry, Journal
from pumpctl.station.unrecorded import Unrecorded
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Delivery, RunningBolus
from pumpctl.workflows.road import became, resolving
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous
from tests.therapy.samples import even, pump

PORT = ("--port", "emu://ward")
AWAY = ("--port", "emu://none")
AT = "2026-01-05T14:07:00+01:00"


def dose(daily: str) -> str:
    return continuous(f"{daily} mcg/day", fallback="96 mcg/day")


def opened(desk: Desk, serial: str, body: dict[str, Any], operation: str = "ab" * 16) -> str:
    """An intent of which nobody knows what became."""
    with Journal(desk.home / "journal.sqlite3") as journal:
        journal.append(
            "intent", at=AT, pump=serial, operation=operation, body={"state_version": 999, **body}
        )
    return operation


def unanswered(desk: Desk, *words: object, method: str = "activate") -> dict[str, Any]:
    """The pump does it, and nobody hears the answer."""
    real = getattr(Pump, method)

    def silent(self: Pump, operation: Any, *given: Any) -> Any:
        real(self, operation, *given)
        return Unknown(operation, "no answer came")

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, method, silent)
        return desk.json(*PORT, *words, code=7)


def journalled(desk: Desk, operation: str) -> dict[str, Any]:
    with Journal(desk.home / "journal.sqlite3") as journal:
        assert journal.fault() is None
        found = [each for each in journal.entries(operation=operation) if each.kind == "resolved"]
    assert len(found) == 1
    return found[0].body


@pytest.fixture
def running(desk: Desk) -> Desk:
    """A pump at 100 mcg/day."""
    desk.emulator()
    desk.rehearse()
    desk.program(dose("100"))
    desk.advance("30h")
    return desk


# --- the truth, by kind ---------------------------------------------------------------------


@pytest.mark.requirement("BOL-03")
@pytest.mark.requirement("BOL-06")
def test_a_program_that_was_applied(running: Desk) -> None:
    path, planned = running.plan(dose("110"))
    unanswered(running, "apply", path, "--confirm", planned["confirm"])
    document = running.json(*PORT, "resolve")
    told = document["data"]
    assert (told["kind"], told["outcome"], told["verified"]) == ("program", "applied", True)
    assert told["operation"] == planned["operation"]
    assert told["state_version"] == running.inspect()["state_version"]
    assert "110 mcg/day in place of 100 mcg/day" in told["explanation"]
    assert (told["delivered"], told["may_be"], told["watch"]) == (None, None, None)
    assert document["pump"]["serial"]
    kept = journalled(running, planned["operation"])
    assert (kept["outcome"], kept["why"]) == ("applied", told["explanation"])
    assert running.pump("resolve")["outcome"] is None


def test_a_program_that_something_else_followed(running: Desk) -> None:
    path, planned = running.plan(dose("110"))
    unanswered(running, "apply", path, "--confirm", planned["confirm"])
    running.pump("stop", "--now")
    text = running.run(*PORT, "resolve").out
    assert "APPLIED" in text
    assert "The pump now: STOPPED" in text


@pytest.mark.requirement("BOL-03")
def test_a_stop_of_which_nobody_knows(running: Desk) -> None:
    unanswered(running, "stop", "--now", method="stop")
    told = running.pump("resolve")
    assert (told["kind"], told["outcome"]) == ("stop", "applied")
    assert "stopped" in told["explanation"]
    assert told["delivery"] == "stopped"


def test_a_stop_that_never_came(running: Desk) -> None:
    def lost(_: Pump, operation: Any, *__: Any) -> Any:
        return Unknown(operation, "no answer came")

    with running.monkeypatch.context() as patch:
        patch.setattr(Pump, "stop", lost)
        error = running.json(*PORT, "stop", "--now", code=7)["error"]
        assert "stop again" in error["hint"]
    told = running.pump("resolve")
    assert (told["kind"], told["outcome"]) == ("stop", "refused")
    assert "NOT stopped" in told["explanation"]
    assert told["delivery"] == "delivering"
    assert running.pump("stop", "--now")["outcome"] == "applied"


def test_a_resume(running: Desk) -> None:
    running.pump("stop", "--now")
    path = running.files / "resume.json"
    planned = running.pump("resume", "--plan-only", "-o", path)
    unanswered(running, "apply", path, "--confirm", planned["confirm"])
    told = running.pump("resolve")
    assert (told["kind"], told["outcome"]) == ("resume", "applied")
    assert "100 mcg/day" in told["explanation"]


def test_a_bolus_with_what_it_really_gave(running: Desk) -> None:
    """20 mcg over 10 min, stopped after 5: 10 mcg."""
    planned = _bolus(running)
    unanswered(running, "apply", planned["plan"], "--confirm", planned["confirm"])
    running.advance("5 min")
    running.pump("stop", "--now")
    told = running.pump("resolve")
    assert (told["kind"], told["outcome"]) == ("bolus", "applied")
    assert told["delivered"] == "10 mcg"
    assert "CUT SHORT, 10 mcg really given of 20 mcg" in told["explanation"]
    assert journalled(running, planned["operation"])["delivered"] == "10 mcg"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("program", "its program stayed"),
        ("stop", "NOT stopped"),
        ("resume", "did not go on"),
        ("bolus", "nothing of this bolus"),
        ("prime", "nothing of this prime"),
        ("bolus cancel", "NOT ended by it: it ran on"),
        ("refill", "never took this refill"),
        ("bridge", "no bridge"),
        ("clock", "clock was not set"),
        ("patient", "patient was not changed"),
        ("implant", "is what it was"),
    ],
)
def test_each_kind_that_never_came(kind: str, words: str, desk: Desk) -> None:
    serial = desk.emulator()
    opened(desk, serial, {"kind": kind})
    told = desk.pump("resolve")
    assert (told["kind"], told["outcome"], told["delivered"]) == (kind, "refused", None)
    assert words in told["explanation"]


def test_a_cancel_that_never_came_says_that_the_bolus_runs_now(running: Desk) -> None:
    """20 mcg over 10 min, 5 of them over: 10 mcg."""
    planned = _bolus(running)
    running.pump("apply", planned["plan"], "--confirm", planned["confirm"])
    running.advance("5 min")
    serial = running.json(*PORT, "status")["pump"]["serial"]
    opened(running, serial, {"kind": "bolus cancel"})
    told = running.pump("resolve")
    assert "a single bolus runs NOW, 10 mcg of 20 mcg given so far" in told["explanation"]
    assert "to its end" not in told["explanation"]


def test_a_bolus_cut_short_is_not_taken_for_the_patients_own_that_runs() -> None:
    """The same dose, and another bolus: 4 of 10 mcg were given, and the patient's own runs."""
    entry = Entry(
        1, AT, "intent", "SP40-1", "ab" * 16, {"kind": "bolus", "order": {"dose": "10 mcg"}},
        b"", b"",
    )  # fmt: skip
    at = Moment.parse(AT)
    for kind, words in (("patient", "CUT SHORT, 4 mcg"), ("single", "it runs, 4 mcg")):
        runs = RunningBolus(kind, Mass.parse("10 mcg"), Mass.parse("4 mcg"), at, at)
        told = became.told_applied(entry, Mass.parse("4 mcg"), pump(bolus=runs))
        assert words in told


def test_a_refill_that_never_came_is_not_asked_for_again_unseen() -> None:
    """Since its intent the pump was changed: that may have been the refill, done again."""
    state = pump()
    for version, words in ((0, "and the drug of before"), (-1, "no later refill counted it")):
        body = {"kind": "refill", "state_version": state.state_version + version}
        entry = Entry(1, AT, "intent", "SP40-1", "ab" * 16, body, b"", b"")
        told = became.told_refused(entry, state)
        assert words in told
        assert "refill again, NOW" in told


def _bolus(desk: Desk) -> dict[str, Any]:
    """20 mcg over 10 min, planned with whatever reasons it asks for."""
    words = ("bolus", "single", "20 mcg", "--over", "10 min", "--plan-only", "-o")
    path = desk.files / "bolus.json"
    planned = desk.pump(*words, path)
    soft = {each["id"] for each in planned["findings"] if each["severity"] == "soft"}
    if planned["confirm"] is None:
        planned = desk.pump(*words, path, *(f"--override={name}=a test" for name in sorted(soft)))
    return planned


def test_an_intent_without_a_state_version_is_no_bug(running: Desk) -> None:
    """As an altered journal holds it: only what reaches back to the beginning says no."""
    serial = running.json(*PORT, "status")["pump"]["serial"]
    opened(running, serial, {"kind": "stop", "state_version": None})
    assert running.pump("resolve")["outcome"] == "refused"
    opened(running, serial, {"kind": "stop", "state_version": None}, "cd" * 16)
    real = Pump.resolve
    running.monkeypatch.setattr(
        Pump,
        "resolve",
        lambda pump, operation: real(pump, operation)._replace(reaches_back_to=StateVersion(3)),
    )
    told = running.pump("resolve")
    assert told["outcome"] == "refused"
    assert "log reaches back to it and does not hold it" in told["explanation"]


def test_several_on_several_pumps(desk: Desk) -> None:
    here, there = desk.emulator(), desk.emulator("other")
    first = opened(desk, here, {"kind": "program"})
    second = opened(desk, here, {"kind": "bolus"}, "cd" * 16)
    third = opened(desk, there, {"kind": "stop"}, "ef" * 16)
    document = desk.json(*PORT, "resolve")
    assert [each["operation"] for each in document["data"]["resolved"]] == [first, second]
    assert [one["code"] for one in document["warnings"]] == ["UNRESOLVED"]
    assert there in document["warnings"][0]["message"]
    document = desk.json("--port", "emu://other", "resolve")
    assert document["data"]["operation"] == third
    assert document["warnings"] == []


@pytest.mark.requirement("BOL-06")
def test_a_line_that_dies_between_two(desk: Desk) -> None:
    """What was found out stays found out; the rest stays unknown."""
    serial = desk.emulator()
    first = opened(desk, serial, {"kind": "program"})
    second = opened(desk, serial, {"kind": "bolus"}, "cd" * 16)
    real, asked = Pump.resolve, list[object]()

    def dies(self: Pump, operation: Any) -> Any:
        asked.append(operation)
        if len(asked) > 1:
            raise NoAnswer("the line is dead")
        return real(self, operation)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "resolve", dies)
        told = desk.json(*PORT, "resolve", code=7)["data"]
    assert [each["outcome"] for each in told["resolved"]] == ["refused", "unknown"]
    assert (told["operation"], told["verified"]) == (second, False)
    assert journalled(desk, first)["outcome"] == "refused"
    assert desk.pump("resolve")["operation"] == second


@pytest.mark.requirement("BOL-03")
def test_where_neither_ledger_nor_log_reach_it_stays_unknown(desk: Desk) -> None:
    """And a judge that took absence for certainty would say that it was refused."""
    serial = desk.emulator()
    operation = opened(desk, serial, {"kind": "program", "state_version": 0})
    real = Pump.resolve

    def short(self: Pump, asked: Any) -> Any:
        return real(self, asked)._replace(result="absent", reaches_back_to=StateVersion(5))

    def no_log(*_: object) -> None:
        return None

    desk.monkeypatch.setattr(Pump, "resolve", short)
    with desk.monkeypatch.context() as patch:
        patch.setattr(resolving, "_in_log", no_log)
        told = desk.json(*PORT, "resolve", code=7)["data"]
        assert (told["operation"], told["outcome"]) == (operation, "unknown")
        assert "reach back" in told["explanation"]
    desk.monkeypatch.setattr(resolving, "_in_log", lambda *_: False)
    assert desk.pump("resolve")["outcome"] == "refused"


# --- out of reach ---------------------------------------------------------------------------


@pytest.mark.requirement("BOL-06")
def test_out_of_reach_it_says_what_may_be_true(running: Desk) -> None:
    """Either 100 or 110, each whole; an increase is watched for a day after it was sent."""
    path, planned = running.plan(dose("110"))
    unanswered(running, "apply", path, "--confirm", planned["confirm"])
    document = running.json(*AWAY, "resolve", code=7)
    told = document["data"]
    assert (told["operation"], told["outcome"]) == (planned["operation"], "unknown")
    assert (told["state_version"], told["verified"]) == (None, False)
    assert "either 100 or 110 mcg/day" in told["may_be"][0]
    assert len(told["watch"]) == 1
    assert "overdose" in told["watch"][0]
    ran = running.run(*AWAY, "resolve")
    assert ran.code == 7
    assert "STILL UNKNOWN" in ran.out
    assert "either 100 or 110 mcg/day" in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def told_of(body: dict[str, Any]) -> became.MayBe:
    return became.may_be(Entry(1, AT, "intent", "SP40-1", "ab" * 16, body, b"", b""))


def test_a_reduction_is_watched_for_withdrawal() -> None:
    """14:07 and 12 to 96 h: 02:07 the next day to 14:07 four days later."""
    may = told_of(
        {
            "kind": "program",
            "program_bytes": _written("400 mcg/day"),
            "old_program_bytes": _written("450 mcg/day"),
        }
    )
    assert "either 450 or 400 mcg/day" in may.truths[0]
    assert "2026-01-05 14:17" in may.truths[-1]
    (watch,) = may.watch
    assert "withdrawal" in watch
    assert "2026-01-06 02:07 to 2026-01-09 14:07" in watch


def test_a_bolus_is_watched_to_the_end_of_its_effect() -> None:
    """Over 10 min, and 8 h of effect, rounded up to an hour: 14:07 + 9 h."""
    may = told_of({"kind": "bolus", "order": {"dose": "20 mcg", "over": "10 min"}})
    assert "20 mcg" in may.truths[0]
    (watch,) = may.watch
    assert "2026-01-05 14:07 to 2026-01-05 23:07" in watch
    assert "withdrawal" not in watch


def test_a_refill_that_may_not_count_is_given_at_the_wrong_strength() -> None:
    """240 mcg/day at 500 mcg/mL is 0.48 mL/day; of 2000 mcg/mL that is 960 mcg/day."""
    weak, strong = (_written("240 mcg/day", strength) for strength in (500, 2000))
    may = told_of({"kind": "refill", "old_program_bytes": weak, "program_bytes": strong})
    assert any("really 960 mcg/day" in each for each in may.truths)
    same = told_of({"kind": "refill", "old_program_bytes": weak, "program_bytes": weak})
    assert not any("really" in each for each in same.truths)


def _written(daily: str, concentration: int = 2000) -> str:
    return canonical(even(daily)._replace(concentration=Concentration(concentration))).hex()


@pytest.mark.parametrize("kind", ["clock", "patient", "implant"])
def test_what_gives_no_dose(kind: str) -> None:
    may = told_of({"kind": kind})
    assert kind in may.truths[0]
    assert "no dose hangs on it" in may.watch[0]


def test_an_intent_that_says_nothing_is_told_all_the_same() -> None:
    entry = Entry(1, "nonsense", "intent", "SP40-1", "ab" * 16, {"program_bytes": "zz"}, b"", b"")
    may = became.may_be(entry)
    assert "does not hold" in may.truths[0]
    assert len(may.watch) == 2, "both ways"


# --- the journal ----------------------------------------------------------------------------


@pytest.mark.requirement("STP-01")
def test_what_could_not_be_recorded_is_recorded_first(desk: Desk) -> None:
    """A stop that was kept beside the journal, with an outcome nobody knew."""
    serial = desk.emulator()
    later = Unrecorded(desk.home)
    operation = "cd" * 16
    body = {"kind": "stop", "state_version": 1, "operator": "nurse"}
    assert later.keep("intent", at=AT, pump=serial, operation=operation, body=body)
    told = desk.pump("resolve")
    assert (told["operation"], told["kind"], told["outcome"]) == (operation, "stop", "refused")
    assert not list(desk.home.glob("unrecorded*"))


@pytest.mark.requirement("AUD-03")
def test_a_journal_that_cannot_be_read(desk: Desk) -> None:
    serial = desk.emulator()
    opened(desk, serial, {"kind": "program"})
    for file in desk.home.glob("journal.sqlite3*"):
        file.unlink()
    (desk.home / "journal.sqlite3").write_bytes(b"garbage" * 1000)
    with desk.untouched():
        desk.refused(11, "STORE", *PORT, "resolve")


def test_a_journal_that_was_altered_is_told(desk: Desk) -> None:
    import sqlite3

    serial = desk.emulator()
    opened(desk, serial, {"kind": "program"})
    db = sqlite3.connect(desk.home / "journal.sqlite3")
    db.execute("UPDATE journal_entries SET at = 'x' WHERE seq = 1")
    db.commit()
    db.close()
    document = desk.json(*PORT, "resolve")
    assert document["data"]["outcome"] == "refused"
    assert any("damaged" in one["message"] for one in document["warnings"])


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (Delivery.DELIVERING, "DELIVERING, 450 mcg/day today"),
        (Delivery.STOPPED, "STOPPED; it holds 450 mcg/day for today"),
        (Delivery.STALLED, "STALLED; it holds 450 mcg/day for today"),
        (Delivery.EMPTY, "EMPTY; it holds 450 mcg/day for today"),
    ],
)
def test_a_pump_that_stands_still_is_not_said_to_give_its_dose(
    delivery: Delivery, words: str
) -> None:
    assert words in next(resolve_screen._now(pump(delivery=delivery)))
