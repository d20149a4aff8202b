"""The words of an expired drug library, the same for every kind of order (LIM-08).

Which order may go on all the same is its own check's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Date

EXPIRED_SOURCE: Final = "LIM-08"
EXPIRED_WHY: Final = (
    "Limits that nobody has looked at since their last day may be out of date: no new dose is "
    "held against them. Going on with the same program stays possible with a reason, because "
    "leaving a patient without the drug is the greater danger."
)


def expired(library: Library, today: Date, severity: Severity | None = None) -> Iterator[Seen]:
    """What to say of a library whose last day has passed; soft for what only goes on."""
    if library.expired(today):
        soft = severity is Severity.SOFT
        yield Seen(
            f"the drug library of {library.site}, version {library.version}, expired on "
            f"{library.expires}" + (": this may go on, with a reason" if soft else ""),
            value=str(library.expires),
            limit="a library that is valid today",
            severity=severity,
        )
