"""`program show` and `program history`: what a pump runs, ran at a time, and ran before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pumpctl.cli import context
from pumpctl.cli.folding import wrap
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import LinkError, PortError, PumpctlError, PumpRefused

if TYPE_CHECKING:
    from pumpctl.therapy.moment import Moment
    from pumpctl.therapy.program import Program
    from pumpctl.workflows.course.history import By, Event, Held, History, Noted

SHORT = 12
"""Digits of a hash on the screen; 8 name a program."""


def show(
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="What was in force when the pump's clock showed it: 2026-03-31T14:07+02:00.",
        ),
    ] = None,
) -> Report:
    """Show the program that the pump runs, or ran at a time. It changes nothing on the pump.

    Example: pumpctl --port emu://ward-3 program show
    """
    if at is not None:
        return _show_at(at)
    from pumpctl.cli.profile.text import program_lines
    from pumpctl.workflows.acts.shown import described
    from pumpctl.workflows.visit import visit

    with visit(context.station(), changes=False) as open_visit:
        program, _ = open_visit.pump.program()
        pump = (open_visit.serial, open_visit.pump.identity.model)
    return Report(
        "program.show",
        described(program),
        "\n".join(program_lines(program)),
        pump=pump,
        warnings=context.warnings(),
    )


def _show_at(text: str) -> Report:
    from pumpctl.cli.profile.text import program_lines
    from pumpctl.therapy.moment import Moment
    from pumpctl.workflows.acts.shown import described
    from pumpctl.workflows.course.history import history
    from pumpctl.workflows.course.history_at import program_at

    at = Moment.parse(text)
    found = history(context.station())
    then = program_at(found, at)
    since = _face(then.begin)
    data = {
        **described(then.program),
        "hash": None if then.hash is None else then.hash.hex(),
        "at": str(at),
        "then": then.state,
        "since": None if then.begin is None else str(then.begin),
    }
    first = {
        "running": f"At {at} it ran, since {since}:",
        "stopped": f"At {at} the pump was STOPPED, since {since}. It held:",
        "fallback": f"At {at} it gave the fallback rate, since {since}. Its program was lost:",
    }[then.state]
    return Report(
        "program.show",
        data,
        "\n".join([first, *program_lines(then.program)]),
        pump=(found.serial, found.model),
        warnings=context.warnings(),
    )


def history() -> Report:
    """Show every program that the pump ran, the newest first. It changes nothing on the pump.

    Times are the pump's clock face, and its own counter since it was made. Where no pump
    answers, it shows what was put on it from this station, and ends with the error.

    Example: pumpctl --port ./tty0 program history
    """
    from pumpctl.workflows.course.history import history as history_now
    from pumpctl.workflows.course.history import journal_alone

    station = context.station()
    try:
        found = history_now(station)
    except (PortError, LinkError, PumpRefused) as error:
        return _alone(journal_alone(station), error)
    return Report(
        "program.history",
        {
            "programs": [_json(each) for each in found.held],
            "incomplete": found.incomplete,
            "clock": str(found.state.clock),
        },
        "\n".join(_lines(found)),
        pump=(found.serial, found.model),
        warnings=context.warnings(),
    )


# --- JSON -----------------------------------------------------------------------------------


def _json(held: Held) -> dict[str, Any]:
    return {
        "hash": None if held.hash is None else held.hash.hex(),
        "from": _time(held.begin),
        "to": _time(held.end),
        "from_counter": _counter(held.begin_counter_ms),
        "to_counter": _counter(held.end_counter_ms),
        **_figures(held.program),
        **_by_json(held.by),
        "events": [
            {
                "event": each.what,
                "at": str(each.at),
                "counter": _counter(each.counter_ms),
                "rate": None if each.rate is None else str(each.rate),
                **_by_json(each.by),
                "reason": (each.by and each.by.reason) or None,
            }
            for each in held.events
        ],
    }


def _figures(program: Program) -> dict[str, Any]:
    from pumpctl.therapy.compare import summary

    return {
        "daily_dose": str(summary(program).largest_day),
        "mode": program.mode.value,
        "concentration": str(program.concentration),
    }


def _by_json(by: By | None) -> dict[str, Any]:
    """`operator` null beside an operation: another station's."""
    return {
        "operation": None if by is None else by.operation,
        "operator": None if by is None else by.operator,
    }


def _time(at: Moment | None) -> str | None:
    return None if at is None else str(at)


def _counter(ms: int | None) -> str | None:
    from pumpctl.quantities import Duration

    return None if ms is None else str(Duration(ms))


# --- for people -----------------------------------------------------------------------------


def _lines(found: History) -> Iterator[str]:
    yield f"Pump {found.serial} · programs, the newest first · times by the pump's clock"
    yield "Largest day in mcg/day; day and hour in brackets are the pump's own counter."
    for held in found.held:
        yield ""
        yield from _program(held)
    yield ""
    if found.incomplete is not None:
        yield f"It ends here: {found.incomplete}."
    else:
        yield "That is everything since the pump was made."


def _program(held: Held) -> Iterator[str]:
    program, figures = held.program, _figures(held.program)
    end = "now" if held.end is None else held.end.label()
    span = f"{_face(held.begin)} to {end}"
    yield f"{figures['daily_dose']:>16}  {span:38}{figures['mode']}"
    name = "hash not told" if held.hash is None else held.hash.hex()[:SHORT]
    made = "earlier than is known" if held.begin is None else "as the pump was made"
    who = made if held.by is None else _who(held.by)
    since = "" if held.begin_counter_ms is None else f" ({_days(held.begin_counter_ms)})"
    yield from _wrapped(f"{name} · {program.drug} {program.concentration} · {who}{since}", 4)
    for event in held.events:
        yield from _wrapped(_event(event), 6)


def _event(event: Event) -> str:
    rate = "" if event.rate is None else f" {event.rate}, the program was lost"
    who = "by the pump itself" if event.by is None else f"by {_who(event.by)}"
    reason = f": {event.by.reason}" if event.by is not None and event.by.reason else ""
    what = "STOPPED" if event.what == "stopped" else event.what
    return f"{event.at.label()} ({_days(event.counter_ms)}) {what}{rate} {who}{reason}"


def _wrapped(text: str, indent: int) -> list[str]:
    """Long reasons go on below, two further in."""
    return wrap(text, 80, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))


def _who(by: By) -> str:
    return f"{by.operator or 'another station'}, {by.operation[:8]}"


def _days(counter_ms: int) -> str:
    """`3 d 04 h 05 min` of the pump's counter."""
    days, rest = divmod(counter_ms // 60_000, 1440)
    return f"{days} d {rest // 60:02d}:{rest % 60:02d}"


def _face(at: Moment | None) -> str:
    return "a time not known" if at is None else at.label()


def _alone(noted: tuple[Noted, ...], error: PumpctlError) -> Report:
    """What the journal knows, beside the error: no pump has said that it is so."""
    why = f"no pump answered ({error.message}): only what was ordered from this station is known"
    lines = ["NO PUMP ANSWERED. This was ordered from this station, times by its own clock:"]
    for pump, group in groupby(noted, key=lambda each: each.pump):
        lines += ["", f"Pump {pump}"]
        for each in group:
            dose = "" if each.program is None else _figures(each.program)["daily_dose"]
            open_ = "  OUTCOME UNKNOWN" if each.unknown else ""
            lines.append(f"{dose:>16}  {each.at.label()}  {each.what}, {_who(each.by)}{open_}")
    if not noted:
        lines.append("nothing")
    return Report(
        "program.history",
        {"programs": list(_noted_json(noted)), "incomplete": why, "clock": None},
        "\n".join(lines),
        warnings=context.warnings(),
        error=error,
    )


def _noted_json(noted: tuple[Noted, ...]) -> Iterator[dict[str, Any]]:
    """The same keys, by the station's clock; `to` is the next order from here."""
    from pumpctl.pump.encode import program_hash

    ends: dict[str, str] = {}
    for each in noted:
        if each.program is None or each.what == "resume":
            continue
        yield {
            "pump": each.pump,
            "hash": program_hash(each.program).hex(),
            "from": str(each.at),
            "to": ends.get(each.pump),
            **_figures(each.program),
            **_by_json(each.by),
            "unknown": each.unknown,
        }
        ends[each.pump] = str(each.at)
