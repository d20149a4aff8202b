"""A refill that dies half-way never sets a volume twice (REF-06)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pumpctl.errors import OutcomeUnknown
from pumpctl.pump.pump import Pump
from pumpctl.station.journal import Journal
from pumpctl.workflows.acts import refills as refill_acts
from pumpctl.workflows.refill import refilling
from pumpctl.workflows.road import applying
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX
from tests.helpers.visits import PORT, planned, refilled, refused, token_of, visit_file


class Killed(BaseException):
    """As SIGKILL: nothing is written any more."""


def killed(*_: Any, **__: Any) -> None:
    raise Killed


def after(real: Callable[..., Any]) -> Callable[..., Any]:
    """Done, and then killed."""

    def then_killed(*given: Any, **more: Any) -> Any:
        real(*given, **more)
        raise Killed

    return then_killed


def appended(kind: str, *, first: bool) -> Callable[..., Any]:
    """The journal's `append`, killed before or after an entry of this kind."""
    real = Journal.append

    def append(self: Journal, what: Any, **more: Any) -> bytes:
        if what == kind and first:
            raise Killed
        head = real(self, what, **more)
        if what == kind:
            raise Killed
        return head

    return append


@pytest.fixture
def ward(desk: Desk) -> Desk:
    """A pump after 60 days of a program, with 27.356 mL or so left."""
    desk.emulator()
    desk.flex()
    desk.advance("60d")
    return desk


def fills(desk: Desk) -> int:
    """How many refills the pump has applied, by its own ledger."""
    return [one["kind"] for one in desk.inspect()["operations"]].count("refill")


def kill_at(desk: Desk, where: Any, name: str, how: Any, path: Path) -> None:
    """Apply, and die there."""
    with desk.monkeypatch.context() as patch:
        patch.setattr(where, name, how)
        with pytest.raises(Killed):
            desk.run(*PORT, "apply", path, "--confirm", token_of(path))


def again(desk: Desk, code: int = 0) -> dict[str, Any]:
    """The same file once more."""
    words = (*PORT, "refill", "--file", desk.files / "refill.toml", "--plan-only")
    return desk.json(*words, "-o", desk.files / "again.json", code=code)


STEPS = [
    # where it dies, and whether the pump has the refill then
    ("before the intent", Journal, "append", lambda: appended("intent", first=True), False),
    ("intent written", Journal, "append", lambda: appended("intent", first=False), False),
    ("before activation", Pump, "activate", lambda: killed, False),
    ("activated", Pump, "activate", lambda: after(Pump.activate), True),
    ("before the outcome", Journal, "append", lambda: appended("outcome", first=True), True),
    ("outcome written", Journal, "append", lambda: appended("outcome", first=False), True),
    ("before it is verified", applying, "verify", lambda: killed, True),
]


@pytest.mark.requirement("REF-06")
@pytest.mark.parametrize(("step", "where", "name", "how", "has"), STEPS, ids=[s[0] for s in STEPS])
def test_killed_at_every_step_the_volume_is_set_once(
    step: str, where: Any, name: str, how: Callable[[], Any], has: bool, ward: Desk
) -> None:
    drained = ward.inspect()["reservoir"]
    path, _ = planned(ward, drained)
    kill_at(ward, where, name, how(), path)
    assert fills(ward) == int(has)
    written = {"before the intent": 0, "outcome written": 0, "before it is verified": 0}
    if step not in written:
        error = again(ward, 10)["error"]
        assert (error["code"], error["changed"]) == ("UNRESOLVED", "no")
        assert ward.pump("resolve")["outcome"] == ("applied" if has else "refused")
    told = again(ward)["data"]
    if has:
        assert (told["outcome"], told["repeated"], told["verified"]) == ("applied", True, True)
        assert not (ward.files / "again.json").exists()
    else:
        assert "repeated" not in told
        ward.advance("1h")
        ward.pump("apply", ward.files / "again.json", "--confirm", told["confirm"])
    assert fills(ward) == 1
    ward.advance("1d")
    assert again(ward)["data"]["repeated"] is True
    assert fills(ward) == 1


@pytest.mark.requirement("REF-06")
def test_without_the_check_the_same_file_sets_the_volume_twice(ward: Desk) -> None:
    """Removed: what was pumped in between is forgotten, and the reservoir is told too full."""
    refilled(ward, ward.inspect()["reservoir"])
    ward.advance("10d")
    left = ward.pump("status")["reservoir"]["volume"]
    assert again(ward)["data"]["repeated"] is True
    assert ward.pump("status")["reservoir"]["volume"] == left

    for place in (refilling, refill_acts):
        ward.monkeypatch.setattr(place, "refuse_repeated", lambda *_: None)
    file = visit_file(ward, ward.inspect()["reservoir"], reasons={})
    path = ward.files / "twice.json"
    ward.pump("refill", "--file", file, "--plan-only", "-o", path)
    ward.pump("apply", path, "--confirm", token_of(path))
    assert fills(ward) == 2
    assert ward.pump("status")["reservoir"]["volume"] == "40 mL", "set a second time"


@pytest.mark.requirement("REF-06")
def test_two_plans_of_one_order_are_one_refill(ward: Desk) -> None:
    """The second plan is out of date; without that, the order itself is used."""
    drained = ward.inspect()["reservoir"]
    path, _ = planned(ward, drained)
    other = ward.files / "other.json"
    ward.pump("refill", "--file", ward.files / "refill.toml", "--plan-only", "-o", other)
    ward.pump("apply", path, "--confirm", token_of(path))
    words = (*PORT, "apply", other, "--confirm", token_of(other))
    ward.refused(3, "PLAN_STALE", *words)
    ward.monkeypatch.setattr(applying, "_check_fresh", lambda *_: None)
    assert "was applied before" in ward.refused(3, "PLAN_USED", *words)["message"]
    assert fills(ward) == 1


@pytest.mark.requirement("REF-06")
@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"drained": "26 mL"}, "drained"),
        ({"injected": "39 mL"}, "injected"),
        ({"concentration": "500 mcg/mL"}, "concentration"),
        ({"lot": "B9"}, "lot"),
        ({"tag": "P-9999"}, "another patient"),
        ({"given_up": "after all"}, "given up"),
    ],
)
def test_one_order_with_other_content_is_a_conflict(
    more: dict[str, str], word: str, ward: Desk
) -> None:
    drained = ward.inspect()["reservoir"]
    refilled(ward, drained)
    error = refused(ward, 3, "REFILL_CONFLICT", **{"drained": drained, **more})
    assert word in error["message"]
    assert "P-9999" not in error["message"] and "P-0417" not in error["message"]


@pytest.mark.requirement("REF-06")
def test_what_was_refused_or_never_sent_goes_on(ward: Desk) -> None:
    drained = ward.inspect()["reservoir"]
    path, told = planned(ward, drained)

    def no(self: Pump, operation: Any, *_: Any) -> Any:
        from pumpctl.outcomes import Refused

        return Refused(operation, "NONCE", "no")

    with ward.monkeypatch.context() as patch:
        patch.setattr(Pump, "activate", no)
        words = (*PORT, "apply", path, "--confirm", told["confirm"])
        ward.refused(6, "PUMP_REFUSED", *words)
    assert fills(ward) == 0
    refilled(ward, drained)
    assert fills(ward) == 1


@pytest.mark.requirement("REF-06")
def test_nobody_knows_and_the_same_file_waits_for_resolve(ward: Desk) -> None:
    path, told = planned(ward, ward.inspect()["reservoir"])
    real = Pump.activate

    def cut(self: Pump, *given: Any) -> Any:
        real(self, *given)
        raise OutcomeUnknown("the line was cut")

    with ward.monkeypatch.context() as patch:
        patch.setattr(Pump, "activate", cut)
        ward.json(*PORT, "apply", path, "--confirm", told["confirm"], code=7)
    assert again(ward, 10)["error"]["code"] == "UNRESOLVED"
    assert ward.pump("resolve")["outcome"] == "applied"
    assert again(ward)["data"]["repeated"] is True
    assert fills(ward) == 1


@pytest.mark.requirement("REF-06")
def test_an_injection_of_a_while_ago_waits_for_resolve_too(ward: Desk) -> None:
    """The pump has the refill already, and its injection lies before that: exit 10, not 3."""
    drained, at = ward.inspect()["reservoir"], ward.pump("status")["clock"]["pump"]
    ward.advance("2h")
    path, _ = planned(ward, drained, at=at)
    kill_at(ward, Journal, "append", appended("outcome", first=True), path)
    assert again(ward, 10)["error"]["code"] == "UNRESOLVED"
    assert ward.pump("resolve")["outcome"] == "applied"
    assert again(ward)["data"]["repeated"] is True
    assert fills(ward) == 1


@pytest.mark.requirement("SEC-08")
def test_the_journal_never_holds_the_patient_s_tag(ward: Desk) -> None:
    refilled(ward, ward.inspect()["reservoir"], profile=str(ward.profile(FLEX)))
    with Journal(ward.home / "journal.sqlite3") as journal:
        written = [str(entry.body) for entry in journal.entries()]
    assert any("ORD-1" in each for each in written)
    assert not any("P-0417" in each for each in written)
