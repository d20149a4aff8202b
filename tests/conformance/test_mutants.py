"""Every conformance test fails, by name, against an emulator with its duty broken."""

from __future__ import annotations

import pytest

from pumpctl.conformance.duties import cases
from tests.conformance import (
    mutants_acts,
    mutants_alarms,
    mutants_frames,
    mutants_limits,
    mutants_looking,
    mutants_records,
    mutants_road,
    mutants_sessions,
    mutants_staging,
    mutants_streaming,
)
from tests.conformance.benches import paired_pump, ran, with_table
from tests.conformance.mutate import MUTANTS

FILES = (
    mutants_acts,
    mutants_alarms,
    mutants_frames,
    mutants_limits,
    mutants_looking,
    mutants_records,
    mutants_road,
    mutants_sessions,
    mutants_staging,
    mutants_streaming,
)
"""Importing them registers their mutants."""
IDS = tuple(one.id for one in cases())
NEEDS_TABLE = {"P8-table-holder"}


@pytest.mark.parametrize("name", IDS)
def test_a_broken_duty_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pump, own = paired_pump()
    if name in NEEDS_TABLE:
        with_table(pump)
    whole = ran(pump, own, name)
    assert [(result.id, result.ok) for result in whole.results] in ([(name, True)], [])
    MUTANTS[name](monkeypatch)
    pump.attach()
    told = ran(pump, own, name, seed="second run")
    (result,) = told.results
    assert result.id == name
    assert not result.ok, "the test is blind to it"
    assert "made ready" not in result.detail  # it is the duty that is missed, not the way there
    assert "not run" not in result.detail


def test_every_test_has_a_mutant_of_its_own() -> None:
    assert sorted(MUTANTS) == sorted(IDS)
    assert len(IDS) > 200
