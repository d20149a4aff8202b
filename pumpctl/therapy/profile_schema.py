"""The JSON schema of a profile; `profiles/profile.schema.json` is what `text()` returns."""

from __future__ import annotations

from pumpctl.therapy import json_schema
from pumpctl.therapy.profile_shape import PROFILE


def schema() -> json_schema.Schema:
    """The schema as plain data."""
    return json_schema.schema(
        PROFILE,
        "pumpctl dose profile",
        "A dose profile for an implanted intrathecal baclofen pump, format 1.",
    )


def text() -> str:
    """The schema as the file holds it."""
    return json_schema.text(schema())
