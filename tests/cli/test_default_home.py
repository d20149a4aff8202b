"""Where a station keeps its things unless told otherwise: as platformdirs says, always."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from pumpctl.cli.edge import default_home


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_DATA_HOME": "/srv/data"},
        {"XDG_DATA_HOME": ""},
        {"XDG_DATA_HOME": "relative"},
        {"XDG_DATA_HOME": "~/mine"},
        {"HOME": "/somewhere/else"},
        {"ANDROID_DATA": "/data", "ANDROID_ROOT": "/system", "SHELL": "/bin/sh"},
    ],
)
def test_it_is_where_platformdirs_says(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_home() == Path(platformdirs.user_data_path("pumpctl", appauthor=False))
