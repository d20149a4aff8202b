"""The patient as a profile names one: a tag of the clinic's own, never a name.

The tag leaves the station only as a short hash. What follows from origin, age
and history is the checks' matter.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple

TAG_HASH_SIZE = 8
PLACEHOLDER_TAG = "CHANGE-ME"
"""The tag of a new profile, until somebody fills in a patient's."""

ORIGINS = ("spinal", "cerebral")
AGE_GROUPS = ("under-12", "12-17", "adult")
HISTORIES = ("new", "established", "transferred", "replacement")


class Patient(NamedTuple):
    """Who a profile is for. `history` decides which label rules speak; None: not said."""

    tag: str
    spasticity_origin: str
    age_group: str
    history: str | None


def tag_hash(serial: str, tag: str) -> bytes:
    """Eight bytes of SHA-256 over pump and tag: what the pump stores of its patient."""
    from hashlib import sha256

    text = b"pumpctl tag\0" + serial.encode() + b"\0" + tag.encode()
    return sha256(text).digest()[:TAG_HASH_SIZE]


def names_tag(text: str, tag: str) -> bool:
    """Whether these words hold the tag, as a word and in whatever letters."""
    from re import IGNORECASE, escape, search

    return search(rf"(?<!\w){escape(tag)}(?!\w)", text, IGNORECASE) is not None
