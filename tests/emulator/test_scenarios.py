"""Patient stories: every shipped one comes true, and every kind of expectation can fail."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from pumpctl.emulator import player
from pumpctl.emulator.edge import bench, faulting
from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory.flash import MemoryStore
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.player_steps import FACTORY_PROGRAM, Expect, Look, Step
from pumpctl.errors import ScenarioFaulty, UsageError
from pumpctl.workflows.scenario import scenarios
from pumpctl.workflows.scenario import shape as scenario_shape
from tests.emulator.support import MONDAY, Entropy

ROOT = Path(scenarios.__file__).parents[2] / "scenarios"
INCIDENTS = {3, 5, 6, 8, 9, 10, 11, 12, 13}


def played(story: scenarios.Scenario) -> player.Played:
    entropy = Entropy(story.name)
    new = bench.make(
        now=lambda: story.begins.utc_ms,
        entropy=entropy,
        volume=story.volume,
        concentration=story.concentration,
        model=story.model,
        frozen=True,
        offset_min=story.begins.offset_min,
        pulse_error=story.pulse_error,
    )
    return player.play(
        new.content, story.steps, began=story.begins.utc_ms, tag=b"somebody", entropy=entropy
    )


def wrong(story: scenarios.Scenario) -> list[str]:
    return [each for told in played(story).timeline for each in told.wrong]


def text_of(name: str) -> str:
    return (ROOT / f"{name}.toml").read_text("utf-8")


def changed(name: str, old: str, new: str) -> scenarios.Scenario:
    """A shipped story with one thing in it changed."""
    text = text_of(name)
    assert old in text, old
    return scenarios.read_text(text.replace(old, new, 1), name, beside=None)


# --- the shipped ones ---------------------------------------------------------------------------


@pytest.mark.requirement("PRG-03")
@pytest.mark.requirement("STP-03")
@pytest.mark.requirement("TIM-03")
@pytest.mark.requirement("PMP-03")
@pytest.mark.parametrize("name", scenarios.shipped())
def test_a_shipped_story_comes_true(name: str) -> None:
    story = scenarios.read(name)
    assert wrong(story) == []
    assert story.story
    assert story.source
    assert any(step.expect != Expect() for step in story.steps)


def test_the_incidents_that_happen_in_a_pump_are_told() -> None:
    found = {scenarios.read(name).incident for name in scenarios.shipped()}
    assert found >= INCIDENTS
    assert len(scenarios.shipped()) >= 10


def test_they_are_quick() -> None:
    began = time.monotonic()
    for name in scenarios.shipped():
        played(scenarios.read(name))
    assert time.monotonic() - began < 20


def test_a_story_is_the_same_every_time() -> None:
    story = scenarios.read("mri")
    assert played(story) == played(story)


def test_the_pump_goes_on_from_where_the_story_left_it() -> None:
    story = scenarios.read("forgotten-bridge")
    content = played(story).content
    firmware = Firmware.attach(
        flash_of(MemoryStore(content)), now=lambda: MONDAY, entropy=Entropy("later")
    )
    assert firmware.core.control.concentration == 2000
    assert firmware.core.clock.counter == story.steps[-1].at


# --- every expectation can fail ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("mri", 'delivery = "stalled"', 'delivery = "delivering"', "delivery: stalled"),
        ("mri", 'alarms = ["MOTOR_STALL"]', 'alarms = ["none"]', "alarms: MOTOR_STALL"),
        ("mri", 'alarms = ["none"]', 'alarms = ["MOTOR_STALL"]', "alarms: none"),
        ("mri", 'past_tip = "10 mcg"', 'past_tip = "9.9 mcg"', "past_tip: 10 mcg"),
        ("mri", 'past_tip = "0 mcg"', 'past_tip = "0.1 mcg"', "past_tip: 0 mcg"),
        ("over-infusion", '"15000 mcg"', '"17250 mcg"', "believed_past_tip: 15000 mcg"),
        ("over-infusion", '"10 mL"', '"5.5 mL"', "reservoir: 10 mL"),
        ("over-infusion", '"5.5 mL"', '"10 mL"', "true_reservoir: 5.5 mL"),
        ("over-infusion", 'drained = "0.9 mL"', 'drained = "6 mL"', "drained: 0.9 mL"),
        ("long-stall", 'refused = "CRITICAL_ALARM"', 'refused = "LOCKOUT"', "CRITICAL_ALARM"),
        ("long-stall", 'expect = { refused = "CRITICAL_ALARM" }', "", "expected nothing"),
        ("mri", 'running = "usual"', 'running = "factory"', "running:"),
        ("long-stall", 'running = "restart"', 'running = "usual"', "running:"),
        ("daylight-saving", "boluses = 2", "boluses = 3", "boluses: 2"),
        ("daylight-saving", "missed = 48", "missed = 0", "missed: 48"),
        ("forgotten-bridge", 'at_tip = "500 mcg/mL"', 'at_tip = "2000 mcg/mL"', "at_tip: 500"),
        ("unfinished-update", "at = 19", "at = 20", "running:"),
        ("unfinished-update", "at = 20", "at = 900", "the cut never came"),
    ],
)
def test_what_does_not_come_true_is_told(name: str, old: str, new: str, says: str) -> None:
    found = wrong(changed(name, old, new))
    assert found
    assert any(says in each for each in found), found


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("mri", 'fault = { kind = "mri", for = "1 h" }', 'do = "look"'),
        ("over-infusion", 'pulse_error = "15 %"', ""),
        (
            "wrong-concentration",
            'concentration = "2000 mcg/mL" }',
            'concentration = "500 mcg/mL" }',
        ),
        ("blocked-catheter", 'fault = { kind = "occlusion" }', 'do = "look"'),
        ("forgotten-bridge", 'do = "late-bridge"', 'do = "look"'),
        ("forgotten-bridge", 'program = "new" }', 'program = "new", bridge = "yes" }'),
        ("pocket-fill", 'fault = { kind = "pocket", volume = "5 mL" }', 'do = "look"'),
        (
            "lying-sensor",
            'fault = { kind = "sensor", volume = "3 mL", way = "more" }',
            'do = "look"',
        ),
        ("daylight-saving", 'clock = { forward = "1 h" }', 'do = "look"'),
        ("memory-loss", "count = 2", "count = 1"),
        ("patient-doses", 'lockout = "4 h"', 'lockout = "1 h"'),
        ("battery-end", 'percent = "12 %"', 'percent = "13 %"'),
        ("computed-empty", 'pulse_way = "less"', ""),
        ("long-stall", 'for = "60 h"', 'for = "40 h"'),
    ],
)
def test_a_story_without_its_cause_does_not_come_true(name: str, old: str, new: str) -> None:
    assert wrong(changed(name, old, new))


@pytest.mark.parametrize(("off", "fine"), [(0, True), (50, True), (-50, True), (51, False)])
def test_a_pulse_more_or_less_is_no_difference(off: int, fine: bool) -> None:
    """One pulse moves 50 ng at 500 mcg/mL."""
    story = scenarios.read("long-stall")
    begins, stalls = story.steps[:2]
    assert stalls.expect.past_tip == 240_000
    moved = stalls._replace(expect=stalls.expect._replace(past_tip=240_000 + off))
    assert (wrong(story._replace(steps=(begins, moved))) == []) is fine


def test_only_a_frozen_pump_at_the_bench_is_played_on() -> None:
    look = Step(0, "look", Look(), "look", None, Expect(running=FACTORY_PROGRAM))
    for frozen, bench_mode in ((False, True), (True, False)):
        new = bench.make(now=lambda: MONDAY, entropy=Entropy("x"), frozen=frozen, bench=bench_mode)
        with pytest.raises(UsageError):
            player.play(new.content, [look], began=MONDAY, tag=b"somebody", entropy=Entropy("y"))


# --- files ---------------------------------------------------------------------------

LEAST = """\
format = 1
title = "Least"
story = "Nothing happens."
source = "a test"
[pump]
clock = "2026-08-31T00:00:00Z"
concentration = "500 mcg/mL"
[[program]]
name = "own"
concentration = "500 mcg/mL"
mode = "continuous"
daily_dose = "100 mcg/day"
fallback_rate = "60 mcg/day"
[[step]]
at = "0 h"
note = "Nothing."
do = "look"
expect = { running = "factory", delivery = "minimum" }
"""


def faults(text: str) -> dict[str, tuple[int | None, str]]:
    with pytest.raises(ScenarioFaulty) as refused:
        scenarios.read_text(text, "story", beside=None)
    assert isinstance(refused.value.findings, tuple)
    assert refused.value.exit_code == 3
    return {each.id: (each.line, each.message) for each in refused.value.findings}


def test_the_least_story() -> None:
    assert wrong(scenarios.read_text(LEAST, "least", beside=None)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("format = 1", "format = 2", "SCENARIO_FORMAT", 1),
        ('clock = "2026-08-31T00:00:00Z"', 'clock = "today"', "SCENARIO_TIME", 6),
        ('clock = "2026-', 'clock = "1926-', "SCENARIO_TIME", 6),
        ('clock = "2026-', 'clock = "2100-', "SCENARIO_TIME", 6),
        ('at = "0 h"', 'at = "3661 d"', "SCENARIO_TIME", 15),
        ('at = "0 h"', 'at = "25:00"', "SCENARIO_TIME", 15),
        ('at = "0 h"', 'at = "1 d"\nafter = "1 h"', "SCENARIO_TIME", 14),
        ('at = "0 h"\n', "", "SCENARIO_TIME", 14),
        ('do = "look"', 'do = "look"\nclear = "all"', "SCENARIO_ACT", 14),
        ('do = "look"\n', "", "SCENARIO_ACT", 14),
        ('do = "look"', 'do = "look"\nlink_lost = "staged"', "SCENARIO_ACT", 18),
        ('do = "look"', 'do = "lok"', "VALUE_CHOICE", 17),
        ('do = "look"', 'program = "other"', "SCENARIO_NAME", 17),
        ('running = "factory"', 'running = "other"', "SCENARIO_NAME", 18),
        ('running = "factory"', 'alarms = ["none", "MOTOR_STALL"]', "SCENARIO_NAME", 18),
        ('name = "own"', 'name = "factory"', "SCENARIO_NAME", 9),
        ('daily_dose = "100 mcg/day"', 'daily_dose = "100 mcg/h"', "QUANTITY", 12),
        ('daily_dose = "100 mcg/day"\n', "", "KEY_MISSING", 8),
        ("[[program]]", 'volume = "50 mL"\n[[program]]', "SCENARIO_PUMP", 8),
        ("[[program]]", 'model = "SP20"\nvolume = "21 mL"\n[[program]]', "SCENARIO_PUMP", 9),
        ("[[program]]", 'volume = "0 mL"\n[[program]]', "SCENARIO_PUMP", 8),
        ('concentration = "500 mcg/mL"\n[[', 'concentration = "501 mcg/mL"\n[[',
         "SCENARIO_PUMP", 7),
        ('do = "look"', 'fault = { kind = "sensor", volume = "1 mL" }', "SCENARIO_FAULT", 17),
        ('do = "look"', 'fault = { kind = "leak", percent = "0 %" }', "SCENARIO_FAULT", 17),
        ('do = "look"', 'fault = { kind = "leak" }', "SCENARIO_FAULT", 17),
        ('do = "look"', 'fault = { kind = "leak", percent = "200 %" }', "SCENARIO_FAULT", 17),
        ('do = "look"', 'clock = { forward = "1 h", back = "1 h" }', "SCENARIO_TIME", 17),
        ('do = "look"', 'clock = { utc_offset = "east" }', "SCENARIO_TIME", 17),
        ("[[program]]", '[[profile]]\nname = "p"\nfile = "p.toml"\n[[program]]',
         "SCENARIO_PROGRAM", 10),
    ],
)  # fmt: skip
def test_a_fault_is_told_where_it_is(old: str, new: str, rule: str, line: int) -> None:
    assert old in LEAST
    found = faults(LEAST.replace(old, new, 1))
    assert found[rule][0] == line, found


def test_volumes_are_told_in_millilitres() -> None:
    _, told = faults(LEAST.replace("[[program]]", 'volume = "50 mL"\n[[program]]'))["SCENARIO_PUMP"]
    assert "50 mL" in told
    assert "40 mL" in told
    assert "nL" not in told


def test_a_story_lasts_ten_years_in_all() -> None:
    more = '[[step]]\nafter = "366 d"\nnote = "Later."\ndo = "look"\n'
    fits = scenarios.read_text(LEAST + more * 10, "story", beside=None)
    assert fits.steps[-1].at == faulting.LONGEST_MS
    late = more.replace("366 d", "1 s")
    assert faults(LEAST + more * 10 + late)["SCENARIO_TIME"][0] == 18 + 4 * 10 + 2


def test_no_alarm_has_two_spellings() -> None:
    for spelling in ("[]", '["none"]'):
        text = LEAST.replace('running = "factory"', f"alarms = {spelling}")
        (step,) = scenarios.read_text(text, "story", beside=None).steps
        assert step.expect.alarms == frozenset()
        assert not wrong(scenarios.read_text(text, "story", beside=None))
    stalled = LEAST.replace('running = "factory"', "alarms = []").replace("minimum", "stalled")
    stalled = stalled.replace('do = "look"', 'fault = { kind = "stall" }')
    again = '[[step]]\nafter = "1 h"\nnote = "x"\ndo = "look"\nexpect = { alarms = [] }\n'
    found = wrong(scenarios.read_text(stalled + again, "story", beside=None))
    assert any("alarms: MOTOR_STALL" in each for each in found), found
    assert "VALUE_KIND" in faults(LEAST.replace('running = "factory"', 'alarms = ""'))


def test_a_syntax_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("format = ", "utf-8")
    with pytest.raises(ScenarioFaulty, match=re.escape(f"{path}:1:")):
        scenarios.read(str(path))
    path.write_text("format = 2", "utf-8")
    with pytest.raises(ScenarioFaulty, match=re.escape(f"{path}: ")):
        scenarios.read(str(path))


LOSS = """\
[[step]]
after = "10 min"
note = "Programmed."
program = "own"
[[step]]
at = "10:40"
note = "The always-on memory is lost, and what the log does not know."
fault = { kind = "retained" }
expect = { past_tip = "43.75 mcg" }
[[step]]
after = "1 h"
note = "It counts on."
do = "look"
expect = { past_tip = "4.15 mcg", believed_past_tip = "4.15 mcg" }
"""


def test_a_count_that_was_lost_is_not_a_negative_mass() -> None:
    story = scenarios.read_text(LEAST + LOSS, "story", beside=None)
    assert wrong(story) == []
    lost = story.steps[2]
    looked = lost._replace(at=lost.at, act=Look(), what="look", expect=Expect())
    nothing = lost._replace(expect=Expect(believed_past_tip=0))
    told = played(story._replace(steps=(*story.steps[:2], looked, nothing))).timeline
    assert told[2].seen.believed_past_tip == 43_750
    assert told[3].seen.believed_past_tip is None
    assert told[3].seen.past_tip == 0
    assert told[3].wrong == ("believed_past_tip: none, expected 0 mcg",)


def test_a_fault_that_cannot_be_is_told_and_the_story_goes_on() -> None:
    text = LEAST.replace('do = "look"', 'fault = { kind = "flash-bit", at = "limits" }')
    found = wrong(scenarios.read_text(text, "story", beside=None))
    assert found == ["it could not be done: nothing is written in region limits"]


def test_a_refill_of_an_empty_reservoir_draws_nothing() -> None:
    program = """\
[[step]]
after = "1 h"
note = "Drawn."
fault = { kind = "drain", volume = "50 mL" }
expect = { true_reservoir = "0 mL" }
[[step]]
after = "0 s"
note = "Refill."
refill = { injected = "40 mL", program = "own" }
expect = { drained = "0 mL", true_reservoir = "40 mL", reservoir = "40 mL" }
"""
    assert wrong(scenarios.read_text(LEAST + program, "story", beside=None)) == []


def test_all_faults_in_one_go() -> None:
    text = LEAST.replace('clock = "2026-08-31T00:00:00Z"', 'clock = "today"')
    text = text.replace('at = "0 h"', 'at = "soon"').replace('do = "look"', 'program = "x"')
    with pytest.raises(ScenarioFaulty) as refused:
        scenarios.read_text(text, "story", beside=None)
    assert isinstance(refused.value.findings, tuple)
    assert len(refused.value.findings) == 3


def test_a_profile_lies_beside_its_story(tmp_path: Path) -> None:
    story = LEAST.replace("[[program]]", '[[profile]]\nname = "p"\nfile = "p.toml"\n[[program]]')
    story = story.replace('do = "look"\n', 'program = "p"\n').replace("factory", "p")
    story = story.replace("minimum", "delivering")
    (tmp_path / "story.toml").write_text(story, "utf-8")
    profile = (Path(__file__).parents[2] / "profiles" / "continuous.toml").read_text("utf-8")
    concentration = re.search(r'concentration = "(.*?)"', profile)
    assert concentration
    own = story.replace('concentration = "500 mcg/mL"', concentration[0], 1)
    (tmp_path / "story.toml").write_text(own, "utf-8")
    with pytest.raises(ScenarioFaulty):
        scenarios.read(str(tmp_path / "story.toml"))
    (tmp_path / "p.toml").write_text(profile, "utf-8")
    assert wrong(scenarios.read(str(tmp_path / "story.toml"))) == []
    (tmp_path / "p.toml").write_text("format = ", "utf-8")
    with pytest.raises(ScenarioFaulty):
        scenarios.read(str(tmp_path / "story.toml"))


@pytest.mark.parametrize("file", ["/etc/passwd", "../p.toml"])
def test_no_file_from_elsewhere_is_opened(file: str) -> None:
    text = LEAST.replace("[[program]]", f'[[profile]]\nname = "p"\nfile = "{file}"\n[[program]]')
    with pytest.raises(ScenarioFaulty):
        scenarios.read_text(text, "story", beside=ROOT)


def test_a_program_beyond_the_pumps_limits_is_for_the_pump_to_refuse() -> None:
    text = LEAST.replace("100 mcg/day", "3100 mcg/day").replace("60 mcg/day", "2000 mcg/day")
    text = text.replace('do = "look"', 'program = "own"').replace(
        'running = "factory"', 'refused = "LIMIT_RATE"'
    )
    story = scenarios.read_text(text, "story", beside=None)
    (told,) = played(story).timeline
    assert told.refused is not None
    assert told.refused.startswith("LIMIT")


def test_every_key_is_in_the_table_for_people() -> None:
    rows = scenario_shape.rows()
    text = "\n".join(rows)
    for key in ("format", "pump.clock", "program[].name", "step[].at", "step[].fault.kind"):
        assert f"| `{key}` |" in text
    for act in scenario_shape.ACTS:
        assert f"| `step[].{act}` |" in text
    for name in Expect._fields:
        assert f"| `step[].expect.{name}` |" in text
    assert len(set(rows)) == len(rows)


def test_no_such_story() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        scenarios.read("nowhere")
    with pytest.raises(ScenarioFaulty, match="cannot be read"):
        scenarios.read("nowhere.toml")
    with pytest.raises(ScenarioFaulty, match=":1:"):
        scenarios.read_text("format = ", "story", beside=None)
