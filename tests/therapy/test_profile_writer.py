"""A program written as a profile, and read back."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from pumpctl.quantities import Rate
from pumpctl.therapy import profile_schema
from pumpctl.therapy.profile import read_profile
from pumpctl.therapy.profile_writer import profile_text
from pumpctl.therapy.program import Mode, make_program
from tests.therapy.samples import CONTINUOUS, FLEX, MINIMUM, altered, even, flex, profile

FILES = sorted((Path(__file__).resolve().parents[2] / "profiles").glob("*.toml"))
VALIDATOR = jsonschema.Draft7Validator(profile_schema.schema())


def rewritten(text: str, *comments: str) -> str:
    before = profile(text)
    made = profile_text(before.program, before.patient, before.serial, comments)
    after = read_profile(made, "f")
    assert after.profile is not None
    assert after.profile.program == before.program
    assert (after.profile.patient, after.profile.serial) == (before.patient, before.serial)
    ids = [finding.id for finding in after.findings]
    assert set(ids) <= {finding.id for finding in read_profile(text, "f").findings}
    import tomllib

    assert VALIDATOR.is_valid(tomllib.loads(made))
    return made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_ships_is_written_as_it_was_meant(file: Path) -> None:
    made = rewritten(file.read_text("utf-8"))
    assert made.startswith("#:schema ./profile.schema.json\nformat = 1\n\n[patient]\n")
    assert max(map(len, made.split("\n"))) <= 100


def test_it_reads_like_the_contract_s_example() -> None:
    made = rewritten(FLEX, "Made from case.toml.", "Read it first.")
    lines = made.split("\n")
    assert lines[1:3] == ["# Made from case.toml.", "# Read it first."]
    example = [line.partition("  #")[0].rstrip() for line in FLEX.split("\n")]
    kept = [line for line in example if line and not line.startswith(("#", "steps = [ {"))]
    assert [line for line in kept if line not in lines] == []
    tables = [line for line in kept if line.startswith("[")]
    assert [line for line in lines if line.startswith("[")] == tables, "in the contract's order"


def test_a_serial_and_a_missing_history_are_kept() -> None:
    text = altered(CONTINUOUS, ('history = "established"\n', ""))
    assert "history" not in rewritten(text)
    with_pump = altered(text, ("[drug]", '[pump]\nserial = "SP40-000123"\n\n[drug]'))
    assert '[pump]\nserial = "SP40-000123"\n' in rewritten(with_pump)
    assert 'mode = "minimum-rate"\n\n[reservoir]' in rewritten(MINIMUM)


@pytest.mark.parametrize("tag", ['P"1', "P\\\\n", "Łódź 7", "#", "ward 'b'", "\U0001f600"])
def test_any_tag_survives(tag: str) -> None:
    before = profile(CONTINUOUS)
    patient = before.patient._replace(tag=tag)
    read = read_profile(profile_text(before.program, patient), "f").profile
    assert read is not None and read.patient.tag == tag


def test_a_comment_never_becomes_a_key() -> None:
    text = rewritten(CONTINUOUS, "a\nformat = 2\x7f\u2028b" + " word" * 40, "")
    comments = [line for line in text.split("\n") if line.startswith("# ")]
    assert comments[0].startswith("# a?format = 2??b word") and len(comments) == 3
    assert max(map(len, comments)) <= 80


def test_boluses_stand_together_by_time_or_by_day_whichever_is_shorter() -> None:
    by_time = flex(
        [[(0, "10")]] * 7,
        [(day, at, "20 mcg", "10 min") for day in range(7) for at in (420, 1260)]
        + [(day, 720, "20 mcg", "10 min") for day in (5, 6)],
    )
    by_day = flex(
        [[(0, "10")]] * 7,
        [(day, 60 * at, "20 mcg", "10 min") for day, last in ((1, 5), (3, 9)) for at in range(last)]
        + [(5, 60 * at, "20 mcg", "10 min") for at in (2, 4, 6, 8, 10, 12)],
    )
    for program, tables in ((by_time, 2), (by_day, 3)):
        text = profile_text(program, profile(CONTINUOUS).patient)
        assert text.count("[[program.bolus]]") == tables
        assert read_profile(text, "f").program == program
    assert 'at = ["07:00", "21:00"]' in profile_text(by_time, profile(CONTINUOUS).patient)


def test_days_that_are_alike_stand_together_only_where_their_totals_are() -> None:
    program = flex([[(0, "10")]] * 7, [(6, 420, "20 mcg", "10 min")])
    text = profile_text(program, profile(CONTINUOUS).patient)
    assert text.count("[[program.day]]") == 2
    assert 'days = ["mon", "tue", "wed", "thu", "fri", "sat"]' in text
    assert read_profile(text, "f").program == program


def test_a_rate_without_a_text_is_refused_and_never_rounded() -> None:
    old = even()
    program = make_program(
        Mode.FLEX,
        old.drug,
        old.concentration,
        low_alarm=old.low_alarm,
        fallback=old.fallback,
        days=[[old.days[0][0]._replace(rate=Rate(100_000))]],
    )
    with pytest.raises(ValueError, match="no finite decimal"):
        profile_text(program, profile(CONTINUOUS).patient)
