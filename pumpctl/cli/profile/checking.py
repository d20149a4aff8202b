"""`profile check`, and what any command says of a profile's findings. No pump is asked.

Its options stand written out where they are used: a name for one would load typer, which
a check of nothing but a file does without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import LimitHard

if TYPE_CHECKING:
    from pumpctl.therapy.findings import Finding
    from pumpctl.therapy.profile import ProfileReading


def check(
    file: Annotated[Path, typer.Argument(help="A dose profile in TOML.")],
    volume: Annotated[
        str | None, typer.Option("--volume", help='Reservoir volume for the dates, "38 mL".')
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it was filled, ISO 8601; else now.")
    ] = None,
) -> Report:
    """Check a dose profile: every finding at once, with line and column. No pump is asked.

    Example: pumpctl profile check profiles/flex.toml --volume "38 mL"
    """
    context.without_pump()
    from pumpctl.cli.profile.ahead import Ahead
    from pumpctl.cli.profile.json import reading_json

    ahead = Ahead(volume, at)
    reading = read_profile(file)
    data = reading_json(reading)
    data["forecast"] = None if reading.program is None else ahead.json(reading.program)
    return Report(
        "profile.check",
        data,
        _check_text(file, reading, data),
        error=refusal_of({file: reading}),
        warnings=context.warnings(),
    )


def read_profile(file: Path) -> ProfileReading:
    """A profile with its findings, by the library that is in force."""
    from pumpctl.workflows.decide.profiles import read_profile_path

    return read_profile_path(file, context.library().library)


def hard_findings(reading: ProfileReading) -> tuple[Finding, ...]:
    """Those that no override lifts."""
    return tuple(found for found in reading.findings if found.severity.value == "hard")


def refusal_of(read: dict[Path, ProfileReading]) -> LimitHard | None:
    """The error of profiles with hard findings; it stands beside what they come to."""
    told: list[str] = []
    every: list[Finding] = []
    for file, reading in read.items():
        if hard := hard_findings(reading):
            told.append(f"{file}: {len(hard)} hard finding{'s' if len(hard) > 1 else ''}")
            every += hard
    if not every:
        return None
    hint = "correct the profile; a hard finding has no override"
    return LimitHard("; ".join(told), hint=hint, findings=tuple(every))


def _check_text(file: Path, reading: ProfileReading, data: dict[str, Any]) -> str:
    from pumpctl.cli.profile.text import program_lines

    lines = [finding_line(file, found) for found in reading.findings]
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
        lines.append(f"{file}: {soft or 'no hard or'} soft finding{'' if soft == 1 else 's'}.")
    return "\n".join(lines)


def finding_line(file: Path, found: Finding) -> str:
    """A finding as one line, its place first, as editors take it."""
    place = "" if found.line is None else f":{found.line}:{found.column}"
    source = f" [{found.source}]" if found.source else ""
    return f"{file}{place}: {found.severity.value} {found.id}: {found.message}{source}"
