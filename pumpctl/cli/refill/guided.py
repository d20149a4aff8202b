"""A refill step by step on a terminal: who it is, what is asked in which order, what came of it.

What comes next is `workflows/refill/guide`'s matter, the record and the pump are
`workflows/refill/asking`'s. The steps are in `refill_needle` and `refill_decisions`, the
screens in `refill_screens`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pumpctl.cli import context
from pumpctl.cli.refill import decisions as refill_decisions
from pumpctl.cli.refill import needle as refill_needle
from pumpctl.cli.refill import screens
from pumpctl.cli.refill.prompts import GIVE_UP, GivenUp, Prompts, hard, say
from pumpctl.cli.therapy.confirming import Typed
from pumpctl.errors import (
    InputRefused,
    NotConfirmed,
    PlanStale,
    PlanUsed,
    PumpctlError,
    RefillConflict,
    WrongPump,
)
from pumpctl.therapy.findings import Severity
from pumpctl.therapy.patient import tag_hash
from pumpctl.therapy.visit_shape import longest
from pumpctl.workflows.refill import guide
from pumpctl.workflows.refill.asking import APPLIED, Asking
from pumpctl.workflows.refill.guide import Ask
from pumpctl.workflows.refill.once import Recorded
from pumpctl.workflows.refill.steps import Step, Steps

if TYPE_CHECKING:
    from pumpctl.cli.report import Report
    from pumpctl.workflows.road.planning import Planned

_BEHIND = (
    "It goes on behind what is recorded. Where a figure of it is wrong: Ctrl-C, and hand the "
    "visit in as a file, pumpctl refill --file."
)
_OVERTAKEN = (PlanStale, PlanUsed, RefillConflict)
"""The pump was filled meanwhile: no answer mends that."""
SCRIPT = "a script hands the visit in: pumpctl refill --file VISIT --plan-only -o PLAN"


def guided_refill(output: Path | None) -> Report:
    """The whole sequence; NotConfirmed, with how to go on, where it is broken off."""
    from pumpctl.cli.refill.commands import refill_report, repeated_report

    Typed(SCRIPT).ready()
    asking = Asking(context.station())
    unfinished = asking.unfinished()
    if isinstance(unfinished, Recorded):
        return repeated_report(unfinished)
    with _told_how_to_go_on(asking):
        prompts = Prompts(asking)
        identify(prompts, unfinished)
        answer_all(prompts)
        told = guide.visit_of(asking.told, prompts.tag)
        report = refill_report(told, output, Confirming(asking))
    if report.error is None:
        try:
            asking.close(APPLIED)
        except PumpctlError as error:  # the pump has it, and the next visit finds that out
            context.tell(f"the end of this visit is not on record: {error.message}")
            return report._replace(warnings=context.warnings())
    return report


class Confirming(Typed):
    """Confirms, and writes the operation's id down before it can be activated (REF-06)."""

    def __init__(self, asking: Asking) -> None:
        super().__init__(SCRIPT)
        self._asking = asking

    def confirm(self, planned: Planned) -> None:
        """Show the whole change, have its challenge typed, and record which plan it was."""
        screens.show([screens.heading("confirm")])
        super().confirm(planned)
        self._asking.answer(Step.CONFIRMED, {"operation": planned.plan.operation})


@contextmanager
def _told_how_to_go_on(asking: Asking) -> Iterator[None]:
    try:
        yield
    except NotConfirmed as error:
        steps = asking.steps
        if steps is None or steps.closed is not None:
            raise
        raise NotConfirmed(
            f"{error.message}; on record: {screens.summary_of(steps)}",
            hint="nothing was changed on the pump; go on with: pumpctl refill",
        ) from error
    except PumpctlError:
        steps = asking.steps
        if steps is not None and steps.needle and steps.closed is None:
            context.say(f"On record: {screens.summary_of(steps)}. Go on with: pumpctl refill")
        raise


# --- who ------------------------------------------------------------------------------------


def identify(prompts: Prompts, unfinished: Steps | None) -> None:
    """Patient and pump, and the visit that goes on or begins."""
    asking, seen = prompts.asking, prompts.asking.seen
    screens.show(screens.pump(seen))
    warning = context.library().warning
    if warning is not None:
        screens.show(screens.said(warning[1], "bold yellow"))
    prompts.tag = prompts.typed("Patient's tag: ")
    if len(prompts.tag) > longest("patient", "tag"):
        raise InputRefused(f"no tag has more than {longest('patient', 'tag')} characters")
    serial, held = seen.state.serial, seen.state.tag_hash
    if held is not None and tag_hash(serial, prompts.tag) != held:
        raise InputRefused(
            "this pump is another patient's: the tag is not the one that it holds",
            hint="nothing was recorded; is it the right patient, and the right pump?",
        )
    if unfinished is not None and _goes_on(prompts, unfinished):
        return
    if context.given("pump") is None:
        typed = prompts.typed("Pump's serial, from the patient's implant card: ")
        if typed != serial:
            raise WrongPump(
                f"pump {serial} is on this line, the card says {typed}",
                hint="nothing was recorded; look at the card and at the pump's line again",
            )
    asking.begin(prompts.tag)
    if held is None:
        screens.show(screens.said("The pump has no patient yet: this refill assigns it."))


def _goes_on(prompts: Prompts, found: Steps) -> bool:
    """Whether the visit on record is gone on with; else it is closed, with why."""
    asking = prompts.asking
    screens.show([screens.heading("a visit of this pump is not finished")])
    screens.show(screens.recorded(found))
    asking.steps = found
    if asking.is_stale(found):
        screens.show(screens.said("The pump was filled since, by another act: this is over."))
        return _ended(asking, "filled by another act")
    words = ["go on", "end it" if found.needle else "anew"]
    if found.patient != tag_hash(found.serial, prompts.tag):
        screens.show(screens.said("It is of another tag than the one typed.", "bold red"))
        words = words[1:]
    elif asking.is_own(found) and found.needle:
        screens.show(screens.said(_BEHIND))
        return True
    if prompts.word(f"""Type {" or ".join(f'"{word}"' for word in words)}: """, words) == "go on":
        return True
    why = "begun anew"
    if found.needle:
        why = prompts.reason("Why is it ended, with nothing of it on the pump? ")
    return _ended(asking, why)


def _ended(asking: Asking, why: str) -> bool:
    asking.close(why)
    asking.steps = None
    return False


# --- the sequence -----------------------------------------------------------------------------


def answer_all(prompts: Prompts) -> None:
    """Every question until nothing is open, and every finding decided."""
    shown = False
    while True:
        step = guide.next_ask(prompts.asking.told, prompts.asking.seen.fluid)
        if step is Ask.CONFIRM:
            if _decided(prompts):
                return
            continue
        if step is Ask.DRAINED and not shown:
            screens.show(screens.before(prompts.asking.look()))
            _warned(prompts)
            shown = True
        try:
            if step is Ask.INJECTED and not _fit_to_inject(prompts):
                continue
            _ASKED[step](prompts)
        except GivenUp:
            before = prompts.asking.told.drained is None
            what = "port not found ..." if before else "drained but not filled ..."
            why = prompts.reason(
                f"Why is it given up ({what})? ", longest=longest("given_up", "why")
            )
            prompts.asking.answer(Step.GIVEN_UP, {"reason": why})


def _warned(prompts: Prompts) -> None:
    """What would refuse the same drug with the present program, while nothing is drained yet."""
    asking = prompts.asking
    try:
        found = asking.preview(prompts.tag, guide.as_expected(asking.told, asking.seen)).findings
    except _OVERTAKEN:
        raise
    except InputRefused as error:
        screens.show(screens.said(f"BEFORE YOU DRAIN: {error.message}", "bold red"))
        return
    refused = [each for each in found if hard(each)]
    if refused:
        text = "BEFORE YOU DRAIN: the present program would be refused as it is."
        screens.show(screens.said(text, "bold red"))
        screens.show(screens.findings(refused))


def _fit_to_inject(prompts: Prompts) -> bool:
    """Whether nothing refuses this refill already: an injection is not taken back."""
    asking = prompts.asking
    steps = guide.rehearsed(asking.told, asking.look())
    try:
        found = asking.preview(prompts.tag, steps).findings
    except _OVERTAKEN:
        raise
    except InputRefused as error:
        screens.show([screens.heading("do not inject yet")])
        say(error)
        _change(prompts)
        return False
    refused = [each for each in found if hard(each)]
    if not refused:
        return True
    screens.show([screens.heading("do not inject yet")])
    screens.show(screens.findings(refused))
    _change(prompts)
    return False


def _decided(prompts: Prompts) -> bool:
    """Whether nothing stands in the way of a plan; else something was answered now."""
    asking = prompts.asking
    try:
        found = prompts.previewed()
    except _OVERTAKEN:
        raise
    except InputRefused as error:
        say(error)
        _change(prompts)
        return False
    refused = [each for each in found if hard(each)]
    if refused:
        screens.show([screens.heading("refused as it is")])
        screens.show(screens.findings(refused))
        _change(prompts)
        return False
    soft = {each.id: each for each in found if each.severity is Severity.SOFT}
    for name, finding in soft.items():
        if asking.told.reason(name) is None:
            screens.show([screens.heading("needs a reason")])
            screens.show(screens.findings([finding]))
            why = prompts.reason('Why it goes on all the same, or "change": ')
            if why == "change":
                _change(prompts)
            else:
                asking.answer(Step.REASON, {"finding": name, "reason": why})
            return False
    asking.only_reasons(frozenset(soft))
    return True


def _change(prompts: Prompts) -> None:
    """Something that no needle has measured is answered again."""
    if prompts.asking.told.given_up is not None:
        raise InputRefused("a refill that was given up is refused as it is")
    may_give_up = guide.may_give_up(prompts.asking.told)
    words = [each.value for each in guide.changeable(prompts.asking.told)]
    screens.show(screens.said(f"  May be changed: {', '.join(words)}."))
    instead = f", or {GIVE_UP}" if may_give_up else ""
    word = prompts.word(f"Type which{instead}: ", words, may_give_up=may_give_up)
    _ASKED[Ask(word)](prompts)


_ASKED: Final[Mapping[Ask, Callable[[Prompts], None]]] = {
    Ask.PRESCRIBER: refill_decisions.prescriber,
    Ask.REFERENCE: refill_decisions.reference,
    Ask.DRAINED: refill_needle.drained,
    Ask.DECISION: refill_needle.decision,
    Ask.DRUG: refill_needle.drug,
    Ask.CONCENTRATION: refill_needle.concentration,
    Ask.AMPOULE: refill_needle.ampoule,
    Ask.LOT: refill_needle.lot,
    Ask.EXPIRY: refill_needle.expiry,
    Ask.INJECTED: refill_needle.injected,
    Ask.LEFT: refill_needle.left,
    Ask.PROGRAM: refill_decisions.program,
    Ask.BRIDGE: refill_decisions.bridge,
    Ask.NEXT_VISIT: refill_decisions.next_visit,
}
