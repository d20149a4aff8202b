"""Records of several frames: any order, doubles, forgeries, and how many wait (section 6)."""

from __future__ import annotations

from pumpctl.conformance.bench import Bench
from pumpctl.conformance.duties import case, expect
from pumpctl.conformance.session import Answer, Sealed, on_line
from pumpctl.wire import messages as m
from pumpctl.wire.frames import Frame
from pumpctl.wire.records import MOST_FRAGMENTS, MOST_PLAIN


def _staging(bench: Bench) -> Sealed:
    """A request of three frames."""
    sealed = bench.session.seal(m.StageProgram(bench.tag, bench.samples.long()))
    expect(len(sealed.frames) >= 2, "the test made a request of one frame")
    return sealed


def _taken(bench: Bench, frames: list[Frame], sealed: Sealed, what: str) -> Answer:
    """The answer that these frames bring; Broken unless there is one, and it is STAGED."""
    answers = bench.session.take(bench.after(on_line(frames)))
    found = [answer for answer in answers if answer.to == sealed.counter]
    expect(bool(found), f"{what}: no answer")
    expect(isinstance(found[0].message, m.Staged), f"{what}: not STAGED")
    return found[0]


@case("L6-fragments", "The fragments of a record are taken in any order.")
def order(bench: Bench) -> None:
    sealed = _staging(bench)
    _taken(bench, list(reversed(sealed.frames)), sealed, "fragments backwards")


@case("L6-doubles", "Fragments that come twice do no harm.")
def doubles(bench: Bench) -> None:
    sealed = _staging(bench)
    *most, last = sealed.frames
    _taken(bench, [*most, *most, last], sealed, "doubled fragments")


@case("L6-sizes", "A fragment may have any size up to 640 bytes.")
def sizes(bench: Bench) -> None:
    sealed = bench.session.seal(m.Ping(bytes(16)))
    text = sealed.frames[0].payload
    cut = [text[:1], text[1:1], text[1:20], text[20:]]
    frames = [
        sealed.frames[0]._replace(piece=place, last=place == len(cut) - 1, payload=piece)
        for place, piece in enumerate(cut)
    ]
    answers = bench.session.take(bench.after(on_line(frames)))
    expect(bool(answers), "a record in small fragments was not answered")


@case("L6-incomplete", "A record is not answered before its last fragment is there.")
def incomplete(bench: Bench) -> None:
    sealed = _staging(bench)
    bench.silent(on_line(sealed.frames[:-1]), "a record without its last fragment")
    _taken(bench, list(sealed.frames[-1:]), sealed, "the fragment that was missing")


@case("L6-forged", "A forged fragment is in the way only until the next resend.")
def forged(bench: Bench) -> None:
    sealed = _staging(bench)
    first = sealed.frames[0]
    fakes = [
        first._replace(payload=bytes(len(first.payload))),
        first._replace(piece=len(sealed.frames) + 3),  # beyond the end
    ]
    bench.silent(on_line(fakes), "forged fragments")
    _taken(bench, list(sealed.frames), sealed, "the whole record after forgeries")


@case("L6-unfinished", "Of more than four unfinished records the oldest is forgotten.")
def unfinished(bench: Bench) -> None:
    waiting = [_staging(bench) for _ in range(5)]
    for sealed in waiting:
        bench.talk.send(on_line(sealed.frames[:-1]))
    oldest, newest = waiting[0], waiting[-1]
    bench.silent(on_line(oldest.frames[-1:]), "the rest of a forgotten record")
    _taken(bench, list(newest.frames[-1:]), newest, "the rest of the newest record")
    _taken(bench, list(oldest.frames), oldest, "the forgotten record, sent again")


@case("L6-most", "A record in 256 fragments is taken.")
def most(bench: Bench) -> None:
    sealed = _staging(bench)
    text = b"".join(frame.payload for frame in sealed.frames)
    each, last = len(text) // MOST_FRAGMENTS, MOST_FRAGMENTS - 1
    expect(each > 0, "the test made a record of too few bytes")
    cut = [text[each * at : each * (at + 1)] for at in range(last)] + [text[each * last :]]
    frames = [
        sealed.frames[0]._replace(piece=at, last=at == last, payload=piece)
        for at, piece in enumerate(cut)
    ]
    _taken(bench, frames, sealed, f"a record in {len(frames)} fragments")


@case("L6-long", "A record of more than 16,384 bytes of text is dropped, though it is authentic.")
def long(bench: Bench) -> None:
    sealed = bench.session.seal(bytes(MOST_PLAIN + 1))
    bench.silent(sealed.data, f"a record of {MOST_PLAIN + 1} bytes")
    bench.ping()
