"""The checks of prime and bridge: each stops its case, and without it the case would pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pumpctl.quantities import Concentration, Length, Mass, Volume
from pumpctl.therapy.bridge import Impossible, Planned, plan_bridge, replan_bridge
from pumpctl.therapy.checks import rules
from pumpctl.therapy.checks.bridges import BridgeCase, bridge_check, check_bridge, check_in_bridge
from pumpctl.therapy.checks.primes import check_prime, prime_check
from pumpctl.therapy.course import Course, Piece
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.line import FREE, UNKNOWN, ImplantRecord, line_parts
from pumpctl.therapy.moment import DAY_MS, Moment
from pumpctl.therapy.prime import plan_prime
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import (
    Alarm,
    Delivery,
    Fluid,
    Line,
    Priority,
    RunningBolus,
    RunningBridge,
)
from tests.therapy.line_samples import OTHER, STRONG, WEAK, implant
from tests.therapy.samples import NOW, even, flex, ids, minimum, named, pump
from tests.therapy.test_checks_bolus import EXPIRED, WITH_OWN, at_three

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE
LINE = Volume.parse("0.348 mL")
PRIMED = implant(tubing=STRONG)
FILLED = implant(tubing=WEAK, catheter=WEAK)
OLD, NEW = even("100 mcg/day", 500), even("100 mcg/day", fallback="100 mcg/day")
BRIDGE = RunningBridge(LINE, Volume.parse("0.248 mL"))
STALL = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW)
RUNNING = RunningBolus("single", Mass(10_000), Mass(5_000), NOW, NOW.plus(150_000))


class Bad(NamedTuple):
    """An order to which one check speaks."""

    name: str
    severity: Severity
    case: dict[str, Any]
    value: str | None
    limit: str | None


# --- prime ---------------------------------------------------------------------------


def prime(
    record: ImplantRecord = PRIMED,
    fluid: Fluid = STRONG,
    library: Library = DEFAULT,
    ordered: Mass | None = None,
    **state: Any,
) -> tuple[Finding, ...]:
    plan = plan_prime(record, fluid, Volume(0))
    return check_prime(plan, pump(**state), record, now=NOW, library=library, ordered=ordered)


PRIMES = [
    Bad("LIBRARY_EXPIRED", HARD, {"library": EXPIRED}, str(NOW.date.plus(-1)),
        "a library that is valid today"),
    Bad("PRIME_REFUSED", HARD, {"record": implant(tubing=WEAK, catheter=WEAK)},
        "catheter baclofen 500 mcg/mL, tubing baclofen 500 mcg/mL", "a catheter free of drug"),
    Bad("PRIME_REFUSED", HARD, {"record": implant(tubing=UNKNOWN)},
        "catheter free of drug, tubing unknown", "a catheter free of drug"),
    Bad("PRIME_TOO_MUCH", HARD, {"ordered": Mass(416_001)}, "416.001 mcg", "416 mcg"),
    Bad("PRIME_OTHER_FLUID", HARD, {"record": implant(), "fluid": WEAK},
        "baclofen 500 mcg/mL", "baclofen 2000 mcg/mL"),
    Bad("PRIME_UNCERTAIN", SOFT, {"record": implant(trimmed=UNKNOWN)}, "0.286 mL", "0 mL"),
    Bad("PRIME_TUBING_OTHER", HARD, {"record": implant(tubing=WEAK)},
        "baclofen 500 mcg/mL", "baclofen 2000 mcg/mL"),
    Bad("LINE_MODEL", HARD, {"record": implant(pump_model="SP20")}, "SP20", "SP40"),
    Bad("LINE_TABLE_OLD", HARD, {
        "record": implant(table_version=1), "line": Line(Volume.parse("0.407 mL"), STRONG)},
        "0.407 mL", "0.348 mL"),
    Bad("LINE_DIFFERS", SOFT, {"line": Line(Volume.parse("0.349 mL"), STRONG)},
        "0.349 mL", "0.348 mL"),
    Bad("BOLUS_ORDER_RUNNING", HARD, {"bolus": RUNNING}, "10 mcg", "no bolus running"),
    Bad("BOLUS_ORDER_BRIDGE", HARD, {"bridge": BRIDGE}, "0.1 mL", "no bridge running"),
    Bad("BOLUS_ORDER_ALARM", HARD, {"alarms": (STALL,)}, "MOTOR_STALL", "no critical alarm"),
    Bad("BOLUS_ORDER_STOPPED", HARD, {"delivery": Delivery.STOPPED}, "stopped", "delivering"),
    Bad("BOLUS_ORDER_STOPPED", HARD, {"program": None}, "unknown", "a known program"),
    Bad("BOLUS_ORDER_SCHEDULED", HARD, {"program": at_three(), "clock": NOW.plus(40 * 60_000)},
        str(NOW.plus(40 * 60_000 + 24_960 * 60)), str(NOW.plus(53 * 60_000))),
    Bad("BOLUS_ORDER_FLOW", HARD, {"program": flex([[(0, "1000.001")]])},
        "24.000012 mL/day", "24 mL/day"),
    Bad("BOLUS_ORDER_RESERVOIR", HARD, {"reservoir": Volume.parse("0.2 mL")},
        "0.2119 mL", "0.2 mL"),
    Bad("BOLUS_ORDER_LOW", NOTE, {"reservoir": Volume.parse("2.2 mL")}, "1.9881 mL", "2 mL"),
]  # fmt: skip


def held(found: tuple[Finding, ...], case: Bad) -> None:
    """The finding is there as the case says, and is the only hard one."""
    assert [(each.severity, each.value, each.limit) for each in named(found, case.name)] == [
        (case.severity, case.value, case.limit)
    ]
    assert not {each.id for each in found if each.severity is HARD} - {case.name}


@pytest.mark.requirement("REF-09")
@pytest.mark.requirement("REF-04")
@pytest.mark.requirement("BOL-04")
@pytest.mark.parametrize("case", PRIMES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_of_a_prime_finds_it(case: Bad) -> None:
    held(prime(**case.case), case)


@pytest.mark.requirement("REF-09")
@pytest.mark.parametrize("case", PRIMES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_the_prime_would_pass(
    case: Bad, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    prime()  # so that all are registered
    monkeypatch.delitem(prime_check.by_id, case.name)
    left = prime(**case.case)
    assert not [each for each in left if each.severity is case.severity]


def test_every_check_of_a_prime_has_its_case() -> None:
    prime()
    assert {case.name for case in PRIMES} == set(prime_check.by_id)
    assert set(prime_check.by_id) <= set(rules())


def test_an_ordinary_prime_is_without_findings() -> None:
    assert prime() == ()
    assert prime(implant()) == ()
    assert prime(ordered=Mass(416_000)) == (), "0.208 mL of 2000 mcg/mL, not a ng more"
    assert prime(program=minimum(), delivery=Delivery.MINIMUM) == ()
    assert prime(implant(trimmed=Length.parse("0 cm")), line=Line(Volume(426_000), STRONG)) == ()


def test_a_pump_that_counts_with_what_the_record_excludes() -> None:
    for volume, excluded in (("0.139999 mL", 1), ("0.14 mL", 0), ("0.426 mL", 0), ("0.43 mL", 1)):
        found = prime(implant(trimmed=UNKNOWN), line=Line(Volume.parse(volume), STRONG))
        assert len(named(found, "LINE_DIFFERS")) == excluded


def test_how_long_the_patient_may_be_without_the_drug() -> None:
    (found,) = prime(implant(trimmed=UNKNOWN))
    assert found.message == (
        "up to 0.286 mL may stay free of drug: up to 30 h 30 min without the drug"
    )
    for program in (None, even("0 mcg/day")):
        told = named(prime(implant(trimmed=UNKNOWN), program=program), "PRIME_UNCERTAIN")
        assert told[0].message == "up to 0.286 mL may stay free of drug"


@pytest.mark.requirement("REF-09")
def test_4_a_wrong_tubing_volume_is_never_primed() -> None:
    """The software cards: the volume of before the correction."""
    wrong = implant(table_version=1, tubing=FREE)
    assert "LINE_TABLE_OLD" in ids(prime(wrong))
    assert line_parts(wrong).whole.low - line_parts(implant()).whole.low == Volume(59_000)


# --- bridge --------------------------------------------------------------------------


def plan(
    record: ImplantRecord = FILLED,
    old: Program | None = OLD,
    new: Program = NEW,
    moved: int = 0,
) -> Planned:
    injected = NOW.plus(-6 * HOUR_MS)
    course = Course([Piece(injected.label_ms, NOW.label_ms, moved)])
    parts = line_parts(record)
    return plan_bridge(
        old, new, record.holds, parts.whole, injected=injected, now=NOW, moved=course
    )


def bridge(
    record: ImplantRecord = FILLED,
    old: Program | None = OLD,
    new: Program = NEW,
    moved: int = 0,
    left_out: bool = False,
    playing: Program | None = OLD,
    library: Library = DEFAULT,
    **state: Any,
) -> tuple[Finding, ...]:
    before = {"program": OLD, "concentration": Concentration(500)} | state
    planned = plan(record, old, new, moved)
    case = BridgeCase(planned, new, pump(**before), record, NOW, left_out, playing)
    return check_bridge(case._replace(library=library))


HERE: dict[str, Any] = {"concentration": Concentration(2000), "bridge": BRIDGE}
BRIDGES = [
    Bad("BRIDGE_LEFT_OUT", SOFT, {"left_out": True}, "25 mcg/day", "100 mcg/day"),
    Bad("BRIDGE_LEFT_OUT", SOFT, {
        "record": implant(tubing=STRONG, catheter=STRONG), "new": OLD, "left_out": True},
        "400 mcg/day", "100 mcg/day"),
    Bad("BRIDGE_LEFT_OUT", SOFT, {"record": implant(tubing=WEAK), "left_out": True},
        "unknown", None),
    Bad("BRIDGE_IMPOSSIBLE", HARD, {"record": implant(tubing=WEAK)}, "no bridge", None),
    Bad("BRIDGE_IMPOSSIBLE", HARD, {"record": implant(tubing=OTHER, catheter=OTHER)},
        "no bridge", None),
    Bad("BRIDGE_UNCERTAIN", SOFT,
        {"record": implant(tubing=WEAK, catheter=WEAK, trimmed=UNKNOWN)},
        "between 0.14 mL and 0.426 mL", "one volume"),
    Bad("BRIDGE_OLD_UNKNOWN", SOFT, {"old": None}, "unknown", "the program until now"),
    Bad("LIBRARY_EXPIRED", HARD, {"library": EXPIRED}, str(NOW.date.plus(-1)),
        "a library that is valid today"),
    Bad("BRIDGE_ARRIVED", SOFT, {"moved": 696_000}, str(NOW.plus(-3 * HOUR_MS)), str(NOW)),
    Bad("BRIDGE_ARRIVED", SOFT, {"moved": 348_000}, str(NOW), str(NOW)),
    Bad("BRIDGE_LATE", NOTE, {"moved": 50_000}, "0.05 mL", "0.348 mL"),
    Bad("BRIDGE_FLOW", HARD, {"old": even("23.999 mcg/day", 500)},
        "0.047998 mL/day", "0.048 mL/day to 24 mL/day"),
    Bad("BRIDGE_FLOW", HARD, {
        "old": flex([[(0, "4")]], [(2, 700, "50 mcg", "5 min")], concentration=500)},
        "28.992 mL/day", "0.048 mL/day to 24 mL/day"),
    Bad("BRIDGE_RUNNING", HARD, {"bridge": BRIDGE}, "baclofen 2000 mcg/mL", "baclofen 500 mcg/mL"),
    Bad("BRIDGE_RUNNING", HARD, {"bridge": BRIDGE, "drug": "morphine",
                                 "concentration": Concentration(2000)},
        "baclofen 2000 mcg/mL", "morphine 2000 mcg/mL"),
    Bad("BRIDGE_INCREASE", HARD, {**HERE, "new": even("100.1 mcg/day")}, "+0.1 %", "no increase"),
    Bad("BRIDGE_INCREASE", HARD, {**HERE, "playing": None}, "unknown", "no increase"),
    Bad("BRIDGE_PATIENT_DOSES", NOTE, {"old": WITH_OWN["program"]}, None, None),
    Bad("BRIDGE_PATIENT_DOSES", NOTE, {"new": WITH_OWN["program"]}, None, None),
    Bad("LINE_MODEL", HARD, {"record": FILLED._replace(pump_model="SP20")}, "SP20", "SP40"),
    Bad("LINE_TABLE_OLD", HARD, {
        "record": FILLED._replace(table_version=1), "line": Line(Volume.parse("0.407 mL"), WEAK)},
        "0.407 mL", "0.348 mL"),
    Bad("LINE_DIFFERS", SOFT, {"line": Line(Volume.parse("0.3 mL"), WEAK)}, "0.3 mL", "0.348 mL"),
]  # fmt: skip


@pytest.mark.requirement("REF-08")
@pytest.mark.requirement("REF-03")
@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize("case", BRIDGES, ids=lambda case: f"{case.name}-{case.value}")
def test_the_check_of_a_bridge_finds_it(case: Bad) -> None:
    found = bridge(**case.case)
    if case.name == "BRIDGE_PATIENT_DOSES":
        (only,) = named(found, case.name)
        case = case._replace(value=only.value)
    held(found, case)


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize("case", BRIDGES, ids=lambda case: f"{case.name}-{case.value}")
def test_without_the_check_the_bridge_would_pass(
    case: Bad, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    bridge()  # so that all are registered
    monkeypatch.delitem(bridge_check.by_id, case.name)
    left = bridge(**case.case)
    assert not [each for each in left if each.severity is case.severity]


def test_every_check_of_a_bridge_has_its_case() -> None:
    bridge()
    assert {case.name for case in BRIDGES} == set(bridge_check.by_id)
    assert set(bridge_check.by_id) <= set(rules())


@pytest.mark.requirement("REF-03")
def test_an_ordinary_change_is_without_findings() -> None:
    assert bridge() == ()
    # The same fluid again needs none of it, however old the record is.
    same = implant(tubing=STRONG, catheter=STRONG, table_version=1, pump_model="SP20")
    assert bridge(same) == ()
    assert bridge(same, left_out=True) == ()


@pytest.mark.requirement("REF-03")
def test_12_a_bridge_forgotten_shows_what_it_would_do() -> None:
    (found,) = bridge(left_out=True)
    assert found.message == "without a bridge: 25 mcg/day instead of 100 mcg/day for 6 d 23 h"
    (uncertain,) = bridge(FILLED._replace(trimmed=UNKNOWN), left_out=True)
    assert uncertain.message.endswith("25 mcg/day instead of 100 mcg/day for 8 d 12 h")
    (unknown,) = bridge(implant(tubing=WEAK), left_out=True)
    assert unknown.message.startswith("without a bridge, and what the line holds differs")


@pytest.mark.requirement("REF-08")
def test_what_an_uncertain_volume_may_bring() -> None:
    found = named(bridge(FILLED._replace(trimmed=UNKNOWN)), "BRIDGE_UNCERTAIN")[0]
    assert found.message == (
        "the line's volume is between 0.14 mL and 0.426 mL: with a bridge of 0.14 mL at worst "
        "25 mcg/day instead of 100 mcg/day for 5 d 17 h, from "
        f"{NOW.plus(DAY_MS * 7 // 10).label()}"
    )


@pytest.mark.requirement("REF-08")
def test_programmed_after_the_front_has_arrived() -> None:
    (late,) = bridge(moved=696_000)
    assert late.message == (
        f"baclofen 2000 mcg/mL has been at the tip since {NOW.plus(-3 * HOUR_MS).label()}, 3 h: "
        "696 mcg (5568 mcg/day) have left it since"
    )
    (just,) = bridge(moved=348_000)
    assert just.message.endswith("less than 1 min: 0 mcg have left it since")


@pytest.mark.requirement("REF-08")
def test_while_a_bridge_runs_a_reduction_is_a_new_plan_and_an_increase_is_refused() -> None:
    def replanned(dose: str) -> list[str]:
        new = even(dose, fallback=dose)
        made = replan_bridge(BRIDGE, WEAK, new, NOW)
        assert not isinstance(made, Impossible)
        case = BridgeCase(made, new, pump(bridge=BRIDGE), FILLED, NOW, playing=OLD)
        return ids(check_bridge(case))

    assert replanned("80 mcg/day") == ["BRIDGE_LATE"]
    assert replanned("100 mcg/day") == ["BRIDGE_LATE"]
    assert replanned("100.001 mcg/day") == ["BRIDGE_INCREASE", "BRIDGE_LATE"]


def test_a_change_of_program_alone_is_no_increase_while_a_bridge_runs() -> None:
    """0.348 - 0.248 mL are still to pass; 100.1 mcg/day are 0.1 % more than 100."""
    runs = pump(program=NEW, bridge=BRIDGE)
    (found,) = check_in_bridge(even("100.1 mcg/day"), runs)
    assert (found.id, found.severity) == ("BRIDGE_INCREASE", HARD)
    assert (found.value, found.limit) == ("+0.1 %", "no increase")
    assert "0.1 mL are still to pass" in found.message
    assert check_in_bridge(even("100 mcg/day"), runs) == ()
    assert check_in_bridge(even("80 mcg/day"), runs) == ()
    for state in (pump(program=NEW), pump(program=None, bridge=BRIDGE)):
        assert check_in_bridge(even("200 mcg/day"), state) == ()


def test_when_the_patients_own_doses_come_back() -> None:
    (found,) = bridge(old=OLD._replace(patient_dose=WITH_OWN["program"].patient_dose))
    ends = Moment(NOW.utc_ms + 150_336_000, 120)
    assert found.message == f"no doses of the patient's own until {ends.label()}"
    assert found.value == str(ends)


@pytest.mark.requirement("REF-08")
def test_where_only_the_least_volume_has_passed_nothing_is_certain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uncertain = FILLED._replace(trimmed=UNKNOWN)
    for left_out in (False, True):
        found = bridge(uncertain, moved=150_000, left_out=left_out)
        assert ids(found) == ["BRIDGE_UNCERTAIN", "BRIDGE_ARRIVED"]
        # 0.276 mL of 500 mcg/mL at 0.05 mL/day.
        assert found[0].message == (
            "the line's volume is between 0.14 mL and 0.426 mL, and 0.15 mL have passed: without a "
            "bridge at worst 25 mcg/day instead of 100 mcg/day for 5 d 12 h"
        )
        assert "may have been at the tip since" in found[1].message
        assert "up to 20 mcg" in found[1].message
    assert ids(bridge(uncertain, moved=426_000)) == ["BRIDGE_ARRIVED"]
    monkeypatch.delitem(bridge_check.by_id, "BRIDGE_UNCERTAIN")
    assert "BRIDGE_UNCERTAIN" not in ids(bridge(uncertain, moved=150_000))


@pytest.mark.requirement("REF-04")
def test_that_no_bridge_is_needed_is_held_against_the_record_too() -> None:
    wrong = FILLED._replace(pump_model="SP20")
    assert "LINE_MODEL" in ids(bridge(wrong, moved=696_000))


@pytest.mark.requirement("LIM-08")
def test_an_expired_library_bars_no_change_that_needs_no_bridge() -> None:
    assert bridge(implant(tubing=STRONG, catheter=STRONG), library=EXPIRED) == ()
    assert ids(prime(implant(tubing=UNKNOWN), library=EXPIRED)) == ["PRIME_REFUSED"]


@pytest.mark.requirement("REF-08")
def test_an_old_program_that_is_not_known_is_told() -> None:
    assert bridge(old=OLD) == ()
    assert "BRIDGE_OLD_UNKNOWN" in ids(bridge(old=OLD._replace(drug="morphine")))
    assert ids(bridge(old=None, left_out=True)) == ["BRIDGE_LEFT_OUT"]
