"""How long a person waits for a command to start, beside its peers, in one run.

    python3 dev.py bench startup [--runs N] [--profile FILE]

Every round runs each command once, in turn, so that a busy moment of the
computer falls on all of them alike; what is printed are medians and their
ratios. check-jsonschema validates the same file against the same schema, which
is the least that `profile check` does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "profiles" / "profile.schema.json"


class Command(NamedTuple):
    name: str
    argv: list[str]
    most: float | None = None  # the target: times `python -c pass`
    peer: tuple[str, float] | None = None  # another command, and the target: times that


def tool(name: str) -> str:
    """A command of the environment that this Python belongs to."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        sys.exit(f"startup: {name} is not installed beside {sys.executable}")
    return found


def commands(profile: Path) -> list[Command]:
    check = "check-jsonschema"
    return [
        Command("python -c pass", [sys.executable, "-c", "pass"]),
        Command("pumpctl --version", [tool("pumpctl"), "--version"], 1.25),
        Command("pumpctl --help", [tool("pumpctl"), "--help"], 3.5),
        Command(
            "pumpctl profile check",
            [tool("pumpctl"), "profile", "check", str(profile)],
            8.0,
            (check, 0.6),
        ),
        Command(check, [tool(check), "--schemafile", str(SCHEMA), str(profile)]),
    ]


def once(command: Command) -> float:
    """Seconds from start to exit. A command that fails ends the benchmark."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PUMPCTL_")}
    start = time.perf_counter()
    done = subprocess.run(
        command.argv,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        text = (done.stderr or done.stdout).strip()
        sys.exit(f"startup: {command.name} ended with {done.returncode}:\n{text}")
    return seconds


def verdict(ratio: float, most: float) -> str:
    return f"{ratio:6.2f} x   at most {most:<5g} {'ok' if ratio <= most else 'MISSED'}"


def report(table: list[Command], times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians[table[0].name]
    print(f"{'':24}{'median':>9}{'fastest':>9}   beside python -c pass")
    for command in table:
        median, fastest = medians[command.name], min(times[command.name])
        line = f"{command.name:24}{median * 1e3:6.1f} ms{fastest * 1e3:6.1f} ms"
        ratio = median / base
        print(f"{line} {verdict(ratio, command.most) if command.most else f'{ratio:6.2f} x'}")
    for command in table:
        if command.peer:
            name, most = command.peer
            ratio = medians[command.name] / medians[name]
            print(f"{command.name} beside {name}: {verdict(ratio, most)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Start-up times beside their peers.")
    parser.add_argument("--runs", type=int, default=21, help="rounds (default 21)")
    parser.add_argument("--profile", type=Path, default=ROOT / "profiles" / "flex.toml")
    options = parser.parse_args()
    table = commands(options.profile.absolute())
    for command in table:
        once(command)  # writes .pyc files and warms the disk's cache
    times: dict[str, list[float]] = {command.name: [] for command in table}
    for _ in range(options.runs):
        for command in table:
            times[command.name].append(once(command))
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"start-up, Python {version} on {sys.platform}, {options.runs} rounds")
    report(table, times)


if __name__ == "__main__":
    main()
