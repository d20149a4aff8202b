"""What should be inside, told twice; and what follows from a refill, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpctl.quantities import Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill_outlook import Ahead, ahead
from pumpctl.therapy.residual import Fill, Level
from tests.therapy.samples import even

NOW = Moment.parse("2026-03-30T10:00:00+02:00")
PULSE = Fraction(100)
FILL = Fill(Volume.parse("40 mL"), NOW, 1_000)


def ml(text: str) -> Volume:
    return Volume.parse(f"{text} mL")


@pytest.mark.requirement("REF-01")
def test_count_and_estimate_stand_beside_each_other() -> None:
    """10,000 pulses of 0.0001 mL since a fill of 40 mL are 1 mL; the pump says 0.2 less."""
    level = Level(ml("38.8"), 11_000, PULSE, FILL)
    assert (level.expected(11_000), level.estimated(11_000)) == (ml("39"), ml("38.8"))
    assert (level.expected(6_000), level.estimated(6_000)) == (ml("39.5"), ml("39.3"))
    counted = level.counted(6_000)
    assert counted is not None and counted.delivered == 500_000
    with pytest.raises(ValueError, match="no volume follows"):
        level.counted(999)


@pytest.mark.requirement("REF-01")
def test_without_a_record_of_the_fill_there_is_the_estimate_alone() -> None:
    level = Level(ml("12"), 11_000, PULSE, None)
    assert level.counted(11_000) is None
    assert (level.expected(11_000), level.expected(1_000)) == (ml("12"), ml("13"))
    assert level.expected(500_000) == Volume(0), "never below nothing"
    assert Level(Volume(0), 9_000, PULSE, None).expected(1_000) == Volume(0), "nobody knows when"


def outlook(volume: str = "40", program: Program | None = None, **more: object) -> Ahead:
    """Of 450 mcg/day at 2000 mcg/mL: 0.225 mL/day."""
    given: dict[str, object] = {
        "bridge": Volume(0), "filled_at": NOW, "expiry": None, "restart": False, "changed": False,
        **more,
    }  # fmt: skip
    return ahead(program or even(), ml(volume), NOW, **given)  # type: ignore[arg-type]


@pytest.mark.requirement("REF-05")
def test_dates_of_a_fill() -> None:
    """38 / 0.225 = 168.9 days; empty after 40 / 0.225 = 177.8; watched for 8 hours."""
    found = outlook()
    assert (found.low_date, found.refill_by) == (NOW.date.plus(168), NOW.date.plus(161))
    assert found.because == "low reservoir"
    assert (found.observe_until, found.reassess_by) == (NOW.plus(8 * 3_600_000), None)
    dry = found.runs_dry
    assert dry is not None and dry.utc_ms - NOW.utc_ms == 40 * 86_400_000 * 1000 // 225
    assert found.withdrawal == (dry.plus(12 * 3_600_000), dry.plus(96 * 3_600_000))


@pytest.mark.requirement("REF-05")
def test_what_moves_the_dates() -> None:
    assert outlook(bridge=ml("0.348")).low_date == NOW.date.plus(167)  # 37.652 / 0.225 = 167.3
    expiry: Date = NOW.date.plus(30)
    assert outlook(expiry=expiry).refill_by == expiry
    older = NOW.plus(-100 * 86_400_000)  # given up: the drug is as old as it was
    assert outlook(filled_at=older).refill_by == NOW.date.plus(80)
    assert outlook(restart=True).observe_until == NOW.plus(24 * 3_600_000)
    assert outlook(changed=True).reassess_by == NOW.plus(24 * 3_600_000)
    empty = outlook("0")
    assert (empty.runs_dry, empty.low_date) == (NOW, NOW.date)


@pytest.mark.requirement("REF-05")
def test_a_program_that_gives_nothing_never_runs_dry() -> None:
    found = outlook(program=even("0 mcg/day", fallback="0 mcg/day"))
    assert (found.runs_dry, found.withdrawal) == (None, None)
    assert found.refill_by == NOW.date.plus(180), "the drug's longest interval, all the same"
