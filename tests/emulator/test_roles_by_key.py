"""Every role × every request, each through a key of its own and its secure session (SEC-06)."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.wire import messages as m
from pumpctl.wire.codes import Op, Refuse, Role
from pumpctl.wire.message import REGISTRY, decode, permits, spec_of
from tests.emulator.support import Bench, Entropy, Line, op
from tests.wire.golden import FOLDER, hexed, records

pytestmark = pytest.mark.requirement("SEC-06")
REQUESTS = [
    decode(hexed(record["hex"]), from_station=True)
    for file in sorted(FOLDER.glob("messages_*.toml"))
    for record in records(file.name)
    if REGISTRY[Op[record["op"]]].from_station and record["op"] != "CLOSE"
]
"""The hand-written one of each: what is in them is for another pump, whom it is from is not."""


def clinic(*, bench: bool) -> tuple[Bench, dict[Role, Line]]:
    """A pump, and an operator of each role: the first is its admin and grants the others."""
    pump = Bench(bench=bench, frozen=True)
    people: dict[Role, Line] = {}
    for role in (Role.ADMIN, Role.OBSERVER, Role.CLINICIAN, Role.ENGINEER):
        line = Line(pump, Entropy(role.name)(32))
        pump.firmware.press()
        granted = line.pair(Role.ADMIN).role
        assert granted is (Role.ADMIN if role is Role.ADMIN else Role.CLINICIAN)
        people[role] = line
    admin = people[Role.ADMIN]
    assert admin.open()
    for role, line in people.items():
        assert admin.ask(m.Grant(line.key, role)) == m.Granted(line.key, role)
    return pump, people


def test_every_request_is_walked() -> None:
    walked = {spec_of(message).op for message in REQUESTS}
    assert walked == {s.op for s in REGISTRY.values() if s.from_station} - {Op.CLOSE}


@pytest.mark.parametrize("bench", [True, False])
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_what_a_key_may_is_what_its_role_may(role: Role, bench: bool) -> None:
    _, people = clinic(bench=bench)
    line = people[role]
    assert line.open()
    for message in REQUESTS:
        answer = line.ask(message)
        refused = isinstance(answer, m.Refusal) and answer.code is Refuse.ROLE
        spec = spec_of(message)
        others_key = isinstance(message, m.Unpair) and role is not Role.ADMIN
        may = permits(spec, role, bench=bench) and not others_key
        assert refused is not may, (role.name, spec.op.name, answer)


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.ENGINEER, Role.CLINICIAN])
def test_nobody_but_an_admin_raises_a_role_or_takes_another_s_key(role: Role) -> None:
    pump, people = clinic(bench=True)
    before = pump.core.control.keys
    line = people[role]
    assert line.open()
    for other in people.values():
        asked: list[Any] = [m.Grant(other.key, Role.ADMIN)]
        asked += [] if other is line else [m.Unpair(other.key)]
        for message in asked:
            answer = line.ask(message)
            assert isinstance(answer, m.Refusal), answer
            assert answer.code is Refuse.ROLE
    assert pump.core.control.keys == before


def test_a_role_that_was_taken_back_is_gone() -> None:
    _, people = clinic(bench=True)
    admin, line = people[Role.ADMIN], people[Role.CLINICIAN]
    assert line.open()
    assert isinstance(line.ask(m.Stop(op(1), bytes(32))), m.Done)
    assert admin.open()
    admin.ask(m.Grant(line.key, Role.OBSERVER))
    assert line.open()
    answer = line.ask(m.Stop(op(2), bytes(32)))
    assert isinstance(answer, m.Refusal)
    assert answer.code is Refuse.ROLE
    assert admin.open()
    assert admin.ask(m.Unpair(line.key)) == m.Unpaired(line.key)
    assert not line.open(), "the pump does not know it any more"
