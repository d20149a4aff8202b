"""From a plan file to its act: one reader for each kind.

Everything that a plan says of its act is in its program, its patient and `order`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pumpctl.errors import InputRefused, PlanUnreadable, QuantityError
from pumpctl.station.plan import Kind, Plan
from pumpctl.wire.fields import WireError
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.acts.programs import planned_program
from pumpctl.workflows.acts.resumes import planned_resume

_READERS: Mapping[Kind, Callable[[Plan], Act]] = {
    "program": planned_program,
    "resume": planned_resume,
}


def act_of(plan: Plan) -> Act:
    """The act that a plan file holds; PlanUnreadable where it holds none."""
    try:
        return _READERS[plan.kind](plan)
    except (ValueError, KeyError, TypeError, WireError, QuantityError, InputRefused) as error:
        raise PlanUnreadable(f"the plan holds no {plan.kind}: {error}") from error
