"""Visit files for tests, and a refill taken along the whole road at a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.station.plan import read_plan, token
from tests.helpers.desk import Desk
from tests.helpers.profiles import written

PORT = ("--port", "emu://ward")


def visit_text(
    drained: str | None = "3.2 mL",
    injected: str | None = "40 mL",
    concentration: str = "2000 mcg/mL",
    *,
    reference: str = "ORD-1",
    tag: str = "P-0417",
    serial: str = "",
    left: str = "",
    at: str = "",
    profile: str = "",
    bridge: str = "",
    lot: str = "A1234",
    expiry: str = "2036-06-30",
    ampoule: str = "",
    next_visit: str = "",
    given_up: str = "",
    reasons: dict[str, str] | None = None,
    name: str = "baclofen",
) -> str:
    """A visit; what is empty is left out of the file."""
    lines = ["format = 1", "[patient]", f'tag = "{tag}"']
    lines += ["[pump]", f'serial = "{serial}"'] if serial else []
    lines += ["[order]", 'prescriber = "Dr A. Example"', f'reference = "{reference}"']
    if drained is not None:
        lines += ["[drained]", f'volume = "{drained}"']
        lines += [f'left = "{left}"'] if left else []
    if not given_up:
        lines += ["[drug]", f'name = "{name}"', f'concentration = "{concentration}"']
        lines += [f'lot = "{lot}"', f"expiry = {expiry}"]
        lines += [f"ampoule = {ampoule}"] if ampoule else []
        if injected is not None:
            lines += ["[injected]", f'volume = "{injected}"']
            lines += [f"at = {at}"] if at else []
            lines += [f'bridge = "{bridge}"'] if bridge else []
    lines += ["[program]", f'profile = "{profile}"'] if profile else []
    lines += ["[next]", f"visit = {next_visit}"] if next_visit else []
    lines += ["[given_up]", f'why = "{given_up}"'] if given_up else []
    lines += ["[reasons]"] if reasons else []
    lines += [f'{name} = "{why}"' for name, why in (reasons or {}).items()]
    return "\n".join(lines) + "\n"


def visit_file(desk: Desk, *given: Any, **more: Any) -> Path:
    """The same in a file."""
    return written(desk.files / "refill.toml", visit_text(*given, **more))


def planned(desk: Desk, *given: Any, **more: Any) -> tuple[Path, dict[str, Any]]:
    """A refill's plan, and what was said of it."""
    path = desk.files / "refill.plan.json"
    file = visit_file(desk, *given, **more)
    return path, desk.pump("refill", "--file", file, "--plan-only", "-o", path)


def token_of(path: Path) -> str:
    """What `confirm` prints on a terminal; a change of concentration has it only there."""
    return token(read_plan(path), "nurse")


def refilled(desk: Desk, *given: Any, **more: Any) -> dict[str, Any]:
    """A refill along the whole road; `data` of its plan."""
    path, told = planned(desk, *given, **more)
    done = desk.pump("apply", path, "--confirm", token_of(path))
    assert (done["outcome"], done["verified"]) == ("applied", True)
    return told


def refused(desk: Desk, code: int, error: str, *given: Any, **more: Any) -> dict[str, Any]:
    """A refill that is refused, with nothing changed at the pump."""
    file = visit_file(desk, *given, **more)
    with desk.untouched():
        return desk.refused(code, error, *PORT, "refill", "--file", file, "--plan-only")


def ids(findings: list[dict[str, Any]], severity: str) -> list[str]:
    """The findings of one severity."""
    return [each["id"] for each in findings if each["severity"] == severity]
