"""Whole runs: the emulator passes, and is left as it was found; what ends a run early."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pumpctl.conformance import report
from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import DUTIES, NOT_TESTED, cases, duty_of
from pumpctl.conformance.faults import NotAdmin, NotOnTheBench, NotRestorable
from pumpctl.conformance.ready import NotFit
from pumpctl.conformance.run import chosen, left_out, matching, run
from pumpctl.emulator.firmware import Firmware
from pumpctl.errors import Corrupt, UsageError
from pumpctl.transport.line import LineLost
from pumpctl.wire import messages as m
from pumpctl.wire.codes import AlarmCode, BolusKind, Delivery, Priority, Refuse, Role
from pumpctl.wire.messages_acts import StageBolus
from pumpctl.wire.program import program_hash
from tests.conformance.benches import bench_for, keys, made, paired_pump, ran, with_table
from tests.emulator.roads import stall
from tests.emulator.support import HOUR, TAG, flex, lose_program, paired
from tests.emulator.support import Bench as Emulator

EVERY = len(cases())
NEED_TIME = {
    "P2-bridge",
    "P2-bridge-passed",
    "P2-bridge-end",
    "P8-bridge-bolus",
    "P8-bridge-increase",
    "P19-bridge",
    "P2-refill-bridge",
    "P2-refill-since",
}
"""They wait for pulses, which a pump never gives whose time stands still."""


@pytest.mark.parametrize(
    "pump",
    [
        {"concentration": 2000},
        {"concentration": 500, "model": "SP20", "offset_min": -210},
        {"concentration": 1000, "volume": 9_000_000},
        {"concentration": 2000, "frozen": True},
    ],
    ids=["2000", "500", "1000", "frozen"],
)
def test_the_emulator_keeps_every_duty(pump: dict[str, Any]) -> None:
    emulator = made(**pump)
    emulator.firmware.advance(2 * HOUR)
    told = ran(emulator, keys(paired(emulator)))
    assert told.failed == ()
    assert told.restored
    assert len(told.results) > 230
    skipped = {one.id for one in told.not_tested}
    assert skipped >= set(NOT_TESTED)
    assert len(told.results) + len(skipped - set(NOT_TESTED)) == EVERY
    waits = NEED_TIME if pump.get("frozen") else set()
    assert skipped - set(NOT_TESTED) == {"P8-table-holder"} | waits
    assert emulator.status().alarms == ()


def test_a_pump_that_has_not_given_a_pulse() -> None:
    emulator = made(frozen=True)
    told = ran(emulator, keys(paired(emulator)))
    assert told.failed == ()
    assert "P2-bridge" in {one.id for one in told.not_tested}  # it could never end


def test_a_pump_that_holds_a_table_of_limits() -> None:
    pump, own = paired_pump()
    with_table(pump)
    told = ran(pump, own)
    assert told.failed == ()
    assert "P8-table-holder" in {result.id for result in told.results}


@pytest.mark.parametrize("stopped", [False, True])
def test_it_is_left_with_the_program_that_it_was_found_with(stopped: bool) -> None:
    pump, own = paired_pump()
    program = flex(400_000, 600_000, concentration=2000, fallback=300_000)
    pump.program(program)
    if stopped:
        pump.stop()
    before = pump.status()
    told = ran(pump, own)
    after = pump.status()
    assert told.failed == ()
    assert told.restored
    assert after.program_hash == program_hash(program)
    assert after.delivery is Delivery.DELIVERING
    assert (after.tag, after.concentration, after.line) == (TAG, 2000, before.line)
    assert after.time - after.counter == before.time - before.counter
    assert after.offset == before.offset
    assert abs(after.reservoir - before.reservoir) < 100_000
    assert after.filled_at == before.filled_at
    assert (after.bridge, after.bolus, after.staged) == (None, None, None)
    assert ("stopped" in told.left) is stopped


def test_a_second_run_on_the_same_pump_passes() -> None:
    pump, own = paired_pump()
    assert ran(pump, own).failed == ()
    assert ran(pump, own, seed="another day").failed == ()


def test_a_pump_without_a_patient_is_left_without_one() -> None:
    pump, own = paired_pump()
    assert pump.status().tag is None
    told = ran(pump, own, "P5-done")
    assert pump.status().tag is None
    assert told.left.endswith("as before.")


def test_the_line_is_spared() -> None:
    """Few greetings, so that no back-off of the pump's makes a run slow (SEC-07)."""
    pump, own = paired_pump()
    assert ran(pump, own).greetings < 80


# --- what a run refuses -------------------------------------------------------------


def _untouched(pump: Any, act: Callable[[], Any], error: type[Exception]) -> str:
    before = pump.status()
    first = before.log_next
    with pytest.raises(error) as caught:
        act()
    after = pump.status()
    assert after.state_version == before.state_version
    assert after.program_hash == before.program_hash
    assert [e.kind.name for e in pump.entries(first) if e.kind.name != "HOUR"] == []
    return str(caught.value)


def test_a_pump_that_is_not_on_the_bench_is_not_touched() -> None:
    pump = made(bench=False)
    own = keys(paired(pump))
    assert "NOT in bench mode" in _untouched(pump, lambda: ran(pump, own), NotOnTheBench)


def test_the_refusal_can_be_seen_to_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the question the same pump would be stopped and programmed."""
    pump = made(bench=False)
    own = keys(paired(pump))
    inner = Bench.get
    monkeypatch.setattr(
        Bench,
        "get",
        lambda self, message, reply: (
            inner(self, message, reply)._replace(bench=True)
            if reply is m.Identity
            else inner(self, message, reply)
        ),
    )
    ran(pump, own, "P19-stop")
    assert pump.status().state_version > 2


def test_only_an_admin_runs_it() -> None:
    pump, _ = paired_pump()
    own = keys(paired(pump, Role.CLINICIAN, "a clinician"))
    assert "clinician" in _untouched(pump, lambda: ran(pump, own), NotAdmin)


def test_what_could_not_be_put_back_is_not_begun() -> None:
    pump, own = paired_pump()
    order = StageBolus(bytes(8), BolusKind.SINGLE, 1000, HOUR)
    staged = pump.get(order, m.Staged)
    pump.ask(m.GetReadback())
    assert isinstance(pump.activate(staged, 5), m.Done)
    assert "bolus is running" in _untouched(pump, lambda: ran(pump, own), NotRestorable)
    pump, own = paired_pump()


def test_a_pump_that_does_not_tell_its_program_could_not_be_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pump, own = paired_pump()
    inner = Bench.ask
    refusal = m.Refusal(Refuse.UNSUPPORTED, "")
    monkeypatch.setattr(
        Bench,
        "ask",
        lambda self, asked: refusal if isinstance(asked, m.GetProgram) else inner(self, asked),
    )
    with pytest.raises(NotRestorable, match="does not tell"):
        ran(pump, own)


def stalled(pump: Emulator) -> None:
    """The motor is held, and the pump has noticed."""
    stall(pump, None)
    pump.firmware.advance(6 * HOUR)


def stalled_for_days(pump: Emulator) -> None:
    """So long that it is on the fallback as well."""
    stall(pump, None)
    pump.firmware.advance(60 * HOUR)


def emptied(pump: Emulator) -> None:
    """By its own account."""
    pump.core.engine.reservoir = 0
    pump.firmware.advance(HOUR)


@pytest.mark.parametrize(
    ("spoil", "alarm"),
    [
        (lose_program, "MEMORY_BOTH_COPIES"),
        (stalled, "MOTOR_STALL"),
        (stalled_for_days, "STOPPED_TOO_LONG"),
        (emptied, "EMPTY_RESERVOIR"),
    ],
)
def test_a_pump_that_is_not_fit_is_not_tested(
    spoil: Callable[[Emulator], None], alarm: str
) -> None:
    pump, own = paired_pump()
    spoil(pump)
    assert alarm in _untouched(pump, lambda: ran(pump, own), NotFit)


def test_a_state_without_its_alarm_is_named_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    inner = Bench.status
    monkeypatch.setattr(
        Bench, "status", lambda self: inner(self)._replace(delivery=Delivery.STALLED, alarms=())
    )
    with pytest.raises(NotFit, match="it says that it is STALLED"):
        ran(pump, own)


def test_an_alarm_that_is_not_critical_prevents_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    low = m.Alarm(AlarmCode.LOW_RESERVOIR, Priority.NONCRITICAL, 0, "low")
    inner = Bench.status
    monkeypatch.setattr(Bench, "status", lambda self: inner(self)._replace(alarms=(low,)))
    assert ran(pump, own, "P5-hash").failed == ()


def test_without_that_question_a_pump_would_fail_that_keeps_its_duties(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pump, own = paired_pump()
    stalled(pump)
    monkeypatch.setattr("pumpctl.conformance.ready._check_fit", lambda *_: None)
    assert ran(pump, own, "P2", "P19").failed != ()


def test_a_thing_that_speaks_nonsense_is_no_pump(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    bench = bench_for(pump, own)
    monkeypatch.setattr("pumpctl.emulator.firmware.handle", lambda *_: m.Pong(bytes(16)))
    with pytest.raises(Corrupt):
        run(bench, chosen(()))


# --- what ends one ---------------------------------------------------------------------


def test_ctrl_c_puts_the_program_back() -> None:
    pump, own = paired_pump()
    before = pump.status().program_hash

    def progress(done: int, _total: int, _name: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    told = run(bench_for(pump, own), chosen(["P19"]), progress=progress)
    assert told.interrupted
    assert told.restored
    assert len(told.results) == 3
    assert pump.status().program_hash == before
    assert pump.status().delivery is not Delivery.STOPPED


def test_a_line_that_breaks_fails_what_was_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    bench = bench_for(pump, own)
    wire: Any = bench.talk._line
    inner = wire.write

    def write(data: bytes) -> None:
        if wire.written > 20_000:
            raise LineLost("the line broke")
        inner(data)

    monkeypatch.setattr(wire, "write", write)
    told = run(bench, chosen(()))
    assert len(told.results) + len({one.id for one in told.not_tested} - set(NOT_TESTED)) == EVERY
    assert told.failed[-1].detail == "not run: the line broke"
    assert not told.restored
    assert "could NOT be put back" in told.left


def test_a_pump_that_dies_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    bench = bench_for(pump, own)
    count = [0]
    inner = Firmware.receive

    def receive(self: Firmware, data: bytes) -> bytes:
        count[0] += 1
        return inner(self, data) if count[0] < 100 else b""

    monkeypatch.setattr(Firmware, "receive", receive)
    told = run(bench, chosen(()))
    assert told.failed[-1].detail == "not run: the device cannot be made ready any more"
    assert bench.talk.greetings < 20
    assert not told.restored


# --- choosing and reporting ---------------------------------------------------------------


def test_tests_are_chosen_by_id_or_duty() -> None:
    assert [one.id for one in chosen(["P5-hash"])] == ["P5-hash"]
    assert {one.duty for one in chosen(["P9", "L2"])} == {"P9", "L2"}
    assert len(chosen(())) == EVERY
    with pytest.raises(UsageError, match="P5-hush"):
        chosen(["P5-hash", "P5-hush"])


def test_ids_are_read_in_any_case() -> None:
    assert [one.id for one in chosen(["p5-HASH"])] == ["P5-hash"]
    assert chosen(["p9"]) == chosen(["P9"]) != ()
    assert [one.id for one in left_out(["p12-BOOT"])] == ["P12-boot"]


def test_what_no_line_can_show_is_not_called_unknown() -> None:
    for name in ("P3", "p3-power-loss", "P7-damage"):
        with pytest.raises(UsageError, match="is not tested over a line") as caught:
            chosen(["P5-hash", name])
        (one,) = left_out([name if name != "P3" else "P3-power-loss"])
        assert one.reason in str(caught.value)
    assert matching(["P3"]) == ()
    assert [one.id for one in left_out(["P3"])] == ["P3-power-loss"]
    assert {one.id for one in left_out(())} == set(NOT_TESTED)
    assert left_out(["P5"]) == ()


def test_a_report_has_each_duty_once() -> None:
    pump, own = paired_pump()
    told = ran(pump, own, "P2-reads", "P11-reads", "P2", "P12")
    order = [duty_of(result.id) for result in told.results]
    blocks = [name for name, _ in groupby(order)]
    assert len(blocks) > len(set(order)), "they do not run in the order of the duties"
    text = report.lines(told)
    heads = [line.split("  ")[0] for line in text if line.partition("  ")[0] in DUTIES]
    assert heads == ["P2", "P11", "P12"]
    shown = [line.split()[1] for line in text if line.startswith(("  ok ", "  FAIL "))]
    assert sorted(shown) == sorted(result.id for result in told.results)
    assert any("P12-boot" in line for line in text)


def test_a_list_holds_what_was_asked_for() -> None:
    asked = matching(["p12"]), left_out(["p12"])
    assert [one["id"] for one in report.table(*asked)["duties"]] == ["P12"]
    assert all(line.startswith(("P12 ", "  P12-")) for line in report.table_lines(*asked))
    alone = report.table_lines(matching(["P3"]), left_out(["P3"]))
    assert alone[0].startswith("P3 ")
    assert "not tested" in alone[1]


def test_each_test_has_its_time() -> None:
    pump, own = paired_pump()
    now = iter(range(0, 10**6, 1_250))
    told = run(bench_for(pump, own), chosen(["P5-hash", "P5-nonce"]), ticks=lambda: next(now))
    assert [result.took_ms for result in told.results] == [1_250, 1_250]
    suite = ET.fromstring(report.junit(told)).find("testsuite")  # noqa: S314  (our own text)
    assert suite is not None
    assert suite.attrib["time"] == "2.500"
    assert [one.attrib["time"] for one in suite.findall("testcase")] == ["1.250", "1.250"]


def test_every_duty_is_tested_or_named_as_not() -> None:
    named = {one.duty for one in cases()} | {name.partition("-")[0] for name in NOT_TESTED}
    assert named == set(DUTIES)
    assert not {one.id for one in cases()} & set(NOT_TESTED)


def test_junit_holds_every_test_once() -> None:
    pump, own = paired_pump()
    told = ran(pump, own, "P19", "P4-table", "P2-bridge")
    spoiled = told._replace(
        results=(*told.results, told.results[0]._replace(id="P5-x", ok=False, detail="a\x01<b>"))
    )
    root = ET.fromstring(report.junit(spoiled))  # noqa: S314  (our own text)
    (suite,) = root.findall("testsuite")
    tests = suite.findall("testcase")
    assert len(tests) == int(suite.attrib["tests"])
    assert len(tests) == len(spoiled.results) + len(spoiled.not_tested)
    assert suite.attrib["failures"] == "1"
    assert {one.attrib["name"].partition("-")[0] for one in tests} == {
        one.attrib["classname"] for one in tests
    }
    (failed,) = [one for one in tests if one.find("failure") is not None]
    assert failed.attrib == {"classname": "P5", "name": "P5-x", "time": "0.000"}
    assert failed.findtext("failure") == "a?<b>"
    assert len([one for one in tests if one.find("skipped") is not None]) == len(told.not_tested)
