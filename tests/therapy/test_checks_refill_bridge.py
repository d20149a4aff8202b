"""After suspected non-delivery: which dose may still come out of the line, and which may not."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.bridge import BridgePlan, plan_bridge
from pumpctl.therapy.checks.refills import RefillCase, check_refill
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.line import line_parts
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Ampoule
from tests.therapy.line_samples import STRONG, implant
from tests.therapy.samples import NOW, even, minimum, named, pump
from tests.therapy.test_checks_refill import SOUND

NOT_DELIVERED: dict[str, Any] = {
    "drained": Volume.parse("19.800001 mL"),
    "concentration": Concentration(500),
    "ampoule": Ampoule(Mass.parse("10 mg"), Volume.parse("20 mL")),
}
"""12 mL expected of 38: ratio 18.199999 / 26, just below 0.7. 500 mcg/mL goes in."""


def found(old: Program, new: Program, *, left_out: bool) -> list[Finding]:
    """What is said of the line of 2000 mcg/mL that `old` has filled."""
    record = implant(tubing=STRONG, catheter=STRONG)
    line = line_parts(record).whole
    bridge = plan_bridge(old, new, record.holds, line, injected=NOW, now=NOW)
    assert isinstance(bridge, BridgePlan)
    case = RefillCase(SOUND._replace(**NOT_DELIVERED), pump(program=old), new, NOW)
    told = check_refill(case._replace(bridge=bridge, left_out=left_out))
    assert named(told, "REFILL_NON_DELIVERY"), "that it is suspected is told in every case"
    return named(told, "BRIDGE_NON_DELIVERY")


def weak(dose: str) -> Program:
    return even(dose, 500, fallback=dose)


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("REF-08")
def test_a_bridge_that_plays_minimum_rate_gives_no_old_dose() -> None:
    """Minimum rate is the least that the pump gives, before it and in the bridge."""
    assert found(minimum(), weak("30 mcg/day"), left_out=False) == []
    (told,) = found(even("100 mcg/day"), weak("30 mcg/day"), left_out=False)
    assert (told.severity, told.value) == (Severity.HARD, "100 mcg")


@pytest.mark.requirement("REF-01")
@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize(
    ("old", "new", "most"),
    [
        # Without a bridge the flow for 500 mcg/mL moves 2000 mcg/mL: four times the dose.
        ("450 mcg/day", "50 mcg/day", None),  # 200 mcg, what a new patient may start with
        ("450 mcg/day", "50.001 mcg/day", "200.004 mcg"),
        ("160 mcg/day", "39.999 mcg/day", None),  # 159.996 mcg, below the old dose
        ("160 mcg/day", "40 mcg/day", "160 mcg"),  # the old dose itself
    ],
)
def test_without_the_bridge_the_line_gives_less_than_before_or_it_is_refused(
    old: str, new: str, most: str | None
) -> None:
    told = found(even(old), weak(new), left_out=True)
    assert [(each.severity, each.value) for each in told] == (
        [] if most is None else [(Severity.HARD, most)]
    )


@pytest.mark.requirement("REF-01")
def test_without_the_bridge_minimum_rate_is_never_refused() -> None:
    """0.048 mL/day of 2000 mcg/mL are 96 mcg/day: the old dose, and the pump gives no less."""
    assert found(even("96 mcg/day"), minimum(500), left_out=True) == []
