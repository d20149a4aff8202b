"""`trial`: the record of a screening trial, what it refuses, and the profile it leads to."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.profile import read_profile_bytes
from pumpctl.therapy.trial import Inject, Injection, Start, next_step
from pumpctl.workflows.decide import trials
from tests.helpers.clinic import Clock
from tests.helpers.desk import Desk

TAG = "P-0640"
FIRST = "2026-03-02T09:00:00+01:00"
DATA = {
    "tag", "years", "injured", "entries", "injections", "next", "recorded", "early", "profile",
}  # fmt: skip


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, "2026-03-10T09:00:00+01:00")


def trial(desk: Desk, *words: object) -> dict[str, Any]:
    return desk.data("trial", TAG, *words)


def first(desk: Desk, dose: str = "50 mcg", at: str = FIRST, years: int = 34) -> dict[str, Any]:
    return trial(desk, "--inject", dose, "--at", at, "--years", years)


def answered(desk: Desk, word: str, *more: object, at: str) -> dict[str, Any]:
    return trial(desk, "--response", word, "--at", at, *more)


def journal_text(desk: Desk) -> str:
    return "".join(
        path.read_bytes().decode("latin-1") for path in desk.home.glob("journal.sqlite3*")
    )


# --- the label's way --------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.usefixtures("clock")
def test_w1_the_steps_are_50_75_100_mcg_in_1_1_5_and_2_ml(desk: Desk) -> None:
    """50/50 = 1 mL, 75/50 = 3/2 mL, 100/50 = 2 mL; each 24 h after the one before."""
    document = desk.json("trial", TAG, "--years", 34)
    assert document["schema"] == "pumpctl.trial/1" and document["pump"] is None
    assert set(document["data"]) == DATA
    following = document["data"]["next"]
    steps = (("50 mcg", "1 mL", "02"), ("75 mcg", "1.5 mL", "03"), ("100 mcg", "2 mL", "04"))
    for number, (dose, volume, day) in enumerate(steps):
        assert following["kind"] == "inject"
        assert following["options"] == [{"dose": dose, "volume": volume}]
        at = f"2026-03-{day}T09:00:00+01:00"
        assert following["earliest"] == (at if number else None)
        assert following["source"].startswith("screening")
        told = first(desk, dose, at)
        assert told["recorded"] == 2 * number + 1 and told["next"]["kind"] == "observe"
        assert told["next"]["first"] == at.replace("09:00", "13:00")
        assert told["next"]["last"] == at.replace("09:00", "17:00")
        following = answered(desk, "no", at=at.replace("09:00", "16:00"))["next"]
    assert following["kind"] == "end" and following["end"] == "not a candidate"
    assert trial(desk)["next"] == following, "what is read is what was written"


@pytest.mark.requirement("LIM-09")
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("effect", "more", "dose", "times"),
    [
        ("6 h", (), "100 mcg/day", 2),  # 2 x 50
        ("8 h", (), "100 mcg/day", 2),
        ("9 h", (), "50 mcg/day", 1),  # lasted longer than 8 h: 1 x 50
        ("6 h", ("--bad-reaction",), "50 mcg/day", 1),
    ],
)
def test_w2_the_starting_dose(
    effect: str, more: tuple[str, ...], dose: str, times: int, desk: Desk
) -> None:
    first(desk)
    start = answered(desk, "yes", "--effect", effect, *more, at="2026-03-02T20:00:00+01:00")["next"]
    assert (start["kind"], start["daily_dose"], start["times"]) == ("start", dose, times)
    assert start["source"].startswith("starting dose")
    text = desk.run("trial", TAG).out
    assert dose in text and "mcg/h" in text and "mL/day at 500 mcg/mL" in text


@pytest.mark.usefixtures("clock")
def test_an_answer_is_completed_when_the_effect_has_ended(desk: Desk) -> None:
    first(desk)
    assert answered(desk, "yes", at="2026-03-02T13:00:00+01:00")["next"]["kind"] == "observe"
    answered(desk, "yes", "--bad-reaction", at="2026-03-02T14:00:00+01:00")
    told = answered(desk, "yes", "--effect", "7 h", at="2026-03-02T17:00:00+01:00")
    assert told["injections"] == [
        {
            "entry": 1, "dose": "50 mcg", "at": FIRST, "worked": True, "effect": "7 h",
            "bad_reaction": True, "judged": "2026-03-02T17:00:00+01:00",
        }
    ]  # fmt: skip
    assert told["next"]["daily_dose"] == "50 mcg/day", "the bad reaction is not untold"


@pytest.mark.requirement("LIM-09")
@pytest.mark.usefixtures("clock")
def test_a_small_child_may_begin_with_25_mcg(desk: Desk) -> None:
    told = trial(desk, "--years", 6)["next"]["options"]
    assert told == [{"dose": "25 mcg", "volume": "0.5 mL"}, {"dose": "50 mcg", "volume": "1 mL"}]
    first(desk, "25 mcg", years=6)
    told = answered(desk, "no", at="2026-03-02T16:00:00+01:00")["next"]
    assert told["options"] == [{"dose": "50 mcg", "volume": "1 mL"}]


# --- what the label refuses, and what has happened all the same -----------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.parametrize(
    ("words", "before", "why"),
    [
        (("75 mcg", "2026-03-03T08:59:59+01:00"), "no", "before 2026-03-03 09:00"),
        (("100 mcg", "2026-03-03T09:00:00+01:00"), "no", "75 mcg was the step"),
        (("50 mcg", "2026-03-03T09:00:00+01:00"), "no", "75 mcg was the step"),
        (("75 mcg", "2026-03-03T09:00:00+01:00"), "", "had not failed"),
        (("75 mcg", "2026-03-03T09:00:00+01:00"), "yes", "had not failed"),
        (("75 mcg", FIRST, "--years", 3), None, "under 4 years"),
        (("75 mcg", FIRST, "--years", 34), None, "50 mcg was the step"),
        (("50 mcg", FIRST, "--years", 34, "--injured", "2025-03-03"), None, "2026-03-03"),
    ],
)
def test_a_departure_is_refused_and_with_a_reason_recorded(
    words: tuple[Any, ...], before: str | None, why: str, desk: Desk, clock: Clock
) -> None:
    clock.passes("1 h")
    if before is not None:
        first(desk)
    if before:
        answered(desk, before, at="2026-03-02T16:00:00+01:00")
    was = desk.data("trial", TAG)["entries"]
    line = ("trial", TAG, "--inject", words[0], "--at", *words[1:])
    error = desk.refused(3, "LIMIT_SOFT", *line)
    assert why in error["message"] and "--reason" in error["hint"]
    assert desk.data("trial", TAG)["entries"] == was
    told = desk.data(*line, "--reason", "given on the ward at night")
    assert told["recorded"] == len(was) + 1
    assert told["entries"][-1]["reason"] == "given on the ward at night"
    assert told["next"]["kind"] == "end", "the label names no next step, and neither does this"
    after = answered(desk, "no", at="2026-03-09T09:00:00+01:00")
    assert after["next"]["kind"] == "end"
    file = desk.files / "start.toml"
    refused = ("trial", TAG, "--start-profile", file, "--origin", "spinal")
    desk.refused(3, "LIMIT_HARD", *refused, "--fallback", "75 mcg/day")
    assert not file.exists()


@pytest.mark.requirement("LIM-09")
@pytest.mark.usefixtures("clock")
def test_a_year_after_a_brain_injury_is_365_days(desk: Desk) -> None:
    """2025-03-02 + 365 d = 2026-03-02, from its first minute on."""
    words = ("--inject", "50 mcg", "--years", 34, "--injured", "2025-03-02", "--at")
    desk.refused(3, "LIMIT_SOFT", "trial", TAG, *words, "2026-03-01T23:59:00+01:00")
    told = trial(desk, *words, "2026-03-02T00:00:00+01:00")
    assert told["injured"] == "2025-03-02" and told["next"]["kind"] == "observe"


@pytest.mark.requirement("LIM-09")
def test_24_hours_are_elapsed_hours_when_the_clocks_change(desk: Desk, clock: Clock) -> None:
    """Forward on 2026-03-29: 09:00+01:00 is 08:00Z, a day later 10:00+02:00."""
    clock.shows("2026-04-01T09:00:00+02:00")
    first(desk, at="2026-03-28T09:00:00+01:00")
    answered(desk, "no", at="2026-03-28T16:00:00+01:00")
    words = ("trial", TAG, "--inject", "75 mcg", "--at")
    desk.refused(3, "LIMIT_SOFT", *words, "2026-03-29T09:59:00+02:00")
    assert desk.data(*words, "2026-03-29T10:00:00+02:00")["next"]["kind"] == "observe"


# --- corrections -------------------------------------------------------------------------


@pytest.mark.usefixtures("clock")
def test_a_mistaken_entry_is_replaced_and_stays_readable(desk: Desk) -> None:
    first(desk, "50 mcg", "2026-03-02T10:00:00+01:00")
    answered(desk, "no", at="2026-03-02T16:00:00+01:00")
    words = ("--inject", "50 mcg", "--at", FIRST, "--replace", 1)
    desk.refused(2, "USAGE", "trial", TAG, *words)
    told = trial(desk, *words, "--reason", "an hour too late in the note")
    assert [each["counts"] for each in told["entries"]] == [False, True, True]
    assert told["next"]["earliest"] == "2026-03-03T09:00:00+01:00", "its answer came along"
    told = answered(
        desk, "yes", "--effect", "6 h", "--replace", 2, "--reason", "misread",
        at="2026-03-02T17:00:00+01:00",
    )  # fmt: skip
    assert told["next"]["daily_dose"] == "100 mcg/day"
    assert [each["number"] for each in told["entries"]] == [1, 2, 3, 4]
    told = trial(desk, "--withdraw", 3, "--reason", "another patient's")
    assert told["injections"] == [] and told["next"] is None
    assert not any(each.get("counts") for each in told["entries"])
    assert "does not count" in desk.run("trial", TAG).out


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "words",
    [
        ("--withdraw", 1),
        ("--withdraw", 7, "--reason", "none there"),
        ("--withdraw", 2, "--reason", "twice"),
        ("--inject", "50 mcg", "--at", FIRST, "--replace", 3, "--reason", "that is an answer"),
        ("--response", "no", "--replace", 1, "--reason", "that is an injection"),
        ("--response", "yes"),
        ("--response", "no", "--effect", "3 h"),
        ("--response", "maybe"),
        ("--response", "no", "--at", "2026-03-02T08:59:00+01:00"),
        ("--response", "no", "--at", "2026-03-10T09:01:00+01:00"),
        ("--inject", "75 mcg"),
        ("--inject", "0 mcg", "--at", FIRST),
        ("--inject", "75 mcg", "--at", "2026-03-10T09:01:00+01:00"),
        ("--inject", "75 mcg", "--at", "2026-03-09T09:00:00"),
        ("--inject", "75 mcg", "--at", "2026-03-09T09:00:00+01:00", "--years", "43"),
        ("--inject", "75 mcg", "--at", "2026-03-09T09:00:00+01:00", "--reason", "needs none"),
        ("--inject", "75 mcg", "--at", "2026-03-09T09:00:00+01:00", "--response", "no"),
        ("--effect", "7 h"),
        ("--at", FIRST),
        ("--years", "121"),
        ("--injured", "02.03.2025"),
        ("--reason", ""),
        ("--withdraw", 1, "--reason", f"was not {TAG.lower()}"),
        ("--start-profile", "start.toml"),
        ("--start-profile", "", "--origin", "spinal", "--fallback", "75 mcg/day"),
        ("--origin", "spinal"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_leaves_nothing(words: tuple[Any, ...], desk: Desk) -> None:
    first(desk)
    trial(desk, "--inject", "50 mcg", "--at", FIRST, "--replace", 1, "--reason", "typed anew")
    trial(desk, "--withdraw", 2, "--reason", "and a slip")
    first(desk)
    answered(desk, "no", at="2026-03-02T16:00:00+01:00")
    was = trial(desk)
    if words[:2] == ("--inject", "50 mcg"):
        words = (*words[:5], 5, *words[6:])
    if "--replace" in words and words[0] == "--response":
        words = (*words[:3], 4, *words[4:])
    error = desk.json("trial", TAG, *words, code=2)["error"]
    assert error["code"] in ("USAGE", "QUANTITY")
    assert trial(desk) == was


def test_an_effect_that_has_not_ended_is_none(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-03-02T15:59:00+01:00")
    first(desk)
    words = ("trial", TAG, "--response", "yes", "--effect", "7 h")
    desk.refused(2, "USAGE", *words)
    clock.passes("1 min")
    assert desk.data(*words)["next"]["kind"] == "start"


def test_no_response_before_the_effect_can_be_seen_is_noted(desk: Desk, clock: Clock) -> None:
    clock.shows("2026-03-02T12:59:00+01:00")
    first(desk)
    told = trial(desk, "--response", "no")
    assert told["early"] is True and told["next"]["kind"] == "inject"
    trial(desk, "--withdraw", 2, "--reason", "too early")
    clock.passes("1 min")
    assert trial(desk, "--response", "no")["early"] is False


# --- the record itself ---------------------------------------------------------------------


@pytest.mark.usefixtures("clock")
def test_the_tag_is_never_in_the_journal(desk: Desk) -> None:
    first(desk)
    answered(desk, "no", at="2026-03-02T16:00:00+01:00")
    text = journal_text(desk)
    assert TAG not in text and tag_hash("", TAG).hex() in text
    assert desk.data("trial", "P-0641", "--years", 34)["entries"] == []
    assert tag_hash("SP40-000123", TAG) != tag_hash("", TAG)


def test_looking_makes_nothing(desk: Desk) -> None:
    told = trial(desk)
    assert told["next"] is None and told["years"] is None
    assert not desk.home.exists()


@pytest.mark.parametrize("tag", ["", " ", "CHANGE-ME", "x" * 65, "a\nb"])
def test_what_is_no_tag(tag: str, desk: Desk) -> None:
    desk.refused(2, "USAGE", "trial", tag, "--years", 34)


@pytest.mark.usefixtures("clock")
def test_a_rehearsals_clock_is_ignored_with_a_note(desk: Desk) -> None:
    desk.monkeypatch.setenv("PUMPCTL_NOW", "2030-01-01T00:00:00Z")
    error = desk.refused(
        2, "USAGE", "trial", TAG, "--inject", "50 mcg", "--years", 34, "--at", "2029-01-01T00:00Z"
    )
    assert "yet to come" in error["message"]
    assert "PUMPCTL_NOW is ignored" in desk.run("trial", TAG).err


@pytest.mark.usefixtures("clock")
def test_a_damaged_journal_takes_nothing(desk: Desk) -> None:
    import sqlite3

    first(desk)
    with sqlite3.connect(desk.home / "journal.sqlite3") as db:
        db.execute("UPDATE journal_entries SET body = replace(body, '50 mcg', '75 mcg')")
    db.close()
    desk.refused(11, "STORE", "trial", TAG)
    desk.refused(11, "STORE", "trial", TAG, "--response", "no")


@pytest.mark.usefixtures("clock")
def test_an_entry_of_a_newer_version_is_not_guessed_at(desk: Desk) -> None:
    first(desk)
    desk.monkeypatch.setattr("pumpctl.workflows.decide.trials.body_of", lambda _: {"what": "scan"})
    desk.json("trial", TAG, "--response", "no")
    desk.refused(11, "STORE", "trial", TAG)


@pytest.mark.usefixtures("clock")
def test_the_screen_is_80_columns_wide(desk: Desk) -> None:
    assert "--years 34" in desk.run("trial", TAG).out
    first(desk)
    answered(desk, "yes", "--effect", "7 h", at="2026-03-02T17:00:00+01:00")
    trial(
        desk, "--inject", "75 mcg", "--at", "2026-03-09T09:00:00+01:00", "--reason",
        "given once more at the wish of the family, after the relief of the first had been doubted",
    )  # fmt: skip
    ran = desk.run("trial", TAG)
    assert max(map(len, ran.out.splitlines())) <= 80
    for part in ("34 years", "50 mcg = 1 mL", "relief for 7 h", "no next step", "source"):
        assert part in ran.out, part


# --- the profile ---------------------------------------------------------------------------


@pytest.mark.requirement("LIM-09")
@pytest.mark.usefixtures("clock")
def test_the_first_profile_is_written_at_the_starting_dose(desk: Desk) -> None:
    first(desk)
    answered(desk, "yes", "--effect", "7 h", at="2026-03-02T17:00:00+01:00")
    file = desk.files / "start.toml"
    words = ("--start-profile", file, "--origin", "spinal", "--fallback", "75 mcg/day")
    told = trial(desk, *words)["profile"]
    assert (told["daily_dose"], told["fallback_rate"]) == ("100 mcg/day", "75 mcg/day")
    reading = read_profile_bytes(file.read_bytes(), file.name)
    assert reading.ok and reading.profile is not None
    patient = reading.profile.patient
    assert patient == (TAG, "spinal", "adult", "new")
    checked = desk.data("profile", "check", file)
    assert checked["hash"] == told["hash"] and checked["findings"] == told["findings"]
    assert checked["days"][0]["daily_dose"] == "100 mcg/day"
    assert checked["forecast"]["flow"] == "0.2 mL/day"
    desk.refused(2, "USAGE", "trial", TAG, *words)
    assert "profile check" in desk.run("trial", TAG, *words, "--force").out
    low = (*words[:-1], "10 mcg/day", "--force")  # 0.02 mL/day, below what it can move
    assert desk.refused(3, "LIMIT_HARD", "trial", TAG, *low)["findings"]
    desk.refused(2, "USAGE", "trial", TAG, *words[:3], "brain", *words[4:], "--force")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("years", "group"), [(11, "under-12"), (12, "12-17"), (17, "12-17")])
def test_the_age_group_is_the_profiles(years: int, group: str, desk: Desk) -> None:
    first(desk, years=years)
    answered(desk, "yes", "--effect", "7 h", at="2026-03-02T17:00:00+01:00")
    file = desk.files / "start.toml"
    trial(desk, "--start-profile", file, "--origin", "cerebral", "--fallback", "75 mcg/day")
    assert f'age_group = "{group}"' in file.read_text("utf-8")


# --- any order -------------------------------------------------------------------------------

DOSES = st.sampled_from(["25 mcg", "50 mcg", "75 mcg", "100 mcg", "60 mcg"])
HOURS = st.integers(0, 120)
ACTS = st.one_of(
    st.tuples(st.just("inject"), DOSES, HOURS),
    st.tuples(st.just("answer"), st.sampled_from(["yes", "no"]), HOURS, st.booleans(), HOURS),
    st.tuples(st.just("withdraw"), st.integers(1, 6)),
)


class Told:
    """The same trial kept in plain lists, beside the command."""

    def __init__(self) -> None:
        self.given: dict[int, Injection] = {}
        self.answers: dict[int, tuple[int, Injection]] = {}

    def order(self) -> list[Injection]:
        numbers = sorted(self.given, key=lambda n: (self.given[n].at.utc_ms, n))
        return [self.given[number] for number in numbers]

    def take(self, act: tuple[Any, ...], entry: dict[str, Any]) -> None:
        number = entry["number"]
        if act[0] == "inject":
            self.given[number] = Injection(Mass.parse(act[1]), Moment.parse(entry["at"]))
        elif act[0] == "answer":
            had = self.given[entry["to"]]
            effect = Duration.parse(entry["effect"]) if entry["effect"] else had.effect
            self.answers[number] = (entry["to"], had)
            self.given[entry["to"]] = had._replace(
                worked=act[1] == "yes", effect=effect, bad_reaction=had.bad_reaction or act[3]
            )
        elif act[1] in self.given:
            del self.given[act[1]]
        else:
            to, before = self.answers[act[1]]
            self.given[to] = before


def words_of(act: tuple[Any, ...], years: int) -> list[object]:
    if act[0] == "withdraw":
        return ["--withdraw", act[1], "--reason", "a slip"]
    at = Moment.parse(FIRST).plus(act[2] * 3_600_000)
    if act[0] == "inject":
        return ["--inject", act[1], "--at", at, "--years", years]
    effect = ["--effect", f"{act[4]} h"] if act[4] and act[1] == "yes" else []
    return ["--response", act[1], "--at", at, *effect, *(["--bad-reaction"] if act[3] else [])]


TAGS = count()


@pytest.mark.requirement("LIM-09")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(ACTS, max_size=8), years=st.integers(3, 20))
@pytest.mark.usefixtures("clock")
def test_no_order_of_commands_is_proposed_what_the_label_does_not_permit(
    acts: list[tuple[Any, ...]], years: int, desk: Desk
) -> None:
    """The proposal is always `next_step`'s, of what counts; and what is read is what was told."""
    beside, tag = Told(), f"T-{next(TAGS)}"
    for act in acts:
        if act[0] == "withdraw" and len(beside.answers) > 1:
            continue  # which of several answers is left then has its own test
        words = words_of(act, years)
        ran = desk.run("trial", tag, *words, "--json")
        if ran.code == 3:
            ran = desk.run("trial", tag, *words, "--reason", "it happened", "--json")
        if ran.code:
            continue
        told = ran.document["data"]
        beside.take(act, told["entries"][-1])
        order = beside.order()
        assert [(each["dose"], each["worked"]) for each in told["injections"]] == [
            (str(each.dose), each.worked) for each in order
        ]
        assert desk.data("trial", tag)["next"] == told["next"]
        if not order:
            assert told["next"] is None
            continue
        step = next_step(order, years=years)
        assert (told["next"]["why"], told["next"]["source"]) == (step.why, step.source)
        assert (told["next"]["kind"] == "inject") is isinstance(step, Inject)
        assert told["next"].get("daily_dose") == (
            str(step.dose) if isinstance(step, Start) else None
        )


@pytest.mark.usefixtures("clock")
def test_a_withdrawn_answer_leaves_the_one_before_it(desk: Desk) -> None:
    first(desk)
    answered(desk, "yes", at="2026-03-02T13:00:00+01:00")
    answered(desk, "yes", "--effect", "7 h", at="2026-03-02T17:00:00+01:00")
    told = trial(desk, "--withdraw", 3, "--reason", "the sister's")["injections"][0]
    assert (told["worked"], told["effect"]) == (True, None)


@pytest.mark.usefixtures("clock")
def test_a_departure_that_nobody_asks_after_would_pass(desk: Desk) -> None:
    first(desk)
    answered(desk, "no", at="2026-03-02T16:00:00+01:00")
    words = ("trial", TAG, "--inject", "100 mcg", "--at", "2026-03-02T20:00:00+01:00")
    desk.refused(3, "LIMIT_SOFT", *words)
    desk.monkeypatch.setattr(trials, "departure", lambda _: None)
    assert desk.data(*words)["recorded"] == 3
