"""A thousand dose profiles checked in one process, beside check-jsonschema.

check-jsonschema holds the same files against the profile's JSON Schema alone:
it reads and validates, and knows nothing of doses. pumpctl reads them, adds up
each week and runs every check. Both are whole processes, start included, in
turn in every round. A row shows the same with a compiled TOML reader (tomli with
its mypyc wheel) where one is installed.
"""

from __future__ import annotations

import importlib
import inspect
import random
import sys
import tempfile
from pathlib import Path

from benchmarks import peers
from benchmarks.axis import Axis, Options, Result, Row, Target, missing
from benchmarks.processes import ROOT, Command, in_turn, ratios

SCHEMA = ROOT / "profiles" / "profile.schema.json"
PEER = "check-jsonschema"
AT_MOST = 0.6

WORKER = """\
import sys
from pathlib import Path
if sys.argv[2] == "compiled":
    import tomli, tomllib
    tomllib.loads = tomli.loads
from pumpctl.therapy.profile import read_profile_bytes
good = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    good += read_profile_bytes(path.read_bytes(), path.name).ok
print(good)
"""


def profile_text(rng: random.Random) -> str:
    """One profile that adds up: flex, one to thirteen steps for two kinds of day, boluses."""
    boluses = sorted(rng.sample(range(24), rng.randint(0, 3)))
    dose = rng.randint(5, 25)
    days, totals = [], []
    for names in ('"mon", "tue", "wed", "thu", "fri"', '"sat", "sun"'):
        starts = [0, *sorted(rng.sample(range(1, 96), rng.randint(0, 12)))]
        rates = [rng.randint(12_000, 32_000) for _ in starts]
        ends = [*starts[1:], 96]
        pairs = zip(starts, ends, rates, strict=True)
        quarters = sum((end - start) * rate for start, end, rate in pairs)  # 4 x ng
        total = (2 * quarters + 4) // 8 + len(boluses) * dose * 1_000
        totals.append(total)
        steps = "\n".join(
            f'  {{ from = "{at // 4:02d}:{at % 4 * 15:02d}", basal = "{mcg(rate)} mcg/h" }},'
            for at, rate in zip(starts, rates, strict=True)
        )
        days.append(
            f"[[program.day]]\ndays = [{names}]\n"
            f'daily_dose = "{mcg(total)} mcg/day"\nsteps = [\n{steps}\n]\n'
        )
    at = ", ".join(f'"{hour:02d}:30"' for hour in boluses)
    bolus = (
        f'[[program.bolus]]\ndose = "{dose} mcg"\nover = "10 min"\nat = [{at}]\n'
        'days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\n'
        if boluses
        else ""
    )
    head = (
        'format = 1\n\n[patient]\ntag = "P-0417"\nspasticity_origin = "spinal"\n'
        'age_group = "adult"\nhistory = "established"\n\n[drug]\nname = "baclofen"\n'
        'concentration = "2000 mcg/mL"\n\n[program]\nmode = "flex"\n'
        f'fallback_rate = "{mcg(min(totals) * 3 // 5)} mcg/day"\n'
    )
    tail = '[reservoir]\nlow_alarm = "2 mL"\n'
    return "\n".join([head, *days, bolus, tail])


def mcg(nanograms: int) -> str:
    """An exact decimal without trailing zeros."""
    whole, part = divmod(nanograms, 1_000)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".")


def compiled_reader() -> bool:
    """Whether a TOML reader in machine code is there."""
    try:
        tomli = importlib.import_module("tomli")
    except ImportError:
        return False
    return inspect.isbuiltin(tomli.loads)


def run(options: Options) -> Result:
    """Write the files, run all in turn."""
    count = 50 if options.quick else 1_000
    peer = peers.tool(PEER)
    ours = "pumpctl, every check"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rng = random.Random(20261122)  # noqa: S311
        paths = []
        for number in range(count):
            path = Path(folder) / f"profile-{number:05d}.toml"
            path.write_text(profile_text(rng), encoding="utf-8")
            paths.append(str(path))
        worker = [sys.executable, "-c", WORKER, folder]
        commands = [Command(ours, [*worker, "own"], expected=str(count))]
        if compiled_reader():
            name = "pumpctl, compiled TOML reader"
            commands.append(Command(name, [*worker, "compiled"], expected=str(count)))
        if peer is not None:
            commands.append(Command(PEER, [peer, "--schemafile", str(SCHEMA), *paths]))
        taken = in_turn(commands, options.times(5))
    rows = [
        Row(name, tuple(1e3 * each / count for each in values), "ms a profile")
        for name, values in taken.items()
    ]
    if peer is None:
        rows.append(missing(PEER, "ms a profile"))
    else:
        share = ratios(taken[ours], taken[PEER])
        rows.append(Row(f"pumpctl / {PEER}", share, "×", Target(AT_MOST, least=False)))
    if not compiled_reader():
        rows.append(missing("pumpctl, compiled TOML reader", "ms a profile"))
    return Result(tuple(rows), (f"{count} profiles in one process, its start included",))


AXIS = Axis("checks", "a thousand profiles checked", run)
