"""The screen of a refill: reservoir, drug, drain, bridge, program, dates, in that order.

Volume, concentration, bridge and program are the pump's read-back; what was drained
and expected, and the dates, stand beside it (CNF-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rich.text import Text

from pumpctl.cli.acts.body import Shown, fact, row
from pumpctl.pump.readbacks import RefillBack
from pumpctl.quantities import Rate, Volume
from pumpctl.quantity_text import decimal_text
from pumpctl.therapy import figures as sums
from pumpctl.therapy.compare import percent_text, share_text
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.delivery import time_text
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.program import Mode
from pumpctl.therapy.state import Delivery

_NEAR_MS = 7 * DAY_MS
"""From here on an empty reservoir is told in red."""

if TYPE_CHECKING:
    from pumpctl.workflows.road.applying import AppliedPlan


def figures(shown: Shown) -> Iterator[Text]:
    """What goes in, what came out, and what the patient gets."""
    back, new, was = _back(shown), shown.plan.new, shown.plan.old
    if new["given_up"]:
        yield Text(f"  GIVEN UP: {new['given_up']}; nothing goes in", style="bold red")
    if shown.state is not None and shown.state.delivery is Delivery.STOPPED:
        yield Text("  STOPPED now: it delivers again from the activation on", style="bold red")
    yield row("", "now", "new")
    yield row("reservoir", was["volume"], back.volume)
    fluid = f"{back.program.drug} {back.program.concentration}"
    held = f"{was['drug']['name']} {was['drug']['concentration']}"
    if fluid == held:
        yield fact("drug", f"{fluid}, as the pump holds it")
    elif back.program.drug == was["drug"]["name"]:
        yield row(back.program.drug, was["drug"]["concentration"], back.program.concentration)
    else:
        yield fact("drug now", held)
        yield fact("drug NEW", fluid, strong=True)
    if new["lot"]:
        yield fact("lot, expiry", f"{new['lot']}, {new['expiry']}")
    ago = Moment.parse(new["planned"]).utc_ms - Moment.parse(new["filled_at"]).utc_ms
    if new["injected"] and ago >= MINUTE_MS:
        yield fact("injected", f"{_label(new['filled_at'])}, {time_text(ago)} ago", strong=True)
    if new["drained"] is not None:
        yield from _drained(new)
    offer = new["offer"]
    if offer is not None:
        yield fact("offered", f"no more than {offer['dose']}", strong=True)
    yield from _bridge(shown)
    yield from _doses(shown)


def bounds(shown: Shown) -> Iterator[Text]:
    """The most of 24 h, fallback, the next dates, until when to watch."""
    old, back, new = shown.old, _back(shown), shown.plan.new
    most = None if old is None else sums.largest_24h_with_patient_doses(old)
    yield row("24 h, patient doses too", most, back.largest_24h)
    smallest = min(day.daily_dose for day in sums.week(back.program))
    share = share_text(back.program.fallback.quanta, smallest.quanta)
    note = "" if share == "100 %" else f"{share} of the least day"
    yield row("fallback", None if old is None else old.fallback, back.program.fallback, note)
    if new["given_up"]:
        yield from _dry(new)
        if not back.volume:
            return
    dates = f"low reservoir {new['low_date']} · refill by {new['refill_by']}"
    yield Text(f"  {dates} ({new['refill_because']})", style="bold")
    if new["given_up"]:
        return
    watch = f"observe until {_label(new['observe_until'])}"
    if new["reassess_by"]:
        watch += f" · see again by {_label(new['reassess_by'])}"
    yield Text(f"  {watch}")


def done(applied: AppliedPlan) -> str:
    """What the reservoir holds, what runs, and until when to watch."""
    state, new = applied.state, applied.plan.new
    what = f"{state.reservoir} of {state.drug} {state.concentration}"
    if new["given_up"]:
        lines = [f"Refill given up and recorded on pump {state.serial}", f"{what} left"]
        lines += [line.plain.strip() for line in _dry(new)]
        return "\n".join(lines)
    told = [f"Refilled and verified on pump {state.serial}: {state.delivery.value}", what]
    if new["bridge"] is not None:
        told.append(f"Bridge of {new['bridge']['volume']} until {_label(new['bridge']['ends'])}")
    told.append(f"Refill by {new['refill_by']}; observe until {_label(new['observe_until'])}")
    return "\n".join(told)


def _back(shown: Shown) -> RefillBack:
    back = shown.readback
    assert isinstance(back, RefillBack)  # noqa: S101  the road has compared its kind
    return back


def _drained(new: dict[str, Any]) -> Iterator[Text]:
    found = new["discrepancy"]
    told = f"{new['drained']}, {new['expected']} expected: {found['apart']}"
    beyond = found["meaning"] != "within"
    yield fact("drained", told, strong=beyond)
    if found["ratio"] is not None and found["judged"]:
        hundred = Fraction(found["ratio"]) * 100
        share = decimal_text(hundred.numerator, hundred.denominator)
        yield fact("  so was delivered", f"{share} % of what was programmed", strong=beyond)
    if new["estimated"] != new["expected"]:
        yield fact("", f"the pump itself reckons {new['estimated']}")
    if beyond:
        yield fact("", found["text"].upper(), strong=True)


def _bridge(shown: Shown) -> Iterator[Text]:
    bridge, told = _back(shown).bridge, shown.plan.new["bridge"]
    if bridge is None:
        line = shown.plan.new["line"]
        if line and not line.startswith("no bridge: same"):
            yield fact("bridge", line, strong=True)
        return
    yield fact("bridge", f"{bridge.volume} of {bridge.old.concentration}", strong=True)
    yield fact("", f"{told['plays']} until {_label(told['ends'])}, {told['lasts']}")
    if Volume.parse(told["passed"]):
        yield fact("", f"{told['passed']} of it have passed already")
    yield fact("without it", told["without"])


def _doses(shown: Shown) -> Iterator[Text]:
    old, back = shown.old, _back(shown)
    was = None if old is None else sums.week(old)
    before = None if was is None else max(day.daily_dose for day in was)
    after = Rate(back.largest_day.quanta)
    change = ""
    if before is not None and old is not None:
        minimum = old.mode is Mode.MINIMUM
        change = "from minimum" if minimum else percent_text(before.quanta, after.quanta)
        change = "the same" if old.days == back.program.days and before == after else change
    yield row("daily dose, largest", before, after, change)
    hour = None if was is None else max(day.largest_hour for day in was)
    yield row("largest hour", hour, back.largest_hour)
    flow = None if old is None else sums.flow_of_largest_day(old)
    yield row("flow, largest day", flow, sums.flow_of_largest_day(back.program))


def _dry(new: dict[str, Any]) -> Iterator[Text]:
    """When the reservoir is empty, and from when on that begins to matter."""
    dry, withdrawal = new["runs_dry"], new["withdrawal"]
    if dry is None:
        return
    left = Moment.parse(dry).utc_ms - Moment.parse(new["planned"]).utc_ms
    near = "bold red" if left < _NEAR_MS else ""
    when = f"in {time_text(left)}, {_label(dry)}" if left else "NOW: it is empty"
    yield Text(f"  runs dry {when}", style=near)
    first, last = (Moment.parse(withdrawal[each]) for each in ("from", "to"))
    hours = [
        (each.utc_ms - Moment.parse(new["planned"]).utc_ms) // HOUR_MS for each in (first, last)
    ]
    span = f"in {hours[0]} to {hours[1]} h, from {first.label()} on"
    yield Text(f"  withdrawal begins {span}; it can kill", style=near)


def _label(iso: str) -> str:
    return Moment.parse(iso).label()
