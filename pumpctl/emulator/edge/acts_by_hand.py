"""What somebody does to a pump itself, past any line: press, wait, look, break, mend.

One function for whoever holds the pump: a command in its own process, or the
process that serves it, asked through the control socket. What is asked is plain
JSON; who may ask is not judged here.
"""

from __future__ import annotations

from typing import Any

from pumpctl.emulator.edge import faulting
from pumpctl.emulator.edge.inspection import Inspection, inspect_core
from pumpctl.emulator.edge.plain import from_plain, to_plain
from pumpctl.emulator.edge.shelf import Held
from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple


class NotGiven(NamedTuple):
    """Why the pump gave the patient no dose."""

    code: str
    detail: str


class Acted(NamedTuple):
    """What came of it."""

    seen: Inspection
    """Right afterwards."""
    not_given: NotGiven | None = None
    cleared: int = 0
    """How many faults were ended."""
    done: faulting.Done | None = None
    """Of a fault."""


def asking_fault(fault: faulting.Asked) -> dict[str, Any]:
    """The question for a fault."""
    return {"do": "fault", "fault": to_plain(fault)}


def act(held: Held, asked: dict[str, Any]) -> Acted:
    """Do it. UsageError for what cannot be done, FlashError where no pump is left."""
    not_given, cleared, done = None, 0, None
    match asked.get("do"):
        case "press":
            held.firmware.press()
        case "patient-dose":
            refused = held.firmware.patient_dose()
            not_given = None if refused is None else NotGiven(refused.code.name, refused.detail)
        case "advance":
            held.firmware.advance(int(asked["ms"]))
        case "inspect":
            held.firmware.tick()
        case "fault":
            done = faulting.do(held, from_plain(faulting.Asked, asked["fault"]))
        case "clear":
            cleared = faulting.clear(held, str(asked["kind"]))
        case other:
            raise UsageError(f"{other!r} is nothing that is done to an emulator")
    return Acted(inspect_core(held.firmware.core, held.name), not_given, cleared, done)
