"""Is the library that a change is held against still valid? (LIM-08)"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.therapy.checks.registry import PumpCase, pump_check
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.state import Delivery


def _goes_on(case: PumpCase) -> bool:
    """Whether it is the same program again on a stopped pump: refusing it is withdrawal."""
    return case.pump.delivery is Delivery.STOPPED and case.program == case.pump.program


@pump_check(
    "LIBRARY_EXPIRED",
    Severity.HARD,
    source="LIM-08",
    why="Limits that nobody has looked at since their last day may be out of date: no new dose is "
    "held against them. Going on with the same program stays possible with a reason, because "
    "leaving a patient without the drug is the greater danger.",
)
def library_expired(case: PumpCase) -> Iterator[Seen]:
    """The library is valid on the day of the change."""
    library = case.library
    if library.expired(case.now.date):
        same = _goes_on(case)
        yield Seen(
            f"the drug library of {library.site}, version {library.version}, expired on "
            f"{library.expires}" + (": the same program may go on, with a reason" if same else ""),
            value=str(library.expires),
            limit="a library that is valid today",
            severity=Severity.SOFT if same else None,
        )
