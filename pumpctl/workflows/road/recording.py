"""The journal for what nothing may bar: stop and bolus cancel (STP-01).

It is tried; what it cannot take is told with the operation id, kept to be written
later where that can be, and is no reason to refuse.
"""

from __future__ import annotations

from pumpctl.errors import StoreError
from pumpctl.outcomes import OperationId
from pumpctl.station.journal import Journal, Kind
from pumpctl.station.unrecorded import Unrecorded
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.surroundings import Station


class Record:
    """The journal as far as it can be had: what it cannot take is told, and stops nothing."""

    def __init__(self, station: Station, serial: str, operation: OperationId) -> None:
        self._station = station
        self._serial = serial
        self._operation = operation
        self.failure: str | None = None
        """Why it is not in the journal, where it is not."""

    def write(self, kind: Kind, at: Moment, body: dict[str, object]) -> bytes | None:
        """The new head, or None and a reason in `failure`; then it is kept for later."""
        later = Unrecorded(self._station.home.root)
        try:
            with Journal(self._station.home.journal, wait_s=0) as journal:
                later.record(journal)
                return journal.append(
                    kind,
                    at=str(at),
                    pump=self._serial,
                    operation=str(self._operation),
                    body=body,
                )
        except StoreError as error:
            self.failure = error.message
            kept = later.keep(
                kind, at=str(at), pump=self._serial, operation=str(self._operation), body=body
            )
            self.failure += "; it will be recorded later" if kept else "; write it down by hand"
            return None
