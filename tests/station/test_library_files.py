"""What cannot be read is never taken for nothing; and one at a time changes a library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pumpctl.errors import StoreError
from pumpctl.station.home import Home
from pumpctl.station.library_files import is_there, listed, may_write, read_file
from pumpctl.station.library_keys import find_key, known_keys, own_keys, revoke_key
from pumpctl.station.library_lock import library_lock


def test_what_is_not_there_is_nothing_and_what_is_unreadable_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert listed(tmp_path / "gone") == ()
    assert not is_there(file)
    file.write_text("x")
    assert listed(tmp_path) == ("file",)
    assert is_there(file) and read_file(file) == b"x"
    for look in (listed, is_there, read_file):
        with pytest.raises(StoreError, match="cannot be read: Not a directory"):
            look(file / "x")
    with pytest.raises(StoreError, match="No such file"):
        read_file(tmp_path / "gone")


def test_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert may_write(tmp_path, tmp_path / "file")
    assert not may_write(tmp_path, tmp_path / "gone")
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    assert not may_write(tmp_path, tmp_path / "file")


def test_keys_that_cannot_be_seen_are_not_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home = Home(tmp_path / "file")
    for look in (own_keys, known_keys):
        with pytest.raises(StoreError, match="Not a directory"):
            look(home)
    with pytest.raises(StoreError, match="Not a directory"):
        find_key(home, "ABCD")
    with pytest.raises(StoreError, match="Not a directory"):
        revoke_key(home, "a", at="", operator="")


def test_one_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with (
        library_lock(home),
        pytest.raises(StoreError, match="another pumpctl process is changing"),
        library_lock(home, wait_s=0),
    ):
        raise AssertionError("two hold it")
    with library_lock(home, wait_s=0):
        pass


def test_a_home_in_which_no_lock_can_be_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.locks.write_text("")
    with pytest.raises(StoreError, match="no lock can be made"), library_lock(home):
        raise AssertionError("a lock of nothing")
