"""The second person at the terminal: a name, a passphrase that is not shown, the challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.cli import context
from pumpctl.cli.therapy.confirming import Typed, ask, type_challenge
from pumpctl.cli.therapy.passphrases import ask_hidden
from pumpctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pumpctl.station.plan import Plan
    from pumpctl.workflows.acts.act import Challenge
    from pumpctl.workflows.road.second import Endorsement

_ALONE = (
    "a script needs the line that the second person gets from: "
    "pumpctl --operator NAME confirm PLAN --second"
)


def ask_second(plan: Plan, challenge: Challenge, name: str | None = None) -> Endorsement:
    """Have another person say yes to a plan; NotConfirmed for whatever is none.

    `name`: who it is, where `--operator` has said so (`confirm --second`); asked
    otherwise, and then it is somebody else than who sits here. The challenge is typed
    again: whoever confirms has read the figure. Nothing is signed before it is right.
    """
    from pumpctl.workflows.road.second import check_second, endorse

    Typed(_ALONE).ready()
    station = context.station()
    context.say("\nA second person has to confirm this:")
    context.say("\n".join(f"  {reason}" for reason in plan.second))
    if name is None:
        name = ask("Name of the second person (anything else changes nothing): ").strip()
        if not name:
            raise NotConfirmed("no name was typed")
        if name == station.operator:
            raise NotConfirmed(f"{name} has confirmed it already: somebody else has to")
    check_second(station, plan, name)
    passphrase = ask_hidden(f"Passphrase of {name}: ")
    context.say(f"\n{name}, what you confirm is the plan shown above.")
    type_challenge(challenge)
    return endorse(station, plan, name, passphrase)
