"""What `profile diff` tells people: figures, steps, boluses, settings, hours; 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.cli.profile.ahead import Ahead
from pumpctl.cli.profile.compare import Compared, signed
from pumpctl.cli.profile.forecast_text import side_by_side_lines
from pumpctl.cli.profile.text import can_write, patient_dose_text, with_volume
from pumpctl.quantities import Duration, Mass, Rate, round_half_up
from pumpctl.therapy.compare import days_label, percent_text, share_text
from pumpctl.therapy.difference import BolusEdit, Edit, Pair, StepEdit
from pumpctl.therapy.figures import flow_of_largest_day
from pumpctl.therapy.hours import alike_days
from pumpctl.therapy.moment import clock_text
from pumpctl.therapy.program import Program, ScheduledBolus

_LOUD = {
    "patient.tag": "ANOTHER PATIENT",
    "pump.serial": "ANOTHER PUMP",
    "drug.name": "ANOTHER DRUG",
    "drug.concentration": "ANOTHER CONCENTRATION",
}
"""What is said first and in capitals."""
_PATIENT_DOSE = "program.patient_dose."


def compared_text(told: Compared, ahead: Ahead, windows: tuple[Duration, ...]) -> str:
    """The same for people; 80 columns."""
    lines = [*_heads(told)]
    if told.same:
        return "\n".join([*lines, "", "Nothing changes: both mean the same program."])
    lines += _loud(told)
    if told.old.program == told.new.program:
        lines += ["", "The program itself is the same."]
    else:
        lines += ["", *_figures(told), *_steps(told), *_boluses(told)]
    lines += _settings(told)
    lines += _hours(told)
    old, new = told.old.program, told.new.program
    seen = (ahead.outlook(old, windows), ahead.outlook(new, windows))
    if seen[0] is not None and seen[1] is not None and ahead.volume is not None:
        lines += ["", *side_by_side_lines(seen[0], seen[1], (old, new), ahead.volume)]
    text = "\n".join(lines)
    return text if can_write("→·") else text.replace("→", "->").replace("·", "-")


def _heads(told: Compared) -> Iterator[str]:
    for name, side in (("old", told.old), ("new", told.new)):
        whom = "patient not said" if side.patient is None else f"patient {side.patient.tag}"
        drug = f"{side.program.drug} {side.program.concentration}"
        yield f"{name}  {side.file}"
        yield f"     {whom} · {side.program.mode.value} · {drug}"


def _loud(told: Compared) -> list[str]:
    named = {each.name: each for each in told.settings}
    lines = [
        f"{words}: {named[name].old or 'not said'} → {named[name].new or 'not said'}"
        for name, words in _LOUD.items()
        if name in named
    ]
    if "drug.name" in named or "drug.concentration" in named:
        lines += _of_concentration(told.old.program, told.new.program)
    return ["", *lines] if lines else []


def _of_concentration(old: Program, new: Program) -> list[str]:
    """What another solution means: the flow, the refill, the line."""
    share = share_text(old.concentration.quanta, new.concentration.quanta)
    return [
        f"  The same dose takes {share} of the volume: the flow changes with the solution.",
        "  Only a refill changes what a pump holds; a push of this profile is refused.",
        "  The line still holds the old solution then: the refill plans a bridge.",
    ]


def _figures(told: Compared) -> Iterator[str]:
    found = told.found
    old, new = told.old.program, told.new.program
    yield _row("", "old", "new", "change", "")
    groups: dict[Pair, list[int]] = {}
    for day, pair in enumerate(found.days):
        groups.setdefault(pair, []).append(day)
    for pair, days in groups.items():
        yield _pair_row(days_label(tuple(days)), pair, Rate)
    yield _pair_row("largest hour", found.largest_hour, Mass)
    if old.patient_dose or new.patient_dose:
        yield _pair_row("24 h, all doses", found.largest_24h, Mass)
    flows = flow_of_largest_day(old), flow_of_largest_day(new)
    change = percent_text(flows[0].quanta, flows[1].quanta)
    yield _row("flow, largest day", str(flows[0]), str(flows[1]), "", change)


def _pair_row(label: str, pair: Pair, kind: type[Rate] | type[Mass]) -> str:
    if pair.old == pair.new:
        return _row(label, str(kind(round_half_up(pair.old))), "the same", "", "")
    was, will = (kind(round_half_up(each)) for each in pair)
    return _row(label, str(was), str(will), signed(pair, kind), percent_text(*pair))


def _row(label: str, *cells: str) -> str:
    was, will, change, percent = cells
    return f"  {label:18} {was:15} {will:15} {change:16} {percent:>8}".rstrip()


def _steps(told: Compared) -> list[str]:
    grouped: dict[StepEdit, list[int]] = {}
    for step in told.found.steps:
        grouped.setdefault(step._replace(day=0), []).append(step.day)
    rows = sorted(grouped.items(), key=lambda row: (row[0].at, row[1]))
    return _section("Basal steps", [f"  {_step(tuple(days), step)}" for step, days in rows])


def _step(days: tuple[int, ...], step: StepEdit) -> str:
    what = {Edit.ADDED: "new step", Edit.REMOVED: "no step now", Edit.CHANGED: ""}[step.edit]
    was, will = step.old.per_hour_text(), step.new.per_hour_text()
    if step.old == step.new:
        rates, change = f"{will} as before", ""
    else:
        rates = f"{was.removesuffix(' mcg/h')} → {will}"
        change = percent_text(step.old.quanta, step.new.quanta)
    return f"{days_label(days):18} {clock_text(step.at)}  {rates:24} {change:>8}  {what}".rstrip()


def _boluses(told: Compared) -> list[str]:
    grouped: dict[tuple[object, ...], list[BolusEdit]] = {}
    for bolus in told.found.boluses:
        key = (bolus.at, *(None if each is None else each[1:] for each in (bolus.old, bolus.new)))
        grouped.setdefault(key, []).append(bolus)
    lines = []
    for alike in sorted(grouped.values(), key=lambda alike: (alike[0].at, alike[0].day)):
        bolus = alike[0]
        when = f"  {days_label(tuple(each.day for each in alike)):18} {clock_text(bolus.at)}  "
        was = _bolus(bolus.old, told.old.program)
        will = _bolus(bolus.new, told.new.program)
        if bolus.edit is Edit.CHANGED:
            lines += [f"{when}{was}", f"{'→ ':>{len(when)}}{will}"]
        else:
            lines.append(f"{when}{'added: ' + will if bolus.old is None else 'removed: ' + was}")
    return _section("Scheduled boluses", lines)


def _bolus(bolus: ScheduledBolus | None, program: Program) -> str:
    if bolus is None:
        return ""
    return f"{with_volume(bolus.dose, program.concentration)} over {bolus.over}"


def _settings(told: Compared) -> list[str]:
    was, will = told.old.program.patient_dose, told.new.program.patient_dose
    whole = was is None or will is None
    lines = []
    for each in told.settings:
        if each.name in _LOUD or (whole and each.name.startswith(_PATIENT_DOSE)):
            continue
        percent = "" if each.percent is None else f"  {each.percent}"
        lines.append(f"  {each.name:32} {each.old or 'none'} → {each.new or 'none'}{percent}")
    if whole and was is not None:
        lines.append(f"  patient dose removed: {patient_dose_text(was)}")
    if whole and will is not None:
        lines.append(f"  patient dose added: {patient_dose_text(will)}")
    return _section("Settings", lines)


def _hours(told: Compared) -> list[str]:
    lines = []
    for days in alike_days(told.old.program, told.new.program):
        pairs = told.found.hours[days[0]]
        rows, first = [], 0
        for hour in range(1, 25):
            if hour < 24 and pairs[hour] == pairs[first]:
                continue
            each = " each" if hour - first > 1 else ""
            if pairs[first].old != pairs[first].new:
                rows.append(_pair_row(f"  {first:02d}-{hour:02d}{each}", pairs[first], Mass))
            first = hour
        if rows:
            lines += [f"  {days_label(days)}", *rows]
    if lines:
        lines.append("  A bolus is counted in its first hour. Hours that are not listed stay.")
    return _section("Hour by hour", lines)


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []
