"""The arrows of docs/architecture.md: who may import what, and where the outside world enters.

Reads the source of every file in pumpctl/ with ast and imports none of it. The
tables below are the rules; the second half plants one breach of each in a
scratch tree and sees it found, so that a rule that has gone blind is noticed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "pumpctl"

# A file imports only from floors below its own. Within floor 0, errors.py is
# the ground that the others stand on, and outcomes.py knows quantities.
FLOORS = {
    "errors": 0,
    "named": 0,
    "file_lock": 5,
    "told_log": 0,
    "quantity_text": 1,
    "quantities": 2,
    "outcomes": 3,
    "wire": 10,
    "therapy": 10,
    "transport": 20,
    "link": 30,
    "pump": 40,
    "station": 40,
    "workflows": 50,
    "conformance": 50,
    "report": 60,
    "cli": 70,
    "__main__": 80,
}
VOCABULARY = {"errors", "named", "quantity_text", "quantities", "outcomes"}

# The other side of the wire stands on no floor: what it may use, who may use it.
EMULATOR_MAY_IMPORT = {"wire", "file_lock"} | VOCABULARY
EMULATOR_IMPORTED_BY = {"transport", "workflows", "cli"}

# Downward arrows that are forbidden all the same ("must not know").
MUST_NOT_KNOW = {
    "transport": {"pumpctl.therapy", "pumpctl.wire.messages", "pumpctl.wire.messages_acts"},
    "link": {"pumpctl.therapy"},
    "station": {"pumpctl.wire"},
    # It reckons for itself, and speaks bytes to whatever stands on the line.
    "conformance": {"pumpctl.therapy", "pumpctl.pump"},
}
# A check of a profile hashes the program through here and must not load cryptography.
MUST_NOT_KNOW_FILE = {"pump/encode.py": {"pumpctl.link", "pumpctl.transport", "cryptography"}}

# Libraries that belong to some rooms only.
ONLY_IN = {
    "asyncio": set[str](),  # synchronous: one port, one request at a time
    "click": set[str](),  # typer no longer brings it along
    "matplotlib": {"report"},
    "rich": {"cli", "report"},
    "serial": {"transport"},
    "psycopg": {"station"},
    "sqlite3": {"station"},
    "typer": {"cli"},
}

# Libraries that are barred from some rooms: bytes and values, nothing else.
OUTSIDE = {
    "glob", "io", "os", "pathlib", "platform", "platformdirs", "random", "secrets", "select",
    "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "uuid",
}  # fmt: skip
BARRED = {
    "errors": OUTSIDE | {"cryptography", "pydantic"},
    "outcomes": OUTSIDE | {"cryptography", "pydantic"},
    "quantities": OUTSIDE | {"cryptography", "pydantic"},
    "quantity_text": OUTSIDE | {"cryptography", "pydantic"},
    "wire": OUTSIDE | {"datetime", "logging", "pydantic"},
    "therapy": OUTSIDE | {"cryptography", "logging", "pydantic"},
    "emulator": {"pydantic", "platformdirs"},
    "pump": {"os", "pathlib", "shutil", "tempfile", "sys"},
}

# Doses, volumes and bytes are integers. An exception names its file and its reason.
NO_FLOATS_IN = {
    "therapy", "wire", "emulator", "pump", "quantities", "quantity_text", "conformance",
}  # fmt: skip
FLOATS_ALLOWED: dict[str, str] = {"conformance/talk.py": "seconds to wait for an answer"}

# The one place that reads the wall clock and the system's randomness.
EDGE = "cli/edge.py"
CLOCKS_AND_DICE = (
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.getrandom",
    "os.urandom",
    "random",
    "secrets",
    "ssl.RAND_bytes",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
)

LONGEST_FILE = 400


class Import(NamedTuple):
    module: str  # absolute and dotted; for "from a import b" both a and a.b are listed
    line: int


def room_of(path: str) -> str:
    """The package or file of the first level: "wire", "errors", "__init__"."""
    return path.partition("/")[0].removesuffix(".py")


def imports_of(tree: ast.AST, path: str) -> Iterator[Import]:
    """Every import in a file, those inside functions and for type checkers included."""
    package = ["pumpctl", *path.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield Import(module, node.lineno)
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", node.lineno)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "import_module",
            "__import__",
        ):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(argument.value, node.lineno)


def within(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def arrow_fault(room: str, target: str) -> str:
    """Why `room` may not import pumpctl's `target`, or an empty string if it may."""
    if target in {room, "__init__"}:  # "__init__": the version
        return ""
    if room == "__init__":
        return "pumpctl/__init__.py holds the version and imports nothing"
    if room == "emulator":
        return "" if target in EMULATOR_MAY_IMPORT else f"the emulator may not know {target}"
    if target == "emulator":
        allowed = room in EMULATOR_IMPORTED_BY or room == "__main__"
        return "" if allowed else f"{room} may not know the emulator"
    if target not in FLOORS:
        return f"{target} is on no floor of the table"
    if FLOORS[target] >= FLOORS[room]:
        return f"{room} (floor {FLOORS[room] // 10}) may not import {target} above or beside it"
    return ""


def import_faults(path: str, tree: ast.AST) -> Iterator[str]:
    room = room_of(path)
    forbidden = MUST_NOT_KNOW.get(room, set()) | MUST_NOT_KNOW_FILE.get(path, set())
    for module, line in imports_of(tree, path):
        where = f"{path}:{line}: "
        parts = module.split(".")
        if parts[0] == "pumpctl":
            target = parts[1] if len(parts) > 1 else "__init__"
            # "from pumpctl import __version__" names an attribute, not a room
            target = "__init__" if target == "__version__" else target
            if fault := arrow_fault(room, target):
                yield where + fault
        if any(within(module, name) for name in forbidden):
            yield f"{where}{room} must not know {module}"
        if room not in ONLY_IN.get(parts[0], {room}):
            yield f"{where}{parts[0]} has no place in {room}"
        if parts[0] in BARRED.get(room, set()):
            yield f"{where}{parts[0]} is barred from {room}"


def float_faults(path: str, tree: ast.AST) -> Iterator[str]:
    if room_of(path) not in NO_FLOATS_IN or path in FLOATS_ALLOWED:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{path}:{node.lineno}: the float {node.value}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            yield f"{path}:{node.lineno}: a call of float()"


def names_of(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: {"dt": "datetime", "urandom": "os.urandom"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def outside_faults(path: str, tree: ast.AST) -> Iterator[str]:
    """Uses of the wall clock or of the system's randomness anywhere but at the edge."""
    if path == EDGE:
        return
    names = names_of(tree)
    seen: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Attribute, ast.Name)):
            continue
        first, _, rest = ast.unparse(node).partition(".")
        if first not in names:
            continue
        full = f"{names[first]}.{rest}" if rest else names[first]
        made = full.startswith("cryptography.") and full.split(".")[-1].startswith("generate")
        if made or any(within(full, name) for name in CLOCKS_AND_DICE):
            seen.add((node.lineno, full))
    for line, full in sorted(seen):
        yield f"{path}:{line}: {full} belongs in pumpctl/{EDGE}"


def faults(package: Path) -> list[str]:
    """Every breach of the rules in a tree, one line each."""
    found: list[str] = []
    for file in sorted(package.rglob("*.py")):
        path = file.relative_to(package).as_posix()
        source = file.read_text(encoding="utf-8")
        try:
            tree = ast.parse(source, str(file))
        except SyntaxError as error:
            found.append(f"{path}:{error.lineno}: {error.msg}")
            continue
        if room_of(path) not in {"__init__", "emulator", *FLOORS}:
            found.append(f"{path}: is on no floor of the table")
            continue
        found += import_faults(path, tree)
        found += float_faults(path, tree)
        found += outside_faults(path, tree)
        if (lines := source.count("\n")) > LONGEST_FILE:
            found.append(f"{path}: {lines} lines; two ideas share a room (at most {LONGEST_FILE})")
    return found


def test_the_house_stands() -> None:
    assert sum(1 for _ in PACKAGE.rglob("*.py")) > 3, "there is nothing to look at"
    assert faults(PACKAGE) == []


def test_exceptions_are_still_needed() -> None:
    for path in FLOATS_ALLOWED:
        tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
        kinds = [type(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)]
        assert float in kinds or "float(" in ast.unparse(tree), f"{path} needs no exception"


# --- the rules see what they are for -----------------------------------------


def plant(root: Path, path: str, source: str) -> list[str]:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return faults(root)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("therapy/program.py", "from pumpctl.link import session"),
        ("therapy/program.py", "from pumpctl import cli"),
        ("therapy/program.py", "from ..workflows import apply"),
        ("therapy/program.py", "def f():\n    import pumpctl.pump.pump"),
        ("therapy/program.py", "if TYPE_CHECKING:\n    from pumpctl.station import journal"),
        ("therapy/program.py", "import importlib\nimportlib.import_module('pumpctl.pump')"),
        ("therapy/program.py", "from pumpctl.wire import codes"),
        ("wire/frames.py", "from pumpctl.therapy import program"),
        ("pump/pump.py", "from pumpctl.station import journal"),
        ("station/journal.py", "from pumpctl.pump import pump"),
        ("station/journal.py", "from pumpctl.wire import messages"),
        ("link/session.py", "from pumpctl.therapy import program"),
        ("transport/base.py", "from pumpctl.wire import messages"),
        ("pump/encode.py", "from pumpctl.link import session"),
        ("errors.py", "from pumpctl.outcomes import Applied"),
        ("quantities.py", "from pumpctl.outcomes import Applied"),
        ("emulator/firmware.py", "from pumpctl.therapy import program"),
        ("emulator/firmware.py", "from pumpctl.transport import base"),
        ("link/session.py", "from pumpctl.emulator import firmware"),
        ("link/session.py", "from pumpctl import attic"),
        ("conformance/run.py", "from pumpctl.emulator import firmware"),
        ("conformance/run.py", "from pumpctl.workflows import visit"),
        ("conformance/run.py", "from pumpctl.cli import edge"),
        ("conformance/run.py", "from pumpctl.therapy import figures"),
        ("conformance/reckoning.py", "x = 0.5"),
        ("workflows/apply.py", "from pumpctl.conformance import run"),
        ("__init__.py", "from pumpctl import errors"),
        ("attic/old.py", "x = 1"),
        ("wire/frames.py", "x = "),
        ("workflows/apply.py", "import typer"),
        ("workflows/apply.py", "from rich.table import Table"),
        ("cli/status.py", "import click"),
        ("cli/status.py", "import serial.tools.list_ports"),
        ("emulator/serve.py", "import serial"),
        ("workflows/apply.py", "import psycopg"),
        ("link/session.py", "import asyncio"),
        ("wire/frames.py", "import os"),
        ("wire/frames.py", "import time"),
        ("wire/frames.py", "from datetime import datetime"),
        ("wire/frames.py", "import pydantic"),
        ("therapy/program.py", "from pathlib import Path"),
        ("therapy/program.py", "from pydantic import BaseModel"),
        ("quantities.py", "import os"),
        ("therapy/program.py", "x = 0.5"),
        ("wire/frames.py", "x = 1e9"),
        ("quantities.py", "def f(x): return float(x)"),
        ("emulator/motor.py", "x = float('1')"),
        ("pump/encode.py", "x = -1.0"),
        ("workflows/plan.py", "import time\nx = time.time()"),
        ("workflows/plan.py", "import time as t\nx = t.time_ns()"),
        ("workflows/plan.py", "from time import time\nx = time()"),
        ("workflows/plan.py", "import datetime as dt\nx = dt.datetime.now(dt.UTC)"),
        ("workflows/plan.py", "from datetime import date\nx = date.today()"),
        ("station/keys.py", "import os\nx = os.urandom(32)"),
        ("station/keys.py", "from os import urandom\nx = urandom"),
        ("station/keys.py", "import secrets\nx = secrets.token_bytes(4)"),
        ("emulator/serve.py", "import random\nx = random.Random()"),
        ("station/keys.py", "from cryptography.x import PrivateKey\nx = PrivateKey.generate()"),
        ("cli/main.py", "\n" * (LONGEST_FILE + 1)),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, path: str, source: str) -> None:
    found = plant(tmp_path, path, source)
    assert found, "the rule is blind"
    assert all(fault.startswith(path) for fault in found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__main__.py", "from pumpctl import __version__\nfrom pumpctl.cli import app"),
        ("cli/edge.py", "import time, os\nx = time.time(), os.urandom(8)"),
        ("cli/status.py", "import typer\nfrom rich.table import Table"),
        ("transport/emu.py", "from pumpctl.emulator import firmware\nimport serial"),
        ("transport/base.py", "import time\nx = time.monotonic() + 0.5"),
        ("emulator/firmware.py", "from pumpctl.wire import messages\nfrom . import flash"),
        ("emulator/firmware.py", "from pumpctl.outcomes import Unknown"),
        ("outcomes.py", "from pumpctl.errors import PumpctlError"),
        ("wire/session.py", "from .frames import Frame\nfrom pumpctl.errors import PumpctlError"),
        ("therapy/checks.py", "import datetime\ndef f(now: datetime.datetime): return now.date()"),
        ("therapy/checks.py", "def f(clock): return clock.now()"),
        ("station/records.py", "def f():\n    import psycopg"),
        ("cli/main.py", "\n" * LONGEST_FILE),
    ],
)
def test_what_is_allowed_is_left_in_peace(tmp_path: Path, path: str, source: str) -> None:
    assert plant(tmp_path, path, source) == []
