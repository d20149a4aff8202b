"""`explain ID` says what happened to patients where a check was missing."""

from __future__ import annotations

from tests.helpers.desk import Desk


def test_the_incident_behind_a_check_is_told(desk: Desk) -> None:
    told = desk.data("explain", "declared_dose")
    assert told["incident"].startswith("ISMP: 60 mcg each morning")
    assert desk.data("explain", "DAY_TWICE")["incident"] is None
    listed = {check["id"]: check for check in desk.data("explain", "--list")["checks"]}
    assert listed["DECLARED_DOSE"]["incident"] == told["incident"]
