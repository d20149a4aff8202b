"""A new pump: what may be asked of it, and the image that is made of that.

Commands and stories ask for pumps in the same terms, so that what no pump can be
is decided here once. No file and no home is known.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.emulator import factory
from pumpctl.emulator.body.faults import FaultKind
from pumpctl.emulator.edge import faulting
from pumpctl.emulator.memory.implant import MODELS, Model
from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Volume
from pumpctl.wire.secret import secret_text

DEFAULT_MODEL = "SP40"
DEFAULT_CONCENTRATION = Concentration(500)
_MOST_OFFSET_MIN = 14 * 60


class New(NamedTuple):
    """A pump that was made and is in no home yet."""

    content: bytes
    """Of its state file."""
    serial: str
    secret_text: str


def model_of(name: str) -> Model:
    """UsageError where there is no such model."""
    found = MODELS.get(name)
    if found is None:
        raise UsageError(f"no model {name!r}", hint=f"models: {', '.join(sorted(MODELS))}")
    return found


def check_filled(model: Model, volume: Volume) -> None:
    """UsageError for a volume that a new pump of this model is not filled with."""
    if not 0 < volume.quanta <= model.capacity:
        raise UsageError(
            f"{volume} does not fit an {model.name}",
            hint=f"more than 0 mL, up to {Volume(model.capacity)}",
        )


def check_supplied(model: Model, concentration: Concentration) -> None:
    """UsageError for a concentration that no ampoule for pumps has."""
    if concentration.quanta not in model.concentrations:
        known = ", ".join(str(each) for each in model.concentrations)
        raise UsageError(f"{concentration} is not supplied for pumps", hint=f"{known} mcg/mL are")


def make(
    *,
    now: Callable[[], int],
    entropy: Callable[[int], bytes],
    volume: Volume | None = None,
    concentration: Concentration = DEFAULT_CONCENTRATION,
    model: str = DEFAULT_MODEL,
    frozen: bool = False,
    bench: bool = True,
    offset_min: int = 0,
    pulse_error: int = 0,
) -> New:
    """A new pump: filled (to capacity, unless told), primed, in minimum rate.

    Its pulses really move `pulse_error` ppm more than they should, or less.
    Raises UsageError for values that no pump has.
    """
    made_as = model_of(model)
    filled = Volume(made_as.capacity) if volume is None else volume
    check_filled(made_as, filled)
    check_supplied(made_as, concentration)
    if not -_MOST_OFFSET_MIN <= offset_min <= _MOST_OFFSET_MIN:
        raise UsageError(f"an offset of {offset_min} minutes from UTC exists nowhere")
    faulting.check(FaultKind.CALIBRATION, pulse_error)
    content, implant = factory.make(
        made_as,
        volume=filled.quanta,
        concentration=concentration.quanta,
        bench=bench,
        frozen=frozen,
        offset_min=offset_min,
        now=now,
        entropy=entropy,
        pulse_error=pulse_error,
    )
    return New(content, implant.serial, secret_text(implant.secret))
