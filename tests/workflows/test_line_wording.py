"""Every declared message can be told, whatever is in it; units are those of the protocol page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.wire import codes
from pumpctl.wire import messages as m
from pumpctl.wire import messages_acts as acts
from pumpctl.wire.message import REGISTRY
from pumpctl.workflows.line import wording
from tests.wire.strategies import largest, values

SPECS = list(REGISTRY.values())


@given(st.sampled_from(SPECS).flatmap(lambda spec: values(spec.struct)))
def test_any_message_is_told_as_json(message: Any) -> None:
    told = wording.fields(message)
    assert list(told) == list(message._fields)
    json.dumps(told)
    leaves = list(wording.leaves(message))
    assert len({leaf.path for leaf in leaves}) == len(leaves)
    json.dumps([leaf.shown for leaf in leaves])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.op.name)
def test_the_largest_message_too(spec: Any) -> None:
    message = largest(spec.struct)
    assert wording.name_of(message) == spec.op.name
    assert len(json.dumps(wording.fields(message))) < 200_000


def test_quantities_have_their_units() -> None:
    told = wording.fields(acts.StageBolus(bytes(8), codes.BolusKind.SINGLE, 20_000, 600_000))
    # 20 000 ng are 20 mcg, 600 000 ms are 10 min.
    assert told == {
        "tag": "short hash 0000000000000000",
        "kind": "SINGLE",
        "dose": "20 mcg",
        "over": "10 min",
    }


def test_times_and_hashes_and_what_is_long() -> None:
    done = m.Done(bytes(16), codes.Kind.BOLUS, 7, 0, 0, False)
    told = wording.fields(done)
    assert told["at"].startswith("1970-01-01T00:00")
    assert told["operation"] == "00" * 16
    report = m.LogReport(1, 2, 1, 3, codes.Encoding.RAW, bytes(500))
    assert wording.fields(report)["batch"].startswith("500 bytes, sha256 ")


def test_more_than_any_quantity_can_be_is_told_as_it_is() -> None:
    told = wording.fields(m.Done(bytes(16), codes.Kind.STOP, 1, 2**64 - 1, 2**64 - 1, True))
    assert told["delivered"] == f"{2**64 - 1} quanta"
    assert told["at"].startswith("584556019-")  # a year, exactly: 2**64 ms after 1970
