"""One entry of the pump's own log, as a value.

What an entry looks like on the wire, which kinds there are and how they are
stored is not known here.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple
from pumpctl.outcomes import OperationId
from pumpctl.therapy.moment import Moment

Field = tuple[str, int | str]


class LogEntry(NamedTuple):
    """Something that happened, or one hour that passed, in the pump.

    Numbers are consecutive for the pump's whole life; `counter_ms` is its
    monotonic clock, and `time` only its label (TIM-01). `pulses` counts every
    pulse since the pump was made.
    """

    number: int
    boot: int
    kind: str
    counter_ms: int
    time: Moment
    pulses: int
    operation: OperationId | None = None
    fields: tuple[Field, ...] = ()

    def get(self, name: str) -> int | str | None:
        """The field of this name, or None."""
        return next((value for key, value in self.fields if key == name), None)
