"""Around an MRI scan: what speaks against one, and when a pump is shown to deliver again.

450 mcg/day at 2000 mcg/mL are 0.225 mL/day, 2250 pulses of 100 nL: ten in 86 400 s / 225,
which is 384 s.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import mri_after
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.mri import GUIDANCE, Look, guidance_for, obstacles, seen
from pumpctl.therapy.mri_after import Judged, Verdict, judge
from pumpctl.therapy.mri_stalls import advice, fallback, stalls, without_drug
from pumpctl.therapy.state import (
    Alarm,
    Delivery,
    Fluid,
    Line,
    Priority,
    PumpState,
    RunningBolus,
    RunningBridge,
)
from tests.therapy.samples import NOW, even, flex, pump

PULSE = Volume(100)
STALL = Alarm("MOTOR_STALL", Priority.CRITICAL, "the motor does not turn", NOW)
LOW = Alarm("LOW_RESERVOIR", Priority.NON_CRITICAL, "low", NOW)
HOUR = 3_600_000
BOLUS = RunningBolus("single", Mass(4_000), Mass(2_000), NOW.plus(-300_000), NOW.plus(300_000))
"""4 mcg over 10 min, half of it given."""


def later(state: PumpState, ms: int, pulses: int, **other: Any) -> PumpState:
    """The same pump after so long and so many pulses."""
    return state._replace(
        clock=state.clock.plus(ms),
        counter_ms=state.counter_ms + ms,
        pulses=state.pulses + pulses,
        **other,
    )


def judged(
    state: PumpState,
    first: PumpState | None = None,
    *log: LogEntry,
    before: Look | None = None,
    difference: int = 0,
    reason: str | None = None,
) -> Judged:
    return judge(
        state,
        log,
        PULSE,
        before=before,
        first=None if first is None else seen(first),
        difference_ms=difference,
        reason=reason,
    )


def ids(told: Judged) -> list[str]:
    return [point.id for point in told.needed]


def entry(kind: str, at: int, **fields: int | str) -> LogEntry:
    """An entry of the log, `at` ms after the pump of the samples was seen."""
    return LogEntry(1, 1, kind, 1_000_000 + at, NOW.plus(at), 0, None, tuple(fields.items()))


# --- before ---------------------------------------------------------------------------------


def test_every_model_of_the_guidance_is_found_once() -> None:
    models = [model for each in GUIDANCE for model in each.models]
    assert len(set(models)) == len(models)
    for model in models:
        found = guidance_for(model)
        assert found is not None
        assert found.source
        assert found.asks
    assert guidance_for("XY9") is None


def test_a_pump_in_order_may_be_scanned() -> None:
    assert obstacles(pump(), unresolved=False) == ()


@pytest.mark.parametrize(
    ("state", "unresolved", "due"),
    [
        (pump(alarms=(LOW,)), False, ["ALARM"]),
        (pump(alarms=(STALL,), delivery=Delivery.STALLED), False, ["ALARM", "NOT_DELIVERING"]),
        (pump(delivery=Delivery.STOPPED), False, ["NOT_DELIVERING"]),
        (pump(model="XY9"), False, ["NO_GUIDANCE"]),
        (pump(bolus=BOLUS, delivery=Delivery.BOLUS), False, ["BOLUS"]),
        (pump(), True, ["UNRESOLVED"]),
    ],
)
def test_what_speaks_against_a_scan(state: PumpState, unresolved: bool, due: list[str]) -> None:
    assert [point.id for point in obstacles(state, unresolved=unresolved)] == due


def test_until_when_a_bolus_runs_that_the_field_would_cut_short() -> None:
    (point,) = obstacles(pump(bolus=BOLUS, delivery=Delivery.BOLUS), unresolved=False)
    assert f"single bolus runs until {NOW.plus(300_000).label()}" in point.message


# --- after: two looks -----------------------------------------------------------------------


def test_the_first_look_says_when_the_second_counts() -> None:
    told = judged(pump())
    assert (told.verdict, ids(told)) == (Verdict.FIRST, ["SECOND_LOOK"])
    assert told.look_again == NOW.plus(384_001)  # 10 / 2250 of a day, and not a ms too soon


@pytest.mark.parametrize(("ms", "pulses"), [(384_000, 9), (384_000, 10), (384_000, 11)])
def test_the_second_closes_it(ms: int, pulses: int) -> None:
    told = judged(later(pump(), ms, pulses), pump())
    assert (told.verdict, told.needed, told.due) == (Verdict.CLOSED, (), Fraction(10))


def test_a_moment_too_soon_it_does_not_count() -> None:
    told = judged(later(pump(), 383_999, 10), pump())
    assert (told.verdict, ids(told)) == (Verdict.EARLY, ["SECOND_LOOK"])
    assert told.look_again == NOW.plus(384_001)


@pytest.mark.parametrize("pulses", [0, 8, 12])
def test_other_pulses_than_are_due_begin_it_anew(pulses: int) -> None:
    told = judged(later(pump(), 384_000, pulses), pump())
    assert (told.verdict, ids(told)) == (Verdict.FIRST, ["PULSES", "SECOND_LOOK"])


@pytest.mark.requirement("STP-03")
def test_without_that_comparison_a_motor_that_stands_would_be_taken_for_one_that_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mri_after, "abs", lambda _: 0, raising=False)
    assert judged(later(pump(), 384_000, 0), pump()).verdict is Verdict.CLOSED


@given(
    rate=st.integers(min_value=96_000, max_value=2_000_000),
    carry=st.fractions(min_value=0, max_value=Fraction(999, 1000)),
    ms=st.integers(min_value=0, max_value=3 * HOUR),
)
def test_a_pump_that_gives_its_program_is_never_called_one_that_does_not(
    rate: int, carry: Fraction, ms: int
) -> None:
    """Whole pulses out of an exact flow, whatever was owed at the first look."""
    state = pump(program=even(str(Rate(rate)), fallback=str(Rate(rate))))
    due = Fraction(rate * ms, 86_400_000) * Fraction(1000, 2000) / 100
    told = judged(later(state, ms, int(carry + due)), state)
    assert told.due == due
    assert told.verdict is (Verdict.CLOSED if due >= 10 else Verdict.EARLY)


def test_a_schedule_is_integrated_with_its_boluses() -> None:
    """At 06:50, 24 mcg/h until 07:00 and 48 after; at 06:55 a bolus of 4 mcg over 10 min.

    To 07:10: 4 + 8 + 4 mcg = 16 mcg, at 2000 mcg/mL 8000 nL: 80 pulses.
    """
    program = flex([[(0, "24"), (420, "48")]] * 7, [(0, 415, "4 mcg", "10 min")])
    monday = Moment(4 * 86_400_000 + 6 * HOUR + 50 * 60_000)
    state = pump(program=program, clock=monday)
    told = judged(later(state, 20 * 60_000, 80), state)
    assert (told.verdict, told.due) == (Verdict.CLOSED, Fraction(80))
    # The log tells of that bolus, too: it is in the schedule, and counts once.
    began = entry("bolus_started", 300_000, dose_ng=4_000, over_ms=600_000, bolus_kind="SCHEDULED")
    told = judged(later(state, 20 * 60_000, 80), state, began, entry("hour", 600_000))
    assert (told.verdict, told.due) == (Verdict.CLOSED, Fraction(80))


def test_the_rest_of_a_running_bolus_and_one_of_the_patient_s_own_count() -> None:
    """2 of 4 mcg are left for 5 min: 10 pulses; 1 mcg over 2 min: 5. In 384 s: 25 in all."""
    state = pump(bolus=BOLUS, delivery=Delivery.BOLUS)
    own = entry("bolus_started", 60_000, dose_ng=1_000, over_ms=120_000, bolus_kind="PATIENT")
    then = later(state, 384_000, 25, bolus=None, delivery=Delivery.DELIVERING)
    told = judged(then, state, own)
    assert (told.verdict, told.due) == (Verdict.CLOSED, Fraction(25))
    assert ids(judged(then, state)) == ["PULSES", "SECOND_LOOK"]


def test_a_bridge_is_metered_at_what_is_at_the_tip() -> None:
    """100 mcg/day at 500 mcg/mL: 0.2 mL/day, 2000 pulses; in 432 s ten."""
    line = Line(Volume(348_000), Fluid("baclofen", Concentration(500)), Volume(300_000))
    bridge = RunningBridge(Volume(348_000), Volume(48_000))
    state = pump(delivery=Delivery.BRIDGE, bridge=bridge, line=line, rate=Rate.parse("100 mcg/day"))
    assert judged(state).look_again == NOW.plus(432_001)
    assert judged(later(state, 432_000, 10), state).verdict is Verdict.CLOSED
    # A scheduled bolus is of the program that it plays, and that only the pump knows: 1 mcg
    # of 500 mcg/mL is 2000 nL, 20 pulses on top.
    began = entry("bolus_started", 60_000, dose_ng=1_000, over_ms=60_000, bolus_kind="SCHEDULED")
    told = judged(later(state, 432_000, 30), state, began)
    assert (told.verdict, told.due) == (Verdict.CLOSED, Fraction(30))
    over = later(state, 432_000, 10, bridge=None, delivery=Delivery.DELIVERING)
    assert judged(over, state).verdict is Verdict.FIRST  # another fluid than at the first look


@pytest.mark.parametrize(
    "other", [{"boot": 2}, {"state_version": 8}, {"boot": 5, "state_version": 9}]
)
def test_what_was_changed_in_between_begins_it_anew(other: dict[str, Any]) -> None:
    assert judged(later(pump(), 384_000, 10, **other), pump()).verdict is Verdict.FIRST


def test_a_stall_in_between_begins_it_anew() -> None:
    stalled = entry("alarm_raised", 10, alarm="MOTOR_STALL", priority="CRITICAL")
    assert judged(later(pump(), 384_000, 10), pump(), stalled).verdict is Verdict.FIRST
    earlier = entry("alarm_raised", -10, alarm="MOTOR_STALL", priority="CRITICAL")
    assert judged(later(pump(), 384_000, 10), pump(), earlier).verdict is Verdict.CLOSED


@pytest.mark.parametrize(
    ("other", "due"),
    [
        ({"delivery": Delivery.STALLED, "alarms": (STALL,)}, ["STALLED"]),
        ({"delivery": Delivery.STOPPED}, ["NOT_DELIVERING"]),
        ({"delivery": Delivery.EMPTY}, ["NOT_DELIVERING"]),
        ({"delivery": Delivery.FALLBACK, "program": None}, ["FALLBACK"]),
        ({"delivery": Delivery.STALLED, "program": None}, ["STALLED", "FALLBACK"]),
        ({"alarms": (STALL._replace(code="BATTERY_RESET"),)}, ["ALARM"]),
    ],
)
def test_a_pump_that_does_not_deliver_counts_for_nothing_and_no_reason_helps(
    other: dict[str, Any], due: list[str]
) -> None:
    told = judged(later(pump(), 384_000, 10, **other), pump(), reason="in a hurry")
    assert (told.verdict, ids(told), told.look_again) == (Verdict.FAULT, due, None)


def test_a_low_reservoir_is_no_reason_against_closing() -> None:
    told = judged(later(pump(), 384_000, 10, alarms=(LOW,)), pump())
    assert told.verdict is Verdict.CLOSED


def test_a_pump_that_will_never_move_enough_can_be_waited_for_in_vain() -> None:
    state = pump(program=even("0 mcg/day", fallback="0 mcg/day"))
    told = judged(state)
    assert (told.verdict, told.look_again) == (Verdict.FIRST, None)
    bridge = RunningBridge(Volume(348_000), Volume(48_000))
    for rate in (None, Rate(0)):
        told = judged(pump(delivery=Delivery.BRIDGE, bridge=bridge, rate=rate))
        assert (told.verdict, told.look_again) == (Verdict.FIRST, None)
    assert "nobody can say" in told.needed[0].message


# --- what differs from before the scan ---------------------------------------------------------


def test_another_program_needs_a_reason() -> None:
    before = seen(pump(program_hash=b"o" * 32))
    then = later(pump(), 384_000, 10)
    assert ids(judged(then, pump(), before=before)) == ["PROGRAM"]
    told = judged(then, pump(), before=before, reason="lowered")
    assert (told.verdict, [point.id for point in told.accepted]) == (Verdict.CLOSED, ["PROGRAM"])


@pytest.mark.requirement("TIM-02")
@pytest.mark.parametrize(
    ("shift", "needed"), [(60_000, []), (60_001, ["CLOCK"]), (-61_000, ["CLOCK"])]
)
def test_a_shifted_clock_needs_a_reason(shift: int, needed: list[str]) -> None:
    then, first = later(pump(), 384_000, 10), pump()
    before = seen(pump(clock=NOW.plus(-shift)))
    assert ids(judged(then, first, before=before)) == needed
    assert ids(judged(then, first, difference=shift)) == needed  # no record: by the station's
    assert ids(judged(then, first, before=seen(pump()), difference=shift)) == []


def test_a_clock_that_was_lost_is_named() -> None:
    lost = Alarm("CLOCK_LOST", Priority.NON_CRITICAL, "lost", NOW)
    assert ids(judged(later(pump(), 384_000, 10, alarms=(lost,)), pump())) == ["CLOCK"]


# --- what it has cost ------------------------------------------------------------------------


def test_a_stall_is_told_with_what_was_not_given() -> None:
    """An hour of 450 mcg/day: 18.75 mcg."""
    log = (
        entry("alarm_raised", 0, alarm="MOTOR_STALL", priority="CRITICAL"),
        entry("alarm_cleared", HOUR, alarm="MOTOR_STALL", priority="CRITICAL"),
    )
    (stall,) = stalls(log, later(pump(), 2 * HOUR, 0), even())
    assert (stall.since, stall.until) == (NOW, NOW.plus(HOUR))
    assert (stall.lasts, stall.missed) == (Duration(HOUR), Mass.parse("18.75 mcg"))
    assert advice(later(pump(), 2 * HOUR, 0), (stall,)) == ()


def test_only_the_stalls_of_which_both_ends_are_known_are_told() -> None:
    """Another alarm is no stall; one that ended, its beginning unknown, has no hours."""
    log = (
        entry("alarm_cleared", 0, alarm="MOTOR_STALL", priority="CRITICAL"),
        entry("alarm_raised", 10, alarm="LOW_RESERVOIR", priority="NON_CRITICAL"),
        entry("alarm_raised", HOUR, alarm="MOTOR_STALL", priority="CRITICAL"),
        entry("alarm_cleared", HOUR + 1, alarm="LOW_RESERVOIR", priority="NON_CRITICAL"),
        entry("alarm_cleared", 3 * HOUR, alarm="MOTOR_STALL", priority="CRITICAL"),
    )
    (stall,) = stalls(log, later(pump(), 4 * HOUR, 0), even())
    assert (stall.since, stall.until) == (NOW.plus(HOUR), NOW.plus(3 * HOUR))
    assert stall.lasts == Duration(2 * HOUR)


def test_one_that_began_before_the_log_is_taken_from_the_alarm() -> None:
    state = later(pump(alarms=(STALL,), delivery=Delivery.STALLED), 3 * HOUR, 0)
    (stall,) = stalls((), state, None)
    assert (stall.since, stall.until, stall.lasts) == (NOW, None, Duration(3 * HOUR))
    assert stall.missed is None
    assert without_drug(state, (stall,)) == Duration(3 * HOUR)
    words = " ".join(advice(state, (stall,)))
    for said in ("NOTHING has been given for 3 h", "12 to 96 h", "every 20 min", "Never catch up"):
        assert said in words
    assert "48 h" not in words


@pytest.mark.requirement("STP-03")
def test_beyond_48_h_the_old_dose_is_warned_of() -> None:
    state = later(pump(alarms=(STALL,), delivery=Delivery.STALLED), 48 * HOUR, 0)
    assert "48 h" not in " ".join(advice(state, stalls((), state, None)))
    state = later(state, 1, 0)
    assert "More than 48 h without drug" in " ".join(advice(state, stalls((), state, None)))


def test_the_fallback_is_called_what_it_is() -> None:
    state = later(
        pump(program=None, delivery=Delivery.FALLBACK, rate=Rate.parse("200 mcg/day")), HOUR, 0
    )
    took = entry("fallback", 0, rate_ng_per_day=200_000)
    found = fallback((took,), state)
    assert found is not None
    assert (found.since, found.lasts) == (NOW, Duration(HOUR))
    assert fallback((took,), pump()) is None
    assert "The FALLBACK rate, 200 mcg/day, is in force" in " ".join(advice(state, ()))


def test_of_a_stopped_pump_its_own_hours_count() -> None:
    state = pump(delivery=Delivery.STOPPED, stopped_for=Duration(5 * HOUR))
    assert without_drug(state, ()) == Duration(5 * HOUR)
    assert "NOTHING has been given for 5 h" in " ".join(advice(state, ()))
