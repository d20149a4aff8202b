"""The steps of a guided refill on record, so that it goes on where it was broken off (REF-06).

Every answer is an entry of the journal before the next is asked, in strings, the
patient only as the short hash. A step that sets a volume is written once and never
again. Which step comes next is `refill_guide`'s matter; no pump is asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from pumpctl.errors import InputRefused, PumpctlError, StoreError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Volume
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.refill import Ampoule
from pumpctl.wire.fields import WireError
from pumpctl.workflows.refill.answers import (
    Chosen,
    Drained,
    Filled,
    Kept,
    Values,
    ampoule_from,
    bridge_from,
    concentration_from,
    drained_from,
    expiry_from,
    filled_from,
    left_from,
    next_visit_from,
    program_from,
    text_of,
)

if TYPE_CHECKING:
    from pumpctl.station.journal import Entry, Journal

KIND: Final[Literal["visit"]] = "visit"


class Step(Enum):
    """What can be on record of a visit."""

    BEGUN = "begun"
    PRESCRIBER = "prescriber"
    REFERENCE = "reference"
    DRAINED = "drained"
    DRUG = "drug"
    CONCENTRATION = "concentration"
    AMPOULE = "ampoule"
    LOT = "lot"
    EXPIRY = "expiry"
    PROGRAM = "program"
    INJECTED = "injected"
    BRIDGE = "bridge"
    NEXT_VISIT = "next visit"
    GIVEN_UP = "given up"
    LEFT = "left"
    REASON = "reason"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


SETS_VOLUME: Final = frozenset({Step.DRAINED, Step.INJECTED, Step.LEFT})
"""Asked once, written once."""


class Steps(NamedTuple):
    """One visit as far as it is on record."""

    visit: str
    """Its name in the journal."""
    serial: str
    patient: bytes
    """The short hash of serial and tag."""
    operator: str
    begun: Moment
    filled_at: str | None = None
    """The pump's last fill, as it said when the visit began: ms of its UTC."""
    prescriber: str | None = None
    reference: str | None = None
    drained: Drained | None = None
    drug: str | None = None
    concentration: Concentration | None = None
    ampoule: Ampoule | Literal["not read"] | None = None
    lot: str | None = None
    expiry: Date | None = None
    injected: Filled | None = None
    program: Chosen | Kept | None = None
    bridge: Literal["planned", "left out", "not needed"] | None = None
    next_visit: Date | Literal["not planned"] | None = None
    given_up: str | None = None
    left: Volume | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    operation: str | None = None
    """Of the plan that was confirmed last."""
    closed: str | None = None
    """How it ended."""

    @property
    def needle(self) -> bool:
        """Whether the reservoir was touched, so that there is no beginning anew."""
        return self.drained is not None or self.injected is not None

    def reason(self, finding: str) -> str | None:
        """The reason that was given for this finding."""
        return dict(self.reasons).get(finding)


def visits_of(entries: Sequence[Entry]) -> list[Steps]:
    """All guided visits among a pump's entries, oldest first; StoreError for a broken one."""
    found: dict[str, Steps] = {}
    for entry in entries:
        if entry.kind != KIND:
            continue
        try:
            name, step = str(entry.body["visit"]), Step(entry.body["step"])
            values: dict[str, Any] = entry.body["values"]
            if step is Step.BEGUN:
                found[name] = Steps(
                    name,
                    entry.pump,
                    bytes.fromhex(values["patient"]),
                    str(entry.body["operator"]),
                    Moment.parse(entry.at),
                    values["filled_at"],
                )
            elif _is_set(found[name], step):
                continue  # two terminals at once: the first that was written down counts
            else:
                found[name] = after(found[name], step, values)
        except (KeyError, TypeError, ValueError, PumpctlError, WireError) as error:
            raise StoreError(
                f"entry {entry.seq} of the journal is no step of a refill",
                hint="was it written by a newer pumpctl?",
            ) from error
    return list(found.values())


def open_visit_of(entries: Sequence[Entry]) -> Steps | None:
    """The newest visit that is not closed."""
    return next((each for each in reversed(visits_of(entries)) if each.closed is None), None)


def after(steps: Steps, step: Step, values: Values) -> Steps:
    """The visit with one more answer; ValueError, KeyError or QuantityError for none such."""
    if step is Step.BEGUN:
        raise ValueError("a visit begins once")
    if step is Step.REASON:
        name, why = text_of(values, "finding"), text_of(values, "reason")
        return steps._replace(reasons=tuple({**dict(steps.reasons), name: why}.items()))
    field, reader = _ANSWERS[step]
    if _is_set(steps, step):
        raise ValueError(f"{step.value} is on record already")
    return steps._replace(**{field: reader(values)})


def record(
    journal: Journal,
    steps: Steps,
    step: Step,
    values: Values,
    *,
    at: Moment,
    operator: str,
    rehearsal: bool = False,
) -> Steps:
    """Write an answer down; the visit as the journal holds it then. `at`: the station's clock.

    InputRefused where another terminal has closed the visit, or has recorded that
    volume before. StoreError where it cannot be written.
    """
    held = _held(journal, steps)
    if held.closed is not None:
        raise InputRefused(f"this visit was ended meanwhile: {held.closed}")
    if _is_set(held, step):
        raise _set_elsewhere(step)
    made = held if step is Step.BEGUN else after(held, step, values)
    body = {
        "visit": steps.visit,
        "step": step.value,
        "values": dict(values),
        "operator": operator,
        "rehearsal": rehearsal,
    }
    journal.append(KIND, at=str(at), pump=steps.serial, operation=None, body=body)
    if step in SETS_VOLUME and _volume_of(_held(journal, made), step) != _volume_of(made, step):
        raise _set_elsewhere(step)  # written between our look and our entry
    return made


def _held(journal: Journal, steps: Steps) -> Steps:
    """The visit as the journal holds it; as it is known here, before its first entry."""
    visits = visits_of(journal.entries(pump=steps.serial))
    return next((each for each in visits if each.visit == steps.visit), steps)


def _volume_of(steps: Steps, step: Step) -> object:
    return getattr(steps, _ANSWERS[step][0])


def _is_set(steps: Steps, step: Step) -> bool:
    return step in SETS_VOLUME and _volume_of(steps, step) is not None


def _set_elsewhere(step: Step) -> InputRefused:
    return InputRefused(
        f"the volume {step.value} is on record already, from another terminal",
        hint="pumpctl refill shows what is recorded, and goes on behind it",
    )


def _text(name: str) -> Callable[[Values], str]:
    return lambda values: text_of(values, name)


_ANSWERS: Final[Mapping[Step, tuple[str, Callable[[Values], Any]]]] = {
    Step.PRESCRIBER: ("prescriber", _text("name")),
    Step.REFERENCE: ("reference", _text("reference")),
    Step.DRAINED: ("drained", drained_from),
    Step.DRUG: ("drug", _text("name")),
    Step.CONCENTRATION: ("concentration", concentration_from),
    Step.AMPOULE: ("ampoule", ampoule_from),
    Step.LOT: ("lot", _text("lot")),
    Step.EXPIRY: ("expiry", expiry_from),
    Step.INJECTED: ("injected", filled_from),
    Step.PROGRAM: ("program", program_from),
    Step.BRIDGE: ("bridge", bridge_from),
    Step.NEXT_VISIT: ("next_visit", next_visit_from),
    Step.GIVEN_UP: ("given_up", _text("reason")),
    Step.LEFT: ("left", left_from),
    Step.CONFIRMED: ("operation", _text("operation")),
    Step.CLOSED: ("closed", _text("how")),
}
"""For each step the field that holds its answer, and how that is read."""
