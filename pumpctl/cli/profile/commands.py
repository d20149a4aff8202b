"""`profile new|show|diff|plot|schema` and `explain`. No pump is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.profile.checking import finding_line, hard_findings, read_profile, refusal_of
from pumpctl.cli.report import Report
from pumpctl.errors import LimitHard, StoreError, UsageError

if TYPE_CHECKING:
    from pumpctl.cli.profile.compare import Read
    from pumpctl.quantities import Duration
    from pumpctl.therapy.program import Program

MOST_DAYS = 731
File = Annotated[Path, typer.Argument(help="A dose profile in TOML.")]
VolumeOption = Annotated[
    str | None, typer.Option("--volume", help='Reservoir volume for the dates, "38 mL".')
]
At = Annotated[str | None, typer.Option("--at", help="When it was filled, ISO 8601; else now.")]
Days = Annotated[
    int | None, typer.Option("--days", min=1, max=MOST_DAYS, help="So many days ahead; else 14.")
]


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


def show(file: File, volume: VolumeOption = None, at: At = None, days: Days = None) -> Report:
    """Show what a dose profile gives: doses, rates, hour by hour. No pump is asked.

    With --volume also day by day: mass, volume, largest hour and windows, what is left
    in the reservoir, and by when a refill is due.

    Example: pumpctl profile show profiles/flex.toml --volume "38 mL" --days 30
    """
    context.without_pump()
    from pumpctl.cli.profile.ahead import Ahead
    from pumpctl.cli.profile.json import detail_json, hours_json, outlook_json, reading_json
    from pumpctl.cli.profile.text import hour_table, program_lines

    ahead = Ahead(volume, at, days)
    read = _meaning(file)
    program = read.program
    seen = ahead.outlook(program, _windows(program))
    lines = [*_not_for_use(read), *program_lines(program), *hour_table(program)]
    data = {
        **reading_json(read.reading),
        "detail": detail_json(program),
        "hours": hours_json(program),
        "forecast": {
            **ahead.json(program),
            **({"days": []} if seen is None else outlook_json(seen)),
        },
    }
    if seen is not None and ahead.volume is not None:
        from pumpctl.cli.profile.forecast_text import outlook_lines

        lines += ["", *outlook_lines(seen, program, ahead.volume)]
    return Report(
        "profile.show",
        data,
        "\n".join(lines),
        error=refusal_of({file: read.reading}),
        warnings=context.warnings(),
    )


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A dose profile in TOML.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The one to come.")],
    volume: VolumeOption = None,
    at: At = None,
    days: Days = None,
) -> Report:
    """Show what a new dose profile changes: doses, steps, boluses, hour by hour. No pump is asked.

    A difference is no error: the exit code is 0. With --volume the days ahead under each
    of the two stand side by side.

    Example: pumpctl profile diff profiles/flex.toml visit.toml
    """
    context.without_pump()
    from pumpctl.cli.profile.ahead import Ahead
    from pumpctl.cli.profile.compare import compared, compared_json
    from pumpctl.cli.profile.compare_text import compared_text

    ahead = Ahead(volume, at, days)
    _one_stdin(old, new)
    before, after = _meaning(old), _meaning(new)
    told = compared(before, after)
    windows = _windows(before.program, after.program)
    unfit = [*_not_for_use(before), *_not_for_use(after)]
    lines = [*unfit, compared_text(told, ahead, windows)]
    soft = [found for found in after.reading.findings if found.severity.value == "soft"]
    if soft or unfit:
        lines += ["", *(finding_line(new, found) for found in soft), *unfit[:-1]]
    return Report(
        "profile.diff",
        compared_json(told, ahead, windows),
        "\n".join(lines),
        error=refusal_of({old: before.reading, new: after.reading}),
        warnings=context.warnings(),
    )


def plot(
    file: File,
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW]", help="The new one; FILE is then the old.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Draw into NAME.svg or NAME.png.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> Report:
    """Draw the day and the week as a step chart, old and new in one. No pump is asked.

    In the terminal, or with -o as a picture: SVG or PNG by the file's name. A profile
    with hard findings is drawn in the terminal only.

    Example: pumpctl profile plot profiles/flex.toml visit.toml -o visit.svg
    """
    context.without_pump()
    if output is not None:
        from pumpctl.report.picture import checked_name

        checked_name(output, force=force)
    from pumpctl.cli.profile.plot import chart_of, chart_text, plot_json

    if new is not None:
        _one_stdin(file, new)
    first = _meaning(file)
    last, before = (first, None) if new is None else (_meaning(new), first)
    refusal = refusal_of({read.file: read.reading for read in (first, last)})
    if refusal is not None and output is not None:
        raise refusal
    chart = chart_of(last, before)
    if output is None:
        reads = (last,) if before is None else (before, last)
        warned = [line for read in reads for line in _not_for_use(read)]
        text = "\n".join([*warned, chart_text(chart)])
    else:
        from pumpctl.report.picture import write_picture

        write_picture(output, chart, force=force)
        text = f"{output} written."
    data = plot_json(last, before, output)
    return Report("profile.plot", data, text, error=refusal, warnings=context.warnings())


def schema() -> Report:
    """Print the JSON Schema of dose profiles, for editors. No pump is asked.

    Example: pumpctl profile schema > profiles/profile.schema.json
    """
    from pumpctl.therapy import profile_schema

    context.without_pump()
    return Report(
        "profile.schema",
        {"schema": profile_schema.schema()},
        lambda: _write(profile_schema.text()),  # its lines stay whole, on a terminal too
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
            {
                "id": rule.id,
                "severity": rule.severity.value,
                "source": rule.source,
                "why": rule.why,
                "incident": rule.incident or None,
            }
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
        "incident": rule.incident or None,
    }
    from pumpctl.cli.folding import wrap

    parts = [rule.why, f"Source: {rule.source}"]
    if rule.incident:
        parts.insert(1, f"What happened: {rule.incident}")
    text = "\n".join(
        [f"{rule.id} ({rule.severity.value})", *(line for each in parts for line in wrap(each, 78))]
    )
    return Report("explain", data, text, warnings=context.warnings())


# --- underneath -------------------------------------------------------------------------


def _write(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")


def _meaning(file: Path) -> Read:
    """A profile that means a program, whatever its findings; LimitHard for one that does not."""
    from pumpctl.cli.profile.compare import Read

    reading = read_profile(file)
    if reading.program is None:
        raise LimitHard(
            f"{file} means no program; pumpctl profile check says why",
            findings=hard_findings(reading),
        )
    return Read(file, reading, reading.program)


def _one_stdin(old: Path, new: Path) -> None:
    if str(old) == str(new) == "-":
        raise UsageError("only one of the two profiles can come from standard input")


def _windows(*programs: Program) -> tuple[Duration, ...]:
    """The lengths of the windows in which the library limits these drugs."""
    library = context.library().library
    found = {
        window.length
        for program in programs
        for window in library.nearest(program.drug, program.concentration).windows
    }
    return tuple(sorted(found))


def _not_for_use(read: Read) -> list[str]:
    """What stands above everything that is shown of a profile with hard findings."""
    hard = hard_findings(read.reading)
    if not hard:
        return []
    names = ", ".join(dict.fromkeys(found.id for found in hard))
    return [f"NOT FOR USE, {read.file} has hard findings: {names}", ""]
