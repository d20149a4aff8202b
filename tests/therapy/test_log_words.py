"""A pump's log, its last bolus and the patient's own doses, in words and in quantities."""

from __future__ import annotations

from pumpctl.quantities import Duration, Mass
from pumpctl.therapy.boluses_seen import last_bolus
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.log_text import readable_fields, refusal_text, told
from pumpctl.therapy.moment import Moment
from pumpctl.therapy.own_doses import left_text
from pumpctl.therapy.program import PatientDose
from pumpctl.therapy.state import PatientDoseState, RunningBolus
from pumpctl.wire.codes import LogKind

NOON = Moment.parse("2026-03-02T12:00:00Z")
DOSE = PatientDose(Mass(10_000), Duration(300_000), Duration(14_400_000), 3)


def test_a_lock_is_told_to_the_minute_in_which_it_is_over() -> None:
    at = NOON.plus(2 * 3_600_000 + 1)
    assert left_text(DOSE, PatientDoseState(2, at), NOON) == (
        "2 of 3 left, locked until 14:01 (4 h after the last bolus)"
    )
    assert left_text(DOSE, PatientDoseState(3, None), NOON) == "3 of 3 left"
    tomorrow = left_text(DOSE, PatientDoseState(0, NOON.plus(86_400_000)), NOON)
    assert tomorrow.startswith("none of 3 left until 2026-03-03 12:00")


def entry(number: int, kind: str, *fields: tuple[str, int | str]) -> LogEntry:
    return LogEntry(number, 1, kind, number, NOON.plus(number), 0, None, fields)


BEGUN = entry(1, "bolus_started", ("dose_ng", 20_000), ("over_ms", 600_000), ("data", "aa"))
ENDED = entry(2, "bolus_ended", ("dose_ng", 20_000), ("given_ng", 5_000), ("data", "aa"))
OTHER = entry(3, "bolus_ended", ("dose_ng", 20_000), ("given_ng", 20_000), ("data", "bb"))


def test_the_last_bolus_is_the_newest_and_nothing_is_guessed() -> None:
    assert last_bolus((), None) is None
    lost = last_bolus((BEGUN,), None)
    assert lost is not None and lost.given is None and not lost.partial
    cut = last_bolus((BEGUN, ENDED), None)
    assert cut is not None and cut.partial and cut.started == BEGUN.time
    whole = last_bolus((BEGUN, ENDED, OTHER), None)
    assert whole is not None and not whole.partial
    assert whole.started is None, "the beginning of another bolus is not its own"


def test_every_kind_of_entry_has_words_and_no_bare_quantity() -> None:
    for kind in LogKind:
        text = told(entry(1, kind.name.lower()))
        assert text and "_" not in text.replace("None", "")
    assert told(entry(1, "something_new")) == "something new"
    assert readable_fields(entry(1, "fallback", ("rate_ng_per_day", 216_000))) == {
        "rate": "216 mcg/day"
    }
    assert readable_fields(entry(1, "refilled", ("volume_nl", 40_000_000))) == {"volume": "40 mL"}
    assert refusal_text("SOME_CODE") == "some code"


def test_a_clock_that_was_set_is_told_by_its_two_faces() -> None:
    found = entry(
        1, "clock_set",
        ("old_utc_ms", NOON.utc_ms), ("new_utc_ms", NOON.utc_ms + 60_000),
        ("old_offset_min", 0), ("new_offset_min", 60),
    )  # fmt: skip
    assert told(found) == "clock set from 2026-03-02 12:00 to 2026-03-02 13:01"


def test_a_running_bolus_is_the_last_one() -> None:
    running = RunningBolus("single", Mass(20_000), Mass(5_000), NOON, NOON.plus(600_000))
    found = last_bolus((ENDED,), running)
    assert found is not None and found.running and not found.partial
    assert (found.ordered, found.given, found.ended) == (Mass(20_000), Mass(5_000), None)
    assert found.operation is None, "no beginning, no operation"
    assert last_bolus((entry(9, "hour"),), None) is None


def test_words_without_figures_where_the_entry_has_none() -> None:
    assert told(entry(1, "resumed", ("stopped_for_ms", 97_500_000))) == (
        "delivery goes on after 27 h 05 min without drug"
    )  # 97 500 s = 27 × 3600 + 300
    assert told(entry(1, "resumed")) == "delivery goes on"
    assert told(entry(1, "patient_refused", ("refused", "STOPPED"), ("next_in_ms", 0))) == (
        "patient's dose REFUSED: the pump is stopped"
    )
    wait = ("refused", "LOCKOUT"), ("next_in_ms", 11_520_001)  # 3 h 12 min and 1 ms: rounded up
    assert told(entry(1, "patient_refused", *wait)).endswith("next in 3 h 13 min")
    cut = ("bolus_kind", "SINGLE"), ("dose_ng", 20_000), ("given_ng", 4_200)
    assert told(entry(1, "bolus_ended", *cut)) == (
        "single bolus CUT SHORT: 4.2 mcg given of 20 mcg ordered"
    )
    missed = ("dose_ng", 20_000), ("bolus_kind", "SCHEDULED"), ("due", "2026-03-02 07:00")
    assert told(entry(1, "bolus_missed", *missed)) == (
        "scheduled bolus of 20 mcg NOT given, due 2026-03-02 07:00"
    )
    assert told(entry(1, "bolus_ended", ("given_ng", 5), ("dose_ng", 5))).endswith(
        "0.005 mcg given"
    )
    assert readable_fields(entry(1, "refilled", ("concentration", 500))) == {
        "concentration": "500 mcg/mL"
    }
    assert readable_fields(entry(1, "boot", ("boots", 3))) == {"boots": 3}
