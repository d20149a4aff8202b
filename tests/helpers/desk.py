"""A station at a desk: pumpctl run inside the test's process, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pumpctl.cli.main import run
from tests.helpers.profiles import FLEX, continuous, written

SCRIPT = "import sys; from pumpctl.__main__ import main; sys.exit(main())"
ROOT = Path(__file__).resolve().parent.parent.parent


class Ran(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; nothing may stand beside it."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        assert self.out.endswith("}\n")
        return value


class Truth(NamedTuple):
    """What must not change when nothing was done: told by the emulator, not by the wire."""

    program: str
    pulses: int
    log_next: int
    state_version: int
    operations: tuple[str, ...]
    delivery: str


class Desk:
    """One home, one operator; emulators in it."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.home = home
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.files = home.parent
        for name in [name for name in os.environ if name.startswith("PUMPCTL_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PUMPCTL_HOME", str(home))
        monkeypatch.setenv("PUMPCTL_OPERATOR", "nurse")

    # --- commands -----------------------------------------------------------------

    def run(self, *arguments: object) -> Ran:
        """A command line, in this process."""
        self.capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    def json(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """The same with --json: its document, where it ends with this code."""
        ran = self.run(*arguments, "--json")
        assert ran.code == code, (ran.out, ran.err)
        document = ran.document
        assert document["ok"] is (code == 0 or "error" not in document)
        if code and "error" in document:
            assert document["error"]["exit"] == code
        return document

    def data(self, *arguments: object) -> dict[str, Any]:
        """`data` of a command that does what it should."""
        found: dict[str, Any] = self.json(*arguments)["data"]
        return found

    def refused(self, code: int, name: str, *arguments: object) -> dict[str, Any]:
        """The `error` of a command that ends with this code and this name, nothing changed."""
        document = self.json(*arguments, code=code)
        error: dict[str, Any] = document["error"]
        assert error["code"] == name, error
        assert error["changed"] == "no"
        assert error["message"]
        return error

    def pump(self, *arguments: object, name: str = "ward") -> dict[str, Any]:
        """`data` of a command on an emulator."""
        return self.data("--port", f"emu://{name}", *arguments)

    # --- pumps ----------------------------------------------------------------------

    def emulator(self, name: str = "ward", *more: object, frozen: bool = True) -> str:
        """A paired pump of 2000 mcg/mL; its serial. Time moves by `advance` only."""
        kind = ("--frozen",) if frozen else ()
        made = self.json(
            "emulator", "new", name, "--pair", "--concentration", "2000 mcg/mL", *kind, *more
        )
        return str(made["pump"]["serial"])

    def advance(self, by: str, name: str = "ward") -> None:
        """Let a frozen pump's time pass, and the rehearsal's with it."""
        self.data("emulator", "advance", name, by)

    def inspect(self, name: str = "ward") -> dict[str, Any]:
        """The emulator's own truth; asked without a rehearsal's clock."""
        return self.data("emulator", "inspect", name)

    def truth(self, name: str = "ward") -> Truth:
        """The part of it that nothing but a change of therapy may move."""
        told = self.inspect(name)
        return Truth(
            told["program"]["hash"],
            told["pulses"],
            told["log"]["next"],
            told["state_version"],
            tuple(one["operation"] for one in told["operations"]),
            told["delivery"],
        )

    @contextmanager
    def untouched(self, name: str = "ward") -> Iterator[Truth]:
        """Whatever happens inside, the pump's program, pulses and log are what they were."""
        before = self.truth(name)
        yield before
        assert self.truth(name) == before

    # --- the road ---------------------------------------------------------------------

    def rehearse(self) -> None:
        """Take the pump's clock for the station's."""
        self.monkeypatch.setenv("PUMPCTL_NOW", "pump")

    def profile(self, text: str | None = None, name: str = "visit.toml") -> Path:
        """A profile in a file; continuous unless told otherwise."""
        return written(self.files / name, continuous() if text is None else text)

    def plan(
        self, text: str | None = None, *more: object, name: str = "ward", to: str = "plan.json"
    ) -> tuple[Path, dict[str, Any]]:
        """A plan file for a profile, and what was said of it."""
        path = self.files / to
        told = self.pump("program", "plan", self.profile(text), "-o", path, *more, name=name)
        return path, told

    def apply(
        self, path: Path, token: object, *, name: str = "ward", second: str | None = None
    ) -> dict[str, Any]:
        """Apply a plan that applies; `second`: another person's yes, where it needs one."""
        more = () if second is None else ("--second", second)
        return self.pump("apply", path, "--confirm", token, *more, name=name)

    def program(self, text: str | None = None, *more: object) -> dict[str, Any]:
        """The whole road."""
        path, told = self.plan(text, *more)
        return self.apply(path, told["confirm"])

    def flex(self) -> dict[str, Any]:
        """The whole road for a flex profile, on the pump's clock."""
        self.rehearse()
        return self.program(FLEX)


# --- in processes of their own -------------------------------------------------------------


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a pumpctl process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUMPCTL_")}
    return {
        **kept,
        "PUMPCTL_HOME": str(home),
        "PUMPCTL_OPERATOR": "nurse",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        **more,
    }


def command(*arguments: object) -> list[str]:
    """The command line of a pumpctl process."""
    return [sys.executable, "-c", SCRIPT, *map(str, arguments)]


def spawned(home: Path, *arguments: object, timeout: float = 60, **more: str) -> Ran:
    """Run pumpctl in a process of its own."""
    done = subprocess.run(
        command(*arguments),
        env=environment(home, **more),
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)
