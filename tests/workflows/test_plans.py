"""One plan, applied at most once, in the state it was made for, by whom it was shown to."""

from __future__ import annotations

import json

import pytest

from pumpctl.station.journal import Journal
from pumpctl.station.plan import read_plan, token
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous

PORT = ("--port", "emu://ward")


def journal_of(desk: Desk) -> list[tuple[str, str | None]]:
    journal = Journal(desk.home / "journal.sqlite3")
    try:
        assert journal.fault() is None
        return [(entry.kind, entry.body.get("outcome")) for entry in journal.entries()]
    finally:
        journal.close()


# --- used, stale, expired -------------------------------------------------------------


@pytest.mark.requirement("BOL-01")
def test_a_plan_applies_once(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"
    with desk.untouched():
        for _ in range(2):
            desk.refused(3, "PLAN_USED", *PORT, "apply", path, "--confirm", told["confirm"])
    assert journal_of(desk)[-2:] == [("intent", None), ("outcome", "applied")]


@pytest.mark.requirement("BOL-01")
def test_a_plan_applies_once_also_from_another_station(desk: Desk) -> None:
    """The other station's journal knows nothing of it; the pump's ledger does."""
    desk.emulator()
    path, told = desk.plan()
    desk.apply(path, told["confirm"])
    for file in desk.home.glob("journal.sqlite3*"):
        file.unlink()
    with desk.untouched():
        desk.refused(3, "PLAN_USED", *PORT, "apply", path, "--confirm", told["confirm"])


def test_a_plan_that_the_pump_refused_is_used(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    from pumpctl.errors import PumpRefused
    from pumpctl.pump.pump import Pump

    def refuses(*_: object) -> None:
        raise PumpRefused("the pump will not take it", pump_code="LIMIT_RATE")

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "stage", refuses)
        error = desk.refused(6, "PUMP_REFUSED", *PORT, "apply", path, "--confirm", told["confirm"])
    assert error["pump_code"] == "LIMIT_RATE"
    assert journal_of(desk)[-1] == ("refused", "refused")
    with desk.untouched():
        desk.refused(3, "PLAN_USED", *PORT, "apply", path, "--confirm", told["confirm"])
    assert desk.pump("resolve")["outcome"] is None, "a refusal leaves nothing open"


@pytest.mark.requirement("PRG-05")
def test_a_plan_is_stale_after_any_change(desk: Desk) -> None:
    desk.emulator()
    first, told = desk.plan(to="first.json")
    second, other = desk.plan(continuous("260 mcg/day"), to="second.json")
    desk.apply(first, told["confirm"])
    with desk.untouched():
        desk.refused(3, "PLAN_STALE", *PORT, "apply", second, "--confirm", other["confirm"])
    third, more = desk.plan(continuous("260 mcg/day"), to="third.json")
    desk.pump("stop", "--now")
    with desk.untouched():
        desk.refused(3, "PLAN_STALE", *PORT, "apply", third, "--confirm", more["confirm"])


@pytest.mark.requirement("CNF-03")
def test_a_plan_expires_after_an_hour(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    path, told = desk.plan()
    late, other = desk.plan(to="late.json")
    desk.advance("59 min")
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"
    desk.advance("2 min")
    with desk.untouched():
        desk.refused(3, "PLAN_EXPIRED", *PORT, "apply", late, "--confirm", other["confirm"])
    assert other["expires"].endswith("Z")


def test_a_plan_of_a_rehearsal_is_for_a_rehearsal(desk: Desk) -> None:
    desk.emulator(frozen=False)
    desk.rehearse()
    path, told = desk.plan()
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    with_real_time = desk.json(*PORT, "apply", path, "--confirm", told["confirm"], code=3)
    assert with_real_time["error"]["code"] == "PLAN_STALE"


# --- the token ------------------------------------------------------------------------


@pytest.mark.requirement("CNF-03")
def test_wrong_tokens(desk: Desk) -> None:
    desk.emulator()
    path, told = desk.plan()
    other, of_other = desk.plan(continuous("250 mcg/day"), to="other.json")
    right = told["confirm"]
    with desk.untouched():
        for wrong in (
            "yes", "y", "AAAA-AAAA-AAAA-AAAA", of_other["confirm"], right[:-1], right + "A",
            right.replace("-", ""), token(read_plan(path), "doctor"), " ",
        ):  # fmt: skip
            desk.refused(9, "NOT_CONFIRMED", *PORT, "apply", path, "--confirm", wrong)
        desk.refused(
            9, "NOT_CONFIRMED", *PORT, "--operator", "doctor", "apply", path, "--confirm", right
        )
        desk.refused(2, "USAGE", *PORT, "apply", path)
    assert "--yes" not in desk.run("apply", "--help").out
    assert desk.apply(path, right.lower())["outcome"] == "applied"
    assert other.exists()


@pytest.mark.requirement("CNF-03")
def test_there_is_no_flag_that_confirms(desk: Desk) -> None:
    desk.emulator()
    file = desk.profile()
    with desk.untouched():
        for flag in ("--yes", "-y", "--force", "--confirm"):
            desk.refused(2, "USAGE", *PORT, "program", "push", file, flag)


# --- soft and hard findings -----------------------------------------------------------


@pytest.mark.requirement("LIM-02")
@pytest.mark.requirement("LIM-04")
def test_a_soft_finding_without_and_with_its_override(desk: Desk) -> None:
    desk.emulator()
    desk.program(continuous("240 mcg/day"))
    text = continuous("480 mcg/day", fallback="240 mcg/day")
    path, told = desk.plan(text)
    assert told["confirm"] is None
    soft = {finding["id"] for finding in told["findings"] if finding["severity"] == "soft"}
    assert "DOSE_INCREASE" in soft
    given = token(read_plan(path), "nurse")
    with desk.untouched():
        error = desk.refused(3, "LIMIT_SOFT", *PORT, "apply", path, "--confirm", given)
        assert {finding["id"] for finding in error["findings"]} == soft
        desk.refused(3, "LIMIT_SOFT", "confirm", path)

    reasons = [f"--override={name}=discussed with Dr. A" for name in sorted(soft)]
    path, told = desk.plan(text, *reasons)
    assert told["confirm"]
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"
    journal = Journal(desk.home / "journal.sqlite3")
    written = journal.entries(operation=told["operation"])[0].body["overrides"]
    journal.close()
    assert {(one["id"], one["reason"]) for one in written} == {
        (name, "discussed with Dr. A") for name in soft
    }


@pytest.mark.requirement("LIM-02")
def test_one_override_is_not_two(desk: Desk) -> None:
    desk.emulator()
    desk.program(continuous("300 mcg/day", fallback="200 mcg/day"))
    text = continuous("600 mcg/day", fallback="100 mcg/day")
    _, told = desk.plan(text)
    soft = sorted(one["id"] for one in told["findings"] if one["severity"] == "soft")
    assert len(soft) >= 2
    path, told = desk.plan(text, f"--override={soft[0]}=because")
    assert told["confirm"] is None
    given = token(read_plan(path), "nurse")
    with desk.untouched():
        desk.refused(3, "LIMIT_SOFT", *PORT, "apply", path, "--confirm", given)


def test_a_soft_finding_that_came_up_after_the_plan(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks are asked again before activation; what was not shown is not confirmed."""
    from pumpctl.therapy.findings import Finding, Severity
    from pumpctl.workflows.acts import programs

    desk.emulator()
    path, told = desk.plan()
    for severity, name in ((Severity.SOFT, "LIMIT_SOFT"), (Severity.HARD, "LIMIT_HARD")):
        with monkeypatch.context() as patch, desk.untouched():
            found = Finding("NEW_ONE", severity, "something new", "a test")
            patch.setattr(programs, "check_change", lambda *_, found=found, **__: (found,))
            desk.refused(3, name, *PORT, "apply", path, "--confirm", told["confirm"])
    assert desk.apply(path, told["confirm"])["outcome"] == "applied"


def test_another_patient_is_refused(desk: Desk) -> None:
    desk.emulator()
    desk.program()
    with desk.untouched():
        error = desk.refused(
            3, "LIMIT_HARD", *PORT, "program", "plan",
            desk.profile(continuous(tag="P-0999")), "-o", desk.files / "p.json",
        )  # fmt: skip
    assert "PATIENT_OTHER" in {finding["id"] for finding in error["findings"]}


# --- rehearsals -----------------------------------------------------------------------


def test_a_rehearsal_is_said_and_written_down(desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    ran = desk.run(*PORT, "status", "--json")
    assert "rehearsal" in ran.err
    assert ran.document["data"]["rehearsal"] is True
    path, told = desk.plan()
    assert json.loads(path.read_text())["rehearsal"] is True
    desk.apply(path, told["confirm"])
    journal = Journal(desk.home / "journal.sqlite3")
    assert journal.entries(operation=told["operation"])[0].body["rehearsal"] is True
    journal.close()


def test_a_time_that_is_no_bench_pump_s_is_not_honoured(desk: Desk) -> None:
    desk.emulator("real", "--no-bench", frozen=False)
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2030-01-01T00:00:00Z")
    ran = desk.run("--port", "emu://real", "status", "--json")
    assert ran.code == 0
    assert "not honoured" in ran.err
    assert ran.document["data"]["rehearsal"] is False
    assert not ran.document["data"]["clock"]["station"].startswith("2030")
    assert any("not honoured" in one["message"] for one in ran.document["warnings"])


def test_a_command_without_a_pump_ignores_it_and_says_so(desk: Desk) -> None:
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2030-01-01T00:00:00Z")
    for words in (["list"], ["doctor"], ["profile", "check", desk.profile()]):
        ran = desk.run(*words)
        assert ran.code == 0
        assert "PUMPCTL_NOW is ignored" in ran.err


@pytest.mark.requirement("TIM-02")
def test_a_flex_profile_needs_two_clocks_that_agree(desk: Desk) -> None:
    desk.emulator()
    desk.advance("2h")
    with desk.untouched():
        error = desk.refused(
            3, "LIMIT_HARD", *PORT, "program", "plan", desk.profile(FLEX), "-o",
            desk.files / "p.json",
        )  # fmt: skip
    assert [finding["id"] for finding in error["findings"] if finding["severity"] == "hard"] == [
        "CLOCK_DIFFERENCE"
    ]
    desk.rehearse()
    assert desk.plan(FLEX)[1]["confirm"]
