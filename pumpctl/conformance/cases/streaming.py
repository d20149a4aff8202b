"""A log that streams: fragments of a stated size, REPEAT, a window of eight (sections 6, 14)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect, same
from pumpctl.conformance.session import Answer, Sealed
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Refuse
from pumpctl.wire.frames import MOST_PAYLOAD, Frame
from pumpctl.wire.logentry import SIZE as ENTRY
from pumpctl.wire.records import (
    LEAST_FRAGMENT,
    MOST_FRAGMENTS,
    MOST_KEPT_BYTES,
    MOST_OUTSTANDING,
)

_ALL = b"\xff" * 32


def _asked(bench: Bench, fragment: int, most: int = 40) -> Sealed:
    status = bench.status()
    first = max(status.log_first, status.log_next - most)
    return bench.session.seal(m.GetLog(first, most, Encoding.RAW, fragment))


def _log(bench: Bench, fragment: int, most: int = 40) -> Answer:
    """An answer of some frames."""
    answer = bench.exchange(_asked(bench, fragment, most), "GET_LOG")
    expect(isinstance(answer.message, m.LogReport), "GET_LOG was not answered by LOG")
    return answer


def _repeated(bench: Bench, counter: int, pieces: bytes) -> list[Frame]:
    """The frames that come to a REPEAT."""
    return bench.after(bench.session.seal(m.Repeat(counter, pieces)).data)


def _all_repeated(bench: Bench, answers: list[Answer]) -> None:
    """Broken unless a REPEAT of each, all sent at once, brings every frame."""
    asked = [bench.session.seal(m.Repeat(answer.counter, _ALL)) for answer in answers]
    came = bench.after(b"".join(sealed.data for sealed in asked))
    due = [frame for answer in answers for frame in answer.frames]
    same("the frames that REPEATs of all bring", came, due)


def _bits(*pieces: int) -> bytes:
    return sum(1 << piece for piece in pieces).to_bytes(32, "big")


def _fill(bench: Bench) -> None:
    """Entries enough for an answer of several frames."""
    for _ in range(14):
        bench.get(m.Resolve(bench.new_id()), m.OperationReport)


# --- fragments ----------------------------------------------------------------------------


@case("P23-size", "LOG comes in frames of the size that GET_LOG names, within 32 and 640 bytes.")
def size(bench: Bench) -> None:
    _fill(bench)
    for asked, due in ((32, 32), (100, 100), (639, 639), (0, 32), (31, 32), (65_535, 640)):
        frames = _log(bench, asked).frames
        *most, last = [len(frame.payload) for frame in frames]
        expect(bool(most), "the log is too short for two frames")
        same(f"the sizes where {asked} bytes were asked for", set(most), {due})
        expect(0 < last <= due, f"a last frame of {last} bytes where {asked} were asked for")


@case("P23-room", "A LOG has no more bytes of entries than GET_LOG leaves room for, or one entry.")
def room(bench: Bench) -> None:
    _fill(bench)
    first = bench.status().log_first
    for least in (0, 80, 500, 800):
        told = bench.get(m.GetLog(first, 100, Encoding.RAW, MOST_PAYLOAD, least), m.LogReport)
        same(f"the entries in {least} bytes", told.entries, max(1, least // ENTRY))


@case("P23-enlarged", "An answer that would need more than 256 frames has larger ones.")
def enlarged(bench: Bench) -> None:
    told = bench.status()
    while told.log_next - told.log_first <= LEAST_FRAGMENT * MOST_FRAGMENTS // ENTRY:
        _fill(bench)
        told = bench.status()
    answer = _log(bench, LEAST_FRAGMENT, 200)
    sizes = [len(frame.payload) for frame in answer.frames]
    due = -(-sum(sizes) // MOST_FRAGMENTS)
    expect(due > LEAST_FRAGMENT, "the test asked for too little")
    expect(len(sizes) <= MOST_FRAGMENTS, f"{len(sizes)} frames")
    same("the sizes of all frames but the last", set(sizes[:-1]), {due})


@case("P23-others", "What is no LOG comes in frames of 640 bytes, whatever was asked before.")
def others(bench: Bench) -> None:
    _log(bench, LEAST_FRAGMENT, 5)
    bench.stage(bench.samples.long())
    answer = bench.exchange(bench.session.seal(m.GetReadback()), "GET_READBACK")
    sizes = [len(frame.payload) for frame in answer.frames]
    expect(len(sizes) > 1, "the test's read-back fits one frame")
    same("the sizes of all frames but the last", set(sizes[:-1]), {MOST_PAYLOAD})


# --- a window -----------------------------------------------------------------------------


@case("P23-window", "Eight GET_LOG that come at once are all answered, in their order.")
def window(bench: Bench) -> None:
    _fill(bench)
    asked = [_asked(bench, 128, 8) for _ in range(MOST_OUTSTANDING)]
    heard = bench.after(b"".join(sealed.data for sealed in asked))
    answers = bench.session.take(heard)
    same(
        "the requests that were answered",
        [answer.to for answer in answers],
        [sealed.counter for sealed in asked],
    )
    expect(all(isinstance(answer.message, m.LogReport) for answer in answers), "not LOG")
    # The PING behind them has an answer, too: it displaced the first.
    _all_repeated(bench, answers[1:])


@case("P23-unasked", "Nothing is sent again by itself, however long nobody asks.")
def unasked(bench: Bench) -> None:
    _fill(bench)
    _log(bench, 64)
    heard, _ = bench.talk.hear(lambda _: False, _QUIET)
    expect(not heard, f"{len(heard)} frames came though nothing was asked")


_QUIET = 2
"""s; longer than any pump would wait that had a timer for the line."""

# --- repeats ------------------------------------------------------------------------------


@case("P12-repeat", "REPEAT brings exactly the named frames of a kept answer, byte for byte.")
def repeat(bench: Bench) -> None:
    _fill(bench)
    answer = _log(bench, LEAST_FRAGMENT)
    whole = list(answer.frames)
    expect(len(whole) > 9, "the log is too short for ten frames")
    for pieces in ((0,), (3,), (1, 2, 8), (len(whole) - 1,), tuple(range(len(whole)))):
        came = _repeated(bench, answer.counter, _bits(*pieces))
        same(f"the frames for {pieces}", came, [whole[piece] for piece in pieces])
    # ... as often as it is asked, and under no new counter.
    ping = bench.ping()
    same("the counter of the next answer", ping.counter, answer.counter + 6)


@case("P12-repeat-beyond", "Bits beyond an answer's end are ignored; for none nothing comes.")
def beyond(bench: Bench) -> None:
    answer = bench.ping()
    same("the frames for all bits", _repeated(bench, answer.counter, _ALL), list(answer.frames))
    same("the frames for bit 255", _repeated(bench, answer.counter, _bits(255)), [])
    same("the frames for no bit", _repeated(bench, answer.counter, _bits()), [])


@case("P12-repeat-gone", "REPEAT of an answer that is not kept is refused as NOT_FOUND.")
def gone(bench: Bench) -> None:
    oldest = bench.ping()
    for _ in range(MOST_OUTSTANDING - 1):
        bench.ping()
    same("the eighth answer back", _repeated(bench, oldest.counter, _ALL), list(oldest.frames))
    newest = [bench.ping() for _ in range(MOST_OUTSTANDING)][-1]
    for counter in (0, oldest.counter, newest.counter + 1000, newest.counter + 65_536):
        bench.refused(m.Repeat(counter, _ALL), Refuse.NOT_FOUND)


@case("P12-repeat-kept", "Of answers that are large at least 64 KiB are kept, the newest.")
def kept(bench: Bench) -> None:
    _fill(bench)
    asked = [m.GetLog(1, 200, Encoding.RAW, 256)] * MOST_OUTSTANDING
    answers = [bench.exchange(bench.session.seal(one), "GET_LOG") for one in asked]
    sizes = [sum(len(frame.payload) for frame in answer.frames) for answer in answers]
    fit = [at for at in range(MOST_OUTSTANDING) if sum(sizes[at:]) <= MOST_KEPT_BYTES]
    _all_repeated(bench, answers[fit[0] :])


@case("P12-repeat-session", "Another session's answers are not repeated.")
def of_another(bench: Bench) -> None:
    bench.open()
    earlier = [bench.ping() for _ in range(4)]
    bench.open()
    bench.refused(m.Repeat(earlier[-1].counter, _ALL), Refuse.NOT_FOUND)


@case("P12-repeat-resent", "A resent REPEAT brings nothing: its answer has no counter of its own.")
def resent(bench: Bench) -> None:
    answer = bench.ping()
    sealed = bench.session.seal(m.Repeat(answer.counter, _bits(0)))
    same("the frames for a REPEAT", bench.after(sealed.data), list(answer.frames))
    bench.silent(sealed.data, "the same REPEAT once more")


@case("P11-repeat", "REPEAT writes nothing, of what is kept and of what is not.")
def writes_nothing(bench: Bench) -> None:
    answer = bench.ping()
    with bench.nothing_written():
        for counter in (answer.counter, 0):
            bench.after(bench.session.seal(m.Repeat(counter, _ALL)).data)
