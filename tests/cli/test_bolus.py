"""`bolus single` through the command line: what it shows, what refuses it, what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.link.session import Link
from pumpctl.pump.pump import Pump
from pumpctl.station.journal import Journal
from pumpctl.therapy.checks import boluses
from pumpctl.therapy.past import Past
from pumpctl.workflows.acts.boluses import BolusAct
from pumpctl.workflows.course import past
from pumpctl.workflows.road import applying, scene
from tests.helpers.boluses import PATIENT, PORT, Day, bolus_of, even
from tests.helpers.desk import Desk
from tests.helpers.libraries import altered_all, site_library
from tests.helpers.site import Site

SINGLE = ("bolus", "single")
TWENTY = (*SINGLE, "20 mcg", "--over", "10 min")
MORNING = bolus_of("20 mcg", "10 min", "07:00")


@pytest.fixture
def day(desk: Desk) -> Day:
    """240 mcg/day since Monday 00:00."""
    made = Day(desk)
    made.program(even())
    return made


# --- what it says ---------------------------------------------------------------------------


@pytest.mark.requirement("CNF-01")
@pytest.mark.requirement("PRG-04")
def test_the_plan_says_what_it_gives_and_what_follows(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", MORNING, PATIENT))
    before = desk.truth()
    _, told = day.plan(*TWENTY)
    assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    # 20 mcg ÷ 2000 mcg/mL = 0.01 mL; in 10 min: x 144 a day = 1.44 mL/day; the basal under it
    # 240 ÷ 2000 = 0.12 mL/day.
    assert told["new"] == {
        "bolus": "single",
        "dose": "20 mcg",
        "over": "10 min",
        "concentration": "2000 mcg/mL",
        "volume": "0.01 mL",
        "flow": "1.44 mL/day",
        "greatest_flow": "1.56 mL/day",
        "reaches_dose": "20 mcg",
        "front_arrives": None,
        "patient_lockout": "4 h",
        "next_scheduled": {"at": "2026-03-23T07:00:00Z", "dose": "20 mcg"},
    }
    # 260 a day and three patient doses of 10: 290; with this bolus 310.
    assert told["old"] == {"largest_24h": "290 mcg"}
    assert told["readback"] == {
        "content": told["readback"]["content"],
        "bolus": "single",
        "dose": "20 mcg",
        "volume": "0.01 mL",
        "over": "10 min",
        "past_tip_dose": "20 mcg",
        "stays_in_line_dose": "0 mcg",
        "largest_24h": "310 mcg",
    }
    # Until 00:10, and 4 hours more.
    (note,) = told["findings"]
    assert (note["id"], note["value"]) == ("BOLUS_ORDER_LOCKS", "2026-03-23T04:10:00Z")


@pytest.mark.requirement("BOL-08")
@pytest.mark.requirement("PRG-10")
def test_it_runs_on_top_of_the_program_and_the_log_tells_both_ends(day: Day) -> None:
    desk = day.desk
    before = desk.inspect()
    told = day.bolus("20 mcg")
    assert (told["outcome"], told["verified"], told["delivery"]) == ("applied", True, "bolus")
    after = desk.inspect()
    assert after["program"]["hash"] == before["program"]["hash"]
    assert after["state_version"] == before["state_version"] + 1
    day.wait("10 min")
    assert desk.inspect()["delivery"] == "delivering"
    desk.pump("logs", "pull")
    log = desk.data("--pump", day.serial, "logs", "show", "--last", 3)["entries"]
    begun, _, ended = log
    assert (begun["kind"], ended["kind"]) == ("bolus_started", "bolus_ended")
    assert begun["operation"] == ended["operation"] == told["operation"]
    assert ended["fields"]["given"] == "20 mcg", ended


@pytest.mark.requirement("PRG-10")
def test_a_bolus_that_is_over_when_it_is_verified(day: Day) -> None:
    """Asked again only after its end, the ledger says that all of it was given."""

    def slow(activate: Any) -> Any:
        outcome = activate()
        day.meanwhile("31 s")
        return outcome

    day.between(slow)
    told = day.bolus("10 mcg", "30 s")
    assert (told["outcome"], told["delivery"]) == ("applied", "delivering")


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("removed", [False, True])
def test_a_bolus_that_was_cut_short_is_not_called_done(removed: bool, day: Day) -> None:
    """The motor stands still for half of its time, and turns again at the next check."""
    day.wait("19 min 30 s")
    path, told = day.plan(*SINGLE, "10 mcg", "--over", "30 s")

    def stalls(activate: Any) -> Any:
        outcome = activate()
        day.meanwhile("31 s")
        return outcome

    day.desk.data("emulator", "fault", "ward", "stall", "--for", "15s")
    day.between(stalls)
    if removed:
        day.desk.monkeypatch.setattr(BolusAct, "verify_dose", lambda *_: iter(()))
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    document = day.desk.json(*words, code=0 if removed else 12)
    last = day.desk.pump("status")["last_bolus"]
    assert (last["given"], last["partial"]) == ("5 mcg", True)
    if not removed:
        assert document["error"]["changed"] == "yes"
        assert "given dose" in document["error"]["message"]


# --- dose, windows, lockout: the station's findings ------------------------------------------


@pytest.mark.parametrize(
    ("dose", "over", "code"),
    [("20", "10 min", "QUANTITY"), ("20 mcg", "10", "QUANTITY"), ("20 mL", "10 min", "QUANTITY"),
     ("20mcg/h", "10 min", "QUANTITY"), ("1e1 mcg", "10 min", "QUANTITY"),
     ("-20 mcg", "10 min", "QUANTITY"), ("20.0001 mcg", "10 min", "QUANTITY")],
)  # fmt: skip
@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
def test_what_is_no_quantity_is_refused(dose: str, over: str, code: str, day: Day) -> None:
    with day.desk.untouched():
        error = day.desk.json(*PORT, *SINGLE, "--over", over, "--", dose, code=2)["error"]
    assert error["changed"] == "no", code


def test_a_dose_without_a_duration_is_no_order(day: Day) -> None:
    assert day.desk.run(*PORT, *SINGLE, "20 mcg").code == 2
    assert day.hard(*SINGLE, "0 mcg", "--over", "10 min") == {"BOLUS_ORDER_EMPTY"}
    assert "BOLUS_ORDER_EMPTY" in day.hard(*SINGLE, "20 mcg", "--over", "2 d")


@pytest.mark.requirement("UNI-02")
def test_failure_14_decimal_and_unit_slips_in_a_bolus(day: Day) -> None:
    """A bolus carries its unit; mg for mcg is above the hard limit, ten-fold needs a reason."""
    error = day.desk.json(*PORT, *SINGLE, "20", "--over", "10 min", code=2)["error"]
    assert "unit" in error["message"]
    assert "BOLUS_ORDER_HARD" in day.hard(*SINGLE, "20 mg", "--over", "10 min")
    path, told = day.plan(*SINGLE, "200 mcg", "--over", "60 min")
    found = {each["id"]: each["severity"] for each in told["findings"]}
    assert (found["BOLUS_ORDER_LARGE"], told["confirm"]) == ("soft", None)
    day.desk.refused(3, "LIMIT_SOFT", *PORT, "apply", path, "--confirm", "A")
    assert day.found(*SINGLE, "0.2 mcg", "--over", "10 min") == {
        "BOLUS_ORDER_SMALL": ("soft", "0.2 mcg")
    }


@pytest.mark.requirement("LIM-02")
def test_a_large_bolus_with_its_reason(day: Day) -> None:
    reason = "BOLUS_ORDER_LARGE=trial of 110 mcg, Dr. Weiss"
    told = day.bolus("110 mcg", "60 min", "--override", reason)
    with Journal(day.desk.home / "journal.sqlite3") as journal:
        (intent,) = journal.entries(operation=told["operation"])[:1]
    assert intent.body["kind"] == "bolus"
    assert intent.body["order"] == {"dose": "110 mcg", "over": "1 h"}
    assert intent.body["overrides"] == [
        {"id": "BOLUS_ORDER_LARGE", "reason": "trial of 110 mcg, Dr. Weiss"}
    ]


def narrow(desk: Desk, limit: str = "65 mcg") -> None:
    """A site whose hard limit of any hour is this."""
    text = altered_all(site_library(), 'soft = { limit = "150 mcg"', 'soft = { limit = "64 mcg"')
    Site(desk).install(
        altered_all(text, 'hard = { limit = "350 mcg"', f'hard = {{ limit = "{limit}"')
    )


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize("removed", [False, True])
def test_failure_16_a_rule_that_only_looks_back(removed: bool, desk: Desk) -> None:
    """Every sliding window is judged, past and to come: the bolus at minute 5 is refused."""
    # Basal 1 mcg/min, limit 65 mcg in 60 min. At minute 5 only 5 mcg were given, and with a bolus
    # of 10 mcg 15. But any hour that holds the bolus and the basal to come holds 60 + 10 = 70.
    day = Day(desk)
    narrow(desk)
    day.program(
        even("1440 mcg/day", fallback="720 mcg/day"),
        *("--override", "DAILY_DOSE_SOFT=the published case"),
    )
    day.wait("5 min")
    words = (*SINGLE, "10 mcg", "--over", "1 min")
    error = day.refused(*words)
    seen = [(each["value"], each["limit"]) for each in error["findings"]]
    assert ("70 mcg", "65 mcg in any 1 h") in seen
    if removed:
        desk.monkeypatch.setattr(boluses, "windows_ahead", lambda *_: ())
        day.bolus("10 mcg", "1 min")
        day.wait("1 h")
        # The hour from minute 5 to 65: 60 mcg and the bolus.
        assert day.delivered == 5 + 60 + 10


@pytest.mark.requirement("LIM-05")
def test_the_window_of_a_day_holds_what_is_to_come(desk: Desk) -> None:
    # 950 mcg/day and a bolus of 60: some 24 hours hold 1010, more than 1000.
    day = Day(desk)
    day.program(even("950 mcg/day", fallback="480 mcg/day"))
    assert day.found(*SINGLE, "60 mcg", "--over", "1 h")["BOLUS_ORDER_WINDOW_SOFT"] == (
        "soft",
        "1010 mcg",
    )
    assert day.found(*SINGLE, "50 mcg", "--over", "1 h") == {}


@pytest.mark.requirement("BOL-04")
def test_the_lockout_counts_from_the_end_of_any_bolus(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", MORNING, PATIENT))
    day.wait("7 h")
    day.wait("4 h 9 min")  # the scheduled one ended at 07:10
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_LOCKOUT"}
    day.wait("1 min")
    day.bolus("20 mcg")
    day.wait("4 h 9 min")
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_LOCKOUT"}
    day.wait("1 min")
    assert day.press() is None
    day.wait("4 h 4 min")  # the patient's own ended after 5 min
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_LOCKOUT"}
    day.wait("1 min")
    day.bolus("20 mcg")


@pytest.mark.requirement("LIM-05")
@pytest.mark.parametrize("removed", [False, True])
def test_what_was_given_is_not_known(removed: bool, day: Day) -> None:
    real = past.past_of

    def forgets(*given: Any) -> Any:
        told = real(*given)
        assert isinstance(told.past, Past)
        return told._replace(past=told.past._replace(given=None))

    day.desk.monkeypatch.setattr(scene, "past_of", forgets)
    if removed:
        day.desk.monkeypatch.delitem(boluses.bolus_check.by_id, "BOLUS_PAST_UNKNOWN")
        assert day.found(*TWENTY) == {}, "without the check nobody is told"
        return
    assert day.found(*TWENTY) == {"BOLUS_PAST_UNKNOWN": ("soft", "unknown")}
    day.bolus("20 mcg", "10 min", "--override", "BOLUS_PAST_UNKNOWN=nothing else today")


# --- the pump's state (BOL-04) -----------------------------------------------------------------


@pytest.mark.requirement("BOL-04")
def test_no_second_bolus_while_one_runs(day: Day) -> None:
    day.bolus("20 mcg")
    day.wait("9 min")
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_RUNNING"}
    day.wait("1 min")
    day.bolus("20 mcg")


@pytest.mark.requirement("BOL-04")
def test_none_that_meets_a_scheduled_one(desk: Desk) -> None:
    day = Day(desk)
    day.program(even("260 mcg/day", MORNING))
    day.wait("6 h 51 min")
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_SCHEDULED"}
    day.bolus("20 mcg", "9 min")


@pytest.mark.requirement("BOL-04")
def test_none_on_a_stopped_pump_nor_in_a_critical_alarm(day: Day) -> None:
    day.desk.data("emulator", "fault", "ward", "stall")
    day.wait("1 h")
    assert day.hard(*TWENTY) >= {"BOLUS_ORDER_ALARM", "BOLUS_ORDER_STOPPED"}
    day.desk.data("emulator", "fault", "ward", "clear")
    day.wait("1 h")
    day.desk.pump("stop", "--now")
    assert day.hard(*TWENTY) == {"BOLUS_ORDER_STOPPED"}


@pytest.mark.requirement("BOL-04")
def test_the_pump_refuses_by_itself_what_the_station_would_let_pass(day: Day) -> None:
    """LIM-01: without the station's checks the pump's own verdict is final."""
    day.bolus("20 mcg")
    day.desk.monkeypatch.setattr("pumpctl.workflows.acts.boluses.check_bolus", lambda *_, **__: ())
    error = day.refused(*TWENTY, code=6, name="PUMP_REFUSED")
    assert error["pump_code"] == "BOLUS_RUNNING"
    day.wait("1 h")
    day.desk.pump("stop", "--now")
    assert day.refused(*TWENTY, code=6, name="PUMP_REFUSED")["pump_code"] == "STOPPED"


# --- ids, expiry, plans (BOL-01, BOL-02, BOL-07) ---------------------------------------------


@pytest.mark.requirement("BOL-07")
@pytest.mark.parametrize(("late", "code"), [("30 s", 0), ("30.001 s", 6)])
def test_a_bolus_expires_30_s_after_its_nonce(late: str, code: int, day: Day) -> None:
    path, told = day.plan(*TWENTY)

    def waits(activate: Any) -> Any:
        day.meanwhile(late)
        return activate()

    day.between(waits)
    document = day.desk.json(*PORT, "apply", path, "--confirm", told["confirm"], code=code)
    if code:
        assert (document["error"]["pump_code"], document["error"]["changed"]) == ("NONCE", "no")
        assert day.desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("BOL-01")
def test_a_plan_gives_one_bolus(day: Day) -> None:
    path, told = day.plan(*TWENTY)
    day.desk.apply(path, told["confirm"])
    day.wait("1 h")
    with day.desk.untouched():
        day.desk.refused(3, "PLAN_USED", *PORT, "apply", path, "--confirm", told["confirm"])
    # Neither the station's memory of it nor its other checks are what keeps the pump from it.
    for name in ("check_unused", "_check_fresh"):
        day.desk.monkeypatch.setattr(applying, name, lambda *_: None)
    given = day.delivered
    day.desk.run(*PORT, "apply", path, "--confirm", told["confirm"])
    assert day.desk.inspect()["delivery"] == "delivering"
    assert day.delivered == given


@pytest.mark.requirement("BOL-02")
def test_one_id_with_another_dose_is_a_conflict(day: Day) -> None:
    path, told = day.plan(*TWENTY)
    day.desk.apply(path, told["confirm"])
    day.wait("1 h")
    used = bytes.fromhex(told["operation"])
    other, again = day.plan(*SINGLE, "30 mcg", "--over", "10 min", to="other.json")
    real = Pump.activate

    def same_id(self: Pump, operation: Any, *given: Any) -> Any:
        return real(self, type(operation)(used), *given)

    day.desk.monkeypatch.setattr(Pump, "activate", same_id)
    error = day.desk.json(*PORT, "apply", other, "--confirm", again["confirm"], code=6)["error"]
    assert (error["pump_code"], error["changed"]) == ("OPERATION_CONFLICT", "no")
    assert day.desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("BOL-05")
@pytest.mark.requirement("BOL-06")
def test_an_unknown_bolus_bars_the_next_and_is_resolved_with_what_it_gave(day: Day) -> None:
    path, told = day.plan(*TWENTY)
    real = Link.change

    def silent(self: Link, *given: Any) -> Any:
        from pumpctl.outcomes import OperationId, Unknown

        real(self, *given)
        return Unknown(OperationId.from_text(told["operation"]), "no answer")

    day.desk.monkeypatch.setattr(Link, "change", silent)
    document = day.desk.json(*PORT, "apply", path, "--confirm", told["confirm"], code=7)
    assert document["error"]["changed"] == "unknown"
    day.desk.monkeypatch.setattr(Link, "change", real)
    day.refused(*TWENTY, code=10, name="UNRESOLVED")
    day.wait("3 min")
    assert day.desk.pump("bolus", "cancel", "--now")["delivered"] == "6 mcg"
    found = day.desk.pump("resolve")
    assert (found["operation"], found["outcome"]) == (told["operation"], "applied")
    assert "6 mcg" in found["explanation"]


@pytest.mark.requirement("BOL-03")
def test_the_ledger_keeps_what_was_really_given(day: Day) -> None:
    first = day.bolus("20 mcg")["operation"]
    day.wait("5 min")
    day.desk.pump("bolus", "cancel", "--now")
    second = day.bolus("30 mcg")["operation"]
    day.wait("10 min")
    assert (day.ledger(first), day.ledger(second)) == ("10 mcg", "30 mcg")
