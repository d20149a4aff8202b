"""`trial`: the record of a patient's screening trial, and the profile that it leads to. No pump.

Options in, one workflow, a report out; the screen is `trial_text`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.profile.ahead import given
from pumpctl.cli.report import Report
from pumpctl.errors import UsageError

if TYPE_CHECKING:
    from pumpctl.quantities import Duration
    from pumpctl.therapy.moment import Date, Moment
    from pumpctl.workflows.decide.starting import StartingProfile
    from pumpctl.workflows.decide.trials import Trial


def trial(
    tag: Annotated[str, typer.Argument(help="The clinic's own label of the patient.")],
    inject: Annotated[
        str | None, typer.Option("--inject", help='An injection that was given, "50 mcg".')
    ] = None,
    response: Annotated[
        str | None,
        typer.Option("--response", metavar="yes|no", help="Did the last injection relieve?"),
    ] = None,
    effect: Annotated[
        str | None, typer.Option("--effect", help='With --response yes: it lasted "7 h".')
    ] = None,
    bad_reaction: Annotated[
        bool, typer.Option("--bad-reaction", help="With --response: it was badly borne.")
    ] = False,
    withdraw: Annotated[
        int | None, typer.Option("--withdraw", metavar="N", help="Entry N was a mistake.")
    ] = None,
    replace: Annotated[
        int | None,
        typer.Option("--replace", metavar="N", help="This stands in place of entry N, a mistake."),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why: for a mistake, or where the label was departed from."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it was, ISO 8601; a response: else now.")
    ] = None,
    years: Annotated[
        int | None, typer.Option("--years", metavar="YEARS", help="The patient's age, told once.")
    ] = None,
    injured: Annotated[
        str | None, typer.Option("--injured", metavar="DATE", help="Day of a brain injury, if any.")
    ] = None,
    start_profile: Annotated[
        Path | None,
        typer.Option("--start-profile", metavar="FILE", help="Write the first profile."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--origin", metavar="spinal|cerebral", help="For --start-profile."),
    ] = None,
    fallback: Annotated[
        str | None, typer.Option("--fallback", help='For --start-profile, "75 mcg/day".')
    ] = None,
    concentration: Annotated[
        str | None,
        typer.Option("--concentration", help='For --start-profile; else "500 mcg/mL".'),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> Report:
    """Keep the record of a screening trial; show what the label permits next. No pump is asked.

    Without options it shows what is on record. What the label refuses is written down
    only with --reason, because it happened; then no next step is proposed. Entries are
    never changed: a mistake is replaced or withdrawn by a new entry.

    Example: pumpctl trial P-0640 --inject "50 mcg" --at 2026-03-02T09:00+01:00 --years 34
    """
    context.without_pump()
    texts = {
        "--inject": inject,
        "--response": response,
        "--effect": effect,
        "--reason": reason,
        "--at": at,
        "--injured": injured,
        "--origin": origin,
        "--fallback": fallback,
        "--concentration": concentration,
    }
    for name, text in texts.items():
        given(name, text)
    acts = {
        "--inject": inject,
        "--response": response,
        "--withdraw": withdraw,
        "--start-profile": start_profile,
    }
    act = _one([name for name, value in acts.items() if value is not None])
    others = {**texts, "--bad-reaction": bad_reaction or None, "--replace": replace}
    _belongs(act, {**others, "--years": years, "--force": force or None})
    day, when = _date(injured), _time(at)
    if act == "--start-profile" and start_profile is not None:
        return _start(tag, start_profile, origin, fallback, concentration, force=force)
    from pumpctl.quantities import Mass
    from pumpctl.workflows.decide import trials

    correction = trials.Correction(replace, reason)
    if inject is not None:
        if when is None:
            raise UsageError("--inject needs --at TIME: when it was given")
        found = trials.inject(
            context.station(),
            tag,
            Mass.parse(inject),
            at=when,
            years=years,
            injured=day,
            correction=correction,
        )
    elif response is not None:
        if response not in ("yes", "no"):
            raise UsageError(f"--response {response}: yes or no")
        found = trials.answer(
            context.station(),
            tag,
            worked=response == "yes",
            effect=_duration(effect),
            bad_reaction=bad_reaction,
            at=when,
            correction=correction,
        )
    elif withdraw is not None:
        found = trials.withdraw(context.station(), tag, withdraw, reason)
    else:
        found = trials.look(context.station(), tag, years=years, injured=day)
    return _report(found, recorded=act is not None)


# --- what was asked for -----------------------------------------------------------------

_WITH = {
    None: {"--years", "--injured"},
    "--inject": {"--at", "--years", "--injured", "--reason", "--replace"},
    "--response": {"--at", "--effect", "--bad-reaction", "--reason", "--replace"},
    "--withdraw": {"--reason"},
    "--start-profile": {"--origin", "--fallback", "--concentration", "--force"},
}
"""Which options go with which act; None: only looking."""


def _one(acts: list[str]) -> str | None:
    if len(acts) > 1:
        raise UsageError(f"{' and '.join(acts)}: one at a time")
    return acts[0] if acts else None


def _belongs(act: str | None, options: dict[str, object]) -> None:
    for name, value in options.items():
        if value is not None and name != act and name not in _WITH[act]:
            needs = " or ".join(str(each) for each, names in _WITH.items() if name in names)
            raise UsageError(f"{name} goes with {needs.removeprefix('None or ')}")


def _date(text: str | None) -> Date | None:
    from pumpctl.therapy.moment import Date

    return None if text is None else Date.parse(text)


def _time(text: str | None) -> Moment | None:
    from pumpctl.therapy.moment import Moment

    return None if text is None else Moment.parse(text)


def _duration(text: str | None) -> Duration | None:
    from pumpctl.quantities import Duration

    if text is None:
        return None
    found = Duration.parse(text)
    if not found:
        raise UsageError(f"--effect {text}: an effect that lasted no time is none")
    return found


# --- what comes of it ---------------------------------------------------------------------


def _report(
    found: Trial, *, recorded: bool = False, profile: StartingProfile | None = None
) -> Report:
    from pumpctl.cli.decide.trial_text import trial_json, trial_lines

    data = trial_json(found, recorded=recorded, profile=profile)
    text = "\n".join(trial_lines(found, recorded=recorded, profile=profile))
    return Report("trial", data, text, warnings=context.warnings())


def _start(
    tag: str,
    file: Path,
    origin: str | None,
    fallback: str | None,
    concentration: str | None,
    *,
    force: bool,
) -> Report:
    from pumpctl.quantities import Concentration, Rate
    from pumpctl.workflows.decide import starting, trials

    if origin is None or fallback is None:
        raise UsageError(
            "--start-profile needs --origin spinal|cerebral and --fallback",
            hint="the fallback is what to give if the stored program is ever damaged",
        )
    if file == Path():  # an empty text becomes this directory
        raise UsageError("--start-profile is empty: give the file a name")
    station = context.station()
    found = trials.look(station, tag)
    made = starting.write_start(
        found,
        file,
        origin=origin,
        fallback=Rate.parse(fallback, ("mcg/day",)),
        today=station.wall().date,
        library=context.library().library,
        concentration=Concentration.parse(concentration)
        if concentration is not None
        else starting.CONCENTRATION,
        force=force,
    )
    return _report(found, profile=made)
