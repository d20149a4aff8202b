"""Faults on demand: what is asked in words, checked against the one table, and done.

The table is `body.faults`. Commands, scenarios and the control socket come
through `asked`; whatever lasts lies in the world, and what happens at once is
done to it here, or to the pump's own memory. No file and no line is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from pumpctl.emulator.body.faults import FAULTS, MILLION, Effect, Fault, FaultKind, Lasts, Takes
from pumpctl.emulator.body.fluid import PL_PER_NL
from pumpctl.emulator.core import Core
from pumpctl.emulator.edge import flash_hits
from pumpctl.emulator.engine.battery import CELL
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory import image
from pumpctl.emulator.memory.implant import MODELS
from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Duration, Quantity, Volume
from pumpctl.quantity_text import decimal_text

LONGEST_MS = 3660 * DAY_MS
KINDS = {effect.word: kind for kind, effect in FAULTS.items()}
"""By the word that is typed."""


class Share(Quantity):
    """A part of something, in millionths."""

    __slots__ = ()
    KIND = "a share"
    UNITS: ClassVar[dict[str, int]] = {"%": 10_000, "ppm": 1}
    FOREIGN: ClassVar[dict[str, int]] = {"percent": 10_000}


class Words(NamedTuple):
    """What was typed beside the kind, empty where it was not."""

    percent: str = ""
    volume: str = ""
    concentration: str = ""
    delay: str = ""
    how_many: int | None = None
    way: str = ""
    """`more` or `less`, of an amount that may be either."""
    lasts: str = ""
    region: str = ""
    copy: int | None = None


class Asked(NamedTuple):
    """One fault, in quanta."""

    kind: str
    """Its word."""
    amount: int = 0
    concentration: int = 0
    """pg/nL of what is injected."""
    lasts: int | None = None
    """ms"""
    region: str = ""
    """Of the flash; empty: anywhere."""
    copy: int | None = None
    """1 or 2; None: either."""


class Done(NamedTuple):
    """What came of a fault."""

    moved: int = 0
    """nL that really came by needle, or that really went into the reservoir by syringe."""
    replaced: int = 0
    """How many earlier faults of its kind it took the place of."""


class Holder(Protocol):
    """Whoever runs the pump. A start puts another firmware into its place."""

    firmware: Firmware


_KEY = {
    Takes.PERCENT: "percent",
    Takes.VOLUME: "volume",
    Takes.CONCENTRATION: "concentration",
    Takes.DURATION: "delay",
    Takes.COUNT: "count",
}


# --- from words ----------------------------------------------------------------------------


def kind_of(word: str) -> FaultKind:
    """The kind of this word; UsageError where there is none."""
    if word not in KINDS:
        raise UsageError(f"there is no fault {word!r}", hint=f"kinds: {', '.join(KINDS)}")
    return KINDS[word]


def may_take(kind: FaultKind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of what this kind must be told, and of what it may be."""
    effect = FAULTS[kind]
    must = tuple(_KEY[each] for each in effect.takes)
    may: tuple[str, ...] = ()
    if effect.takes[:1] == (Takes.COUNT,):
        must, may = (), ("count",)
    if effect.least < 0:
        may += ("way",)
    if effect.lasts is Lasts.TIME:
        may += ("for",)
    if kind is FaultKind.FLASH_BIT:
        may += ("at", "copy")
    return must, may


def asked(word: str, words: Words, *, mark: str = "") -> Asked:
    """One fault of its words. UsageError says what the kind takes; `mark` leads its names."""
    kind = kind_of(word)
    must, may = may_take(kind)
    given = {
        "percent": words.percent,
        "volume": words.volume,
        "concentration": words.concentration,
        "delay": words.delay,
        "count": "" if words.how_many is None else str(words.how_many),
        "way": words.way,
        "for": words.lasts,
        "at": words.region,
        "copy": "" if words.copy is None else str(words.copy),
    }
    told = {name for name, text in given.items() if text}
    if told - {*must, *may} or set(must) - told:
        raise UsageError(f"{word} takes {_list(must, may, mark)}", hint=FAULTS[kind].does)
    lasts = None
    if words.lasts:
        lasts = Duration.parse(words.lasts).quanta
        if not 0 < lasts <= LONGEST_MS:
            raise UsageError(f"{mark}for {words.lasts}: above 0, ten years at most")
    if words.way not in {"", "more", "less"}:
        raise UsageError(f"{mark}way {words.way}: more or less")
    if words.region and words.region not in image.REGIONS:
        raise UsageError(
            f"there is no region {words.region!r} in flash", hint=f"{', '.join(image.REGIONS)}"
        )
    if words.copy not in {None, 1, 2}:
        raise UsageError("there are two copies: 1 and 2")
    if words.copy is not None and words.region in {"", "log"}:
        raise UsageError("a copy is one of a region that lies in flash twice")
    amount = _amount(FAULTS[kind], words)
    check(kind, amount)
    injected = (
        Concentration.parse(words.concentration).quanta
        if len(must) > 1 and words.concentration
        else 0
    )
    return Asked(word, amount, injected, lasts, words.region, words.copy)


def _list(must: tuple[str, ...], may: tuple[str, ...], mark: str) -> str:
    wanted = " and ".join(mark + name for name in must)
    allowed = ", ".join(mark + name for name in may)
    if not allowed:
        return wanted or "nothing"
    return f"{wanted}, and may take {allowed}" if wanted else f"nothing, or {allowed}"


def _amount(effect: Effect, words: Words) -> int:
    read: dict[Takes, Callable[[], int]] = {
        Takes.PERCENT: lambda: Share.parse(words.percent).quanta,
        Takes.VOLUME: lambda: Volume.parse(words.volume).quanta,
        Takes.CONCENTRATION: lambda: Concentration.parse(words.concentration).quanta,
        Takes.DURATION: lambda: Duration.parse(words.delay).quanta,
        Takes.COUNT: lambda: effect.least if words.how_many is None else words.how_many,
    }
    if not effect.takes:
        return 0
    amount = read[effect.takes[0]]()
    return -amount if words.way == "less" else amount


def check(kind: FaultKind, amount: int) -> None:
    """UsageError for an amount that this kind cannot have, or with which it does nothing."""
    effect = FAULTS[kind]
    if effect.takes and not amount and not effect.zero and effect.least <= 0:
        ended = effect.lasts is not Lasts.AT_ONCE
        raise UsageError(
            f"{effect.word} of {amount_text(kind, 0)}: that does nothing",
            hint="one that is in force is ended by clear" if ended else None,
        )
    if not effect.least <= amount <= effect.most:
        least, most = (amount_text(kind, each) for each in (max(0, effect.least), effect.most))
        told = f"{least} to {most}" if effect.zero or effect.least else f"above {least}, to {most}"
        raise UsageError(
            f"{effect.word} of {_signed(kind, amount)}",
            hint=f"{told}, either way" if effect.least < 0 else told,
        )


def check_model(kind: FaultKind, model: str, *, sensor: bool) -> None:
    """UsageError for a fault of a part that pumps of this model do not have."""
    if kind is FaultKind.SENSOR and not sensor:
        having = ", ".join(each.name for each in MODELS.values() if each.sensor)
        raise UsageError(
            f"sensor: an {model} has no sensor of its reservoir's volume; models with one: {having}"
        )


def _signed(kind: FaultKind, amount: int) -> str:
    """With its sign, or with its way."""
    text = amount_text(kind, amount)
    if amount >= 0:
        return text
    return f"{text} less" if FAULTS[kind].least < 0 else f"-{text}"


def amount_text(kind: FaultKind, amount: int) -> str:
    """An amount with its unit and without its sign; empty where the kind takes none."""
    takes = FAULTS[kind].takes
    size = abs(amount)
    match takes[0] if takes else None:
        case Takes.PERCENT:
            return f"{decimal_text(size, 10_000)} %"
        case Takes.VOLUME:
            return str(Volume(size))
        case Takes.CONCENTRATION:
            return str(Concentration(size))
        case Takes.DURATION:
            return str(Duration(size))
        case Takes.COUNT:
            return str(size)
        case None:
            return ""


def rows() -> list[str]:
    """The rows of a table for people, in Markdown: kind, what it does, how long, what it takes."""
    return [
        f"| `{effect.word}` | {effect.does} | {effect.lasts.value} "
        f"| {_list(*may_take(kind), '--')} |"
        for kind, effect in FAULTS.items()
    ]


# --- done --------------------------------------------------------------------------------------


def do(holder: Holder, fault: Asked) -> Done:
    """Let it happen now. UsageError where it cannot, FlashError where no pump is left.

    One that lasts for a time takes the place of an earlier one of its kind; those
    that wait for a fill are used up in turn.
    """
    kind = kind_of(fault.kind)
    check(kind, fault.amount)
    holder.firmware.tick()
    core = holder.firmware.core
    check_model(kind, core.implant.model, sensor=core.implant.sensor)
    lasts = FAULTS[kind].lasts
    if lasts is Lasts.AT_ONCE:
        done = Done(moved=_at_once(holder, core, kind, fault))
    else:
        now = core.engine.world_time
        until = None if fault.lasts is None else now + fault.lasts
        gone = 0 if lasts is Lasts.NEXT_FILL else core.world.clear(kind)
        core.world.add(Fault(kind, now, until, fault.amount))
        _drift(core)
        done = Done(replaced=gone)
    holder.firmware.tick()
    return done


def clear(holder: Holder, word: str = "") -> int:
    """End the faults of this kind, or all; how many there were. A stuck motor stays stuck."""
    holder.firmware.tick()
    core = holder.firmware.core
    gone = core.world.clear(kind_of(word) if word else None)
    _drift(core)
    holder.firmware.tick()
    return gone


def reboot(holder: Holder) -> None:
    """The firmware starts anew on the same flash."""
    core = holder.firmware.core
    holder.firmware = Firmware.boot(
        image.flash_of(core.flash.store), now=core.now, entropy=core.entropy
    )


def _drift(core: Core) -> None:
    """The crystal is what the world says."""
    wanted = core.world.amount(FaultKind.CLOCK_DRIFT, core.engine.world_time) or 0
    if wanted != core.clock.drift_ppm:
        core.clock.drift(core.now(), wanted)


def _at_once(holder: Holder, core: Core, kind: FaultKind, fault: Asked) -> int:
    """nL that came by needle, or that went into the reservoir by syringe; else 0."""
    match kind:
        case FaultKind.CALIBRATION:
            core.world.calibrate(fault.amount)
        case FaultKind.DRAIN:
            if not core.world.reservoir.volume:
                raise UsageError("drain: the reservoir is really empty, nothing can be drawn")
            return core.world.drain(fault.amount * PL_PER_NL).volume // PL_PER_NL
        case FaultKind.FILL:
            entered = core.world.fill(
                fault.amount * PL_PER_NL,
                core.control.drug,
                fault.concentration,
                core.engine.world_time,
            )
            return entered // PL_PER_NL
        case FaultKind.BATTERY:
            left = core.engine.battery.held.charge * MILLION // CELL
            if left <= fault.amount:
                raise UsageError(
                    f"battery: no more than {amount_text(kind, left)} of its charge is left anyway"
                )
            core.engine.battery.drain_to(fault.amount, core.clock.counter)
        case FaultKind.FLASH_BIT:
            flash_hits.flip(core, fault.amount, fault.region, fault.copy)
        case FaultKind.MEMORY:
            flash_hits.spoil_program(core, fault.amount)
        case FaultKind.REBOOT:
            reboot(holder)
        case FaultKind.RETAINED:
            core.lose_memory()
            reboot(holder)
            _drift(holder.firmware.core)
        case _:
            raise AssertionError(f"{kind.name} is kept, and not done at once")
    return 0
