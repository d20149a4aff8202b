"""The numbers of a refill, worked by hand with fractions, and judged by the emulator's own truth.

A pulse moves 0.0001 mL: what is compared with the truth may differ by less than one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.quantities import Mass, Volume
from pumpctl.therapy.moment import DAY_MS, Date, Moment
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous
from tests.helpers.visits import PORT, ids, planned, refilled, refused, visit_file

PULSE = Volume.parse("0.0001 mL")
WEEK = Fraction(5 * 438 + 2 * 376, 2000)
"""mL a week of FLEX at 2000 mcg/mL: 1.471."""
OWN_DOSES = """
[program.patient_dose]
dose = "20 mcg"
over = "10 min"
lockout = "4 h"
max_per_24h = 3
"""


def ward(desk: Desk, text: str | None = None, concentration: str = "2000 mcg/mL") -> None:
    """A full pump of 40 mL that runs this program from its first pulse on."""
    desk.emulator("ward", "--concentration", concentration)
    desk.rehearse()
    desk.program(continuous("240 mcg/day") if text is None else text)


def today(desk: Desk) -> Date:
    return Moment.parse(desk.pump("status")["clock"]["pump"]).date


def to_monday(desk: Desk) -> None:
    """Let time pass until a Monday, 00:00:00 by the pump's clock."""
    now = Moment.parse(desk.pump("status")["clock"]["pump"])
    left = (7 - now.day) * DAY_MS - now.label_ms % DAY_MS
    desk.advance(f"{left // 1000}.{left % 1000:03d} s".replace(".000", ""))


def delivered(desk: Desk) -> Mass:
    """Past the catheter's tip since the pump was made."""
    return Mass.parse(desk.inspect()["delivered"]["baclofen"])


def near(found: Mass, wanted: Fraction | int, concentration: int = 2000) -> bool:
    """The same mcg, but for less than one pulse of this concentration."""
    apart = abs(Fraction(found.quanta) - wanted * 1_000)
    return bool(apart <= Fraction(PULSE.quanta * concentration, 1_000))


# --- refill dates ------------------------------------------------------------------------


@pytest.mark.requirement("REF-05")
def test_dates_of_w21(desk: Desk) -> None:
    """(40 - 2) / (450 / 2000) = 38 / 0.225 = 168.9: 168 whole days; 7 days before that."""
    ward(desk, continuous("450 mcg/day", fallback="240 mcg/day"))
    desk.advance("10d")
    day = today(desk)
    new = refilled(desk, "37.75 mL")["new"]  # 40 - 10 x 0.225
    assert (new["low_date"], new["refill_by"]) == (str(day.plus(168)), str(day.plus(161)))
    assert new["flow"] == "0.225 mL/day"
    status = desk.pump("status")["reservoir"]
    assert (status["low_date"], status["refill_by"]) == (new["low_date"], new["refill_by"])


@pytest.mark.requirement("REF-05")
@pytest.mark.parametrize(
    ("own", "volume", "low", "refill"),
    [
        ("", "20 mL", 150, 143),  # 18 / (240/2000) = 18 / 0.12
        (OWN_DOSES, "20 mL", 120, 113),  # 18 / ((240 + 3 x 20)/2000) = 18 / 0.15
        ("", "40 mL", 316, 180),  # 38 / 0.12 = 316.7; the longest interval comes first
        (OWN_DOSES, "40 mL", 253, 180),  # 38 / 0.15 = 253.3
        (OWN_DOSES, "32 mL", 200, 180),  # 30 / 0.15 = 200; 193 is after 180
        (OWN_DOSES, "26 mL", 160, 153),  # 24 / 0.15
    ],
)
def test_dates_with_and_without_patient_doses(
    own: str, volume: str, low: int, refill: int, desk: Desk
) -> None:
    text = continuous("240 mcg/day").replace("[reservoir]", f"{own}\n[reservoir]")
    ward(desk, text)
    day = today(desk)
    new = planned(desk, "40 mL", volume)[1]["new"]
    assert (new["low_date"], new["refill_by"]) == (str(day.plus(low)), str(day.plus(refill)))


@pytest.mark.requirement("REF-05")
def test_dates_under_flex_and_of_the_drug_s_expiry(desk: Desk) -> None:
    """2 + 10 weeks of 1.471 + 0.1 mL: 70 whole days wherever in the week it begins."""
    ward(desk, FLEX)
    day, volume = today(desk), 2 + 10 * WEEK + Fraction(1, 10)
    assert volume == Fraction("16.81")
    new = planned(desk, "40 mL", "16.81 mL")[1]["new"]
    assert (new["low_date"], new["refill_by"]) == (str(day.plus(70)), str(day.plus(63)))
    expires = str(day.plus(40))
    new = planned(desk, "40 mL", "16.81 mL", expiry=expires)[1]["new"]
    assert (new["refill_by"], new["refill_because"]) == (expires, "expiry of the drug")


@pytest.mark.requirement("REF-05")
def test_a_bridge_takes_its_part_of_the_fill_first(desk: Desk) -> None:
    """(40 - 0.348 - 2) / (100/2000) = 37.652 / 0.05 = 753.04; without: 38 / 0.05 = 760."""
    ward(desk, continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"),
         "500 mcg/mL")  # fmt: skip
    day = today(desk)
    assert planned(desk, "40 mL")[1]["new"]["low_date"] == str(day.plus(753))
    reasons = {"BRIDGE_LEFT_OUT": "rehearsal"}
    new = planned(desk, "40 mL", bridge="none", reasons=reasons)[1]["new"]
    assert new["low_date"] == str(day.plus(760))


# --- residuals ------------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("text", "days", "left"),
    [
        (continuous("240 mcg/day"), 50, "34 mL"),  # 40 - 50 x 0.12
        (FLEX, 28, "34.116 mL"),  # 40 - 4 x 1.471
        (continuous("450 mcg/day", fallback="240 mcg/day"), 100, "17.5 mL"),  # 40 - 100 x 0.225
    ],
)
def test_the_expected_residual(text: str, days: int, left: str, desk: Desk) -> None:
    ward(desk, text)
    desk.advance(f"{days}d")
    new = refilled(desk, left)["new"]
    assert (new["expected"], new["estimated"], new["last_fill"]) == (left, left, "40 mL")
    assert new["discrepancy"]["apart"] == "0 mL"
    assert new["discrepancy"]["meaning"] == "within"


@pytest.mark.requirement("REF-01")
def test_patient_doses_count_and_the_second_fill_is_counted_from_its_injection(desk: Desk) -> None:
    """40 - 10 x 0.12 - 2 x 20/2000 = 38.78; then 30 - 20 x 0.12 - 0.01 = 27.59 mL."""
    ward(desk, continuous("240 mcg/day").replace("[reservoir]", f"{OWN_DOSES}\n[reservoir]"))
    for _ in range(2):
        desk.data("emulator", "press", "ward", "--patient-dose")
        desk.advance("5d")
    new = refilled(desk, "38.78 mL", "30 mL")["new"]
    assert (new["expected"], new["discrepancy"]["programmed"]) == ("38.78 mL", "1.22 mL")
    desk.data("emulator", "press", "ward", "--patient-dose")
    desk.advance("20d")
    new = refilled(desk, "27.59 mL", reference="ORD-2")["new"]
    assert (new["expected"], new["last_fill"]) == ("27.59 mL", "30 mL")


@pytest.mark.requirement("REF-01")
def test_the_residual_across_a_bridge(desk: Desk) -> None:
    """0.348 mL in 1.74 d at 100/500, then 8.26 d at 100/2000: 40 - 0.348 - 0.413 = 39.239."""
    ward(desk, continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"),
         "500 mcg/mL")  # fmt: skip
    refilled(desk, "40 mL")
    desk.advance("10d")
    new = planned(desk, "39.239 mL", reference="ORD-2")[1]["new"]
    assert (new["expected"], new["estimated"]) == ("39.239 mL", "39.239 mL")
    assert desk.inspect()["reservoir"] == "39.239 mL"


@pytest.mark.requirement("REF-01")
def test_an_injection_that_was_made_five_hours_ago(desk: Desk) -> None:
    """Its pulses are those of then: 240 mcg/day move 5/24 x 0.12 = 0.025 mL in 5 h, 250 pulses."""
    ward(desk)
    desk.advance("10d")
    at = desk.pump("status")["clock"]["pump"]
    pulses = desk.inspect()["pulses"]
    desk.advance("5h")
    new = refilled(desk, "38.8 mL", at=at)["new"]
    assert abs(new["since"] - pulses) <= 1
    assert Volume.parse(new["since_within"]) <= Volume.parse("0.005 mL")  # an hour of it
    apart = Moment.parse(new["filled_at"]).utc_ms - Moment.parse(at).utc_ms
    assert abs(apart) < 2_000, (
        "what the session took: the station's clock is asked after the pump's"
    )
    assert desk.pump("status")["reservoir"]["volume"] in ("39.975 mL", "39.9749 mL")


# --- bridges ----------------------------------------------------------------------------------


@pytest.mark.requirement("REF-08")
def test_bridge_up_of_w22(desk: Desk) -> None:
    """0.348 mL of 500 are 174 mcg: 41.76 h at 100 mcg/day; without it 25 mcg/day for 6.96 d."""
    ward(desk, continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"),
         "500 mcg/mL")  # fmt: skip
    desk.advance("10d")
    bridge = refilled(desk, "38 mL")["new"]["bridge"]
    start = Moment.parse(bridge["starts"])
    assert (bridge["volume"], bridge["plays"]) == ("0.348 mL", "100 mcg/day")
    assert bridge["ends"] == str(start.plus(150_336_000))  # 41.76 x 3,600,000 ms
    assert bridge["without"] == "25 mcg/day instead of 100 mcg/day for 6 d 23 h"
    desk.advance("41 h")
    assert desk.pump("status")["delivery"] == "bridge"
    desk.advance("1 h")
    assert desk.pump("status")["delivery"] == "delivering"
    assert near(delivered(desk), Fraction(10 * 100) + Fraction(42 * 100, 24))
    desk.advance("8d")  # the front has long arrived: the dose never changed
    assert near(delivered(desk), Fraction(18 * 100) + Fraction(42 * 100, 24))


FLEX_500 = FLEX.replace("2000 mcg/mL", "500 mcg/mL")


@pytest.mark.requirement("REF-08")
@pytest.mark.parametrize(
    ("old", "new", "text", "day"),
    [
        # 174 mcg from Monday 00:00: 6 h x 14 = 84, 1 h x 26 = 110, at 07:10 26/6 + 20 more;
        # the rest, 119/3 mcg at 26/h, takes 119/78 h: until 08:41:32.307.
        ("500 mcg/mL", "2000 mcg/mL", FLEX_500, 0),
        # 696 mcg: Monday's 438, and 258 on Tuesday; 6 x 14 + 26 + 73/3 leave 371/3 at 07:10,
        # 17/6 h x 26 = 221/3 until 10:00, and then 50 mcg at 15/h: until 13:20.
        ("2000 mcg/mL", "500 mcg/mL", FLEX, 1),
    ],
)
def test_bridges_up_and_down_under_flex(
    old: str, new: str, text: str, day: int, desk: Desk
) -> None:
    ward(desk, text, old)
    to_monday(desk)
    before = desk.inspect()
    bridge = refilled(desk, before["reservoir"], "40 mL", new)["new"]["bridge"]
    start = Moment.parse(bridge["starts"])
    assert start.label_ms % DAY_MS == 0
    in_day = 31_292_307 if day == 0 else 48_000_000  # 08:41:32.307; 13:20
    assert Moment.parse(bridge["ends"]).utc_ms - start.utc_ms == day * DAY_MS + in_day
    desk.advance("7d")  # one whole week: what the program gives, whatever is in the line
    moved = delivered(desk).quanta - Mass.parse(before["delivered"]["baclofen"]).quanta
    assert near(Mass(moved), 2942)
    assert desk.inspect()["delivery"] == "delivering"


@pytest.mark.requirement("REF-08")
def test_without_the_bridge_the_truth_is_what_was_said(desk: Desk) -> None:
    """25 mcg/day for 6.96 d: after 6 d 150 mcg left the tip where 600 were counted."""
    ward(desk, continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"),
         "500 mcg/mL")  # fmt: skip
    refilled(desk, "40 mL", bridge="none", reasons={"BRIDGE_LEFT_OUT": "rehearsal"})
    desk.advance("6d")
    assert near(delivered(desk), 150, 500)


@pytest.mark.requirement("REF-08")
def test_a_bridge_of_a_refill_that_was_told_late(desk: Desk) -> None:
    """5 h at 0.2 mL/day displaced 1/24 mL = 0.04166: 416 pulses; 0.3064 x 500 = 153.2 mcg left."""
    ward(desk, continuous("100 mcg/day", fallback="100 mcg/day", concentration="500 mcg/mL"),
         "500 mcg/mL")  # fmt: skip
    desk.advance("10d")
    at = desk.pump("status")["clock"]["pump"]
    desk.advance("5h")
    told = refilled(desk, "38 mL", at=at)
    bridge = told["new"]["bridge"]
    passed = Volume.parse(bridge["passed"])
    assert abs(passed.quanta - Fraction(41_666)) <= 2 * PULSE.quanta
    lasts = Moment.parse(bridge["ends"]).utc_ms - Moment.parse(bridge["starts"]).utc_ms
    left = Volume.parse("0.348 mL") - passed
    assert lasts == left.quanta * 500 * DAY_MS // 100_000_000  # mcg at 100 mcg/day
    assert ids(told["findings"], "note").count("BRIDGE_LATE") == 1
    desk.advance("8d")
    assert near(delivered(desk), Fraction(18 * 100) + Fraction(5 * 100, 24))


# --- discrepancy classes -------------------------------------------------------------------------


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("days", "drained", "meaning", "apart", "ratio"),
    [
        # 100 d x 0.1 mL = 10 mL programmed, 30 expected; ratio (40 - drained) / 10
        (100, "30 mL", "within", "0 mL", "1.0000"),
        (100, "31.45 mL", "within", "+1.45 mL", "0.8550"),
        (100, "31.451 mL", "under_delivery", "+1.451 mL", "0.8549"),
        (100, "33 mL", "under_delivery", "+3 mL", "0.7000"),
        (100, "28.55 mL", "within", "-1.45 mL", "1.1450"),
        (100, "28.549 mL", "over_infusion", "-1.451 mL", "1.1451"),
        # 12 mL programmed (W15): 13.8 given is flagged, 13.7 passes
        (120, "26.2 mL", "over_infusion", "-1.8 mL", "1.1500"),
        (120, "26.3 mL", "within", "-1.7 mL", "1.1417"),
        # 3 mL programmed: the ratio is not judged, the volumes are, beyond 2 mL
        (30, "35 mL", "within", "-2 mL", "1.6667"),
        (30, "34.999 mL", "less_drained", "-2.001 mL", "1.6670"),
        (30, "39 mL", "within", "+2 mL", "0.3333"),
        (30, "39.001 mL", "more_drained", "+2.001 mL", "0.3330"),
    ],
)
def test_discrepancy_classes(
    days: int, drained: str, meaning: str, apart: str, ratio: str, desk: Desk
) -> None:
    ward(desk, continuous("200 mcg/day"))
    desk.advance(f"{days}d")
    _, told = planned(desk, drained, "36 mL")  # it fits, however much is still inside
    found: dict[str, Any] = told["new"]["discrepancy"]
    assert (found["meaning"], found["apart"], found["ratio"]) == (meaning, apart, ratio)
    assert found["judged"] is (days >= 50)
    soft = ids(told["findings"], "soft")
    assert soft == ([] if meaning == "within" else ["REFILL_DISCREPANCY"])
    assert (told["confirm"] is None) is bool(soft)


@pytest.mark.requirement("REF-01")
def test_non_delivery_is_the_class_below_seven_tenths(desk: Desk) -> None:
    """(40 - 33.001) / 10 = 0.6999: what was had, 0.6999 x 200 = 139.98 mcg/day, is offered."""
    ward(desk, continuous("200 mcg/day"))
    desk.advance("100d")
    error = refused(desk, 3, "LIMIT_HARD", "33.001 mL")
    assert [each["id"] for each in error["findings"] if each["severity"] == "hard"] == [
        "REFILL_NON_DELIVERY"
    ]
    assert "139.98 mcg/day" in error["message"]


@pytest.mark.requirement("REF-07")
def test_three_refills_on_one_side_are_a_trend_and_one_is_not(desk: Desk) -> None:
    """Ratios 1.1 each (11 of 10 mL): within the band, their median beyond 1.0725."""
    ward(desk, continuous("200 mcg/day"))
    notes = []
    for number in range(3):
        desk.advance("100d")
        told = refilled(desk, "29 mL", reference=f"ORD-{number}")
        notes.append("REFILL_TREND" in ids(told["findings"], "note"))
    assert notes == [False, False, True]
    file = visit_file(desk, "29 mL", reference="ORD-2")
    assert desk.json(*PORT, "refill", "--file", file, "--plan-only")["data"]["repeated"]


@pytest.mark.requirement("REF-05")
def test_the_drug_s_expiry_holds_on_until_it_is_out(desk: Desk) -> None:
    """No pump keeps it: `status` and a refill that was given up read it from the record."""
    ward(desk)
    desk.advance("10d")
    today = Moment.parse(desk.pump("status")["clock"]["pump"]).date
    expiry = str(today.plus(60))
    left = str(desk.inspect()["reservoir"])
    assert refilled(desk, left, expiry=expiry)["new"]["refill_by"] == expiry
    assert desk.pump("status")["reservoir"]["refill_by"] == expiry
    desk.advance("20d")
    new = refilled(desk, None, given_up="port not found", reference="O-2")["new"]
    assert (new["refill_by"], new["refill_because"]) == (expiry, "expiry of the drug")
    assert desk.pump("status")["reservoir"]["refill_by"] == expiry
    # 1 mL of it is left inside, beside a newer one.
    drained = str(Volume.parse(str(desk.inspect()["reservoir"])) - Volume.parse("1 mL"))
    new = planned(desk, drained, "30 mL", reference="O-3", left="1 mL")[1]["new"]
    assert new["refill_by"] == expiry
