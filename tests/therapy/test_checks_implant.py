"""What may be written down as an implant's record; each check removed once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.errors import QuantityError
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.checks import rules
from pumpctl.therapy.checks.implants import ImplantCase, check_implant, implant_check
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.implanted import Calibration, Implanted
from pumpctl.therapy.line import FREE, UNKNOWN, Event, Holds, holds_from, holds_text, line_parts
from pumpctl.therapy.state import Fluid, RunningBolus, RunningBridge
from tests.therapy.line_samples import OTHER, STRONG, WEAK, implant
from tests.therapy.samples import NOW, pump

OWN = Calibration.parse("0.1 uL")
RUNNING = RunningBolus("single", Mass(10_000), Mass(5_000), NOW, NOW.plus(150_000))
BRIDGE = RunningBridge(Volume.parse("0.348 mL"), Volume.parse("0.1 mL"))
DRUG = implant(tubing=STRONG, catheter=STRONG)


def case(**other: Any) -> ImplantCase:
    """A new pump's record of a primed tubing and a free catheter: nothing to find."""
    made = ImplantCase(
        record=implant(tubing=STRONG, changed=NOW),
        kept=DRUG,
        before=DRUG,
        first=True,
        moved=Volume(0),
        pump=pump(),
        printed=OWN,
        own=OWN,
    )
    return made._replace(**other)


BAD = [
    ("IMPLANT_CALIBRATION", {"printed": Calibration(100_300)}),
    ("IMPLANT_CALIBRATION_UNCHECKED", {"printed": UNKNOWN}),
    ("IMPLANT_DRUG", {"record": implant(catheter=OTHER)}),
    ("IMPLANT_DRUG", {"record": implant(tubing=Fluid("baclofen", Concentration(750)))}),
    ("IMPLANT_NOT_FREE", {"record": implant(event=Event.CORRECTION), "moved": Volume(100)}),
    ("IMPLANT_SAME", {"record": implant(event=Event.DYE_STUDY), "kept": implant()}),
    ("IMPLANT_AGAIN", {"first": False}),
    ("IMPLANT_BOLUS_RUNNING", {"pump": pump(bolus=RUNNING)}),
    ("IMPLANT_BRIDGE_RUNNING", {"pump": pump(bridge=BRIDGE)}),
    ("IMPLANT_TABLE_OLD", {"record": implant(table_version=1)}),
    ("IMPLANT_UNCERTAIN", {"record": implant(trimmed=UNKNOWN)}),
    ("IMPLANT_UNCERTAIN", {"record": implant(catheter_model=UNKNOWN)}),
    ("IMPLANT_UNKNOWN", {"record": implant(tubing=UNKNOWN)}),
]


def told(per_pulse: Fraction) -> Calibration:
    """The constant of a pump that says so many nL for a pulse."""
    parts = line_parts(DRUG)
    return Implanted(
        "SP40", "SP40-000123", per_pulse, NOW, None, 2, parts, UNKNOWN, UNKNOWN, "",
        STRONG, STRONG, NOW,
    ).calibration  # fmt: skip


def ids(found: tuple[Finding, ...]) -> list[str]:
    return [each.id for each in found]


def test_an_ordinary_record_is_without_findings() -> None:
    assert check_implant(case()) == ()


@pytest.mark.requirement("REF-04")
@pytest.mark.parametrize(("name", "other"), BAD)
def test_the_check_finds_it_and_nothing_does_without_it(
    name: str, other: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ids(check_implant(case(**other))) == [name]
    monkeypatch.delitem(implant_check.by_id, name)
    assert check_implant(case(**other)) == ()


def test_every_check_has_its_case_and_is_explained() -> None:
    assert {name for name, _ in BAD} == set(implant_check.by_id)
    assert set(implant_check.by_id) <= set(rules())


def test_a_record_of_a_table_that_is_gone_can_be_replaced() -> None:
    """Of no table there are no volumes, so that the pump's cannot be the same."""
    assert ids(check_implant(case(kept=implant(tubing=STRONG)))) == ["IMPLANT_SAME"]
    assert check_implant(case(kept=implant(tubing=STRONG, table_version=0))) == ()


@pytest.mark.requirement("REF-09")
def test_the_same_record_again_is_no_harm_while_nothing_has_moved_into_what_is_free() -> None:
    free = implant(tubing=STRONG)
    assert check_implant(case(kept=free, before=free)) == ()
    moved = case(kept=free, before=free, moved=Volume(100))
    assert ids(check_implant(moved)) == ["IMPLANT_SAME"]
    full = case(record=DRUG._replace(changed=NOW), moved=Volume(100))
    assert check_implant(full) == (), "nothing of it is free: the pump's reckoning is the record's"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("unknown", UNKNOWN),
        ("Free", FREE),
        ("free of drug", FREE),
        ("500 mcg/mL", WEAK),
        ("baclofen  2000mcg/mL", STRONG),
        ("morphine 1 mg/mL", OTHER),
    ],
)
def test_what_a_part_holds_is_read_and_written(text: str, holds: Holds) -> None:
    assert holds_from(text) == holds
    assert holds_from(holds_text(holds)) == holds


@pytest.mark.requirement("UNI-02")
@pytest.mark.parametrize("text", ["", "500", "water", "baclofen", "500 mcg", "baclofen 1,5 mg/mL"])
def test_what_is_no_content_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        holds_from(text)


def test_the_constant_is_exact_to_the_picolitre() -> None:
    assert Calibration.parse("0.1003 uL").quanta == 100_300
    assert told(Fraction(1003, 10)) == Calibration.parse("0.1003 uL")
    assert str(Calibration(100_301)) == "0.100301 uL"
    with pytest.raises(QuantityError):
        Calibration.parse("100 nL")
