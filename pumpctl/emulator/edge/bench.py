"""The emulators of one home: make, remove, look, press, advance, break, open, serve.

What the command line calls; a line to one that runs in this process is in `local`.
A pump that another process serves is reached through its control socket, else its
lock is taken. Clock and entropy come from the caller.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.emulator.edge import faulting, shelf
from pumpctl.emulator.edge.acts_by_hand import Acted, NotGiven, act, asking_fault
from pumpctl.emulator.edge.control_socket import ask
from pumpctl.emulator.edge.inspection import Inspection, Operation
from pumpctl.emulator.edge.local import Entropy, LocalLine, Now, open_local
from pumpctl.emulator.edge.making import DEFAULT_CONCENTRATION, DEFAULT_MODEL, New, make
from pumpctl.emulator.edge.plain import from_plain
from pumpctl.emulator.edge.server import Stopper, serve, serve_ward
from pumpctl.emulator.edge.shelf import Held
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory import implant as implants
from pumpctl.emulator.memory.flash import PAGE, Flash, FlashError, MemoryStore
from pumpctl.errors import PortBusy, StoreError, UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Volume

__all__ = [
    "Acted",
    "Created",
    "Inspection",
    "Listed",
    "LocalLine",
    "NotGiven",
    "Operation",
    "Stopper",
    "advance",
    "clear",
    "create",
    "fault",
    "in_order",
    "inspect",
    "keep",
    "list_emulators",
    "make",
    "open_local",
    "patient_dose",
    "press",
    "refuse_taken",
    "remove",
    "serve",
    "serve_ward",
]

LONGEST_ADVANCE_MS = faulting.LONGEST_MS
"""Ten years, which is also as long as a fault or a story lasts at most."""


class Created(NamedTuple):
    """A new emulator; the secret is what its implant card would show."""

    name: str
    serial: str
    secret_text: str


class Listed(NamedTuple):
    """One emulator of a home."""

    name: str
    serial: str
    model: str
    bench: bool
    frozen: bool
    put_at: int
    """When it was put there, host's UTC ms."""
    served_at: str | None
    """The line on which a process serves it now."""


def refuse_taken(home: Path, name: str, *, again: bool = False) -> None:
    """UsageError where a pump of this name is there already, or it is no name.

    With `again` its place may be taken: PortBusy where somebody holds it.
    """
    shelf.folder_of(home, name)
    if name not in shelf.names(home):
        return
    if not again:
        raise UsageError(
            f"there is an emulator {name} already",
            hint="choose another name, or --again, which deletes the old one",
        )
    shelf.take_lock(home, name).release()


def keep(home: Path, name: str, new: New, *, now: Now, again: bool = False) -> Created:
    """Put a pump on the shelf, with `again` in the place of one of this name, which is gone.

    UsageError where one is there, PortBusy where one is held, StoreError.
    """
    if again and name in shelf.names(home):
        shelf.replace(home, name, new.content)
    else:
        shelf.put(home, name, new.content, now())
    return Created(name, new.serial, new.secret_text)


def create(
    home: Path,
    name: str,
    *,
    now: Now,
    entropy: Entropy,
    volume: Volume | None = None,
    concentration: Concentration = DEFAULT_CONCENTRATION,
    model: str = DEFAULT_MODEL,
    frozen: bool = False,
    bench: bool = True,
    offset_min: int = 0,
    pulse_error: int = 0,
) -> Created:
    """`make` it and `keep` it."""
    new = make(
        now=now,
        entropy=entropy,
        volume=volume,
        concentration=concentration,
        model=model,
        frozen=frozen,
        bench=bench,
        offset_min=offset_min,
        pulse_error=pulse_error,
    )
    return keep(home, name, new, now=now)


def remove(home: Path, name: str) -> None:
    """Throw an emulator away; PortMissing or PortBusy where that cannot be."""
    shelf.throw_away(home, name)


def list_emulators(home: Path) -> tuple[Listed, ...]:
    """Every emulator of this home, held or not, by name; a damaged one shows no serial."""
    return tuple(_listed(home, name) for name in shelf.names(home))


def in_order(home: Path) -> tuple[str, ...]:
    """Their names, the first that was put there first: a later one moves none of the others."""
    found = sorted(list_emulators(home), key=lambda one: (one.put_at, one.name))
    return tuple(one.name for one in found)


def _listed(home: Path, name: str) -> Listed:
    where, put_at = shelf.served_at(home, name), shelf.put_at(home, name)
    try:
        with (shelf.folder_of(home, name) / shelf.STATE).open("rb") as file:
            head = file.read((max(image.IMPLANT) + 1) * PAGE)
        made = implants.read(Flash(MemoryStore(head)))
    except (OSError, FlashError, UsageError):
        return Listed(name, "", "", False, False, put_at or 0, where)
    told = made.made_at if put_at is None else put_at
    return Listed(name, made.serial, made.model, made.bench, made.frozen, told, where)


# --- acts on the pump itself -------------------------------------------------------------


def press(home: Path, name: str, *, now: Now, entropy: Entropy) -> Inspection:
    """The local act: opens pairing for 60 s on the pump's own counter."""
    return _act(home, name, {"do": "press"}, now, entropy).seen


def patient_dose(home: Path, name: str, *, now: Now, entropy: Entropy) -> NotGiven | None:
    """The patient asks for a dose of their own: why it is not given, or None."""
    return _act(home, name, {"do": "patient-dose"}, now, entropy).not_given


def advance(home: Path, name: str, duration_ms: int, *, now: Now, entropy: Entropy) -> Inspection:
    """Make it this much later for the pump."""
    if not 0 <= duration_ms <= LONGEST_ADVANCE_MS:
        raise UsageError("an advance goes forward, by ten years at most")
    return _act(home, name, {"do": "advance", "ms": duration_ms}, now, entropy).seen


def inspect(home: Path, name: str, *, now: Now, entropy: Entropy) -> Inspection:
    """The emulator's own truth."""
    return _act(home, name, {"do": "inspect"}, now, entropy).seen


def fault(home: Path, name: str, asked: faulting.Asked, *, now: Now, entropy: Entropy) -> Acted:
    """Let something go wrong; UsageError where it cannot."""
    return _act(home, name, asking_fault(asked), now, entropy)


def clear(home: Path, name: str, kind: str, *, now: Now, entropy: Entropy) -> Acted:
    """End the faults of this kind, or all where it is empty."""
    if kind:
        faulting.kind_of(kind)
    return _act(home, name, {"do": "clear", "kind": kind}, now, entropy)


def _act(home: Path, name: str, asked: dict[str, Any], now: Now, entropy: Entropy) -> Acted:
    """Hold the pump for a moment, or ask the process that does."""
    try:
        with Held(home, name, now=now, entropy=entropy) as held:
            return act(held, asked)
    except PortBusy:
        return from_plain(Acted, ask(shelf.folder_of(home, name), name, asked))
    except (OSError, FlashError) as error:
        raise StoreError(f"the state of emulator {name} cannot be used: {error}") from error
