"""A ward's ways with a pump: whole changes, refusals, another station, a lost journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous, spoiled
from tests.helpers.staff import another_yes

PORT = ("--port", "emu://ward")
MINIMUM = """\
format = 1

[patient]
tag = "P-0417"
spasticity_origin = "spinal"
age_group = "adult"
history = "established"

[drug]
name = "baclofen"
concentration = "2000 mcg/mL"

[program]
mode = "minimum-rate"

[reservoir]
low_alarm = "2 mL"
"""


def of(daily: int, history: str = "established", origin: str = "spinal") -> str:
    text = continuous(f"{daily} mcg/day", fallback=f"{max(96, daily * 3 // 4)} mcg/day")
    text = spoiled('"established"', f'"{history}"', text)
    return spoiled('"spinal"', f'"{origin}"', text)


def soft(desk: Desk, text: str) -> list[str]:
    """The overrides that this profile needs here."""
    _, told = desk.plan(text, to="look.json")
    names = {one["id"] for one in told["findings"] if one["severity"] == "soft"}
    return [f"--override={name}=discussed" for name in sorted(names)]


def taken(desk: Desk, text: str) -> None:
    """The whole road, with whatever reasons and whoever else it needs."""
    path, told = desk.plan(text, *soft(desk, text))
    second = another_yes(desk, path) if told["second"] else None
    desk.apply(path, told["confirm"], second=second)


def refused(desk: Desk, text: str) -> list[str]:
    """The hard findings for which there is no plan; nothing happens to the pump."""
    with desk.untouched():
        words = ("program", "plan", desk.profile(text), "-o", desk.files / "no.json")
        error = desk.refused(3, "LIMIT_HARD", *PORT, *words)
    assert not (desk.files / "no.json").exists()
    return [one["id"] for one in error["findings"] if one["severity"] == "hard"]


def told_ids(desk: Desk, text: str) -> set[str]:
    return {one["id"] for one in desk.plan(text, to="look.json")[1]["findings"]}


@contextmanager
def elsewhere(desk: Desk) -> Iterator[None]:
    """Another station: the same key, and a journal that knows nothing of ours."""
    ours = desk.home / "journal.sqlite3"
    kept = {file: file.read_bytes() for file in desk.home.glob("journal.sqlite3*")}
    lost_journal(desk)
    yield
    lost_journal(desk)
    for file, content in kept.items():
        file.write_bytes(content)
    assert ours.exists()


def lost_journal(desk: Desk) -> None:
    for file in desk.home.glob("journal.sqlite3*"):
        file.unlink()


def warned(desk: Desk, text: str) -> str:
    """What is told beside a plan."""
    document = desk.json(
        *PORT, "program", "plan", desk.profile(text), "-o", desk.files / "look.json"
    )
    return "; ".join(one["message"] for one in document["warnings"] if "rehearsal" not in str(one))
