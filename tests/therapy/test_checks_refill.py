"""The checks of a refill, each against a record that it must stop, and shown to be what does."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.quantities import Concentration, Mass, Rate, Volume
from pumpctl.therapy.bridge import NotNeeded, Planned, plan_bridge
from pumpctl.therapy.checks import rules
from pumpctl.therapy.checks.refills import (
    RefillCase,
    check_given_up,
    check_refill,
    offer_of,
    refill_check,
)
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import line_parts
from pumpctl.therapy.moment import DAY_MS, Date
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Ampoule, Discrepancy, RefillRecord, Suspected
from pumpctl.therapy.state import Line, PumpState, RunningBolus
from tests.therapy.line_samples import STRONG, WEAK, implant
from tests.therapy.samples import NOW, even, ids, minimum, named, pump

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
TODAY = NOW.date
OTHER_DRUG = DEFAULT._replace(
    listed=(*DEFAULT.listed, DEFAULT.listed[0]._replace(drug="morphine")), source="a site's list"
)


def ml(text: str) -> Volume:
    return Volume.parse(f"{text} mL")


def mcg_ml(count: int) -> Concentration:
    return Concentration(count)


def ampoule(mass: str, volume: str) -> Ampoule:
    return Ampoule(Mass.parse(mass), ml(volume))


SOUND = RefillRecord(
    at=NOW,
    drug="baclofen",
    concentration=mcg_ml(2000),
    lot="LOT 7",
    expiry=TODAY.plus(500),
    filled=ml("38"),
    expected=ml("12"),
    counted=None,
    drained=ml("12.4"),
    injected=ml("40"),
    sensed=ml("39.6"),
    ampoule=ampoule("10 mg", "5"),
)
"""26 mL programmed, all in order."""


def case(
    pump_state: PumpState | None = None, library: Library = DEFAULT, **other: Any
) -> RefillCase:
    """The sound refill, altered: keys of the case, else of the record."""
    of_case = {key: other.pop(key) for key in list(other) if key in RefillCase._fields}
    known = RefillCase(SOUND._replace(**other), pump_state or pump(), even(), NOW, library)
    return known._replace(**of_case)


def findings(pump_state: PumpState | None = None, **other: Any) -> tuple[Finding, ...]:
    return check_refill(case(pump_state, **other))


class Bad(NamedTuple):
    """A refill that one check speaks to."""

    name: str
    severity: Severity
    other: dict[str, Any]
    value: str | None
    limit: str | None


VALID = "a library that is valid today"
BAND = "2 mL, ratio 0.855 to 1.145"
LOWER: dict[str, Any] = {"program": even("150 mcg/day", fallback="100 mcg/day")}
AT_500: dict[str, Any] = {"concentration": mcg_ml(500), "ampoule": ampoule("10 mg", "20"),
          "program": even(concentration=500)}  # fmt: skip
MORPHINE: dict[str, Any] = {
    "drug": "morphine", "library": OTHER_DRUG, "concentration": mcg_ml(500),
    "program": even(concentration=500)._replace(drug="morphine"), "ampoule": ampoule("10 mg", "20"),
}  # fmt: skip
EXPIRED = DEFAULT._replace(site="ward", version=4, expires=TODAY.plus(-1))
BRIDGE = NotNeeded("the line holds it")
"""Decided, where only that it is matters."""


def planned(new: Program) -> Planned:
    """The bridge from what the pump runs to this program."""
    record = implant(tubing=STRONG, catheter=STRONG)
    return plan_bridge(even(), new, record.holds, line_parts(record).whole, injected=NOW, now=NOW)


BOLUS = RunningBolus("single", Mass.parse("20 mcg"), Mass(0), NOW, NOW.plus(600_000))
UNSETTLED = Suspected(Discrepancy(ml("40"), ml("20"), ml("38")), even())
"""38 of 40 mL came out where 20 were expected, and nothing could be filled in."""
LOWER_500: dict[str, Any] = {
    **AT_500, "program": even("150 mcg/day", fallback="100 mcg/day", concentration=500),
    "bridge": planned(even("150 mcg/day", fallback="100 mcg/day", concentration=500)),
}  # fmt: skip
DRIFT = tuple(Discrepancy(ml("40"), ml("20"), ml("18")) for _ in range(2))

CASES = [
    Bad("REFILL_DISCREPANCY", SOFT, {"drained": ml("14.000001")},
        "+2.000001 mL, ratio 0.9230", BAND),
    Bad("REFILL_DISCREPANCY", SOFT, {"drained": ml("9.999999")},
        "-2.000001 mL, ratio 1.0770", BAND),
    Bad("REFILL_DISCREPANCY", SOFT, {"drained": ml("8.229999")},  # 1.145 x 26 = 29.77
        "-3.770001 mL, ratio 1.1451", BAND),
    Bad("REFILL_DISCREPANCY", SOFT, {"expected": ml("30"), "drained": ml("28.839999")},
        "-1.160001 mL, ratio 1.1451", BAND),
    Bad("REFILL_DISCREPANCY", SOFT, {"expected": ml("33.1"), "drained": ml("35.2")},
        "+2.1 mL", "2 mL"),
    Bad("REFILL_DISCREPANCY", SOFT, {"expected": ml("33.1"), "drained": ml("31")},
        "-2.1 mL", "2 mL"),
    Bad("REFILL_DISCREPANCY", SOFT, {"drained": ml("15.770001")}, "+3.770001 mL, ratio 0.8549",
        BAND),
    Bad("REFILL_NON_DELIVERY", HARD, {"drained": ml("19.800001")}, "ratio 0.6999", "ratio 0.7"),
    Bad("REFILL_NON_DELIVERY", SOFT, {"drained": ml("19.800001"), **LOWER}, "ratio 0.6999",
        "ratio 0.7"),
    Bad("REFILL_DRAINED", HARD, {"drained": ml("42.000001"), **LOWER}, "42.000001 mL",
        "at most 42 mL"),
    Bad("REFILL_DRAINED", SOFT, {"drained": ml("38.000001"), **LOWER}, "38.000001 mL",
        "at most 38 mL"),
    Bad("REFILL_NO_HISTORY", NOTE, {"filled": None}, None, "at least 12 mL"),
    Bad("REFILL_NO_HISTORY", NOTE, {"filled": ml("11")}, "11 mL", "at least 12 mL"),
    Bad("REFILL_TREND", NOTE, {"past": DRIFT, "drained": ml("10.1")}, "median +10.0 %", "+7.3 %"),
    Bad("REFILL_TREND", NOTE, {"drained": ml("13.99"), "past": (
        Discrepancy(ml("40"), ml("20"), ml("21.9")), Discrepancy(ml("40"), ml("20"), ml("21.8")),
    )}, "median -9.0 %", "-7.3 %"),
    Bad("REFILL_POCKET_FILL", SOFT, {"sensed": ml("37.999999")}, "2.000001 mL", "2 mL"),
    Bad("REFILL_SENSOR", SOFT, {"injected": ml("37"), "sensed": ml("39.000001")}, "2.000001 mL",
        "2 mL"),
    Bad("REFILL_NO_SENSOR", NOTE, {"sensed": None}, None, None),
    Bad("REFILL_OVER_CAPACITY", HARD, {"left": ml("0.000001")}, "40.000001 mL", "40 mL"),
    Bad("REFILL_OVER_CAPACITY", SOFT, {"drained": ml("9.9")}, "42.1 mL", "40 mL"),
    Bad("REFILL_TOO_SMALL", HARD, {"injected": ml("2"), "sensed": ml("2")}, "2 mL", "above 2 mL"),
    Bad("REFILL_TOO_SMALL", HARD, {"injected": ml("2.3"), "sensed": ml("2"), **AT_500,
        "bridge": planned(even(concentration=500))}, "1.952 mL", "above 2 mL"),
    Bad("REFILL_TOO_SMALL", HARD, {"injected": ml("0.3"), "sensed": ml("0"), **AT_500,
        "bridge": planned(even(concentration=500))}, "0 mL", "above 2 mL"),
    Bad("REFILL_TOO_SMALL", HARD, {"next_visit": TODAY.plus(169)}, "2026-09-08", "2026-09-16"),
    Bad("REFILL_TOO_SMALL", SOFT, {"injected": ml("3.799999"), "sensed": ml("3.8")},
        "2026-03-31", "2026-04-01"),  # 7 days: 2 + 8 x 0.225 is 3.8 mL
    Bad("REFILL_TOO_SMALL", SOFT, {"next_visit": TODAY.plus(162)}, "2026-09-08", "2026-09-09"),
    Bad("REFILL_TOO_SMALL", SOFT, {"next_visit": TODAY.plus(168)}, "2026-09-08", "2026-09-15"),
    Bad("REFILL_INTERVAL", SOFT, {"next_visit": TODAY.plus(181), "program": minimum()},
        "2026-09-28", "2026-09-27"),
    Bad("REFILL_INTERVAL", SOFT, {"next_visit": TODAY.plus(61), "expiry": TODAY.plus(60)},
        "2026-05-31", "2026-05-30"),
    Bad("REFILL_DRUG", HARD, {"drug": "baclofin", "program": even()._replace(drug="baclofin")},
        "baclofin", "baclofen"),
    Bad("REFILL_DRUG_CHANGE", SOFT, MORPHINE, "morphine", "baclofen"),
    Bad("REFILL_DRUG_CHANGE", NOTE, {**MORPHINE, "bridge": planned(MORPHINE["program"])},
        "morphine", "baclofen"),
    Bad("REFILL_CONCENTRATION", HARD,
        {"concentration": mcg_ml(50), "ampoule": ampoule("0.05 mg", "1"),
         "program": even(concentration=50), "bridge": BRIDGE},
        "50 mcg/mL", "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL"),
    Bad("REFILL_CONCENTRATION", HARD,
        {"concentration": mcg_ml(1500), "ampoule": None, "program": even(concentration=1500),
         "bridge": BRIDGE},
        "1500 mcg/mL", "500 mcg/mL, 1000 mcg/mL, 2000 mcg/mL"),
    Bad("REFILL_AMPOULE", HARD, {"ampoule": ampoule("10 mg", "20")}, "500 mcg/mL", "2000 mcg/mL"),
    Bad("REFILL_AMPOULE", HARD, {"ampoule": ampoule("10 mg", "0")}, "no concentration",
        "2000 mcg/mL"),
    Bad("REFILL_LOOK_ALIKE", NOTE, {"ampoule": None}, "2000 mcg/mL", None),
    Bad("REFILL_PROGRAM", HARD, {"program": even(concentration=500)}, "baclofen 500 mcg/mL",
        "baclofen 2000 mcg/mL"),
    Bad("REFILL_PROGRAM", HARD, {"program": even()._replace(drug="morphine")},
        "morphine 2000 mcg/mL", "baclofen 2000 mcg/mL"),
    Bad("REFILL_MIXED", HARD, {**AT_500, "bridge": BRIDGE, "left": ml("0.5"),
                               "injected": ml("39")}, "0.5 mL", "0 mL"),
    Bad("REFILL_CONCENTRATION_CHANGE", SOFT, AT_500, "500 mcg/mL", "2000 mcg/mL"),
    Bad("REFILL_CONCENTRATION_CHANGE", NOTE, {**AT_500, "bridge": BRIDGE}, "500 mcg/mL",
        "2000 mcg/mL"),
    Bad("REFILL_CONCENTRATION_CHANGE", NOTE,
        {**AT_500, "bridge": planned(even(concentration=500)), "left_out": True}, "500 mcg/mL",
        "2000 mcg/mL"),
    Bad("REFILL_CONCENTRATION_CHANGE", SOFT,
        {**AT_500, "bridge": planned(even(concentration=1000))}, "500 mcg/mL", "2000 mcg/mL"),
    Bad("REFILL_CONCENTRATION_CHANGE", SOFT, {**AT_500, "left_out": True}, "500 mcg/mL",
        "2000 mcg/mL"),
    Bad("LIBRARY_EXPIRED", SOFT, {"library": EXPIRED}, "2026-03-30", VALID),
    Bad("LIBRARY_EXPIRED", HARD, {"library": EXPIRED, "program": even("440 mcg/day")},
        "2026-03-30", VALID),
    Bad("LIBRARY_EXPIRED", HARD, {"library": EXPIRED, **AT_500, "bridge": BRIDGE}, "2026-03-30",
        VALID),
    Bad("REFILL_EXPIRY", HARD, {"expiry": TODAY.plus(-1)}, "2026-03-30", "2026-03-31 or later"),
    Bad("REFILL_EXPIRY", NOTE, {"expiry": TODAY.plus(160)}, "2026-09-07", "2026-09-08"),
    Bad("REFILL_ESTIMATE", NOTE, {"estimated": ml("12.100001")}, "12.100001 mL", "12 mL"),
    Bad("REFILL_ESTIMATE", NOTE, {"estimated": ml("11.899999")}, "11.899999 mL", "12 mL"),
    Bad("REFILL_BOLUS_RUNNING", HARD, {**AT_500, "bridge": BRIDGE, "pump": pump(bolus=BOLUS)},
        "20 mcg", "no bolus"),
    Bad("BRIDGE_FORGOTTEN", SOFT, {"pump": pump(line=Line(ml("0.348"), WEAK))},
        "baclofen 500 mcg/mL", "baclofen 2000 mcg/mL"),
    Bad("REFILL_LOT", HARD, {"lot": " "}, None, "as printed on the ampoule"),
    Bad("REFILL_NON_DELIVERY", HARD, {"unsettled": UNSETTLED}, "ratio 0.1000", "ratio 0.7"),
    Bad("REFILL_NON_DELIVERY", SOFT, {"unsettled": UNSETTLED, **LOWER}, "ratio 0.1000",
        "ratio 0.7"),
    Bad("BRIDGE_NON_DELIVERY", HARD, {"drained": ml("19.800001"), **LOWER_500}, "450 mcg",
        "no bridge, or no more than 200 mcg/day"),
    Bad("BRIDGE_NON_DELIVERY", HARD,  # 150 mcg at the flow of 500, of 2000 mcg/mL
        {"drained": ml("19.800001"), **LOWER_500, "left_out": True}, "600 mcg",
        "no more than 200 mcg/day"),
    Bad("REFILL_AGAIN", SOFT, {"elsewhere": NOW.plus(1 - DAY_MS)}, str(NOW.plus(1 - DAY_MS)),
        "1 d apart"),
]  # fmt: skip


def seen(found: tuple[Finding, ...], name: str) -> list[tuple[Severity, str | None, str | None]]:
    return [(each.severity, each.value, each.limit) for each in named(found, name)]


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("REF-02")
@pytest.mark.requirement("REF-03")
@pytest.mark.requirement("REF-07")
@pytest.mark.parametrize("bad", CASES, ids=lambda bad: f"{bad.name}-{bad.value}")
def test_the_check_finds_it(bad: Bad) -> None:
    found = findings(**bad.other)
    assert seen(found, bad.name) == [(bad.severity, bad.value, bad.limit)]
    others = {each.id for each in found if each.severity is HARD} - {bad.name}
    assert not others, "one fault, one hard finding"


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: f"{bad.name}-{bad.value}")
def test_without_the_check_it_would_pass(bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    findings()  # so that they are registered
    monkeypatch.delitem(refill_check.by_id, bad.name)
    left = [each.id for each in findings(**bad.other) if each.severity is bad.severity]
    beside = {  # what the same record shows besides, and rightly
        "REFILL_DISCREPANCY": {"REFILL_OVER_CAPACITY"},
        "REFILL_OVER_CAPACITY": {"REFILL_DISCREPANCY"},
        "REFILL_NON_DELIVERY": {"REFILL_DISCREPANCY"},
        "REFILL_DRAINED": {"REFILL_DISCREPANCY", "REFILL_NON_DELIVERY"},
    }
    assert set(left) <= beside.get(bad.name, set())


def test_every_check_has_its_case() -> None:
    every = rules()
    assert {bad.name for bad in CASES} == set(refill_check.by_id)
    assert all(every[name] == each.rule for name, each in refill_check.by_id.items())
    told = [each.rule.incident for each in refill_check.by_id.values() if each.rule.incident]
    assert len(told) >= 7


def test_a_sound_refill_is_without_findings() -> None:
    assert findings() == ()
    assert findings(next_visit=TODAY.plus(161)) == ()


JUST_NOT: list[dict[str, Any]] = [
    {"drained": ml("14")},
    {"elsewhere": NOW.plus(-DAY_MS)},
    {"drained": ml("10"), "injected": ml("38"), "sensed": ml("38")},
    {"expected": ml("33.1"), "drained": ml("35.1")},
    {"expected": ml("30"), "drained": ml("28.84")},  # 1.145
    {"expected": ml("28"), "drained": ml("29.45")},  # 0.855
    {"sensed": ml("38")},
    {"injected": ml("37"), "sensed": ml("39")},
    {"injected": ml("39.5"), "left": ml("0.5")},
    {"injected": ml("3.8"), "sensed": ml("3.8")},
    {"expiry": TODAY.plus(161)},
    {"next_visit": TODAY.plus(180), "program": minimum()},
    {"past": DRIFT},
]  # fmt: skip


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("REF-02")
@pytest.mark.parametrize("other", JUST_NOT, ids=str)
def test_at_the_limit_it_passes(other: dict[str, Any]) -> None:
    assert findings(**other) == ()


def test_expired_is_after_its_last_day() -> None:
    assert [each.severity for each in findings(expiry=TODAY)] == [NOTE]


@pytest.mark.requirement("REF-01")
def test_a_ratio_of_seven_tenths_is_not_suspected() -> None:
    found = findings(drained=ml("19.8"))
    assert ids(found) == ["REFILL_DISCREPANCY"]
    assert found[0].value == "+7.8 mL, ratio 0.7000"
    assert offer_of(case(drained=ml("19.8"))) is None


@pytest.mark.requirement("REF-01")
def test_the_benign_cause_is_named() -> None:
    for drained in ("8", "9.9", "14.1", "16", "30"):
        (found,) = named(findings(drained=ml(drained), **LOWER), "REFILL_DISCREPANCY")
        assert "not fully drained" in found.message or (
            "not be fully drained" in found.message or "was incomplete" in found.message
        )
    (early,) = named(findings(expected=ml("33.1"), drained=ml("36")), "REFILL_DISCREPANCY")
    assert "too little was programmed" in early.message


def test_a_smaller_pump_has_a_smaller_limit() -> None:
    small = pump(capacity=ml("20"))
    fill: dict[str, Any] = {
        "injected": ml("20"),
        "filled": ml("20"),
        "expected": ml("4"),
        "drained": ml("4"),
    }
    assert findings(small, **fill, sensed=ml("19")) == ()
    (found,) = findings(small, **fill, sensed=ml("18.999999"))
    assert (found.id, found.limit) == ("REFILL_POCKET_FILL", "1 mL")


# --- how real refills failed ---------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
def test_5_nineteen_millilitres_at_two_refills() -> None:
    """Refilled and restarted at a lower dose: coma within the hour."""
    drained: dict[str, Any] = {"filled": ml("20"), "expected": ml("2"), "drained": ml("19")}
    drained |= {"injected": ml("18"), "sensed": ml("18")}
    small = pump(capacity=ml("20"), program=even("600 mcg/day"))
    assert ids(findings(small, **drained, program=even("600 mcg/day"))) == [
        "REFILL_NON_DELIVERY",
        "REFILL_DISCREPANCY",
    ]
    (token,) = named(findings(small, **drained, program=even("599 mcg/day")), "REFILL_NON_DELIVERY")
    assert token.severity is HARD and "more than 200 mcg/day is refused, offered" in token.message
    lower = findings(small, **drained, program=even("150 mcg/day", fallback="100 mcg/day"))
    assert ids(lower) == ["REFILL_DISCREPANCY", "REFILL_NON_DELIVERY"]
    assert {each.severity for each in lower} == {SOFT}, "two decisions, each with its reason"
    (told,) = named(lower, "REFILL_NON_DELIVERY")
    assert "at most 50 mcg/day (at this concentration no less than 96 mcg/day)" in told.message
    assert "gives up to 150 mcg in 24 h" in told.message and "6 % of the programmed" in told.message
    offer = offer_of(case(small, **drained))
    assert offer is not None and (offer.dose, offer.deliverable) == (Rate(50_000), False)
    assert (
        named(findings(small, **drained, program=minimum()), "REFILL_NON_DELIVERY")[0].severity
        is SOFT
    ), "the pump is not stopped"
    new = pump(program=None)
    (told,) = named(findings(new, drained=ml("30")), "REFILL_NON_DELIVERY")
    assert told.severity is HARD and "on average" not in told.message
    assert "more than 200 mcg/day is refused" in told.message
    (told,) = named(findings(drained=ml("30")), "REFILL_NON_DELIVERY")
    assert "; the old dose is refused, offered" in told.message


@pytest.mark.requirement("REF-03")
def test_6_a_concentration_below_what_is_in_the_syringe() -> None:
    """500 entered, 2000 drawn up: every dose would be fourfold."""
    found = findings(**AT_500 | {"ampoule": ampoule("10 mg", "5"), "bridge": BRIDGE})
    assert ids(found)[0] == "REFILL_AMPOULE" and found[0].severity is HARD
    assert 'says "10 mg/5 mL", which is 2000 mcg/mL' in found[0].message
    unread = findings(**AT_500 | {"ampoule": None})
    assert ids(unread) == ["REFILL_CONCENTRATION_CHANGE", "REFILL_LOOK_ALIKE"]
    assert "(20 mg in 40 mL)" in unread[0].message and "400 % of its dose" in unread[0].message
    assert '"10 mg/20 mL" is 500 mcg/mL and "10 mg/5 mL" is 2000 mcg/mL' in unread[1].message
    (other,) = findings(program=even(concentration=500))
    assert (other.id, other.severity) == ("REFILL_PROGRAM", HARD)
    assert "it would give 400 % of its dose" in other.message


@pytest.mark.requirement("REF-01")
def test_10_drug_beside_the_reservoir() -> None:
    (found,) = findings(sensed=ml("0.5"))
    assert (found.id, found.severity, found.value) == ("REFILL_POCKET_FILL", SOFT, "39.5 mL")
    (blind,) = findings(sensed=None)
    assert "cannot be seen here" in blind.message


@pytest.mark.requirement("REF-01")
def test_11_over_infusion_while_the_alarm_is_silent() -> None:
    """26 mL programmed, 15 % more delivered; the computed volume is far above its alarm."""
    (found,) = named(findings(drained=ml("8.1")), "REFILL_DISCREPANCY")
    assert found.severity is SOFT
    assert "gave 15.0 % more than programmed" in found.message


@pytest.mark.requirement("REF-03")
def test_12_a_bridge_forgotten_upwards() -> None:
    """W22: what is left of 100 mcg/day, a quarter, for days."""
    weak = pump(
        concentration=mcg_ml(500), program=even("100 mcg/day", 500), line=Line(ml("0.348"), WEAK)
    )
    (found,) = findings(weak, program=even("100 mcg/day"))
    assert (found.id, found.severity) == ("REFILL_CONCENTRATION_CHANGE", SOFT)
    assert "gives 25 % of its dose" in found.message


def test_a_site_s_own_list_is_named_as_the_source() -> None:
    (found,) = named(
        findings(drug="morphine", concentration=mcg_ml(2000), library=OTHER_DRUG,
                 program=even()._replace(drug="morphine")),
        "REFILL_CONCENTRATION",
    )  # fmt: skip
    assert (found.source, found.limit) == ("a site's list", "500 mcg/mL")


def test_an_interval_of_a_fill_that_is_dated_back() -> None:
    """The interval and the dates count from the fill, not from the day it is typed."""
    (found,) = findings(at=NOW.plus(-2 * DAY_MS), next_visit=Date(TODAY.number + 160))
    assert (found.id, found.value) == ("REFILL_TOO_SMALL", "2026-09-06")


@pytest.mark.requirement("REF-01")
def test_a_refill_that_was_given_up_is_judged_by_its_drain_alone() -> None:
    """Non-delivery needs its reason and refuses nothing: nothing is begun again."""
    bad: dict[str, Any] = {"drained": ml("35"), "lot": "", "expiry": TODAY.plus(-1)}
    found = check_given_up(case(**bad))
    assert [(each.id, each.severity) for each in found] == [("REFILL_DISCREPANCY", SOFT)]
    assert check_given_up(case(estimated=ml("12.1"))) == ()
    refused = {each.id for each in check_refill(case(**bad)) if each.severity is HARD}
    assert refused >= {"REFILL_NON_DELIVERY", "REFILL_LOT", "REFILL_EXPIRY"}
