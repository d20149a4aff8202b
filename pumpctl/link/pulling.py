"""A log stream driven over a line: sends, waits, hands slices on.

It knows the line and the clock; what to send and when is `streaming`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pumpctl.link.slices import Slice
from pumpctl.link.streaming import LogStream
from pumpctl.transport.line import Line


def slices(
    stream: LogStream,
    line: Line,
    ticker: Callable[[], float],
    passed: Callable[[int], None],
) -> Iterator[Slice]:
    """Whatever the stream brings, in the order of the log; `passed` counts bytes on the wire.

    Raises what `LogStream` raises, and LineLost. While whoever iterates is busy, the line
    goes on by what was asked ahead.
    """
    while not stream.done:
        data = stream.send(ticker())
        if data:
            passed(len(data))
            line.write(data)
        found = _heard(stream, line, ticker, passed, wait=True)
        while found:
            yield from found
            # What came meanwhile is heard before silence is judged.
            found = _heard(stream, line, ticker, passed, wait=False)


def _heard(
    stream: LogStream,
    line: Line,
    ticker: Callable[[], float],
    passed: Callable[[int], None],
    *,
    wait: bool,
) -> list[Slice]:
    came = line.read(stream.wait(ticker()) if wait else 0, gather=stream.gather if wait else 0)
    passed(len(came))
    return stream.receive(came, ticker())
