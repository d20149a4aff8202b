"""Fixtures for tests of the station: a desk with a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.desk import Desk


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """A station whose home is empty; no variable of the outside reaches it."""
    return Desk(tmp_path / "home", monkeypatch, capsys)
