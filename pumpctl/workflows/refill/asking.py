"""A guided refill beside its pump and its journal: looked at fresh, each answer written down.

The sequence is `refill_guide`'s, the prompts are the terminal's. No session and no
journal is held open while a person thinks. Nothing here changes a pump.
"""

from __future__ import annotations

from pumpctl.errors import InputRefused, PlanStale
from pumpctl.named import NamedTuple
from pumpctl.station.journal import Journal
from pumpctl.therapy.findings import Finding
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.patient import tag_hash
from pumpctl.workflows.acts.refills import RefillAct
from pumpctl.workflows.refill.answers import Values
from pumpctl.workflows.refill.guide import Seen, visit_of
from pumpctl.workflows.refill.level import level_of
from pumpctl.workflows.refill.once import (
    Recorded,
    applied,
    past_discrepancies,
    refills,
    unsettled,
)
from pumpctl.workflows.refill.refilling import only, worked_out
from pumpctl.workflows.refill.steps import Step, Steps, open_visit_of, record
from pumpctl.workflows.refill.unfinished import filled_at
from pumpctl.workflows.road.gates import pass_gates
from pumpctl.workflows.road.programs import opened
from pumpctl.workflows.road.scene import Scene
from pumpctl.workflows.surroundings import Station

APPLIED = "applied"
"""How a visit ends whose refill the pump has."""


class Preview(NamedTuple):
    """What a refill would be, before it is planned."""

    act: RefillAct
    findings: tuple[Finding, ...]


class Asking:
    """One guided refill: what is on record, and the pump as it was seen last."""

    def __init__(self, station: Station) -> None:
        """Ask the pump, and the gates, before anybody drains anything.

        Raises Blocked where a gate stands in the way, StoreError where nothing could
        be written down.
        """
        self._station = station
        self._rehearsal = False
        self.seen, self._ticks = self._looked()
        self._station = only(station, self.seen.state.serial)
        self.steps: Steps | None = None
        """The visit that was begun, or gone on with."""

    @property
    def now(self) -> Moment:
        """The station's clock, or the rehearsal's."""
        return self.seen.now.plus(int((self._station.ticker() - self._ticks) * 1_000))

    @property
    def told(self) -> Steps:
        """The visit's answers; it was begun."""
        if self.steps is None:
            raise InputRefused("no visit was begun")
        return self.steps

    def look(self) -> Seen:
        """The pump once more: its pulses and its sensor now."""
        self.seen, self._ticks = self._looked()
        return self.seen

    def _looked(self) -> tuple[Seen, float]:
        with opened(self._station) as (visit, journal):
            pass_gates("refill", visit, journal)
            scene = Scene(visit, journal, None)
            state = scene.state
            program = state.program or visit.pump.program()[0]
            past = past_discrepancies(journal, state.serial)
            seen = Seen(
                state,
                scene.now,
                scene.library,
                level_of(scene),
                past,
                program,
                unsettled(journal, state),
            )
            self._rehearsal = visit.rehearsal
            return seen, self._station.ticker()

    # --- the record ---------------------------------------------------------------------

    def unfinished(self) -> Steps | Recorded | None:
        """The visit of this pump that was not ended, if there is one.

        Where the pump has its refill already, it is closed here, and what is on record
        of that refill is told: nothing is activated twice (REF-06).
        """
        serial = self.seen.state.serial
        with Journal(self._station.home.journal) as journal:
            found = open_visit_of(journal.entries(pump=serial))
            fate = next(
                (
                    each
                    for each in refills(journal, serial)
                    if found is not None and each.operation == found.operation
                ),
                None,
            )
        if found is None or fate is None or fate.outcome != APPLIED:
            return found
        self.steps = found
        self.close(APPLIED)
        self.steps = None
        last = self.seen.state.filled_at
        holds = last is not None and last.utc_ms == fate.measured["filled_at_utc_ms"]
        return fate._replace(holds=holds) if self.is_own(found) else None

    def is_own(self, visit: Steps) -> bool:
        """Of the same operator, on the same day: it goes on by itself."""
        same_day = visit.begun.date == self.now.date
        return same_day and visit.operator == self._station.operator

    def is_stale(self, visit: Steps) -> bool:
        """Whether the reservoir was filled, on record, since it was begun."""
        return visit.filled_at != filled_at(self.seen.state)

    def begin(self, tag: str) -> Steps:
        """Write down that a visit of this patient begins."""
        serial = self.seen.state.serial
        patient, last = tag_hash(serial, tag), filled_at(self.seen.state)
        name = self._station.entropy(8).hex()
        self.steps = Steps(name, serial, patient, self._station.operator, self.now, filled_at=last)
        return self.answer(Step.BEGUN, {"patient": patient.hex(), "filled_at": last})

    def answer(self, step: Step, values: Values) -> Steps:
        """Write one answer down; it is on the disk when this returns."""
        with Journal(self._station.home.journal) as journal:
            self.steps = record(
                journal,
                self.told,
                step,
                values,
                at=self.now,
                operator=self._station.operator,
                rehearsal=self._rehearsal,
            )
        return self.steps

    def close(self, how: str) -> None:
        """The visit is over."""
        self.answer(Step.CLOSED, {"how": how})

    def only_reasons(self, findings: frozenset[str]) -> None:
        """Leave out reasons for what is no finding any more: a plan would not take them."""
        kept = tuple(each for each in self.told.reasons if each[0] in findings)
        self.steps = self.told._replace(reasons=kept)

    def was_applied(self, reference: str) -> str | None:
        """When the refill of this order was applied, if it was: one order is one refill."""
        with Journal(self._station.home.journal) as journal:
            for each in applied(journal, self.seen.state.serial):
                if each.told.get("reference") == reference:
                    return each.at
        return None

    # --- what the answers make ----------------------------------------------------------

    def preview(self, tag: str, steps: Steps | None = None) -> Preview:
        """The act that the answers make, and everything that the checks say of it.

        InputRefused where they make none; of those PlanStale, PlanUsed and RefillConflict
        where the pump was filled meanwhile.
        """
        with opened(self._station) as (visit, journal):
            told = visit_of(steps or self.told, tag)
            scene = Scene(visit, journal, None if told.program is None else told.program[1])
            if self.told.filled_at != filled_at(scene.state):
                raise PlanStale(
                    "the pump was filled since this visit began, by another act",
                    hint="pumpctl refill ends this visit and begins another",
                )
            act = worked_out(told, scene)
            return Preview(act, act.findings(scene))
