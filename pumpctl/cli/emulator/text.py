"""What the emulator's commands tell people, in words: lines that break at words, faults done.

Only words: the figures come from the emulator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pumpctl.emulator.body.faults import FAULTS, FaultKind, Lasts
from pumpctl.emulator.edge.faulting import amount_text, kind_of
from pumpctl.quantities import Concentration, Volume
from pumpctl.quantity_text import decimal_text
from pumpctl.therapy.moment import Moment

if TYPE_CHECKING:
    from pumpctl.emulator.edge.bench import Acted
    from pumpctl.emulator.edge.faulting import Asked
    from pumpctl.emulator.edge.inspection import FaultSeen

_WIDTH = 80
_PL_IN_ML = 1_000_000_000


def hanging(lead: str, text: str, indent: int | None = None) -> list[str]:
    """Lines of 80 columns, broken at spaces only; below the lead, or so far in, they go on."""
    from pumpctl.cli.folding import wrap

    further = " " * (len(lead) if indent is None else indent)
    return wrap(lead + text, _WIDTH, subsequent_indent=further)


# --- a fault that was done ----------------------------------------------------------------------


def fault_done(asked: Asked, acted: Acted) -> str:
    """What is so from now on, or what has happened, with its figures."""
    kind, amount = kind_of(asked.kind), amount_text(kind_of(asked.kind), asked.amount)
    seen, less = acted.seen, asked.amount < 0
    told: dict[FaultKind, Callable[[], str]] = {
        FaultKind.STALL: lambda: "the motor does not turn",
        FaultKind.MRI: lambda: "a magnetic field holds the motor",
        FaultKind.OCCLUSION: lambda: "the catheter is blocked: the motor turns, nothing moves",
        FaultKind.LEAK: lambda: f"{amount} of what leaves the pump is lost before the catheter",
        FaultKind.POCKET: lambda: f"{amount} of the next fill goes beside the reservoir",
        FaultKind.WRONG_FILL: lambda: f"the next fill is really of {amount}",
        FaultKind.SENSOR: lambda: f"the sensor reads {amount} too {'little' if less else 'much'}",
        FaultKind.CALIBRATION: lambda: _calibrated(amount, less, acted),
        FaultKind.CLOCK_DRIFT: lambda: (
            f"the pump's counter runs {amount} {'slower' if less else 'faster'} than the "
            "host's clock"
        ),
        FaultKind.DROP: lambda: f"{amount} of frames never arrives",
        FaultKind.DELAY: lambda: f"whatever is sent arrives {amount} later, each way",
        FaultKind.DUPLICATE: lambda: f"{amount} of frames arrives twice",
        FaultKind.CORRUPT: lambda: f"{amount} of bits arrives flipped",
        FaultKind.DISCONNECT: lambda: "there is no line",
        FaultKind.DRAIN: lambda: _drained(asked, acted),
        FaultKind.FILL: lambda: _filled(asked, acted),
        FaultKind.BATTERY: lambda: f"{amount} of the battery's charge is left",
        FaultKind.FLASH_BIT: lambda: f"{amount} {_bits(asked)} flipped{_where(asked)}",
        FaultKind.MEMORY: lambda: (
            f"{'both copies' if asked.amount > 1 else 'one of the two copies'} of the running "
            f"program went bad; what the pump does now: {seen.delivery}"
        ),
        FaultKind.REBOOT: lambda: f"the firmware has started anew, boot {seen.boot}",
        FaultKind.RETAINED: lambda: (
            f"the always-on memory lost all that was in it; the firmware has started, boot "
            f"{seen.boot}"
        ),
    }
    return told[kind]() + _how_long(kind, acted) + _replaced(acted) + "."


def fault_done_json(asked: Asked, acted: Acted) -> dict[str, Any]:
    """The same for programs; `happened` is null where the fault lasts."""
    kind, done = kind_of(asked.kind), acted.done
    seen, moved = acted.seen, 0 if done is None else done.moved
    happened: dict[FaultKind, Callable[[], dict[str, Any]]] = {
        FaultKind.CALIBRATION: lambda: {
            "true_pulse": f"{decimal_text(seen.truth.pulse, _PL_IN_ML)} mL"
        },
        FaultKind.DRAIN: lambda: {"drawn": str(Volume(moved))},
        FaultKind.FILL: lambda: {
            "injected": str(Volume(moved)),
            "beside": str(Volume(asked.amount - moved)),
        },
        FaultKind.BATTERY: lambda: {"charge": f"{decimal_text(seen.charge, 100)} %"},
        FaultKind.FLASH_BIT: lambda: {
            "bits": asked.amount,
            "region": asked.region or None,
            "copy": asked.copy,
        },
        FaultKind.MEMORY: lambda: {"copies": asked.amount},
        FaultKind.REBOOT: lambda: {"boot": seen.boot},
        FaultKind.RETAINED: lambda: {"boot": seen.boot},
    }
    kept = _kept(kind, acted)
    until = None if kept is None else kept.until
    way = "less" if asked.amount < 0 else "more"
    return {
        "kind": asked.kind,
        "amount": amount_text(kind, asked.amount) or None,
        "way": way if FAULTS[kind].least < 0 else None,
        "concentration": str(Concentration(asked.concentration)) if asked.concentration else None,
        "until": None if until is None else str(Moment(until, seen.offset_min)),
        "replaced": bool(done and done.replaced),
        "happened": happened[kind]() if kind in happened else None,
    }


def _calibrated(amount: str, less: bool, acted: Acted) -> str:
    pulse = f"{decimal_text(acted.seen.truth.pulse, 1_000)} nL"
    if amount == "0 %":
        return f"each pulse now moves its nominal volume, {pulse}"
    return f"each pulse now moves {amount} {'less' if less else 'more'}: {pulse}"


def _drained(asked: Asked, acted: Acted) -> str:
    moved = 0 if acted.done is None else acted.done.moved
    wanted = "" if moved == asked.amount else f", of {Volume(asked.amount)} wanted"
    return f"{Volume(moved)} drawn by needle{wanted}; {acted.seen.reservoir} left in the reservoir"


def _filled(asked: Asked, acted: Acted) -> str:
    moved = 0 if acted.done is None else acted.done.moved
    beside = f", {Volume(asked.amount - moved)} beside it" if moved != asked.amount else ""
    return (
        f"{Volume(moved)} injected by syringe into the reservoir{beside}; it holds "
        f"{acted.seen.reservoir} of {acted.seen.truth.reservoir_concentration} now"
    )


def _bits(asked: Asked) -> str:
    return "bit of the flash has" if asked.amount == 1 else "bits of the flash have"


def _where(asked: Asked) -> str:
    if not asked.region:
        return ""
    return f" in {asked.region}" + ("" if asked.copy is None else f", copy {asked.copy}")


def _kept(kind: FaultKind, acted: Acted) -> FaultSeen | None:
    """The one that lasts; the newest of its kind."""
    word = FAULTS[kind].word
    return next((each for each in reversed(acted.seen.truth.faults) if each.kind == word), None)


def _how_long(kind: FaultKind, acted: Acted) -> str:
    kept = _kept(kind, acted)
    if FAULTS[kind].lasts in {Lasts.AT_ONCE, Lasts.NEXT_FILL} or kept is None:
        return ""
    if kept.until is None:
        return ", until it is cleared"
    return f" until {Moment(kept.until, acted.seen.offset_min).label()}"


def _replaced(acted: Acted) -> str:
    return "; it replaces the one before" if acted.done and acted.done.replaced else ""
