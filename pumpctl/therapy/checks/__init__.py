"""Every check, and the three ways to run them.

`check_draft` is for the profile reader, `check_program` for a profile or a
program by itself, `check_change` for the same beside the pump that it is to
run on. Each gives all its findings at once, hard ones first. The checks stand in
the files named for their ideas; `rules` lists every id that can ever be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumpctl.errors import InternalError
from pumpctl.therapy.checks import (  # noqa: F401  (imported so that they register)
    daily,
    declared,
    doses,
    drug,
    pace,
    pump_range,
    rates,
    schedule,
    setting,
    single,
    sliding,
)
from pumpctl.therapy.checks.registry import (
    EVERY_KIND,
    Case,
    PumpCase,
    check,
    pump_check,
)
from pumpctl.therapy.draft import Draft, draft_of
from pumpctl.therapy.findings import Fault, Finding, Rule, Severity, placed
from pumpctl.therapy.library import Library
from pumpctl.therapy.library_default import DEFAULT
from pumpctl.therapy.program import Program

if TYPE_CHECKING:
    from pumpctl.therapy.library_draft import LibraryDraft
    from pumpctl.therapy.moment import Date, Moment
    from pumpctl.therapy.past import Past
    from pumpctl.therapy.profile import Profile
    from pumpctl.therapy.state import PumpState

__all__ = ["check_change", "check_draft", "check_library", "check_program", "rules"]


def check_draft(draft: Draft, library: Library = DEFAULT) -> tuple[Finding, ...]:
    """All findings of a profile as it was read: its shape's faults and every check."""
    faults = [*draft.faults, *check.run(Case(draft, library))]
    _has_a_reason(draft, faults)
    return placed(faults, draft.text)


def check_program(subject: Profile | Program, library: Library = DEFAULT) -> tuple[Finding, ...]:
    """All findings of a profile, or of a program from elsewhere, by itself."""
    return check_draft(_draft(subject), library)


def check_change(
    subject: Profile | Program,
    pump: PumpState,
    *,
    station_now: Moment,
    library: Library = DEFAULT,
    past: Past | None = None,
    changed: int | None = None,
) -> tuple[Finding, ...]:
    """All findings of bringing a profile, or a program, onto this pump.

    Those of `check_program` are among them: this one call is all that a plan
    needs. `station_now` is the station's clock, with its offset; `past` what is known
    of the patient's course, without which the label's rules of time are silent, and
    `changed` when the program was changed all the same (`PumpCase`).
    """
    _register_pump_checks()
    draft = _draft(subject)
    program = subject if isinstance(subject, Program) else subject.program
    faults = [
        *draft.faults,
        *check.run(Case(draft, library, with_pump=True)),
        *pump_check.run(PumpCase(draft, library, program, pump, station_now, past, changed)),
    ]
    return placed(faults, draft.text)


def check_library(draft: LibraryDraft, today: Date | None = None) -> tuple[Finding, ...]:
    """All findings of a drug library as it was read; `today` says whether it has expired."""
    from pumpctl.therapy.checks import library_limits  # noqa: F401
    from pumpctl.therapy.checks.libraries import LibraryCase, library_check

    return placed([*draft.faults, *library_check.run(LibraryCase(draft, today))], draft.text)


def rules() -> dict[str, Rule]:
    """Every finding that there can be, by id."""
    from pumpctl.therapy import library_shape, profile_shape, visit_shape, walk
    from pumpctl.therapy.checks import (  # noqa: F401  (so that they register)
        bolus_state,
        clocks,
        implants,
        library_limits,
        line_record,
        refill_drug,
        refill_volume,
        refills,
    )

    _register_pump_checks()
    every = {**walk.RULES, **profile_shape.RULES, **library_shape.RULES, **visit_shape.RULES}
    for kind in EVERY_KIND:
        for name, each in kind.by_id.items():
            if name not in every or every[name].severity is not Severity.HARD:
                every[name] = each.rule  # of several kinds' the gravest is told
    return dict(sorted(every.items()))


def _register_pump_checks() -> None:
    """What needs a pump is loaded with the first pump: a profile check stays quick."""
    from pumpctl.therapy.checks import (  # noqa: F401
        ahead,
        change,
        condition,
        identity,
        label_rules,
        library_age,
        pause,
    )


def _draft(subject: Profile | Program) -> Draft:
    return draft_of(subject) if isinstance(subject, Program) else subject.draft


def _has_a_reason(draft: Draft, faults: list[Fault]) -> None:
    """Nothing that is no program leaves here without a hard finding that says why."""
    hard = any((seen.severity or rule.severity) is Severity.HARD for rule, seen in faults)
    if draft.program is None and not hard:
        raise InternalError("a profile makes no program, and no check says why")
