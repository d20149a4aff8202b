"""`profile new|check|show|schema` and `explain`. No pump is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pumpctl.cli import context
from pumpctl.cli.report import Report, finding_json
from pumpctl.errors import LimitHard, StoreError, UsageError

if TYPE_CHECKING:
    from pumpctl.therapy.findings import Finding
    from pumpctl.therapy.profile import ProfileReading
    from pumpctl.therapy.program import Program

_LARGEST_RESERVOIR_ML = 1000
File = Annotated[Path, typer.Argument(help="A dose profile in TOML.")]


def new(
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    mode: Annotated[
        str, typer.Option("--mode", metavar="continuous|flex|minimum-rate", help="How it doses.")
    ] = "continuous",
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> Report:
    """Write a new dose profile with comments, to be filled in. No pump is asked.

    Example: pumpctl profile new visit.toml --mode flex
    """
    from pumpctl.therapy.templates import MODES, template

    context.without_pump()
    if mode not in MODES:
        raise UsageError(f"--mode {mode}: one of {', '.join(MODES)}")
    try:
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(template(mode))
    except FileExistsError as error:
        raise UsageError(f"{file} is there already", hint="--force writes over it") from error
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error}") from error
    return Report(
        "profile.new",
        {"file": str(file), "mode": mode},
        f"{file} written. Fill it in, then: pumpctl profile check {file}",
        warnings=context.warnings(),
    )


def check(
    file: File,
    volume: Annotated[
        str, typer.Option("--volume", help='Reservoir volume for the dates, "38 mL".')
    ] = "",
    at: Annotated[str, typer.Option("--at", help="When it was filled, ISO 8601.")] = "",
) -> Report:
    """Check a dose profile: every finding at once, with line and column. No pump is asked.

    Example: pumpctl profile check profiles/flex.toml --volume "38 mL"
    """
    context.without_pump()
    ahead = _Ahead(volume, at)
    reading = _read(file)
    data = _data(reading)
    data["forecast"] = None if reading.program is None else ahead.json(reading.program)
    hard = tuple(found for found in reading.findings if found.severity.value == "hard")
    error = None
    if hard:
        error = LimitHard(
            f"{file}: {len(hard)} hard finding{'s' if len(hard) > 1 else ''}",
            hint="correct the profile; a hard finding has no override",
            findings=hard,
        )
    return Report(
        "profile.check",
        data,
        _check_text(file, reading, data),
        error=error,
        warnings=context.warnings(),
    )


def show(file: File) -> Report:
    """Show what a dose profile gives: doses, rates, hour by hour. No pump is asked.

    Example: pumpctl profile show profiles/flex.toml
    """
    context.without_pump()
    reading = _read(file)
    program = reading.program
    if program is None:
        raise LimitHard(
            f"{file} means no program; pumpctl profile check says why",
            findings=tuple(found for found in reading.findings if found.severity.value == "hard"),
        )
    from pumpctl.cli.profile_text import program_lines

    data = _data(reading)
    data["detail"] = _detail(program)
    return Report(
        "profile.show",
        data,
        "\n".join(program_lines(program)),
        warnings=context.warnings(),
    )


def schema() -> Report:
    """Print the JSON Schema of dose profiles, for editors. No pump is asked.

    Example: pumpctl profile schema > profiles/profile.schema.json
    """
    from pumpctl.therapy import profile_schema

    context.without_pump()
    return Report(
        "profile.schema",
        {"schema": profile_schema.schema()},
        profile_schema.text().rstrip("\n"),
        warnings=context.warnings(),
    )


def explain(
    name: Annotated[str, typer.Argument(metavar="[ID]", help="A finding's id.")] = "",
    every: Annotated[bool, typer.Option("--list", help="List all ids.")] = False,
) -> Report:
    """Say why a check exists, where its figure comes from, and what it saves from.

    Example: pumpctl explain DECLARED_DOSE
    """
    from pumpctl.therapy.checks import rules

    context.without_pump()
    known = rules()
    if every or not name:
        listed = [
            {"id": rule.id, "severity": rule.severity.value, "source": rule.source, "why": rule.why}
            for rule in known.values()
        ]
        text = "\n".join(f"{one['severity']:5} {one['id']}" for one in listed)
        return Report("explain", {"checks": listed}, text, warnings=context.warnings())
    rule = known.get(name.upper())
    if rule is None:
        raise UsageError(f"there is no finding {name}", hint="pumpctl explain --list")
    data = {
        "id": rule.id,
        "severity": rule.severity.value,
        "source": rule.source,
        "why": rule.why,
    }
    from textwrap import fill

    why, source = fill(rule.why, 78), fill(f"Source: {rule.source}", 78)
    text = f"{rule.id} ({rule.severity.value})\n{why}\n{source}"
    return Report("explain", data, text, warnings=context.warnings())


# --- underneath -------------------------------------------------------------------------


class _Ahead:
    """--volume and --at, checked before the file is read."""

    def __init__(self, volume: str, at: str) -> None:
        from pumpctl.quantities import Volume
        from pumpctl.therapy.moment import Moment

        self._volume = Volume.parse(volume) if volume else None
        if self._volume is not None and self._volume > Volume(_LARGEST_RESERVOIR_ML * 1_000_000):
            raise UsageError(f"--volume {volume}: no reservoir holds that")
        self._at = Moment.parse(at) if at else None

    def json(self, program: Program) -> dict[str, Any]:
        """Flow, and the dates where a volume is known."""
        from pumpctl.therapy.figures import flow_of_largest_day

        if self._volume is None:
            return {"flow": str(flow_of_largest_day(program)), "low_date": None, "refill_by": None}
        from pumpctl.cli import edge
        from pumpctl.therapy.forecast import forecast

        told = forecast(program, self._volume, program.low_alarm, self._at or edge.wall())
        return {
            "flow": str(told.flow),
            "low_date": str(told.low_date),
            "refill_by": str(told.refill_by),
        }


def _read(file: Path) -> ProfileReading:
    from pumpctl.workflows.profiles import read_profile_path

    return read_profile_path(file)


def _data(reading: ProfileReading) -> dict[str, Any]:
    program = reading.program
    data: dict[str, Any] = {
        "hash": None,
        "mode": None,
        "days": [],
        "findings": [finding_json(found) for found in reading.findings],
    }
    if program is None:
        return data
    from pumpctl.pump.encode import program_hash
    from pumpctl.therapy.figures import week
    from pumpctl.therapy.moment import DAYS

    try:
        data["hash"] = program_hash(program).hex()
    except ValueError:  # a drug that no pump knows: a hard finding says so
        data["hash"] = None
    data["mode"] = program.mode.value
    data["days"] = [
        {
            "day": DAYS[day.day],
            "daily_dose": str(day.daily_dose),
            "largest_hour": str(day.largest_hour),
        }
        for day in week(program)
    ]
    return data


def _detail(program: Program) -> dict[str, Any]:
    from pumpctl.therapy.moment import DAYS, clock_text

    return {
        "drug": {"name": program.drug, "concentration": str(program.concentration)},
        "fallback_rate": str(program.fallback),
        "low_alarm": str(program.low_alarm),
        "steps": [
            {
                "day": DAYS[day],
                "steps": [
                    {"from": clock_text(step.start), "basal": str(step.rate)} for step in steps
                ],
            }
            for day, steps in enumerate(program.days)
        ],
        "boluses": [
            {
                "day": DAYS[bolus.day],
                "at": clock_text(bolus.at),
                "dose": str(bolus.dose),
                "over": str(bolus.over),
            }
            for bolus in program.boluses
        ],
    }


def _check_text(file: Path, reading: ProfileReading, data: dict[str, Any]) -> str:
    from pumpctl.cli.profile_text import program_lines

    lines = [_finding_line(file, found) for found in reading.findings]
    if reading.program is not None:
        if lines:
            lines.append("")
        lines += program_lines(reading.program)
        ahead = data["forecast"]
        if ahead["low_date"] is not None:
            lines.append(f"  low reservoir  {ahead['low_date']}, refill by {ahead['refill_by']}")
        if data["hash"] is not None:
            lines.append(f"  program hash   {data['hash'][:16]}…")
    hard = sum(found.severity.value == "hard" for found in reading.findings)
    soft = sum(found.severity.value == "soft" for found in reading.findings)
    if not hard:
        lines.append(
            f"{file}: {'no hard or soft findings' if not soft else f'{soft} soft findings'}."
        )
    return "\n".join(lines)


def _finding_line(file: Path, found: Finding) -> str:
    place = "" if found.line is None else f":{found.line}:{found.column}"
    source = f" [{found.source}]" if found.source else ""
    return f"{file}{place}: {found.severity.value} {found.id}: {found.message}{source}"
