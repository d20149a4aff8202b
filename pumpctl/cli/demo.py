"""`demo`: the newcomer's first minute, a whole visit on a built-in pump.

It walks the same road as everybody: profile, check, plan, token, apply, verify,
log. It works without a terminal, and leaves nothing behind unless asked.
"""

from __future__ import annotations

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Mass, Volume, round_half_up
from pumpctl.therapy.program import Program

NAME = "demo"
DAYS = 7
PULSE_NG = 200
"""100 nL at 2000 mcg/mL."""
_DAY_MS = 86_400_000


class _Compared(NamedTuple):
    programmed: Mass
    delivered: Mass
    pulses: int
    entries: int


def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Keep the demo's home in this new folder.")
    ] = None,
) -> Report:
    """Walk through a whole visit on a built-in pump: make, pair, check, push, advance, compare.

    No real pump is touched, and nothing is left behind without --keep.

    Example: pumpctl demo
    """
    context.without_pump()
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=False)
        return _walk(keep.absolute())
    folder = Path(tempfile.mkdtemp(prefix="pumpctl-demo-"))
    try:
        return _walk(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _walk(root: Path) -> Report:
    from pumpctl.cli.demo_profile import TEXT
    from pumpctl.cli.profile.text import program_lines
    from pumpctl.emulator.edge import bench as pumps
    from pumpctl.station.home import Home
    from pumpctl.station.plan import token
    from pumpctl.workflows.look import logs
    from pumpctl.workflows.people.pairing import pair
    from pumpctl.workflows.road.programs import apply_file, plan_program, read_profile_file
    from pumpctl.workflows.visit import visit

    tell = _Steps()
    now, entropy = edge.wall_utc_ms, edge.entropy
    tell("A pump", "emulator new demo")
    made = pumps.create(
        root,
        NAME,
        now=now,
        entropy=entropy,
        volume=Volume.parse("40 mL"),
        concentration=Concentration.parse("2000 mcg/mL"),
        frozen=True,
        offset_min=edge.wall().offset_min,
    )
    tell.line(f"serial {made.serial}, 40 mL of baclofen 2000 mcg/mL, at minimum rate")
    station = context.station()._replace(
        home=Home(root),
        port=f"emu://{NAME}",
        only=None,
        rehearsal="pump",
        database=None,
        tell=lambda _line: None,
    )
    tell("Pair", "pair --secret-file card.txt")
    pumps.press(root, NAME, now=now, entropy=entropy)
    paired = pair(station, made.secret_text, "admin")
    tell.line(f"operator {paired.operator}, role {paired.role}")

    tell("Check a flex profile", "profile check flex.toml")
    profile = root / "flex.toml"
    profile.write_text(TEXT, encoding="utf-8")
    _, program = read_profile_file(station, profile)
    for line in program_lines(program):
        tell.line(line)

    tell("Plan it: the pump stages it and reads it back", "program plan flex.toml -o plan.json")
    plan_file = root / "plan.json"
    planned = plan_program(station, profile, (), keep=plan_file)
    tell.line(
        f"{planned.plan.old['daily_dose']} → {planned.plan.new['daily_dose']} on the largest day, "
        f"read back {planned.plan.readback['hash'][:8]}…"
    )
    given = token(planned.plan, station.operator)
    tell("Confirm by token and apply, as a script would", f"apply plan.json --confirm {given}")
    applied = apply_file(station, plan_file, given)
    tell.line(
        f"applied and verified: {applied.state.delivery.value}, "
        f"state version {applied.state_version}"
    )
    before = pumps.inspect(root, NAME, now=now, entropy=entropy)
    tell("A week passes", f"emulator advance demo {DAYS}d")
    after = pumps.advance(root, NAME, DAYS * _DAY_MS, now=now, entropy=entropy)
    tell("Pull the log", "logs pull")
    with visit(station, changes=False) as open_visit:
        pulled = logs.pull(open_visit, everything=False, progress=lambda _done, _total: None)
    tell.line(f"{pulled.new} entries, {len(pulled.gaps)} gaps")
    compared = _Compared(
        programmed=_week(program),
        delivered=Mass(after.delivered["baclofen"].quanta - before.delivered["baclofen"].quanta),
        pulses=after.pulses - before.pulses,
        entries=pulled.new,
    )
    tell("Programmed beside delivered, seven days")
    tell.line(f"programmed   {compared.programmed}")
    tell.line(f"delivered    {compared.delivered}   in {compared.pulses} pulses of 100 nL")
    tell.line(f"difference   {_difference(compared)}")
    data: dict[str, Any] = {
        "serial": made.serial,
        "hash": planned.plan.readback["hash"],
        "programmed": str(compared.programmed),
        "delivered": str(compared.delivered),
        "pulses": compared.pulses,
        "log_entries": compared.entries,
        "home": str(root),
    }
    tell("Next", "--help, or docs/tutorial.md")
    return Report(
        "demo", data, "\n".join(tell.lines), pump=(made.serial, "SP40"), warnings=context.warnings()
    )


def _week(program: Program) -> Mass:
    """What the program gives in seven days, half up to 1 ng."""
    from pumpctl.therapy.figures import daily_doses

    return Mass(round_half_up(sum(daily_doses(program), Fraction(0))))


def _difference(compared: _Compared) -> str:
    less = compared.programmed.quanta - compared.delivered.quanta
    if less == 0:
        return "none, to the nanogram"
    pulse = "within one pulse" if abs(less) <= PULSE_NG else "MORE than one pulse"
    return f"{Mass(abs(less))} {'less' if less > 0 else 'more'} than programmed, {pulse}"


class _Steps:
    """What the demo tells, step by step."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._number = 0

    def __call__(self, title: str, command: str = "") -> None:
        self._number += 1
        if self.lines:
            self.lines.append("")
        shown = f"   (pumpctl {command})" if command else ""
        self.lines.append(f"{self._number}. {title}{shown}")

    def line(self, text: str) -> None:
        """A line below the step."""
        self.lines.append(f"   {text}" if text else "")
