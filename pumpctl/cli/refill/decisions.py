"""The steps of a guided refill that are decided at a desk: order, program, bridge, next visit."""

from __future__ import annotations

from pathlib import Path

from pumpctl.cli import context
from pumpctl.cli.refill import screens
from pumpctl.cli.refill.prompts import Prompts, hard, read, say
from pumpctl.errors import LimitHard, PumpctlError
from pumpctl.therapy.bridge import BridgePlan, Impossible
from pumpctl.therapy.moment import Date
from pumpctl.therapy.visit_shape import longest
from pumpctl.workflows.refill import guide
from pumpctl.workflows.refill.answers import chosen_values
from pumpctl.workflows.refill.steps import Step
from pumpctl.workflows.road.programs import read_profile_file


def program(prompts: Prompts) -> None:
    """The present one, or a checked profile for this patient and for what went in."""
    asking = prompts.asking
    screens.show([screens.heading("the program that runs afterwards")])
    offer = guide.offered(asking.told, asking.seen)
    if offer is not None:
        screens.show(screens.offer(offer))
    keeps = "" if offer is not None else '"keep" for the present program, or '
    while True:
        text = prompts.typed(f"Type {keeps}the path of a profile: ")
        if text == "keep" and offer is None:
            asking.answer(Step.PROGRAM, chosen_values(None))
            return
        try:
            profile, program = read_profile_file(context.station(), Path(text).expanduser())
        except LimitHard as error:
            say(error)
            told = error.findings if isinstance(error.findings, tuple) else ()
            screens.show(screens.findings(each for each in told if hard(each)))
            continue
        except PumpctlError as error:
            say(error)
            continue
        steps = asking.told
        fluid = (steps.drug, steps.concentration)
        if profile.patient.tag != prompts.tag:
            screens.show(screens.said("That profile is another patient's.", "bold red"))
        elif (program.drug, program.concentration) != fluid:
            text = f"That profile is for {program.drug} {program.concentration}."
            screens.show(screens.said(text, "bold red"))
        else:
            asking.answer(Step.PROGRAM, chosen_values((profile, program)))
            return


def bridge(prompts: Prompts) -> None:
    """The plan for the line, which is left out only for a reason."""
    asking = prompts.asking
    screens.show([screens.heading("the line still holds the old drug")])
    steps = asking.told
    if steps.injected is None:
        steps = guide.rehearsed(steps, asking.seen)
    line = asking.preview(prompts.tag, steps._replace(bridge=None)).act.line
    if isinstance(line, BridgePlan):
        screens.show(screens.bridge(line))
        word = prompts.word('Type "bridge", or "leave out": ', ["bridge", "leave out"])
    elif isinstance(line, Impossible):
        screens.show(screens.no_bridge(line))
        word = prompts.word('Type "leave out", or Ctrl-C to do that first: ', ["leave out"])
    else:
        asking.answer(Step.BRIDGE, {"bridge": "not needed"})
        return
    if word == "leave out":
        why = prompts.reason("Why is the bridge left out? ")
        asking.answer(Step.REASON, {"finding": "BRIDGE_LEFT_OUT", "reason": why})
    asking.answer(Step.BRIDGE, {"bridge": "planned" if word == "bridge" else "left out"})


def next_visit(prompts: Prompts) -> None:
    """When the next refill is planned, against which the fill is held."""
    while True:
        text = prompts.typed('Next refill visit, as 2027-03-01, or "not planned": ')
        if text == "not planned":
            prompts.asking.answer(Step.NEXT_VISIT, {"date": None})
            return
        date = read(Date.parse, text)
        if date is not None:
            prompts.asking.answer(Step.NEXT_VISIT, {"date": str(date)})
            return


def prescriber(prompts: Prompts) -> None:
    """Who ordered it."""
    name = prompts.text("Prescriber: ", longest("order", "prescriber"))
    prompts.asking.answer(Step.PRESCRIBER, {"name": name})


def reference(prompts: Prompts) -> None:
    """The order's; one that was applied on this pump before is taken no second time."""
    while True:
        text = prompts.text("Reference of the order: ", longest("order", "reference"))
        at = prompts.asking.was_applied(text)
        if at is None:
            prompts.asking.answer(Step.REFERENCE, {"reference": text})
            return
        screens.show(screens.said(f"Order {text} was applied at {at}: one order is one refill."))
