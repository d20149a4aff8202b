"""The home: secrets for their owner only, written whole or not at all, damage told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pumpctl.errors import NotPaired, StoreError, UsageError
from pumpctl.station.home import Home, checked_name
from tests.helpers.desk import Desk
from tests.helpers.scripted import Drawn

posix_only = pytest.mark.skipif(os.name != "posix", reason="permission bits")


@posix_only
@pytest.mark.requirement("SEC-01")
def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "home")
        home.make()
        home.station_id(Drawn("x"))
        home.make_operator_key("nurse", Drawn("x"))
        home.keep_pairing("SP40-000123", "nurse", {"public": "", "psk": "", "role": "admin"})
    finally:
        os.umask(before)
    secret = list(home.root.rglob("*.json"))
    assert len(secret) == 3
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}
    assert home.root.stat().st_mode & 0o777 == 0o700
    assert home.operator_key_mode("nurse") == 0o600


@posix_only
@pytest.mark.requirement("SEC-01")
def test_a_key_that_others_can_read_is_told(desk: Desk) -> None:
    desk.emulator()
    (desk.home / "operators" / "nurse.json").chmod(0o644)
    document = desk.json("doctor", code=11)
    assert [one["id"] for one in document["data"]["results"] if not one["ok"]] == ["keys"]


def test_station_id_and_keys_are_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    entropy = Drawn("x")
    assert home.station_id(entropy) == home.station_id(entropy)
    assert home.make_operator_key("a", entropy) == home.make_operator_key("a", entropy)
    assert home.make_operator_key("a", entropy) != home.make_operator_key("b", entropy)
    assert home.operators() == ("a", "b")


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_file_is_written_whole_or_not_at_all(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    path = tmp_path / "x.json"
    home.write_json(path, {"old": True})

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        match step:
            case "write":
                patch.setattr(os, "open", fails)
            case "fsync":
                patch.setattr(os, "fsync", fails)
            case _:
                patch.setattr(Path, "replace", fails)
        with pytest.raises(StoreError):
            home.write_json(path, {"new": True})
    assert home.read_json(path) == {"old": True}
    home.write_json(path, {"new": True})
    assert home.read_json(path) == {"new": True}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null", b'{"a": 1} x'])
def test_a_damaged_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(StoreError):
        Home(tmp_path).read_json(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("operators/nurse.json", "{}"),
        ("operators/nurse.json", '{"private": "zz"}'),
        ("operators/nurse.json", '{"private": "00"}'),
        ("operators/nurse.json", "nonsense"),
        ("pumps/SERIAL/nurse.json", "{}"),
        ("pumps/SERIAL/nurse.json", '{"public": "zz", "psk": "", "role": "admin"}'),
        ("pumps/SERIAL/nurse.json", '{"public": "", "psk": "", "role": "admin"}'),
        ("pumps/SERIAL/nurse.json", "nonsense"),
    ],
)
def test_damaged_keys_are_told_and_no_bug(file: str, content: str, desk: Desk) -> None:
    serial = desk.emulator()
    (desk.home / file.replace("SERIAL", serial)).write_text(content)
    with desk.untouched():
        desk.refused(11, "STORE", "--port", "emu://ward", "status")


def test_without_a_pairing(desk: Desk) -> None:
    desk.emulator()
    desk.refused(5, "NOT_PAIRED", "--port", "emu://ward", "--operator", "stranger", "status")
    with pytest.raises(NotPaired):
        Home(desk.home).pairing("SP40-000000", "nurse")


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "a b", "ä", "x" * 41, "a\n", "a\x00b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(UsageError):
        checked_name(name, "an operator")


@posix_only
@pytest.mark.requirement("SEC-08")
def test_an_empty_home_that_is_first_locked_is_for_its_owner_only(desk: Desk) -> None:
    """As in an emergency department: nothing is set up, and a pump is paired."""
    before = os.umask(0o022)
    try:
        made = desk.json("emulator", "new", "ward", "--frozen")
        card = desk.files / "card.txt"
        card.write_text(made["data"]["pairing_secret"], "utf-8")
        home = desk.files / "new" / "home"
        desk.data("emulator", "press", "ward")
        (desk.home / "emulators").rename(desk.files / "emulators")
        desk.monkeypatch.setenv("PUMPCTL_HOME", str(home))
        desk.run("--port", "emu://ward", "pair", "--secret-file", card)  # makes the locks at least
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (home, home.parent)} == {0o700}


@posix_only
@pytest.mark.requirement("SEC-08")
def test_folders_above_a_file_are_for_their_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.keep_pairing("SP40-000123", "nurse", {"public": "", "psk": "", "role": "admin"})
    folders = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
    assert len(folders) == 2
    assert {path.stat().st_mode & 0o777 for path in [home.root, *folders]} == {0o700}
