"""What `titrate` says: the permitted range, old beside new, the steps of a weaning; text and JSON.

Plain text of 80 columns. Every dose stands in mcg and mL, per day and per hour,
at its concentration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pumpctl.cli.folding import wrap
from pumpctl.cli.profile.json import hash_text
from pumpctl.cli.profile.text import all_doses_text, patient_dose_text
from pumpctl.cli.report import finding_json
from pumpctl.quantities import Concentration, Rate, flow_of, round_half_up
from pumpctl.therapy import figures, label
from pumpctl.therapy.checks.change import WITHDRAWAL
from pumpctl.therapy.compare import day_rows, percent_text, summary
from pumpctl.therapy.curve import Curve
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.moment import DAYS
from pumpctl.therapy.program import Mode, Program, minimum_rate
from pumpctl.therapy.scaling import Boluses, proportional_fallback

if TYPE_CHECKING:
    from pathlib import Path

    from pumpctl.therapy.profile import Profile
    from pumpctl.therapy.titration import Range, Titration
    from pumpctl.therapy.weaning import WeaningStep
    from pumpctl.workflows.decide.titrating import Proposal

_INDENT = 24


# --- the permitted range ----------------------------------------------------------------


def range_lines(profile: Profile, found: Titration, boluses: Boluses) -> list[str]:
    """What is permitted, both ways, with its reasons."""
    program, patient = profile.program, profile.patient
    history = patient.history or "history not said: held to the rule of a new patient"
    lines = [
        f"{patient.tag} · {patient.age_group}, {patient.spasticity_origin} origin, {history}",
        *_row("program", f"{program.mode.value}, {program.drug} {program.concentration}"),
        *_row("daily dose now", _dose_text(found.dose, program.concentration)),
    ]
    if len(set(figures.daily_doses(program))) > 1:
        lines += _row("", "of the largest day; the others change in proportion")
    if program.boluses:
        how = "are kept: only the basal rates change"
        if boluses is Boluses.SCALED:
            how = "change in proportion (--keep-boluses leaves them)"
        lines += _row("scheduled boluses", how)
    lines += ["", "An increase"]
    if found.increase is None:
        lines += _row("none", found.no_increase)
    else:
        lines += _span_lines(found.increase, program.concentration, "+", "above")
        lines += _row("when", _when(found))
    lines += ["", "A reduction"]
    if found.reduction is None:
        lines += _row("none", found.no_reduction)
    else:
        lines += _span_lines(found.reduction, program.concentration, "-", "below")
        lines += _row("when", "at any time")
        lines += _row("hazard", WITHDRAWAL)
    return lines


def _span_lines(span: Range, concentration: Concentration, sign: str, beyond: str) -> list[str]:
    step = span.step
    low, high = (each.per_hour_text().removesuffix(" mcg/h") for each in (span.low, span.high))
    flows = [flow_of(each, concentration) for each in (span.low, span.high)]
    percent = f"{sign}{str(step.low).removesuffix(' %')} to {step.high}"
    dose, hourly, flow = _to(span.low, span.high), f"{low} to {high} mcg/h", _to(*flows)
    if span.low == span.high:
        dose, hourly, flow = str(span.high), f"{high} mcg/h", str(flows[1])
    usual = f"{dose} ({percent}); smaller is allowed"
    if span.low == span.high and span.hard_beyond is not None:
        usual = f"{percent}, but the checks end it at {dose}; smaller is allowed"
    lines = [
        *_row("usual step", usual),
        *_row("", f"= {hourly} = {flow}"),
        *_row("", step.source),
    ]
    for soft in span.reason_beyond:
        if beyond == "below" or soft.dose <= span.high:
            lines += _row("needs a reason", f"{beyond} {soft.dose}: {soft.source} [{soft.id}]")
    hard = span.hard_beyond
    if hard is not None:
        told = f"{beyond} {hard.dose}, by the checks: {hard.message} [{hard.id}]"
        lines += _row("refused", told)
    elif span.refused_beyond is not None:
        most, source = span.refused_beyond
        lines += _row("refused", f"{beyond} {most}: {source}")
    return lines


def _to(low: object, high: object) -> str:
    """`110 to 130 mcg/day`."""
    return f"{str(low).partition(' ')[0]} to {high}"


def _when(found: Titration) -> str:
    if found.earliest is None:
        return (
            f"{label.FIRST_DAY.source}; {label.INCREASE_APART.source}. Neither time is known here: "
            "--started, --last-increase"
        )
    told = f"not before {found.earliest.value}: {found.earliest.source}"
    if found.last_increase is None:
        told += (
            f"; {label.INCREASE_APART.source}, and the last increase is not known here: "
            "--last-increase"
        )
    return told


def range_json(profile: Profile, found: Titration, boluses: Boluses) -> dict[str, Any]:
    """The same as data."""
    return {
        "current": str(found.dose),
        "patient": profile.patient._asdict(),
        "boluses": boluses.value if profile.program.boluses else None,
        "range": None if found.increase is None else _span_json(found.increase),
        "no_increase": found.no_increase or None,
        "earliest": None if found.earliest is None else str(found.earliest.value),
        "last_increase": None if found.last_increase is None else str(found.last_increase),
        "reduction": None if found.reduction is None else _span_json(found.reduction),
        "no_reduction": found.no_reduction or None,
    }


def _span_json(span: Range) -> dict[str, Any]:
    refused, hard = span.refused_beyond, span.hard_beyond
    return {
        "low": str(span.low),
        "high": str(span.high),
        "step": {"low": str(span.step.low), "high": str(span.step.high)},
        "refused_beyond": None if refused is None else str(refused.value),
        "hard_beyond": None
        if hard is None
        else {"dose": str(hard.dose), "id": hard.id, "source": hard.source},
        "reason_beyond": [
            {"dose": str(soft.dose), "id": soft.id, "source": soft.source}
            for soft in span.reason_beyond
        ],
        "sources": list(span.sources),
    }


# --- a new profile ------------------------------------------------------------------------


def proposal_lines(
    profile: Profile,
    found: Titration,
    made: Proposal,
    boluses: Boluses,
    fallback: Rate | None,
    dates: dict[str, Any],
) -> list[str]:
    """Old beside new, what was done with every part, and what the checks say."""
    old, new = profile.program, made.program
    was, will = summary(old), summary(new)
    lines = [
        f"{profile.patient.tag} · {new.mode.value}, {new.drug} {new.concentration}",
        _beside("", "now", "new", ""),
    ]
    for row in day_rows(old, new):
        lines.append(_beside(f"daily dose  {row.label}", row.old, row.new, row.percent))
        before = "" if row.old is None else row.old.per_hour_text()
        lines.append(_beside("  mean", before, row.new.per_hour_text(), ""))
    hour = percent_text(was.largest_hour.quanta, will.largest_hour.quanta)
    lines.append(_beside("largest hour", was.largest_hour, will.largest_hour, hour))
    lines.append(_beside("flow, largest day", was.flow, will.flow, ""))
    how = "as given" if fallback is not None else _fallback_text(old, new)
    lines.append(_beside("fallback", was.fallback, will.fallback, ""))
    lines += _row("", f"{how}, {will.fallback_share} of the least day")
    if made.dose != made.wanted:
        lines += _row(
            "asked for",
            f"{made.wanted}; written is {made.dose}: basal rates go in steps of 0.001 mcg/h, each "
            "rounded towards the old one",
        )
    if old.boluses:
        lines += _row("scheduled boluses", _boluses_text(old, new, boluses))
    if new.patient_dose is not None:
        lines += _row("patient doses", f"unchanged: {patient_dose_text(new.patient_dose)}")
        largest = all_doses_text(new, Curve(new))
        lines += _row("24 h with all", largest)
    if made.dose < was.largest_day:
        lines += _row("hazard", WITHDRAWAL)
    else:
        lines += _row("when", _when(found))
    if dates["low_date"] is not None:
        lines += _row("low reservoir", f"{dates['low_date']}, refill by {dates['refill_by']}")
    return lines + _finding_lines(made.findings)


def _fallback_text(old: Program, new: Program) -> str:
    """`in proportion`, or what kept it from that."""
    wished = proportional_fallback(old, new)
    if new.fallback == wished:
        return "in proportion"
    least = minimum_rate(new.concentration)
    if new.fallback == least:
        return f"held at the least that a pump gives, {least} (in proportion: {wished})"
    return f"as it was: {least} is the least that a pump gives (in proportion: {wished})"


def next_lines(file: Path, made: Proposal) -> list[str]:
    """The command that brings it onto the pump, with a reason to be filled in for each finding."""
    soft = dict.fromkeys(one.id for one in made.findings if one.severity is Severity.SOFT)
    words = [
        f"  pumpctl program push {file}",
        *(f'    --override {each}="reason"' for each in soft),
    ]
    return " \\\n".join(words).split("\n")


def _boluses_text(old: Program, new: Program, boluses: Boluses) -> str:
    if boluses is Boluses.KEPT:
        return "kept as they are"
    pairs = zip(old.boluses, new.boluses, strict=True)
    changes = dict.fromkeys(f"{before.dose} to {after.dose}" for before, after in pairs)
    return f"in proportion: {', '.join(changes)}"


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for found in findings:
        text = f"{found.severity.value} {found.id}: {found.message} [{found.source}]"
        lines += wrap(text, 78, initial_indent="  ", subsequent_indent="    ")
    return ["", *lines] if lines else []


def proposal_json(old: Program, made: Proposal, dates: dict[str, Any]) -> dict[str, Any]:
    """The same as data; `file` is null until it is written."""
    pairs = zip(figures.daily_doses(old), figures.daily_doses(made.program), strict=True)
    told = summary(made.program)
    return {
        "wanted_dose": str(made.wanted),
        "daily_dose": str(made.dose),
        "change_percent": _percent(figures.largest_day(old), figures.largest_day(made.program)),
        "days": [
            {
                "day": DAYS[day],
                "old_dose": str(figures.daily_dose_rounded(old, day)),
                "daily_dose": str(figures.daily_dose_rounded(made.program, day)),
                "change_percent": _percent(before, after),
            }
            for day, (before, after) in enumerate(pairs)
        ],
        "largest_hour": str(told.largest_hour),
        "fallback_rate": str(made.program.fallback),
        "hash": hash_text(made.program),
        "findings": [finding_json(found) for found in made.findings],
        "forecast": dates,
        "file": None,
    }


def _percent(before: Any, after: Any) -> str:
    """`10` or `-6.8`, as a plan has it."""
    text = percent_text(before, after).removesuffix(" %").removesuffix(".0")
    return text.removeprefix("+")


# --- a weaning ----------------------------------------------------------------------------


def weaning_lines(
    profile: Profile, steps: Sequence[WeaningStep], made: Sequence[Proposal], unlike: str | None
) -> list[str]:
    """The table of steps, and every finding once with the steps that have it."""
    program = profile.program
    now = Rate(round_half_up(figures.largest_day(program)))
    lines = [
        f"{profile.patient.tag} · {program.drug} {program.concentration}",
        *_row("daily dose now", _dose_text(now, program.concentration)),
        "",
        "  step  from        daily dose        change    for   gives",
    ]
    for number, step in enumerate(steps, 1):
        gives = "" if step.mass is None else f"{step.mass} = {step.volume}"
        lasts = "stays" if step.days is None else f"{step.days} d"
        mode = f"  ({step.program.mode.value})" if step.program.mode is Mode.MINIMUM else ""
        line = f"  {number:<4}  {step.date}  {step.dose!s:16}  {step.change:8}  {lasts:5} "
        lines.append(f"{line}{gives}{mode}".rstrip())
    lines.append("")
    if program.patient_dose is not None:
        lines += _row("patient doses", f"unchanged: {patient_dose_text(program.patient_dose)}")
    lines += _row("hazard", WITHDRAWAL)
    if unlike is not None:
        lines += _row("note", unlike)
    told: dict[tuple[str, int], tuple[Finding, list[int]]] = {}
    for number, one in enumerate(made, 1):
        seen: Counter[str] = Counter()
        for found in one.findings:
            seen[found.id] += 1
            told.setdefault((found.id, seen[found.id]), (found, []))[1].append(number)
    for found, numbers in told.values():
        which = ", ".join(map(str, numbers))
        text = f"{found.severity.value} {found.id} (step {which}): {found.message}"
        lines += wrap(text, 78, initial_indent="  ", subsequent_indent="    ")
    return lines


def weaning_json(
    steps: Sequence[WeaningStep], made: Sequence[Proposal], files: Sequence[Path | None]
) -> list[dict[str, Any]]:
    """The same as data."""
    return [
        {
            "date": str(step.date),
            "days": step.days,
            "mode": step.program.mode.value,
            "daily_dose": str(step.dose),
            "change_percent": step.change.removesuffix(" %").removesuffix(".0"),
            "mass": None if step.mass is None else str(step.mass),
            "volume": None if step.volume is None else str(step.volume),
            "findings": [finding_json(found) for found in one.findings],
            "file": None if file is None else str(file),
        }
        for step, one, file in zip(steps, made, files, strict=True)
    ]


# --- lines ----------------------------------------------------------------------------------


def _dose_text(dose: Rate, concentration: Concentration) -> str:
    flow = flow_of(dose, concentration)
    return f"{dose} = {dose.per_hour_text()} = {flow} at {concentration}"


def _row(name: str, text: str) -> list[str]:
    """A name and its text, wrapped behind it."""
    lines = wrap(text, 78 - _INDENT)
    return [f"  {name if not at else '':{_INDENT - 2}}{line}" for at, line in enumerate(lines)]


def _beside(name: str, old: object, new: object, percent: str) -> str:
    return f"  {name:22}{old!s:18}{new!s:18}{percent:>8}".rstrip()
