"""A scene: everything that an act is judged against, fresh, and asked for only once.

The pump as it is now, the station's clock and library, what is known of the course
until now, the implant's record. What an act does not ask for is not fetched. It
decides nothing.
"""

from __future__ import annotations

from functools import cached_property

from pumpctl.quantities import Duration
from pumpctl.station.journal import Journal
from pumpctl.station.library_store import InForce
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.library import Library
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.past import Past
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Program
from pumpctl.therapy.state import PumpState
from pumpctl.workflows.course.past import Told, past_of
from pumpctl.workflows.course.pump_log import PumpLog
from pumpctl.workflows.library.libraries import library_for_change
from pumpctl.workflows.visit import Visit


class Scene:
    """One pump in one visit, at one instant."""

    def __init__(
        self,
        visit: Visit,
        journal: Journal,
        program: Program | None,
        *,
        whom: Patient | None = None,
        state: PumpState | None = None,
    ) -> None:
        """`program`: what is to run afterwards, whose library limits count too.

        `whom`: the patient whose screening trial counts, where it is on record here.
        """
        self.visit = visit
        self.journal = journal
        self.state = visit.state() if state is None else state
        self.now: Moment = visit.now()
        """The station's clock."""
        self.in_force: InForce = library_for_change(visit, journal)
        self._program = program
        self._whom = whom

    @property
    def library(self) -> Library:
        """The drug library that is in force at this station."""
        return self.in_force.library

    @cached_property
    def windows(self) -> tuple[Duration, ...]:
        """The lengths over which the library limits what the pump holds, and what it will give."""
        fluids = {(self.state.drug, self.state.concentration)}
        if self._program is not None:
            fluids.add((self._program.drug, self._program.concentration))
        limits = (self.library.nearest(drug, strength) for drug, strength in fluids)
        return tuple(sorted({window.length for each in limits for window in each.windows}))

    @cached_property
    def told(self) -> Told:
        """The course until now, and in words what of it could not be told."""
        return past_of(self.visit, self.journal, self.state, self.windows, self._whom)

    @property
    def missing(self) -> tuple[str, ...]:
        """What could not be told, where somebody asked for the course."""
        return self.told.missing if "told" in self.__dict__ else ()

    @property
    def past(self) -> Past | None:
        """The course until now; None: it cannot be told."""
        return self.told.past

    @cached_property
    def log(self) -> PumpLog:
        """The newest part of the pump's log."""
        return PumpLog(self.visit.pump, self.state)

    @cached_property
    def implant(self) -> Implanted:
        """The implant's record, as the pump keeps it."""
        return self.visit.pump.implant()

    def as_of(self, counter_ms: int) -> Scene:
        """The same with the pump's counter at an earlier time: what is an increase follows it."""
        earlier = Scene(
            self.visit,
            self.journal,
            self._program,
            whom=self._whom,
            state=self.state._replace(counter_ms=counter_ms),
        )
        earlier.now, earlier.in_force = self.now, self.in_force
        earlier.__dict__["told"] = self.told
        return earlier
