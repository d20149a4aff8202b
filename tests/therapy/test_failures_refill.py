"""The failures around a refill, replayed: priming, non-delivery, pocket fill, the bridge.

Numbered as in `test_failures`, which says where the rest is.
"""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Concentration, Length, Mass, Rate, Volume
from pumpctl.therapy.bridge import BridgePlan, Planned, plan_bridge
from pumpctl.therapy.checks.bridges import BridgeCase, check_bridge
from pumpctl.therapy.checks.primes import check_prime
from pumpctl.therapy.checks.refills import RefillCase, check_refill, offer_of
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.line import UNKNOWN, line_parts
from pumpctl.therapy.prime import PrimePlan, plan_prime
from pumpctl.therapy.refill import Ampoule, RefillRecord
from pumpctl.therapy.state import Fluid, Line
from tests.therapy.line_samples import STRONG, WEAK, implant
from tests.therapy.samples import NOW, even, named, pump

HARD, SOFT, NOTE = Severity.HARD, Severity.SOFT, Severity.NOTE


def hard_of(findings: tuple[Finding, ...]) -> list[str]:
    """The ids of the hard ones."""
    return [each.id for each in findings if each.severity is HARD]


def severities(findings: tuple[Finding, ...]) -> dict[str, Severity]:
    """What each finding is."""
    return {each.id: each.severity for each in findings}


# --- 4: priming -------------------------------------------------------------------------


@pytest.mark.requirement("REF-09")
def test_4_priming_with_the_tubing_volume_of_before_the_correction() -> None:
    """LINE_TABLE_OLD refuses it: 0.059 mL too much, 118 mcg at 2000 mcg/mL (W10)."""
    old = implant(table_version=1)
    wrong, right = (plan_prime(record, STRONG, Volume(0)) for record in (old, implant()))
    assert isinstance(wrong, PrimePlan) and isinstance(right, PrimePlan)
    assert wrong.dose - right.dose == Mass.parse("118 mcg")
    pumps_own = pump(line=Line(line_parts(old).whole.low, STRONG))
    assert hard_of(check_prime(wrong, pumps_own, old, now=NOW)) == ["LINE_TABLE_OLD"]
    assert check_prime(right, pump(), implant(), now=NOW) == ()


@pytest.mark.requirement("REF-09")
def test_4_priming_a_tubing_that_was_primed_before_the_implant() -> None:
    """Only the catheter is primed, from the record; what is unknown is PRIME_REFUSED."""
    primed = plan_prime(implant(tubing=STRONG), STRONG, Volume(0))
    assert isinstance(primed, PrimePlan)
    assert (primed.volume, primed.parts) == (Volume.parse("0.208 mL"), "catheter")
    for record in (implant(tubing=UNKNOWN), implant(tubing=STRONG, catheter=STRONG)):
        found = check_prime(plan_prime(record, STRONG, Volume(0)), pump(), record, now=NOW)
        assert hard_of(found) == ["PRIME_REFUSED"]


# --- 5, 6, 8, 10, 11: the refill --------------------------------------------------------

SOUND = RefillRecord(
    at=NOW, drug="baclofen", concentration=Concentration(2000), lot="LOT 7",
    expiry=NOW.date.plus(500), filled=Volume.parse("38 mL"), expected=Volume.parse("12 mL"),
    counted=None, drained=Volume.parse("12.4 mL"), injected=Volume.parse("40 mL"),
    sensed=Volume.parse("39.6 mL"),
    ampoule=Ampoule(Mass.parse("10 mg"), Volume.parse("5 mL")),
)  # fmt: skip


def refill(program: Any = None, **other: Any) -> RefillCase:
    """The sound refill of a pump that runs 450 mcg/day, altered."""
    return RefillCase(SOUND._replace(**other), pump(), program or even(), NOW)


def ml(text: str) -> Volume:
    return Volume.parse(f"{text} mL")


@pytest.mark.requirement("REF-01")
def test_5_nineteen_millilitres_still_there_and_restarted_at_a_lower_dose() -> None:
    """REFILL_NON_DELIVERY refuses the old dose and a token less, and offers another."""
    case = refill(filled=ml("20"), expected=ml("2"), drained=ml("19"))
    assert severities(check_refill(case))["REFILL_NON_DELIVERY"] is HARD
    for dose, severity in (("449.999", HARD), ("200.001", HARD), ("200", SOFT)):
        lower = refill(even(f"{dose} mcg/day"), filled=ml("20"), expected=ml("2"), drained=ml("19"))
        assert severities(check_refill(lower))["REFILL_NON_DELIVERY"] is severity
    offer = offer_of(case)
    assert offer is not None and offer.dose < Rate.parse("100 mcg/day")


@pytest.mark.requirement("REF-03")
def test_6_a_concentration_entered_wrongly_at_the_refill() -> None:
    """REFILL_AMPOULE: the ampoule's own mass and volume say 2000; four times the dose else."""
    wrong = refill(even(concentration=500), concentration=Concentration(500))
    assert "REFILL_AMPOULE" in hard_of(check_refill(wrong))


@pytest.mark.requirement("REF-01")
def test_8_a_sensor_that_shows_more_than_there_can_be() -> None:
    """REFILL_SENSOR: the computed volume stands beside the sensed one, and they disagree."""
    found = check_refill(refill(injected=ml("30"), sensed=ml("33")))
    assert severities(found)["REFILL_SENSOR"] is SOFT


@pytest.mark.requirement("REF-01")
def test_10_drug_beside_the_reservoir() -> None:
    """REFILL_POCKET_FILL with a sensor; without one REFILL_NO_SENSOR says that none can be seen."""
    found = severities(check_refill(refill(sensed=ml("37.9"))))
    assert found["REFILL_POCKET_FILL"] is SOFT
    assert severities(check_refill(refill(sensed=None))) == {"REFILL_NO_SENSOR": NOTE}


@pytest.mark.requirement("REF-01")
def test_11_more_than_14_5_percent_above_the_programmed_dose() -> None:
    """REFILL_DISCREPANCY (W15): 13.8 of 12 mL is told, 13.7 is not."""
    told = check_refill(refill(filled=ml("32"), expected=ml("20"), drained=ml("18.2")))
    assert severities(told)["REFILL_DISCREPANCY"] is SOFT
    assert "15.0 % more than programmed" in named(told, "REFILL_DISCREPANCY")[0].message
    assert check_refill(refill(filled=ml("32"), expected=ml("20"), drained=ml("18.3"))) == ()


# --- 12: the bridge ---------------------------------------------------------------------


def bridge(old: Fluid, new: Fluid, *, left_out: bool) -> tuple[Planned, tuple[Finding, ...]]:
    """100 mcg/day at the line's old fluid, and the same of the new one (W22)."""
    record = implant(tubing=old, catheter=old)
    before, after = (even("100 mcg/day", fluid.concentration.quanta) for fluid in (old, new))
    after = after._replace(fallback=Rate.parse("100 mcg/day"))
    planned = plan_bridge(
        before, after, record.holds, line_parts(record).whole, injected=NOW, now=NOW
    )
    state = pump(program=before, concentration=old.concentration)
    case = BridgeCase(planned, after, state, record, NOW, left_out, before)
    return planned, check_bridge(case)


@pytest.mark.requirement("REF-03")
@pytest.mark.requirement("REF-08")
def test_12_a_bridge_forgotten() -> None:
    """BRIDGE_LEFT_OUT: a quarter of the dose for days, or four times it, needs its reason."""
    planned, found = bridge(WEAK, STRONG, left_out=True)
    assert (severities(found), found[0].value) == ({"BRIDGE_LEFT_OUT": SOFT}, "25 mcg/day")
    planned, found = bridge(STRONG, WEAK, left_out=True)
    assert (severities(found), found[0].value) == ({"BRIDGE_LEFT_OUT": SOFT}, "400 mcg/day")
    planned, found = bridge(WEAK, STRONG, left_out=False)
    assert isinstance(planned, BridgePlan) and found == ()
    change = refill(even(concentration=500), concentration=Concentration(500),
                    ampoule=Ampoule(Mass.parse("10 mg"), ml("20")))  # fmt: skip
    assert severities(check_refill(change))["REFILL_CONCENTRATION_CHANGE"] is SOFT
    for left_out, words in ((False, "a bridge of 0.348 mL keeps"), (True, "bridge is left out")):
        planned, beside = bridge(STRONG, WEAK, left_out=left_out)
        (told,) = named(
            check_refill(change._replace(bridge=planned, left_out=left_out)),
            "REFILL_CONCENTRATION_CHANGE",
        )
        assert told.severity is NOTE and words in told.message
        assert len([each for each in beside if each.severity is not NOTE]) == left_out, "one reason"


@pytest.mark.requirement("REF-04")
def test_12_a_bridge_by_a_line_volume_that_nobody_knows() -> None:
    """Its volume comes from the record; BRIDGE_UNCERTAIN where that has none."""
    record = implant(tubing=WEAK, catheter=WEAK, trimmed=UNKNOWN)
    assert line_parts(record).whole.known is False
    assert line_parts(record._replace(trimmed=Length.parse("30 cm"))).whole.known is True
    old, new = even("100 mcg/day", 500), even("100 mcg/day", fallback="100 mcg/day")
    planned = plan_bridge(old, new, record.holds, line_parts(record).whole, injected=NOW, now=NOW)
    state = pump(program=old, concentration=Concentration(500))
    found = check_bridge(BridgeCase(planned, new, state, record, NOW, playing=old))
    assert severities(found) == {"BRIDGE_UNCERTAIN": SOFT}
