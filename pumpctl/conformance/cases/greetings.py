"""Greetings: answered, echoed, remembered; they cost nothing and change nothing (section 3)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.talk import plain
from pumpctl.wire.codes import Feature, FrameKind, Purpose
from pumpctl.wire.greeting import MAJOR, decode_station_greeting


@case("L3-echo", "A greeting is answered with its own random number.")
def echo(bench: Bench) -> None:
    greeted = bench.look()
    same("echo", greeted.pump.echo, decode_station_greeting(greeted.own).random)
    same("major", greeted.pump.major, MAJOR)


@case("L3-resend", "A resent greeting is answered with the same bytes.")
def resend(bench: Bench) -> None:
    first = bench.look()
    same("the answer to the resend", bench.talk.greet(first.own).answer, first.answer)


@case("L3-two", "The last two greetings are remembered, each with its answer.")
def two(bench: Bench) -> None:
    first, second = bench.look(), bench.look()
    same("the older one's answer", bench.talk.greet(first.own).answer, first.answer)
    same("the newer one's answer", bench.talk.greet(second.own).answer, second.answer)


@case("P13-greeting", "Every new greeting is answered with a number drawn anew.")
def fresh(bench: Bench) -> None:
    numbers = [bench.look().pump.random for _ in range(4)]
    expect(len(set(numbers)) == len(numbers), "a random number came twice")
    expect(bytes(16) not in numbers, "a random number of zeros")


@case("L3-late-double", "A late double of an older greeting does not break the handshake.")
def late_double(bench: Bench) -> None:
    old = bench.talk.own_greeting(bench.own.key)
    bench.talk.greet(old)
    greeted = bench.talk.greet(bench.talk.own_greeting(bench.own.key))
    bench.talk.greet(old)
    bench.take_over(bench.talk.shake(greeted, bench.own))
    bench.ping()


@case("L3-known", "The greeting says whether the pump holds the key that greeted it.")
def known(bench: Bench) -> None:
    same("known, for our key", bench.look().pump.known, True)
    same("known, for nobody's key", bench.look(bench.talk.entropy(8)).pump.known, False)
    same("known, for no key", bench.look(bytes(8)).pump.known, False)


@case("L3-features", "Only feature bits that are defined are set, and they stay the same.")
def features(bench: Bench) -> None:
    told = bench.look().pump
    defined = 0
    for bit in Feature:
        defined |= bit
    same("reserved feature bits", told.features & ~defined, 0)
    same("the feature bits", told.features, bench.features)
    same("bench mode of the greeting", told.bench, bench.identity.bench)


@case("L3-other-major", "A greeting of another major version is answered all the same.")
def other_major(bench: Bench) -> None:
    own = bench.talk.own_greeting(bench.own.key, Purpose.LOOK, MAJOR + 1)
    told = bench.talk.greet(own).pump
    same("echo of a greeting that can be read", told.echo, own[-16:])
    strange = bytes([MAJOR + 1, 7]) + bench.talk.entropy(40)
    told = bench.talk.greet(strange).pump
    same("echo of one that cannot be read", told.echo, bytes(16))


@case("L3-unreadable", "A greeting of this version that cannot be read is not answered.")
def unreadable(bench: Bench) -> None:
    whole = bench.talk.own_greeting(bench.own.key)
    for wrong in (whole[:-1], whole + b"\0", whole[:2] + b"\xff\xff" + whole[4:], b"\1"):
        data = plain(FrameKind.GREETING, wrong)
        bench.silent(data, "a greeting that cannot be read")


@case("P11-greetings", "Greetings write nothing, and disturb no session.")
def write_nothing(bench: Bench) -> None:
    bench.stage(bench.samples.flex())
    with bench.nothing_written():
        bench.look()
        bench.look(bench.talk.entropy(8))
        bench.ping()


@case(
    "P14-closed",
    "While pairing is closed the greeting says so, and no pairing handshake is answered.",
)
def closed(bench: Bench) -> None:
    greeted = bench.talk.greet(bench.talk.own_greeting(bench.own.key, Purpose.PAIR))
    same("pairing_open", greeted.pump.pairing_open, False)
    for psk in (bytes(32), bench.own.psk):
        _, message = bench.talk.handshake(greeted, bench.own, psk=psk, pairing=True)
        bench.silent(plain(FrameKind.HANDSHAKE, message), "a pairing handshake")
    _, message = bench.talk.handshake(greeted, bench.own)
    bench.silent(plain(FrameKind.HANDSHAKE, message), "a session's handshake after PAIR")
