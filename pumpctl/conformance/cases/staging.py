"""Staging and reading back: stored, named, shown, dropped (section 8)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench, digest
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.faults import Broken
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, Refuse
from pumpctl.wire.message import encode
from pumpctl.wire.program import program_hash

_TEN_MINUTES = 600_000


@case("P4-content", "`content` of STAGED is SHA-256 of the staging message's bytes.")
def content(bench: Bench) -> None:
    for program in (bench.samples.flex(), bench.samples.long(), bench.samples.crowded()):
        staged = bench.stage(program)
        same("content", staged.content, digest(encode(m.StageProgram(bench.tag, program))))
        same("kind", staged.kind, Kind.PROGRAM)
        same("expires_in (ms)", staged.expires_in, _TEN_MINUTES)


@case("P4-readback", "The read-back holds the staged program, its hash, its tag and its content.")
def readback(bench: Bench) -> None:
    for program in (bench.samples.flex(), bench.samples.crowded()):
        staged = bench.stage(program)
        told = bench.get(m.GetReadback(), m.ProgramReadback)
        same("program", told.program, program)
        same("program_hash", told.program_hash, program_hash(program))
        same("content", told.content, staged.content)
        same("tag", told.tag, bench.tag)
        same("kind", told.kind, Kind.PROGRAM)


@case("P4-deterministic", "Equal staging gives an equal read-back, whatever happens in between.")
def deterministic(bench: Bench) -> None:
    bench.stage(bench.samples.crowded())
    first = bench.get(m.GetReadback(), m.ProgramReadback)
    same("the read-back asked again", bench.get(m.GetReadback(), m.ProgramReadback), first)
    bench.put(bench.samples.flex())
    bench.stage(bench.samples.crowded())
    same("the read-back of another staging", bench.get(m.GetReadback(), m.ProgramReadback), first)


@case("P13-nonce", "Every staging has a nonce of its own, also for equal bytes.")
def nonce(bench: Bench) -> None:
    nonces = [bench.stage(bench.samples.flex()).nonce for _ in range(6)]
    expect(len(set(nonces)) == len(nonces), "a nonce came twice")
    expect(bytes(8) not in nonces, "a nonce of zeros")


@case("P2-staging", "Staging and reading back change nothing that is delivered.")
def delivered(bench: Bench) -> None:
    before = bench.status()
    bench.staged(bench.samples.long())
    after = bench.status()
    for what in ("program_hash", "rate", "delivery", "state_version", "low_alarm"):
        same(what, getattr(after, what), getattr(before, what))
    told = bench.get(m.GetProgram(), m.ProgramReport)
    same("PROGRAM", told.program, bench.samples.flat())


@case("P6-shown", "STATUS shows what is staged, its kind, and for how long still.")
def shown(bench: Bench) -> None:
    staged = bench.stage(bench.samples.flex())
    told = bench.status().staged
    if told is None:
        raise Broken("STATUS shows nothing as staged")
    same("staged", (told.kind, told.content), (Kind.PROGRAM, staged.content))
    expect(0 < told.expires_in <= _TEN_MINUTES, f"expires_in is {told.expires_in} ms")


@case("P6-discard", "DISCARD drops what is staged, and says whether there was anything.")
def discard(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    same("had", bench.get(m.Discard(), m.Discarded).had, True)
    same("had, the second time", bench.get(m.Discard(), m.Discarded).had, False)
    same("staged", bench.status().staged, None)
    bench.refused(bench.activation(staged), Refuse.NOTHING_STAGED)


@case("P6-replaced", "Another staging replaces the one before.")
def replaced(bench: Bench) -> None:
    first = bench.staged(bench.samples.flex())
    second = bench.stage(bench.samples.long())
    told = bench.status().staged
    same("content of what is staged", None if told is None else told.content, second.content)
    bench.refused(bench.activation(first), Refuse.HASH_MISMATCH)


@case("P6-refused-keeps", "A staging that is refused leaves what was staged before.")
def refused_keeps(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    wrong = bench.samples.flat()._replace(low_alarm=bench.samples.capacity + 1)
    bench.refused(m.StageProgram(bench.tag, wrong), Refuse.RANGE)
    told = bench.status().staged
    same("content of what is staged", None if told is None else told.content, staged.content)
    bench.get(bench.activation(staged), m.Done)


@case("P6-stop", "STOP drops what is staged.")
def stop(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    bench.stop()
    same("staged", bench.status().staged, None)
    bench.refused(bench.activation(staged), Refuse.NOTHING_STAGED)


@case("P6-activated", "What was activated is no longer staged, and cannot be activated again.")
def activated(bench: Bench) -> None:
    staged = bench.staged(bench.samples.flex())
    bench.get(bench.activation(staged), m.Done)
    same("staged", bench.status().staged, None)
    bench.refused(bench.activation(staged), Refuse.NOTHING_STAGED)


@case("P6-nothing", "With nothing staged there is no read-back.")
def nothing(bench: Bench) -> None:
    bench.refused(m.GetReadback(), Refuse.NOTHING_STAGED)


@case("P8-tag", "A pump that holds a patient's tag takes nothing for another one.")
def tag(bench: Bench) -> None:
    held = bench.status().tag
    same("the tag after an activation", held, bench.tag)
    other = bytes(byte ^ 0xFF for byte in bench.tag)
    with bench.nothing_written():
        bench.refused(m.StageProgram(other, bench.samples.flex()), Refuse.PATIENT_TAG)
