"""A thousand dose profiles checked in one process, beside check-jsonschema, in one run.

    python3 dev.py bench checks [--files N] [--rounds N]

check-jsonschema holds the same files against the profile's JSON Schema alone:
it reads and validates, and knows nothing of doses. pumpctl reads them, adds up
each week and runs every check. Both are whole processes, start included, in
turn in every round; medians and ratios are printed. A row shows the same with a
compiled TOML reader (tomli with its mypyc wheel) where one is installed.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "profiles" / "profile.schema.json"
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


def once(argv: list[str], expected: str | None) -> float:
    """Seconds of a whole process; a wrong answer ends the benchmark."""
    begun = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode or (expected is not None and done.stdout.strip() != expected):
        sys.exit(f"checks: {argv[0]} gave {done.stdout[-300:]}{done.stderr[-300:]}")
    return seconds


def compiled_reader() -> bool:
    """Whether a TOML reader in machine code is there."""
    try:
        tomli = importlib.import_module("tomli")
    except ImportError:
        return False
    return inspect.isbuiltin(tomli.loads)


def main() -> None:
    """Write the files, run the peers in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    peer = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    with tempfile.TemporaryDirectory() as folder:
        rng = random.Random(20261122)  # noqa: S311
        paths = []
        for number in range(options.files):
            path = Path(folder) / f"profile-{number:05d}.toml"
            path.write_text(profile_text(rng), encoding="utf-8")
            paths.append(str(path))
        ours = [sys.executable, "-c", WORKER, folder]
        rows: dict[str, tuple[list[str], str | None]] = {
            "pumpctl, every check": ([*ours, "own"], str(options.files))
        }
        if compiled_reader():
            rows["pumpctl, compiled TOML reader"] = ([*ours, "compiled"], str(options.files))
        if peer is not None:
            rows["check-jsonschema"] = ([peer, "--schemafile", str(SCHEMA), *paths], None)
        taken: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(options.rounds):
            for name, (argv, expected) in rows.items():
                taken[name].append(once(argv, expected))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print(f"{options.files} profiles, {options.rounds} rounds, medians of whole processes\n")
    print("| | s | ms a profile | × check-jsonschema |\n|---|---|---|---|")
    base = medians.get("check-jsonschema")
    for name, seconds in medians.items():
        ratio = f"{seconds / base:.2f}" if base else "not installed"
        print(f"| {name} | {seconds:.2f} | {1000 * seconds / options.files:.2f} | {ratio} |")
    if not compiled_reader():
        print("| pumpctl, compiled TOML reader | not installed | | |")
    print(f"\naim: at most {AT_MOST} × check-jsonschema")


if __name__ == "__main__":
    main()
