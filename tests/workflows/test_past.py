"""The course as log and journal tell it, against lives whose truth was kept aside."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.pump.entries import log_entry
from pumpctl.therapy.past import Past, prescribed
from pumpctl.wire import codes
from pumpctl.workflows.course.pump_log import PumpLog
from tests.therapy.samples import even, minimum
from tests.workflows.histories import CONCENTRATION, DAY, HOUR, Life, Noted, known, refusing, steady

MINUTE = 60_000
BACK = 48 * HOUR


def unknown(life: Life) -> str:
    """Why there is no course; in words that end alike."""
    told = life.told()
    assert told.past is None
    (why,) = told.missing
    end = ": no rule of time is checked; ask when the dose was last increased"
    assert why.endswith(end)
    return why.removesuffix(end)


# --- against the truth ----------------------------------------------------------------------


def truth(life: Life) -> Past:
    """What everybody would know who had seen it all."""
    flows: list[tuple[int, int]] = []
    ends = [each.at for each in life.orders[1:]] + [life.at]
    for each, end in zip(life.orders, ends, strict=True):
        if prescribed(each.program) is None or (each.at == end < life.at):
            continue
        if flows and flows[-1][1] == each.at:
            flows[-1] = flows[-1][0], end
        else:
            flows.append((each.at, end))
    again = [b for (_, a), (b, _) in pairwise(flows) if b - a > BACK]
    began = [each.at for each in life.orders if prescribed(each.program)]
    return Past(
        tuple(life.orders),
        began[0] if began else None,
        flows[-1][1] if flows else None,
        again[-1] if again else None,
    )


def same(found: Past, true: Past, now: int) -> None:
    """Equal in everything that a rule asks for."""
    since, day = now - BACK, now - DAY
    assert [each for each in found.ordered if each.at > since] == [
        each for each in true.ordered if each.at > since
    ]
    before = [[e.program for e in past.ordered if e.at <= since] for past in (found, true)]
    assert before[0][-1:] == before[1][-1:], "in force 48 hours ago"
    assert found.last_prescribed() == true.last_prescribed()
    assert (found.began is None) == (true.began is None)
    if true.began is not None and found.began is not None:
        assert max(found.began, day) == max(true.began, day)
    assert found.flowed == true.flowed
    assert max(found.begun_again or 0, day) == max(true.begun_again or 0, day)
    rises = [[at for at in past.increases() if at > day] for past in (found, true)]
    assert rises[0] == rises[1]
    assert found.prescribed_before(now) == true.prescribed_before(now)


WAITS = [1, MINUTE, 7 * HOUR, DAY, BACK, BACK + 1, 9 * DAY]
DEED = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from(WAITS)),
    st.tuples(st.just("dose"), st.integers(100, 130)),
    st.tuples(st.just("elsewhere"), st.integers(100, 130)),
    st.tuples(st.just("minimum"), st.just(0)),
    st.tuples(st.just("stop"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("neutral"), st.sampled_from([None, codes.Kind.CLOCK, codes.Kind.PATIENT])),
    st.tuples(st.just("fallback"), st.integers(100, 130)),
)  # fmt: skip


def lived(deeds: list[tuple[str, int]], per_answer: int) -> tuple[Life, bool]:
    """The life, and whether another station had a part in it."""
    life, alone = Life(per_answer=per_answer), True
    for what, much in deeds:
        match what:
            case "wait":
                life.wait(much)
            case "dose" | "elsewhere":
                alone = alone and what == "dose"
                life.change(even(f"{much} mcg/day"), own=what == "dose")
            case "minimum":
                life.change(minimum(CONCENTRATION))
            case "stop":
                life.stop()
            case "resume" if life.stopped_at is not None and life.program is not None:
                life.resume()
            case "fallback" if life.program is not None:
                life.wait(1)  # not in the very millisecond of a stop
                life.fallback(much * 1_000)
            case "neutral":
                life.neutral(much)  # type: ignore[arg-type]
            case _:
                pass
    return life, alone


@pytest.mark.requirement("LIM-09")
@pytest.mark.requirement("STP-03")
@settings(max_examples=300, deadline=None)
@given(st.lists(DEED, max_size=14), st.sampled_from([1, 40, 400]))
def test_it_is_the_truth_or_nothing(deeds: list[tuple[str, int]], per_answer: int) -> None:
    life, alone = lived(deeds, per_answer)
    told = life.told()
    assert told.past is not None or not alone, told.missing
    if told.past is not None:
        same(told.past, truth(life), life.at)


# --- how far back, and with how many questions ----------------------------------------------


def test_an_ordinary_patient_costs_one_question() -> None:
    life = steady(3000)
    life.per_answer = 320
    assert life.told("1 h", "24 h").questions == 1
    (ordered,) = known(life).ordered
    assert 6 * DAY > life.at - ordered.at >= BACK, "as of what was read, however long before"


def test_a_change_of_today_costs_no_more() -> None:
    life = steady(3000)
    life.per_answer = 320
    life.change(even("250 mcg/day"))
    life.wait(3 * HOUR)
    assert life.told("24 h").questions == 1
    assert [each.program for each in known(life).ordered] == [
        even("240 mcg/day"), even("250 mcg/day"),
    ]  # fmt: skip


@pytest.mark.parametrize(("days", "most"), [(20, 5), (365, 10), (800, 12)])
def test_a_year_on_the_shelf_is_jumped_over(days: int, most: int) -> None:
    life = Life(per_answer=320)
    life.neutral()
    life.wait(days * DAY)
    told = life.told("24 h")
    assert told.past is not None
    assert (told.past.began, told.past.flowed) == (None, None)
    assert told.questions <= most


def test_months_without_a_dose_are_jumped_over() -> None:
    life = steady()
    life.per_answer = 320
    life.stop()
    stopped = life.at
    life.wait(HOUR)
    life.change(minimum(CONCENTRATION))
    life.wait(200 * DAY)
    life.neutral()
    assert known(life).flowed == stopped
    assert known(life).last_prescribed() == even("240 mcg/day")
    assert life.told().questions <= 20


def test_the_entry_behind_a_change_is_fetched_where_it_was_not() -> None:
    life = steady()
    pump: Any = SimpleNamespace(log=life.log)
    log = PumpLog(pump, life.state())
    first, second = log_entry(life.raw[0]), log_entry(life.raw[1])
    assert log.after(first) == log.after(first) == second
    assert log.questions == 1
    assert log.after(log_entry(life.raw[-1])) is None


def test_a_log_that_begins_too_late() -> None:
    life = steady(100)
    life.log_first = 50
    assert known(life), "two days are there"
    life.log_first = 70
    assert unknown(life) == "the pump's log does not go back far enough"
    life = steady(100)
    life.stop()
    life.wait(60 * HOUR)
    life.log_first = 10
    assert known(life).flowed == life.at - 60 * HOUR
    life = Life()
    life.wait(100 * HOUR)
    life.log_first = 2
    assert unknown(life) == "the pump's log does not go back far enough"


def test_a_log_that_is_refused_or_empty() -> None:
    life = steady()
    life.log = refusing  # type: ignore[method-assign, assignment]
    assert unknown(life) == "the pump's log cannot be read: this key may not"
    life = steady()
    life.log_first = len(life.raw) + 1
    assert unknown(life) == "the pump's log does not go back far enough"


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize("what", ["damaged", "missing", "cut off"])
def test_nothing_is_read_over(what: str) -> None:
    life = steady()
    number = len(life.raw) - 20
    match what:
        case "damaged":
            raw = bytearray(life.raw[number - 1])
            raw[70] ^= 1
            life.raw[number - 1] = bytes(raw)
            assert unknown(life).startswith(f"entry {number} of the pump's log: ")
        case "missing":
            life.raw[number - 1] = life.raw[number]
            assert unknown(life) == f"entry {number} is missing in the pump's log"
        case _:
            state = life.state()
            life.state = lambda: state._replace(log_next=state.log_next + 1)  # type: ignore[method-assign]
            assert unknown(life) == f"entry {state.log_next} is missing in the pump's log"


def test_a_version_that_nothing_made() -> None:
    life = steady()
    life.version += 1
    life.wait(HOUR)
    assert unknown(life) == "the pump's log does not tell what made state version 3"
    life = steady()
    life.version += 1
    assert unknown(life) == "the pump's log does not tell what made state version 3"
    life = steady()
    life.neutral(codes.Kind.BRIDGE)
    assert unknown(life) == "the pump's log does not tell what made state version 3"
    life.wait(50 * HOUR)
    assert known(life), "what it was matters no more"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda intent: intent._replace(pump="SP40-999999"),
        lambda intent: intent._replace(kind="refused"),
        lambda intent: intent._replace(body={"program_bytes": "no hexadecimal"}),
        lambda intent: intent._replace(body={"program_bytes": "ab" * 40}),
        lambda intent: intent._replace(body={"program_bytes": 7}),
    ],
)
def test_an_intent_that_names_no_program(spoil: Callable[[Noted], Noted]) -> None:
    life = steady()
    life.change(even("250 mcg/day"))
    life.change(even("240 mcg/day"))
    assert known(life)
    life.intents = {name: spoil(each) for name, each in life.intents.items()}
    assert unknown(life).startswith("another station changed the program")


# --- time, stalls, lost memory --------------------------------------------------------------


def test_a_counter_that_does_not_tell_the_time() -> None:
    life = steady()
    life.at -= 3 * HOUR
    life.wait(HOUR)
    assert unknown(life) == "the pump's counter ran back"
    life = steady()
    life.alarm(codes.AlarmCode.BATTERY_RESET)
    life.wait(40 * HOUR)
    assert unknown(life).startswith("the pump lost its memory")
    life.wait(9 * HOUR)
    assert known(life)


@pytest.mark.requirement("STP-03")
def test_a_stall_is_a_time_without_drug() -> None:
    life = steady()
    life.alarm(codes.AlarmCode.MOTOR_STALL)
    stalled = life.at
    life.wait(30 * HOUR)
    life.alarm(codes.AlarmCode.EMPTY_RESERVOIR)
    assert known(life).flowed == stalled
    life.wait(70 * HOUR)
    assert known(life).flowed == stalled, "however long ago"
    life.alarm(codes.AlarmCode.MOTOR_STALL, on=False)
    life.change(even("200 mcg/day"))
    assert known(life).flowed == stalled, "it is still empty"
    life.alarm(codes.AlarmCode.EMPTY_RESERVOIR, on=False)
    assert known(life).begun_again == life.at, "it began four days ago, which is looked for"
    life.log_first = 100
    assert unknown(life) == "the pump's log does not go back far enough"


@pytest.mark.requirement("STP-03")
def test_after_a_stall_it_has_begun_again() -> None:
    life = steady()
    life.wait(-(life.at % HOUR) % HOUR + 10 * MINUTE)
    life.alarm(codes.AlarmCode.MOTOR_STALL)
    life.wait(47 * HOUR)
    life.alarm(codes.AlarmCode.LOW_RESERVOIR)
    life.alarm(codes.AlarmCode.MOTOR_STALL, on=False)
    assert known(life).flowed == life.at
    assert known(life).begun_again is None, "47 hours are no beginning"
    life.stop()
    life.wait(48 * HOUR)
    life.resume()
    assert known(life).begun_again is None, "48 hours are none"
    life.stop()
    life.wait(48 * HOUR + 1)
    life.resume()
    assert known(life).begun_again == life.at


def test_an_alarm_whose_beginning_nobody_tells() -> None:
    life = steady()
    life.alarms["EMPTY_RESERVOIR"] = life.at - HOUR
    assert unknown(life) == "the pump's log does not tell when EMPTY_RESERVOIR began"
