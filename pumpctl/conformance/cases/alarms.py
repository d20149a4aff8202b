"""The test of the alarm signal: bounded, logged, and nothing else (section 10)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import expect, needing, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Feature, LogKind, Priority, Refuse

needs = needing(Feature.ALARM_TEST)
_MOST_MS = 10_000


def _sound(bench: Bench, priority: Priority) -> m.AlarmSounds:
    """A test that sounds. A run may begin with a non-critical alarm, such as a low reservoir."""
    raised = bench.status().alarms
    if raised:
        raise NotApplicable(f"{raised[0].code.name} is raised and sounds itself")
    return bench.get(m.AlarmTest(priority), m.AlarmSounds)


@needs("P22-sounds", "A test sounds the pattern that was asked for, for at most 10 s.")
def sounds(bench: Bench) -> None:
    for priority in Priority:
        told = _sound(bench, priority)
        same("priority", told.priority, priority)
        expect(0 < told.lasts <= _MOST_MS, f"it sounds for {told.lasts} ms")


@needs("P22-logged", "ALARM_TESTED holds priority, duration and the key that asked.")
def logged(bench: Bench) -> None:
    for priority in Priority:
        first = bench.status().log_next
        told = _sound(bench, priority)
        found = [e for e in bench.entries(first) if e.kind is LogKind.ALARM_TESTED]
        due = [(priority, told.lasts, bench.own.key + bytes(12))]
        same("the entries", [(e.a, e.b, e.data) for e in found], due)


@needs("P22-no-alarm", "A test raises no alarm and no state version, and leaves what is staged.")
def no_alarm(bench: Bench) -> None:
    staged = bench.stage(bench.samples.flex())
    before = bench.status()
    _sound(bench, Priority.CRITICAL)
    after = bench.status()
    same("alarms", after.alarms, ())
    for what in ("state_version", "delivery", "rate", "program_hash", "reservoir", "bolus"):
        same(what, getattr(after, what), getattr(before, what))
    expect(after.staged is not None, "what was staged is gone")
    same("content", None if after.staged is None else after.staged.content, staged.content)


@needs("P22-refused", "While an alarm is raised a test is refused, and writes nothing.")
def refused(bench: Bench) -> None:
    low = bench.status().reservoir  # at or below it LOW_RESERVOIR is raised
    bench.put(bench.samples.flat()._replace(low_alarm=low))
    expect(bench.status().alarms != (), "no alarm for a reservoir that is low")
    with bench.nothing_written():
        bench.refused(m.AlarmTest(Priority.CRITICAL), Refuse.ALARM_RAISED)
