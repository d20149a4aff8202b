"""The course between plan and apply: what is asked again, as of when, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.pump.pump import Pump
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.road import applying, planning
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, spoiled
from tests.helpers.ward import MINIMUM, PORT, of, soft, taken, told_ids

# --- what was given until now -------------------------------------------------------------


@pytest.mark.requirement("LIM-05")
def test_a_bolus_of_half_an_hour_ago_is_counted(ward: Desk) -> None:
    """110 mcg at 07:00 and, by the new program, at 07:45: each is fine in any hour."""
    both = spoiled('"20 mcg"', '"110 mcg"', FLEX)
    both = both.replace("438 mcg", "618 mcg").replace("376 mcg", "556 mcg")
    taken(ward, both)
    minute = Moment.parse(ward.inspect()["time"]).minute
    ward.advance(f"{2 * 1440 + 7 * 60 + 30 - minute} min")
    moved = spoiled('"07:00"', '"07:45"', both)
    assert "WINDOW_AHEAD_SOFT" in told_ids(ward, moved)
    assert "WINDOW_AHEAD_SOFT" not in told_ids(ward, both)
    ward.advance("3 h")
    assert "WINDOW_AHEAD_SOFT" not in told_ids(ward, moved)


# --- between plan and apply -----------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
def test_the_size_of_a_step_is_judged_as_of_the_plan(ward: Desk) -> None:
    """230 ran until 23 h 56 min before the plan: 235 is small against it, large against 202."""
    ward.program(of(200, "new", "cerebral"))
    ward.advance("30 h")
    taken(ward, of(230, "new", "cerebral"))
    ward.advance("30 h")
    ward.program(of(202, "new", "cerebral"))
    ward.advance("1436 min")
    path, told = ward.plan(of(235, "new", "cerebral"))
    assert told["confirm"]
    ward.advance("9 min")
    late = soft(ward, of(235, "new", "cerebral"))
    assert late == ["--override=TITRATION_STEP=discussed"], "planned now, it would be asked for"
    with ward.monkeypatch.context() as patch:
        patch.setattr(applying, "_AS_PLANNED", set())
        words = (*PORT, "apply", path, "--confirm", told["confirm"])
        ward.refused(3, "LIMIT_SOFT", *words)
    assert ward.apply(path, told["confirm"])["outcome"] == "applied"


@pytest.mark.requirement("LIM-09")
def test_a_plan_file_holds_for_whom_the_label_speaks(ward: Desk) -> None:
    """Another process applies it, which has no profile: START_DOSE is asked again all the same."""
    taken(ward, MINIMUM)
    ward.monkeypatch.setattr(planning, "refuse_hard", lambda _: None)
    path, told = ward.plan(of(210, "new"))
    with ward.untouched():
        words = (*PORT, "apply", path, "--confirm", told["confirm"])
        error = ward.refused(3, "LIMIT_HARD", *words)
    assert [one["id"] for one in error["findings"]] == ["START_DOSE"]


# --- what it costs --------------------------------------------------------------------------


def test_the_log_is_read_once_by_a_look_and_a_change_and_never_by_a_stop(ward: Desk) -> None:
    asked = []
    real = Pump.log

    def counted(self: Pump, first: int, most: int) -> Any:
        asked.append(most)
        return real(self, first, most)

    ward.program(of(240))
    ward.advance("100d")
    ward.monkeypatch.setattr(Pump, "log", counted)
    ward.pump("status")
    assert asked == [32, 96], "there is no bolus in the newest, and none before them"
    asked.clear()
    ward.pump("stop", "--now")
    assert asked == []
    path, told = ward.plan(of(250))
    assert asked == [57], "two days of hours, and a few"
    ward.apply(path, told["confirm"])
    assert asked == [57, 57]
    ward.advance("10 h")
    ward.plan(of(230))
    assert asked == [57, 57, 57]
