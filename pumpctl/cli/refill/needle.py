"""The steps of a guided refill with a needle in the patient: drain, decide, drug, inject.

A number that sets a volume is typed twice, the second time with its meaning in sight,
unless the pump's own expectation bears it out. What is measured is written down at once.
"""

from __future__ import annotations

import re

from pumpctl.cli.refill import screens
from pumpctl.cli.refill.prompts import GIVE_UP, GivenUp, Prompts, hard, read, same_volume
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.moment import DAY_MS, MINUTE_MS, Moment
from pumpctl.therapy.refill import Ampoule, Meaning
from pumpctl.therapy.visit_shape import longest
from pumpctl.workflows.refill import guide
from pumpctl.workflows.refill.answers import (
    Drained,
    Filled,
    ampoule_values,
    drained_values,
    filled_values,
)
from pumpctl.workflows.refill.guide import Ask
from pumpctl.workflows.refill.steps import Step

_NOT_READ = "not read"
_CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def drained(prompts: Prompts) -> None:
    """Drain, type, compare; typed again beyond what is expected, or drained again.

    Given up after a volume was typed, that volume has left the reservoir: it goes on record,
    so that what is left is asked for.
    """
    text = f'Drain now. Port not found, or no fill possible: "{GIVE_UP}", until the injection.'
    screens.show(screens.said(text))
    typed: Drained | None = None
    asking = prompts.asking
    while True:
        try:
            volume = prompts.quantity(Volume, "Drained volume, with its unit: ", may_give_up=True)
        except GivenUp:
            if typed is not None:
                asking.answer(Step.DRAINED, drained_values(typed))
            raise
        found = asking.look().drained(volume)
        steps = asking.told._replace(drained=found)
        spoken = guide.speaks(Ask.DRAINED, steps, asking.seen)
        screens.show(screens.drained(found.discrepancy))
        if any(each.id == "REFILL_DRAINED" and hard(each) for each in spoken):
            screens.show(screens.findings(spoken))
            continue
        within = found.discrepancy.meaning is Meaning.WITHIN
        if within or (typed is not None and typed.volume == volume):
            asking.answer(Step.DRAINED, drained_values(found))
            screens.show(screens.said("Recorded."))
            return
        typed = found
        screens.show(
            screens.said(
                "Was it drained fully? If not, drain again and type the TOTAL. "
                f"Otherwise type {volume} again to record it."
            )
        )


def decision(prompts: Prompts) -> None:
    """Beyond the band it goes on for a reason only; a suspected non-delivery says why."""
    asking = prompts.asking
    screens.show([screens.heading("decide on the difference")])
    spoken = guide.speaks(Ask.DRAINED, asking.told, asking.seen)
    screens.show(screens.findings(spoken))
    offer = guide.offered(asking.told, asking.seen)
    if offer is not None:
        screens.show(screens.offer(offer))
    why = prompts.reason(f"Why the refill goes on, or {GIVE_UP}: ", may_give_up=True)
    asking.answer(Step.REASON, {"finding": guide.DECIDED, "reason": why})


def drug(prompts: Prompts) -> None:
    """By its name, from the library's closed list."""
    screens.show([screens.heading("the drug, as printed on it")])
    screens.show(screens.closed_list(prompts.asking.seen))
    prompts.until_taken(
        Ask.DRUG,
        lambda: prompts.typed("Drug: ", may_give_up=True),
        lambda steps, name: steps._replace(drug=name),
        lambda name: {"name": name},
    )


def concentration(prompts: Prompts) -> None:
    """Typed as it is printed, from the closed list of this drug."""
    screens.show(screens.closed_list(prompts.asking.seen, prompts.asking.told.drug))
    prompts.until_taken(
        Ask.CONCENTRATION,
        lambda: prompts.quantity(Concentration, "Concentration, with its unit: ", may_give_up=True),
        lambda steps, found: steps._replace(concentration=found),
        lambda found: {"concentration": str(found)},
    )


def ampoule(prompts: Prompts) -> None:
    """What is printed on it must make the concentration that was typed."""
    screens.show([screens.look_alikes()])
    while True:
        text = prompts.typed(
            'Printed on the ampoule, as "10 mg/5 mL"; "concentration" to change it;\n'
            f'"{_NOT_READ}" if nobody reads it: ',
            may_give_up=True,
        )
        if text == "concentration":
            concentration(prompts)
            continue
        found = None if text == _NOT_READ else _printed(text)
        if text != _NOT_READ and found is None:
            continue
        steps = prompts.asking.told._replace(ampoule=found)
        if prompts.refused(Ask.AMPOULE, steps):
            continue
        prompts.asking.answer(Step.AMPOULE, ampoule_values(found))
        return


def lot(prompts: Prompts) -> None:
    """As it is printed, so that a recall finds the patient."""
    text = prompts.text("Lot, as printed: ", longest("drug", "lot"), may_give_up=True)
    prompts.asking.answer(Step.LOT, {"lot": text})


def expiry(prompts: Prompts) -> None:
    """An expired drug is refused."""
    prompts.until_taken(
        Ask.EXPIRY,
        lambda: prompts.date("Expiry, its last day, as 2027-08-31: ", may_give_up=True),
        lambda steps, found: steps._replace(expiry=found),
        lambda found: {"expiry": str(found)},
    )


def injected(prompts: Prompts) -> None:
    """The volume, typed twice; the pump's pulses are read when it is typed first."""
    asking, drug = prompts.asking, prompts.asking.told
    screens.show([screens.heading("inject now")])
    screens.show(
        screens.said(
            f"INJECT {drug.drug} {drug.concentration}, at most {asking.seen.state.capacity}. "
            "Aspirate to see that the needle is in the reservoir. When it is in, type what "
            'went in; if that was before now, its time too: "40 mL at 10:05".'
        )
    )
    while True:
        text = prompts.typed("Injected volume, with its unit: ", may_give_up=True)
        volume_text, _, clock = (part.strip() for part in text.partition(" at "))
        volume = read(Volume.parse, volume_text)
        at = _today(prompts, clock) if clock else None
        if volume is None or (clock and at is None):
            continue
        seen = asking.look()
        since = None if at is not None else seen.state.pulses
        filled = Filled(volume, at or seen.now, since)
        if prompts.refused(Ask.INJECTED, asking.told._replace(injected=filled)):
            continue
        screens.show(screens.injected(volume, asking.told, seen.program, seen.now))
        again = prompts.typed(f"Type {volume} again to record it: ", may_give_up=False)
        if not same_volume(again, volume):
            screens.show(screens.said("That is another volume: nothing was recorded."))
            continue
        asking.answer(Step.INJECTED, filled_values(filled))
        break
    spoken = [each for each in prompts.previewed() if each.id in guide.SENSOR]
    screens.show(screens.findings(spoken))


def _today(prompts: Prompts, clock: str) -> Moment | None:
    """`10:05` of this day, by the station's clock; None, said, where it is no such time."""
    now = prompts.asking.now
    if _CLOCK.fullmatch(clock):
        hour, minute = map(int, clock.split(":"))
        at = now.plus((hour * 60 + minute) * MINUTE_MS - now.label_ms % DAY_MS)
        if at.utc_ms <= now.utc_ms:
            return at
    screens.show(screens.said(f"{clock} is no time of today that has passed."))
    return None


def left(prompts: Prompts) -> None:
    """Of a refill that was given up after the drain: what the pump will reckon with."""
    drained = prompts.asking.told.drained
    assert drained is not None  # noqa: S101  asked only after a drain
    screens.show([screens.heading("given up: what is still inside?")])
    screens.show(screens.drained(drained.discrepancy))
    while True:
        volume = prompts.quantity(Volume, "Left in the reservoir, 0 mL if it is empty: ")
        again = prompts.typed(f"  {volume} are inside. Type it again to record it: ")
        if same_volume(again, volume):
            prompts.asking.answer(Step.LEFT, {"volume": str(volume)})
            return


def _printed(text: str) -> Ampoule | None:
    """`10 mg/5 mL`, or `10 mg in 5 mL`."""
    mass, mark, volume = text.replace(" in ", "/").partition("/")
    if not mark:
        screens.show(screens.said('Mass and volume are wanted, as "10 mg/5 mL".', "yellow"))
        return None
    found_mass, found_volume = read(Mass.parse, mass.strip()), None
    if found_mass is not None:
        found_volume = read(Volume.parse, volume.strip())
    if found_mass is None or found_volume is None:
        return None
    return Ampoule(found_mass, found_volume)
