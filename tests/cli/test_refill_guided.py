"""The guided refill's answers, one by one: what is refused, asked again, told, and written down."""

from __future__ import annotations

import pytest

from pumpctl.cli import edge
from pumpctl.station.journal import Journal
from pumpctl.therapy.moment import Moment
from tests.helpers.chair import (
    CONFIRM,
    DRAINED,
    DRUG,
    INJECT,
    KEEP,
    NEXT,
    ORDER,
    PORT,
    Chair,
    Pairs,
    Ward,
)
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous, written


@pytest.fixture
def ward(desk: Desk) -> Ward:
    """400 mcg/day of 2000 mcg/mL: 20 of 40 mL are left."""
    return Ward(desk)


def test_without_a_terminal_nothing_is_asked(desk: Desk) -> None:
    desk.emulator()
    error = desk.refused(9, "NOT_CONFIRMED", *PORT, "refill")
    assert "refill --file" in error["hint"]
    assert desk.run(*PORT, "refill", "--plan-only").code == 2


def test_as_json_it_is_one_document(ward: Ward) -> None:
    pairs = (*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
    ran = ward.ran(*pairs, options=("--json",))
    assert ran.code == 0, ran.err
    data = ran.document["data"]
    assert (data["outcome"], data["verified"], data["repeated"]) == ("applied", True, False)


# --- who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "code", "told"),
    [
        ((("Patient's tag", "P-0418"),), 3, "another patient's"),
        ((("Patient's tag", "P-0417"), ("implant card", "SP40-000000")), 5, "the card says"),
    ],
)
def test_the_wrong_patient_or_pump_ends_it(pairs: Pairs, code: int, told: str, ward: Ward) -> None:
    with ward.desk.untouched():
        ran = ward.ran(*pairs)
    assert ran.code == code
    assert told in ran.err
    assert ward.steps() == []


def test_the_pump_may_be_named_on_the_command_line(ward: Ward) -> None:
    ran = ward.ran(ward.who[0], ORDER[0], options=("--pump", ward.serial))
    assert ran.code == 9
    assert ward.steps() == ["begun", "prescriber"]


@pytest.mark.requirement("BOL-05")
def test_the_gates_are_asked_before_anybody(ward: Ward) -> None:
    with Journal(ward.desk.home / "journal.sqlite3") as journal:
        at = "2026-11-23T10:00:00Z"
        journal.append("intent", at=at, pump=ward.serial, operation="ab" * 16, body={})
    ran = ward.ran()
    assert ran.code == 10
    assert "unresolved" in ran.err


def test_one_order_is_one_refill(ward: Ward) -> None:
    whole = (*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT, *CONFIRM)
    assert ward.ran(*whole).code == 0
    ran = ward.ran(*ward.who, *ORDER, ("Reference", "ORD-8"))
    assert "Order ORD-7 was applied" in ran.err
    assert ward.steps()[-1] == "reference"


# --- answers ----------------------------------------------------------------------------------


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
@pytest.mark.parametrize("typed", ["20", "20,5 mL", "2e1 mL", "20 mg", ".5 mL", "y", ""])
def test_a_volume_has_its_unit_or_is_asked_again(typed: str, ward: Ward) -> None:
    ran = ward.ran(*ward.who, *ORDER, ("Drained volume", typed), ("Drained volume", "20 mL"))
    assert ran.code == 9
    assert "on record: drained 20 mL at" in ran.err
    assert ward.steps()[-1] == "drained"


@pytest.mark.requirement("REF-01")
def test_beyond_what_is_expected_it_is_typed_again_or_drained_again(ward: Ward) -> None:
    """17 mL, then 2.9 mL more: 19.9 of 20 are as expected, and nothing of 17 is recorded."""
    ran = ward.ran(*ward.who, *ORDER, ("Drained", "17 mL"), ("Drained", "19.9 mL"))
    assert "LESS WAS DRAINED THAN EXPECTED" in ran.err or "MORE THAN PROGRAMMED" in ran.err
    assert "drain again and type the TOTAL" in ran.err
    assert [each["values"]["volume"] for each in ward.bodies() if each["step"] == "drained"] == [
        "19.9 mL"
    ]


@pytest.mark.requirement("REF-01")
def test_more_than_a_reservoir_holds_is_a_slip(ward: Ward) -> None:
    ran = ward.ran(*ward.who, *ORDER, ("Drained", "205 mL"), ("Drained", "20.5 mL"))
    assert "REFILL_DRAINED" in ran.err
    assert ward.bodies()[-1]["values"]["volume"] == "20.5 mL"


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("at", "wrong", "told"),
    [
        (0, "Baclofen", "REFILL_DRUG"),
        (1, "1500 mcg/mL", "REFILL_CONCENTRATION"),
        (1, "50 mcg/mL", "REFILL_CONCENTRATION"),
        (1, "2000", "no unit"),
        (2, "10 mg/20 mL", "REFILL_AMPOULE"),
        (2, "10 mg", "Mass and volume are wanted"),
        (4, "2026-08-31", "REFILL_EXPIRY"),
        (4, "31.8.2029", "is not a date"),
    ],
)
def test_what_is_printed_is_held_against_what_is_typed(
    at: int, wrong: str, told: str, ward: Ward
) -> None:
    asked = (*DRUG[:at], (DRUG[at][0], wrong), *DRUG[at:])
    ran = ward.ran(*ward.who, *ORDER, *DRAINED, *asked)
    assert ran.code == 9
    assert told in ran.err
    assert wrong not in [value for each in ward.bodies() for value in each["values"].values()]


def test_the_concentration_is_changed_where_the_ampoule_shows_it(ward: Ward) -> None:
    asked = (
        *(DRUG[0], ("Concentration", "500 mcg/mL"), ("ampoule", "10 mg/5 mL")),
        *(("ampoule", "concentration"), *DRUG[1:]),
    )
    ran = ward.ran(*ward.who, *ORDER, *DRAINED, *asked)
    assert "REFILL_AMPOULE" in ran.err
    assert [each["values"] for each in ward.bodies() if each["step"] == "concentration"] == [
        {"concentration": "500 mcg/mL"},
        {"concentration": "2000 mcg/mL"},
    ]


@pytest.mark.requirement("REF-02")
@pytest.mark.parametrize(
    "typed", [("Injected", "41 mL"), ("Injected", "40"), ("Injected", "40 mL at 25:00")]
)
def test_an_injection_is_refused_or_typed_twice(typed: tuple[str, str], ward: Ward) -> None:
    ran = ward.ran(
        *(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, typed),
        *(("Injected", "4 mL"), ("Type 4 mL again", "40 mL"), *INJECT),
    )
    assert "That is another volume" in ran.err
    assert [each["values"]["volume"] for each in ward.bodies() if each["step"] == "injected"] == [
        "40 mL"
    ]


@pytest.mark.requirement("REF-06")
def test_an_injection_told_late_has_its_time(ward: Ward) -> None:
    """The pump's count is then taken from its log, for that time."""
    now = ward.desk.pump("status")["clock"]["pump"]
    clock = now[11:16]
    ran = ward.ran(
        *(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP),
        *(("Injected", f"40 mL at {clock}"), ("Type 40 mL again", "40 mL"), *NEXT, *CONFIRM),
    )
    assert ran.code == 0, ran.err
    values = next(each["values"] for each in ward.bodies() if each["step"] == "injected")
    assert values["since"] is None
    assert values["at"][11:16] == clock


def test_the_patient_s_tag_stays_out_of_the_record(ward: Ward) -> None:
    ran = ward.ran(*ward.who, ("Prescriber", "Dr Adams for p-0417"), *ORDER)
    assert "stays out of the record" in ran.err
    assert "0417" not in str(ward.bodies())


# --- before and after the injection ---------------------------------------------------------------


@pytest.mark.requirement("REF-03")
def test_a_program_that_cannot_go_on_is_told_before_the_injection(desk: Desk) -> None:
    """24 mcg/day at 2000 mcg/mL is 0.012 mL/day: less than the pump can give."""
    ward = Ward(desk, "500 mcg/mL", "24")
    profile = written(desk.files / "new.toml", continuous("96 mcg/day", fallback="96 mcg/day"))
    # 24 mcg/day of 500 mcg/mL for 100 days: 4.8 mL.
    ran = ward.ran(
        *(*ward.who, *ORDER, ("Drained", "35.2 mL"), *DRUG, *KEEP),
        *(("Type which", "program"), ("path of a profile", str(desk.files / "none.toml"))),
        *(("path of a profile", str(profile)),),
    )
    assert "do not inject yet" in ran.err
    assert "which the pump cannot give" in ran.err
    assert "cannot be read" in ran.err
    assert "injected" not in ward.steps()


def test_without_that_check_the_injection_would_be_asked_for(desk: Desk) -> None:
    from pumpctl.cli.refill import guided as refill_guided

    ward = Ward(desk, "500 mcg/mL", "24")
    desk.monkeypatch.setattr(refill_guided, "_fit_to_inject", lambda _: True)
    pairs = (*ward.who, *ORDER, ("Drained", "35.2 mL"), *DRUG, *KEEP, *INJECT)
    assert ward.ran(*pairs).code == 9
    assert "injected" in ward.steps()


def test_a_profile_of_somebody_else_is_not_taken(ward: Ward) -> None:
    other = written(ward.desk.files / "other.toml", continuous("300 mcg/day", tag="P-0999"))
    weak = written(
        ward.desk.files / "weak.toml", continuous("300 mcg/day", concentration="500 mcg/mL")
    )
    ran = ward.ran(
        *(*ward.who, *ORDER, *DRAINED, *DRUG),
        *(("path of a profile", str(other)), ("path of a profile", str(weak)), *KEEP),
    )
    assert "another patient's" in ran.err
    assert "is for baclofen 500 mcg/mL" in ran.err
    assert ward.bodies()[-1]["values"] == {"program": None}


@pytest.mark.requirement("LIM-02")
def test_a_soft_finding_wants_its_reason(ward: Ward) -> None:
    """Two years ahead is refused; one day beyond the 180 of the longest interval is soft."""
    ran = ward.ran(
        *(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT),
        *(("Next refill visit", "2028-11-01"), ("Type which", "next visit")),
        *(("Next refill visit", "2027-09-01"), ('or "change"', "y")),
        *(('or "change"', "40 mL 2000 mcg/mL"), ('or "change"', "travels until then")),
        *CONFIRM,
    )
    assert ran.code == 0, ran.err
    assert "REFILL_INTERVAL" in ran.err
    assert [each["values"] for each in ward.bodies() if each["step"] == "reason"] == [
        {"finding": "REFILL_INTERVAL", "reason": "travels until then"}
    ]


@pytest.mark.requirement("CNF-02")
def test_another_challenge_changes_nothing_and_all_stays_on_record(ward: Ward) -> None:
    before = ward.desk.truth()
    pairs = (*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, *INJECT, *NEXT)
    ran = ward.ran(*pairs, ("volume and concentration", "40 mL 500 mcg/mL"))
    assert ran.code == 9
    assert ward.desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    assert "go on with: pumpctl refill" in ran.err
    assert ward.steps()[-1] == "next visit"
    ran = ward.ran(ward.who[0], *CONFIRM)
    assert ran.code == 0, ran.err
    assert ward.desk.truth().state_version == before.state_version + 1


@pytest.mark.requirement("REF-03")
def test_a_bridge_that_is_impossible_is_decided_before_the_injection(desk: Desk) -> None:
    """A dye study leaves what the line holds unknown: no old dose can be kept going."""
    ward = Ward(desk, "500 mcg/mL", "100")
    revised = desk.pump(
        *("implant", "revise", "--event", "dye study", "--plan-only"),
        *("-o", desk.files / "implant.json"),
    )
    desk.apply(desk.files / "implant.json", revised["confirm"])
    ran = ward.ran(
        *(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP),
        *(("Type which", "bridge"), ('Type "leave out"', "leave out")),
        *(("Why is the bridge left out", "the line was emptied by hand"), *INJECT, *NEXT),
        *CONFIRM,
    )
    assert ran.code == 0, ran.err
    assert ran.err.index("BRIDGE_IMPOSSIBLE") < ran.err.index("INJECT baclofen")
    assert "No bridge is possible" in ran.err
    assert {"finding": "BRIDGE_LEFT_OUT", "reason": "the line was emptied by hand"} in [
        each["values"] for each in ward.bodies()
    ]


@pytest.mark.requirement("UNI-03")
@pytest.mark.parametrize(
    "clock", ["١٠:٠٥", "²²:²²", "00:5", "0:05", "24:00", "00:60", "now", "00:0O", "+0:05"]
)
def test_a_time_of_day_is_two_digits_and_two(clock: str, ward: Ward) -> None:
    ran = ward.ran(*ward.who, *ORDER, *DRAINED, *DRUG, *KEEP, ("Injected", f"40 mL at {clock}"))
    assert ran.code == 9
    assert "is no time of today that has passed" in ran.err
    assert "injected" not in ward.steps()


@pytest.mark.requirement("SEC-08")
def test_what_is_no_letter_and_what_is_too_long_is_asked_again(ward: Ward) -> None:
    """As in a file: a sequence that clears the screen must not come back out of the journal."""
    keys = (("Prescriber", "Dr \x1b[2JAdams"), ("Prescriber", "D" * 81), ("Prescriber", "Dr Adams"))
    order = (("Reference", "R" * 81), ("Reference", "ORD\u202e7"), ("Reference", "ORD-7"))
    ran = ward.ran(*ward.who, *keys, *order, ("Drained", "4O mL"), ("Drained", "\x0020 mL"))
    assert ran.code == 9
    assert ran.err.count("At most 80 characters") == 2
    assert ran.err.count("no letter") == 3
    assert [each["values"] for each in ward.bodies()][1:] == [
        {"name": "Dr Adams"},
        {"reference": "ORD-7"},
    ]


def test_a_tag_is_no_longer_than_in_a_file(ward: Ward) -> None:
    assert ward.ran(("Patient's tag", "P" * 65)).code == 3
    assert ward.steps() == []


@pytest.mark.requirement("TIM-02")
def test_what_refuses_it_is_told_before_the_drain(desk: Desk) -> None:
    """A clock that is off refuses a flex program, and nobody should hear of it with a needle in."""
    serial = desk.emulator("ward", "--volume", "40 mL")
    desk.flex()
    desk.advance("10d")
    now = Moment.parse(desk.pump("status")["clock"]["pump"])
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    desk.monkeypatch.setattr(edge, "wall", lambda: now.plus(300_000))
    who = (("Patient's tag", "P-0417"), ("implant card", serial))
    ran = Chair(desk).ran(*who, *ORDER)
    told = " ".join(ran.err.split())
    assert told.index("BEFORE YOU DRAIN") < told.index("Drain now")
    assert "hard CLOCK_DIFFERENCE" in told
    desk.monkeypatch.setattr(edge, "wall", lambda: now)
    go_on = (("Patient's tag", "P-0417"), ('Type "go on" or "anew"', "go on"))
    assert "BEFORE YOU DRAIN" not in Chair(desk).ran(*go_on).err
