"""Is the pump in a state for a bolus? What holds for a clinician's bolus and a prime alike.

No bolus while another, or a bridge, runs, in a critical alarm, or while the pump
does not deliver its program (BOL-04); none that meets a scheduled one, exceeds
the pump's flow, or the reservoir cannot give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from pumpctl.quantities import Volume, round_down, round_up
from pumpctl.therapy import practice
from pumpctl.therapy.bolus import BolusEffect
from pumpctl.therapy.checks.boluses import bolus_check
from pumpctl.therapy.checks.condition import critical_alarms
from pumpctl.therapy.checks.primes import prime_check
from pumpctl.therapy.delivery import flow_text, volume_text
from pumpctl.therapy.findings import Seen, Severity
from pumpctl.therapy.state import Delivery, PumpState


class OnPump(Protocol):
    """What an order looks like here: the pump, and what it would do there."""

    @property
    def pump(self) -> PumpState:
        """As it was interrogated."""

    @property
    def effect(self) -> BolusEffect | None:
        """None where it cannot be computed; a finding of its own says why."""


Run = Callable[[OnPump], Iterator[Seen]]


def any_bolus(
    name: str, severity: Severity, *, source: str, why: str, incident: str = ""
) -> Callable[[Run], Run]:
    """Register a check for both kinds of order."""

    def register(run: Run) -> Run:
        bolus_check(name, severity, source=source, why=why, incident=incident)(run)
        prime_check(name, severity, source=source, why=why, incident=incident)(run)
        return run

    return register


@any_bolus(
    "BOLUS_ORDER_RUNNING",
    Severity.HARD,
    source="BOL-04",
    why="One bolus runs at a time: two together would be given at a rate that nobody ordered.",
)
def bolus_order_running(case: OnPump) -> Iterator[Seen]:
    """No bolus while one runs."""
    bolus = case.pump.bolus
    if bolus is not None:
        yield Seen(
            f"a {bolus.kind} bolus of {bolus.dose} is running until {bolus.ends.label()}",
            value=str(bolus.dose),
            limit="no bolus running",
        )
    elif case.pump.delivery is Delivery.BOLUS:
        yield Seen("a bolus is running", value="bolus", limit="no bolus running")


@any_bolus(
    "BOLUS_ORDER_BRIDGE",
    Severity.HARD,
    source="REF-08",
    why="While a bridge runs the line holds the old fluid, and how far it has come is what the "
    "bridge is metered by. Wait until the front has arrived.",
)
def bolus_order_bridge(case: OnPump) -> Iterator[Seen]:
    """No bolus while a bridge runs."""
    bridge = case.pump.bridge
    if bridge is not None:
        yield Seen(
            f"a bridge is running: {bridge.remaining} of {bridge.volume} are still to pass",
            value=str(bridge.remaining),
            limit="no bridge running",
        )
    elif case.pump.delivery is Delivery.BRIDGE:
        yield Seen("a bridge is running", value="bridge", limit="no bridge running")


@any_bolus(
    "BOLUS_ORDER_ALARM",
    Severity.HARD,
    source="BOL-04, ALM-02",
    why="In a critical alarm nobody knows what the pump delivers. Find its cause first.",
)
def bolus_order_alarm(case: OnPump) -> Iterator[Seen]:
    """No bolus in a critical alarm."""
    yield from critical_alarms(case.pump)


_DELIVERS = (Delivery.DELIVERING, Delivery.MINIMUM, Delivery.BOLUS, Delivery.BRIDGE)


@any_bolus(
    "BOLUS_ORDER_STOPPED",
    Severity.HARD,
    source="BOL-04",
    why="A bolus comes on top of a running program. On a pump that does not deliver one, find out "
    "why and restore delivery first; after a pause the old dose may be an overdose.",
    incident="Refilled and restarted after the drug had not been delivered: coma within an hour.",
)
def bolus_order_stopped(case: OnPump) -> Iterator[Seen]:
    """No bolus on a pump that does not deliver its program."""
    delivery, program = case.pump.delivery, case.pump.program
    if delivery not in _DELIVERS:
        yield Seen(
            f"the pump does not deliver its program: {delivery.value}",
            value=delivery.value,
            limit="delivering",
        )
    elif program is None:
        yield Seen("which program runs is not known", value="unknown", limit="a known program")


@any_bolus(
    "BOLUS_ORDER_SCHEDULED",
    Severity.HARD,
    source="BOL-04",
    why="A scheduled bolus is never dropped, and one bolus runs at a time. Give it earlier, "
    "shorter, or after the scheduled one.",
)
def bolus_order_scheduled(case: OnPump) -> Iterator[Seen]:
    """No scheduled bolus begins before this one has ended."""
    effect = case.effect
    if effect is not None and effect.meets is not None:
        yield Seen(
            f"it would run until {effect.ends.label()}, and a scheduled bolus begins at "
            f"{effect.meets.label()}",
            value=str(effect.ends),
            limit=str(effect.meets),
        )


@any_bolus(
    "BOLUS_ORDER_FLOW",
    Severity.HARD,
    source=practice.MAXIMUM_FLOW.source,
    why="Basal rate and bolus together never exceed the pump's greatest flow (LIM-06). Over a "
    "longer time the same dose can be given.",
)
def bolus_order_flow(case: OnPump) -> Iterator[Seen]:
    """Bolus and basal rate together are within the pump's greatest flow."""
    greatest, source = practice.MAXIMUM_FLOW
    effect = case.effect
    if effect is not None and effect.greatest_flow > greatest.quanta:
        text = flow_text(effect.greatest_flow, round_up)
        yield Seen(
            f"with what runs under it the bolus makes {text}, above the pump's greatest flow",
            value=text,
            limit=str(greatest),
            source=source,
        )


@any_bolus(
    "BOLUS_ORDER_RESERVOIR",
    Severity.HARD,
    source="arithmetic",
    why="The reservoir does not hold what the bolus, and the program under it, would move.",
)
def bolus_order_reservoir(case: OnPump) -> Iterator[Seen]:
    """The reservoir holds enough for everything that is moved meanwhile."""
    effect, left = case.effect, case.pump.reservoir
    if effect is not None and effect.moved > left.quanta:
        needs = volume_text(round_up(effect.moved))
        yield Seen(f"{needs} are needed, and {left} are left", value=needs, limit=str(left))


@any_bolus(
    "BOLUS_ORDER_LOW",
    Severity.NOTE,
    source="arithmetic",
    why="The bolus brings the reservoir to its alarm volume: plan the refill. The low date is "
    "computed anew after every bolus.",
)
def bolus_order_low(case: OnPump) -> Iterator[Seen]:
    """Say where the bolus brings the reservoir to its alarm volume."""
    effect, left, alarm = case.effect, case.pump.reservoir, case.pump.low_alarm
    if effect is None or left <= alarm or effect.moved > left.quanta:
        return
    after = Volume(round_down(left.quanta - effect.moved))
    if after <= alarm:
        yield Seen(
            f"it leaves {after} in the reservoir, and the alarm volume is {alarm}",
            value=str(after),
            limit=str(alarm),
        )
