"""The guided refill as a sequence: what is asked next, and what speaks against an answer.

Pure: it follows from what is on record and from the pump as it was seen. Nothing is
shown, sent or written here, so that it can be tried without terminal or pump. The
meaning of the numbers is `therapy/refill`, the checks are `therapy/checks/refill*`.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume
from pumpctl.therapy.checks.refills import RefillCase, check_refill, offer_of
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Program
from pumpctl.therapy.refill import Discrepancy, Meaning, Offer, RefillRecord, Suspected
from pumpctl.therapy.residual import Level
from pumpctl.therapy.state import Fluid, PumpState
from pumpctl.workflows.acts.programs import program_act
from pumpctl.workflows.refill.answers import Chosen, Drained, Filled, Kept
from pumpctl.workflows.refill.steps import Steps
from pumpctl.workflows.refill.visit import DrawnUp, Injected, RefillVisit

DECIDED: Final = "REFILL_DISCREPANCY"
"""The finding whose reason is the decision on what was drained."""
_OPEN_DAYS: Final = 3_650
"""An expiry that stands in until it is asked, too late to make a finding."""


class Ask(Enum):
    """What is asked next; the words are those that a person may type to change an answer."""

    PRESCRIBER = "prescriber"
    REFERENCE = "reference"
    DRAINED = "drained"
    DECISION = "decision"
    DRUG = "drug"
    CONCENTRATION = "concentration"
    AMPOULE = "ampoule"
    LOT = "lot"
    EXPIRY = "expiry"
    INJECTED = "injected"
    PROGRAM = "program"
    BRIDGE = "bridge"
    NEXT_VISIT = "next visit"
    LEFT = "left"
    CONFIRM = "confirm"


_CHANGED: Final = (
    *(Ask.DRUG, Ask.CONCENTRATION, Ask.AMPOULE, Ask.LOT, Ask.EXPIRY),
    *(Ask.PROGRAM, Ask.BRIDGE, Ask.NEXT_VISIT),
)
"""What may be answered again: nothing that was measured with the needle."""

_SPEAK: Final[dict[Ask, frozenset[str]]] = {
    Ask.DRAINED: frozenset(
        {
            *("REFILL_DRAINED", DECIDED, "REFILL_NON_DELIVERY"),
            *("REFILL_TREND", "REFILL_NO_HISTORY", "REFILL_ESTIMATE"),
        }
    ),
    Ask.DRUG: frozenset({"REFILL_DRUG"}),
    Ask.CONCENTRATION: frozenset({"REFILL_CONCENTRATION", "REFILL_MIXED"}),
    Ask.AMPOULE: frozenset({"REFILL_AMPOULE"}),
    Ask.LOT: frozenset({"REFILL_LOT"}),
    Ask.EXPIRY: frozenset({"REFILL_EXPIRY"}),
    Ask.INJECTED: frozenset({"REFILL_OVER_CAPACITY"}),
}
"""Which findings speak at which answer; all of them speak again at the plan."""
SENSOR: Final = frozenset({"REFILL_POCKET_FILL", "REFILL_SENSOR", "REFILL_NO_SENSOR"})
"""What speaks right after the injection, of the whole refill."""


class Seen(NamedTuple):
    """The pump and its surroundings, when it was asked last."""

    state: PumpState
    now: Moment
    """The station's clock."""
    library: Library
    level: Level
    past: tuple[Discrepancy, ...]
    """Of the refills before this one, oldest first."""
    program: Program
    """What the pump holds."""
    unsettled: Suspected | None = None
    """Non-delivery that was suspected at a refill which was given up, and no fill since."""

    @property
    def fluid(self) -> Fluid:
        """What the pump says that the reservoir held."""
        return Fluid(self.state.drug, self.state.concentration)

    @property
    def expected(self) -> Volume:
        """What should be inside now."""
        return self.level.expected(self.state.pulses)

    def drained(self, volume: Volume) -> Drained:
        """What came out, beside what should have been inside when the pump was asked."""
        pulses, fill = self.state.pulses, self.level.fill
        counted = self.level.counted(pulses)
        return Drained(
            volume,
            self.now,
            pulses,
            None if fill is None else fill.volume,
            self.expected,
            None if counted is None else counted.delivered,
        )


def next_ask(steps: Steps, held: Fluid) -> Ask:
    """The first question that is not answered yet; `held`: what the reservoir held before."""
    if steps.given_up is not None:
        return _given_up(steps)
    answers = (
        (Ask.PRESCRIBER, steps.prescriber),
        (Ask.REFERENCE, steps.reference),
        (Ask.DRAINED, steps.drained),
        (Ask.DECISION, decided(steps) or None),
        (Ask.DRUG, steps.drug),
        (Ask.CONCENTRATION, steps.concentration),
        (Ask.AMPOULE, steps.ampoule),
        (Ask.LOT, steps.lot),
        (Ask.EXPIRY, steps.expiry),
        (Ask.PROGRAM, steps.program),  # before the injection, which nobody takes back
        (Ask.INJECTED, steps.injected),
        (Ask.BRIDGE, steps.bridge if changes_fluid(steps, held) else "not needed"),
        (Ask.NEXT_VISIT, steps.next_visit),
    )
    return next((ask for ask, answer in answers if answer is None), Ask.CONFIRM)


def _given_up(steps: Steps) -> Ask:
    """Whose order it was, and what is left inside where something was drained."""
    answers = (
        (Ask.PRESCRIBER, steps.prescriber),
        (Ask.REFERENCE, steps.reference),
        (Ask.LEFT, Volume(0) if steps.drained is None else steps.left),
    )
    return next((ask for ask, answer in answers if answer is None), Ask.CONFIRM)


def decided(steps: Steps) -> bool:
    """Whether what was drained is as expected, or somebody said why it goes on."""
    drained = steps.drained
    if drained is None:
        return False
    within = drained.discrepancy.meaning is Meaning.WITHIN
    return within or steps.reason(DECIDED) is not None


def may_give_up(steps: Steps) -> bool:
    """A refill can be given up, as an outcome of its own, until something went in."""
    return steps.injected is None and steps.given_up is None


def changeable(steps: Steps) -> tuple[Ask, ...]:
    """What was answered, and may be answered again."""
    # The bridge is decided once the fluid is known, also before it is its turn.
    fields = {Ask.NEXT_VISIT: "next_visit", Ask.BRIDGE: "expiry"}
    return tuple(ask for ask in _CHANGED if getattr(steps, fields.get(ask, ask.value)) is not None)


def changes_fluid(steps: Steps, held: Fluid) -> bool:
    """Whether drug or concentration become other ones."""
    return (steps.drug, steps.concentration) != (held.drug, held.concentration)


def speaks(ask: Ask, steps: Steps, seen: Seen) -> tuple[Finding, ...]:
    """What the checks say to the answer of this question, hard ones first.

    What is not answered yet stands in as what makes no finding.
    """
    wanted = _SPEAK.get(ask, frozenset())
    return tuple(each for each in check_refill(_case(steps, seen)) if each.id in wanted)


def offered(steps: Steps, seen: Seen) -> Offer | None:
    """The reduced dose that is offered where non-delivery is suspected."""
    return offer_of(_case(steps, seen)) if steps.drained is not None else None


def _case(steps: Steps, seen: Seen) -> RefillCase:
    state, drained, injected = seen.state, steps.drained, steps.injected
    was = drained or seen.drained(seen.expected)
    ampoule = None if steps.ampoule == "not read" else steps.ampoule
    record = RefillRecord(
        at=seen.now,
        drug=steps.drug or state.drug,
        concentration=steps.concentration or state.concentration,
        lot="not asked yet" if steps.lot is None else steps.lot,
        expiry=steps.expiry or seen.now.date.plus(_OPEN_DAYS),
        filled=was.filled,
        expected=was.expected,
        counted=was.counted,
        drained=was.volume,
        injected=Volume(0) if injected is None else injected.volume,
        ampoule=ampoule,
    )
    program = steps.program.program if isinstance(steps.program, Chosen) else seen.program
    return RefillCase(
        record=record,
        pump=state,
        program=program,
        now=seen.now,
        library=seen.library,
        past=seen.past,
        estimated=seen.level.estimated(was.pulses),
        unsettled=seen.unsettled,
    )


def rehearsed(steps: Steps, seen: Seen) -> Steps:
    """As if as much as fits in had been injected: what refuses that, refuses any injection."""
    return steps._replace(injected=Filled(seen.state.capacity, seen.now, seen.state.pulses))


def as_expected(steps: Steps, seen: Seen) -> Steps:
    """As if all were as it should be, and the same went on: what refuses that, refuses any of it.

    Asked before anything is drained, while the pump still has its drug.
    """
    same = steps._replace(
        drained=seen.drained(seen.expected),
        drug=seen.state.drug,
        concentration=seen.state.concentration,
        ampoule="not read",
        lot="not asked yet",
        expiry=seen.now.date.plus(_OPEN_DAYS),
        program=Kept(),
    )
    return rehearsed(same, seen)


def visit_of(steps: Steps, tag: str) -> RefillVisit:
    """The visit that the answers make, for the patient of this tag."""
    drawn = injected = None
    if (
        steps.given_up is None
        and steps.drug is not None
        and steps.concentration is not None
        and steps.lot is not None
        and steps.expiry is not None
    ):
        ampoule = None if steps.ampoule == "not read" else steps.ampoule
        drawn = DrawnUp(steps.drug, steps.concentration, steps.lot, steps.expiry, ampoule)
    if steps.injected is not None:
        filled = steps.injected
        injected = Injected(filled.volume, filled.at, filled.since)
    chosen = steps.program
    program = None
    if isinstance(chosen, Chosen):
        act = program_act(chosen.program, chosen.whom(tag))
        program = (act.profile, act.program)
    next_visit = steps.next_visit
    return RefillVisit(
        patient=tag,
        serial=steps.serial,
        prescriber=steps.prescriber or "",
        reference=steps.reference or "",
        drained=None if steps.drained is None else steps.drained.volume,
        left=steps.left or Volume(0),
        drawn=drawn,
        injected=injected,
        program=program,
        without_bridge=steps.bridge == "left out",
        next_visit=None if isinstance(next_visit, str) else next_visit,
        given_up=steps.given_up,
        reasons=steps.reasons,
        drained_since=None if steps.drained is None else steps.drained.pulses,
    )
