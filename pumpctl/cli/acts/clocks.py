"""The screen of setting a clock: both clocks, the new time, the doses that it moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from pumpctl.cli.acts.body import LABEL, Shown, dates, fact
from pumpctl.pump.readbacks import ClockBack
from pumpctl.quantities import Duration
from pumpctl.therapy.checks.clocks import size_text
from pumpctl.therapy.moment import MINUTE_MS, Moment

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan

_MOST = 8
"""So many boluses of each kind are listed; the plan's JSON holds them all."""


def figures(shown: Shown) -> Iterator[Text]:
    """The two faces, and what the pump would show."""
    old = _clock(shown)
    new = _after(old, _back(shown))
    yield _wide("", "now", "new")
    yield _wide("pump's clock", _face(old), _face(new), size_text(new.label_ms - old.label_ms))
    if new.offset_min != old.offset_min:
        yield _wide("its offset from UTC", offset_text(old), offset_text(new))
    if shown.now is not None:
        yield fact("station's clock", f"{_face(shown.now)} {offset_text(shown.now)}")
        yield Text("  Is the station's clock the right one? Look at a third one.", style="bold")


def bounds(shown: Shown) -> Iterator[Text]:
    """The doses that move, then the dates."""
    yield from _doses(shown)
    yield from dates(shown.old, shown)


def _doses(shown: Shown) -> Iterator[Text]:
    """Which scheduled doses move, jump, do not repeat; what 24 hours give: as it was planned."""
    new = shown.plan.new
    if "jumped" not in new:
        return
    yield _wide("basal at this instant", *new["basal"])
    if new["next_24h"] is not None:
        yield _wide("dose of the next 24 h", *new["next_24h"])
    late = new["given_late"]
    yield from _listed(new["not_given"], "jumped over, NOT given")
    yield from _listed([] if late is None else [late], "jumped over, given AT ONCE")
    yield from _listed(new["not_repeated"], "had its turn, NOT repeated")
    told = {each["at"] for each in (*new["not_given"], *new["not_repeated"])}
    told |= set() if late is None else {late["at"]}
    moved = [each for each in new["moved"] if each["at"] not in told]
    if not moved:
        yield fact("scheduled boluses", "no other in the next 24 h" if told else "none")
    for each in moved[:_MOST]:
        yield fact(_name(each), _moved(each))
    if len(moved) > _MOST:
        yield fact("", f"and {len(moved) - _MOST} more")


def done(applied: AppliedPlan) -> str:
    """What the pump's clock shows now."""
    state = applied.state
    return (
        f"Clock set and verified on pump {state.serial}: it shows "
        f"{_face(state.clock)} {offset_text(state.clock)}"
    )


def offset_text(moment: Moment) -> str:
    """`+02:00`, also where it is none."""
    hours, minutes = divmod(abs(moment.offset_min), 60)
    return f"{'-' if moment.offset_min < 0 else '+'}{hours:02d}:{minutes:02d}"


def _listed(dues: list[dict[str, Any]], what: str) -> Iterator[Text]:
    for due in dues[-_MOST:]:
        yield fact(_name(due), what, strong=True)
    if len(dues) > _MOST:
        yield fact("", f"{what}: {len(dues) - _MOST} more before them", strong=True)


def _name(due: dict[str, Any]) -> str:
    """`03-29 02:30 20 mcg`"""
    return f"{due['at'][5:]} {due['dose']}"


def _moved(each: dict[str, Any]) -> str:
    before, after = each["before"], each["after"]
    if after is None:
        return "not in the next 24 h any more"
    if before is None:
        return f"in {_wait(after)}; by the old clock not in the next 24 h"
    if before == after:
        return f"in {_wait(after)}, as before"
    return f"in {_wait(after)} instead of {_wait(before)}"


def _wait(written: str) -> str:
    hours, minutes = divmod(-(-Duration.parse(written).quanta // MINUTE_MS), 60)
    return f"{hours} h {minutes:02d} min"


def _wide(label: str, old: str, new: str, change: str = "") -> Text:
    """A row whose figures are longer than a dose."""
    text = Text(f"  {label:{LABEL}}{old:19}")
    text.append(f"{new:19}", style="bold")
    text.append(change)
    text.rstrip()
    return text


def _face(moment: Moment) -> str:
    return moment.label()


def _clock(shown: Shown) -> Moment:
    """What the pump showed when this was planned."""
    return Moment.parse(str(shown.plan.old["clock"]))


def _after(old: Moment, back: ClockBack) -> Moment:
    return Moment(old.utc_ms + back.shift_ms, back.offset_min)


def _back(shown: Shown) -> ClockBack:
    back = shown.readback
    assert isinstance(back, ClockBack)  # noqa: S101  the road has compared its kind
    return back
