"""The log as GET_LOG gives it: numbers, checks, bounds, both encodings (section 14)."""

from __future__ import annotations

from itertools import pairwise

from pumpctl.conformance.bench import Bench, unpacked
from pumpctl.conformance.duties import case, expect, same
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Encoding, Refuse
from pumpctl.wire.frames import MOST_PAYLOAD
from pumpctl.wire.logbatch import MOST_BATCH, MOST_ENTRIES, pack_batch
from pumpctl.wire.logentry import SIZE

_FAR_BACK = 400
"""So many of the newest entries are looked at one by one."""


def _told(bench: Bench, first: int, most: int, encoding: Encoding = Encoding.RAW) -> m.LogReport:
    return bench.get(m.GetLog(first, most, encoding, MOST_PAYLOAD), m.LogReport)


def _fill(bench: Bench, count: int = 12) -> m.Status:
    """A status of a log that holds some entries more."""
    for _ in range(count):
        bench.get(m.Resolve(bench.new_id()), m.OperationReport)
    return bench.status()


@case("P16-consecutive", "Entries have consecutive numbers and whole checks, up to the newest.")
def consecutive(bench: Bench) -> None:
    status = _fill(bench)
    entries = bench.entries(max(status.log_first, status.log_next - _FAR_BACK))
    expect(bool(entries), "the log holds nothing")
    for earlier, later in pairwise(entries):
        same("the number after the one before", later.number, earlier.number + 1)
        expect(later.boot >= earlier.boot, f"entry {later.number}: the boot count went back")
        going = later.boot > earlier.boot or later.counter >= earlier.counter
        expect(going, f"entry {later.number}: the counter went back within one boot")
        expect(later.pulses >= earlier.pulses, f"entry {later.number}: pulses were taken back")
    expect(entries[-1].number + 1 >= status.log_next, "the newest entries are missing")


@case("P16-bounds", "LOG names the first entry that is held and the next number, as STATUS does.")
def bounds(bench: Bench) -> None:
    status = bench.status()
    told = _told(bench, status.log_next - 1, 5)
    same("held_from", told.held_from, status.log_first)
    expect(told.next >= status.log_next, "next is below what STATUS said")
    same("first", told.first, status.log_next - 1)


@case("P16-most", "At most so many entries as asked for come, from the asked number on, rising.")
def most(bench: Bench) -> None:
    first = _fill(bench).log_next - 10
    for count in (0, 1, 3):
        told = _told(bench, first, count)
        numbers = [entry.number for entry in unpacked(told)]
        same(f"the entries for most = {count}", numbers, list(range(first, first + count)))
        same("first", told.first, first if count else told.next)


@case("P16-encodings", "RAW and DIFFERENCE hold the same entries, bit for bit.")
def encodings(bench: Bench) -> None:
    raw, packed = _both(bench)
    same("the encoding of RAW", raw.encoding, Encoding.RAW)
    same("the encoding of DIFFERENCE", packed.encoding, Encoding.DIFFERENCE)
    same("the size of a RAW batch", len(raw.batch), raw.entries * SIZE)
    same("the entries of DIFFERENCE", unpacked(packed), unpacked(raw))


@case(
    "P16-spelling", "A DIFFERENCE batch is in its one spelling: kinds rise, widths are the least."
)
def spelling(bench: Bench) -> None:
    raw, packed = _both(bench)
    entries = tuple(raw.batch[at : at + SIZE] for at in range(0, len(raw.batch), SIZE))
    same("the batch", packed.batch, pack_batch(Encoding.DIFFERENCE, entries)[1])
    none = _told(bench, packed.next, 5, Encoding.DIFFERENCE)
    same("a batch of no entry", none.batch, bytes(5))


def _both(bench: Bench) -> tuple[m.LogReport, m.LogReport]:
    """Some fifty entries, of several kinds, in both encodings."""
    status = _fill(bench)
    bench.put(bench.samples.flex())
    first = max(status.log_first, status.log_next - 60)
    return _told(bench, first, 50), _told(bench, first, 50, Encoding.DIFFERENCE)


@case("P16-whole-batch", "However many are asked for, a batch has at most 16,000 bytes.")
def whole_batch(bench: Bench) -> None:
    _fill(bench, 3)
    for encoding in Encoding:
        told = _told(bench, 1, 65_535, encoding)
        expect(len(told.batch) <= MOST_BATCH, f"a batch of {len(told.batch)} bytes")
        expect(0 < told.entries <= MOST_ENTRIES, f"{told.entries} entries")
        unpacked(told)


@case("P16-ahead", "Beyond the newest entry there is none, and `first` is `next`.")
def ahead(bench: Bench) -> None:
    for beyond in (0, 1000):
        told = _told(bench, bench.status().log_next + beyond, 10)
        same("the number of entries", told.entries, 0)
        same("first", told.first, told.next)


@case("P16-before", "A number that was overwritten, or 0, is answered from the first that is held.")
def before(bench: Bench) -> None:
    status = bench.status()
    for asked in (0, max(0, status.log_first - 1)):
        told = _told(bench, asked, 1)
        same("first", told.first, told.held_from)
        same("the number of entries", told.entries, 1)


@case("P16-stable", "What was written stays: the same numbers give the same bytes.")
def stable(bench: Bench) -> None:
    first = _fill(bench, 3).log_next - 3
    told = _told(bench, first, 3)
    bench.put(bench.samples.flex())
    same("the same entries later", _told(bench, first, 3).batch, told.batch)


@case("P16-release", "A released log stays readable, and a watermark never goes down.")
def release(bench: Bench) -> None:
    status = _fill(bench, 5)
    answer = bench.ask(m.ReleaseLog(status.log_next - 2))
    if isinstance(answer, m.Refusal):
        same("the refusal of RELEASE_LOG", answer.code, Refuse.UNSUPPORTED)
        return
    same("the watermark", answer, m.LogReleased(status.log_next - 2))
    lower = bench.get(m.ReleaseLog(status.log_next - 4), m.LogReleased)
    same("the watermark after a lower one", lower.below, status.log_next - 2)
    same("a released entry", _told(bench, status.log_next - 4, 1).first, status.log_next - 4)
