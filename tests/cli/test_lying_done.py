"""A pump that says "done" and did not, or did something else: exit 12, for every kind of act."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.outcomes import Applied, StateVersion
from pumpctl.pump.pump import Known, Pump
from pumpctl.quantities import Concentration, Mass, Rate, Volume
from pumpctl.station.plan import read_plan, token
from pumpctl.therapy.implanted import Implanted
from pumpctl.therapy.line import UNKNOWN
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.state import Delivery, PumpState
from tests.cli.test_lying_pump import KINDS
from tests.helpers.desk import Desk
from tests.helpers.visits import PORT

Lie = Callable[[PumpState], PumpState]


def _more(volume: Volume) -> Volume:
    return Volume(volume.quanta + 1)


LIES: dict[str, Lie] = {
    "state version": lambda s: s._replace(state_version=StateVersion(s.state_version + 1)),
    "patient": lambda s: s._replace(tag_hash=b"somebody"),
    "program": lambda s: s._replace(program=s.program and s.program._replace(low_alarm=Volume(1))),
    "program hash": lambda s: s._replace(program_hash=bytes(32)),
    "drug": lambda s: s._replace(drug="morphine"),
    "concentration": lambda s: s._replace(concentration=Concentration(4000)),
    "stalled": lambda s: s._replace(delivery=Delivery.STALLED),
    "stopped": lambda s: s._replace(delivery=Delivery.STOPPED),
    "rate": lambda s: s._replace(rate=Rate((s.rate or Rate(0)).quanta + 1)),
    "line": lambda s: s._replace(line=s.line._replace(volume=_more(s.line.volume))),
    "fill": lambda s: s._replace(filled_at=Moment(0)),
    "reservoir": lambda s: s._replace(reservoir=_more(s.reservoir)),
    "offset": lambda s: s._replace(clock=s.clock._replace(offset_min=s.clock.offset_min + 15)),
}
OWN: dict[str, dict[str, Lie]] = {
    "bolus": {
        "dose": lambda s: s._replace(bolus=s.bolus and s.bolus._replace(dose=Mass(20_001))),
        "time": lambda s: s._replace(bolus=s.bolus and s.bolus._replace(ends=s.bolus.started)),
        "kind": lambda s: s._replace(bolus=s.bolus and s.bolus._replace(kind="patient")),
        "gone": lambda s: s._replace(bolus=None, delivery=Delivery.DELIVERING),
    },
    "prime": {"gone": lambda s: s._replace(bolus=None, delivery=Delivery.DELIVERING)},
    "clock": {"face": lambda s: s._replace(clock=s.clock.plus(1_001))},
    "refill": {"no bridge": lambda s: s._replace(bridge=None, delivery=Delivery.DELIVERING)},
    "bridge": {"no bridge": lambda s: s._replace(bridge=None, delivery=Delivery.DELIVERING)},
}
FINE = {("bridge", "rate"), ("refill", "rate")}
"""The rate of the old program, in a bridge."""


class Lies:
    """One plan, applied again and again on the same pump, brought back each time."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self.desk, self.kept = desk, desk.files / "kept"
        desk.emulator()
        path = desk.files / "act.json"
        words = (*PORT, *KINDS[kind](desk), "-o", path)
        told = desk.data(*words)
        soft = {each["id"] for each in told["findings"] if each["severity"] == "soft"}
        if soft:
            desk.data(*words, *(f"--override={each}=known" for each in soft))
        self.words = (*PORT, "apply", path, "--confirm", token(read_plan(path), "nurse"))
        shutil.copytree(desk.home, self.kept)

    def apply(
        self, patch: pytest.MonkeyPatch, lie: Lie | None = None, *, sends: bool = True
    ) -> Any:
        """What an apply comes to on a pump that lies from the activation on."""
        shutil.rmtree(self.desk.home)
        shutil.copytree(self.kept, self.desk.home)
        state, activate, done = Pump.state, Pump.activate, list[bool]()

        def activated(own: Pump, *given: Any) -> Any:
            done.append(True)
            return activate(own, *given) if sends else Applied(given[0], StateVersion(given[2] + 1))

        def told(own: Pump) -> PumpState:
            found = state(own)
            return lie(found) if done and lie is not None else found

        with patch.context() as inner:
            inner.setattr(Pump, "activate", activated)
            inner.setattr(Pump, "state", told)
            return self.desk.run(*self.words, "--json")


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("kind", KINDS)
def test_a_pump_that_says_done_is_not_believed(kind: str, desk: Desk) -> None:
    lies = Lies(desk, kind)
    assert lies.apply(desk.monkeypatch).code == 0, "the truth"
    believed = []
    for name, lie in {**LIES, **OWN.get(kind, {})}.items():
        ran = lies.apply(desk.monkeypatch, lie)
        error = ran.document.get("error", {})
        if (kind, name) in FINE:
            assert ran.code == 0
        elif (ran.code, error.get("changed")) != (12, "yes"):
            believed.append((name, ran.code, ran.out))
    assert believed == []


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("kind", KINDS)
def test_a_pump_that_only_counts_on_is_not_believed(kind: str, desk: Desk) -> None:
    """It does nothing at all, and says "done" with the next state version."""
    lies = Lies(desk, kind)
    ran = lies.apply(
        desk.monkeypatch,
        lambda s: s._replace(state_version=StateVersion(s.state_version + 1)),
        sends=False,
    )
    assert (ran.code, ran.document["error"]["code"]) == (12, "ACT_NOW"), ran.out


@pytest.mark.requirement("PRG-10")
@pytest.mark.requirement("REF-04")
def test_a_record_that_was_kept_otherwise_is_seen(desk: Desk) -> None:
    lies = Lies(desk, "implant")
    real = Pump.implant
    fields = ("tubing", "catheter", "catheter_model", "trimmed")
    changes: list[dict[str, Any]] = [{name: UNKNOWN} for name in fields]
    changes += [{"tip_level": "C1"}, {"table_version": 1}]
    for change in changes:

        def kept(own: Pump, change: dict[str, Any] = change) -> Implanted:
            return real(own)._replace(**change)

        def told(state: PumpState) -> PumpState:
            desk.monkeypatch.setattr(Pump, "implant", kept)
            return state

        ran = lies.apply(desk.monkeypatch, told)
        desk.monkeypatch.setattr(Pump, "implant", real)
        assert ran.code == 12, change
        assert "record's" in ran.document["error"]["message"]


@pytest.mark.requirement("BOL-08")
def test_a_bolus_that_was_not_given_in_full_is_seen(desk: Desk) -> None:
    lies = Lies(desk, "bolus")
    gone = OWN["bolus"]["gone"]
    operation = Pump.operation

    def less(own: Pump, *given: Any) -> Known:
        return operation(own, *given)._replace(delivered=Mass(19_999))

    desk.monkeypatch.setattr(Pump, "operation", less)
    ran = lies.apply(desk.monkeypatch, gone)
    assert (ran.code, ran.document["error"]["code"]) == (12, "ACT_NOW")
