"""Free text for the journal, without the tag of the patient whom it is about (SEC-08).

A tag is known by its short hash only, so that words are held against that, as they
stand and in capitals or small letters. Nobody is refused for a reason: the word is
left out and the rest is kept. Which hashes are a pump's is the journal's to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pumpctl.therapy.patient import tag_hash

FREE = frozenset(
    {"reason", "reasons", "reference", "prescriber", "without_bridge", "given_up", "note"}
)
"""Keys under which somebody's own words stand, at whatever depth."""
LEFT_OUT = "[tag left out]"
_LONGEST = 4
"""Words of a tag: `bed 4 north` is one, too."""
_AROUND = ".,;:!?()[]'\"…"


def untagged(
    body: Mapping[str, Any], pump: str, known: Callable[[], Collection[str]]
) -> dict[str, Any]:
    """The same without tags; `known` tells their hashes (hex), asked only where words stand."""
    hashes: list[Collection[str]] = []

    def is_tag(text: str) -> bool:
        if not hashes:
            hashes.append(known())
        variants = {text, text.upper(), text.lower()}
        return any(tag_hash(pump, each).hex() in hashes[0] for each in variants)

    def walked(value: Any, *, free: bool) -> Any:
        if isinstance(value, Mapping):
            return {key: walked(each, free=free or key in FREE) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [walked(each, free=free) for each in value]
        return _without(value, is_tag) if free and isinstance(value, str) else value

    return {key: walked(each, free=key in FREE) for key, each in body.items()}


def _without(text: str, is_tag: Callable[[str], bool]) -> str:
    """The text with every run of words that is a tag left out; of two the longer one."""
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", text)]
    kept, place, first = list[str](), 0, 0
    while first < len(words):
        for length in range(min(_LONGEST, len(words) - first), 0, -1):
            start, end = words[first][0], words[first + length - 1][1]
            run = text[start:end]
            bare = run.strip(_AROUND)
            if is_tag(run) or (bare not in ("", run) and is_tag(bare)):
                kept += [text[place:start], run.replace(bare or run, LEFT_OUT)]
                place = end
                first += length - 1
                break
        first += 1
    return "".join([*kept, text[place:]])
