"""Faults on demand: what is asked is checked against the table, and each has its effect."""

from __future__ import annotations

import pytest

from pumpctl.emulator.body.faults import FAULTS, FaultKind, Lasts
from pumpctl.emulator.edge import faulting
from pumpctl.emulator.edge.acts_by_hand import Acted
from pumpctl.emulator.edge.faulting import Asked, Words, asked
from pumpctl.emulator.edge.inspection import inspect_core
from pumpctl.emulator.edge.line_faults import faults_of_world
from pumpctl.emulator.edge.plain import from_plain, to_plain
from pumpctl.emulator.memory.flash import PAGE
from pumpctl.emulator.memory.image import CONTROL, FALLBACK, IMPLANT, RECORD, REGIONS, SLOTS
from pumpctl.errors import UsageError
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, Battery
from tests.emulator.support import DAY, HOUR, MINUTE, Bench, flex, paired

EXAMPLES = {
    "stall": Words(lasts="6h"),
    "mri": Words(lasts="1 h"),
    "occlusion": Words(),
    "leak": Words(percent="15 %"),
    "pocket": Words(volume="3 mL"),
    "wrong-fill": Words(concentration="2000 mcg/mL"),
    "sensor": Words(volume="3 mL", way="less"),
    "calibration": Words(percent="15 %", way="less"),
    "clock-drift": Words(percent="50 ppm"),
    "drop": Words(percent="30 %"),
    "delay": Words(delay="2 s"),
    "duplicate": Words(percent="50 %"),
    "corrupt": Words(percent="20 ppm"),
    "disconnect": Words(),
    "drain": Words(volume="1 mL"),
    "fill": Words(volume="1 mL", concentration="500 mcg/mL"),
    "battery": Words(percent="12 %"),
    "flash-bit": Words(how_many=3, region="slots", copy=1),
    "memory": Words(how_many=2),
    "reboot": Words(),
    "retained": Words(),
}


class Stand(Bench):
    """A bench whose firmware a start replaces."""

    def fault(self, word: str, words: Words | None = None) -> None:
        faulting.do(self, asked(word, EXAMPLES[word] if words is None else words))

    def alarms(self) -> set[AlarmCode]:
        return {each.code for each in self.core.engine.alarms.raised}


@pytest.fixture
def pump() -> Stand:
    stand = Stand(frozen=True)
    stand.program(flex(240_000, fallback=120_000))  # 10 mcg and 200 pulses an hour
    return stand


def mass(pump: Stand) -> int:
    """ng past the tip so far."""
    return int(sum(each.mass for each in pump.core.world.given)) // 1_000_000


def hour(pump: Stand) -> int:
    """ng that leave the tip in the next hour."""
    before = mass(pump)
    pump.firmware.advance(HOUR)
    return mass(pump) - before


# --- words ---------------------------------------------------------------------------


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(faulting.KINDS)


@pytest.mark.parametrize("word", EXAMPLES)
def test_every_kind_is_read_done_and_told(word: str) -> None:
    pump = Stand(frozen=True, model="SP40S" if word == "sensor" else "SP40")
    pump.fault(word)
    kept = FAULTS[faulting.kind_of(word)].lasts is not Lasts.AT_ONCE
    seen = inspect_core(pump.core, "x")
    assert [each.kind for each in seen.truth.faults] == ([word] if kept else [])
    assert from_plain(Asked, to_plain(asked(word, EXAMPLES[word]))) == asked(word, EXAMPLES[word])
    assert faulting.clear(pump, word) == kept
    assert not pump.core.world.faults


@pytest.mark.parametrize("word", EXAMPLES)
def test_what_a_kind_does_not_take_is_refused_by_name(word: str) -> None:
    must, may = faulting.may_take(faulting.kind_of(word))
    every = {
        "percent": Words(percent="1 %"),
        "volume": Words(volume="1 mL"),
        "concentration": Words(concentration="500 mcg/mL"),
        "delay": Words(delay="1 s"),
        "count": Words(how_many=1),
        "way": Words(way="less"),
        "for": Words(lasts="1 h"),
        "at": Words(region="slots"),
        "copy": Words(copy=1),
    }
    for name, words in every.items():
        if name not in {*must, *may}:
            with pytest.raises(UsageError, match=f"{word} takes ") as refused:
                asked(word, words, mark="--")
            assert all(f"--{each}" in refused.value.message for each in (*must, *may))
    if must:
        with pytest.raises(UsageError, match=f"{word} takes --{must[0]}"):
            asked(word, Words(), mark="--")


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("nothing", Words()),
        ("leak", Words(percent="101 %")),
        ("leak", Words(percent="15")),
        ("leak", Words(percent="-15 %")),
        ("calibration", Words(percent="51 %")),
        ("calibration", Words(percent="5 %", way="down")),
        ("stall", Words(lasts="0 h")),
        ("stall", Words(lasts="4000 d")),
        ("memory", Words(how_many=3)),
        ("flash-bit", Words(region="attic")),
        ("flash-bit", Words(region="slots", copy=3)),
        ("flash-bit", Words(region="log", copy=1)),
        ("flash-bit", Words(copy=1)),
        ("wrong-fill", Words(concentration="9000 mg/mL")),
    ],
)
def test_what_cannot_be_is_refused(word: str, words: Words) -> None:
    with pytest.raises(UsageError) as refused:
        asked(word, words)
    assert refused.value.message


@pytest.mark.parametrize("word", EXAMPLES)
def test_an_amount_of_zero_is_a_fault_only_where_it_does_something(word: str) -> None:
    kind = faulting.kind_of(word)
    if not FAULTS[kind].takes:
        faulting.check(kind, 0)
    elif FAULTS[kind].zero:
        faulting.check(kind, 0)
        assert word in {"wrong-fill", "calibration", "battery"}
    else:
        with pytest.raises(UsageError):
            faulting.check(kind, 0)


@pytest.mark.parametrize(
    ("word", "words", "says"),
    [
        ("memory", Words(how_many=-1), "memory of -1"),
        ("flash-bit", Words(how_many=-7), "flash-bit of -7"),
        ("calibration", Words(percent="60 %", way="less"), "calibration of 60 % less"),
        ("leak", Words(percent="101 %"), "leak of 101 %"),
    ],
)
def test_a_refused_amount_keeps_its_sign(word: str, words: Words, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(word, words)
    assert refused.value.message == says


@pytest.mark.parametrize("word", [word for word, kind in faulting.KINDS.items()
                                  if FAULTS[kind].lasts in {Lasts.TIME, Lasts.CLEARED}
                                  and word != "sensor"])  # fmt: skip
def test_the_same_again_replaces_the_one_before(word: str, pump: Stand) -> None:
    assert faulting.do(pump, asked(word, EXAMPLES[word])).replaced == 0
    assert faulting.do(pump, asked(word, EXAMPLES[word]._replace(lasts=""))).replaced == 1
    (kept,) = pump.core.world.faults
    assert kept.until is None


def test_what_waits_for_a_fill_waits_in_turn(pump: Stand) -> None:
    for volume in ("1 mL", "2 mL"):
        assert faulting.do(pump, asked("pocket", Words(volume=volume))).replaced == 0
    assert len(pump.core.world.faults) == 2


def test_what_cannot_have_an_effect_is_refused(pump: Stand) -> None:
    with pytest.raises(UsageError, match="SP40 has no sensor"):
        pump.fault("sensor")
    pump.fault("drain", Words(volume="50 mL"))
    with pytest.raises(UsageError, match="really empty"):
        pump.fault("drain", Words(volume="1 mL"))
    pump.fault("battery", Words(percent="12 %"))
    with pytest.raises(UsageError, match="12 % of its charge"):
        pump.fault("battery", Words(percent="50 %"))


def test_what_really_moved_is_told(pump: Stand) -> None:
    assert faulting.do(pump, asked("drain", Words(volume="38 mL"))).moved == 38_000_000
    assert faulting.do(pump, asked("drain", Words(volume="38 mL"))).moved == 2_000_000
    pump.fault("pocket", Words(volume="3 mL"))
    fill = asked("fill", Words(volume="10 mL", concentration="500 mcg/mL"))
    assert faulting.do(pump, fill).moved == 7_000_000


def test_shares_are_parts_in_a_million() -> None:
    assert asked("clock-drift", Words(percent="50 ppm")).amount == 50
    assert asked("clock-drift", Words(percent="50 ppm", way="less")).amount == -50
    assert asked("leak", Words(percent="15 %")).amount == 150_000
    assert asked("corrupt", Words(percent="0.0001 %")).amount == 1


def test_the_table_for_people_has_every_kind() -> None:
    rows = faulting.rows()
    assert len(rows) == len(FAULTS)
    for row, effect in zip(rows, FAULTS.values(), strict=True):
        assert row.startswith(f"| `{effect.word}` | {effect.does} |")
        assert row.count("|") == 5


# --- effects -------------------------------------------------------------------------


def test_a_stall_ends_by_itself(pump: Stand) -> None:
    pump.fault("stall")
    assert hour(pump) == 0
    assert pump.status().delivery.name == "STALLED"
    pump.firmware.advance(5 * HOUR)
    assert hour(pump) == 10_000
    assert not pump.core.world.faults
    assert inspect_core(pump.core, "x").lost_pulses == 1_200


def test_an_occlusion_is_seen_by_nobody_until_it_is_cleared(pump: Stand) -> None:
    pump.fault("occlusion")
    assert hour(pump) == 0
    assert (pump.status().delivery.name, pump.alarms()) == ("DELIVERING", set())
    assert inspect_core(pump.core, "x").truth.motor_turns
    faulting.clear(pump)
    assert hour(pump) == 10_000


def test_a_leak_takes_its_share(pump: Stand) -> None:
    pump.fault("leak", Words(percent="25 %", lasts="1 h"))
    assert hour(pump) == 7_500
    assert hour(pump) == 10_000
    seen = inspect_core(pump.core, "x")
    assert seen.truth.leaked["baclofen"].quanta == 2_500
    assert seen.truth.leaked_volume.quanta == 5_000


def test_a_pulse_that_moves_more(pump: Stand) -> None:
    pump.fault("calibration", Words(percent="15 %"))
    assert inspect_core(pump.core, "x").truth.pulse == 115_000
    assert hour(pump) == 11_500
    pump.fault("calibration", Words(percent="15 %", way="less"))
    assert hour(pump) == 8_500


def test_a_crystal_that_is_too_fast_is_so_until_it_is_cleared(pump: Stand) -> None:
    pump.fault("clock-drift", Words(percent="1 %"))
    began = pump.core.clock.counter
    pump.firmware.advance(100 * MINUTE)
    assert pump.core.clock.counter - began == 101 * MINUTE
    pump.fault("clock-drift", Words(percent="1 %", way="less"))
    assert len(pump.core.world.faults) == 1, "a crystal has one error"
    pump.firmware.advance(100 * MINUTE)
    assert pump.core.clock.counter - began == 200 * MINUTE
    pump.fault("retained")  # the crystal does not forget
    began = pump.core.clock.counter
    pump.firmware.advance(100 * MINUTE)
    assert pump.core.clock.counter - began == 99 * MINUTE
    faulting.clear(pump, "clock-drift")
    pump.firmware.advance(100 * MINUTE)
    assert pump.core.clock.counter - began == 199 * MINUTE


def test_needle_and_syringe(pump: Stand) -> None:
    pump.fault("drain", Words(volume="10 mL"))
    assert inspect_core(pump.core, "x").reservoir.quanta == 30_000_000
    pump.fault("wrong-fill", Words(concentration="2000 mcg/mL"))
    pump.fault("pocket", Words(volume="1 mL"))
    pump.fault("fill", Words(volume="10 mL", concentration="500 mcg/mL"))
    seen = inspect_core(pump.core, "x")
    assert seen.reservoir.quanta == 39_000_000
    assert seen.truth.reservoir_concentration.quanta == (30 * 500 + 9 * 2000 + 19) // 39
    assert seen.truth.spilled["baclofen"].quanta == 2_000_000
    assert not seen.truth.faults
    assert seen.estimate.quanta == 40_000_000, "nothing was recorded"


@pytest.mark.requirement("ALM-01")
def test_a_low_cell_is_found_at_once(pump: Stand) -> None:
    pump.fault("battery")
    assert AlarmCode.ELECTIVE_REPLACEMENT in pump.alarms()
    assert inspect_core(pump.core, "x").charge == 1_200
    pump.fault("battery", Words(percent="0 %"))
    assert pump.status().battery is Battery.END_OF_SERVICE
    assert pump.status().delivery.name == "STOPPED"


@pytest.mark.requirement("PRG-07")
def test_memory_one_copy_and_both(pump: Stand) -> None:
    pump.fault("memory", Words(how_many=1))
    assert pump.alarms() == {AlarmCode.MEMORY_ONE_COPY}
    assert hour(pump) == 10_000
    pump.fault("memory")
    assert AlarmCode.MEMORY_BOTH_COPIES in pump.alarms()
    assert hour(pump) == 5_000


@pytest.mark.requirement("PMP-02")
@pytest.mark.parametrize("copy", [1, 2])
@pytest.mark.parametrize("region", ["implant", "fallback", "record", "slots", "control"])
def test_bits_flip_in_the_copy_in_force(region: str, copy: int, pump: Stand) -> None:
    before = bytes(pump.store.image)
    pump.fault("flash-bit", Words(how_many=4, region=region, copy=copy))
    after = pump.store.image
    hit = [at for at, byte in enumerate(before) if after[at] != byte and at >= 12 * PAGE]
    assert len(hit) == 4
    control = pump.core.control
    first = {
        "implant": IMPLANT,
        "fallback": FALLBACK[control.fallback_pair],
        "record": RECORD[control.record_pair],
        "slots": SLOTS[control.running],
        "control": CONTROL[control.sequence % 2],
    }[region][copy - 1]
    pages = next(count for start, count in REGIONS[region] if start == first)
    assert all(first <= at // PAGE < first + pages for at in hit)
    assert hour(pump) == 10_000
    assert pump.alarms() == {AlarmCode.MEMORY_ONE_COPY}, "found within the hour, and repaired"


def test_bits_flip_anywhere_and_never_where_nothing_is(pump: Stand) -> None:
    before = bytes(pump.store.image)
    pump.fault("flash-bit", Words(how_many=50))
    old, new = before[12 * PAGE :], bytes(pump.store.image[12 * PAGE :])
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 50
    with pytest.raises(UsageError, match="limits"):
        pump.fault("flash-bit", Words(region="limits"))


@pytest.mark.requirement("BOL-04")
def test_a_start_keeps_the_program_and_ends_the_session(pump: Stand) -> None:
    line = paired(pump)
    assert isinstance(line.ask(m.GetStatus()), m.Status)
    pump.fault("reboot")
    assert pump.core.boot == 2
    assert line.ask(m.GetStatus()) is None
    assert hour(pump) == 10_000
    writes = pump.core.flash_operations
    pump.fault("reboot")
    assert pump.core.flash_operations >= writes, "counted on, and not twice"
    assert pump.core.flash_operations < 2 * writes


def test_the_always_on_memory_is_lost_and_the_world_is_not(pump: Stand) -> None:
    pump.firmware.advance(DAY + 30 * MINUTE)
    pump.fault("leak", Words(percent="50 %"))
    before = mass(pump)
    pump.fault("retained")
    assert pump.alarms() == {AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST}
    assert mass(pump) == before
    assert hour(pump) == 5_000
    assert [each.kind for each in pump.core.world.faults] == [FaultKind.LEAK]


@pytest.mark.requirement("TEL-03")
def test_faults_of_the_line_reach_it(pump: Stand) -> None:
    for word in ("drop", "delay", "duplicate", "corrupt", "disconnect"):
        pump.fault(word)
    settings = faults_of_world(pump.firmware)
    assert settings == (300_000, 500_000, 20, 2_000, True)
    faulting.clear(pump)
    assert faults_of_world(pump.firmware) == (0, 0, 0, 0, False)


def test_a_held_motor_and_its_truth_cross_the_socket(pump: Stand) -> None:
    pump.firmware.advance(30 * HOUR)
    pump.fault("mri")
    acted = Acted(inspect_core(pump.core, "x"), None, 3)
    assert from_plain(Acted, to_plain(acted)) == acted
    assert not acted.seen.truth.motor_turns
    assert len(acted.seen.truth.hours) == 30
    assert sum(each.mass.quanta for each in acted.seen.truth.hours) == 300_000
    assert acted.seen.truth.spells[0].concentration.quanta == 500
    assert acted.seen.believed.given == acted.seen.delivered
    with pytest.raises(TypeError):
        to_plain(1.5)
    with pytest.raises(TypeError):
        from_plain(float, 1)
