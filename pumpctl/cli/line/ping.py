"""`link ping`: round trips, losses, bit errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import NoAnswer, PumpctlError, UsageError
from pumpctl.quantities import Duration

if TYPE_CHECKING:
    from pumpctl.workflows.line.pinging import ErrorRate, Pings

_LONGEST_WAIT_MS = 60_000
_BAR = 50


def ping(
    count: Annotated[
        int, typer.Option("--count", min=1, max=100_000, help="So many, one after another.")
    ] = 20,
    wait: Annotated[str, typer.Option("--wait", help='For each answer, "2 s".')] = "2 s",
) -> Report:
    """Measure the line to a paired pump: round trips, losses, bit errors.

    Each ping is authenticated, and sent once. It changes nothing on the pump, and writes
    nothing. A lost one is counted and ends nothing; where none comes back, exit 5.

    Example: pumpctl --port emu://ward-3 link ping --count 50
    """
    from pumpctl.workflows.line import pinging

    longest = Duration.parse(wait)
    if not 0 < longest.quanta <= _LONGEST_WAIT_MS:
        raise UsageError(f"--wait {wait}: above 0, a minute at most")
    pings = pinging.ping(context.station(), count, longest, _progress)
    _end_progress()
    return Report(
        "link.ping",
        _data(pings),
        lambda: _show(pings),
        pump=(pings.serial, pings.model),
        warnings=context.warnings(),
        error=_verdict(pings),
    )


def _verdict(pings: Pings) -> PumpctlError | None:
    if pings.ended is not None:
        return pings.ended
    if pings.answered:
        return None
    return NoAnswer(f"none of {len(pings.trips)} pings came back")


def _data(pings: Pings) -> dict[str, Any]:
    from pumpctl.workflows.line import pinging

    trips, counted = pings.answered, pings.counted
    return {
        "sent": len(pings.trips),
        "answered": len(trips),
        "lost": pings.lost,
        "min_us": trips[0] if trips else None,
        "median_us": pings.median,
        "max_us": trips[-1] if trips else None,
        "round_trips_us": list(pings.trips),
        "bytes_to_pump": counted.sent,
        "bytes_from_pump": counted.came,
        "frames_from_pump": counted.frames,
        "frames_mended": counted.mended,
        "frames_broken": counted.broken,
        "bit_error_rate": {
            "from_pump": _rate_json(pinging.from_pump(pings)),
            "both_ways_at_most": _rate_json(pinging.both_ways(pings)),
        },
        "histogram": [each._asdict() for each in pinging.histogram(trips)],
    }


def _rate_json(rate: ErrorRate) -> dict[str, str | None]:
    return {
        "estimate": None if rate.rate is None else _scientific(rate.rate),
        "below": None if rate.below is None else _scientific(rate.below),
    }


def _scientific(number: float) -> str:
    return f"{number:.1e}" if number else "0"


# --- for people --------------------------------------------------------------------------


def _show(pings: Pings) -> None:
    from rich.text import Text

    from pumpctl.cli.screens import console
    from pumpctl.workflows.line import pinging

    out = console(sys.stdout)
    trips, lost = pings.answered, pings.lost
    out.print(Text(f"Pump {pings.serial} · {pings.model}", style="bold"))
    sent = len(pings.trips)
    share = f" ({lost * 100 // sent} %)" if lost * 100 >= sent and sent else ""
    loss = Text(f"{lost} lost{share}", style="bold red" if lost else "green")
    out.print(Text.assemble(f"{sent} pings, {len(trips)} answered, ", loss))
    if trips and pings.median is not None:
        out.print()
        middle = f"{_ms(pings.median)} ms"
        out.print(
            Text.assemble(
                f"round trip   min {_ms(trips[0])} ms   median ",
                (middle, "bold"),
                f"   max {_ms(trips[-1])} ms",
            )
        )
        out.print()
        _draw(out, pinging.histogram(trips))
    out.print()
    for line in _errors(pings):
        out.print(line)


def _draw(out: Any, bins: Any) -> None:
    """One row a bin; its bar is not needed to read it."""
    from rich.text import Text

    most = max(each.trips for each in bins)
    block = "█" if _takes_blocks() else "#"
    wide = max(len(_ms(each.end)) for each in bins)
    for each in bins:
        length = -(-each.trips * _BAR // most)
        label = f"{_ms(each.start):>{wide}}–{_ms(each.end):<{wide}} ms {each.trips:>6}  "
        out.print(Text.assemble(label, (block * length, "cyan")))


def _takes_blocks() -> bool:
    try:
        "█–".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _errors(pings: Pings) -> list[str]:
    """What the frames say of the line's bits, and how far that is to be believed."""
    from pumpctl.workflows.line import pinging

    counted = pings.counted
    damaged = counted.mended + counted.broken
    came = f"{counted.came} bytes in {counted.frames} frames came from the pump"
    if damaged:
        came += f", {damaged} of them damaged"
        came += f" ({counted.mended} put right)" if counted.mended else ""
    lines = [f"{came}."]
    rate = pinging.from_pump(pings)
    if rate.below is not None:
        lines.append(
            f"Bit errors from the pump: none seen, below {_scientific(rate.below)} (95 %)."
        )
    elif rate.rate is not None:
        lines.append(f"Bit errors from the pump: about {_scientific(rate.rate)}, an estimate.")
    most = pinging.both_ways(pings)
    if pings.lost and most.rate:
        lines.append(
            f"If every loss is due to bit errors: about {_scientific(most.rate)}, both ways."
        )
    return lines


def _ms(micro: int) -> str:
    return f"{micro // 1000}.{micro % 1000:03d}"


def _progress(done: int, total: int) -> None:
    """On stderr, only on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} ")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 40 + "\r")
