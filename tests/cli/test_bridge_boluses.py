"""Boluses in a bridge, worked by hand: each is metered at the concentration at the tip.

The line holds 0.140 + 0.208 = 0.348 mL. While it holds the old drug the pump plays the
old program at the old concentration, scheduled boluses with it; so what leaves the tip
is the program's own mass throughout, and only the volumes tell which concentration was
metered. Judged by the emulator's own truth, to one pulse: 100 nL are 0.05 mcg at 500 and
0.2 mcg at 2000 mcg/mL.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from tests.helpers.desk import Desk
from tests.helpers.profiles import written
from tests.helpers.visits import refilled

_ALL = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
_PROFILE = """\
format = 1
[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"
[drug]
name = "baclofen"
concentration = "{concentration}"
[program]
mode = "flex"
fallback_rate = "{fallback}"
[[program.day]]
days = {days}
daily_dose = "{daily}"
steps = [ {steps} ]
[[program.bolus]]
dose = "{dose}"
over = "{over}"
at = ["07:00"]
days = {days}
{more}
[reservoir]
low_alarm = "2 mL"
"""
_OWN = '[program.patient_dose]\ndose = "5 mcg"\nover = "5 min"\nlockout = "4 h"\nmax_per_24h = 2\n'


class Bridge:
    """A pump that was refilled at a time of its own day, with another concentration."""

    def __init__(self, desk: Desk, old: str, new: str, at: str, **program: str) -> None:
        self.desk = desk
        self.serial = desk.emulator("ward", "--concentration", old, "--volume", "40 mL")
        profile = written(
            desk.files / "old.toml",
            _PROFILE.format(days=_ALL, concentration=old, **{"more": "", **program}),
        )
        self.until(at)  # it runs at minimum rate until then
        desk.rehearse()
        planned = desk.pump("program", "plan", profile, "-o", desk.files / "plan.json")
        desk.apply(desk.files / "plan.json", planned["confirm"])
        self.told = refilled(desk, desk.pump("status")["reservoir"]["volume"], "38 mL", new)
        desk.monkeypatch.delenv("PUMPCTL_NOW")
        self._first = desk.inspect()

    def until(self, clock: str, days: int = 0) -> None:
        """To this time of the pump's day: the next one, and so many days more."""
        hour, minute = map(int, clock.split(":"))
        now = Moment.parse(self.desk.inspect()["time"]).label_ms
        ahead = ((hour * 60 + minute) * MINUTE_MS - now) % DAY_MS + days * DAY_MS
        self.desk.advance(f"{ahead // 1_000}.{ahead % 1_000:03d} s")

    @property
    def given(self) -> Fraction:
        """mcg past the tip since the refill."""
        return _mcg(self.desk.inspect()) - _mcg(self._first)

    @property
    def pulses(self) -> int:
        """So many 100 nL since the refill."""
        return int(self.desk.inspect()["pulses"] - self._first["pulses"])

    def runs(self) -> bool:
        return self.desk.inspect()["bridge"] is not None


def _mcg(told: dict[str, Any]) -> Fraction:
    return Fraction(told["delivered"]["baclofen"].removesuffix(" mcg"))


@pytest.mark.requirement("REF-08")
def test_upwards_a_bolus_counts_at_the_old_concentration(desk: Desk) -> None:
    """From 500 to 2000 mcg/mL at 06:00; 4 mcg/h, and 20 mcg over 10 min at 07:00.

    In the line: 0.348 x 500 = 174 mcg. A day gives 24 x 4 + 20 = 116; 58 are left at 06:00
    of the second. An hour takes 4, the ten minutes from 07:00 take 20 + 4/6, and the
    remaining 33 1/3 mcg last 8 1/3 h: it ends at 07:10 + 8:20 = 15:30, after 33 h 30 min.
    """
    bridge = Bridge(
        *(desk, "500 mcg/mL", "2000 mcg/mL", "06:00"),
        fallback="96 mcg/day",
        daily="116 mcg/day",
        dose="20 mcg",
        over="10 min",
        steps='{ from = "00:00", basal = "4 mcg/h" }',
    )
    told = bridge.told["new"]["bridge"]
    assert (told["volume"], told["lasts"]) == ("0.348 mL", "33 h 30 min")

    bridge.until("07:00")  # 4 mcg at 500: 0.008 mL, 80 pulses
    assert abs(bridge.pulses - 80) <= 1
    bridge.until("07:10")  # and 20 2/3 more: 0.041333 mL, at 2000 it would be a quarter
    assert abs(bridge.pulses - 80 - Fraction(1240, 3)) <= 1
    assert abs(bridge.given - Fraction(74, 3)) <= Fraction(1, 20)

    bridge.until("15:29", days=1)
    assert bridge.runs()
    bridge.until("15:31")
    assert not bridge.runs()
    bridge.until("06:00")  # two days: 232 mcg; 0.348 mL, and 58 mcg at 2000 = 0.029 mL
    assert abs(bridge.given - 232) <= Fraction(1, 5)
    assert abs(bridge.pulses - 3770) <= 1
    bridge.until("07:10")  # the bolus again, now 20 2/3 + 4 mcg at 2000: 0.012333 mL
    assert abs(bridge.pulses - 3770 - Fraction(370, 3)) <= 1


@pytest.mark.requirement("REF-08")
def test_downwards_a_bolus_counts_at_the_old_concentration(desk: Desk) -> None:
    """From 2000 to 500 mcg/mL at 06:00; 8 mcg/h, and 24 mcg over 12 min at 07:00.

    In the line: 0.348 x 2000 = 696 mcg. A day gives 8 x 24 + 24 = 216; three give 648. Of
    the last 48, an hour takes 8, the twelve minutes 24 + 8/5 = 25.6, and 14.4 mcg last
    1.8 h: it ends at 07:12 + 1:48 = 09:00, after 3 d 3 h.
    """
    bridge = Bridge(
        *(desk, "2000 mcg/mL", "500 mcg/mL", "06:00"),
        fallback="160 mcg/day",
        daily="216 mcg/day",
        dose="24 mcg",
        over="12 min",
        steps='{ from = "00:00", basal = "8 mcg/h" }',
    )
    assert bridge.told["new"]["bridge"]["lasts"] == "3 d 3 h"

    bridge.until("07:12")  # 8 + 25.6 = 33.6 mcg at 2000: 0.0168 mL, and not 0.0672
    assert abs(bridge.pulses - 168) <= 1
    assert abs(bridge.given - Fraction(336, 10)) <= Fraction(1, 5)

    bridge.until("08:58", days=3)
    assert bridge.runs()
    bridge.until("09:01")
    assert not bridge.runs()
    bridge.until("06:00")  # four days: 864 mcg; 0.348 mL, and 168 mcg at 500 = 0.336 mL
    assert abs(bridge.given - 864) <= Fraction(1, 5)
    # The part of a pulse that was owed at the refill ends the bridge so much sooner, and
    # what it leaves of that pulse's mass is four times the volume at 500.
    assert 0 <= bridge.pulses - 6840 <= 4


@pytest.mark.requirement("REF-08")
def test_a_bolus_across_the_end_changes_its_flow_and_keeps_its_mass(desk: Desk) -> None:
    """From 500 to 2000 mcg/mL at 05:00; 4 mcg/h, from noon 6 mcg/h; 24 mcg over 1 h at 07:00.

    In the line: 174 mcg. A day gives 48 + 72 + 24 = 144; of the last 30, two hours take 8,
    and the bolus with its basal gives 28 mcg/h: the other 22 are through after 22/28 h, at
    07:47:08. What is left of the hour, 6 mcg, is at 2000 mcg/mL: 0.003 mL.
    """
    bridge = Bridge(
        *(desk, "500 mcg/mL", "2000 mcg/mL", "05:00"),
        fallback="96 mcg/day",
        daily="144 mcg/day",
        dose="24 mcg",
        over="60 min",
        steps='{ from = "00:00", basal = "4 mcg/h" }, { from = "12:00", basal = "6 mcg/h" }',
    )
    bridge.until("07:00", days=1)  # 152 mcg at 500: 0.304 mL
    assert abs(bridge.pulses - 3040) <= 1
    bridge.until("07:47")
    assert bridge.runs()
    bridge.until("07:48")
    assert not bridge.runs()
    bridge.until("08:00")  # 180 mcg; 0.348 + 0.003 mL, at 500 it would be 0.360
    assert abs(bridge.given - 180) <= Fraction(1, 5)
    assert abs(bridge.pulses - 3510) <= 1


@pytest.mark.requirement("REF-08")
def test_in_a_bridge_nobody_gets_a_dose_beside_it(desk: Desk) -> None:
    """Neither the patient nor a clinician; before and after it both do."""
    bridge = Bridge(
        *(desk, "500 mcg/mL", "2000 mcg/mL", "06:00"),
        fallback="96 mcg/day",
        daily="116 mcg/day",
        dose="20 mcg",
        over="10 min",
        steps='{ from = "00:00", basal = "4 mcg/h" }',
        more=_OWN,
    )
    before = bridge.pulses
    pressed = desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]
    assert pressed["refused"] == "BRIDGE_RUNNING"
    desk.rehearse()
    port = ("--port", "emu://ward")
    words = (*port, "bolus", "single", "5 mcg", "--over", "5 min", "--plan-only")
    refused = desk.json(*words, code=3)["error"]
    assert refused["changed"] == "no"
    assert "bridge" in refused["message"]
    desk.monkeypatch.delenv("PUMPCTL_NOW")
    assert bridge.pulses == before

    bridge.until("15:31", days=1)
    assert not bridge.runs()
    assert desk.data("emulator", "press", "ward", "--patient-dose")["patient_dose"]["given"]
