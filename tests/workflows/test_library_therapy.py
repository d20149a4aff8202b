"""A site's library and a change of therapy: which limits hold, and what goes on without them."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from pumpctl.cli import edge
from pumpctl.station import library_store
from pumpctl.station.journal import Journal
from pumpctl.station.library_store import SHIPPED
from pumpctl.station.plan import read_plan
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.road import gates, programs, scene
from tests.helpers.desk import Desk
from tests.helpers.libraries import site_library
from tests.helpers.profiles import continuous
from tests.helpers.site import Site, lower
from tests.helpers.staff import another_yes

PORT = ("--port", "emu://ward")


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


def plan_words(desk: Desk, text: str | None = None) -> tuple[object, ...]:
    return (*PORT, "program", "plan", desk.profile(text), "-o", desk.files / "p.json")


@pytest.mark.requirement("LIM-07")
def test_a_plan_and_the_journal_name_the_library(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    path, told = desk.plan()
    assert read_plan(path).library.model_dump() == {
        "site": "pumpctl", "version": 1, "sha256": SHIPPED.digest,
    }  # fmt: skip
    desk.apply(path, told["confirm"])
    installed = site.install(site_library(7))
    path, told = desk.plan(continuous("250 mcg/day"))
    named = {"site": "st-elsewhere", "version": 7, "sha256": installed["sha256"]}
    assert read_plan(path).library.model_dump() == named
    desk.apply(path, told["confirm"])
    with Journal(desk.home / "journal.sqlite3") as journal:
        assert journal.entries(operation=told["operation"])[0].body["library"] == named


@pytest.mark.requirement("LIM-07")
def test_a_plan_is_checked_again_with_the_library_of_the_moment(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    path, told = desk.plan(continuous("290 mcg/day", fallback="200 mcg/day"))
    site.install(lower(site_library(1)))
    words = (*PORT, "apply", path, "--confirm", told["confirm"])
    with desk.untouched():
        error = desk.refused(3, "LIMIT_SOFT", *words)
        assert "ward" not in error["message"]
        site.install(lower(site_library(2), "280 mcg/day"))
        error = desk.refused(3, "LIMIT_HARD", *words)
        assert error["findings"][0]["source"] == "ward 7"
        desk.refused(3, "LIMIT_HARD", *plan_words(desk, continuous("290 mcg/day")))


def downgrade(desk: Desk) -> None:
    """Marker and folder as they were before the last installation."""
    shutil.rmtree(desk.home / "library")
    shutil.copytree(desk.files / "before", desk.home / "library")
    shutil.copy(desk.files / "before.json", desk.home / "library.json")


def remove_folder(desk: Desk) -> None:
    shutil.rmtree(desk.home / "library")


def remove_all(desk: Desk) -> None:
    remove_folder(desk)
    remove_marker(desk)


def remove_marker(desk: Desk) -> None:
    (desk.home / "library.json").unlink()


def remove_library(desk: Desk) -> None:
    shutil.rmtree(desk.home / "library" / "versions")


def change_library(desk: Desk) -> None:
    for file in (desk.home / "library" / "versions").iterdir():
        file.write_bytes(file.read_bytes().replace(b"300 mcg/day", b"900 mcg/day"))


SPOILED = [downgrade, remove_folder, remove_all, remove_marker, remove_library, change_library]


@pytest.mark.requirement("LIM-07")
@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize("spoil", SPOILED, ids=lambda each: each.__name__)
def test_without_a_valid_library_therapy_refuses_and_stop_does_not(
    spoil: Callable[[Desk], None], site: Site
) -> None:
    desk = site.desk
    desk.emulator()
    site.install(site_library(1))
    shutil.copytree(desk.home / "library", desk.files / "before")
    shutil.copy(desk.home / "library.json", desk.files / "before.json")
    site.install(lower(site_library(2)))
    path, told = desk.plan(continuous("200 mcg/day"))
    spoil(desk)
    with desk.untouched():
        desk.refused(3, "LIBRARY_INVALID", *plan_words(desk))
        desk.refused(3, "LIBRARY_INVALID", *PORT, "apply", path, "--confirm", told["confirm"])
    document = desk.json("library", "show")
    assert document["data"]["standing"] == "invalid"
    assert [one["code"] for one in document["warnings"]] == ["LIBRARY_INVALID"]
    assert "NO VALID DRUG LIBRARY" in desk.run("library", "show").out
    assert desk.json(*PORT, "status")["ok"]
    stopped = desk.run(*PORT, "stop", "--now")
    assert stopped.code == 0 and "STOPPED" in stopped.out
    if spoil not in (downgrade, remove_all):  # only the journal can tell, and a stop asks none
        assert "A resume is REFUSED now" in stopped.out
        assert "Go on with" not in stopped.out
    desk.refused(3, "LIBRARY_INVALID", *PORT, "resume", "--plan-only")
    if spoil in (remove_folder, remove_all):
        site.trust("pharmacy")
    site.install(site_library(3))
    assert desk.json(*PORT, "resume", "--plan-only")["ok"]


@pytest.mark.requirement("LIM-08")
@pytest.mark.parametrize("spoil", [remove_folder, remove_marker, remove_library, change_library])
def test_every_command_says_so(spoil: Callable[[Desk], None], site: Site) -> None:
    desk = site.desk
    desk.emulator()
    site.install(site_library(1))
    spoil(desk)
    file = desk.profile()
    for words in (
        ("list",), ("doctor",), ("profile", "check", file), ("profile", "show", file),
        ("profile", "diff", file, file), ("titrate", file),
        ("explain", "DRUG_OTHER"), ("library", "keys"), (*PORT, "status"), (*PORT, "interrogate"),
        (*PORT, "logs", "pull"), (*PORT, "program", "show"), (*PORT, "resolve"),
        (*PORT, "stop", "--now"), (*PORT, "unpair"),
    ):  # fmt: skip
        ran = desk.run(*words, "--json")
        assert ran.code == (3 if words == ("doctor",) else 0), words
        codes = [one["code"] for one in ran.document["warnings"]]
        assert codes.count("LIBRARY_INVALID") == 1, words
        assert "warning: the site's drug library is not valid" in ran.err


@pytest.mark.requirement("LIM-08")
def test_after_its_last_day_only_the_same_program_goes_on(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    site.install(site_library(1, expires="2030-01-01"))
    desk.program()
    path, told = desk.plan(continuous("250 mcg/day"))
    assert desk.json(*PORT, "status")["warnings"] == []
    real = edge.wall
    desk.monkeypatch.setattr(edge, "wall", lambda: Moment.parse("2030-01-02T12:00:00Z"))
    with desk.untouched():
        for words in (plan_words(desk), plan_words(desk, continuous("240 mcg/day"))):
            error = desk.refused(3, "LIMIT_HARD", *words)
            assert "LIBRARY_EXPIRED" in {one["id"] for one in error["findings"]}
        desk.refused(3, "PLAN_EXPIRED", *PORT, "apply", path, "--confirm", told["confirm"])
    warned = desk.json(*PORT, "stop", "--now")["warnings"]
    assert [one["code"] for one in warned] == ["LIBRARY_EXPIRED"]
    plan = desk.files / "resume.json"
    told = desk.pump("resume", "--plan-only", "-o", plan)
    soft = {one["id"] for one in told["findings"] if one["severity"] == "soft"}
    assert soft == {"LIBRARY_EXPIRED"} and told["confirm"] is None
    told = desk.pump(
        "resume", "--plan-only", "-o", plan, "--override", "LIBRARY_EXPIRED=nobody to sign today"
    )
    desk.refused(9, "NOT_CONFIRMED", *PORT, "apply", plan, "--confirm", told["confirm"])
    second = another_yes(desk, plan)
    assert desk.apply(plan, told["confirm"], second=second)["outcome"] == "applied"
    with Journal(desk.home / "journal.sqlite3") as journal:
        body = journal.entries(operation=told["operation"])[0].body
    assert body["overrides"] == [{"id": "LIBRARY_EXPIRED", "reason": "nobody to sign today"}]
    assert body["library"]["version"] == 1
    desk.monkeypatch.setattr(edge, "wall", real)


@pytest.mark.requirement("LIM-08")
def test_without_the_gate_and_the_look_an_invalid_library_bars_nothing(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    site.install(lower(site_library(1)))
    remove_library(desk)
    words = plan_words(desk, continuous("400 mcg/day", fallback="240 mcg/day"))
    desk.refused(3, "LIBRARY_INVALID", *words)
    desk.monkeypatch.setattr(programs, "need_valid", lambda found: found)
    desk.refused(3, "LIBRARY_INVALID", *words)
    kept = tuple(gate for gate in gates.GATES["program"] if gate is not gates.library_valid)
    desk.monkeypatch.setattr(gates, "GATES", {**gates.GATES, "program": kept})
    desk.refused(3, "LIBRARY_INVALID", *words)
    desk.monkeypatch.setattr(scene, "library_for_change", lambda *_: SHIPPED)
    told = desk.data(*words)
    desk.apply(desk.files / "p.json", told["confirm"])
    assert desk.pump("program", "show")["daily_dose"] == "400 mcg/day", "above the site's limit"


@pytest.mark.requirement("STP-01")
def test_no_library_bars_or_breaks_a_stop(site: Site) -> None:
    desk = site.desk
    desk.emulator()
    site.install(site_library(1))
    desk.program()
    for name in ("look", "verified", "recorded_in"):

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug of ours")

        desk.monkeypatch.setattr(library_store, name, broken)
    assert desk.json(*PORT, "stop", "--now")["data"]["delivery"] == "stopped"
