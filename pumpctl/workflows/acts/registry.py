"""From a plan file to its act: one reader for each kind.

Everything that a plan says of its act is in its program, its patient and `order`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pumpctl.errors import InputRefused, PlanUnreadable, QuantityError
from pumpctl.station.plan import Kind, Plan
from pumpctl.wire.fields import WireError
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.acts.boluses import planned_bolus
from pumpctl.workflows.acts.bridges import planned_bridge
from pumpctl.workflows.acts.clocks import planned_clock
from pumpctl.workflows.acts.implants import planned_implant
from pumpctl.workflows.acts.patients import planned_patient
from pumpctl.workflows.acts.primes import planned_prime
from pumpctl.workflows.acts.programs import planned_program
from pumpctl.workflows.acts.refills import planned_refill
from pumpctl.workflows.acts.resumes import planned_resume

_READERS: Mapping[Kind, Callable[[Plan], Act]] = {
    "program": planned_program,
    "resume": planned_resume,
    "prime": planned_prime,
    "patient": planned_patient,
    "implant": planned_implant,
    "bolus": planned_bolus,
    "bridge": planned_bridge,
    "refill": planned_refill,
    "clock": planned_clock,
}


def act_of(plan: Plan) -> Act:
    """The act that a plan file holds; PlanUnreadable where it holds none."""
    try:
        return _READERS[plan.kind](plan)
    except (ValueError, KeyError, TypeError, WireError, QuantityError, InputRefused) as error:
        raise PlanUnreadable(f"the plan holds no {plan.kind}: {error}") from error
