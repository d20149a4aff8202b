"""Therapy to wire and back, and one hash at the station and in the pump."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpctl.outcomes import OperationId
from pumpctl.pump.encode import drug_code, from_wire, program_hash, to_wire
from pumpctl.pump.entries import log_entry
from pumpctl.quantities import Concentration, Duration, Mass, Rate, Volume
from pumpctl.therapy import program as t
from pumpctl.wire import codes
from pumpctl.wire import program as w
from pumpctl.wire.fields import WireError
from pumpctl.wire.logentry import LogEntry, pack
from tests.helpers.desk import Desk
from tests.helpers.profiles import FLEX, continuous

RATES = st.integers(1, 3_000_000).map(Rate)


@st.composite
def days(draw: st.DrawFn) -> tuple[t.Step, ...]:
    starts = draw(st.sets(st.integers(1, 1439), max_size=12))
    return tuple(t.Step(start, draw(RATES)) for start in sorted({0, *starts}))


BOLUSES = st.builds(
    t.ScheduledBolus,
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 100_000).map(Mass),
    st.integers(1, 60).map(lambda minutes: Duration(minutes * 60_000)),
)
PATIENT = st.builds(
    t.PatientDose,
    st.integers(1, 50_000).map(Mass),
    st.integers(1, 30).map(lambda minutes: Duration(minutes * 60_000)),
    st.integers(1, 24).map(lambda hours: Duration(hours * 3_600_000)),
    st.integers(1, 12),
)


@st.composite
def programs(draw: st.DrawFn) -> t.Program:
    concentration = Concentration(draw(st.sampled_from([500, 1000, 2000])))
    low_alarm = Volume(draw(st.integers(0, 5_000_000)))
    mode = draw(st.sampled_from(list(t.Mode)))
    if mode is t.Mode.MINIMUM:
        return t.make_program(mode, "baclofen", concentration, low_alarm=low_alarm)
    week = (
        t.continuous(draw(RATES))
        if mode is t.Mode.CONTINUOUS
        else draw(st.lists(days(), min_size=7, max_size=7))
    )
    return t.make_program(
        mode,
        "baclofen",
        concentration,
        low_alarm=low_alarm,
        fallback=draw(RATES),
        days=week,
        boluses=draw(st.lists(BOLUSES, max_size=6, unique_by=lambda bolus: bolus[:2])),
        patient_dose=draw(st.none() | PATIENT),
    )


@given(program=programs())
@settings(max_examples=150, deadline=None)
def test_there_and_back(program: t.Program) -> None:
    wire = to_wire(program)
    assert from_wire(wire) == program
    raw = w.program_bytes(wire)
    assert w.program_from(raw) == wire
    assert from_wire(w.program_from(raw)) == program
    assert program_hash(program) == w.program_hash(wire)


@given(one=programs(), other=programs())
@settings(max_examples=100, deadline=None)
def test_equal_hashes_are_equal_programs(one: t.Program, other: t.Program) -> None:
    assert (program_hash(one) == program_hash(other)) is (one == other)


@given(program=programs())
@settings(max_examples=60, deadline=None)
def test_every_field_is_in_the_hash(program: t.Program) -> None:
    own = program_hash(program)
    changed = [
        program._replace(concentration=Concentration(program.concentration.quanta + 500)),
        program._replace(fallback=Rate(program.fallback.quanta + 1)),
        program._replace(low_alarm=Volume(program.low_alarm.quanta + 1)),
    ]
    if program.mode is not t.Mode.MINIMUM:
        first = program.days[0][0]
        one = (first._replace(rate=Rate(first.rate.quanta + 1)), *program.days[0][1:])
        changed.append(program._replace(days=(one, *program.days[1:])))
    if program.boluses:
        bolus = program.boluses[0]
        changed.append(program._replace(boluses=program.boluses[1:]))
        changed.append(
            program._replace(
                boluses=(
                    bolus._replace(dose=Mass(bolus.dose.quanta + 1)),
                    *program.boluses[1:],
                )
            )
        )
    assert own not in [program_hash(each) for each in changed]


def test_minimum_rate_has_empty_days_and_the_least_flow_as_its_fallback() -> None:
    made = t.make_program(
        t.Mode.MINIMUM, "baclofen", Concentration(2000), low_alarm=Volume(2_000_000)
    )
    wire = to_wire(made)
    assert wire.days == ((),) * 7
    assert wire.fallback == 96_000


def test_no_drug_but_those_of_the_closed_list() -> None:
    assert drug_code("baclofen") is codes.Drug.BACLOFEN
    for name in ("morphine", "", "Baclofen ", "none"):
        with pytest.raises(ValueError, match="not a drug"):
            drug_code(name)


@pytest.mark.requirement("PRG-09")
@pytest.mark.parametrize(
    "text", [FLEX, continuous(), continuous("1000.5 mcg/day", fallback="600 mcg/day")]
)
def test_the_hash_of_a_check_is_the_pump_s(text: str, desk: Desk) -> None:
    desk.emulator()
    desk.rehearse()
    checked = desk.data("profile", "check", desk.profile(text))["hash"]
    path, told = desk.plan(text, *_overrides(desk, text))
    desk.apply(path, told["confirm"])
    assert desk.inspect()["program"]["hash"] == checked
    assert desk.pump("status")["program"]["hash"] == checked


def _overrides(desk: Desk, text: str) -> list[str]:
    _, told = desk.plan(text)
    soft = {finding["id"] for finding in told["findings"] if finding["severity"] == "soft"}
    return [f"--override={name}=a test" for name in sorted(soft)]


# --- log entries -------------------------------------------------------------------------


def entry(kind: codes.LogKind, a: int, b: int, data: bytes = bytes(20)) -> bytes:
    return pack(LogEntry(7, 2, kind, 120, 1234, 1_700_000_000_000, 99, a, b, data))


@pytest.mark.parametrize("kind", list(codes.LogKind))
def test_every_kind_of_entry_is_readable(kind: codes.LogKind) -> None:
    value = log_entry(entry(kind, 1, 2, bytes(range(20))))
    assert (value.number, value.boot, value.pulses, value.kind) == (7, 2, 99, kind.name.lower())
    assert str(value.time).endswith("+02:00")


def test_an_activation_names_its_operation_and_kind() -> None:
    operation = bytes(range(16))
    value = log_entry(
        entry(codes.LogKind.ACTIVATED, 12, int(codes.Kind.PROGRAM), operation + bytes(4))
    )
    assert value.operation == OperationId(operation)
    assert value.get("state_version") == 12
    assert value.get("operation_kind") == "PROGRAM"


@pytest.mark.requirement("TEL-04")
@pytest.mark.parametrize("bit", range(0, 640, 13))
def test_a_damaged_entry_is_told(bit: int) -> None:
    raw = bytearray(entry(codes.LogKind.HOUR, 1, 2))
    assert len(raw) == 80
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        log_entry(bytes(raw))
