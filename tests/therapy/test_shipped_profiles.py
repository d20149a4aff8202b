"""The profiles that ship, the templates of new ones, and the schema that editors read."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pumpctl.quantities import Volume
from pumpctl.therapy import profile_schema
from pumpctl.therapy.findings import Severity, of
from pumpctl.therapy.forecast import forecast
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.profile import read_profile, read_profile_bytes
from pumpctl.therapy.program import Mode
from pumpctl.therapy.templates import MODES, template
from tests.therapy.samples import CONTINUOUS, FLEX, MINIMUM, altered, ids

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
FILES = sorted(PROFILES.glob("*.toml"))
SCHEMA: dict[str, Any] = profile_schema.schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def fits(text: str) -> bool:
    return bool(VALIDATOR.is_valid(tomllib.loads(text)))


def test_there_is_one_for_every_way_of_dosing() -> None:
    assert len(FILES) >= 6
    programs = [read_profile_bytes(file.read_bytes(), file.name).program for file in FILES]
    modes = {program.mode for program in programs if program is not None}
    assert modes == set(Mode)
    assert any(program and program.boluses for program in programs)
    assert any(program and program.patient_dose for program in programs)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_profile_is_without_reproach(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    reading = read_profile(text, file.name)
    assert reading.ok
    assert reading.program is not None
    assert not of(reading.findings, Severity.HARD) and not of(reading.findings, Severity.SOFT)
    assert text.startswith("#:schema ./profile.schema.json\n# ")
    assert max(map(len, text.split("\n"))) <= 100
    assert fits(text)
    volume = Volume.parse("20 mL")
    told = forecast(reading.program, volume, reading.program.low_alarm, Moment(0))
    assert told.periods >= 14, "a plausible case lasts from visit to visit"


@pytest.mark.parametrize("mode", MODES)
def test_a_new_profile_checks_but_goes_to_no_pump(mode: str) -> None:
    text = template(mode)
    reading = read_profile(text, "new.toml")
    assert reading.ok and ids(reading.findings) == ["TAG_PLACEHOLDER"]
    assert reading.program is not None and reading.program.mode.value == mode
    assert fits(text)
    assert read_profile(template(mode, "P-1"), "new.toml").findings == ()


@pytest.mark.parametrize("mode", ["continuous", "flex"])
def test_what_a_template_comments_out_can_be_used(mode: str) -> None:
    lines = template(mode, "P-1").split("\n")
    lines = [line if line.startswith("# ") else f"  {line}" for line in lines]
    keys = ("[[", "[program.p", "dose", "over", "at =", "days", "lockout", "max_per")
    live = [
        line[2:] if line.startswith("# ") and line[2:].startswith(keys) else line for line in lines
    ]
    reading = read_profile("\n".join(live), "new.toml")
    assert reading.program is not None and len(reading.program.boluses) == 7
    # the bolus is part of the daily dose: in flex the total has to be put right
    assert ids(reading.findings) == (["DECLARED_DOSE"] if mode == "flex" else [])


# --- the schema --------------------------------------------------------------------


def test_the_schema_file_is_not_stale() -> None:
    text = (PROFILES / "profile.schema.json").read_text(encoding="utf-8")
    assert text == profile_schema.text(), "write profile_schema.text() to it"
    jsonschema.Draft7Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("text", [FLEX, CONTINUOUS, MINIMUM])
def test_the_schema_takes_what_the_reader_takes(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize(
    "change",
    [
        ("format = 1", "format = 2"),
        ('tag = "P-0417"\n', ""),
        ('"adult"', '"child"'),
        ('"2000 mcg/mL"', '"2000"'),
        ('"2000 mcg/mL"', '"2,000 mcg/mL"'),
        ('"2000 mcg/mL"', '"02000 mcg/mL"'),
        ('"216 mcg/day"', '"9 mcg/h"'),
        ('"26 mcg/h"', '"26 mg/h"'),
        ('"26 mcg/h"', '"1234567890123 mcg/h"'),
        ('"06:00"', '"6:00"'),
        ('"06:00"', '"24:00"'),
        ('["sat", "sun"]', "[]"),
        ("max_per_24h = 3", "max_per_24h = 25"),
        ('over = "5 min"', 'over = "5 min"\nevery = "6 h"'),
        ('fallback_rate = "216 mcg/day"\n', ""),
        ('mode = "flex"', 'mode = "continuous"'),
        ('mode = "flex"', 'mode = "minimum-rate"'),
        ('mode = "flex"', 'mode = "flex"\ndaily_dose = "438 mcg/day"'),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(change: tuple[str, str]) -> None:
    text = altered(FLEX, change)
    assert not fits(text)
    assert not read_profile(text, "f").ok


@pytest.mark.parametrize("unit", ["ug/mL", "\u00b5g/mL", "\u03bcg/ml", "mcg/ml"])
def test_the_schema_knows_the_spellings_that_are_read(unit: str) -> None:
    text = altered(FLEX, ('"2000 mcg/mL"', f'"2000{unit}"'))
    assert fits(text) and read_profile(text, "f").ok
