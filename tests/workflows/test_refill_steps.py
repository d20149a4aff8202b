"""The steps of a guided refill on record, and which one comes next."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpctl.errors import InputRefused, StoreError
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.station.journal import Journal
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.refill import Ampoule
from pumpctl.therapy.state import Fluid
from pumpctl.workflows.refill.answers import (
    Drained,
    Filled,
    Kept,
    ampoule_values,
    drained_from,
    drained_values,
    filled_from,
    filled_values,
)
from pumpctl.workflows.refill.guide import (
    DECIDED,
    Ask,
    changeable,
    decided,
    may_give_up,
    next_ask,
    visit_of,
)
from pumpctl.workflows.refill.steps import Step, Steps, after, open_visit_of, record, visits_of

NOON = Moment.parse("2026-11-23T12:00:00+01:00")
SERIAL = "SP40-000123"
HELD = Fluid("baclofen", Concentration.parse("500 mcg/mL"))
volumes = st.integers(0, 50_000_000).map(Volume)
moments = st.builds(Moment, st.integers(0, 4_000_000_000_000), st.sampled_from([0, 60, -210]))

ANSWERS: dict[Step, dict[str, str | None]] = {
    Step.PRESCRIBER: {"name": "Dr Adams"},
    Step.REFERENCE: {"reference": "ORD-7"},
    Step.DRAINED: {
        "volume": "20 mL",
        "at": str(NOON),
        "pulses": "200000",
        "filled": "40 mL",
        "expected": "20 mL",
        "counted": "20000000",
    },
    Step.DRUG: {"name": "baclofen"},
    Step.CONCENTRATION: {"concentration": "2000 mcg/mL"},
    Step.AMPOULE: {"mass": None, "volume": None},
    Step.LOT: {"lot": "L123"},
    Step.EXPIRY: {"expiry": "2027-08-31"},
    Step.PROGRAM: {"program": None},
    Step.INJECTED: {"volume": "40 mL", "at": str(NOON), "since": "200010"},
    Step.BRIDGE: {"bridge": "planned"},
    Step.NEXT_VISIT: {"date": "2027-05-03"},
}
"""A whole visit, in the order in which it is asked."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite3") as opened:
        yield opened


def begun() -> Steps:
    return Steps("cafe", SERIAL, tag_hash(SERIAL, "P-0417"), "nurse", NOON, "1")


def begin(journal: Journal) -> Steps:
    values = {"patient": begun().patient.hex(), "filled_at": "1"}
    return record(journal, begun(), Step.BEGUN, values, at=NOON, operator="nurse")


def put(journal: Journal, steps: Steps, step: Step, **values: str | None) -> Steps:
    return record(journal, steps, step, values or ANSWERS[step], at=NOON, operator="nurse")


@pytest.mark.requirement("REF-06")
def test_every_answer_is_there_again_in_another_process(journal: Journal) -> None:
    steps = begin(journal)
    for step in ANSWERS:
        steps = put(journal, steps, step)
        entries = journal.entries(pump=SERIAL)
        assert open_visit_of(entries) == steps
    assert next_ask(steps, HELD) is Ask.CONFIRM
    put(journal, steps, Step.CLOSED, how="applied")
    assert open_visit_of(journal.entries(pump=SERIAL)) is None
    assert visits_of(journal.entries(pump=SERIAL))[0].closed == "applied"
    assert "P-0417" not in str([entry.body for entry in journal.entries()])


@pytest.mark.requirement("REF-06")
@pytest.mark.parametrize("step", [Step.DRAINED, Step.INJECTED, Step.LEFT])
def test_a_volume_is_recorded_once_whoever_asks(step: Step, journal: Journal) -> None:
    """Two terminals with the same visit: the second one's memory does not count."""
    steps = begin(journal)
    values = {**ANSWERS.get(step, {}), "volume": "3.2 mL"}
    put(journal, steps, step, **values)
    before = len(journal.entries())
    with pytest.raises(InputRefused, match="on record already"):
        put(journal, steps, step, **{**values, "volume": "4 mL"})
    assert len(journal.entries()) == before


def test_what_sets_no_volume_may_be_answered_again(journal: Journal) -> None:
    steps = put(journal, begin(journal), Step.LOT)
    assert put(journal, steps, Step.LOT, lot="L124").lot == "L124"
    assert open_visit_of(journal.entries(pump=SERIAL)) == steps._replace(lot="L124")


def test_a_visit_that_was_ended_elsewhere_takes_nothing_more(journal: Journal) -> None:
    steps = begin(journal)
    put(journal, steps, Step.CLOSED, how="begun anew")
    with pytest.raises(InputRefused, match="ended meanwhile: begun anew"):
        put(journal, steps, Step.LOT)


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ("drained", {"volume": "3.2"}),
        ("expiry", {"expiry": "31.8.2027"}),
        ("bridge", {"bridge": "perhaps"}),
        ("program", {"program": "00ff"}),
        ("lot", {}),
        ("lot", {"lot": None}),
        ("slept", {}),
    ],
)
def test_an_entry_that_is_no_step_is_never_read_over(
    step: str, values: dict[str, str | None], journal: Journal
) -> None:
    begin(journal)
    body = {"visit": "cafe", "step": step, "values": values, "operator": "nurse"}
    journal.append("visit", at=str(NOON), pump=SERIAL, operation=None, body=body)
    with pytest.raises(StoreError, match="no step of a refill"):
        visits_of(journal.entries(pump=SERIAL))


@given(
    volume=volumes,
    at=moments,
    pulses=st.integers(0, 10**12),
    filled=st.none() | volumes,
    expected=volumes,
    counted=st.none() | st.fractions(0, 10**9),
)
def test_what_was_drained_comes_back_exactly(
    volume: Volume,
    at: Moment,
    pulses: int,
    filled: Volume | None,
    expected: Volume,
    counted: Fraction | None,
) -> None:
    found = Drained(volume, at, pulses, filled, expected, counted)
    assert drained_from(drained_values(found)) == found


@given(volume=volumes, at=moments, since=st.none() | st.integers(0, 10**12))
def test_what_went_in_comes_back_exactly(volume: Volume, at: Moment, since: int | None) -> None:
    found = Filled(volume, at, since)
    assert filled_from(filled_values(found)) == found


# --- which one is next ----------------------------------------------------------------------


def all_of(steps: Steps, *but: Step) -> Steps:
    for step, values in ANSWERS.items():
        if step not in but:
            steps = after(steps, step, values)
    return steps


@pytest.mark.requirement("REF-06")
@given(st.sets(st.sampled_from(sorted(ANSWERS, key=lambda step: step.value))))
def test_what_is_on_record_is_never_asked_again(answered: set[Step]) -> None:
    steps = begun()
    for step in answered:
        steps = after(steps, step, ANSWERS[step])
    asked = next_ask(steps, HELD)
    assert asked is Ask.CONFIRM or Step(asked.value) not in answered
    assert (asked is Ask.CONFIRM) == (answered == set(ANSWERS))


def test_the_order_of_the_questions() -> None:
    """The program before the injection: what refuses it is known while nothing is inside."""
    steps, asked = begun(), []
    while (ask := next_ask(steps, HELD)) is not Ask.CONFIRM:
        asked.append(ask)
        steps = after(steps, Step(ask.value), ANSWERS[Step(ask.value)])
    assert asked == [Ask(step.value) for step in ANSWERS]


def test_the_same_fluid_needs_no_bridge() -> None:
    steps = all_of(begun(), Step.BRIDGE)
    assert next_ask(steps, HELD) is Ask.BRIDGE
    same = Fluid("baclofen", Concentration.parse("2000 mcg/mL"))
    assert next_ask(steps, same) is Ask.CONFIRM


@pytest.mark.requirement("REF-01")
@pytest.mark.parametrize(
    ("drained", "open_"),
    [
        ("22 mL", False),  # 2 mL apart; 18 of 20 mL: 0.90
        ("22.001 mL", True),
        ("17.2 mL", True),  # 22.8 of 20 mL: 1.14 is inside, but 2.8 mL apart are not
        ("36 mL", True),
    ],
)
def test_a_difference_stops_it_for_a_decision(drained: str, open_: bool) -> None:
    values = {**ANSWERS[Step.DRAINED], "volume": drained}
    steps = after(all_of(begun(), Step.DRAINED), Step.DRAINED, values)
    assert decided(steps) is not open_
    assert (next_ask(steps, HELD) is Ask.DECISION) == open_
    reason = {"finding": DECIDED, "reason": "drained twice"}
    assert next_ask(after(steps, Step.REASON, reason), HELD) is Ask.CONFIRM


@pytest.mark.requirement("REF-01")
def test_giving_up_is_an_end_of_its_own() -> None:
    order = after(
        after(begun(), Step.PRESCRIBER, ANSWERS[Step.PRESCRIBER]),
        Step.REFERENCE,
        ANSWERS[Step.REFERENCE],
    )
    not_found = after(order, Step.GIVEN_UP, {"reason": "port not found"})
    assert next_ask(not_found, HELD) is Ask.CONFIRM
    visit = visit_of(not_found, "P-0417")
    assert (visit.drained, visit.injected, visit.drawn) == (None, None, None)
    assert visit.given_up == "port not found"

    drained = after(order, Step.DRAINED, ANSWERS[Step.DRAINED])
    assert may_give_up(drained)
    not_filled = after(drained, Step.GIVEN_UP, {"reason": "no drug here"})
    assert next_ask(not_filled, HELD) is Ask.LEFT
    left = after(not_filled, Step.LEFT, {"volume": "1.5 mL"})
    assert next_ask(left, HELD) is Ask.CONFIRM
    assert visit_of(left, "P-0417").left == Volume.parse("1.5 mL")
    assert not may_give_up(all_of(begun()))


def test_nothing_that_the_needle_measured_is_answered_again() -> None:
    offered = changeable(all_of(begun()))
    assert Ask.PROGRAM in offered
    assert not {Ask.DRAINED, Ask.INJECTED, Ask.LEFT, Ask.REFERENCE} & set(offered)
    assert changeable(begun()) == ()


def test_the_visit_that_the_answers_make() -> None:
    ampoule = Ampoule(Mass.parse("10 mg"), Volume.parse("5 mL"))
    steps = after(all_of(begun()), Step.AMPOULE, ampoule_values(ampoule))
    visit = visit_of(steps, "P-0417")
    assert visit.patient == "P-0417"
    assert visit.drawn is not None
    assert visit.drawn.ampoule == ampoule
    assert visit.injected is not None
    assert (visit.injected.since, visit.injected.at) == (200_010, NOON)
    assert (visit.program, visit.without_bridge) == (None, False)
    assert isinstance(steps.program, Kept)
    assert visit.next_visit == Date.parse("2027-05-03")
    left_out = after(steps, Step.BRIDGE, {"bridge": "left out"})
    assert visit_of(left_out, "P-0417").without_bridge


def test_without_the_guard_a_volume_would_be_recorded_twice(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `test_a_volume_is_recorded_once_whoever_asks` sees refused, seen to pass."""
    from pumpctl.workflows.refill import steps as refill_steps

    steps = put(journal, begin(journal), Step.DRAINED)
    monkeypatch.setattr(refill_steps, "SETS_VOLUME", frozenset())
    again = put(journal, steps, Step.DRAINED, **{**ANSWERS[Step.DRAINED], "volume": "4 mL"})
    assert again.drained is not None
    assert again.drained.volume == Volume.parse("4 mL")


@pytest.mark.requirement("REF-06")
def test_of_two_terminals_at_once_the_first_that_is_written_down_counts(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's entry lies between the look at the journal and our own."""
    steps, real = begin(journal), Journal.append

    def between(self: Journal, kind: Any, **more: Any) -> bytes:
        monkeypatch.setattr(Journal, "append", real)
        put(self, steps, Step.DRAINED, **{**ANSWERS[Step.DRAINED], "volume": "4 mL"})
        return real(self, kind, **more)

    monkeypatch.setattr(Journal, "append", between)
    with pytest.raises(InputRefused, match="from another terminal"):
        put(journal, steps, Step.DRAINED)
    found = open_visit_of(journal.entries(pump=SERIAL))
    assert found is not None and found.drained is not None
    assert found.drained.volume == Volume.parse("4 mL")
    again = put(journal, found, Step.LOT)
    assert again.drained == found.drained, "the visit goes on"
