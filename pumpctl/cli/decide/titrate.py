"""`titrate`: the permitted range of the next daily dose, a new profile, or a weaning. No pump.

Options in, a report out; the screens are `titrate_text`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.decide.titrate_record import Told, course_of
from pumpctl.cli.lazy import typer
from pumpctl.cli.profile.ahead import Ahead, given
from pumpctl.cli.report import Report
from pumpctl.errors import InputRefused, LimitHard, UsageError
from pumpctl.named import NamedTuple

if TYPE_CHECKING:
    from pumpctl.cli.decide.titrate_record import Course
    from pumpctl.quantities import Percent, Rate
    from pumpctl.therapy.library import Library
    from pumpctl.therapy.moment import Moment
    from pumpctl.therapy.profile import Profile
    from pumpctl.therapy.scaling import Boluses
    from pumpctl.therapy.titration import Titration
    from pumpctl.workflows.decide.titrating import Proposal

MINIMUM = "minimum-rate"
_CORRECT = "choose another dose or fallback; a hard finding has no override"


def titrate(
    file: Annotated[Path, typer.Argument(help="The present dose profile, in TOML.")],
    dose: Annotated[
        str | None,
        typer.Option("--dose", help='The new daily dose, of the largest day, "110 mcg/day".'),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help='Increase the daily dose by "10 %".')
    ] = None,
    reduce_by: Annotated[
        str | None, typer.Option("--reduce-by", help='Reduce the daily dose by "10 %".')
    ] = None,
    keep_boluses: Annotated[
        bool, typer.Option("--keep-boluses", help="Scale basal rates only, no scheduled bolus.")
    ] = False,
    fallback: Annotated[
        str | None,
        typer.Option("--fallback", help='The new fallback, "80 mcg/day"; else in proportion.'),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", help='Weaning: --reduce-by again after "2 d".')
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help=f'Weaning ends at "25 mcg/day" or {MINIMUM}.')
    ] = None,
    started: Annotated[
        str | None,
        typer.Option("--started", help="When the pump began to give the drug, ISO 8601."),
    ] = None,
    last_increase: Annotated[
        str | None, typer.Option("--last-increase", help="When the dose was last raised, ISO 8601.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When the change is to be, ISO 8601; else now.")
    ] = None,
    volume: Annotated[
        str | None, typer.Option("--volume", help='Reservoir volume then, for the dates, "38 mL".')
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The new profile; for a weaning, a directory."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files.")] = False,
    record_response: Annotated[
        str | None,
        typer.Option(
            "--record-response",
            metavar="better|same|worse",
            help="Write down how the patient does under FILE's dose; --at: when it was seen.",
        ),
    ] = None,
    side_effects: Annotated[
        str | None, typer.Option("--side-effects", help="With --record-response, in words.")
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", help="With --record-response, in words.")
    ] = None,
    replace: Annotated[
        int | None,
        typer.Option("--replace", metavar="N", help="It stands in place of response N, a mistake."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="With --replace: what was wrong.")
    ] = None,
) -> Report:
    """Show the permitted range of the next daily dose, or make the profile of a chosen one.

    It never chooses: without --dose, --by or --reduce-by it only says what is permitted,
    and why. --reduce-by with --every and --to makes a weaning, one profile for each step.
    When the dose was last raised it looks up in this station's journal; --started and
    --last-increase count where they are later. No pump is asked.

    Example: pumpctl titrate profiles/start-adult-spinal.toml --by "10 %"
    """
    from pumpctl.therapy.scaling import Boluses
    from pumpctl.therapy.titration import titration
    from pumpctl.workflows.decide import titrating

    context.without_pump()
    ahead = Ahead(volume, at)
    for name, text in (("--started", started), ("--last-increase", last_increase)):
        given(name, text)
    if output == Path():  # an empty text becomes this directory
        raise UsageError("--output is empty: give the file or directory a name")
    asked = _asked(dose, by, reduce_by, fallback, every, to)
    _belongs(asked, volume, output)
    told = Told(record_response, side_effects, note, replace, reason, at)
    told.alone([asked.dose, asked.more, asked.less, started, last_increase])
    start = _before("--started", started, ahead)
    raised = _before("--last-increase", last_increase, ahead)
    boluses = Boluses.KEPT if keep_boluses else Boluses.SCALED
    library = context.library().library
    profile = titrating.present(file, library)
    if keep_boluses and not profile.program.boluses:
        raise UsageError(f"--keep-boluses: {file} has no scheduled bolus")
    course = course_of(context.station(), profile, ahead.start(), start, raised, told)
    found = titration(
        profile.program,
        profile.patient,
        library=library,
        boluses=boluses,
        started=course.started,
        last_increase=course.increased,
    )
    case = _Case(profile, library, found, boluses, ahead, output, force, course)
    if asked.every is not None and asked.less is not None:
        return _weaning(case, asked.less, asked.every, asked.to)
    wanted = _wanted(asked, found)
    return _range(case) if wanted is None else _change(case, asked, wanted)


# --- what was asked for -----------------------------------------------------------------


class _Asked(NamedTuple):
    """The options that make a new dose, read."""

    dose: Rate | None
    more: Percent | None
    less: Percent | None
    fallback: Rate | None
    every: int | None
    """Days."""
    to: Rate | None
    """None: minimum rate."""


class _Case(NamedTuple):
    profile: Profile
    library: Library
    found: Titration
    boluses: Boluses
    ahead: Ahead
    output: Path | None
    force: bool
    course: Course


def _asked(
    dose: str | None,
    by: str | None,
    reduce_by: str | None,
    fallback: str | None,
    every: str | None,
    to: str | None,
) -> _Asked:
    from pumpctl.quantities import Rate

    named = {"--dose": dose, "--by": by, "--reduce-by": reduce_by}
    for name, text in {**named, "--fallback": fallback, "--every": every, "--to": to}.items():
        given(name, text)
    changes = [name for name, text in named.items() if text]
    if len(changes) > 1:
        raise UsageError(f"{' and '.join(changes)}: one of them says what the dose is to be")
    if bool(every) is not bool(to) or (every and not reduce_by):
        raise UsageError("a weaning needs all three: --reduce-by, --every and --to")
    return _Asked(
        Rate.parse(dose, ("mcg/day",)) if dose else None,
        _percent("--by", by),
        _percent("--reduce-by", reduce_by),
        Rate.parse(fallback, ("mcg/day",)) if fallback else None,
        _days(every) if every else None,
        None if to in (None, MINIMUM) else Rate.parse(to, ("mcg/day",)),
    )


def _days(every: str) -> int:
    from pumpctl.quantities import Duration
    from pumpctl.therapy.weaning import MAX_DAYS

    days, rest = divmod(Duration.parse(every, ("d",)).quanta, Duration.UNITS["d"])
    if rest or not days:
        raise UsageError(f"--every {every}: whole days, one or more")
    if days > MAX_DAYS:
        raise UsageError(f"--every {every}: a step lasts at most {MAX_DAYS} d")
    return days


def _percent(name: str, text: str | None) -> Percent | None:
    from pumpctl.quantities import Percent

    if not text:
        return None
    percent = Percent.parse(text)
    if not percent:
        raise UsageError(f"{name} {text} is no change")
    return percent


def _belongs(asked: _Asked, volume: str | None, output: Path | None) -> None:
    """What goes with one new dose, or with a weaning, and with nothing else."""
    change = asked.dose is not None or asked.more is not None or asked.less is not None
    given = {"--fallback": asked.fallback, "--volume": volume, "--output": output}
    for name, value in given.items():
        if value is None:
            continue
        if not change:
            raise UsageError(f"{name} needs a new dose: --dose, --by or --reduce-by")
        if asked.every and name != "--output":
            raise UsageError(f"{name} is for one change, not for a weaning")


def _before(name: str, text: str | None, ahead: Ahead) -> Moment | None:
    """An earlier time."""
    from pumpctl.therapy.moment import Moment

    when = Moment.parse(text) if text else None
    if when is not None and when.utc_ms > ahead.start().utc_ms:
        raise UsageError(f"{name} {text} is later than the change, {ahead.start()}")
    return when


def _wanted(asked: _Asked, found: Titration) -> Rate | None:
    from pumpctl.therapy.titration import changed_by

    if asked.more is not None:
        return changed_by(found.current, asked.more)
    if asked.less is not None:
        return changed_by(found.current, asked.less, down=True)
    return asked.dose


# --- what comes of it ---------------------------------------------------------------------


def _range(case: _Case) -> Report:
    """What is permitted; nothing is proposed."""
    from pumpctl.cli.decide import titrate_text as text

    lines = text.range_lines(case.profile, case.found, case.boluses)
    lines += case.course.lines()
    lines += ["", "Nothing is chosen here: --dose, --by or --reduce-by makes a new profile."]
    return _report(case, "\n".join(lines))


def _change(case: _Case, asked: _Asked, dose: Rate) -> Report:
    """One new profile, written where that was asked for and nothing hard stands against it."""
    from pumpctl.cli.decide import titrate_text as text
    from pumpctl.workflows.decide import titrating

    try:
        made = titrating.propose(
            case.profile,
            case.found,
            dose,
            case.ahead.start(),
            library=case.library,
            boluses=case.boluses,
            fallback=asked.fallback,
        )
    except InputRefused as refused:
        lines = text.range_lines(case.profile, case.found, case.boluses)
        lines += case.course.lines()
        return _report(case, "\n".join(lines), error=refused)
    dates = case.ahead.json(made.program)
    told = text.proposal_json(case.profile.program, made, dates)
    lines = text.proposal_lines(case.profile, case.found, made, case.boluses, asked.fallback, dates)
    lines += case.course.lines()
    error = _hard([made])
    if error is None and case.output is not None:
        titrating.write([(case.output, made.text)], force=case.force)
        told["file"] = str(case.output)
        lines += ["", f"{case.output} written. No pump was changed; next:"]
        lines += text.next_lines(case.output, made)
    elif error is None:
        lines += ["", "Nothing was written: -o FILE writes it."]
    return _report(case, "\n".join(lines), error=error, proposal=told)


def _weaning(case: _Case, by: Percent, days: int, to: Rate | None) -> Report:
    """A table of steps, and where a directory was given a profile for each."""
    from pumpctl.cli.decide import titrate_text as text
    from pumpctl.therapy.weaning import unlike_published, weaning
    from pumpctl.workflows.decide import titrating

    steps = weaning(
        case.profile.program, by, days, to, case.ahead.start().date, boluses=case.boluses
    )
    made = titrating.wean(
        case.profile, steps, case.ahead.start(), library=case.library, boluses=case.boluses
    )
    error = _hard(made, "end higher (--to), or even the rates out first")
    files: list[Path | None] = [None] * len(steps)
    told = unlike_published(by)
    lines = text.weaning_lines(case.profile, steps, made, told)
    if error is None and case.output is not None:
        named = [
            case.output / f"{number:02}-{step.date}.toml" for number, step in enumerate(steps, 1)
        ]
        texts = [one.text for one in made]
        titrating.write_steps(case.output, named, texts, force=case.force)
        files = [*named]
        lines += ["", f"{len(steps)} profiles written to {case.output}. No pump was changed."]
    elif error is None:
        lines += ["", "Nothing was written: -o DIR writes a profile for each step."]
    rows = text.weaning_json(steps, made, files)
    return _report(case, "\n".join(lines), error=error, weaning=rows)


def _hard(made: Sequence[Proposal], hint: str = _CORRECT) -> LimitHard | None:
    """The error of profiles that are not written."""
    findings = tuple(dict.fromkeys(one for proposal in made for one in proposal.hard))
    if not findings:
        return None
    which = "the new profile has" if len(made) == 1 else "the new profiles have"
    end = "and is not written" if len(made) == 1 else "and none is written"
    return LimitHard(
        f"{which} {len(findings)} hard finding{'s' if len(findings) > 1 else ''}, {end}",
        hint=hint,
        findings=findings,
    )


def _report(
    case: _Case,
    text: str,
    *,
    error: InputRefused | None = None,
    proposal: dict[str, Any] | None = None,
    weaning: list[dict[str, Any]] | None = None,
) -> Report:
    from pumpctl.cli.decide.titrate_text import range_json

    data = {
        **range_json(case.profile, case.found, case.boluses),
        "proposal": proposal,
        "weaning": weaning,
        **case.course.json(),
    }
    return Report("titrate", data, text, error=error, warnings=context.warnings())
