"""The duties, the register of tests, and what a line alone cannot show.

A test registers itself under `@case`; its id is its duty's id and a word. P1 to
P24 are section 17 of docs/protocol.md, L2 to L11 the sections of that number,
which say what the line carries. No device is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from pumpctl.conformance.faults import Broken
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import Feature

if TYPE_CHECKING:
    from pumpctl.conformance.bench import Bench

DUTIES = {
    "L2": "frames: what is none is dropped, and the next good one is taken",
    "L3": "greetings: echoed, remembered, never taken for another",
    "L5": "handshakes: authentic, once for each greeting, without a trace where they fail",
    "L6": "records: authentic, taken once, answered by counter, healed by a resend",
    "L11": "messages: what is told of the pump fits together",
    "P1": "delivery never waits for the line",
    "P2": "delivery changes only by what was staged and can be read back, STOP and CANCEL_BOLUS",
    "P3": "every change is whole or not at all, and DONE only when it is durable",
    "P4": "the read-back is computed from the stored bytes",
    "P5": "an activation is checked in the order of section 9",
    "P6": "staged work is shown, and dropped as section 8 says",
    "P7": "no default dose; program and fallback are kept twice",
    "P8": "implausible schedules and what is above the limits are refused",
    "P9": "an operation id is applied at most once",
    "P10": "roles are enforced by key, default deny",
    "P11": "no refusal, read, greeting or failed handshake writes anything",
    "P12": "a resend and a REPEAT are answered from the store; recorded traffic has no effect",
    "P13": "numbers that must be random are drawn anew",
    "P14": "pairing opens by a local act only",
    "P15": "unauthenticated traffic never costs a running session",
    "P16": "the log is numbered, checked and bounded",
    "P17": "log, ledger, keys and counters survive a reboot",
    "P18": "delivery is timed by the counter; the label is only a label",
    "P19": "nothing but role and id refuses STOP and CANCEL_BOLUS",
    "P20": "no message reads or writes memory, and there is no shell",
    "P21": "the exact remainder of a pulse carries over everything",
    "P22": "a test of the alarm signal is bounded, logged, and never in a real alarm's place",
    "P23": "a log streams in the fragments that were asked for, eight answers ahead, untimed",
    "P24": "no damaged frame is put right",
}

NOT_TESTED = {
    "P3-power-loss": "needs the power to be cut at every write: no line can do that",
    "P6-expiry": "needs ten minutes, or one of silence, in which nothing else is tested",
    "P7-damage": "needs both stored copies to be damaged inside the device",
    "P8-table-activation": "a table of limits cannot be taken back once it is in force",
    "P10-matrix": "an admin's key sees no refusal by role; other roles need other keys",
    "P10-pairing-session": "needs the local act that opens pairing, and the implant card",
    "P12-boot": "needs a reboot",
    "P13-quality": "a handful of numbers shows repeats, not how well they are drawn",
    "P14-local-act": "needs hands at the device, and a clock for its 60 s",
    "P15-energy": "the energy of an answer does not show on the line",
    "P16-capacity": "20 000 entries would have to be written to see the first one go",
    "P17-reboot": "needs a reboot",
    "P22-real-alarm": "needs ears: that a real alarm ends a test at once",
    "P21-remainder": "a line sees single pulses, not the millisecond of each",
}


_MOST_TEXT = 240
"""Characters of a value in a report."""


def duty_of(name: str) -> str:
    """The id of the duty to which this id belongs, of a test or of a duty."""
    return name.partition("-")[0]


class Case(NamedTuple):
    """One test."""

    id: str
    shows: str
    """One sentence: what is so where it passes."""
    feature: Feature | None
    """The bit of the greeting without which it does not apply."""
    run: Callable[[Bench], None]

    @property
    def duty(self) -> str:
        """The id of the duty that it belongs to."""
        return duty_of(self.id)


_Registers = Callable[[str, str], Callable[[Callable[["Bench"], None]], Callable[["Bench"], None]]]
_CASES: dict[str, Case] = {}
_FILES = (
    "looking",
    "log_reading",
    "streaming",
    "frames",
    "records",
    "fragments",
    "staging",
    "figures",
    "spelling",
    "limits",
    "activation",
    "operations",
    "stopping",
    "log_entries",
    "boluses",
    "patients",
    "alarms",
    "implants",
    "bridges",
    "refills",
    "clocks",
    "tables",
    "sessions",
    "greetings",
    "handshakes",
)
"""In this order they run: first what is authenticated, so that it is not slowed by the rest,
and of that what moves the line's contents last."""


def case(
    name: str, shows: str, *, feature: Feature | None = None
) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register a test under its id."""

    def register(run: Callable[[Bench], None]) -> Callable[[Bench], None]:
        made = Case(name, shows, feature, run)
        if name in _CASES or made.duty not in DUTIES:
            raise ValueError(f"{name}: registered twice, or of no duty")
        _CASES[name] = made
        return run

    return register


def cases() -> tuple[Case, ...]:
    """Every test, in the order in which they run."""
    for file in _FILES:
        import_module(f"pumpctl.conformance.cases.{file}")
    return tuple(_CASES.values())


def needing(feature: Feature) -> _Registers:
    """`case` for tests of what a feature bit offers."""
    return partial(case, feature=feature)


def expect(so: bool, otherwise: str) -> None:
    """Broken, with what was seen, where it is not so."""
    if not so:
        raise Broken(otherwise)


def same(what: str, seen: object, due: object) -> None:
    """Broken where what was seen is not what is due."""
    if seen != due:
        raise Broken(f"{what} is {told(seen)}, not {told(due)}")


def told(value: object) -> str:
    """A value as a person reads it in a report."""
    text = _told(value)
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"


def _told(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or "nothing"
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        inner = map(_told, value)
        if fields is None:
            return f"({', '.join(inner)})"
        pairs = (f"{name}={text}" for name, text in zip(fields, inner, strict=True))
        return f"{type(value).__name__}({', '.join(pairs)})"
    return f"[{', '.join(map(_told, value))}]" if isinstance(value, list) else str(value)
