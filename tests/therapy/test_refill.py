"""What a drained volume means, at each of its limits; what is offered; what makes a trend."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import PatientDose
from pumpctl.therapy.refill import (
    LOOK_ALIKE,
    Ampoule,
    Discrepancy,
    Meaning,
    RefillRecord,
    is_old_dose,
    is_refused,
    pocket_limit,
    reduced_offer,
)
from pumpctl.therapy.residual import Fill, residual
from pumpctl.therapy.trend import OVER, UNDER, Drift, trend
from tests.therapy.samples import even, flex, minimum

volumes = st.integers(0, 42_000_000).map(Volume)


def ml(text: str) -> Volume:
    return Volume.parse(f"{text} mL")


def found(filled: str | None, expected: str, drained: str) -> Discrepancy:
    return Discrepancy(ml(filled) if filled else None, ml(expected), ml(drained))


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("delivered", "percent", "meaning"),
    [("13.8", "+15.0 %", Meaning.OVER_INFUSION), ("13.7", "+14.2 %", Meaning.WITHIN)],
)
def test_w15(delivered: str, percent: str, meaning: Meaning) -> None:
    told = Discrepancy(ml("18"), ml("6"), ml("18") - ml(delivered))
    assert (told.programmed, told.percent_text, told.meaning) == (
        Fraction(12_000_000),
        percent,
        meaning,
    )


BY_RATIO = [  # 10 mL programmed; drained so much that the ratio is ...
    ("18.55", "4", Fraction(1_455, 1_000), Meaning.OVER_INFUSION),
    ("10", "0", Fraction(1), Meaning.WITHIN),
    ("20", "8.55", Fraction(1_145, 1_000), Meaning.WITHIN),
    ("20", "8.549999", Fraction(11_450_001, 10_000_000), Meaning.OVER_INFUSION),
    ("20", "11.45", Fraction(855, 1_000), Meaning.WITHIN),
    ("20", "11.450001", Fraction(8_549_999, 10_000_000), Meaning.UNDER_DELIVERY),
    ("20", "13", Fraction(7, 10), Meaning.UNDER_DELIVERY),
    ("20", "13.000001", Fraction(6_999_999, 10_000_000), Meaning.NON_DELIVERY),
    ("20", "20", Fraction(0), Meaning.NON_DELIVERY),
    ("20", "20.5", Fraction(-5, 100), Meaning.NON_DELIVERY),
]


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(("filled", "drained", "ratio", "meaning"), BY_RATIO)
def test_the_ratio_at_its_limits(
    filled: str, drained: str, ratio: Fraction, meaning: Meaning
) -> None:
    told = Discrepancy(ml(filled), ml(filled) - ml("10"), ml(drained))
    assert (told.ratio, told.judged, told.meaning) == (ratio, ratio, meaning)


@pytest.mark.requirement("REF-01")
def test_two_millilitres_at_the_limit() -> None:
    """28 mL programmed: the ratio is inside its band all the time."""
    for drained, apart, meaning in (
        ("14", 2_000_000, Meaning.WITHIN),
        ("14.000001", 2_000_001, Meaning.MORE_DRAINED),
        ("10", -2_000_000, Meaning.WITHIN),
        ("9.999999", -2_000_001, Meaning.LESS_DRAINED),
        ("12", 0, Meaning.WITHIN),
    ):
        told = found("40", "12", drained)
        assert (told.apart, told.meaning) == (apart, meaning)
    assert found("40", "12", "14.000001").volume_text == "+2.000001 mL"
    assert found("40", "12", "9.5").volume_text == "-2.5 mL"
    assert found("40", "12", "12").volume_text == "0 mL"


@pytest.mark.requirement("REF-01")
def test_the_ratio_is_judged_from_five_millilitres_on() -> None:
    early, enough = found("20", "15.000001", "16.9"), found("20", "15", "16.9")
    assert early.ratio is not None and early.judged is None
    assert early.meaning is Meaning.WITHIN
    assert enough.judged == Fraction(31, 50) and enough.meaning is Meaning.NON_DELIVERY
    assert found("20", "15.1", "17.2").meaning is Meaning.MORE_DRAINED
    assert found("20", "15.1", "13").meaning is Meaning.LESS_DRAINED


def test_without_a_fill_that_agrees_only_the_volumes_are_left() -> None:
    for filled in (None, "9.9"):
        told = found(filled, "10", "12.1")
        assert (told.programmed, told.ratio, told.judged) == (None, None, None)
        assert (told.percent_text, told.ratio_text) == (None, None)
        assert told.meaning is Meaning.MORE_DRAINED
    nothing = found("10", "10", "10")
    assert (nothing.programmed, nothing.ratio, nothing.meaning) == (
        Fraction(0),
        None,
        Meaning.WITHIN,
    )


DRY = [  # filled, counted, drained: what the pump counted goes on below nothing
    ("20", 25, "5", Fraction(60, 100), Meaning.NON_DELIVERY),
    ("20", 30, "5.9", Fraction(47, 100), Meaning.NON_DELIVERY),
    ("20", 25, "0", Fraction(80, 100), Meaning.UNDER_DELIVERY),
    ("20", 20, "0", Fraction(1), Meaning.WITHIN),
]


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(("filled", "counted", "drained", "ratio", "meaning"), DRY)
def test_a_computed_zero_does_not_hide_what_was_not_delivered(
    filled: str, counted: int, drained: str, ratio: Fraction, meaning: Meaning
) -> None:
    left = residual(Fill(ml(filled), Moment(0), 500), 500 + counted * 10_000, Fraction(100))
    assert left.expected == Volume(0)
    told = Discrepancy(left.fill, left.expected, ml(drained), left.delivered)
    assert (told.programmed, told.judged) == (Fraction(counted * 1_000_000), ratio)
    assert (told.meaning, told.ran_dry) == (meaning, counted > 20)
    assert trend([told]).ratios == (ratio,)


def test_a_ratio_beyond_its_limit_never_looks_inside_it() -> None:
    assert found("20", "10", "8.549999").ratio_text == "1.1451"
    assert found("20", "10", "11.450001").ratio_text == "0.8549"
    assert found("20", "10", "8.55").ratio_text == "1.1450"
    assert found("20", "10", "10").ratio_text == "1.0000"
    assert found("20", "10", "20.5").ratio_text == "-0.0500"


@given(volumes, volumes, volumes)
def test_drained_and_expected_in_each_others_place(
    filled: Volume, one: Volume, other: Volume
) -> None:
    there, back = Discrepancy(filled, one, other), Discrepancy(filled, other, one)
    assert there.apart == -back.apart
    assert there.far_apart == back.far_apart
    if there.ratio and back.ratio:
        assert there.ratio * back.ratio == 1
    if there.judged is not None and there.judged < Fraction(855, 1_000) and back.judged:
        assert back.meaning is Meaning.OVER_INFUSION


@given(volumes, volumes, st.lists(volumes, min_size=2, max_size=4))
def test_the_more_is_drained_the_less_was_delivered(
    filled: Volume, expected: Volume, drained: list[Volume]
) -> None:
    order = [
        *(Meaning.OVER_INFUSION, Meaning.LESS_DRAINED, Meaning.WITHIN),
        *(Meaning.MORE_DRAINED, Meaning.UNDER_DELIVERY, Meaning.NON_DELIVERY),
    ]
    told = [Discrepancy(filled, expected, each).meaning for each in sorted(drained)]
    assert [order.index(each) for each in told] == sorted(order.index(each) for each in told)


def record() -> RefillRecord:
    return RefillRecord(
        Moment(0), "baclofen", Concentration(2000), "LOT 7", Date(900),
        filled=ml("40"), expected=ml("5"), counted=Fraction(35_000_000), drained=ml("4.5"),
        injected=ml("39"), left=ml("0.25"),
    )  # fmt: skip


@pytest.mark.requirement("REF-01")
def test_a_record_adds_up() -> None:
    told = record()
    assert told.volume == ml("39.25")
    assert told.drawn_up.text_in("mg") == "78 mg"
    assert told.discrepancy == found("40", "5", "4.5")._replace(counted=Fraction(35_000_000))
    assert told.not_drained == ml("0.5"), "expected and not drained"
    assert told._replace(left=ml("0.75")).not_drained == ml("0.75")
    assert told._replace(drained=ml("6"), left=Volume(0)).not_drained == Volume(0)


def test_ampoules_that_look_alike() -> None:
    assert [str(each) for each in LOOK_ALIKE] == ["10 mg/20 mL", "10 mg/5 mL"]
    assert [each.concentration for each in LOOK_ALIKE] == [500, 2000]
    assert Ampoule(Mass.parse("0.05 mg"), ml("1")).concentration == 50


@pytest.mark.requirement("REF-01")
def test_the_limit_of_a_pocket_fill_goes_by_capacity() -> None:
    limits = {"18": "1 mL", "20": "1 mL", "20.000001": "2 mL", "40": "2 mL", "50": "2 mL"}
    for capacity, limit in limits.items():
        assert str(pocket_limit(ml(capacity)).value) == limit


# --- the reduced dose ----------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("old", "percent", "offer", "had"),
    [
        ("800", 2, "50 mcg/day", "16 mcg/day"),  # as a new patient's smallest start
        ("800", 0, "50 mcg/day", "0 mcg/day"),
        ("800", -3, "50 mcg/day", "0 mcg/day"),
        ("800", 20, "160 mcg/day", "160 mcg/day"),  # what the patient has had
        ("800", 60, "200 mcg/day", "480 mcg/day"),  # no more than a new patient's largest
        ("150", 60, "90 mcg/day", "90 mcg/day"),
        ("80", 10, "40 mcg/day", "8 mcg/day"),  # half of a small dose
        ("80", 69, "55.2 mcg/day", "55.2 mcg/day"),
        ("333.333", 33, "109.999 mcg/day", "109.999 mcg/day"),  # rounded down
    ],
)
def test_what_is_offered(old: str, percent: int, offer: str, had: str) -> None:
    told = reduced_offer(even(f"{old} mcg/day"), Fraction(percent, 100), Concentration(500))
    assert (str(told.dose), str(told.had)) == (offer, had)
    assert told.ratio == Fraction(percent, 100)
    assert told.deliverable == (told.dose.quanta >= 24_000), "0.048 mL/day of 500 mcg/mL"


def test_an_offer_that_the_pump_cannot_give_says_so() -> None:
    told = reduced_offer(even("800 mcg/day"), Fraction(0), Concentration(2000))
    assert (told.deliverable, str(told.least)) == (False, "96 mcg/day")
    assert str(reduced_offer(None, Fraction(0), Concentration(500)).dose) == "200 mcg/day"
    assert reduced_offer(None, Fraction(0), Concentration(500)).had is None


@given(st.lists(st.integers(1, 100), min_size=7, max_size=7), st.fractions(-1, Fraction(7, 10)))
def test_an_offer_is_below_every_day_and_never_above_a_start(
    rates: list[int], ratio: Fraction
) -> None:
    old = flex([[(0, str(rate))] for rate in rates])
    if ratio == Fraction(7, 10):
        return
    told = reduced_offer(old, ratio, old.concentration)
    assert told.dose.quanta < min(daily_doses(old))
    assert told.dose <= Rate.parse("200 mcg/day")
    assert not is_refused(old, even(str(told.dose)))


@pytest.mark.requirement("REF-01")
def test_what_counts_as_the_old_dose() -> None:
    old = even("450 mcg/day")
    assert is_old_dose(old, old)
    assert is_old_dose(old, even("450.001 mcg/day"))
    assert not is_old_dose(old, even("449.999 mcg/day"))
    one_day = flex([[(0, "18.75")], *[[(0, "10")]] * 6])
    assert is_old_dose(old, one_day), "one day is enough"
    own = PatientDose(Mass.parse("50 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 4)
    less, more = flex([[(0, "10")]], own=own), flex([[(0, "11")]], own=own)
    assert not is_old_dose(old, less), "240 and 200 mcg"
    assert is_old_dose(old, more), "264 and 200 mcg in 24 h"
    assert not is_old_dose(flex([[(0, "12")]], own=own), more)
    assert is_old_dose(None, even("200.001 mcg/day"))
    assert not is_old_dose(None, even("200 mcg/day"))
    for each in (None, minimum(), even("90 mcg/day")):
        assert not is_old_dose(each, minimum()), "a pump gives no less, and is not stopped"


@pytest.mark.requirement("REF-01")
def test_what_is_refused_after_non_delivery() -> None:
    """A token reduction is no reduction: no more than a new patient starts with."""
    old = even("900 mcg/day")
    assert is_refused(old, old)
    assert is_refused(old, even("899.999 mcg/day"))
    assert is_refused(old, even("200.001 mcg/day"))
    assert not is_refused(old, even("200 mcg/day"))
    assert is_refused(even("150 mcg/day"), even("150 mcg/day")), "the old dose, though small"
    assert is_refused(None, even("200.001 mcg/day"))
    assert not is_refused(None, even("200 mcg/day"))
    own = PatientDose(Mass.parse("50 mcg"), Duration.parse("5 min"), Duration.parse("4 h"), 2)
    assert is_refused(old, flex([[(0, "5")]], own=own)), "120 and 100 mcg in 24 h"
    assert not is_refused(old, flex([[(0, "4")]], own=own)), "96 and 100 mcg in 24 h"
    strong = minimum(5000)  # 240 mcg/day
    assert not is_refused(None, strong) and not is_refused(old, strong)


# --- trend ---------------------------------------------------------------------------------------


def ratio(*thousandths: int) -> list[Discrepancy]:
    """Refills whose delivered to programmed is so many thousandths, of 20 mL."""
    filled = ml("40")
    return [
        Discrepancy(filled, ml("20"), Volume(filled.quanta - each * 20_000)) for each in thousandths
    ]


@pytest.mark.requirement("REF-07")
@pytest.mark.parametrize(
    ("refills", "drift"),
    [
        ((), Drift.TOO_FEW),
        ((1_000, 1_010), Drift.TOO_FEW),
        ((1_000, 1_146), Drift.OUTLIER),
        ((1_000, 854), Drift.OUTLIER),
        ((1_145, 1_145), Drift.TOO_FEW),
        ((1_000, 1_010, 990), Drift.NONE),
        ((1_300, 1_010, 1_010), Drift.NONE),  # one outlier, long ago
        ((1_010, 1_010, 1_300), Drift.OUTLIER),  # one outlier, now
        ((1_010, 1_010, 500), Drift.OUTLIER),
        ((1_300, 700, 1_010), Drift.NONE),  # an incomplete drain: once on each side
        ((1_080, 1_080, 1_010), Drift.OVER),
        ((1_000, 1_080, 1_080), Drift.NONE),  # one as programmed is no side
        ((1_001, 1_073, 1_074), Drift.OVER),
        ((1_001, 1_072, 1_300), Drift.OUTLIER),
        ((920, 927, 999), Drift.UNDER),
        ((920, 928, 999), Drift.NONE),
        ((920, 920, 1_000), Drift.NONE),
        ((500, 500, 500, 1_000, 1_000, 1_000), Drift.NONE),  # the last three count
        ((1_000, 1_000, 1_000, 900, 900, 900), Drift.UNDER),
    ],
)
def test_a_trend_is_three_on_one_side(refills: tuple[int, ...], drift: Drift) -> None:
    told = trend(ratio(*refills))
    assert told.drift is drift
    assert told.ratios == tuple(Fraction(each, 1_000) for each in refills)[-3:]
    assert (told.median is None) == (len(refills) < 3)


@pytest.mark.requirement("REF-07")
def test_half_the_band_is_the_limit() -> None:
    assert (OVER.value, UNDER.value) == (Fraction(10_725, 10_000), Fraction(9_275, 10_000))
    at_limit = Discrepancy(ml("40"), ml("20"), ml("18.55"))
    assert at_limit.judged == OVER.value
    assert trend([at_limit] * 3).drift is Drift.NONE
    assert trend([at_limit, *[at_limit._replace(drained=ml("18.549999"))] * 2]).drift is Drift.OVER
    below = Discrepancy(ml("40"), ml("20"), ml("21.45"))
    assert trend([below] * 3).drift is Drift.NONE
    assert trend([below, *[below._replace(drained=ml("21.450001"))] * 2]).drift is Drift.UNDER


def test_refills_with_too_little_programmed_are_left_out() -> None:
    early = Discrepancy(ml("40"), ml("36"), ml("39"))
    assert trend([*ratio(1_080, 1_080), early, *ratio(1_080), early]).drift is Drift.OVER


@pytest.mark.requirement("REF-07")
@given(
    st.lists(st.integers(928, 1_072), min_size=0, max_size=6),
    st.integers(0, 6),
    st.integers(-500, 2_000),
)
def test_one_outlier_is_never_a_trend(quiet: list[int], at: int, outlier: int) -> None:
    told = trend(ratio(*quiet[:at], outlier, *quiet[at:]))
    assert told.drift not in {Drift.OVER, Drift.UNDER}


@given(st.lists(st.integers(0, 1_999), min_size=1, max_size=6))
def test_a_trend_has_two_sides(refills: list[int]) -> None:
    mirrored = trend(ratio(*(2_000 - each for each in refills))).drift
    swapped = {Drift.OVER: Drift.UNDER, Drift.UNDER: Drift.OVER}
    told = trend(ratio(*refills)).drift
    assert mirrored is swapped.get(told, told)
