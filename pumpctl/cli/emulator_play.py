"""`emulator play`: a patient story, replayed on a new built-in pump, told and judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pumpctl.cli import context, edge
from pumpctl.cli.report import Report, finding_json
from pumpctl.errors import ScenarioFailed, ScenarioFaulty, UsageError
from pumpctl.quantities import Concentration, Mass, Rate, Volume
from pumpctl.therapy.moment import DAY_MS, Moment, clock_text

if TYPE_CHECKING:
    from pumpctl.emulator.player_steps import Seen, Told
    from pumpctl.workflows.scenarios import Scenario

_MINUTE_MS = 60_000
_WIDTH = 80


def play(
    scenario: Annotated[
        str, typer.Argument(help="A shipped story's name, or a file of one (.toml).")
    ] = "",
    name: Annotated[str, typer.Argument(help="Of the new pump; the story's name without it.")] = "",
    pair: Annotated[
        bool, typer.Option("--pair", help="Pair it with this operator in the end.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the shipped stories.")] = False,
) -> Report:
    """Replay a patient story on a new, frozen built-in pump; no real pump is touched.

    Tells what happened, what the pump said and what was true, and holds it against
    what the story expects: exit 3 where that does not come true. The pump stays in the
    home as the story left it, to be looked at.

    Example: pumpctl emulator play forgotten-bridge
    """
    from pumpctl.workflows import scenarios

    context.without_pump()
    if listed or not scenario:
        if scenario or name or pair:
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
    return _play(story, name, pair)


def _faulty(scenario: str, error: ScenarioFaulty) -> Report:
    """All of it in one go, each with its place."""
    found = error.findings if isinstance(error.findings, tuple) else ()
    return Report(
        "emulator.play",
        {"scenario": scenario, "findings": [finding_json(each) for each in found]},
        "\n".join(f"{scenario}:{each.line}:{each.column}: {each.message}" for each in found),
        warnings=context.warnings(),
        error=error,
    )


def _list() -> Report:
    from pumpctl.workflows import scenarios

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


def _play(story: Scenario, name: str, pair: bool) -> Report:
    from pumpctl.emulator import player
    from pumpctl.emulator.edge import bench as pumps
    from pumpctl.therapy.patient import tag_hash

    home, name = context.home(), name or story.name
    home.make()
    pumps.refuse_taken(home.root, name)
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
    pumps.keep(home.root, name, new._replace(content=played.content))
    wrong = [each for told in played.timeline for each in told.wrong]
    error = None
    if wrong:
        count = sum(_expected(told) for told in played.timeline)
        error = ScenarioFailed(f"{story.name}: {len(wrong)} of {count} expectations do not hold")
    data = {
        "name": name,
        "serial": new.serial,
        "port": f"emu://{name}",
        "pairing_secret": new.secret_text,
        "scenario": story.name,
        "title": story.title,
        "incident": story.incident,
        "held": not wrong,
        "timeline": [_told_json(story, told) for told in played.timeline],
        "paired": _paired(name, new.secret_text) if pair else None,
    }
    text = "\n".join(_lines(story, played.timeline, name, len(wrong)))
    return Report(
        "emulator.play",
        data,
        text,
        pump=(new.serial, story.model),
        warnings=context.warnings(),
        error=error,
    )


def _paired(name: str, secret: str) -> dict[str, str]:
    from pumpctl.emulator.edge import bench as pumps
    from pumpctl.workflows.pairing import pair as pair_with

    pumps.press(context.home().root, name, now=edge.wall_utc_ms, entropy=edge.entropy)
    station = context.station()._replace(port=f"emu://{name}", only=None, rehearsal=None)
    paired = pair_with(station, secret, "admin")
    return {"operator": paired.operator, "role": paired.role}


def _expected(told: Told) -> int:
    """How many things this step was held against: what is named, and whether it was refused."""
    expect = told.step.expect._replace(refused=None)
    return 1 + sum(each is not None for each in expect) + (told.step.cut is not None)


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
            "basal_dose": str(Rate(seen.rate)),
            "reservoir": str(Volume(seen.reservoir)),
            "alarms": list(seen.alarms),
            "running": story.programs.get(seen.running),
            "past_tip": str(Mass(seen.believed_past_tip)),
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


def _lines(story: Scenario, timeline: tuple[Told, ...], name: str, wrong: int) -> Iterator[str]:
    from textwrap import wrap

    yield story.title
    yield from wrap(story.story, _WIDTH)
    for told in timeline:
        yield ""
        label = Moment(told.time, told.offset_min).label()
        yield from wrap(
            f"{_since(told.step.at):>8}  {label}  {told.step.note}",
            _WIDTH,
            subsequent_indent=" " * 10,
            drop_whitespace=True,
        )
        yield f"    done    {told.step.what}{_became(told)}"
        yield f"    pump    {_says(told.seen)}"
        yield f"    really  {_really(told.seen)}"
        for each in told.wrong:
            yield f"    WRONG   {each}"
    yield ""
    count = sum(_expected(told) for told in timeline)
    if not wrong:
        yield f"All {count} expectations hold."
    yield f"The pump is {name}: pumpctl emulator inspect {name}"


def _became(told: Told) -> str:
    if told.refused is not None:
        return f": refused, {told.refused} ({told.detail})"
    return f": {told.detail}" if told.detail else ""


def _says(seen: Seen) -> str:
    alarms = ", ".join(seen.alarms) or "no alarms"
    return f"{seen.delivery}, {Rate(seen.rate)}, {Volume(seen.reservoir)} left, {alarms}"


def _really(seen: Seen) -> str:
    drained = "" if seen.drained is None else f"; {Volume(seen.drained)} came by needle"
    return (
        f"{Mass(seen.past_tip)} past the tip since, {Concentration(seen.at_tip)} there, "
        f"{Volume(seen.true_reservoir)} left{drained}"
    )
