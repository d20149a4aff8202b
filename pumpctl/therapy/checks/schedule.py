"""Is it a schedule at all? Days, steps: no gap, no overlap, no disorder (PRG-08).

Looks at the profile as it was written, before anything is merged or sorted.
Doses and limits are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.moment import DAYS, clock_text

_SOURCE = "PRG-08"


@check(
    "DAY_MISSING",
    Severity.HARD,
    source=_SOURCE,
    why="A day without steps would be a day without the drug: withdrawal. Every day of the week "
    "is named once.",
)
def day_missing(case: Case) -> Iterator[Seen]:
    """Every day of the week has its steps."""
    named = case.draft.day_names()
    if named is None:
        return
    missing = [day for day in range(7) if day not in {each for each, _ in named}]
    if missing:
        names = ", ".join(DAYS[day] for day in missing)
        yield Seen(
            f"no steps for {names}: every day of the week must be named once",
            value=names,
            limit="mon to sun",
            path=("program", "day"),
            key=True,
        )


@check(
    "DAY_TWICE",
    Severity.HARD,
    source=_SOURCE,
    why="Two schedules for one day: nobody can say which of them was meant.",
)
def day_twice(case: Case) -> Iterator[Seen]:
    """No day has two schedules."""
    seen: set[int] = set()
    for day, path in case.draft.day_names() or ():
        if day in seen:
            yield Seen(f"{DAYS[day]} is named twice", value=DAYS[day], limit="once", path=path)
        seen.add(day)


@check(
    "STEP_GAP",
    Severity.HARD,
    source=_SOURCE,
    why="The first step begins at 00:00. What was meant before a later first step, nobody knows, "
    "and nothing is ever filled in.",
)
def step_gap(case: Case) -> Iterator[Seen]:
    """The steps of a day begin at 00:00."""
    for written in case.draft.days or ():
        first = written.steps[0] if written.steps else None
        starts = [step.start for step in written.steps or ()]
        if first is None or None in starts or 0 in starts:
            continue
        text = clock_text(first.start or 0)
        yield Seen(
            f"the steps begin at {text}, so nothing is said from 00:00 on",
            value=text,
            limit="00:00",
            path=(*first.path, "from"),
        )


@check(
    "STEP_TWICE",
    Severity.HARD,
    source=_SOURCE,
    why="Two rates from one time on overlap, and one of them would last no time at all.",
)
def step_twice(case: Case) -> Iterator[Seen]:
    """No two steps of a day begin at one time."""
    for written in case.draft.days or ():
        seen: set[int] = set()
        for step in written.steps or ():
            if step.start is None:
                continue
            if step.start in seen:
                text = clock_text(step.start)
                yield Seen(
                    f"a second step begins at {text}: two rates overlap",
                    value=text,
                    limit="each time once",
                    path=(*step.path, "from"),
                )
            seen.add(step.start)


@check(
    "STEP_ORDER",
    Severity.HARD,
    source=_SOURCE,
    why="Steps out of order read differently from what they do: 2 o'clock is not 14:00. They are "
    "refused, not sorted.",
)
def step_order(case: Case) -> Iterator[Seen]:
    """The steps of a day stand in order."""
    for written in case.draft.days or ():
        before = -1
        for step in written.steps or ():
            if step.start is None:
                continue
            if step.start < before:
                text, limit = clock_text(step.start), clock_text(before)
                yield Seen(
                    f"the step of {text} is written after that of {limit}",
                    value=text,
                    limit=f"after {limit}",
                    path=(*step.path, "from"),
                )
            before = max(before, step.start)
