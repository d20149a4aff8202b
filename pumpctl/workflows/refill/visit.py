"""One refill as a person or a script tells it: what was done, with what, and why.

Made by the reader of a visit file and by the guided sequence alike; what it means
is computed by `refilling`. It knows no file, no terminal and no pump.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.pump.encode import program_hash
from pumpctl.quantities import Concentration, Mass, Volume
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
    """By the station's clock; None: now."""
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
    """None: nothing could be drained, so that all that is expected is still inside."""
    left: Volume
    """Known to be left inside after the drain; it counts only where something was drained."""
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
    drained_since: int | None = None
    """The pump's pulses at the drain, where they were read then; None: as at the injection."""


AGAIN = frozenset(
    {
        *("drained", "left", "name", "concentration", "lot", "expiry", "ampoule"),
        *("injected", "at", "given_up", "profile", "without_bridge"),
    }
)
"""What of a visit must be the same for it to be the same refill again (REF-06)."""


def kept_of(visit: RefillVisit) -> dict[str, Any]:
    """The visit in strings, for plan and journal; never the patient's tag."""
    drawn, injected = visit.drawn, visit.injected
    ampoule = None if drawn is None else drawn.ampoule
    return {
        "prescriber": visit.prescriber,
        "reference": visit.reference,
        "drained": _text(visit.drained),
        "left": str(visit.left),
        "name": None if drawn is None else drawn.name,
        "concentration": None if drawn is None else str(drawn.concentration),
        "lot": None if drawn is None else drawn.lot,
        "expiry": None if drawn is None else str(drawn.expiry),
        "ampoule": None if ampoule is None else [str(ampoule.mass), str(ampoule.volume)],
        "injected": None if injected is None else str(injected.volume),
        "at": None if injected is None else _text(injected.at),
        "sensed": None if injected is None else _text(injected.sensed),
        "profile": None if visit.program is None else program_hash(visit.program[1]).hex(),
        "without_bridge": visit.without_bridge,
        "next_visit": _text(visit.next_visit),
        "given_up": visit.given_up,
        "reasons": dict(visit.reasons),
    }


def visit_from(
    kept: Mapping[str, Any], patient: str, program: tuple[Profile, Program] | None
) -> RefillVisit:
    """The visit that `kept_of` wrote; ValueError, KeyError or QuantityError for anything else."""
    drawn = injected = None
    if kept["name"] is not None:
        printed = kept["ampoule"]
        drawn = DrawnUp(
            str(kept["name"]),
            Concentration.parse(kept["concentration"]),
            str(kept["lot"]),
            Date.parse(kept["expiry"]),
            None if printed is None else Ampoule(Mass.parse(printed[0]), Volume.parse(printed[1])),
        )
    if kept["injected"] is not None:
        injected = Injected(
            Volume.parse(kept["injected"]),
            None if kept["at"] is None else Moment.parse(kept["at"]),
            sensed=_volume(kept["sensed"]),
        )
    return RefillVisit(
        patient=patient,
        serial=None,
        prescriber=str(kept["prescriber"]),
        reference=str(kept["reference"]),
        drained=_volume(kept["drained"]),
        left=Volume.parse(kept["left"]),
        drawn=drawn,
        injected=injected,
        program=program,
        without_bridge=bool(kept["without_bridge"]),
        next_visit=None if kept["next_visit"] is None else Date.parse(kept["next_visit"]),
        given_up=kept["given_up"],
        reasons=tuple((str(name), str(why)) for name, why in kept["reasons"].items()),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _volume(text: str | None) -> Volume | None:
    return None if text is None else Volume.parse(text)
