"""What a pump tells of itself fits together, and asking writes nothing (sections 8 to 11)."""

from __future__ import annotations

from fractions import Fraction

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.faults import NotApplicable
from pumpctl.conformance.reckoning import DAY_MS, rate_at
from pumpctl.conformance.samples import NO_MINIMUM
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, Encoding, Mode, Result
from pumpctl.wire.program import program_hash, spelling_fault


@case("L11-identity", "IDENTITY says what the greeting said, and is the same each time.")
def identity(bench: Bench) -> None:
    told = bench.get(m.GetIdentity(), m.Identity)
    greeting = bench.look().pump
    for what in ("serial", "model", "firmware", "bench"):
        same(f"{what} of IDENTITY", getattr(told, what), getattr(greeting, what))
    same("IDENTITY asked again", bench.get(m.GetIdentity(), m.Identity), told)
    expect(told.pulse > 0 and told.capacity > 0, "a pulse or a reservoir of nothing")
    expect(0 < told.least_flow < told.most_flow, "a range of flow that is none")


@case("L11-greeting", "The greeting carries the state version and boot count of STATUS.")
def greeting(bench: Bench) -> None:
    bench.put(bench.samples.flex())  # so that both have moved since the session was opened
    told, status = bench.look().pump, bench.status()
    same("state version of the greeting", told.state_version, status.state_version)
    same("boot count of the greeting", told.boot, status.boot)


@case("L11-program", "PROGRAM, its hash, and STATUS name the same program in its one spelling.")
def program(bench: Bench) -> None:
    told, status = bench.get(m.GetProgram(), m.ProgramReport), bench.status()
    same("program_hash of PROGRAM", told.program_hash, program_hash(told.program))
    same("program_hash of STATUS", status.program_hash, told.program_hash)
    same("low_alarm of STATUS", status.low_alarm, told.program.low_alarm)
    same("concentration of PROGRAM", told.program.concentration, status.concentration)
    fault = spelling_fault(told.program)
    expect(fault is None, f"the program is not in its one spelling: {fault}")


@case("L11-status", "STATUS fits IDENTITY: line, reservoir, log, and what is delivered.")
def status(bench: Bench) -> None:
    told = bench.status()
    expect(told.reservoir <= bench.identity.capacity, "more in the reservoir than it holds")
    expect(told.line >= bench.identity.tubing, "a line that is shorter than its tubing")
    expect(1 <= told.log_first <= told.log_next, "a log whose first number is above its next")
    expect(told.state_version >= 1 and told.boot >= 1, "a state version or boot count of 0")
    expect(told.stopped_for is None, "stopped_for is given, and the pump delivers")
    expect(told.delivery is not Delivery.STOPPED, "STOPPED, where a program was activated")


@case("P18-rate", "The basal rate is the running program's at the local label.")
def rate(bench: Bench) -> None:
    bench.put(bench.samples.flex())
    flex = bench.samples.flex()
    told = bench.status()
    same("the basal rate (ng/day)", told.rate, rate_at(flex, told.time + told.offset * 60_000))


@case("P18-counter", "Counter and label go forward together, and never back.")
def counter(bench: Bench) -> None:
    first = bench.status()
    for _ in range(4):
        bench.ping()
        then = bench.status()
        expect(then.counter >= first.counter, "the monotonic counter went back")
        same("label less counter", then.time - then.counter, first.time - first.counter)
        expect(then.pulses >= first.pulses, "the count of pulses went back")


@case("P1-pulses", "Pulses keep to the program while the line is flooded with garbage and reads.")
def pulses(bench: Bench) -> None:
    before = bench.status()
    for size in (1, 7, 64, 500, 3000):
        noise = bench.talk.entropy(size).replace(b"\0", b"\1")
        # Without a delimiter behind it the noise swallows the PING, and the resend is waited for.
        bench.after(noise + b"\0" + noise[::-1] + b"\0")
        bench.get(m.GetLog(1, 100, Encoding.DIFFERENCE, 64), m.LogReport)
        bench.get(m.GetProgram(), m.ProgramReport)
    check_pulses(bench, before, bench.status())


@case("P1-staging", "Pulses keep to the program while others are staged, read back and refused.")
def pulses_staging(bench: Bench) -> None:
    before = bench.status()
    for program_ in (bench.samples.flex(), bench.samples.long(), bench.samples.flat(20)):
        bench.staged(program_)
        bench.ask(bench.activation(bench.stage(program_))._replace(content=bytes(32)))
    bench.get(m.Discard(), m.Discarded)
    check_pulses(bench, before, bench.status())


def check_pulses(bench: Bench, before: m.Status, after: m.Status) -> None:
    """Between two looks the flow was constant: the usual program has one rate."""
    elapsed = after.counter - before.counter
    nl = Fraction(before.rate * 1000 * elapsed, bench.samples.concentration * DAY_MS)
    due = nl / bench.identity.pulse
    seen = after.pulses - before.pulses
    expect(
        due - 1 < seen < due + 1,
        f"{seen} pulses in {elapsed} ms, where {hundredths(due)} were due",
    )


def hundredths(value: Fraction) -> str:
    """A fraction with two places, rounded down."""
    return f"{value.__floor__()}.{(value * 100).__floor__() % 100:02d}"


@case("P2-reads", "Nothing that asks changes what is delivered.")
def reads(bench: Bench) -> None:
    before = bench.status()
    for message in _reads(bench):
        bench.ask(message)
    after = bench.status()
    for what in ("program_hash", "rate", "delivery", "state_version", "concentration"):
        same(what, getattr(after, what), getattr(before, what))


@case("P11-reads", "Reads write nothing: no log entry, no place in the ledger, no state version.")
def reads_write_nothing(bench: Bench) -> None:
    asked = bench.new_id()
    with bench.nothing_written(asked):
        for message in (*_reads(bench), m.GetOperation(asked)):
            bench.ask(message)


def _reads(bench: Bench) -> tuple[object, ...]:
    return (
        m.GetIdentity(),
        m.GetStatus(),
        m.GetProgram(),
        m.GetOperation(bench.new_id()),
        m.GetLog(1, 10, Encoding.RAW, 640),
        m.GetLog(1, 10, Encoding.DIFFERENCE, 32),
        m.Repeat(1, bytes(32)),
        m.GetReadback(),
        m.Ping(bytes(16)),
    )


@case("P9-asks-only", "GET_OPERATION of an unknown id is ABSENT with zeros, and leaves it usable.")
def asks_only(bench: Bench) -> None:
    asked = bench.new_id()
    for _ in range(2):
        told = bench.operation(asked)
        same("operation", told.operation, asked)
        same("result", told.result, Result.ABSENT)
        same("content", told.content, bytes(32))
        same("state_version and at", (told.state_version, told.at), (0, 0))
    staged = bench.staged(bench.samples.flex())
    bench.get(bench.activation(staged, asked), m.Done)


@case("L11-minimum", "Minimum rate is shown as MINIMUM, at the model's least flow.")
def minimum(bench: Bench) -> None:
    slow = bench.samples.minimum()
    if slow is None:
        raise NotApplicable(NO_MINIMUM)
    bench.put(slow)
    told = bench.status()
    same("delivery", told.delivery, Delivery.MINIMUM)
    same("rate", told.rate, bench.samples.least)
    same("mode", bench.get(m.GetProgram(), m.ProgramReport).program.mode, Mode.MINIMUM_RATE)
