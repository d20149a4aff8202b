"""A plan that is applied later in its hour: what moves with time, harmless and harmful."""

from __future__ import annotations

import pytest

from pumpctl.station.home import Home
from pumpctl.station.journal import Journal
from pumpctl.station.plan import read_plan, token
from pumpctl.therapy.moment import MINUTE_MS, Moment
from tests.helpers import lines
from tests.helpers.boluses import MONDAY, PORT, Day, bolus_of, even
from tests.helpers.desk import Desk

LARGE = ("--override", "BOLUS_ORDER_LARGE=rehearsal")
WINDOW = ("--override", "BOLUS_ORDER_WINDOW_SOFT=rehearsal")


@pytest.mark.requirement("LIM-05")
@pytest.mark.requirement("LIM-02")
def test_a_window_that_has_filled_up_since_is_not_what_was_overridden(desk: Desk) -> None:
    """145 mcg and 10 mcg of basal: 155 in 1 h. 40 min later the bolus of 02:00 is in it, too.

    240 mcg/day are scheduled, 100 of them at once: 140/24 = 5.8333 mcg/h of basal.
    At 00:50, 145 + 5.8333 mcg = 150.833...; at 01:30 100 mcg more.
    """
    day = Day(desk)
    day.program(even("240 mcg/day", bolus_of("100 mcg", "10 min", "02:00"), fallback="200 mcg/day"))
    day.wait("50 min")
    words = ("bolus", "single", "145 mcg", "--over", "10 min", *LARGE, *WINDOW)
    path, told = day.plan(*words)
    (was,) = [each for each in told["findings"] if each["id"] == "BOLUS_ORDER_WINDOW_SOFT"]
    assert was["value"] == "150.834 mcg"
    day.wait("40 min")
    with desk.untouched():
        error = desk.refused(3, "LIMIT_SOFT", *PORT, "apply", path, "--confirm", told["confirm"])
    assert [each["value"] for each in error["findings"]] == ["250.834 mcg"]


@pytest.mark.requirement("LIM-05")
def test_a_window_that_has_emptied_since_is_no_reason_to_refuse(desk: Desk) -> None:
    """100 mcg at 02:00, and 145 mcg planned at 02:20: 250.834 in an hour; at 03:00 part is gone."""
    day = Day(desk)
    day.program(even("240 mcg/day", bolus_of("100 mcg", "10 min", "02:00"), fallback="200 mcg/day"))
    day.wait("2 h 20 min")
    path, told = day.plan("bolus", "single", "145 mcg", "--over", "10 min", *LARGE, *WINDOW)
    (was,) = [each for each in told["findings"] if each["id"] == "BOLUS_ORDER_WINDOW_SOFT"]
    day.wait("45 min")
    done = desk.apply(path, told["confirm"])
    assert (was["value"], done["outcome"]) == ("250.834 mcg", "applied")


@pytest.mark.requirement("STP-03")
def test_hours_that_pass_are_no_reason_to_refuse(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    desk.pump("stop", "--now")
    day.wait("12 h 30 min")
    path, told = day.plan("resume", "--override", "STOPPED_LONG=seen")
    day.wait("55 min")
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize("trimmed", ["30 cm", "unknown"])
def test_a_prime_is_applied_within_the_time_that_was_planned_for_it(
    trimmed: str, desk: Desk
) -> None:
    day = Day(desk)
    day.program(even())
    lines.record(desk, *lines.said("free", trimmed=trimmed))
    words = ("--override", "PRIME_UNCERTAIN=looked for") if trimmed == "unknown" else ()
    path, told = day.plan("bolus", "prime", *words)
    day.wait("9 min")
    assert desk.apply(path, lines.by_hand(path))["outcome"] == "applied", told["findings"]


@pytest.mark.requirement("TIM-02")
def test_a_station_clock_that_was_put_right_makes_an_old_setting_wrong(desk: Desk) -> None:
    """Planned by a clock of 50 min behind: by the right one the pump would be set back by them."""
    day = Day(desk)
    day.program(even())
    day.wait("24 h")
    desk.monkeypatch.setenv("PUMPCTL_NOW", str(Moment.parse(MONDAY).plus(1_390 * MINUTE_MS)))
    path, told = day.plan("clock", "--set")
    assert told["new"]["shift"] == "-50 min"
    desk.rehearse()
    with desk.untouched():
        error = desk.refused(3, "PLAN_STALE", *PORT, "apply", path, "--confirm", told["confirm"])
    assert (
        "would show 2026-03-23 23:10, and by the station's it is 2026-03-24 00:00"
        in (error["message"])
    )


@pytest.mark.requirement("TIM-02")
def test_a_setting_is_a_difference_and_holds_for_its_hour(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    day.clock.passes("3 min")
    path, told = day.plan("clock", "--set")
    assert told["new"]["shift"] == "+3 min"
    day.wait("59 min")
    day.clock.passes("59 min")
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"
    assert Moment.parse(desk.inspect()["time"]) == day.clock.now


@pytest.mark.requirement("CNF-03")
@pytest.mark.requirement("AUD-01")
def test_who_planned_and_who_applied_are_both_on_record(desk: Desk) -> None:
    day = Day(desk)
    day.program(even())
    path, told = day.plan("bolus", "single", "20 mcg", "--over", "10 min")
    words = (*PORT, "--operator", "other", "apply", path)
    desk.refused(9, "NOT_CONFIRMED", *words, "--confirm", told["confirm"])
    plan, key, pairing = read_plan(path), Home.operator_key, Home.pairing
    with desk.monkeypatch.context() as patch:
        patch.setattr(Home, "operator_key", lambda own, _: key(own, "nurse"))
        patch.setattr(Home, "pairing", lambda own, serial, _: pairing(own, serial, "nurse"))
        assert desk.data(*words, "--confirm", token(plan, "other"))["outcome"] == "applied"
    with Journal(desk.home / "journal.sqlite3") as journal:
        (intent,) = [
            each for each in journal.entries(operation=plan.operation) if each.kind == "intent"
        ]
    assert (intent.body["planned_by"], intent.body["operator"]) == ("nurse", "other")


@pytest.mark.requirement("CNF-01")
def test_nobody_types_a_challenge_for_a_plan_that_is_over(desk: Desk) -> None:
    """It would be refused when it is applied: better before the figures are read."""
    day = Day(desk)
    day.program(even())
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    path, _ = day.plan("bolus", "single", "20 mcg", "--over", "10 min")
    day.clock.passes("60 min")
    desk.refused(9, "NOT_CONFIRMED", "confirm", path)  # in time; nobody can be asked here
    day.clock.passes("0.001 s")
    desk.refused(3, "PLAN_EXPIRED", "confirm", path)
