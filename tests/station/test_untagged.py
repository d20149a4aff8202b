"""No patient's tag stands in clear in the journal, whoever typed it where (SEC-08)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpctl.station.journal import Journal
from pumpctl.station.untagged import LEFT_OUT, untagged
from pumpctl.therapy.patient import tag_hash
from tests.helpers.desk import Desk
from tests.helpers.profiles import continuous

AT, PUMP = "2026-01-05T14:07:00+01:00", "SP40-000123"


def hashed(*tags: str) -> set[str]:
    return {tag_hash(PUMP, tag).hex() for tag in tags}


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize(
    ("tag", "text", "left"),
    [
        ("P-0417", "P-0417 too drowsy", f"{LEFT_OUT} too drowsy"),
        ("P-0417", "asked by p-0417.", f"asked by {LEFT_OUT}."),
        ("P-0417", "(P-0417)", f"({LEFT_OUT})"),
        ("bed 4 north", "moved to bed 4 north, at noon", f"moved to {LEFT_OUT}, at noon"),
        ("4", "from 14 to 4 mcg", f"from 14 to {LEFT_OUT} mcg"),
        ("tag", "tag left out", f"{LEFT_OUT} left out"),
        ("P-0417", "P-04170 is another", "P-04170 is another"),
    ],
)
def test_a_tag_in_free_text_is_left_out(tag: str, text: str, left: str) -> None:
    body = {"reason": text, "overrides": [{"id": "X", "reason": text}], "kind": tag}
    told = untagged(body, PUMP, lambda: hashed(tag))
    assert told == {
        "reason": left,
        "overrides": [{"id": "X", "reason": left}],
        "kind": tag,
    }, "words of ours are not touched"
    assert untagged(body, "SP40-2", lambda: hashed(tag)) == body, "another pump's hash is another"


def test_nobody_is_asked_where_no_words_stand() -> None:
    assert untagged({"kind": "program", "reason": None}, PUMP, lambda: 1 / 0) == {  # type: ignore[arg-type,return-value]
        "kind": "program",
        "reason": None,
    }


@pytest.mark.requirement("SEC-08")
@pytest.mark.requirement("AUD-02")
def test_the_journal_knows_its_patients_by_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tag_hash(PUMP, "P-0417").hex()

    def reason_of(path: Path) -> str:
        with Journal(path) as journal:
            journal.append("intent", at=AT, pump=PUMP, operation="a" * 32, body={"tag": ours})
            told = {"kind": "stop", "reason": "P-0417 drowsy"}
            journal.append("intent", at=AT, pump=PUMP, operation="b" * 32, body=told)
            assert journal.fault() is None
            return str(journal.entries()[-1].body["reason"])

    assert reason_of(tmp_path / "one.sqlite3") == f"{LEFT_OUT} drowsy"
    assert b"P-0417" not in (tmp_path / "one.sqlite3").read_bytes()
    monkeypatch.setattr("pumpctl.station.untagged.untagged", lambda body, pump, known: body)
    assert reason_of(tmp_path / "two.sqlite3") == "P-0417 drowsy", "without it, it stands there"


@pytest.mark.requirement("SEC-08")
def test_a_day_at_the_clinic_leaves_no_tag_in_the_home(desk: Desk) -> None:
    """Whatever is typed as a reason, and whatever is kept of it."""
    desk.emulator()
    desk.rehearse()
    desk.program(continuous("200 mcg/day", fallback="150 mcg/day"))
    desk.advance("30 h")
    more = continuous("260 mcg/day", fallback="150 mcg/day")
    _, planned = desk.plan(more)
    soft = {each["id"] for each in planned["findings"] if each["severity"] == "soft"}
    assert soft, "an increase by 30 % is one"
    desk.program(more, *(f"--override={name}=P-0417 asked" for name in sorted(soft)))
    desk.run("--port", "emu://ward", "mri", "before", "--reason", "P-0417 cannot wait")
    desk.pump("interrogate")
    desk.pump("logs", "pull")
    desk.pump("stop", "--now", "--reason", "p-0417: drowsy")
    found = [
        path
        for path in desk.home.rglob("*")
        if path.is_file() and b"p-0417" in path.read_bytes().lower()
    ]
    assert found == []
