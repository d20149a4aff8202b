"""One refill as a person or a script tells it: what was done, with what, and why.

Made by the reader of a visit file and by the guided sequence alike; what it means
is computed by `refilling`. It knows no file, no terminal and no pump.
"""

from __future__ import annotations

from typing import NamedTuple

from pumpctl.quantities import Concentration, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Ampoule


class DrawnUp(NamedTuple):
    """What is in the syringe, as it is printed on what it was drawn up from."""

    name: str
    concentration: Concentration
    lot: str
    expiry: Date
    """The last day on which it may be used."""
    ampoule: Ampoule | None = None


class Injected(NamedTuple):
    """What went into the reservoir, and when."""

    volume: Volume
    at: Moment | None = None
    """None: now."""
    since: int | None = None
    """The pump's pulses at that moment, where they were read then."""
    sensed: Volume | None = None
    """By the pump's sensor afterwards; None: the pump is asked, if it has one."""


class RefillVisit(NamedTuple):
    """One order for one refill, and what became of it at the pump."""

    patient: str
    """The clinic's own label."""
    serial: str | None
    """Only this pump; None: whichever is on the line and holds this patient."""
    prescriber: str
    reference: str
    """Of the order. With the pump it names the visit: one order is one refill (REF-06)."""
    drained: Volume | None
    """None: nothing could be drained."""
    left: Volume
    """Known to be left inside."""
    drawn: DrawnUp | None
    """None where it was given up before anything was drawn up."""
    injected: Injected | None
    """None where it was given up: nothing went in."""
    program: tuple[Profile, Program] | None
    """What is to run afterwards; None: the same as before."""
    without_bridge: bool
    """Whether the bridge is left out, which needs its reason (BRIDGE_LEFT_OUT)."""
    next_visit: Date | None
    given_up: str | None
    """Why, where it was; None: it was not."""
    reasons: tuple[tuple[str, str], ...]
    """Soft findings that are overridden, with the reason of each."""
