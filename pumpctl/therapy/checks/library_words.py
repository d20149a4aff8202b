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


def expired(library: Library, today: Date, *, same: bool) -> Iterator[Seen]:
    """What to say of a library whose last day has passed; soft where the `same` goes on."""
    if library.expired(today):
        yield Seen(
            f"the drug library of {library.site}, version {library.version}, expired on "
            f"{library.expires}" + (": the same program may go on, with a reason" if same else ""),
            value=str(library.expires),
            limit="a library that is valid today",
            severity=Severity.SOFT if same else None,
        )
