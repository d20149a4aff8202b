"""Does the writer's own total equal what the steps and boluses add up to?

The line that catches "60 mcg every hour" for "60 mcg each morning". It compares
the declared with the exact sum, and knows no limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pumpctl.quantities import Rate, round_half_up
from pumpctl.therapy.checks.registry import Case, check
from pumpctl.therapy.draft import bolus_masses
from pumpctl.therapy.figures import basal_of
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.moment import DAYS


@check(
    "DECLARED_DOSE",
    Severity.HARD,
    source="this project's choice; ISMP report: 60 mcg each morning entered as every hour",
    why="The daily dose is written twice, once as a total and once as its parts. Where the two "
    "differ one of them is a slip, and only the writer knows which: 24 times the dose has been "
    "given by such a slip.",
    incident="ISMP: 60 mcg each morning was programmed as 60 mcg every hour, 24 times the dose.",
)
def declared_dose(case: Case) -> Iterator[Seen]:
    """The declared daily dose equals the exact sum, half up to 0.001 mcg."""
    draft = case.draft
    placed = case.placed
    if placed is None:
        return
    masses = bolus_masses(placed)
    for written in draft.days or ():
        steps = written.read()
        if steps is None or written.declared is None or not _in_order([s.start for s in steps]):
            continue
        basal, told = basal_of(steps), dict[int, list[str]]()
        for day in written.days:
            if day is not None:
                total = round_half_up(basal + masses[day])
                if total != written.declared.quanta:
                    told.setdefault(total, []).append(DAYS[day])
        for total, days in told.items():
            sum_text = Rate(total)
            less = total < written.declared.quanta
            apart = written.declared - sum_text if less else sum_text - written.declared
            yield Seen(
                f"declared {written.declared}, but the steps and boluses of {', '.join(days)} "
                f"add up to {sum_text}: {apart} {'less' if less else 'more'}",
                value=str(written.declared),
                limit=str(sum_text),
                path=(*written.path, "daily_dose"),
            )


def _in_order(starts: list[int]) -> bool:
    """Only steps that make a day have a sum."""
    rises = all(a < b for a, b in pairwise(starts))
    return bool(starts) and starts[0] == 0 and rises
