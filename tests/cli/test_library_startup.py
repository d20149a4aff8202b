"""What a site's library costs a profile check: its own reading, but no cryptography, no journal."""

from __future__ import annotations

import pytest

from tests.helpers.desk import Desk
from tests.helpers.libraries import public_key, signed_file, site_library
from tests.helpers.profiles import continuous
from tests.test_startup import HEAVY, SCRIPT, loaded_by


@pytest.mark.requirement("LIM-07")
def test_a_profile_check_with_a_site_s_library_loads_nothing_heavy(desk: Desk) -> None:
    from pumpctl.station.home import Home
    from pumpctl.station.library_keys import write_public

    public = write_public(Home(desk.files / "elsewhere"), public_key("pharmacy"))
    desk.data("library", "keys", "--trust", public, "--as", "pharmacy")
    desk.data("library", "install", signed_file(desk.files / "x.toml", site_library()))
    profile = desk.profile(continuous("450 mcg/day", fallback="300 mcg/day"))
    words = ["-c", SCRIPT, "profile", "check", str(profile), "--home", str(desk.home)]
    code, names, stderr = loaded_by(words)
    assert code == 0, stderr
    always = loaded_by(["-c", "pass"])[1]
    assert sorted((names - always) & HEAVY) == []
