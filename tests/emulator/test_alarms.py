"""The table of alarms is whole, stops only where that is right, and stands in the docs as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpctl.emulator.engine.alarms import ALARMS, AlarmBoard, Reaction
from pumpctl.emulator.engine.self_tests import SELF_TESTS
from pumpctl.emulator.memory.retained import Raised
from pumpctl.wire.codes import AlarmCode, LogKind, Priority
from pumpctl.wire.fields import Struct
from pumpctl.wire.messages import Alarm
from tools import emulator_tables
from tools.model import GenerateError

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
CRITICAL = {
    AlarmCode.EMPTY_RESERVOIR,
    AlarmCode.END_OF_SERVICE,
    AlarmCode.MOTOR_STALL,
    AlarmCode.STOPPED_TOO_LONG,
    AlarmCode.MEMORY_BOTH_COPIES,
    AlarmCode.BATTERY_RESET,
}
"""As pumps of this kind have them (docs/emulator.md)."""


@pytest.mark.requirement("ALM-01")
def test_every_alarm_is_in_the_table() -> None:
    assert set(ALARMS) == set(AlarmCode)
    assert {code for code in AlarmCode if ALARMS[code].priority is Priority.CRITICAL} == CRITICAL
    for spec in ALARMS.values():
        assert spec.why, "no reaction without its reason"
        assert spec.clears


@pytest.mark.requirement("ALM-01")
@pytest.mark.requirement("PMP-03")
def test_one_alarm_only_stops_the_pump_and_it_is_not_the_empty_one() -> None:
    stops = [code for code in AlarmCode if ALARMS[code].reaction is Reaction.STOP]
    assert stops == [AlarmCode.END_OF_SERVICE]
    falls_back = {code for code in AlarmCode if ALARMS[code].reaction is Reaction.FALLBACK}
    assert falls_back == {AlarmCode.MEMORY_BOTH_COPIES, AlarmCode.STOPPED_TOO_LONG}


@pytest.mark.requirement("ALM-02")
@pytest.mark.parametrize("code", AlarmCode)
def test_its_cause_can_be_told(code: AlarmCode) -> None:
    spec, out = ALARMS[code], bytearray()
    assert len(spec.cause) > 20
    Struct(Alarm).put(Alarm(code, spec.priority, 1, spec.cause), out)
    assert spec.cause.encode("ascii") in out


def board(*raised: Raised) -> tuple[AlarmBoard, list[Any]]:
    log: list[Any] = []
    return AlarmBoard(raised, lambda *entry: log.append(entry)), log


@pytest.mark.requirement("ALM-02")
def test_the_log_says_when_an_alarm_comes_and_goes_and_only_then() -> None:
    alarms, log = board()
    for counter in (5, 6):
        alarms.put(AlarmCode.MOTOR_STALL, True, utc=100 + counter, counter=counter)
    assert list(alarms.raised) == [Raised(AlarmCode.MOTOR_STALL, 105, 5)]
    for counter in (7, 8):
        alarms.put(AlarmCode.MOTOR_STALL, False, utc=100 + counter, counter=counter)
    assert not list(alarms.raised)
    critical = (AlarmCode.MOTOR_STALL, Priority.CRITICAL, bytes(20))
    assert log == [(LogKind.ALARM_RAISED, *critical), (LogKind.ALARM_CLEARED, *critical)]


@pytest.mark.requirement("BOL-04")
@pytest.mark.parametrize("code", AlarmCode)
def test_the_board_knows_what_is_critical(code: AlarmCode) -> None:
    alarms, _ = board(Raised(AlarmCode.LOW_RESERVOIR, 0, 0))
    assert not alarms.critical
    alarms.put(code, True, utc=1, counter=1)
    assert alarms.critical is (code in CRITICAL) is ALARMS[code].blocks_bolus


# --- the page ----------------------------------------------------------------------------------


def test_the_tables_are_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert emulator_tables.refreshed(page) == page, "run: python3 dev.py generate"


@pytest.mark.requirement("ALM-01")
def test_every_alarm_and_self_test_is_on_the_page() -> None:
    made = emulator_tables.tables()
    for code, spec in ALARMS.items():
        (row,) = [line for line in made["alarms"].splitlines() if f"| `{code.name}` |" in line]
        assert f"**{spec.reaction.value}**" in row
        assert row.endswith("| yes |") is (code in CRITICAL)
    for test in SELF_TESTS:
        assert f"\n| {test.name} | " in made["self-tests"]
    for table in made.values():
        widths = {line.count("|") for line in table.strip().splitlines()}
        assert len(widths) == 1, "no cell breaks its row"


def test_a_page_that_is_stale_or_has_no_place_is_noticed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    stale = page.replace("**stop**", "**continue**")
    assert emulator_tables.refreshed(stale) == emulator_tables.refreshed(page) != stale
    for name in emulator_tables.tables():
        with pytest.raises(GenerateError, match=name):
            emulator_tables.refreshed(page.replace(f"<!-- end: {name} -->", ""))
