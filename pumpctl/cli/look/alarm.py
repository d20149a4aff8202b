"""`alarm test`: does somebody hear this pump? It changes nothing that is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pumpctl.cli import context
from pumpctl.cli.lazy import typer
from pumpctl.cli.report import Report
from pumpctl.errors import AlarmNotHeard, NotConfirmed, PumpctlError, UsageError

if TYPE_CHECKING:
    from pumpctl.workflows.alarm_testing import Sounded

_HEARD = {True: "HEARD", False: "NOT HEARD", None: "not known: nobody has said"}


def sound(
    priority: Annotated[
        str,
        typer.Option(
            "--priority", metavar="critical|non-critical", help="Which signal; critical by itself."
        ),
    ] = "critical",
    heard: Annotated[
        str,
        typer.Option(
            "--heard", metavar="yes|no", help="Answer for the last test; nothing sounds then."
        ),
    ] = "",
) -> Report:
    """Sound the pump's alarm signal as a test, and record whether it was heard.

    It raises no alarm and changes nothing that is delivered. The pump bounds the sound
    to a few seconds and writes it into its log; while a real alarm is raised it refuses.
    On a terminal you are asked at once. A script sounds it, asks whoever listened, and
    records the answer within 10 minutes with --heard. Not heard: exit 10.

    Example: pumpctl --port ./tty0 alarm test
    """
    from pumpctl.therapy.state import Priority
    from pumpctl.workflows import alarm_testing

    if priority not in {each.value for each in Priority}:
        raise UsageError(f"--priority {priority}: critical or non-critical")
    if heard not in ("", "yes", "no"):
        raise UsageError(f"--heard {heard}: yes or no")
    station = context.station()
    if heard:
        told = alarm_testing.answer_later(station, heard == "yes")
    else:
        told = alarm_testing.sound_alarm(
            station,
            Priority(priority),
            lambda: context.say(f"LISTEN NOW: the {priority} alarm signal, as a test."),
        )
        answer = _asked(told)
        if answer is not None:
            told = alarm_testing.record_heard(station, told, answer)
    return _report(told)


def _asked(told: Sounded) -> bool | None:
    """What the person at the terminal heard; None without one, or without an answer."""
    from pumpctl.cli.therapy.confirming import Typed, ask

    try:
        Typed().ready()
        given = ask(f"It sounds for {told.lasts}. Did you, or the patient, hear it? (y/n) ")
    except NotConfirmed:
        return None
    return {"y": True, "yes": True, "n": False, "no": False}.get(given.strip().lower())


def _report(told: Sounded) -> Report:
    error: PumpctlError | None = None
    if told.heard is False:
        error = AlarmNotHeard(f"the {told.priority.value} alarm signal was not heard")
    later = "" if told.heard is not None else "\nSay it: pumpctl alarm test --heard yes|no"
    return Report(
        "alarm.test",
        {
            "priority": told.priority.value,
            "lasts": str(told.lasts),
            "at": told.at,
            "heard": told.heard,
        },
        f"Pump {told.serial}, {told.priority.value} alarm signal, {told.lasts}: "
        f"{_HEARD[told.heard]}.{later}",
        pump=(told.serial, told.model),
        warnings=context.warnings(),
        error=error,
    )
