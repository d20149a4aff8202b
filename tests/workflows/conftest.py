"""Fixtures of whole changes of therapy."""

from __future__ import annotations

import pytest

from tests.helpers.desk import Desk


@pytest.fixture
def ward(desk: Desk) -> Desk:
    """A new pump, and a station that takes its clock."""
    desk.emulator()
    desk.rehearse()
    return desk
