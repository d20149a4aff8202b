"""The programs of a scenario: each by its name, read as a profile is read.

A program beyond a limit is one all the same: in a story the pump is to judge it.
Only one that cannot be formed is a fault of the scenario.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpctl.errors import InputRefused
from pumpctl.pump.encode import to_wire
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.places import Path as Place
from pumpctl.therapy.profile import ProfileReading, read_profile, read_profile_bytes
from pumpctl.therapy.program import Program
from pumpctl.therapy.toml_text import MAX_BYTES
from pumpctl.therapy.walk import Walk
from pumpctl.wire.program import program_hash
from pumpctl.workflows.scenario.shape import FACTORY

_LOW_ALARM = "2 mL"
_OWN_KEYS = frozenset({"name", "concentration", "low_alarm"})


class Programs:
    """Those of one scenario. Faults are noted where the walk over the file notes its own."""

    def __init__(self, walk: Walk, beside: Path | None) -> None:
        """`beside`: the folder in which profiles lie; None where there are none."""
        self._walk, self._beside = walk, beside
        self._found: dict[str, Program | None] = {}

    def read(self, profiles: list[dict[str, Any]], programs: list[dict[str, Any]]) -> None:
        """Those in files, and those in the scenario itself, as TOML has them."""
        for at, table in enumerate(profiles):
            place: Place = ("profile", at)
            self._add(table["name"], self._in_file(table["file"], (*place, "file")), place)
        for at, table in enumerate(programs):
            place = ("program", at)
            self._add(table["name"], self._inline(table, place), place)

    def named(self, name: str, place: Place) -> Program | None:
        """None for one that there is not, or that could not be formed; either is noted."""
        if name not in self._found:
            known = ", ".join(self._found) or "none"
            what = f"there is no program {name!r} here, only: {known}"
            self._walk.fault("SCENARIO_NAME", place, what, name)
        return self._found.get(name)

    def by_hash(self) -> dict[bytes, str]:
        """The names."""
        return {
            program_hash(to_wire(program)): name
            for name, program in self._found.items()
            if program is not None
        }

    def _add(self, name: str, program: Program | None, place: Place) -> None:
        if name in self._found or name == FACTORY:
            self._walk.fault("SCENARIO_NAME", (*place, "name"), "this name is taken", name)
        self._found[name] = program

    def _in_file(self, file: str, place: Place) -> Program | None:
        if self._beside is None or Path(file).is_absolute() or ".." in Path(file).parts:
            what = "a profile lies beside its scenario"
            self._walk.fault("SCENARIO_PROGRAM", place, what, file)
            return None
        path = self._beside / file
        try:
            with path.open("rb") as opened:
                reading = read_profile_bytes(opened.read(MAX_BYTES + 1), str(path))
        except (OSError, ValueError) as error:
            what = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
            self._walk.fault("SCENARIO_PROGRAM", place, what, file)
            return None
        except InputRefused as error:
            self._walk.fault("SCENARIO_PROGRAM", place, error.message, file)
            return None
        return self._formed(reading, place)

    def _inline(self, table: dict[str, Any], place: Place) -> Program | None:
        """As the profile that it would be: no rule of programs is written twice."""
        from tomli_w import dumps

        profile = {
            "format": 1,
            "patient": {
                "tag": "story",
                "spasticity_origin": "spinal",
                "age_group": "adult",
                "history": "established",
            },
            "drug": {"name": "baclofen", "concentration": table["concentration"]},
            "program": {key: value for key, value in table.items() if key not in _OWN_KEYS},
            "reservoir": {"low_alarm": table.get("low_alarm", _LOW_ALARM)},
        }
        return self._formed(read_profile(dumps(profile), table["name"]), place)

    def _formed(self, reading: ProfileReading, place: Place) -> Program | None:
        if reading.program is None:
            hard = [each.message for each in reading.findings if each.severity is Severity.HARD]
            what = "; ".join(hard) or "this is no program"
            self._walk.fault("SCENARIO_PROGRAM", place, what)
        return reading.program
