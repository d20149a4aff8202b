"""Figures that several read-backs have in common. Declares no message."""

from pumpctl.named import NamedTuple
from pumpctl.wire.vocabulary import Ng, Nl


class DayFigures(NamedTuple):
    """One day as the delivery engine will give it."""

    dose: Ng
    """Basal and scheduled boluses that start on it, half up."""
    volume: Nl
    """The same as a volume, half up."""
    largest_hour: Ng
    """The most in any 60 minutes that start on it, rounded up."""
