"""What follows from a refill: the next dates, until when to watch, when it would run dry.

Pure arithmetic on what the refill makes; whether it is done is not known here. Times
are of the pump's clock.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.quantities import Volume
from pumpctl.therapy import practice
from pumpctl.therapy.delivery import when_moved
from pumpctl.therapy.forecast import refill_due, whole_periods
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Program


class Ahead(NamedTuple):
    """The dates of a fill; of one that was given up, when it is over."""

    low_date: Date
    refill_by: Date
    because: str
    """What sets `refill_by`."""
    observe_until: Moment
    reassess_by: Moment | None
    """Where anything of the dose was changed."""
    runs_dry: Moment | None
    """By the schedule alone; None where it never does."""

    @property
    def withdrawal(self) -> tuple[Moment, Moment] | None:
        """From when to when withdrawal begins, where the reservoir runs dry."""
        if self.runs_dry is None:
            return None
        first, last = practice.WITHDRAWAL
        return self.runs_dry.plus(first.value.quanta), self.runs_dry.plus(last.value.quanta)


def ahead(
    program: Program,
    volume: Volume,
    start: Moment,
    *,
    bridge: Volume,
    filled_at: Moment,
    expiry: Date | None,
    restart: bool,
    changed: bool,
) -> Ahead:
    """After a fill of `volume` at `start`, of which a bridge takes its part first.

    `filled_at`: from when the longest interval counts; `restart`: the patient may not
    have had the drug before; `changed`: drug, strength or dose are not what they were.
    """
    usable = Volume(max(0, volume.quanta - bridge.quanta))
    low = start.date.plus(whole_periods(program, usable, program.low_alarm, start))
    due = refill_due(low, filled_at, expiry)
    watch = practice.OBSERVE_RESTART if restart else practice.OBSERVE
    return Ahead(
        low,
        due.date,
        due.because.value,
        start.plus(watch.value.quanta),
        start.plus(practice.REASSESS.value.quanta) if changed or restart else None,
        when_moved(program, usable.quanta, start) if usable else start,
    )
