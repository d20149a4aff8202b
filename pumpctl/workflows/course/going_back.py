"""Going back to an earlier program: a new plan, with every check that any program has.

The program's bytes come from the history, the patient is whoever the pump holds, and
what the label's rules ask is as the newest plan for that patient said. The one road
does the rest; an older program at another concentration is refused there.
"""

from __future__ import annotations

from collections.abc import Callable

from pumpctl.errors import InputRefused, UsageError
from pumpctl.therapy.patient import Patient
from pumpctl.therapy.program import Program
from pumpctl.workflows.acts.programs import ProgramAct, program_act
from pumpctl.workflows.course.history import History, Ours, history_of
from pumpctl.workflows.visit import Visit

LEAST_DIGITS = 8
"""So many digits of a hash name a program (the history's screen shows as many)."""
_HEX = frozenset("0123456789abcdef")


def read_digits(text: str) -> str:
    """The beginning of a program's hash, as it was typed; UsageError for anything else."""
    digits = text.strip().lower()
    if len(digits) < LEAST_DIGITS or len(digits) > 64 or not _HEX.issuperset(digits):
        raise UsageError(
            f"--back-to {text!r}: {LEAST_DIGITS} or more digits of a program's hash are wanted",
            hint="pumpctl program history shows the hashes",
        )
    return digits


def back_to(digits: str) -> Callable[[Visit], ProgramAct]:
    """An earlier program of the pump on the line, once more, for whoever the pump holds.

    Raises InputRefused where no program of this patient has this hash, or more than one.
    """

    def make(open_visit: Visit) -> ProgramAct:
        found = history_of(open_visit)
        program = _chosen(found, digits)
        return program_act(program, _whom(open_visit, found))

    return make


def _chosen(found: History, digits: str) -> Program:
    since = _assigned_at(found)
    fitting = {
        each.hash: each
        for each in found.held
        if each.hash is not None and each.hash.hex().startswith(digits)
    }
    if len(fitting) > 1:
        raise InputRefused(
            f"{len(fitting)} programs of this pump have a hash that begins with {digits}",
            hint="give more digits; pumpctl program history --json shows all of them",
        )
    chosen = next(iter(fitting.values()), None)
    if chosen is None:
        end = f": {found.incomplete}" if found.incomplete else ""
        raise InputRefused(
            f"this pump ran no program {digits} that is known here{end}",
            hint="pumpctl program history shows what it ran; else write a profile",
        )
    if found.state.program_hash == chosen.hash:
        raise InputRefused(
            f"program {digits} is the one that the pump holds",
            hint="a stopped pump goes on with it by pumpctl resume",
        )
    last = max(
        each.end_counter_ms or found.state.counter_ms
        for each in found.held
        if each.hash == chosen.hash
    )
    if last <= since:
        raise InputRefused(
            f"program {digits} ran before the pump was given to another patient",
            hint="write a profile for this patient",
        )
    return chosen.program


def _assigned_at(found: History) -> int:
    """When the pump's patient was last set; what ran before that may be another's."""
    set_ = (
        each.counter_ms for each in found.course.neutral if each.get("operation_kind") == "PATIENT"
    )
    return max(set_, default=-1)


def _whom(open_visit: Visit, found: History) -> Patient:
    """Of what kind the pump's patient is, as the newest plan from here for the same one said."""
    tag = found.state.tag_hash
    ours = Ours(open_visit.station, open_visit.serial).entries()
    done = {
        each.operation
        for each in ours
        if each.kind in ("outcome", "resolved") and each.body.get("outcome") == "applied"
    }
    for entry in reversed(ours):
        rules = entry.body.get("label_rules")
        if entry.kind != "intent" or entry.operation not in done or not isinstance(rules, dict):
            continue
        if tag is not None and entry.body.get("tag") == tag.hex():
            history_word = rules.get("history")
            return Patient(
                "",
                str(rules["spasticity_origin"]),
                str(rules["age_group"]),
                None if history_word is None else str(history_word),
            )
    raise InputRefused(
        "no plan from here says for what kind of patient this pump is",
        hint="push a profile; pumpctl profile new writes one",
    )
