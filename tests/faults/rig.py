"""Real processes for the kill sweep: homes copied from a template, stations, served pumps.

Everything listens on 127.0.0.1, and only processes that were started here are ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.relay import Passed, Relay

ROOT = Path(__file__).resolve().parents[2]
PUMP = "w"
OPERATOR = "sweep"
PUMPCTL = ("pumpctl",)
"""The module that is run, and arguments in front of pumpctl's own."""
_START_S = 30.0
_COMMAND_S = 90.0

_PROFILE = """\
format = 1
[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"
[drug]
name = "baclofen"
concentration = "2000 mcg/mL"
[program]
mode = "flex"
fallback_rate = "{fallback} mcg/day"
[[program.day]]
days = ["mon", "tue", "wed", "thu", "fri"]
daily_dose = "{week} mcg/day"
steps = [
  {{ from = "00:00", basal = "{night} mcg/h" }},
  {{ from = "06:00", basal = "{morning} mcg/h" }},
  {{ from = "10:00", basal = "{night} mcg/h" }},
]
[[program.day]]
days = ["sat", "sun"]
daily_dose = "{weekend} mcg/day"
steps = [ {{ from = "00:00", basal = "{night} mcg/h" }} ]
[[program.bolus]]
dose = "20 mcg"
over = "10 min"
at = ["07:00", "21:00"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
[reservoir]
low_alarm = "2 mL"
"""


def profile(night: int, morning: int, fallback: int) -> str:
    """A flex profile; each that the sweep uses gives a little less than the one before."""
    return _PROFILE.format(
        night=night,
        morning=morning,
        fallback=fallback,
        week=20 * night + 4 * morning + 40,
        weekend=24 * night + 40,
    )


class Said(NamedTuple):
    """What a station process said: nothing (`exit` None) where it was killed."""

    exit: int | None
    document: dict[str, Any] | None
    stderr: str
    seconds: float

    @property
    def data(self) -> dict[str, Any]:
        """The document's `data`."""
        value = (self.document or {}).get("data")
        return value if isinstance(value, dict) else {}

    @property
    def error(self) -> dict[str, Any]:
        """The document's `error`."""
        value = (self.document or {}).get("error")
        return value if isinstance(value, dict) else {}


def _environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PUMPCTL_")}
    return {**kept, "PUMPCTL_HOME": str(home), "PUMPCTL_OPERATOR": OPERATOR}


def _command(entry: Sequence[str], words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", *entry, *words]


class Station:
    """One pumpctl process with --json."""

    def __init__(self, home: Path, *words: str, entry: Sequence[str] = PUMPCTL) -> None:
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            _command(entry, [*words, "--json"]),
            cwd=ROOT,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> Said:
        """Its end, and what it said before that."""
        try:
            out, err = self.process.communicate(timeout=_COMMAND_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        seconds = time.monotonic() - self._started
        code = self.process.returncode
        document: dict[str, Any] | None = None
        try:
            found = json.loads(out)
            document = found if isinstance(found, dict) else None
        except ValueError:
            pass
        return Said(None if code < 0 else code, document, err, seconds)


def run(home: Path, *words: str) -> Said:
    """Run one command to its end."""
    return Station(home, *words).wait()


def must(home: Path, *words: str) -> dict[str, Any]:
    """The same where it has to succeed; its `data`."""
    said = run(home, *words)
    if said.exit != 0:
        raise RuntimeError(f"pumpctl {' '.join(words)}: exit {said.exit}\n{said.stderr}")
    return said.data


class ServedPump:
    """`emulator serve` on a loopback port, killed and started again as often as needed."""

    def __init__(self, home: Path, entry: Sequence[str] = PUMPCTL) -> None:
        self._home = home
        self._lock = threading.Lock()
        self.port = 0
        self._process = self._start(entry)

    @property
    def url(self) -> str:
        """Where stations reach it."""
        return f"socket://127.0.0.1:{self.port}"

    def _start(self, entry: Sequence[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            _command(entry, ["emulator", "serve", PUMP, "--tcp", "127.0.0.1:0"]),
            cwd=ROOT,
            env=_environment(self._home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        late = threading.Timer(_START_S, process.kill)
        late.start()
        told = []
        for line in process.stderr:
            told.append(line)
            found = re.search(r"socket://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        late.cancel()
        if not self.port:
            process.wait()
            process.stderr.close()
            raise RuntimeError(f"the pump cannot be served: {''.join(told)}")
        return process

    @property
    def alive(self) -> bool:
        """Does it still run?"""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        with self._lock:
            self._process.kill()
            self._end()

    def start_again(self) -> int:
        """A new process; its port."""
        with self._lock:
            self._end()
            self.port = 0
            self._process = self._start(PUMPCTL)
            return self.port

    def stop(self) -> None:
        """End it in good order."""
        with self._lock:
            self._process.terminate()
            self._end()

    def _end(self) -> None:
        self._process.wait(_START_S)
        if self._process.stderr is not None:
            self._process.stderr.close()


class Template(NamedTuple):
    """A home with a paired pump that runs the old program, and one plan for the new one.

    The plan fits every copy: serial, state version and keys are the same there.
    """

    home: Path
    plan: Path
    token: str
    operation: str
    old: str
    new: str
    state_version: int
    next_profile: Path
    passed: tuple[Passed, ...]
    """Every frame of a dry run."""
    names: dict[int, str]
    """The dry run's requests by their counters."""

    def copy(self, to: Path) -> Path:
        """A home for one trial."""
        shutil.copytree(self.home, to)
        return to


def make_template(folder: Path) -> Template:
    """New, paired, programmed with the old program, planned; then one dry run on a copy."""
    home = folder / "t"
    files = {}
    for name, text in (
        ("old", profile(14, 26, 216)),
        ("new", profile(13, 24, 200)),
        ("next", profile(12, 22, 190)),
    ):
        files[name] = folder / f"{name}.toml"
        files[name].write_text(text)
    must(home, "emulator", "new", PUMP, "--pair", "--concentration", "2000 mcg/mL")
    plan = folder / "plan.json"
    pump = ServedPump(home)
    try:
        port = ("--port", pump.url)
        first = folder / "first.json"
        told = must(home, *port, "program", "plan", str(files["old"]), "-o", str(first))
        must(home, *port, "apply", str(first), "--confirm", str(told["confirm"]))
        told = must(home, *port, "program", "plan", str(files["new"]), "-o", str(plan))
    finally:
        pump.stop()
    truth = must(home, "emulator", "inspect", PUMP)
    template = Template(
        home,
        plan,
        str(told["confirm"]),
        str(told["operation"]),
        str(truth["program"]["hash"]),
        str(told["new"]["hash"]),
        int(truth["state_version"]),
        files["next"],
        (),
        {},
    )
    passed, names = _dry_run(template, folder)
    return template._replace(passed=passed, names=names)


def apply_words(template: Template, url: str) -> tuple[str, ...]:
    """The command line that the sweep is about."""
    return ("--port", url, "apply", str(template.plan), "--confirm", template.token)


def _dry_run(template: Template, folder: Path) -> tuple[tuple[Passed, ...], dict[int, str]]:
    home, notes = template.copy(folder / "dry"), folder / "notes"
    pump = ServedPump(home)
    try:
        relay = Relay(pump.port)
        entry = ("tests.faults.noting", str(notes))
        said = Station(home, *apply_words(template, relay.url), entry=entry).wait()
        relay.finish()
    finally:
        pump.stop()
    if said.exit != 0:
        raise RuntimeError(f"the dry run failed: exit {said.exit}\n{said.stderr}")
    names = dict(line.split() for line in notes.read_text().splitlines())
    shutil.rmtree(home)
    if any(passed.again for passed in relay.passed):
        raise RuntimeError("the dry run was no quiet one: something was sent twice")
    return tuple(relay.passed), {int(counter): name for counter, name in names.items()}
