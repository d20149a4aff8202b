"""Verdicts: does what the station said agree with what is true of the pump?

Pure functions. Every line that they return is a lie, a mixture or a promise
broken; an empty tuple is a trial that went as it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.rig import Said
from tests.faults.truth import Stored, Truth, Written

_ENDS_WITHIN_S = 30.0
_STARTUP_S = 5.0
"""What a loaded computer may take to start Python; the promise is about the asking."""
_OUTCOMES = {"yes": "applied", "no": "refused", "unknown": "unknown"}


class Facts(NamedTuple):
    """One trial, from the kill to the plan's second application."""

    base: int
    """State version that the plan was made for."""
    expected: str | None
    """`old` or `new` where only one can be, by the place of the cut."""
    said: Said
    flash: Stored
    """Before anything was started again."""
    truth: Truth
    """After that, before anybody asked the pump."""
    written: Written
    resolved: Said
    written_after: Written
    truth_after: Truth
    status: Said
    status_program: str
    again: Said
    """The same plan applied once more."""
    truth_at_end: Truth
    flash_at_end: Stored
    blocked: Said | None = None
    """Another plan, asked for while the operation was open."""
    following: tuple[Said, ...] = ()
    """A sample: the next profile planned and applied."""
    next_runs: bool = True


def faults(facts: Facts) -> tuple[str, ...]:
    """Everything that is wrong with a trial."""
    return (
        *_whole(facts),
        *_speech(facts.said, facts.truth),
        *_place(facts),
        *_record(facts),
        *_resolution(facts),
        *_status(facts),
        *_second(facts),
        *_sample(facts),
    )


def _whole(facts: Facts) -> Iterator[str]:
    """Whole old or whole new, and the same everywhere."""
    for name, flash in (("", facts.flash), (" at the end", facts.flash_at_end)):
        for fault in flash.mixed:
            yield f"mixed state{name}: {fault}"
    for name, truth in (
        ("", facts.truth),
        (" after resolve", facts.truth_after),
        (" at the end", facts.truth_at_end),
    ):
        if truth.program not in ("old", "new"):
            yield f"neither the old nor the new program runs{name}: {truth.program}"
        applied = truth.operation == "applied"
        if applied != (truth.program == "new"):
            yield f"the ledger{name} says {truth.operation}, the {truth.program} program runs"
        if truth.state_version != facts.base + applied:
            yield f"state version {truth.state_version}{name}, {truth.program} program"
        if truth.delivery not in ("delivering", "bolus"):
            yield f"the pump is {truth.delivery}{name}"
        if truth.alarms:
            yield f"alarms{name}: {', '.join(truth.alarms)}"
    seen = facts.flash.program, facts.flash.state_version, facts.flash.operation
    if seen != facts.truth[:3]:
        yield f"the flash held {seen}, the started pump says {facts.truth[:3]}"
    last = facts.flash_at_end.program, facts.flash_at_end.state_version
    if last != facts.truth_at_end[:2]:
        yield f"the flash holds {last} at the end, the pump says {facts.truth_at_end[:2]}"


def _speech(said: Said, truth: Truth) -> Iterator[str]:
    """Exit code, `changed` and `outcome` against the truth, and against one another."""
    if said.seconds > _ENDS_WITHIN_S + _STARTUP_S:
        yield f"apply took {said.seconds:.0f} s"
    if "Traceback" in said.stderr:
        yield "a traceback"
    if said.exit is None:
        if said.document is not None and said.document.get("ok") and truth.program != "new":
            yield "a killed station had said that it applied"
        return
    if said.document is None:
        yield f"exit {said.exit} without a JSON document"
        return
    yield from (_success if said.exit == 0 else _failure)(said, truth)


def _success(said: Said, truth: Truth) -> Iterator[str]:
    outcome = said.data.get("outcome")
    if truth.program != "new":
        yield "LIE: exit 0, and the pump runs the old program"
    if outcome != "applied" or said.data.get("verified") is not True:
        yield f"exit 0 with outcome {outcome}"
    if said.data.get("state_version") != truth.state_version:
        yield "exit 0 with another state version than the pump's"


def _failure(said: Said, truth: Truth) -> Iterator[str]:
    outcome, changed = said.data.get("outcome"), str(said.error.get("changed"))
    if changed == "yes" and truth.program != "new":
        yield f"LIE: exit {said.exit}, changed yes, and the pump runs the old program"
    if changed == "no" and truth.program != "old":
        yield f"LIE: exit {said.exit}, changed no, and the pump runs the new program"
    if changed not in _OUTCOMES or outcome not in (None, _OUTCOMES.get(changed)):
        yield f"changed {changed} beside outcome {outcome}"
    if said.error.get("exit") != said.exit:
        yield f"exit {said.exit}, and {said.error.get('exit')} in the document"
    allowed = {7: "unknown", 12: "yes"}.get(said.exit or 0, "no")
    if said.exit != 11 and changed != allowed:
        yield f"exit {said.exit} with changed {changed}"
    if said.exit == 1:
        yield "exit 1, a bug"


def _place(facts: Facts) -> Iterator[str]:
    """The place of the cut allows only one truth."""
    if facts.expected is not None and facts.truth.program != facts.expected:
        yield f"the {facts.truth.program} program runs where only the {facts.expected} one can"
    unknown = facts.said.exit == 7
    if unknown and "intent" not in facts.written.kinds:
        yield "unknown was said without an intent in the journal"


def _record(facts: Facts) -> Iterator[str]:
    """The journal holds the intent before the pump holds the change (AUD-01)."""
    if facts.written_after.fault is not None:
        yield f"the journal: {facts.written_after.fault}"
    if facts.truth.program == "new" and "intent" not in facts.written.kinds:
        yield "LIE: the pump was changed, and the journal holds no intent of it"
    for written, truth in (
        (facts.written, facts.truth),
        (facts.written_after, facts.truth_after),
    ):
        told = {"applied": "new", "refused": "old"}.get(str(written.outcome))
        if told is not None and truth.program != told:
            yield f"LIE: the journal says {written.outcome}, the {truth.program} program runs"
    if facts.written_after.open:
        yield "the operation is still open after resolve"


def _resolution(facts: Facts) -> Iterator[str]:
    """What resolve said, and that it changed nothing."""
    said, outcome = facts.resolved, facts.resolved.data.get("outcome")
    if facts.truth_after.program != facts.truth.program:
        yield "LIE: the program changed while it was being resolved"
    if said.exit != 0:
        yield f"resolve ended with exit {said.exit}: {said.error.get('message')}"
        return
    if outcome == "applied" and facts.truth_after.program != "new":
        yield "LIE: resolve says applied, and the pump runs the old program"
    if outcome == "refused" and facts.truth_after.program != "old":
        yield "LIE: resolve says refused, and the pump runs the new program"
    if outcome == "refused" and facts.truth_after.operation != "void":
        yield "resolve says refused, and the pump does not hold the operation as void"
    if outcome is not None and said.data.get("state_version") != facts.truth_after.state_version:
        yield "resolve names another state version than the pump's"
    if outcome is None and facts.written.open:
        yield "resolve says that nothing is open, and something was"
    if outcome is not None and not facts.written.open:
        yield f"resolve says {outcome}, and nothing was open"
    known = facts.written.outcome == "applied" or facts.said.exit == 0
    if outcome is None and facts.truth.program == "new" and not known:
        yield "LIE: resolve says that nothing is open, and the pump was changed unrecorded"


def _status(facts: Facts) -> Iterator[str]:
    """The next status tells the same."""
    if facts.status.exit != 0:
        yield f"status ended with exit {facts.status.exit}"
        return
    data = facts.status.data
    if data.get("state_version") != facts.truth_after.state_version:
        yield "status tells another state version"
    if facts.status_program != facts.truth_after.program:
        yield f"status tells the {facts.status_program} program"
    if data.get("unresolved") is not None:
        yield "status still shows something unresolved"


def _second(facts: Facts) -> Iterator[str]:
    """A plan applies at most once."""
    code = facts.again.error.get("code")
    used = facts.truth_after.program == "new" or bool(facts.written_after.kinds)
    used = used or facts.truth_after.operation is not None
    if used:
        if facts.again.exit != 3 or code != "PLAN_USED":
            yield f"the used plan was answered with exit {facts.again.exit}, {code}"
        if facts.truth_at_end != facts.truth_after:
            yield "LIE: applying the used plan changed the pump"
    else:
        yield from _speech(facts.again, facts.truth_at_end)
        if facts.again.exit != 0:
            yield f"the unused plan was answered with exit {facts.again.exit}, {code}"


def _sample(facts: Facts) -> Iterator[str]:
    """While something is unresolved a plan is refused; afterwards the next plan goes through."""
    if facts.blocked is not None:
        found = facts.blocked.exit, facts.blocked.error.get("code")
        if found != (10, "UNRESOLVED"):
            yield f"a plan while something is unresolved was answered with {found}"
    for said in facts.following:
        if said.exit != 0:
            yield f"the next plan: exit {said.exit}, {said.error.get('message')}"
    if not facts.next_runs:
        yield "the next plan was applied, and its program does not run"
