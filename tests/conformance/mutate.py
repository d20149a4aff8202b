"""Tools with which one duty of the emulator is broken: at the line, or where messages are handled.

A mutant is a function that patches; it is registered under the id of the
conformance test that must notice. Only what the pump's side uses is patched: the
conformance run has its own session, and must stay sound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from pumpctl.emulator import firmware as firmware_module
from pumpctl.emulator.acts.dispatch import handle
from pumpctl.emulator.memory.ledger import Entry
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Kind, LogKind, Refuse, Result
from pumpctl.wire.message import encode, spec_of

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]
Go = Callable[[Any], Any]
Handler = Callable[[Any, Any, Any, Go], Any]

MUTANTS: dict[str, Mutant] = {}


def breaks(*names: str) -> Callable[[Mutant], Mutant]:
    """Register a mutant under the ids of the tests that must fail with it."""

    def register(mutant: Mutant) -> Mutant:
        for name in names:
            assert name not in MUTANTS, name
            MUTANTS[name] = mutant
        return mutant

    return register


def handled(patch: Patch, handler: Handler) -> None:
    """Put a handler around the pump's own: (core, caller, message, go) to an answer."""

    def outer(core: Any, caller: Any, message: Any) -> Any:
        return handler(core, caller, message, lambda asked: handle(core, caller, asked))

    patch.setattr(firmware_module, "handle", outer)


def answers(patch: Patch, reply: type, change: Callable[[Any, Any, Any], Any]) -> None:
    """Change every answer of this kind: (answer, core, message) to another."""

    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        return change(answer, core, message) if isinstance(answer, reply) else answer

    handled(patch, handler)


def fields(name: str, reply: type, **wrong: Any) -> None:
    """Register a mutant whose answers of this kind have other values; functions of the old."""

    def change(answer: Any, _core: Any, _message: Any) -> Any:
        made = {
            field: value(answer) if callable(value) else value for field, value in wrong.items()
        }
        return answer._replace(**made)

    breaks(name)(lambda patch: answers(patch, reply, change))


def requests(name: str, asked: type, change: Callable[[Any, Any], Any]) -> None:
    """Register a mutant that takes every such request for another: (message, core)."""

    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        return go(change(message, core) if isinstance(message, asked) else message)

    breaks(name)(lambda patch: handled(patch, handler))


def lets(name: str, *codes: Refuse, asked: type | None = None, when: Any = None) -> None:
    """Register a mutant that takes a staging which the pump refuses with such a code."""

    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        answer = go(message)
        refused = isinstance(answer, m.Refusal) and (not codes or answer.code in codes)
        meant = asked is None or isinstance(message, asked)
        stages = spec_of(message).stages
        if refused and meant and stages and (when is None or when(message)):
            return staged_as(message, core)
        return answer

    breaks(name)(lambda patch: handled(patch, handler))


def staged_as(message: Any, core: Any) -> m.Staged:
    """What a pump says that takes it."""
    content = hashlib.sha256(encode(message)).digest()
    return m.Staged(Kind.PROGRAM, content, 600_000, core.entropy(8))


def on(
    name: str, asked: type, act: Callable[[Any, Any, Any], None], *, before: bool = False
) -> None:
    """Register a mutant that does something more with such a request: (core, message, answer)."""

    def handler(core: Any, _caller: Any, message: Any, go: Go) -> Any:
        if before and isinstance(message, asked):
            act(core, message, None)
        answer = go(message)
        if not before and isinstance(message, asked):
            act(core, message, answer)
        return answer

    breaks(name)(lambda patch: handled(patch, handler))


def noted(core: Any, kind: LogKind = LogKind.GRANTED) -> None:
    """Write something into the log that nobody asked for."""
    core.record(kind, 0, 0)


def in_ledger(core: Any, operation: bytes, version: int, result: Result = Result.APPLIED) -> None:
    """Take a place in the ledger."""
    entry = Entry(operation, bytes(32), Kind.PROGRAM, result, version, core.clock.utc, 0)
    control = core.control
    kept = tuple(one for one in control.ledger if one.operation != operation)
    core.control = control._replace(ledger=(*kept, entry))


def forgets(core: Any, operation: bytes) -> None:
    """Lose an operation."""
    kept = tuple(one for one in core.control.ledger if one.operation != operation)
    core.control = core.control._replace(ledger=kept)


def later(core: Any) -> None:
    """Raise the state version for nothing."""
    core.control = core.control._replace(state_version=core.control.state_version + 1)
    core.engine.state_version = core.control.state_version


def pulse(core: Any, count: int = 5) -> None:
    """Give pulses that nobody asked for."""
    core.engine.motor.pulses += count
