"""The runs of which docs/round-trips.md counts the round trips: one pump, one visit each.

A pump that has run a flex program for a week, so that its log is one; what a story needs
beside that it does first, uncounted. `trips` counts, `trip_tables` writes down.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from pumpctl.outcomes import OperationId, Unknown
from pumpctl.pump.pump import Pump
from tools.trips import Desk, Trip

Counted = dict[str, tuple[Trip, ...]]
_WEEK_H = 7 * 24
_TAG = "P-0417"
_HEAD = f"""\
format = 1

[patient]
tag = "{_TAG}"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

[drug]
name = "baclofen"
concentration = "%s"

"""
_TAIL = """
[reservoir]
low_alarm = "2 mL"
"""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IMPLANT = (
    *("implant", "record", "--catheter", "SC110", "--trimmed", "30 cm", "--tip", "T10"),
    *("--tubing-holds", "2000 mcg/mL", "--catheter-holds", "free", "--calibration", "0.1 uL"),
)


def counted() -> Counted:
    """Every story's trips by its name, in the order of the page."""
    found: Counted = {}
    for story in (_looking, _program, _largest, _boluses, _stopping, _settings, _refill, _bridge):
        with TemporaryDirectory() as folder:
            desk = Desk(Path(folder))
            with desk.in_force():
                found |= story(desk)
    return found


# --- stories ------------------------------------------------------------------------------------


def _looking(desk: Desk) -> Counted:
    _weeks_old(desk)
    found = {"status": desk.pump("status"), "interrogate": desk.pump("interrogate")}
    desk.pump("logs", "pull")
    return found | {"logs pull, nothing new": desk.pump("logs", "pull")}


def _program(desk: Desk) -> Counted:
    _weeks_old(desk)
    return {
        "program plan, 2 boluses a day": desk.program(_flex(desk, 15)),
        "apply of it": desk.apply(),
        "resolve, after its answer was lost": _lost(desk),
    }


def _lost(desk: Desk) -> tuple[Trip, ...]:
    desk.later(30)
    desk.program(_flex(desk, 14))

    def cut(_pump: Pump, operation: OperationId, *_rest: Any) -> Unknown:
        return Unknown(operation, "the line was cut")

    with patch.object(Pump, "activate", cut):
        desk.apply(code=7)
    return desk.pump("resolve")


def _largest(desk: Desk) -> Counted:
    _weeks_old(desk)
    path = desk.written("largest.toml", _largest_text())
    return {"program plan, the largest": desk.program(path), "apply of the largest": desk.apply()}


def _boluses(desk: Desk) -> Counted:
    _weeks_old(desk)
    found = {
        "bolus single, plan": desk.plan("bolus", "single", "20 mcg", "--over", "10 min"),
        "bolus single, apply": desk.apply(),
        "bolus cancel": desk.pump("bolus", "cancel", "--now"),
    }
    desk.later(24)
    desk.plan(*_IMPLANT)
    desk.apply()
    return found | {
        "bolus prime, plan": desk.plan("bolus", "prime"),
        "bolus prime, apply": desk.apply(),
    }


def _stopping(desk: Desk) -> Counted:
    _weeks_old(desk)
    found = {"stop": desk.pump("stop", "--now")}
    desk.later(2)
    return found | {"resume, plan": desk.plan("resume"), "resume, apply": desk.apply()}


def _settings(desk: Desk) -> Counted:
    _weeks_old(desk, weeks=0)
    desk.travel()
    return {
        "clock": desk.pump("clock"),
        "clock --set, plan": desk.plan("clock", "--set"),
        "clock --set, apply": desk.apply(),
        "patient clear, plan": desk.plan("patient", "clear"),
        "patient clear, apply": desk.apply(),
    }


def _refill(desk: Desk) -> Counted:
    _weeks_old(desk)
    return {
        "refill, plan": desk.plan("refill", "--file", _visit(desk, "2000 mcg/mL", "38.6 mL")),
        "refill, apply": desk.apply(),
    }


def _bridge(desk: Desk) -> Counted:
    """One that was forgotten, and is repaired."""
    _weeks_old(desk, concentration="500 mcg/mL")
    desk.plan("refill", "--file", _visit(desk, "2000 mcg/mL", "34.2 mL", forgotten=True))
    desk.apply()
    desk.later(6)
    return {"bolus bridge, plan": desk.plan("bolus", "bridge"), "bolus bridge, apply": desk.apply()}


# --- what they need -------------------------------------------------------------------------------


def _weeks_old(desk: Desk, weeks: int = 1, concentration: str = "2000 mcg/mL") -> None:
    desk.run("emulator", "new", "ward", "--pair", "--concentration", concentration)
    if weeks:
        desk.program(_flex(desk, 14, concentration))
    else:
        desk.program(desk.written("even.toml", _even(concentration)))
    desk.apply()
    desk.later(_WEEK_H)


def _even(concentration: str) -> str:
    return (
        _HEAD % concentration
        + '[program]\nmode = "continuous"\ndaily_dose = "240 mcg/day"\n'
        + 'fallback_rate = "150 mcg/day"\n'
        + _TAIL
    )


def _flex(desk: Desk, night: int, concentration: str = "2000 mcg/mL") -> Path:
    """A flex program of three steps and two boluses a day; `night`: mcg/h from midnight on."""
    steps = ((0, night), (6, 26), (10, 15))
    daily = night * 6 + 26 * 4 + 15 * 14 + 2 * 20
    text = _HEAD % concentration + '[program]\nmode = "flex"\nfallback_rate = "230 mcg/day"\n'
    text += _day(_DAYS, daily, steps) + _bolus(20, ("07:00", "21:00")) + _TAIL
    return desk.written(f"flex-{night}.toml", text)


def _largest_text() -> str:
    """13 steps and 24 boluses on each of seven days that all differ: the most there can be."""
    text = _HEAD % "2000 mcg/mL" + '[program]\nmode = "flex"\nfallback_rate = "230 mcg/day"\n'
    for number, day in enumerate(_DAYS):
        steps = tuple((hour, 13 + (hour + number) % 2) for hour in range(13))
        daily = sum(rate for _, rate in steps[:-1]) + steps[-1][1] * 12 + 24 * 2
        text += _day((day,), daily, steps)
    return text + _bolus(2, tuple(f"{hour:02d}:30" for hour in range(24))) + _TAIL


def _day(days: tuple[str, ...], daily: int, steps: tuple[tuple[int, int], ...]) -> str:
    lines = ["", "[[program.day]]", f"days = {_list(days)}", f'daily_dose = "{daily} mcg/day"']
    parts = [f'{{ from = "{hour:02d}:00", basal = "{rate} mcg/h" }}' for hour, rate in steps]
    return "\n".join([*lines, f"steps = [ {', '.join(parts)} ]", ""])


def _bolus(dose: int, at: tuple[str, ...]) -> str:
    return (
        f'\n[[program.bolus]]\ndose = "{dose} mcg"\nover = "5 min"\n'
        f"at = {_list(at)}\ndays = {_list(_DAYS)}\n"
    )


def _list(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _visit(desk: Desk, concentration: str, drained: str, *, forgotten: bool = False) -> Path:
    lines = [
        *("format = 1", "[patient]", f'tag = "{_TAG}"'),
        *("[order]", 'prescriber = "Dr A. Example"', 'reference = "ORD-1"'),
        *("[drained]", f'volume = "{drained}"'),
        *("[drug]", 'name = "baclofen"', f'concentration = "{concentration}"'),
        *('lot = "A1234"', "expiry = 2036-06-30"),
        *("[injected]", 'volume = "40 mL"'),
        *(('bridge = "none"', "[reasons]", 'BRIDGE_LEFT_OUT = "a story"') if forgotten else ()),
    ]
    return desk.written("visit.toml", "\n".join(lines) + "\n")
