"""Handshakes: authentic, once for each greeting, without a trace where they fail (section 5)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.faults import Broken
from pumpctl.conformance.low_order import ZERO, low_order_message
from pumpctl.conformance.talk import Greeted, of_kind, plain
from pumpctl.wire.codes import Feature, FrameKind, Purpose
from pumpctl.wire.frames import Frame
from pumpctl.wire.greeting import encode_greeting

_LOW_ORDER = (ZERO, b"\1" + bytes(31))
"""Public keys that make every shared secret zeros."""


def _greeted(bench: Bench, purpose: Purpose = Purpose.SESSION) -> Greeted:
    return bench.talk.greet(bench.talk.own_greeting(bench.own.key, purpose))


def _silent(bench: Bench, message: bytes, what: str) -> None:
    bench.silent(plain(FrameKind.HANDSHAKE, message), what)


@case("L5-psk", "A handshake with another psk is not answered, and leaves no trace.")
def psk(bench: Bench) -> None:
    greeted = _greeted(bench)
    wrong = bytes([bench.own.psk[0] ^ 1]) + bench.own.psk[1:]
    _, message = bench.talk.handshake(greeted, bench.own, psk=wrong)
    _silent(bench, message, "a handshake with a wrong psk")
    bench.take_over(bench.talk.shake(greeted, bench.own))  # the authentic one still comes
    bench.ping()


@case("L5-key", "A handshake by another private key is not answered.")
def key(bench: Bench) -> None:
    greeted = _greeted(bench)
    thief = bench.own._replace(private=bench.talk.entropy(32))
    _, message = bench.talk.handshake(greeted, thief)
    _silent(bench, message, "a handshake by another key")


@case("L5-prologue", "A handshake over greetings that were altered on the way is not answered.")
def prologue(bench: Bench) -> None:
    greeted = _greeted(bench)
    answer = greeted.pump
    altered = answer._replace(features=answer.features ^ Feature.BENCH)
    without = greeted.own + encode_greeting(altered)
    _, message = bench.talk.handshake(greeted, bench.own, prologue=without)
    _silent(bench, message, "a handshake over another bench flag")


@case("L5-zero-key", "A public key that yields a shared secret of zeros is refused.")
def zero_key(bench: Bench) -> None:
    greeted = _greeted(bench)
    for public in _LOW_ORDER:
        message = low_order_message(greeted.prologue, bench.own, public)
        _silent(bench, message, "a handshake with a key of low order")


@case("L5-size", "A handshake frame of another size than 48 bytes is dropped.")
def size(bench: Bench) -> None:
    greeted = _greeted(bench)
    shake, message = bench.talk.handshake(greeted, bench.own)
    for wrong in (message[:-1], message + b"\0", message + bytes(16), b""):
        _silent(bench, wrong, f"a handshake of {len(wrong)} bytes")
    bench.take_over(bench.talk.finish(shake, message))
    bench.ping()


@case("L5-resend", "A resent handshake is answered with the stored bytes.")
def resend(bench: Bench) -> None:
    greeted = _greeted(bench)
    shake, message = bench.talk.handshake(greeted, bench.own)
    data = plain(FrameKind.HANDSHAKE, message)
    first = _answer(bench, data)
    same("the answer to the resend", _answer(bench, data), first)
    bench.take_over(bench.talk.finish(shake, message))
    bench.ping()


def _answer(bench: Bench, data: bytes) -> Frame:
    heard = bench.after(data)
    found = [frame for frame in heard if frame.kind is FrameKind.HANDSHAKE]
    if len(found) != 1:
        raise Broken(f"{len(found)} answers to a handshake, not one")
    return found[0]


@case("L5-once", "After a greeting one handshake is taken; a different one is dropped.")
def once(bench: Bench) -> None:
    greeted = _greeted(bench)
    bench.take_over(bench.talk.shake(greeted, bench.own))
    bench.ping()
    _, other = bench.talk.handshake(greeted, bench.own)
    _silent(bench, other, "a second handshake after one greeting")


@case("L5-look", "After a greeting that only looks no handshake is taken.")
def look(bench: Bench) -> None:
    greeted = _greeted(bench, Purpose.LOOK)
    _, message = bench.talk.handshake(greeted, bench.own)
    _silent(bench, message, "a handshake after LOOK")


@case("P13-ephemeral", "Every handshake is answered with an ephemeral key drawn anew.")
def ephemeral(bench: Bench) -> None:
    keys = []
    for _ in range(3):
        _, message = bench.talk.handshake(_greeted(bench), bench.own)
        keys.append(_answer(bench, plain(FrameKind.HANDSHAKE, message)).payload[:32])
    expect(len(set(keys)) == len(keys), "an ephemeral key came twice")


@case("P12-recorded", "A recorded greeting and handshake open nothing once they are forgotten.")
def recorded(bench: Bench) -> None:
    greeted = _greeted(bench)
    shake, message = bench.talk.handshake(greeted, bench.own)
    bench.take_over(bench.talk.finish(shake, message))
    bench.ping()
    bench.look()
    bench.look()  # only the last two greetings are remembered
    again = bench.talk.greet(greeted.own)
    expect(again.answer != greeted.answer, "the answer to a recorded greeting was not made anew")
    _silent(bench, message, "a recorded handshake")
    bench.ping()


@case("P11-handshakes", "Failed handshakes write nothing.")
def write_nothing(bench: Bench) -> None:
    bench.stage(bench.samples.flex())
    with bench.nothing_written():
        greeted = _greeted(bench)
        for _ in range(2):
            _, message = bench.talk.handshake(greeted, bench.own, psk=bench.talk.entropy(32))
            _silent(bench, message, "a handshake with a wrong psk")


@case(
    "P15-running", "A running session is answered at once between greetings and failed handshakes."
)
def running(bench: Bench) -> None:
    session = bench.session
    noise = plain(FrameKind.HANDSHAKE, bench.talk.entropy(48))
    for _ in range(10):
        own = plain(FrameKind.GREETING, bench.talk.own_greeting(bytes(8), Purpose.LOOK))
        bench.talk.send(own + noise)
        answers = bench.ping()
        expect(bool(answers.frames), "no answer")
    same("the session", bench.session.number, session.number)
    bench.talk.hear(of_kind(FrameKind.RECORD), 0)
