"""Records: authentic or nothing, taken once, answered by counter (section 6)."""

from __future__ import annotations

from itertools import pairwise

from pumpctl.conformance.bench import NO_CHAIN, Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.session import Sealed, on_line
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Op, Refuse
from pumpctl.wire.frames import Frame
from pumpctl.wire.message import encode
from pumpctl.wire.records import MOST_OUTSTANDING

_MOMENT = 2
"""s; in which an answer that is kept comes again."""
_TURN = 1 << 16
"""Counters that a frame can tell apart."""
_NO_MESSAGE = (Refuse.MALFORMED, Refuse.UNKNOWN_MESSAGE)


def _spoiled(frame: Frame, place: int) -> Frame:
    payload = bytearray(frame.payload)
    payload[place] ^= 0x10
    return frame._replace(payload=bytes(payload))


def _ping(bench: Bench) -> Sealed:
    return bench.session.seal(m.Ping(bench.talk.entropy(16)))


@case("L6-counter", "An answer names the counter of its request, whatever order they come in.")
def counter(bench: Bench) -> None:
    first, second = _ping(bench), _ping(bench)
    bench.exchange(second)
    answer = bench.exchange(first)
    same("the counter that the answer names", answer.to, first.counter)


@case("L6-own-counter", "The pump's own counters rise by one for each answer, and never repeat.")
def own_counter(bench: Bench) -> None:
    bench.forget_session()
    bench.open()  # its PING was answered by the pump's first record
    counters = [1] + [bench.ping().counter for _ in range(5)]
    for earlier, later in pairwise(counters):
        same("the pump's counter", later, earlier + 1)


@case("L6-tag", "A record that is not authentic is dropped, and the authentic one still taken.")
def tag(bench: Bench) -> None:
    ping = _ping(bench)
    for place in (0, 7, -1):
        spoiled = on_line([_spoiled(ping.frames[0], place)])
        bench.silent(spoiled, "a record that is not authentic")
    expect(bool(bench.after(ping.data)), "the authentic record was not taken any more")


@case("L6-header", "Session and counter are bound to a record: under another it is dropped.")
def bound(bench: Bench) -> None:
    frame = _ping(bench).frames[0]
    ahead = frame._replace(counter=frame.counter + 40)
    bench.silent(on_line([ahead]), "a record under another counter")
    other = frame._replace(session=frame.session ^ 1)
    bench.silent(on_line([other]), "a record of no session")


@case("L6-direction", "The pump's own records, sent back to it, are dropped.")
def direction(bench: Bench) -> None:
    session = bench.open()
    session.next = 20  # so that the pump's low counters are fresh to its own window
    answers = [bench.ping() for _ in range(3)]
    for answer in answers:
        expect(1 < answer.counter < 20, "the pump's counters do not begin at 1")
        bench.silent(on_line(answer.frames), "a reflected record")


@case("P12-resend", "A resent request is answered byte-identically, and nothing is done again.")
def resend(bench: Bench) -> None:
    staging = bench.session.seal(m.StageProgram(bench.tag, bench.samples.flex()))
    first = bench.exchange(staging, "STAGE_PROGRAM")
    with bench.nothing_written():
        again = bench.after(on_line(staging.frames[-1:]))
        same("the answer to the resent last fragment", tuple(again), first.frames)
    stop = bench.session.seal(m.Stop(bench.new_id(), NO_CHAIN))
    done = bench.exchange(stop, "STOP")
    with bench.nothing_written():
        same("the answer to a resent STOP", tuple(bench.after(stop.data)), done.frames)
        same("the answer to a third", tuple(bench.after(stop.data)), done.frames)


@case("P12-eight", "The answers to the last eight requests are kept, and given again.")
def eight(bench: Bench) -> None:
    asked = [_ping(bench) for _ in range(MOST_OUTSTANDING)]
    answers = [bench.exchange(one) for one in asked]
    oldest = answers[0].frames[0]
    bench.talk.send(asked[0].data)
    heard, found = bench.talk.hear(lambda frame: frame == oldest, _MOMENT)
    expect(found, f"the eighth answer back was not given again ({len(heard)} frames came)")


@case("P12-replay", "An old request whose answer is no longer kept is not answered, nor done.")
def replay(bench: Bench) -> None:
    stop = bench.session.seal(m.Stop(bench.new_id(), NO_CHAIN))
    bench.exchange(stop, "STOP")
    bench.put(bench.samples.flat())
    for _ in range(MOST_OUTSTANDING):
        bench.ping()
    with bench.nothing_written():
        bench.silent(stop.data, "a recorded STOP")


@case("L6-window", "Inside the window of 64 a late record is taken, behind it never.")
def window(bench: Bench) -> None:
    session = bench.session
    late = [session.seal(m.Ping(bytes(16))) for _ in range(70)]
    bench.ping()  # the highest counter is now one above the last of these
    for behind in (70, 64):
        bench.silent(late[-behind].data, f"a record {behind} behind the highest")
    # each silent() has sent one PING more
    for behind in (58, 3):
        expect(
            bool(bench.after(late[-behind].data)), f"a record about {behind} behind was not taken"
        )


@case("L6-turn", "Past 65,535 records go on: a frame's 16 bits mean the nearest counter.")
def turn(bench: Bench) -> None:
    session = bench.open()
    for counter in (30_000, 60_000, _TURN - 1, _TURN, _TURN + 1):
        session.next = counter
        same("the counter that the answer names", bench.ping().to, counter)
    late = session.seal(m.Ping(bytes(16)), counter=_TURN - 2)
    answers = session.take(bench.after(late.data))
    expect(bool(answers), "a late record from before the turn was not taken")
    bench.forget_session()


@case("L6-turn-replay", "A record of 65,536 counters ago is never taken again.")
def turn_replay(bench: Bench) -> None:
    session = bench.open()
    old = [session.seal(m.Ping(bytes(16)), counter=counter) for counter in (40, 50)]
    bench.exchange(old[0])
    for counter in (30_000, 60_000, _TURN + 45):
        session.next = counter
        bench.ping()
    # The low bits of the first are those of a counter inside the window, of the second above it.
    for sealed in old:
        bench.silent(sealed.data, f"the record {sealed.counter}, a turn later")
    bench.forget_session()


@case("L6-malformed", "An authentic record that is no message is refused as MALFORMED.")
def malformed(bench: Bench) -> None:
    whole = encode(m.GetLog(1, 1, Encoding.RAW, 640))
    stop = encode(m.Stop(bytes(16), NO_CHAIN))
    with bench.nothing_written(bytes(16)):
        for text in (b"", b"\x1d", whole[:-1], whole + b"\0", stop[:-1], stop + b"\0"):
            bench.refused(text, *(_NO_MESSAGE if len(text) < 2 else (Refuse.MALFORMED,)))


@case("L6-code", "A field that holds no word of its enumeration is refused as MALFORMED.")
def code(bench: Bench) -> None:
    text = encode(m.GetLog(1, 1, Encoding.RAW, 640))
    for word in (0x0000, 0xFFFF, Encoding.RAW ^ 1):
        bench.refused(text[:-6] + word.to_bytes(2, "big") + text[-4:], Refuse.MALFORMED)
    staging = encode(m.StageProgram(bench.tag, bench.samples.flat()))
    drug = staging[:13] + b"\x04\xe6" + staging[15:]  # op-code 2, tag 8, format 1, mode 2
    bench.refused(drug, Refuse.MALFORMED, Refuse.DRUG)


@case("L6-answers", "A message that only a pump sends is refused.")
def answers(bench: Bench) -> None:
    for text in (m.Pong(bytes(16)), m.Closed(), m.Refusal(Refuse.ROLE, "")):
        bench.refused(text, *_NO_MESSAGE)


@case("P20-op-codes", "Op-codes that are not listed are refused, one bit off a known one too.")
def op_codes(bench: Bench) -> None:
    known = set(map(int, Op))
    near = {
        int(op) ^ 1 << bit for op in (Op.STOP, Op.ACTIVATE, Op.CANCEL_BOLUS) for bit in range(16)
    }
    for number in sorted((near | {0x0000, 0xFFFF, 0x0001, 0x8000}) - known):
        text = number.to_bytes(2, "big") + bytes(48)
        bench.refused(text, *_NO_MESSAGE, Refuse.UNSUPPORTED)


@case("P20-no-writing", "What is refused as no message changes nothing.")
def no_writing(bench: Bench) -> None:
    with bench.nothing_written():
        for start in range(0, 0x1_0000, 0x0F0F):
            text = start.to_bytes(2, "big") + bytes(64)
            if start not in set(map(int, Op)):
                bench.refused(text, *_NO_MESSAGE, Refuse.UNSUPPORTED)
