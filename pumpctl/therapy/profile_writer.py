"""A program as the text of a profile: read back, it is the same program for the same patient.

The contract's order of keys, lists and steps on one line each, and comments that
say where it came from. Written by hand, because no kept TOML writer leaves a list
of days on one line. Only the format is known here; whether the program is a sane
one is the checks' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pumpctl.quantities import Duration, Mass, Rate, round_half_up
from pumpctl.therapy.figures import daily_doses
from pumpctl.therapy.moment import DAYS, clock_text
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.profile_shape import FORMAT
from pumpctl.therapy.program import Mode, PatientDose, Program, ScheduledBolus, Step
from pumpctl.therapy.toml_text import quoted

_WIDTH = 78


def profile_text(
    program: Program, patient: Patient, serial: str | None = None, comments: Sequence[str] = ()
) -> str:
    """The whole profile, each of `comments` a paragraph at its head.

    ValueError for a basal rate that has no exact text in mcg/h (not a multiple of
    3 ng/day), which no profile can have held.
    """
    return "\n".join(_lines(program, patient, serial, comments)) + "\n"


def _lines(
    program: Program, patient: Patient, serial: str | None, comments: Sequence[str]
) -> Iterator[str]:
    yield "#:schema ./profile.schema.json"
    for comment in comments:
        yield from _comment(comment)
    yield f"format = {FORMAT}"
    yield from ("", "[patient]", f"tag = {quoted(patient.tag)}")
    yield f"spasticity_origin = {quoted(patient.spasticity_origin)}"
    yield f"age_group = {quoted(patient.age_group)}"
    if patient.history is not None:
        yield f"history = {quoted(patient.history)}"
    if serial is not None:
        yield from ("", "[pump]", f"serial = {quoted(serial)}")
    yield from ("", "[drug]", f"name = {quoted(program.drug)}")
    yield f"concentration = {quoted(str(program.concentration))}"
    yield from ("", "[program]", f"mode = {quoted(program.mode.value)}")
    if program.mode is not Mode.MINIMUM:
        yield from _doses(program)
    yield from ("", "[reservoir]", f"low_alarm = {quoted(str(program.low_alarm))}")


def _doses(program: Program) -> Iterator[str]:
    totals = [Rate(round_half_up(dose)) for dose in daily_doses(program)]
    if program.mode is Mode.CONTINUOUS:
        yield f"daily_dose = {quoted(str(totals[0]))}"
    yield f"fallback_rate = {quoted(str(program.fallback))}"
    if program.mode is Mode.FLEX:
        alike: dict[tuple[tuple[Step, ...], Rate], list[int]] = {}
        for day, steps in enumerate(program.days):
            alike.setdefault((steps, totals[day]), []).append(day)
        for (steps, total), days in alike.items():
            yield from ("", "[[program.day]]", f"days = {_days(days)}")
            yield f"daily_dose = {quoted(str(total))}"
            yield "steps = ["
            for step in steps:
                basal = step.rate.text_in("mcg/h")
                yield f'  {{ from = "{clock_text(step.start)}", basal = {quoted(basal)} }},'
            yield "]"
    for dose, over, times, on in _tables(program.boluses):
        yield from ("", "[[program.bolus]]", f"dose = {quoted(str(dose))}")
        yield f"over = {quoted(str(over))}"
        yield f"at = [{', '.join(quoted(clock_text(at)) for at in times)}]"
        yield f"days = {_days(on)}"
    if program.patient_dose is not None:
        yield from _patient_dose(program.patient_dose)


def _patient_dose(own: PatientDose) -> Iterator[str]:
    yield from ("", "[program.patient_dose]", f"dose = {quoted(str(own.dose))}")
    yield f"over = {quoted(str(own.over))}"
    yield f"lockout = {quoted(str(own.lockout))}"
    yield f"max_per_24h = {own.max_per_24h}"


def _tables(
    boluses: Iterable[ScheduledBolus],
) -> Iterator[tuple[Mass, Duration, Sequence[int], Sequence[int]]]:
    """Boluses that are alike in one table for all their times, or days, whichever is shorter."""
    alike: dict[tuple[Mass, Duration], list[tuple[int, int]]] = {}
    for bolus in sorted(boluses, key=lambda each: (each.at, each.day)):
        alike.setdefault((bolus.dose, bolus.over), []).append((bolus.at, bolus.day))
    for (dose, over), slots in alike.items():
        by_time = _grouped(slots)
        by_day = _grouped((day, at) for at, day in slots)
        if len(by_time) <= len(by_day):
            yield from ((dose, over, times, days) for days, times in by_time.items())
        else:
            yield from ((dose, over, times, days) for times, days in by_day.items())


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, ...], list[int]]:
    """The firsts of the pairs, together where they have the same seconds."""
    seconds: dict[int, list[int]] = {}
    for first, second in pairs:
        seconds.setdefault(first, []).append(second)
    groups: dict[tuple[int, ...], list[int]] = {}
    for first, found in seconds.items():
        groups.setdefault(tuple(sorted(found)), []).append(first)
    return groups


def _days(days: Iterable[int]) -> str:
    return f"[{', '.join(quoted(DAYS[day]) for day in sorted(days))}]"


def _comment(text: str) -> Iterator[str]:
    """One paragraph of comment, of printable characters only."""
    from textwrap import wrap

    plain = "".join(each if each.isprintable() else "?" for each in text)
    yield from (f"# {line}" for line in wrap(plain, _WIDTH, break_long_words=False))
