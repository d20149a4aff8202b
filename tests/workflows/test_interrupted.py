"""Ctrl-C, a bug, or a store that fails, at every step of an apply: what is said is true."""

from __future__ import annotations

from typing import Any

import pytest

from pumpctl.errors import StoreError
from pumpctl.link.session import Link
from pumpctl.pump.pump import Pump
from pumpctl.station.journal import Journal
from pumpctl.workflows.road import applying, verifying
from tests.helpers.desk import Desk

PORT = ("--port", "emu://ward")


def interrupts(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def bug(*_: object, **__: object) -> Any:
    raise RuntimeError("a bug of ours")


def after(real: Any, raising: Any) -> Any:
    """Do it, and then raise."""

    def both(*given: Any, **more: Any) -> Any:
        real(*given, **more)
        raising()

    return both


def ready(desk: Desk) -> tuple[tuple[object, ...], dict[str, Any]]:
    desk.emulator()
    path, told = desk.plan()
    return (*PORT, "apply", path, "--confirm", told["confirm"]), told


@pytest.mark.parametrize("step", ["state", "operation", "stage", "readback"])
def test_ctrl_c_before_the_first_activate_byte(step: str, desk: Desk) -> None:
    words, told = ready(desk)
    before = desk.truth()
    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, step, interrupts)
        desk.refused(130, "INTERRUPTED", *words)
    assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    assert desk.pump("resolve")["outcome"] is None
    assert desk.json(*words)["data"]["operation"] == told["operation"], "it is not used up"


@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_around_the_intent(when: str, desk: Desk) -> None:
    words, _ = ready(desk)
    before = desk.truth()
    with desk.monkeypatch.context() as patch:
        patch.setattr(
            Journal,
            "append",
            interrupts if when == "before" else after(Journal.append, interrupts),
        )
        desk.refused(130, "INTERRUPTED", *words)
    assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    resolved = desk.pump("resolve")["outcome"]
    assert resolved == (None if when == "before" else "refused")


@pytest.mark.requirement("BOL-06")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", [interrupts, bug], ids=["Ctrl-C", "a bug"])
def test_anything_raised_while_the_pump_is_asked(when: str, how: Any, desk: Desk) -> None:
    """From the first therapy byte on, nothing but the pump's answer makes it known."""
    words, told = ready(desk)
    real = Link._exchange

    def spoiled(self: Link, *given: Any) -> Any:
        if self.therapy_sent:
            if when == "after":
                real(self, *given)
            how()
        return real(self, *given)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Link, "_exchange", spoiled)
        document = desk.json(*words, code=7)
    assert document["error"]["code"] == "OUTCOME_UNKNOWN"
    assert document["error"]["changed"] == "unknown"
    assert document["data"]["outcome"] == "unknown"
    applied = desk.inspect()["program"]["hash"] == told["new"]["hash"]
    assert applied is (when == "after")
    assert desk.pump("resolve")["outcome"] == ("applied" if applied else "refused")


@pytest.mark.requirement("AUD-01")
def test_ctrl_c_before_the_answer_is_written_down(desk: Desk) -> None:
    words, told = ready(desk)
    real = Journal.append

    def spoiled(self: Journal, kind: Any, **more: Any) -> bytes:
        if kind == "outcome":
            raise KeyboardInterrupt
        return real(self, kind, **more)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Journal, "append", spoiled)
        document = desk.json(*words, code=7)
    assert document["error"]["changed"] == "unknown"
    assert desk.inspect()["program"]["hash"] == told["new"]["hash"]
    assert desk.pump("resolve")["outcome"] == "applied"


@pytest.mark.requirement("PRG-10")
@pytest.mark.parametrize("how", [interrupts, bug], ids=["Ctrl-C", "a bug"])
def test_anything_raised_while_it_is_verified_is_act_now(how: Any, desk: Desk) -> None:
    words, told = ready(desk)
    real, asked = Pump.state, []

    def spoiled(self: Pump) -> Any:
        asked.append(1)
        if len(asked) == 2:
            how()
        return real(self)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Pump, "state", spoiled)
        document = desk.json(*words, code=12)
    assert document["error"]["changed"] == "yes"
    assert document["data"]["outcome"] == "applied"
    assert desk.inspect()["program"]["hash"] == told["new"]["hash"]
    assert desk.pump("resolve")["outcome"] is None


def test_ctrl_c_in_the_goodbye_hides_nothing(desk: Desk) -> None:
    words, told = ready(desk)
    real = Link._exchange

    def spoiled(self: Link, counter: int, data: bytes, tries: Any) -> Any:
        from pumpctl.link import patience

        if tries is patience.CLOSING:
            raise KeyboardInterrupt
        return real(self, counter, data, tries)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Link, "_exchange", spoiled)
        assert desk.json(*words)["data"]["outcome"] == "applied"
    assert desk.inspect()["program"]["hash"] == told["new"]["hash"]


# --- a store that fails -------------------------------------------------------------------


@pytest.mark.requirement("AUD-03")
def test_an_intent_that_cannot_be_written_sends_nothing(desk: Desk) -> None:
    words, told = ready(desk)
    before = desk.truth()
    real, sent = Journal.append, []

    def full(self: Journal, kind: Any, **more: Any) -> bytes:
        if kind == "intent":
            raise StoreError("the journal cannot be written: disk full")
        return real(self, kind, **more)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        patch.setattr(Pump, "activate", lambda *_: sent.append(1))
        desk.refused(11, "STORE", *words)
    assert sent == []
    assert desk.truth()._replace(log_next=0) == before._replace(log_next=0)
    assert desk.json(*words)["data"]["operation"] == told["operation"]


@pytest.mark.requirement("AUD-01")
@pytest.mark.parametrize("outcome", ["applied", "refused", "unknown"])
def test_an_outcome_that_cannot_be_written_is_told_truly(outcome: str, desk: Desk) -> None:
    words, told = ready(desk)
    real = Journal.append

    def full(self: Journal, kind: Any, **more: Any) -> bytes:
        if kind == "outcome":
            raise StoreError("the journal cannot be written: disk full")
        return real(self, kind, **more)

    from pumpctl.outcomes import OperationId, Refused, Unknown

    operation = OperationId.from_text(told["operation"])
    with desk.monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        if outcome == "refused":
            patch.setattr(Pump, "activate", lambda *_: Refused(operation, "NONCE", "no"))
        if outcome == "unknown":
            patch.setattr(Pump, "activate", after_unknown(Pump.activate, Unknown(operation, "cut")))
        document = desk.json(*words, code=11)
    assert document["error"]["changed"] == {
        "applied": "yes", "refused": "no", "unknown": "unknown",
    }[outcome]  # fmt: skip
    assert document["data"]["outcome"] == outcome
    assert "resolve" in document["error"]["hint"]
    changed = desk.inspect()["program"]["hash"] == told["new"]["hash"]
    assert changed is (outcome != "refused")
    assert desk.pump("status")["unresolved"]["operation"] == told["operation"]
    assert desk.pump("resolve")["outcome"] == ("applied" if changed else "refused")


def after_unknown(real: Any, unknown: Any) -> Any:
    def activate(*given: Any) -> Any:
        real(*given)
        return unknown

    return activate


@pytest.mark.requirement("AUD-02")
def test_a_journal_that_was_tampered_with_bars_therapy(desk: Desk) -> None:
    import sqlite3

    words, _ = ready(desk)
    db = sqlite3.connect(desk.home / "journal.sqlite3")
    db.execute("UPDATE journal_entries SET body = replace(body, 'nurse', 'other')")
    db.commit()
    db.close()
    with desk.untouched():
        error = desk.refused(11, "STORE", *words)
        assert "altered" in error["message"]
        assert desk.json("doctor", code=11)["error"]["code"] == "STORE"
        assert desk.pump("status")


def test_the_outcome_is_written_before_it_is_shown(desk: Desk) -> None:
    """Verifying happens after the outcome is in the journal."""
    words, told = ready(desk)
    seen = []
    real = verifying.verify

    def spied(*given: Any) -> Any:
        journal = Journal(desk.home / "journal.sqlite3")
        seen.append([entry.kind for entry in journal.entries(operation=told["operation"])])
        journal.close()
        return real(*given)

    desk.monkeypatch.setattr(applying, "verify", spied)
    desk.json(*words)
    assert seen == [["intent", "outcome"]]


# --- stop -------------------------------------------------------------------------------


@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stop_without_an_answer_is_unknown_and_can_be_repeated(when: str, desk: Desk) -> None:
    from pumpctl.transport.line import LineLost

    desk.emulator()
    desk.program()
    real = Link._exchange

    def spoiled(self: Link, *given: Any) -> Any:
        if self.therapy_sent:
            if when == "after":
                real(self, *given)
            raise LineLost("the line broke")
        return real(self, *given)

    with desk.monkeypatch.context() as patch:
        patch.setattr(Link, "_exchange", spoiled)
        document = desk.json(*PORT, "stop", "--now", code=7)
    assert document["error"]["changed"] == "unknown"
    assert "again" in document["error"]["hint"]
    assert (desk.inspect()["delivery"] == "stopped") is (when == "after")
    assert desk.pump("stop", "--now")["delivery"] == "stopped"
    desk.pump("resolve")
    assert desk.pump("status")["unresolved"] is None
