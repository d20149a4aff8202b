"""A program's whole road: profile file to plan, plan to pump, in one go or in two.

Everything that changes therapy comes through `plan_act` and `apply_act`; the
kinds differ only in their act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pumpctl.errors import LimitHard, StoreError, WrongPump
from pumpctl.station.journal import Journal
from pumpctl.station.plan import Plan, read_plan, write_plan
from pumpctl.station.unrecorded import Unrecorded
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.profile import Profile
from pumpctl.therapy.program import Program
from pumpctl.workflows.acts.act import Act
from pumpctl.workflows.acts.programs import ProgramAct
from pumpctl.workflows.acts.registry import act_of
from pumpctl.workflows.acts.resumes import ResumeAct
from pumpctl.workflows.decide.profiles import read_profile_path
from pumpctl.workflows.library.libraries import library_in_force, need_valid
from pumpctl.workflows.road.applying import (
    AppliedPlan,
    apply_plan,
    check_open_soft,
    check_token,
)
from pumpctl.workflows.road.planning import Planned, make_plan
from pumpctl.workflows.road.second import Endorsement
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

Overrides = tuple[tuple[str, str], ...]


class Confirms(Protocol):
    """Somebody who confirms: raises NotConfirmed, or returns."""

    def ready(self) -> None:
        """Can anybody be asked? Called before a pump is."""

    def confirm(self, planned: Planned) -> None:
        """Show the plan and have its challenge typed."""

    def second(self, planned: Planned) -> Endorsement:
        """Have another person confirm it too; asked only where the plan needs that."""
        ...


def read_profile_file(station: Station, path: Path) -> tuple[Profile, Program]:
    """A profile and its program, held against the library of this station.

    Raises LibraryInvalid where there is no valid one, ProfileSyntax for what cannot be
    read, LimitHard with all findings where a hard one stands in the way.
    """
    library = need_valid(library_in_force(station.home, station.wall().date)).library
    reading = read_profile_path(path, library)
    hard = [finding for finding in reading.findings if finding.severity is Severity.HARD]
    if hard or reading.profile is None or reading.program is None:
        raise LimitHard(
            f"{path}: {len(hard)} hard findings; pumpctl profile check shows them all",
            findings=reading.findings,
        )
    return reading.profile, reading.program


def plan_program(
    station: Station, file: Path, overrides: Overrides, *, keep: Path | None
) -> Planned:
    """Plan a profile's program; write the plan where a place is given."""
    profile, program = read_profile_file(station, file)
    return plan_act(station, lambda _: ProgramAct(profile, program), overrides, keep=keep)


def plan_act(
    station: Station,
    make_act: Callable[[Visit], Act],
    overrides: Overrides,
    *,
    keep: Path | None,
) -> Planned:
    """The first half of the road, for any kind of act: to a plan, written where asked."""
    with opened(station) as (open_visit, journal):
        planned = make_plan(open_visit, journal, make_act(open_visit), overrides)
    if keep is not None:
        write_plan(planned.plan, keep)
    return planned


def push_act(
    station: Station,
    make_act: Callable[[Visit], Act],
    overrides: Overrides,
    confirms: Confirms,
    *,
    keep: Path | None,
) -> AppliedPlan:
    """The one road in one go, for any kind of act.

    No session waits for a person: the pump is asked, the person is asked, and then
    the pump again, as if a script had done it in two steps.
    """
    confirms.ready()
    planned = plan_act(station, make_act, overrides, keep=keep)
    check_open_soft(planned.plan)
    confirms.confirm(planned)
    second = confirms.second(planned) if planned.plan.second else None
    with opened(_for_plan(station, planned.plan)) as (open_visit, journal):
        return apply_plan(open_visit, journal, planned.plan, planned.act, second)


def resume_act(open_visit: Visit) -> ResumeAct:
    """Going on with whatever the pump holds."""
    program, _ = open_visit.pump.program()
    return ResumeAct(program)


def apply_file(station: Station, file: Path, token: str, second: str | None = None) -> AppliedPlan:
    """Apply a plan file with its token: the script's half of the road.

    `second`: the line that a second person got from `confirm --second`.
    """
    plan = read_plan(file)
    check_open_soft(plan)  # such a plan has no token
    check_token(plan, token, station.operator)
    act, endorsement = act_of(plan), None if second is None else Endorsement.parse(second)
    with opened(_for_plan(station, plan)) as (open_visit, journal):
        return apply_plan(open_visit, journal, plan, act, endorsement)


def _for_plan(station: Station, plan: Plan) -> Station:
    """The same station, which refuses any pump but the plan's."""
    if station.only is not None and station.only != plan.pump.serial:
        raise WrongPump(f"the plan is for pump {plan.pump.serial}, not {station.only}")
    return station._replace(only=plan.pump.serial)


@contextmanager
def opened(station: Station) -> Iterator[tuple[Visit, Journal]]:
    """Port, journal and link together: what every change of therapy needs.

    The journal is opened first: a station that cannot write it does not even
    greet a pump in order to change it (AUD-03).
    """
    station.need_port()
    with Journal(station.home.journal) as journal:
        fault = journal.fault()
        if fault is not None:
            raise StoreError(f"the journal is damaged: {fault}", hint="restore it, then try again")
        Unrecorded(station.home.root).record(journal)
        with visit(station, changes=True) as open_visit:
            yield open_visit, journal
