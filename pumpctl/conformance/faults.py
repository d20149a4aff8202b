"""What a run can end with besides its results: four errors and one verdict.

Each says in its class what it means and how the command ends. Nothing here
talks to a device.
"""

from __future__ import annotations

from pumpctl.errors import ActNow, Blocked, NotPaired, WrongPump


class Broken(Exception):
    """A duty is not kept: what was seen instead. It fails one test, never the run."""


class Silent(Broken):
    """An answer that is due did not come."""


class NotApplicable(Exception):
    """This device, as it is now, cannot be tested for it; the reason is reported."""


class NotOnTheBench(WrongPump):
    """The pump does not say inside the session that it is in bench mode (exit 5)."""

    code = "NOT_BENCH"
    default_hint = (
        "a conformance run stops and reprograms the pump many times; it is never run on a "
        "pump that could be in a patient"
    )


class NotAdmin(NotPaired):
    """The operator is paired, but not as an admin (exit 5)."""

    code = "NOT_ADMIN"
    default_hint = "pair as the pump's admin, or have an admin grant this key the role"


class NotRestorable(Blocked):
    """What the pump does now could not be put back afterwards (exit 10)."""

    code = "NOT_RESTORABLE"
    default_hint = "nothing was changed; let it end, or program the pump anew, then run again"


class NotConformant(ActNow):
    """A duty of the pump is not kept, or the pump could not be left as it was (exit 12)."""

    code = "CONFORMANCE"
    default_hint = "take the device out of use until every duty is kept; `data` names them"
