"""A pump that lies in its read-back, field by field, for every kind of act: no plan is made of it.

What is altered is found by walking the read-back itself, so that a new field is
asked of the comparison from the day on which it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pumpctl.pump.pump import Pump
from pumpctl.pump.readbacks import Readback
from pumpctl.quantities import Quantity
from pumpctl.therapy.line import FREE, UNKNOWN
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.program import Mode
from tests.helpers import lines
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous
from tests.helpers.visits import PORT, refilled, visit_file

Words = tuple[object, ...]
OWN = """\
[program.patient_dose]
dose = "10 mcg"
over = "5 min"
lockout = "4 h"
max_per_24h = 3

"""


def leaves(value: object) -> Iterator[tuple[str, object]]:
    """Every field below a value, and the whole value with that field altered."""
    fields = getattr(value, "_fields", None)
    if isinstance(value, Moment):
        yield "", value.plus(1)
    elif fields is not None:
        for name in fields:
            for below, altered in leaves(getattr(value, name)):
                yield f".{name}{below}", value._replace(**{name: altered})  # type: ignore[attr-defined]
    elif isinstance(value, tuple):
        for place, one in enumerate(value):
            for below, altered in leaves(one):
                yield f"[{place}]{below}", (*value[:place], altered, *value[place + 1 :])
    else:
        yield "", _other(value)


def _other(value: object) -> object:
    match value:
        case Quantity():
            return type(value)(value.quanta + 1)
        case bool():
            return not value
        case int():
            return value + 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case Mode():
            return next(mode for mode in Mode if mode is not value)
        case str():
            return f"{value}x"
        case None:
            return bytes(8)
        case _:
            return UNKNOWN if value is FREE else FREE


def program(desk: Desk) -> Words:
    desk.rehearse()
    return "program", "plan", desk.profile(FLEX.replace("[reservoir]", OWN + "[reservoir]"))


def resume(desk: Desk) -> Words:
    desk.program(continuous())
    desk.pump("stop", "--now")
    return "resume", "--plan-only"


def bolus(desk: Desk) -> Words:
    desk.program(continuous())
    return "bolus", "single", "20 mcg", "--over", "10 min", "--plan-only"


def prime(desk: Desk) -> Words:
    desk.program(continuous())
    lines.record(desk, *lines.said("2000 mcg/mL"))
    return "bolus", "prime", "--plan-only"


def clock(desk: Desk) -> Words:
    desk.flex()
    return "clock", "--set", "--offset", "+01:00", "--plan-only"


def implant(desk: Desk) -> Words:
    return "implant", "record", *lines.said("free"), "--plan-only"


def patient(desk: Desk) -> Words:
    desk.program(continuous())
    return "patient", "assign", "P-0500", "--plan-only"


def clear(desk: Desk) -> Words:
    desk.program(continuous())
    return "patient", "clear", "--plan-only"


def refill(desk: Desk) -> Words:
    desk.rehearse()
    desk.program(continuous())
    file = visit_file(desk, "40 mL", "40 mL", "1000 mcg/mL")
    return "refill", "--file", file, "--plan-only"


def bridge(desk: Desk) -> Words:
    desk.rehearse()
    desk.program(continuous())
    refilled(
        desk,
        "40 mL",
        "40 mL",
        "1000 mcg/mL",
        bridge="none",
        reasons={"BRIDGE_LEFT_OUT": "rehearsal"},
    )
    return "bolus", "bridge", "--plan-only"


KINDS: dict[str, Callable[[Desk], Words]] = {
    each.__name__: each
    for each in (program, resume, bolus, prime, clock, implant, patient, clear, refill, bridge)
}


@pytest.mark.requirement("PRG-04")
@pytest.mark.requirement("CNF-01")
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_read_back_is_compared(kind: str, desk: Desk) -> None:
    desk.emulator()
    words = (*PORT, *KINDS[kind](desk), "-o", desk.files / "no.json")
    seen: list[Readback] = []
    real = Pump.readback

    def noted(own: Pump) -> Readback:
        seen.append(real(own))
        return seen[-1]

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "readback", noted)
        desk.data(*words)
    (desk.files / "no.json").unlink()
    lies = [(name, lie) for name, lie in leaves(seen[0]) if name != ".raw"]
    unseen = []
    before = desk.truth()
    with desk.monkeypatch.context() as patch:
        for name, lie in lies:
            patch.setattr(Pump, "readback", lambda _, lie=lie: lie)
            ran = desk.run(*words, "--json")
            code = ran.document.get("error", {}).get("code")
            if (ran.code, code) != (8, "READBACK_DIFFERS") or (desk.files / "no.json").exists():
                unseen.append((name, ran.code, code))
    assert unseen == []
    assert desk.truth()._replace(log_next=before.log_next) == before
    assert len(lies) >= 3
