"""Several installations at once: one after the other, and the newest stays in force (LIM-07)."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from pumpctl.cli import edge
from pumpctl.errors import LibraryVersion, PumpctlError
from pumpctl.therapy.toml_text import MAX_BYTES
from pumpctl.workflows.library import install as library_install
from pumpctl.workflows.library.install import install_file
from pumpctl.workflows.library.libraries import library_examined
from pumpctl.workflows.surroundings import Station
from tests.helpers.desk import Desk, command, environment
from tests.helpers.libraries import site_library
from tests.helpers.site import Site

VERSIONS = (20, 21, 22, 23)


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


def files(site: Site) -> list[Path]:
    return [site.file(site_library(version), to=f"v{version}.toml") for version in VERSIONS]


def station(site: Site) -> Station:
    from pumpctl.station.home import Home

    return Station(
        Home(site.desk.home), "nurse", edge.wall, edge.ticker, edge.entropy, lambda _: None
    )


@pytest.mark.requirement("LIM-07")
def test_four_processes_leave_the_newest_in_force(site: Site) -> None:
    running = [
        subprocess.Popen(
            command("library", "install", file, "--json"),
            env=environment(site.desk.home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for file in files(site)
    ]
    told = [(process.communicate(timeout=60), process.returncode) for process in running]
    for (out, err), code in told[:-1]:
        assert code == 0 or (code == 3 and '"LIBRARY_VERSION"' in out), (out, err)
    assert told[-1][1] == 0, told[-1]
    found = site.desk.data("library", "show")
    assert (found["standing"], found["version"]) == ("valid", 23)
    installed = [one["version"] for one in site.entries() if one["what"] == "installed"]
    assert installed == sorted(set(installed)) and installed[-1] == 23


def together(site: Site, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """All four at once, each held back after its check: versions installed, and refused."""
    meeting = threading.Barrier(len(VERSIONS))
    real = library_install._check_version
    done: list[int] = []
    refused: list[int] = []

    def check(*of: object) -> None:
        real(*of)  # type: ignore[arg-type]
        try:
            meeting.wait(timeout=1)
        except threading.BrokenBarrierError:
            return

    monkeypatch.setattr(library_install, "_check_version", check)
    here = station(site)

    def install(version: int, file: Path) -> None:
        try:
            install_file(here, file, ())
            done.append(version)
        except LibraryVersion:
            refused.append(version)
        except PumpctlError:
            pass  # without the lock they also write one another's files

    threads = [
        threading.Thread(target=install, args=each)
        for each in zip(VERSIONS, files(site), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return done, refused


@pytest.mark.requirement("LIM-07")
def test_the_one_that_waited_is_held_against_the_new_version(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, refused = together(site, monkeypatch)
    assert sorted(done + refused) == list(VERSIONS)
    assert done == sorted(done) and done[-1] == 23
    found = library_examined(station(site))
    assert (found.standing.value, found.library.version) == ("valid", 23)


def test_without_the_lock_all_pass_the_check(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_install, "library_lock", lambda _: nullcontext())
    done, refused = together(site, monkeypatch)
    assert refused == []
    assert len(done) > 1


# --- a home that can only be read ---------------------------------------------------------


@pytest.mark.requirement("LIM-08")
def test_a_home_for_reading_only_is_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is read from a copy: version 1 in place of 2 is still seen."""
    desk = site.desk
    site.install(site_library(1))
    before = (desk.home / "library.json").read_bytes()
    site.install(site_library(2))
    monkeypatch.setattr(os, "access", lambda *_: False)
    names = sorted(desk.home.iterdir())

    def never(*_: object, **__: object) -> None:
        raise AssertionError("something was opened for writing")

    with monkeypatch.context() as patch:
        patch.setattr("pumpctl.workflows.library.libraries.open_journal", never)
        told = desk.data("library", "show")
        assert (told["standing"], told["version"]) == ("valid", 2)
        assert sorted(desk.home.iterdir()) == names
        (desk.home / "library.json").write_bytes(before)
        assert desk.data("library", "show")["standing"] == "invalid"

        def broken(*_: object) -> None:
            raise OSError(5, "I/O error")

        patch.setattr("shutil.copyfile", broken)
        assert "cannot be read" in desk.refused(11, "STORE", "library", "show")["message"]


# --- slips that would bar every later library ---------------------------------------------


@pytest.mark.requirement("LIM-07")
def test_a_version_that_is_a_date_is_taken_for_a_slip(site: Site) -> None:
    told = site.refused("LIBRARY_VERSION", site_library(20_261_122))
    assert "number it 1" in told["hint"]
    site.install(site_library(library_install.MAX_STEP))
    site.refused("LIBRARY_VERSION", site_library(2 * library_install.MAX_STEP + 1))
    site.install(site_library(2 * library_install.MAX_STEP))


def test_nothing_is_signed_that_could_not_be_installed(site: Site) -> None:
    text = site_library(1)
    full = text + "#" + "x" * 99 + "\n"
    while len(full) + 100 < MAX_BYTES:
        full += "#" + "x" * 98 + "\n"
    full += "#" * (MAX_BYTES - len(full) - 1) + "\n"
    path = site.desk.files / "full.toml"
    path.write_text(full, encoding="utf-8")
    site.desk.data("library", "keys", "--new", "board")
    told = site.desk.refused(3, "LIBRARY_FAULTY", "library", "sign", path, "--key", "board")
    assert "signed it has" in told["message"]
    assert path.read_text(encoding="utf-8") == full
