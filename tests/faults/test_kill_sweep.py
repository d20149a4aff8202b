"""The kill sweep in small, and the proof that it finds lies.

The whole of it is `python -m tests.faults.kill_sweep`.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import kill_sweep
from tests.faults.dying import MOMENTS, STATION
from tests.faults.relay import Cut, Direction, Victim
from tests.faults.rig import Template, make_template
from tests.faults.trial import ACTIVATE, PHASES, Ended, Plot, phase_of, trial

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
KILLS = 14
JOBS = 4


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Short: a unix socket's path has little room."""
    with tempfile.TemporaryDirectory(prefix="ks") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def template(folder: Path) -> Template:
    return make_template(folder)


@pytest.mark.requirement("PRG-03")
@pytest.mark.requirement("BOL-01")
@pytest.mark.requirement("BOL-05")
@pytest.mark.requirement("BOL-06")
@pytest.mark.requirement("AUD-01")
def test_nothing_untrue_is_said_wherever_station_or_pump_is_killed(
    template: Template,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    result = kill_sweep.sweep_with(template, folder, KILLS, seed, jobs=JOBS, sample_every=14)
    told = "\n".join([kill_sweep.table(result), *map(kill_sweep.describe, result.wrong)])
    record_property("kill sweep", told)
    with capsys.disabled():  # stderr is the one that pytest-xdist's workers share with it
        print(f"\n{told}", file=sys.stderr, flush=True)
    assert not result.wrong
    assert not result.missed
    assert result.kills >= KILLS


# --- it can fail: three planted lies, each found --------------------------------------------


def last_byte_of(template: Template, phase: str, victim: Victim) -> Plot:
    """Kill right after a phase has passed in whole."""
    frame = [each for each in template.passed if phase_of(each, template.names) == phase][-1]
    return Plot(phase, cut=Cut(frame.key, -1, True, victim))


def first_byte_of(template: Template, phase: str, victim: Victim) -> Plot:
    """Kill before anything of a phase has passed."""
    frame = next(each for each in template.passed if phase_of(each, template.names) == phase)
    return Plot(phase, cut=Cut(frame.key, 0, False, victim))


def lies(ended: Ended) -> list[str]:
    assert ended.phase is not None, "the kill did not fire"
    return [fault for fault in ended.faults if fault.startswith("LIE")]


def play(template: Template, folder: Path, plots: list[Plot]) -> list[Ended]:
    place = Path(tempfile.mkdtemp(prefix="p", dir=folder))
    return kill_sweep.play(template, place, plots, jobs=JOBS)


def test_the_sweep_finds_a_station_that_records_no_intent(template: Template, folder: Path) -> None:
    entry = ("tests.faults.planted_no_intent",)
    plots = [
        last_byte_of(template, ACTIVATE, Victim.STATION)._replace(station=entry),
        first_byte_of(template, "activate answer", Victim.STATION)._replace(station=entry),
    ]
    for ended in play(template, folder, plots):
        assert "LIE: the pump was changed, and the journal holds no intent of it" in lies(ended)
        assert any("nothing is open, and the pump was changed" in lie for lie in lies(ended))


def test_the_sweep_finds_a_station_that_calls_an_unanswered_activate_a_failure(
    template: Template, folder: Path
) -> None:
    entry = ("tests.faults.planted_certainty",)
    plots = [
        first_byte_of(template, "activate answer", victim)._replace(station=entry)
        for victim in (Victim.PUMP, Victim.LINE)
    ]
    for ended in play(template, folder, plots):
        assert lies(ended) == ["LIE: exit 5, changed no, and the pump runs the new program"]


def test_the_sweep_finds_a_pump_that_answers_before_it_commits(
    template: Template, folder: Path
) -> None:
    entry = ("tests.faults.planted_early_answer",)
    answered = last_byte_of(template, "activate answer", Victim.PUMP)
    assert answered.cut is not None
    plots = [
        answered._replace(pump=entry, cut=answered.cut._replace(pause=0.15)),
        first_byte_of(template, "verification", Victim.PUMP)._replace(pump=entry),
    ]
    for ended in play(template, folder, plots):
        assert any("changed yes, and the pump runs the old program" in lie for lie in lies(ended))


def test_the_sweep_says_when_a_part_of_the_road_was_never_hit(
    template: Template, folder: Path
) -> None:
    moment = next(each for each in MOMENTS if each.side == STATION)
    ended = trial(template, folder / "one", Plot(moment.phase, moment=moment))
    result = kill_sweep.Result(0, (ended,), 0.0)
    assert not result.wrong
    assert moment.phase not in result.missed
    assert ACTIVATE in result.missed
    assert "phases missed: greeting" in kill_sweep.table(result)


def test_every_byte_of_the_dry_run_belongs_to_a_phase(template: Template) -> None:
    for way in Direction:
        frames = [each for each in template.passed if each.key.direction is way]
        assert [each.start for each in frames] == [0, *(each.end for each in frames[:-1])]
    assert {phase_of(each, template.names) for each in template.passed} == set(PHASES)
