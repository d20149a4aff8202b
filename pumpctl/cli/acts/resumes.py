"""The screen of going on after a stop: how long there was no drug, then the program's own."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from pumpctl.cli.acts import programs
from pumpctl.cli.acts.body import Shown, fact
from pumpctl.cli.acts.programs import bounds, done
from pumpctl.cli.look.status_text import hours_of
from pumpctl.quantities import Duration
from pumpctl.therapy.after_stop import ahead_of

__all__ = ["bounds", "done", "figures"]


def figures(shown: Shown) -> Iterator[Text]:
    """The hours without drug and what they mean (STP-03), above old and new."""
    state, now = shown.state, shown.now
    if state is not None and now is not None and state.stopped_for is not None:
        ahead = ahead_of(state, now)
        without = hours_of(Duration(now.utc_ms - ahead.since.utc_ms))
        yield fact("without drug", f"{without}, since {ahead.since.label()}", strong=True)
        yield fact("same dose", f"with a reason from {ahead.reason_from.label()} (12 h),")
        yield fact("", f"REFUSED after {ahead.refused_after.label()} (48 h)")
    yield from programs.figures(shown)
