"""What the checks of a refill say: a pump that ran dry, an old library, a decided bridge."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.quantities import Duration
from pumpctl.therapy.bridge import NotNeeded
from pumpctl.therapy.checks import check_change
from pumpctl.therapy.state import Delivery
from tests.therapy.samples import NOW, even, ids, named, pump
from tests.therapy.test_checks_refill import (
    AT_500,
    EXPIRED,
    HARD,
    LOWER,
    MORPHINE,
    NOTE,
    SOFT,
    TODAY,
    findings,
    ml,
    planned,
)


@pytest.mark.requirement("REF-01")
def test_a_pump_that_counted_past_its_fill() -> None:
    """25 mL counted of 20: the display stays at nothing, the ratio does not."""
    dry: dict[str, Any] = {"filled": ml("20"), "expected": ml("0"), "drained": ml("5"), **LOWER}
    found = findings(**dry, counted=Fraction(25_000_000))
    assert ids(found) == ["REFILL_DISCREPANCY", "REFILL_NON_DELIVERY"]
    assert found[0].value == "+5 mL, ratio 0.6000"
    assert "25 mL counted of 20 mL filled in: it may have run empty" in found[0].message
    (told,) = findings(**dry, counted=Fraction(20_000_000))
    assert (told.value, "run empty" in told.message) == ("+5 mL, ratio 0.7500", False)


@pytest.mark.requirement("LIM-08")
def test_an_expired_library_is_worded_alike_everywhere() -> None:
    """The same drug with the same program goes in with a reason, nothing else."""
    for program in (even(), even("440 mcg/day")):
        of_change = check_change(
            program,
            pump(delivery=Delivery.STOPPED, stopped_for=Duration.parse("1 h")),
            station_now=NOW,
            library=EXPIRED,
        )
        assert named(findings(library=EXPIRED, program=program), "LIBRARY_EXPIRED") == named(
            of_change, "LIBRARY_EXPIRED"
        )
    assert findings(library=EXPIRED._replace(expires=TODAY)) == ()
    unknown = findings(pump(program=None, program_hash=None), library=EXPIRED)
    assert [each.severity for each in unknown] == [HARD]
    (other,) = named(findings(**AT_500 | {"program": even()}, library=EXPIRED), "LIBRARY_EXPIRED")
    assert other.severity is HARD, "the same program, but not what it is for"


@pytest.mark.requirement("LIM-08")
def test_after_non_delivery_a_lower_dose_may_go_in_with_an_expired_library() -> None:
    missing: dict[str, Any] = {"drained": ml("19.800001")}
    (lower,) = named(findings(library=EXPIRED, **missing, **LOWER), "LIBRARY_EXPIRED")
    (same,) = named(findings(library=EXPIRED, **missing), "LIBRARY_EXPIRED")
    assert (lower.severity, same.severity) == (SOFT, HARD)


@pytest.mark.requirement("REF-03")
def test_what_was_decided_of_the_bridge_is_said() -> None:
    new = even(concentration=500)
    for change, name in (
        ({**AT_500, "bridge": planned(new)}, "REFILL_CONCENTRATION_CHANGE"),
        ({**MORPHINE, "bridge": planned(MORPHINE["program"])}, "REFILL_DRUG_CHANGE"),
    ):
        for left_out, words in (
            (False, "a bridge of 0.348 mL keeps the old dose until the line is new"),
            (True, "the bridge is left out"),
        ):
            (told,) = named(findings(**change, left_out=left_out), name)
            assert told.severity is NOTE and words in told.message
        none = findings(**change | {"bridge": NotNeeded("the line's volume has passed")})
        assert "no bridge (the line's volume has passed)" in named(none, name)[0].message
    (told,) = named(findings(**MORPHINE), "REFILL_DRUG_CHANGE")
    assert "no bridge for what the line holds of baclofen is planned" in told.message
    kept = {**AT_500, "bridge": planned(new), "injected": ml("2.3"), "sensed": ml("2.3")}
    (small,) = named(findings(**kept, left_out=True), "REFILL_TOO_SMALL")
    assert small.value != "1.952 mL", "a bridge that is left out takes nothing"
