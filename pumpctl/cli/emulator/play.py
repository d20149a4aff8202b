"""`emulator play`: a patient story, replayed on a new built-in pump, told and judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context, edge
from pumpctl.cli.emulator.text import hanging
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report, finding_json
from pumpctl.errors import PumpctlError, ScenarioFailed, ScenarioFaulty, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Mass, Rate, Volume
from pumpctl.therapy.moment import DAY_MS, Moment, clock_text

if TYPE_CHECKING:
    from pumpctl.emulator.edge.making import New
    from pumpctl.emulator.player_steps import Seen, Told
    from pumpctl.workflows.scenario.scenarios import Scenario

_MINUTE_MS = 60_000


def play(
    scenario: Annotated[
        str, typer.Argument(help="A shipped story's name, or a file of one (.toml).")
    ] = "",
    name: Annotated[str, typer.Argument(help="Of the new pump; the story's name without it.")] = "",
    pair: Annotated[
        bool, typer.Option("--pair", help="Pair it with this operator in the end.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="In the place of a pump of this name, which is deleted."),
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the shipped stories.")] = False,
) -> Report:
    """Replay a patient story on a new, frozen built-in pump; no real pump is touched.

    Tells what happened, what the pump said and what was true, and holds it against
    what the story expects: exit 3 where that does not come true. The pump stays in the
    home as the story left it, to be looked at.

    Example: pumpctl emulator play forgotten-bridge
    """
    from pumpctl.workflows.scenario import scenarios

    context.without_pump()
    if listed or not scenario:
        if scenario or name or pair or again:
            raise UsageError("a list takes nothing beside it")
        if not listed:
            raise UsageError("which story?", hint="pumpctl emulator play --list shows them")
        return _list()
    try:
        story = scenarios.read(scenario)
    except ScenarioFaulty as error:
        if isinstance(error.findings, tuple) and error.findings:
            return _faulty(scenario, error)
        raise
    return _play(story, name, pair=pair, again=again)


def _faulty(scenario: str, error: ScenarioFaulty) -> Report:
    """All of it in one go, each with its place."""
    found = error.findings if isinstance(error.findings, tuple) else ()
    return Report(
        "emulator.play",
        {"scenario": scenario, "findings": [finding_json(each) for each in found]},
        "\n".join(
            line
            for each in found
            for line in hanging("", f"{scenario}:{each.line}:{each.column}: {each.message}", 4)
        ),
        warnings=context.warnings(),
        error=error,
    )


def _list() -> Report:
    from pumpctl.workflows.scenario import scenarios

    found = [scenarios.read(each) for each in scenarios.shipped()]
    data = [
        {
            "name": one.name,
            "title": one.title,
            "incident": one.incident,
            "story": one.story,
            "source": one.source,
        }
        for one in found
    ]
    wide = max(len(one.name) for one in found)
    text = "\n".join(f"{one.name:{wide}}  {one.title}" for one in found)
    return Report("emulator.play", {"scenarios": data}, text, warnings=context.warnings())


def _play(story: Scenario, name: str, *, pair: bool, again: bool) -> Report:
    from pumpctl.emulator import player
    from pumpctl.emulator.edge import bench as pumps
    from pumpctl.therapy.patient import tag_hash

    home, name = context.home(), name or story.name
    home.make()
    pumps.refuse_taken(home.root, name, again=again)
    new = pumps.make(
        now=lambda: story.begins.utc_ms,
        entropy=edge.entropy,
        volume=story.volume,
        concentration=story.concentration,
        model=story.model,
        frozen=True,
        offset_min=story.begins.offset_min,
        pulse_error=story.pulse_error,
    )
    played = player.play(
        new.content,
        story.steps,
        began=story.begins.utc_ms,
        tag=tag_hash(new.serial, story.name),
        entropy=edge.entropy,
    )
    # Told before it is kept: what fails until then leaves no pump.
    report = _told(story, played.timeline, name, new)
    pumps.keep(
        home.root, name, new._replace(content=played.content), now=edge.wall_utc_ms, again=again
    )
    if pair:
        try:
            report.data["paired"] = _paired(name, new.secret_text)
        except BaseException:
            with suppress(PumpctlError):
                pumps.remove(home.root, name)
            raise
    return report


def _told(story: Scenario, timeline: tuple[Told, ...], name: str, new: New) -> Report:
    count = _count(timeline)
    error = None
    if count.wrong:
        error = ScenarioFailed(
            f"{story.name}: {count.wrong} of {count.all} expectations do not hold",
            hint=f"the built-in pump is left as it is: pumpctl emulator inspect {name}",
        )
    data = {
        "name": name,
        "serial": new.serial,
        "port": f"emu://{name}",
        "pairing_secret": new.secret_text,
        "scenario": story.name,
        "title": story.title,
        "incident": story.incident,
        "held": not count.wrong,
        "expectations": {
            "all": count.all,
            "named": count.named,
            "taken_or_refused": len(timeline),
            "wrong": count.wrong,
        },
        "timeline": [_told_json(story, told) for told in timeline],
        "paired": None,
    }
    return Report(
        "emulator.play",
        data,
        "\n".join(_lines(story, timeline, name, count)),
        pump=(new.serial, story.model),
        warnings=context.warnings(),
        error=error,
    )


def _paired(name: str, secret: str) -> dict[str, str]:
    from pumpctl.emulator.edge import bench as pumps
    from pumpctl.workflows.people.pairing import pair as pair_with

    pumps.press(context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
    station = context.station()._replace(port=f"emu://{name}", only=None, rehearsal=None)
    paired = pair_with(station, secret, "admin")
    return {"operator": paired.operator, "role": paired.role}


class _Count(NamedTuple):
    """What a story was held against."""

    named: int
    """What its steps expect by name, and the cuts that had to come."""
    all: int
    """With each step: that the pump took it, or refused it as expected."""
    wrong: int


def _count(timeline: tuple[Told, ...]) -> _Count:
    steps = [told.step for told in timeline]
    named = sum(each is not None for one in steps for each in one.expect._replace(refused=None))
    named += sum(one.cut is not None for one in steps)
    return _Count(named, named + len(steps), sum(len(told.wrong) for told in timeline))


# --- for programs -------------------------------------------------------------------------------


def _told_json(story: Scenario, told: Told) -> dict[str, Any]:
    seen, step = told.seen, told.step
    return {
        "at": _since(step.at),
        "time": str(Moment(told.time, told.offset_min)),
        "note": step.note,
        "act": step.what,
        "refused": told.refused,
        "detail": told.detail or None,
        "says": {
            "delivery": seen.delivery,
            "basal_dose": None if seen.rate is None else str(Rate(seen.rate)),
            "reservoir": str(Volume(seen.reservoir)),
            "alarms": list(seen.alarms),
            "running": story.programs.get(seen.running),
            "past_tip": None
            if seen.believed_past_tip is None
            else str(Mass(seen.believed_past_tip)),
        },
        "true": {
            "reservoir": str(Volume(seen.true_reservoir)),
            "past_tip": str(Mass(seen.past_tip)),
            "at_tip": str(Concentration(seen.at_tip)),
            "drained": None if seen.drained is None else str(Volume(seen.drained)),
            "boluses": seen.boluses,
            "missed": seen.missed,
        },
        "wrong": list(told.wrong),
    }


# --- for people -----------------------------------------------------------------------------------


def _since(ms: int) -> str:
    """`3 d 07:15`, since the beginning."""
    return f"{ms // DAY_MS} d {clock_text(ms % DAY_MS // _MINUTE_MS)}"


def _lines(story: Scenario, timeline: tuple[Told, ...], name: str, count: _Count) -> Iterator[str]:
    yield story.title
    yield from hanging("", story.story, 0)
    for told in timeline:
        yield ""
        label = Moment(told.time, told.offset_min).label()
        yield from hanging(f"{_since(told.step.at):>8}  {label}  ", told.step.note, 10)
        yield from hanging("    done    ", f"{told.step.what}{_became(told)}")
        yield from hanging("    pump    ", _says(told.seen))
        yield from hanging("    really  ", _really(told.seen))
        for each in told.wrong:
            yield from hanging("    WRONG   ", each)
    yield ""
    if not count.wrong:
        yield f"All {count.all} expectations hold."
    yield from hanging(
        "",
        f"Counted are {count.named} that the steps name, and of each of the {len(timeline)} "
        "steps that the pump took it, or refused it as expected.",
        0,
    )
    yield f"The pump is {name}: pumpctl emulator inspect {name}"


def _became(told: Told) -> str:
    if told.refused is not None:
        return f": refused, {told.refused} ({told.detail})"
    return f": {told.detail}" if told.detail else ""


def _says(seen: Seen) -> str:
    rate = "nothing given" if seen.rate is None else f"basal {Rate(seen.rate)}"
    alarms = ", ".join(seen.alarms) or "no alarms"
    return f"{seen.delivery}, {rate}, {Volume(seen.reservoir)} left, {alarms}"


def _really(seen: Seen) -> str:
    drained = "" if seen.drained is None else f"; {Volume(seen.drained)} came by needle"
    return (
        f"{Mass(seen.past_tip)} past the tip since, {Concentration(seen.at_tip)} there, "
        f"{Volume(seen.true_reservoir)} left{drained}"
    )
