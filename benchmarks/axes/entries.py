"""Log entries per second on a realistic log, as `logs pull` brings them, on a clean line.

Held against the same entries as their 80 bytes each on a wire that carries nothing
else, and, told separately, against those bytes after deflate -9.
"""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

from benchmarks import bedside, pulls
from benchmarks.axis import Axis, Options, Result, Row, Target
from benchmarks.relay import Settings


def run(options: Options) -> Result:
    """The whole year's log, one pull after the other."""
    rates: list[float] = []
    shares: list[str] = []
    line = Settings()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder) / "home"
        wanted = bedside.make_home(home, 400 if options.quick else None)
        for number in range(options.times(3)):
            to = Path(folder) / str(number)
            to.mkdir()
            pull = pulls.pull(home, wanted, line, to, 300.0, "packed")
            if pull.transfer.seconds is None:
                return Result((Row("pumpctl", (), "entries/s", None, pull.transfer.note),))
            rates.append(len(wanted) / pull.transfer.seconds)
            shares.append(f"{pull.on_wire / len(wanted):.1f}")
    whole = b"".join(wanted)
    deflated = len(zlib.compress(whole, 9))
    plain_rate = len(wanted) / (line.wire_ns(len(whole)) / 1e9)
    deflated_rate = len(wanted) / (line.wire_ns(deflated) / 1e9)
    rows = (
        Row("pumpctl logs pull", tuple(rates), "entries/s"),
        Row("80-byte records, perfect wire", (plain_rate,), "entries/s"),
        Row("the same, deflate -9, perfect wire", (deflated_rate,), "entries/s"),
        Row(
            "pumpctl against 80-byte records",
            tuple(rate / plain_rate for rate in rates),
            "×",
            Target(1.5, least=True),
        ),
        Row("pumpctl against deflate -9", tuple(rate / deflated_rate for rate in rates), "×"),
    )
    notes = (
        f"{len(wanted)} entries of a year with profiles/flex.toml",
        f"bytes an entry after deflate -9: {deflated / len(wanted):.1f}",
        f"bytes an entry on the wire, both ways, all protocol: {', '.join(shares)}",
    )
    return Result(rows, notes)


AXIS = Axis("entries", "log entries per second, 115200 baud, 20 ms, clean", run)
