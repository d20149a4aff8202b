"""Implant records and primes at a desk: through the command line, on the pump's clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.station.plan import read_plan, token
from tests.helpers.desk import Desk

PORT = ("--port", "emu://ward")
CONSTANT = "0.1 uL"
"""Of every built-in pump."""


def said(
    tubing: str = "500 mcg/mL",
    catheter: str = "free",
    *more: object,
    model: str = "SC110",
    trimmed: str = "30 cm",
    calibration: str = CONSTANT,
) -> tuple[object, ...]:
    """The words of a record."""
    return (
        *("--catheter", model, "--trimmed", trimmed, "--tip", "T10"),
        *("--tubing-holds", tubing, "--catheter-holds", catheter),
        *("--calibration", calibration, *more),
    )


def plan(desk: Desk, *words: object, to: str = "act.json") -> tuple[Path, dict[str, Any]]:
    """A plan file of any act, and what was said of it."""
    path = desk.files / to
    return path, desk.pump(*words, "--plan-only", "-o", path)


def give(desk: Desk, *words: object) -> dict[str, Any]:
    """The whole road of a script; the plan's data."""
    path, told = plan(desk, *words)
    assert told["confirm"] is not None, told["findings"]
    desk.apply(path, told["confirm"])
    return told


def record(desk: Desk, *words: object) -> dict[str, Any]:
    """An implant recorded."""
    return give(desk, "implant", "record", *words)


def by_hand(path: Path) -> str:
    """The token that a person at a terminal gets for a prime."""
    return token(read_plan(path), "nurse")


def prime(desk: Desk, *more: object) -> dict[str, Any]:
    """A prime planned, confirmed and applied; the plan's data."""
    path, told = plan(desk, "bolus", "prime", *more)
    assert told["confirm"] is None
    desk.apply(path, by_hand(path))
    return told


def show(desk: Desk) -> dict[str, Any]:
    """The record as the station knows it."""
    return desk.pump("implant", "show")


def weak(desk: Desk, *more: object) -> str:
    """A frozen pump of 500 mcg/mL on the pump's clock; its serial."""
    made = desk.json(
        *("emulator", "new", "ward", "--pair", "--frozen", "--concentration", "500 mcg/mL", *more)
    )
    desk.rehearse()
    return str(made["pump"]["serial"])
