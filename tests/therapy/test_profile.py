"""Reading profiles: what is no TOML, what is of the wrong shape, and where each fault stands."""

from __future__ import annotations

import pytest

from pumpctl.errors import InternalError, ProfileSyntax
from pumpctl.therapy import toml_text
from pumpctl.therapy.checks import check_draft
from pumpctl.therapy.draft import Draft
from pumpctl.therapy.findings import Finding, Severity
from pumpctl.therapy.profile import read_profile, read_profile_bytes
from pumpctl.therapy.program import Mode
from pumpctl.therapy.toml_text import MAX_BYTES, MAX_LINE
from tests.therapy.samples import CONTINUOUS, FLEX, MINIMUM, altered, ids, named, read


def only(text: str, name: str) -> Finding:
    """The one hard finding that there must be."""
    findings = read(text).findings
    hard = [finding for finding in findings if finding.severity is Severity.HARD]
    assert [finding.id for finding in hard] == [name], [f.message for f in hard]
    return hard[0]


def place(text: str, finding: Finding) -> str:
    """The rest of the line at which a finding points."""
    assert finding.line is not None
    assert finding.column is not None
    return text.split("\n")[finding.line - 1][finding.column - 1 :]


def test_a_good_profile_has_no_findings() -> None:
    for text, mode in ((FLEX, Mode.FLEX), (CONTINUOUS, Mode.CONTINUOUS), (MINIMUM, Mode.MINIMUM)):
        reading = read(text)
        assert not reading.findings
        assert reading.ok
        assert reading.profile is not None
        assert reading.profile.program is reading.program
        assert reading.profile.program.mode is mode
        assert reading.profile.filename == "case.toml"


def test_what_a_profile_holds() -> None:
    profile = read(FLEX).profile
    assert profile is not None
    assert profile.patient == ("P-0417", "spinal", "adult", "established")
    assert profile.serial == "SP40-000123"
    program = profile.program
    assert (program.drug, str(program.concentration)) == ("baclofen", "2000 mcg/mL")
    assert len(program.boluses) == 14 and program.boluses[1].at == 21 * 60
    own = program.patient_dose
    assert own is not None and own.max_per_24h == 3 and str(own.lockout) == "4 h"
    assert (str(program.low_alarm), str(program.fallback)) == ("2 mL", "216 mcg/day")


def test_continuous_takes_the_boluses_out_of_the_daily_dose() -> None:
    text = CONTINUOUS.replace(
        "[reservoir]",
        '[[program.bolus]]\ndose = "25 mcg"\nover = "1 h"\nat = ["08:00", "20:00"]\n'
        'days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\n\n[reservoir]',
    )
    program = read(text).program
    assert program is not None
    assert str(program.days[0][0].rate) == "400 mcg/day"


# --- no TOML ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("format = 1\n[patient\n", "2:9", "Expected ']'"),
        ("format = \n", "1:10", "Invalid value"),
        ("format = 1\nformat = 2", "2:11", "Cannot overwrite"),
        ('x = "abc', "1:9", "Unterminated string"),
        ("x = 1979-99-99", "1:9", "Expected newline"),
        ("x = 'a'\r\ny = @", "2:5", "Invalid value"),
        ("\ufeffx = @", "1:5", "Invalid value"),
        ("x = 1\r\r\n", "1:6", "Expected newline"),
    ],
)
def test_broken_toml_is_refused_where_it_breaks(text: str, where: str, what: str) -> None:
    with pytest.raises(ProfileSyntax, match=what) as refused:
        read_profile(text, "my/case.toml")
    assert refused.value.message.startswith(f"my/case.toml:{where}: ")
    assert refused.value.exit_code == 3 and refused.value.changed == "no"


def test_hostile_toml_is_refused_quickly() -> None:
    for text, what in (
        ("x = " + "[" * 3000, "nested too deeply|Invalid value|Unclosed"),
        ("x = " + "{a=" * 1200, "nested too deeply|Invalid value|Unclosed"),
        ("a" + ".a" * 30_000 + " = 1", f"1:1: a line has at most {MAX_LINE}"),
        ("\n" * (MAX_BYTES + 1), f"at most {MAX_BYTES} bytes"),
    ):
        with pytest.raises(ProfileSyntax, match=what):
            read_profile(text, "f")


def test_a_number_of_thousands_of_digits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_text, "MAX_LINE", 10_000)
    with pytest.raises(ProfileSyntax, match="digits"):
        read_profile("x = " + "1" * 5_000, "f")


def test_bytes() -> None:
    plain = read_profile_bytes(FLEX.encode(), "f").program
    assert plain is not None
    for data in (b"\xef\xbb\xbf" + FLEX.encode(), FLEX.replace("\n", "\r\n").encode()):
        assert read_profile_bytes(data, "f").program == plain
        assert read_profile_bytes(data, "f").findings == ()
    with pytest.raises(ProfileSyntax, match="f:2:3: this is not UTF-8"):
        read_profile_bytes(b"# a\nb \xff", "f")
    with pytest.raises(ProfileSyntax, match="f:1:4: this is not UTF-8"):
        read_profile_bytes(b"\xef\xbb\xbf# a\xff", "f")
    with pytest.raises(ProfileSyntax, match="f:1:1: this is not UTF-8"):
        read_profile_bytes(FLEX.encode("utf-16"), "f")
    with pytest.raises(ProfileSyntax, match="at most"):
        read_profile_bytes(b"#" * (MAX_BYTES + 1), "f")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_and_columns_do_not_depend_on_line_ends(mark: str, end: str) -> None:
    text = altered(FLEX, ('low_alarm = "2 mL"', 'low_alarm = "2 ML"'))
    findings = read(mark + text.replace("\n", end)).findings
    assert [(each.id, each.line, each.column) for each in findings] == [("QUANTITY", 47, 13)]


# --- one fault at a time ------------------------------------------------------------


SHAPE = [
    # (change, finding, what it points at, said)
    (("format = 1", "format = 2"), "PROFILE_FORMAT", "2", "expected 1"),
    (("format = 1", 'format = "1"'), "PROFILE_FORMAT", '"1"', "expected 1"),
    (("format = 1", "format = true"), "PROFILE_FORMAT", "true", "found true"),
    (("format = 1\n", ""), "KEY_MISSING", "", "format is missing"),
    (('tag = "P-0417"\n', ""), "KEY_MISSING", "[patient]", "tag is missing"),
    (('tag = "P-0417"', 'tag = ""'), "VALUE_TEXT", '""', "printable"),
    (('tag = "P-0417"', 'tag = "a\\u0007b"'), "VALUE_TEXT", '"a\\u0007b"', "printable"),
    (('tag = "P-0417"', 'tag = " P"'), "VALUE_TEXT", '" P"', "no space around"),
    (('tag = "P-0417"', f'tag = "{"x" * 65}"'), "VALUE_TEXT", '"xxx', "1 to 64"),
    (('tag = "P-0417"', "tag = 417"), "VALUE_KIND", "417", "text in quotes"),
    (('"adult"', '"child"'), "VALUE_CHOICE", '"child"', "under-12, 12-17, adult"),
    (('"spinal"', '"Spinal"'), "VALUE_CHOICE", '"Spinal"', 'nearest: "spinal"'),
    (('"spinal"', "1.5"), "VALUE_KIND", "1.5", "one of spinal"),
    (('history = "established"', 'history = "old"'), "VALUE_CHOICE", '"old"', "new, established"),
    (("[reservoir]", "colour = 1\n[reservoir]"), "KEY_UNKNOWN", "colour", "no such key"),
    (('over = "10 min"', 'over = "10 min"\nevery = "6 h"'), "KEY_UNKNOWN", "every", "no such key"),
    (("[pump]", "[pumps]"), "KEY_UNKNOWN", "[pumps]", 'nearest: "pump"'),
    (('[drug]\nname = "baclofen"\n', "[drug]\n"), "KEY_MISSING", "[drug]", "name is missing"),
    (('concentration = "2000 mcg/mL"', "concentration = 2000"), "QUANTITY", "2000", "no unit"),
    (('concentration = "2000 mcg/mL"', "concentration = 2000.5"), "QUANTITY", "2000.5", "no unit"),
    (('concentration = "2000 mcg/mL"', "concentration = true"), "VALUE_KIND", "true", "in quotes"),
    (('concentration = "2000 mcg/mL"', "concentration = 07:00:00"), "VALUE_KIND", "07:", "quotes"),
    (('"2000 mcg/mL"', '"2000"'), "QUANTITY", '"2000"', "has no unit"),
    (('"2000 mcg/mL"', '"2000 mcg/ML"'), "QUANTITY", '"2000 mcg/ML"', "case matters"),
    (('"216 mcg/day"', '"9 mcg/h"'), "QUANTITY", '"9 mcg/h"', "taken in mcg/day"),
    (('"216 mcg/day"', '"0.216 mg/day"'), "QUANTITY", '"0.216', "nearest taken: 216 mcg/day"),
    (('"26 mcg/h"', '"26 mg/h"'), "QUANTITY", '"26 mg/h"', "mg/h is not read"),
    (('"26 mcg/h"', '"624 mcg/day"'), "QUANTITY", '"624 mcg/day"', "nearest taken: 26 mcg/h"),
    (('"26 mcg/h"', '"26,5 mcg/h"'), "QUANTITY", '"26,5 mcg/h"', "decimal commas"),
    (('"26 mcg/h"', '"26.00001 mcg/h"'), "QUANTITY", '"26.00001', "26 mcg/h or 26.000125 mcg/h"),
    (('"26 mcg/h"', '"9999999 mcg/h"'), "QUANTITY", '"9999999 mcg/h"', "far more"),
    (('"26 mcg/h"', "26"), "QUANTITY", "26", "no unit"),
    (('"438 mcg/day"', '"438 mcg"'), "QUANTITY", '"438 mcg"', "measures dose"),
    (('dose = "20 mcg"', 'dose = "20 mL"'), "QUANTITY", '"20 mL"', "measures volume"),
    (('over = "5 min"', 'over = "5"'), "QUANTITY", '"5"', "s or min or h or d"),
    (('low_alarm = "2 mL"', "low_alarm = 2"), "QUANTITY", "2", "no unit"),
    (("max_per_24h = 3", 'max_per_24h = "3"'), "VALUE_KIND", '"3"', "whole number"),
    (("max_per_24h = 3", "max_per_24h = 3.0"), "VALUE_KIND", "3.0", "whole number"),
    (("max_per_24h = 3", "max_per_24h = 0"), "VALUE_COUNT", "0", "1 to 24"),
    (("max_per_24h = 3", f"max_per_24h = 0x{'f' * 4000}"), "VALUE_COUNT", "0xff", "a huge number"),
    (("max_per_24h = 3\n", ""), "KEY_MISSING", "[program.patient_dose]", "max_per_24h is missing"),
    (('"06:00"', '"6:00"'), "TIME_OF_DAY", '"6:00"', 'expected "06:00"'),
    (('"06:00"', '"24:00"'), "TIME_OF_DAY", '"24:00"', "a day ends there"),
    (('"06:00"', '"06:60"'), "TIME_OF_DAY", '"06:60"', "from"),
    (('"06:00"', '"06.00"'), "TIME_OF_DAY", '"06.00"', "from"),
    (('"06:00"', '"06:00:00"'), "TIME_OF_DAY", '"06:00:00"', "from"),
    (('"06:00"', '"6:0"'), "TIME_OF_DAY", '"6:0"', "from"),
    (('"06:00"', '"-6:00"'), "TIME_OF_DAY", '"-6:00"', "from"),
    (('"06:00"', '"\u0660\u0666:00"'), "TIME_OF_DAY", '"', "from"),
    (('"06:00"', "06:00:00"), "VALUE_KIND", "06:00:00", "as text"),
    (('"06:00"', "6"), "VALUE_KIND", "6", "as text"),
    (('"21:00"]', '"every 6 h"]'), "TIME_OF_DAY", '"every 6 h"', "every 6 h"),
    (('at = ["07:00", "21:00"]', "at = []"), "VALUE_COUNT", "[]", "0 entries"),
    (('at = ["07:00", "21:00"]', 'at = "07:00"'), "VALUE_KIND", '"07:00"', "a list in [ ]"),
    (('days = ["sat", "sun"]', 'days = ["sat", "son"]'), "VALUE_CHOICE", '"son"', "sun"),
    (('days = ["sat", "sun"]', 'days = ["sat", "Sun"]'), "VALUE_CHOICE", '"Sun"', 'nearest: "sun"'),
    (('[ { from = "00:00", basal = "14 mcg/h" } ]', "[]"), "VALUE_COUNT", "[]", "0 entries"),
    (('[ { from = "00:00", basal = "14 mcg/h" } ]', '["14 mcg/h"]'), "VALUE_KIND", '"14',
     "a table"),
    (('"06:00", basal = "26 mcg/h"', '"06:00"'), "KEY_MISSING", "{ from", "basal is missing"),
    (("[[program.bolus]]", "[program.bolus]"), "VALUE_KIND", "[program.bolus]",
     "[[program.bolus]]"),
    (('mode = "flex"', 'mode = "Flex"'), "VALUE_CHOICE", '"Flex"', 'nearest: "flex"'),
    (('mode = "flex"\n', ""), "KEY_MISSING", "[program]", "mode is missing"),
    (('fallback_rate = "216 mcg/day"\n', ""), "KEY_MISSING", "[program]", "fallback_rate"),
    (('daily_dose = "376 mcg/day"\n', ""), "KEY_MISSING", "[[program.day]]", "daily_dose"),
    (('[reservoir]\nlow_alarm = "2 mL"\n', ""), "KEY_MISSING", "", "reservoir is missing"),
    (('mode = "flex"', 'mode = "flex"\ndaily_dose = "438 mcg/day"'), "MODE_CONTRADICTION",
     'daily_dose = "438', "only to continuous"),
]  # fmt: skip


@pytest.mark.requirement("UNI-02")
@pytest.mark.requirement("UNI-03")
@pytest.mark.requirement("UNI-04")
@pytest.mark.parametrize(("change", "name", "pointed", "said"), SHAPE)
def test_a_fault_of_shape_is_found_where_it_stands(
    change: tuple[str, str], name: str, pointed: str, said: str
) -> None:
    text = altered(FLEX, change)
    finding = only(text, name)
    assert place(text, finding).startswith(pointed)
    assert said in finding.message
    assert finding.source and len(finding.message) < 400
    assert not read(text).ok


@pytest.mark.requirement("PRG-08")
def test_minimum_rate_takes_no_days_no_doses_and_no_fallback() -> None:
    text = altered(FLEX, ('mode = "flex"', 'mode = "minimum-rate"'))
    found = named(read(text).findings, "MODE_CONTRADICTION")
    assert [place(text, each).split("\n")[0] for each in found] == [
        'fallback_rate = "216 mcg/day"', "[[program.day]]", "[[program.bolus]]",
        "[program.patient_dose]",
    ]  # fmt: skip
    assert read(text).program is None
    text = altered(CONTINUOUS, ('mode = "continuous"', 'mode = "minimum-rate"'))
    assert ids(read(text).findings) == ["MODE_CONTRADICTION"] * 2


@pytest.mark.requirement("PRG-08")
def test_continuous_takes_no_steps_and_needs_its_dose() -> None:
    text = altered(FLEX, ('mode = "flex"', 'mode = "continuous"'))
    assert ids(read(text).findings) == ["KEY_MISSING", "MODE_CONTRADICTION"]


def test_at_most_13_steps_as_written() -> None:
    steps = ",".join(f'{{from="{hour:02d}:00",basal="14 mcg/h"}}' for hour in range(14))
    text = altered(FLEX, ('{ from = "00:00", basal = "14 mcg/h" } ]', f"{steps} ]"))
    finding = only(text, "STEP_COUNT")
    assert (finding.value, finding.limit) == ("14", "1 to 13")
    assert place(text, finding).startswith("[ {from")


# --- everything in one go -------------------------------------------------------------


def test_all_faults_are_told_at_once_each_at_its_place() -> None:
    text = altered(
        FLEX,
        ('tag = "P', 'tagg = "P'),
        ('"2000 mcg/mL"', '"750 mcg/mL"'),
        ('"216 mcg/day"', '"0.216 mg/day"'),
        ('"26 mcg/h"', '"26 mg/h"'),
        ('["sat", "sun"]', '["sat", "sat"]'),
        ('"376 mcg/day"', '"377 mcg/day"'),
        ('["07:00", "21:00"]', '["7:00", "24:00"]'),
        ("max_per_24h = 3", "max_per_24h = 3.5"),
        ('low_alarm = "2 mL"', "low_alarm = 2"),
    )
    findings = read(text).findings
    assert [(each.id, each.line, each.column) for each in findings] == [
        ("KEY_MISSING", 3, 1), ("KEY_UNKNOWN", 4, 1), ("CONCENTRATION_UNKNOWN", 14, 17),
        ("QUANTITY", 18, 17), ("DAY_MISSING", 20, 1), ("QUANTITY", 25, 29), ("DAY_TWICE", 30, 16),
        ("TIME_OF_DAY", 37, 7), ("TIME_OF_DAY", 37, 15), ("VALUE_KIND", 44, 15),
        ("QUANTITY", 47, 13),
    ]  # fmt: skip
    assert read(text).program is None and read(text).profile is None


def test_a_fault_outside_the_program_leaves_the_program_readable() -> None:
    text = altered(FLEX, ('tag = "P-0417"\n', ""), ('"376 mcg/day"', '"377 mcg/day"'))
    reading = read(text)
    assert reading.profile is None and reading.program is not None and not reading.ok
    assert ids(reading.findings) == ["KEY_MISSING", "DECLARED_DOSE"]


def test_an_empty_file_is_told_what_it_lacks() -> None:
    findings = read("").findings
    assert ids(findings) == ["KEY_MISSING"] * 5
    assert {(each.line, each.column) for each in findings} == {(1, 1)}
    assert [each.limit for each in findings] == [
        "format", "patient", "drug", "program", "reservoir"
    ]  # fmt: skip


def test_dotted_keys_and_inline_tables_are_profiles_too() -> None:
    inline = (
        'reservoir.low_alarm = "2 ML"\n'
        'drug = { name = "baclofen", "concentration" = "750 mcg/mL" }\n'
    )
    text = altered(
        CONTINUOUS,
        ('[drug]\nname = "baclofen"\nconcentration = "2000 mcg/mL"\n', ""),
        ('[reservoir]\nlow_alarm = "2 mL"\n', ""),
        ("format = 1\n", f"format = 1\n{inline}"),
    )
    assert [(each.id, each.line, each.column) for each in read(text).findings] == [
        ("QUANTITY", 2, 23),
        ("CONCENTRATION_UNKNOWN", 3, 47),
    ]


def test_no_program_without_a_reason() -> None:
    with pytest.raises(InternalError, match="no check says why"):
        check_draft(Draft())
