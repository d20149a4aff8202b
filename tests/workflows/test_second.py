"""The second person: for what one is needed, and whose yes to which plan is taken (CNF-04)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.errors import NotConfirmed, StoreError
from pumpctl.station import operator_keys
from pumpctl.station.journal import STATION, Journal
from pumpctl.station.operators import Operator, keep_operator
from pumpctl.station.plan import Override, Plan, read_plan, sealed
from pumpctl.therapy.checks import rules
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import SECOND_PERSON
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.profile import read_profile
from pumpctl.therapy.program import Program
from pumpctl.workflows.road.second import (
    ALWAYS,
    LESS,
    Endorsement,
    check_endorsement,
    check_second,
    endorse,
    lowers,
    why_second,
)
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous
from tests.helpers.staff import Staff, passphrase, station_of

pytestmark = pytest.mark.requirement("CNF-04")
ASKS = DEFAULT._replace(second_person="soft-limits")


# --- when one is needed ----------------------------------------------------------------


def finding(name: str, severity: Severity = Severity.SOFT) -> Finding:
    return Finding(name, severity, "seen", "source")


def why(
    *names: str, library: Any = ASKS, lower: bool = False, overridden: bool = True
) -> list[str]:
    overrides = [Override(id=name, reason="because") for name in names if overridden]
    found = [finding(name) for name in names]
    reasons = why_second(found, overrides, library, lowers=lower)
    return [reason.partition(":")[0] for reason in reasons]


def test_the_library_that_ships_asks_for_none() -> None:
    assert DEFAULT.second_person == "never"
    assert why("DAILY_DOSE_SOFT", "DOSE_INCREASE", library=DEFAULT) == []


def test_a_site_that_asks_for_one_has_one_for_every_soft_limit_that_is_overridden() -> None:
    assert why("DAILY_DOSE_SOFT", "DOSE_INCREASE") == ["DAILY_DOSE_SOFT", "DOSE_INCREASE"]
    assert why("DAILY_DOSE_SOFT", overridden=False) == [], "such a plan is not applied anyway"
    note = [finding("BATTERY_LOW", Severity.NOTE)]
    assert why_second(note, [], ASKS, lowers=False) == ()


@pytest.mark.requirement("LIM-04")
def test_a_reduction_waits_for_nobody() -> None:
    assert why(*LESS) == []
    assert why("DOSE_REDUCTION", "DAILY_DOSE_SOFT", lower=True) == [], "1200 to 1100 mcg/day"
    assert why("DOSE_REDUCTION", "RATE_INCREASE") == ["RATE_INCREASE"], "less, and one hour more"


@pytest.mark.requirement("STP-03")
@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize("name", ALWAYS)
@pytest.mark.parametrize("library", [DEFAULT, ASKS], ids=SECOND_PERSON)
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("overridden", [False, True])
def test_two_people_always_restart_or_go_on_without_a_valid_library(
    name: str, library: Any, lower: bool, overridden: bool
) -> None:
    assert why(name, library=library, lower=lower, overridden=overridden) == [name]
    assert why(name, name, library=library) == [name], "one reason, once"


def test_the_findings_named_here_exist() -> None:
    known = {rule.id: rule for rule in rules().values()}
    assert all(known[name].severity is Severity.SOFT for name in LESS)
    assert set(ALWAYS) <= set(known)


def program(text: str) -> Program:
    found = read_profile(text, "f").program
    assert found is not None
    return found


def test_what_lowers() -> None:
    high, low = program(continuous("300 mcg/day")), program(continuous("240 mcg/day"))
    assert lowers(high, low)
    assert not lowers(low, high)
    assert not lowers(low, low)
    assert not lowers(None, low)
    assert not lowers(high, None)
    # 240 mcg/day is 10 mcg in every hour. 20 h at 9.5 and 4 h at 10 mcg/h are 190 + 40 =
    # 230 mcg/day, and no hour is larger; with 4 h at 10.5 it is 232, still less, but an hour is.
    assert lowers(low, program(flexing("10", "230 mcg/day")))
    assert not lowers(low, program(flexing("10.5", "232 mcg/day")))


@pytest.mark.requirement("LIM-04")
def test_less_in_the_day_and_more_by_the_patient_s_own_hand_is_no_reduction() -> None:
    low = program(continuous("240 mcg/day"))
    own = """[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3

[reservoir]"""
    text = flexing("10", "230 mcg/day").replace("[reservoir]", own)
    assert not lowers(low, program(text)), "230 + 30 mcg in 24 h, after 240"


def flexing(extra: str, day: str) -> str:
    """Every day 9.5 mcg/h, and from 06:00 to 10:00 something else."""
    head = continuous("240 mcg/day").partition("[program]")[0]
    return f"""{head}[program]
mode = "flex"
fallback_rate = "150 mcg/day"

[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
daily_dose = "{day}"
steps = [
  {{ from = "00:00", basal = "9.5 mcg/h" }},
  {{ from = "06:00", basal = "{extra} mcg/h" }},
  {{ from = "10:00", basal = "9.5 mcg/h" }},
]

[reservoir]
low_alarm = "2 mL"
"""


# --- whose yes -------------------------------------------------------------------------


class Case:
    """A plan that `chief` made and `nurse` applies, and people who may confirm it."""

    def __init__(self, desk: Desk) -> None:
        desk.emulator()
        path, _ = desk.plan()
        self.staff = Staff(desk)
        for name, role in (("nurse", "clinician"), ("anna", "clinician")):
            self.staff.add(name, role)
        made = read_plan(path).model_copy(update={"operator": "chief"})
        self.plan = sealed(made.model_copy(update={"second": ("STOPPED_RESTART: 60 h",)}))
        self.other = sealed(self.plan.model_copy(update={"expires": "later"}))

    def yes(self, name: str = "anna", plan: Plan | None = None) -> Endorsement:
        return endorse(self.staff.station(name), plan or self.plan, name, passphrase(name))

    def check(self, given: Endorsement | None, plan: Plan | None = None) -> None:
        with Journal(self.staff.home.journal) as journal:
            check_endorsement(self.staff.station("nurse"), journal, plan or self.plan, given)

    def refused(self, match: str, given: Endorsement | None) -> NotConfirmed:
        with pytest.raises(NotConfirmed, match=match) as caught:
            self.check(given)
        assert caught.value.exit_code == 9
        return caught.value


@pytest.fixture
def case(desk: Desk) -> Case:
    return Case(desk)


def test_another_person_s_yes_to_this_plan_is_taken(case: Case) -> None:
    given = case.yes()
    case.check(given)
    case.check(Endorsement.parse(f" {given}\n"))
    assert given.recorded() == {"operator": "anna", "signature": given.signature.hex()}


def test_without_one_it_is_refused_and_said_how_to_get_one(case: Case) -> None:
    error = case.refused("STOPPED_RESTART: 60 h", None)
    assert "--operator NAME confirm PLAN --second" in error.hint
    case.check(None, sealed(case.plan.model_copy(update={"second": ()})))


def test_a_yes_to_another_plan_is_none(case: Case) -> None:
    case.refused("another plan", case.yes(plan=case.other))
    moved = case.yes(plan=case.other)._replace(plan=case.plan.hash)
    case.refused("not signed by anna for this plan", moved)


def test_one_that_is_not_needed_is_looked_at_all_the_same(case: Case) -> None:
    simple = sealed(case.plan.model_copy(update={"second": ()}))
    with pytest.raises(NotConfirmed):
        case.check(case.yes(), simple)


def test_nobody_is_their_own_second_person(case: Case) -> None:
    case.refused("nurse applies the plan", case.yes("nurse"))
    with pytest.raises(NotConfirmed, match="chief has made this plan"):
        case.yes("chief")
    case.refused("nurse applies the plan", case.yes()._replace(operator="nurse"))
    case.refused("chief has made this plan", case.yes()._replace(operator="chief"))


def test_one_person_s_yes_is_not_another_s(case: Case) -> None:
    case.staff.add("ben", "admin")
    case.check(case.yes("ben"))
    case.refused("not signed by ben", case.yes()._replace(operator="ben"))


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("role", ["observer", "engineer"])
def test_who_does_not_treat_does_not_confirm(role: str, case: Case) -> None:
    given = case.yes()
    case.staff.add("anna", role)  # who was a clinician a minute ago
    case.refused(f"anna is {role}", given)
    with pytest.raises(NotConfirmed, match=f"anna is {role}"):
        case.yes()


def test_who_is_revoked_or_unknown_does_not_confirm(case: Case) -> None:
    given = case.yes()
    case.refused("carl is no operator", given._replace(operator="carl"))
    case.staff.revoke("anna")
    case.refused("anna was revoked", given)
    with pytest.raises(NotConfirmed, match="anna was revoked"):
        check_second(case.staff.station("anna"), case.plan, "anna")


def test_another_passphrase_signs_nothing(case: Case) -> None:
    with pytest.raises(NotConfirmed, match="not the passphrase of operator anna"):
        endorse(case.staff.station("anna"), case.plan, "anna", passphrase("nurse"))


def test_a_file_that_somebody_wrote_makes_no_second_person(case: Case) -> None:
    """A ghost's file in the home, an old file put back, an entry nobody signed."""
    made = operator_keys.make_signing_key(
        "ghost", passphrase("ghost"), case.staff.station("x").entropy
    )
    ghost = Operator("ghost", "clinician", made.public, "now", "chief", made.sealed)
    keep_operator(case.staff.home, ghost)
    with pytest.raises(NotConfirmed, match="ghost is no operator"):
        case.yes("ghost")

    file = case.staff.home.root / "operators" / "known" / "anna.json"
    before = file.read_bytes()
    given = case.yes()
    case.staff.revoke("anna")
    file.write_bytes(before)
    case.refused("anna was revoked", given)

    with Journal(case.staff.home.journal) as journal:
        body = {
            "what": "added",
            "name": "ghost",
            "role": "clinician",
            "public": made.public.hex(),
            "by": "chief",
            "signature": "00" * 64,
        }
        journal.append("operator", at="now", pump=STATION, operation=None, body=body)
    with pytest.raises(StoreError, match="not signed by an admin"):
        case.check(given)


def test_without_the_look_at_the_signature_anybody_s_yes_is_taken(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = Endorsement("anna", case.plan.hash, bytes(64))
    case.refused("not signed by anna", forged)
    real = operator_keys.is_signed

    def blind(public: bytes, message: bytes, signature: bytes) -> bool:
        return b"pumpctl.second" in message or real(public, message, signature)

    monkeypatch.setattr(operator_keys, "is_signed", blind)
    case.check(forged)


def test_a_station_without_operators_says_how_to_add_them(desk: Desk) -> None:
    desk.emulator()
    path, _ = desk.plan()
    plan = sealed(read_plan(path).model_copy(update={"second": ("STOPPED_RESTART: 60 h",)}))
    station = station_of(desk, "nurse")
    with (
        Journal(station.home.journal) as journal,
        pytest.raises(NotConfirmed, match="a second person") as caught,
    ):
        check_endorsement(station, journal, plan, None)
    assert "operator add NAME --role admin" in caught.value.hint


# --- its line of text ------------------------------------------------------------------


@settings(max_examples=50)
@given(
    st.from_regex(r"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}\Z"),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=64, max_size=64),
)
def test_what_is_written_reads_back(name: str, plan: bytes, signature: bytes) -> None:
    given = Endorsement(name, plan.hex(), signature)
    assert "\n" not in str(given)
    assert Endorsement.parse(str(given)) == given


@settings(max_examples=100)
@given(
    st.text(max_size=200) | st.binary(max_size=140).map(lambda raw: base64.b64encode(raw).decode())
)
def test_nothing_else_is_read(text: str) -> None:
    for each in (text, f"anna:{text}"):
        try:
            found = Endorsement.parse(each)
        except NotConfirmed:
            continue
        assert str(found) == each.strip()
