"""What `trial` says: the entries, what counts of them, the next step; as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, assert_never

from pumpctl.cli.folding import wrap
from pumpctl.cli.profile.json import hash_text
from pumpctl.cli.report import finding_json
from pumpctl.quantities import Mass, Volume, flow_of, round_half_up, volume_of
from pumpctl.therapy import label
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.trial import End, Inject, Next, Observe, Start
from pumpctl.therapy.trial_record import Answered, Given, Standing, TrialEntry, Withdrawn

if TYPE_CHECKING:
    from pumpctl.workflows.decide.starting import StartingProfile
    from pumpctl.workflows.decide.trials import Trial

_INDENT = 24
EARLY = "judged before 4 h: the effect of an injection is seen in 4 to 8 h"


def trial_lines(
    found: Trial, *, recorded: bool = False, profile: StartingProfile | None = None
) -> list[str]:
    """The record, the next step with its source, and what was just done."""
    record = found.record
    who = [] if record.years is None else [f"{record.years} years"]
    if record.injured is not None:
        who.append(f"brain injury {record.injured.date}")
    lines = [" · ".join([found.tag, "screening trial", *who])]
    if not found.entries:
        lines.append("  nothing is on record at this station")
    for entry in found.entries:
        lines += _entry_lines(entry, counts=entry.number in record.counting)
    lines += ["", *_next_lines(found.next)]
    if recorded:
        lines += ["", f"Recorded as entry {found.entries[-1].number}. Nothing was sent to a pump."]
        if found.early:
            lines += _row("note", EARLY)
    if profile is not None:
        lines += ["", *_profile_lines(profile)]
    return lines


def _entry_lines(entry: TrialEntry, *, counts: bool) -> Iterator[str]:
    if isinstance(entry, Given):
        text = f"{_dose(entry.dose)} given"
    elif isinstance(entry, Answered):
        text = f"entry {entry.to}: {_answer(entry)}"
    else:
        text = f"entry {entry.entry} is withdrawn"
    if not isinstance(entry, Withdrawn) and not counts:
        text += " - does not count"
    if not isinstance(entry, Withdrawn) and entry.replaces is not None:
        text += f", in place of entry {entry.replaces}"
    if entry.reason is not None:
        text += f": {entry.reason}"
    stamp = f"  {entry.number:>2}  {entry.at.label()} {zone_text(entry.at)}"
    lines = wrap(text, 78 - 30)
    yield f"{stamp:<30}{lines[0]}"
    yield from (f"{'':30}{line}" for line in lines[1:])


def _answer(entry: Answered) -> str:
    text = "no relief" if not entry.worked else "relief"
    if entry.effect is not None:
        text += f" for {entry.effect}"
    return text + (", bad reaction" if entry.bad_reaction else "")


def _dose(dose: Mass) -> str:
    """`50 mcg = 1 mL`, of the screening ampoule."""
    volume = Volume(round_half_up(volume_of(dose, label.SCREENING_CONCENTRATION)))
    return f"{dose} = {volume}"


def _next_lines(step: Next | None) -> list[str]:
    match step:
        case None:
            return [*_row("next", "say the patient's age: --years 34")]
        case Inject():
            doses = " or ".join(_dose(each.dose) for each in step.options)
            ampoule = f"of {label.SCREENING_CONCENTRATION}, over at least {step.over}"
            watched = "observed {} to {}".format(*(each.text_in("h") for each in step.observed))
            lines = [*_row("next", f"{doses} {ampoule}, {watched}")]
            if step.earliest is not None:
                lines += _row("", f"not before {step.earliest}")
        case Observe():
            lines = [*_row("next", f"observe: {step.first} to {step.last}")]
        case Start():
            flow = flow_of(step.dose, _start_concentration())
            rate = f"{step.dose} = {step.dose.per_hour_text()} = {flow}"
            lines = [*_row("starting dose", f"{rate} at {_start_concentration()}")]
        case End():
            lines = [*_row("no next step", step.kind.value)]
        case _:
            assert_never(step)
    return [*lines, *_row("why", step.why), *_row("source", step.source)]


def _start_concentration() -> Any:
    from pumpctl.workflows.decide.starting import CONCENTRATION

    return CONCENTRATION


def _profile_lines(made: StartingProfile) -> list[str]:
    lines = [f"{made.file} written. No pump was changed; next:"]
    lines.append(f"  pumpctl profile check {made.file}")
    for found in made.findings:
        if found.severity is not Severity.HARD:
            text = f"{found.severity.value} {found.id}: {found.message}"
            lines += wrap(text, 78, initial_indent="  ", subsequent_indent="    ")
    return lines


def zone_text(at: Moment) -> str:
    """`+02:00` or `Z`: the offset of the clock on which it was read."""
    return str(at._replace(utc_ms=0))[19:]


def _row(name: str, text: str) -> list[str]:
    """A name and its text, wrapped behind it."""
    lines = wrap(text, 78 - _INDENT)
    return [f"  {name if not at else '':{_INDENT - 2}}{line}" for at, line in enumerate(lines)]


# --- as data --------------------------------------------------------------------------------


def trial_json(
    found: Trial, *, recorded: bool = False, profile: StartingProfile | None = None
) -> dict[str, Any]:
    """The same as data. `recorded` is the number of the entry just made, or null."""
    record = found.record
    return {
        "tag": found.tag,
        "years": record.years,
        "injured": None if record.injured is None else str(record.injured.date),
        "entries": [_entry_json(each, each.number in record.counting) for each in found.entries],
        "injections": [_injection_json(each) for each in record.standing],
        "next": _next_json(found.next),
        "recorded": found.entries[-1].number if recorded else None,
        "early": found.early if recorded else None,
        "profile": None
        if profile is None
        else {
            "file": str(profile.file),
            "daily_dose": str(profile.start.dose),
            "fallback_rate": str(profile.program.fallback),
            "concentration": str(profile.program.concentration),
            "hash": hash_text(profile.program),
            "findings": [finding_json(each) for each in profile.findings],
        },
    }


def _injection_json(standing: Standing) -> dict[str, Any]:
    given = standing.injection
    return {
        "entry": standing.given.number,
        "dose": str(given.dose),
        "at": str(given.at),
        "worked": given.worked,
        "effect": _text(given.effect),
        "bad_reaction": given.bad_reaction,
        "judged": _text(standing.judged),
    }


def _entry_json(entry: TrialEntry, counts: bool) -> dict[str, Any]:
    told = {"number": entry.number, "at": str(entry.at), "reason": entry.reason}
    match entry:
        case Given():
            return {
                **told,
                "what": "injection",
                "counts": counts,
                "dose": str(entry.dose),
                "years": entry.years,
                "injured": None if entry.injured is None else str(entry.injured.date),
                "replaces": entry.replaces,
            }
        case Answered():
            return {
                **told,
                "what": "response",
                "counts": counts,
                "to": entry.to,
                "worked": entry.worked,
                "effect": _text(entry.effect),
                "bad_reaction": entry.bad_reaction,
                "replaces": entry.replaces,
            }
        case Withdrawn():
            return {**told, "what": "withdrawn", "entry": entry.entry}


def _next_json(step: Next | None) -> dict[str, Any] | None:
    match step:
        case None:
            return None
        case Inject():
            return {
                "kind": "inject",
                "options": [
                    {"dose": str(each.dose), "volume": str(each.volume)} for each in step.options
                ],
                "concentration": str(label.SCREENING_CONCENTRATION),
                "earliest": _text(step.earliest),
                "over": str(step.over),
                "observed": {"from": str(step.observed[0]), "until": str(step.observed[1])},
                "why": step.why,
                "source": step.source,
            }
        case Observe():
            return {
                "kind": "observe",
                "first": str(step.first),
                "last": str(step.last),
                "why": step.why,
                "source": step.source,
            }
        case Start():
            return {
                "kind": "start",
                "daily_dose": str(step.dose),
                "times": step.times,
                "why": step.why,
                "source": step.source,
            }
        case End():
            return {
                "kind": "end",
                "end": step.kind.value,
                "why": step.why,
                "source": step.source,
            }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
