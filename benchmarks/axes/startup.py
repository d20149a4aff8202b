"""How long a person waits for a command to start, beside peers that do as little.

Every round runs each command once, in turn, so that a busy moment of the machine
falls on all of them alike; ratios are taken round by round. check-jsonschema holds
the same file against the profile's schema, the least that `profile check` does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import bedside, peers
from benchmarks.axis import Axis, Options, Result, Row, Target, missing
from benchmarks.processes import ROOT, Command, in_turn, ratios

BASE = "python -c pass"
PROFILE = ROOT / "profiles" / "flex.toml"
SCHEMA = ROOT / "profiles" / "profile.schema.json"
TARGETS = {
    "pumpctl --version": 1.15,
    "pumpctl --help": 3.0,
    "pumpctl profile check": 6.0,
    "pumpctl status, emu://": 7.0,
}
"""Times `python -c pass`."""
AGAINST_SCHEMA = 0.6
"""`profile check`, times check-jsonschema."""
CHECK = "check-jsonschema"
PEERS = {
    "mpremote --version": ("mpremote", "--version"),
    "esptool version": ("esptool", "version"),
    "ykman --version": ("ykman", "--version"),
    "smpmgr --version": ("smpmgr", "--version"),
    CHECK: (CHECK, "--schemafile", str(SCHEMA), str(PROFILE)),
}


def run(options: Options) -> Result:
    """All commands in turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder) / "home"
        bedside.make_home(home, 0)
        commands = [Command(BASE, [sys.executable, "-c", "pass"]), *_ours(home)]
        for name, (tool, *rest) in PEERS.items():
            if (path := peers.tool(tool)) is not None:
                commands.append(Command(name, [path, *rest], Path(folder)))
        if (python := peers.tool_python()) is not None:
            commands.append(Command(f"{BASE}, the peers' environment", [python, "-c", "pass"]))
        taken = in_turn(commands, options.times(21))
    rows = [Row(name, tuple(1e3 * each for each in taken[name]), "ms") for name in taken]
    for name in (name for name in (*TARGETS, *PEERS) if name != BASE):
        if name not in taken:
            rows.append(missing(name, "×"))
            continue
        most = TARGETS.get(name)
        target = None if most is None else Target(most, least=False)
        rows.append(Row(f"{name} / {BASE}", ratios(taken[name], taken[BASE]), "×", target))
    if CHECK in taken:
        share = ratios(taken["pumpctl profile check"], taken[CHECK])
        rows.append(
            Row(f"profile check / {CHECK}", share, "×", Target(AGAINST_SCHEMA, least=False))
        )
    return Result(tuple(rows), ("whole processes from start to exit, their output thrown away",))


def _ours(home: Path) -> list[Command]:
    pumpctl = shutil.which("pumpctl", path=str(Path(sys.executable).parent))
    if pumpctl is None:
        sys.exit(f"bench: pumpctl is not installed beside {sys.executable}")
    status = ("--home", str(home), "--operator", bedside.OPERATOR)
    return [
        Command("pumpctl --version", [pumpctl, "--version"]),
        Command("pumpctl --help", [pumpctl, "--help"]),
        Command("pumpctl profile check", [pumpctl, "profile", "check", str(PROFILE)]),
        Command(
            "pumpctl status, emu://",
            [pumpctl, *status, "--port", f"emu://{bedside.NAME}", "status"],
        ),
    ]


AXIS = Axis("startup", "from start to exit of whole commands", run)
