"""Every conformance test fails, by name, against an emulator with its duty broken."""

from __future__ import annotations

import pytest

from pumpctl.conformance.duties import cases
from tests.conformance import mutants_acts, mutants_limits, mutants_line, mutants_road
from tests.conformance.benches import paired_pump, ran
from tests.conformance.mutate import MUTANTS

FILES = (mutants_acts, mutants_limits, mutants_line, mutants_road)
"""Importing them registers their mutants."""
IDS = tuple(one.id for one in cases())


@pytest.mark.parametrize("name", IDS)
def test_a_broken_duty_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    if name not in MUTANTS:
        pytest.fail("no mutant")
    MUTANTS[name](monkeypatch)
    pump.attach()
    told = ran(pump, own, name)
    assert [result.id for result in told.results] == [name]
    assert told.failed, "the test is blind to it"
