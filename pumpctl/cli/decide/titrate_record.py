"""`titrate --record-response`, and what is on record of the patient's course beside a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.cli.folding import wrap
from pumpctl.cli.profile.ahead import given
from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple

if TYPE_CHECKING:
    from pumpctl.therapy.moment import Moment
    from pumpctl.therapy.profile import Profile
    from pumpctl.workflows.course import dose_history
    from pumpctl.workflows.decide.responses import Response
    from pumpctl.workflows.surroundings import Station

SHOWN = 5
"""Responses on the screen, the last ones; the JSON has all."""


class Told(NamedTuple):
    """The options of a response, as they were given."""

    answer: str | None
    side_effects: str | None
    note: str | None
    replace: int | None
    reason: str | None
    at: str | None

    def alone(self, others: list[object]) -> None:
        """A response goes with nothing that makes a dose, and its words with nothing else."""
        own = {
            "--record-response": self.answer,
            "--side-effects": self.side_effects,
            "--note": self.note,
            "--reason": self.reason,
        }
        for name, text in own.items():
            given(name, text)
        if self.answer is None:
            for name, value in (*own.items(), ("--replace", self.replace)):
                if value is not None:
                    raise UsageError(f"{name} goes with --record-response")
        elif any(each is not None for each in others):
            raise UsageError(
                "--record-response stands alone: write the response down first, then ask"
            )


class Course(NamedTuple):
    """What is known of the course, from the options and from this station's journal."""

    started: Moment | None
    increased: Moment | None
    increased_from: str | None
    """`option` or `journal`, whichever is later."""
    history: dose_history.DoseHistory
    same_program: bool | None
    """Whether the profile is what was last put on the pump from here; None: not known."""
    responses: tuple[Response, ...]
    recorded: Response | None

    def lines(self) -> list[str]:
        """Beneath a screen; nothing where nothing is on record."""
        lines: list[str] = []
        told = self.history.increased
        if told is not None:
            text = f"{told.at}, from this station's journal"
            if told.unknown:
                text += ": NOT KNOWN whether it was applied, run pumpctl resolve"
            if told.rehearsal:
                text += " (a rehearsal)"
            if self.increased_from == "option":
                text += f"; later by --last-increase: {self.increased}"
            lines += _row("last increase", text)
        if self.same_program is False:
            lines += _row(
                "note", "this profile is not the program that was last put on the pump from here"
            )
        for number, each in enumerate(self.responses[-SHOWN:]):
            lines += _row("responses" if not number else "", _response_text(each))
        if lines:
            lines = ["", "On record", *lines]
        if self.recorded is not None:
            lines += ["", f"Recorded as response {self.recorded.number}. No pump was changed."]
        return lines

    def json(self) -> dict[str, Any]:
        """The same as data."""
        told = self.history.increased
        return {
            "last_increase_from": self.increased_from,
            "last_increase_unknown": told.unknown if told is not None else None,
            "same_program": self.same_program,
            "responses": [_response_json(each) for each in self.responses],
            "recorded": None if self.recorded is None else self.recorded.number,
        }


def course_of(
    station: Station,
    profile: Profile,
    now: Moment,
    started: Moment | None,
    increased: Moment | None,
    told: Told,
) -> Course:
    """The course on record, after the response was written down where there is one.

    `started` and `increased` are the options: the later of them and the journal's counts,
    so that they can only make it stricter.
    """
    from pumpctl.therapy.moment import Moment
    from pumpctl.workflows.course.dose_history import dose_history
    from pumpctl.workflows.decide import responses

    recorded = None
    if told.answer is not None:
        every = responses.record(
            station,
            profile,
            told.answer,
            at=None if told.at is None else Moment.parse(told.at),
            side_effects=told.side_effects,
            note=told.note,
            replaces=told.replace,
            reason=told.reason,
        )
        recorded = max(every, key=lambda each: each.number)
    else:
        every = responses.on_record(station, profile.patient.tag)
    history = dose_history(station, profile.patient, now)
    kept = history.increased.at if history.increased is not None else None
    last = _later(increased, kept)
    return Course(
        _later(started, None if history.started is None else history.started.at),
        last,
        None if last is None else "option" if last is increased else "journal",
        history,
        None if history.latest is None else history.latest == profile.program,
        every,
        recorded,
    )


def _later(one: Moment | None, other: Moment | None) -> Moment | None:
    known = [each for each in (one, other) if each is not None]
    return max(known, key=lambda each: each.utc_ms, default=None)


def _response_text(each: Response) -> str:
    from pumpctl.cli.decide.trial_text import zone_text

    text = f"{each.number}: {each.at.label()} {zone_text(each.at)}, {each.answer} at {each.dose}"
    if each.side_effects is not None:
        text += f"; side effects: {each.side_effects}"
    if each.note is not None:
        text += f"; {each.note}"
    if each.replaces is not None:
        text += f" (in place of {each.replaces}: {each.reason})"
    return text


def _response_json(each: Response) -> dict[str, Any]:
    return {
        "number": each.number,
        "at": str(each.at),
        "response": each.answer,
        "daily_dose": str(each.dose),
        "program": each.program,
        "side_effects": each.side_effects,
        "note": each.note,
        "replaces": each.replaces,
        "reason": each.reason,
        "operator": each.operator,
    }


def _row(name: str, text: str) -> list[str]:
    lines = wrap(text, 78 - 24)
    return [f"  {name if not at else '':22}{line}" for at, line in enumerate(lines)]
