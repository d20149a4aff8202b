"""One trial: a copied home, one kill, and every question that is asked afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pumpctl.wire.codes import FrameKind
from tests.faults import judge, truth
from tests.faults.dying import STATION, Moment
from tests.faults.judge import Facts
from tests.faults.relay import Cut, Direction, Passed, Relay, Victim
from tests.faults.rig import (
    PUMP,
    PUMPCTL,
    Said,
    ServedPump,
    Station,
    Template,
    apply_words,
    must,
    run,
)

ACTIVATE = "activate request"
PHASES = (
    "greeting",
    "handshake",
    "reading",
    "operation asked",
    "stage request",
    "staged answer",
    "read-back request",
    "read-back answer",
    ACTIVATE,
    "activate answer",
    "verification",
    "close",
)
_SPLIT = {
    "StageProgram": ("stage request", "staged answer"),
    "GetReadback": ("read-back request", "read-back answer"),
    "Activate": (ACTIVATE, "activate answer"),
    "GetOperation": ("operation asked", "operation asked"),
    "Close": ("close", "close"),
}


class Plot(NamedTuple):
    """What is to happen in a trial: a cut at a byte, or a process that dies at a moment."""

    phase: str
    cut: Cut | None = None
    moment: Moment | None = None
    silent: bool = False
    sample: bool = False
    station: tuple[str, ...] = PUMPCTL
    pump: tuple[str, ...] = PUMPCTL
    """What is run in their place; a planted lie, in the sweep's own proof."""


class Ended(NamedTuple):
    """What came of it."""

    plot: Plot
    phase: str | None
    """Where it really fell; None where nothing was killed or cut."""
    victim: str
    facts: Facts
    faults: tuple[str, ...]

    @property
    def told(self) -> str:
        """What the station said, in a word."""
        return "killed" if self.facts.said.exit is None else f"exit {self.facts.said.exit}"

    @property
    def resolved(self) -> str:
        """What resolve said, in a word."""
        said = self.facts.resolved
        if said.exit != 0:
            return f"exit {said.exit}"
        return str(said.data.get("outcome") or "nothing open")


def phase_of(passed: Passed, names: dict[int, str]) -> str:
    """Which part of the road a frame belongs to."""
    if passed.key.kind is FrameKind.GREETING:
        return "greeting"
    if passed.key.kind is FrameKind.HANDSHAKE:
        return "handshake"
    name = names.get(passed.key.counter, "?")
    if name in _SPLIT:
        return _SPLIT[name][passed.key.direction is Direction.TO_STATION]
    activated = next((counter for counter, each in names.items() if each == "Activate"), 0)
    return "verification" if passed.key.counter > activated else "reading"


def must_be(cut: Cut, hit: Passed, phase: str) -> str | None:
    """The only program that can run after this cut, or None where both can."""
    place = PHASES.index(phase) - PHASES.index(ACTIVATE)
    if place > 0:
        return "new"
    if cut.victim is Victim.PUMP_BACK or hit.again:
        return None
    if place < 0 or not cut.behind_frame:
        return "old"
    return None if cut.victim.killed == "pump" else "new"


def trial(template: Template, home: Path, plot: Plot) -> Ended:
    """Do it, and judge it. The home is made for it and thrown away."""
    template.copy(home)
    dying = () if plot.moment is None else ("tests.faults.dying", plot.moment.phase)
    pump_entry: Sequence[str] = plot.pump
    station_entry: Sequence[str] = plot.station
    if plot.moment is not None and plot.moment.side == STATION:
        station_entry = dying
    elif plot.moment is not None:
        pump_entry = dying
    pump = ServedPump(home, pump_entry)
    try:
        ended = _play(template, home, plot, pump, station_entry)
    finally:
        pump.stop()
    shutil.rmtree(home)
    return ended


def _play(
    template: Template, home: Path, plot: Plot, pump: ServedPump, station_entry: Sequence[str]
) -> Ended:
    stations: list[Station] = []

    def kill(victim: Victim) -> int:
        if victim is Victim.STATION:
            stations[0].process.kill()
            return 0
        pump.kill()
        return pump.start_again() if victim is Victim.PUMP_BACK else 0

    relay = Relay(pump.port, cut=plot.cut, kill=kill, silent=plot.silent)
    stations.append(Station(home, *apply_words(template, relay.url), entry=station_entry))
    said = stations[0].wait()
    relay.finish()
    phase, victim, expected = None, "", None
    if plot.cut is not None and relay.hit is not None:
        phase = phase_of(relay.hit, template.names)
        victim = plot.cut.victim.killed or "line"
        expected = must_be(plot.cut, relay.hit, phase)
    elif plot.moment is not None and (said.exit is None or not pump.alive):
        phase, victim, expected = plot.phase, plot.moment.side, plot.moment.truth
    flash = truth.stored(template, home)
    if not pump.alive or plot.pump != PUMPCTL:
        pump.kill()
        flash = truth.stored(template, home)
        pump.start_again()
    facts = _ask(template, home, plot, pump, said, flash, expected)
    return Ended(plot, phase, victim, facts, judge.faults(facts))


def _ask(
    template: Template,
    home: Path,
    plot: Plot,
    pump: ServedPump,
    said: Said,
    flash: truth.Stored,
    expected: str | None,
) -> Facts:
    port = ("--port", pump.url)
    first = truth.inspect(template, home)
    written = truth.journal(template, home)
    plan = home / "next.json"
    planning = (*port, "program", "plan", str(template.next_profile), "-o", str(plan))
    blocked = run(home, *planning) if plot.sample and written.open else None
    resolved = run(home, *port, "resolve")
    written_after = truth.journal(template, home)
    after = truth.inspect_quickly(template, home)
    status = run(home, *port, "status")
    again = run(home, *apply_words(template, pump.url))
    at_end = truth.inspect_quickly(template, home)
    flash_at_end = truth.stored(template, home)
    following: list[Said] = []
    next_runs = True
    if plot.sample:
        planned = run(home, *planning)
        token = str(planned.data.get("confirm"))
        following = [planned, run(home, *port, "apply", str(plan), "--confirm", token)]
        runs = must(home, "emulator", "inspect", PUMP)["program"]["hash"]
        next_runs = runs == planned.data.get("new", {}).get("hash")
    return Facts(
        base=template.state_version,
        expected=expected,
        said=said,
        flash=flash,
        truth=first,
        written=written,
        resolved=resolved,
        written_after=written_after,
        truth_after=after,
        status=status,
        status_program=truth.called(template, str(status.data.get("program", {}).get("hash"))),
        again=again,
        truth_at_end=at_end,
        flash_at_end=flash_at_end,
        blocked=blocked,
        following=tuple(following),
        next_runs=next_runs,
    )
