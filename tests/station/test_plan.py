"""The plan file: bound by one hash, whole or nothing; its token, bound to plan and operator."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from pumpctl.errors import PlanUnreadable, StoreError, UsageError
from pumpctl.station.plan import Override, Plan, plan_hash, read_plan, sealed, token, write_plan
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX


@pytest.fixture
def plan_file(desk: Desk) -> Path:
    """A real one, of a flex profile."""
    desk.emulator()
    desk.rehearse()
    return desk.plan(FLEX)[0]


def test_a_plan_reads_back(plan_file: Path, tmp_path: Path) -> None:
    plan = read_plan(plan_file)
    assert plan.hash == plan_hash(plan)
    write_plan(plan, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == plan_file.read_bytes()
    assert read_plan(tmp_path / "again.json") == plan


@pytest.mark.requirement("PRG-09")
def test_any_changed_character_is_found(plan_file: Path, tmp_path: Path) -> None:
    """Every place of the file once, with a character drawn for it: altered, gone, doubled."""
    raw = plan_file.read_bytes()
    drawn = random.Random(417)
    altered = tmp_path / "altered.json"
    alphabet = b'0123456789abcdefABCDEF"{}[]:, \n\t.xz\x00\xff'
    accepted = []
    for place in range(len(raw)):
        how = drawn.randrange(4)
        if how == 0:
            changed = raw[:place] + raw[place + 1 :]
        elif how == 1:
            changed = raw[:place] + raw[place : place + 1] + raw[place:]
        else:
            other = drawn.choice([byte for byte in alphabet if byte != raw[place]])
            changed = raw[:place] + bytes([other]) + raw[place + 1 :]
        if changed == raw:
            continue
        altered.write_bytes(changed)
        try:
            read_plan(altered)
        except PlanUnreadable:
            continue
        accepted.append((place, how))
    assert accepted == []


@pytest.mark.requirement("PRG-09")
def test_an_edited_dose_is_refused_by_apply(plan_file: Path, desk: Desk) -> None:
    raw = json.loads(plan_file.read_text())
    confirm = token(read_plan(plan_file), "nurse")
    raw["new"]["daily_dose"] = "999 mcg/day"
    plan_file.write_text(json.dumps(raw, indent=2) + "\n")
    with desk.untouched():
        desk.refused(
            3, "PLAN_UNREADABLE", "--port", "emu://ward", "apply", plan_file, "--confirm", confirm
        )


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 100_000, b"x" * (1 << 21)]
)
def test_what_is_no_plan(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(PlanUnreadable):
        read_plan(tmp_path / "p")


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(PlanUnreadable):
            read_plan(path)


@pytest.mark.requirement("CNF-03")
def test_the_token_is_of_this_plan_and_this_operator(plan_file: Path) -> None:
    plan = read_plan(plan_file)
    others: list[Plan] = [
        sealed(plan.model_copy(update={"state_version": plan.state_version + 1})),
        sealed(plan.model_copy(update={"expires_utc_ms": plan.expires_utc_ms + 1})),
        sealed(plan.model_copy(update={"pump": plan.pump.model_copy(update={"serial": "SP40-1"})})),
        sealed(plan.model_copy(update={"operation": "0" * 32})),
        sealed(plan.model_copy(update={"overrides": (Override(id="X", reason="y"),)})),
        sealed(plan.model_copy(update={"readback_bytes": plan.readback_bytes[:-2] + "00"})),
    ]
    tokens = {token(plan, "nurse"), token(plan, "doctor"), *(token(one, "nurse") for one in others)}
    assert len(tokens) == len(others) + 2
    assert token(plan, "nurse") == token(read_plan(plan_file), "nurse")


def test_a_plan_that_cannot_be_written_leaves_the_old_one(plan_file: Path, tmp_path: Path) -> None:
    plan = read_plan(plan_file)
    with pytest.raises(StoreError):
        write_plan(plan, tmp_path / "no" / "where.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError):
        write_plan(plan, tmp_path / "folder")


@pytest.mark.parametrize("place", [".", "..", "/", ""])
def test_a_place_that_is_no_file(place: str, plan_file: Path) -> None:
    with pytest.raises(StoreError):
        write_plan(read_plan(plan_file), Path(place))


def test_a_plan_replaces_a_plan_and_nothing_else(plan_file: Path, tmp_path: Path) -> None:
    plan = read_plan(plan_file)
    profile = tmp_path / "flex.toml"
    profile.write_text("format = 1\n")
    with pytest.raises(UsageError):
        write_plan(plan, profile)
    assert profile.read_text() == "format = 1\n"
    place = tmp_path / "other.json"
    write_plan(plan, place)
    write_plan(plan, place)
    assert read_plan(place) == plan
