"""`--volume`, `--at` and `--days`: what lies ahead of a profile. Read before its file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpctl.errors import UsageError
from pumpctl.quantities import Duration, Volume
from pumpctl.therapy import practice
from pumpctl.therapy.moment import Moment

if TYPE_CHECKING:
    from pumpctl.therapy.forecast import Outlook
    from pumpctl.therapy.program import Program

DAYS = 14
"""Days ahead that are shown when nobody asks for more: two weeks hold each weekday twice."""


def given(name: str, text: str | None) -> str | None:
    """What an option says, or None; UsageError for an empty text, as an unset variable leaves it.

    Taken as "not given" it would silently drop what the option is there to check.
    """
    if text is not None and not text.strip():
        raise UsageError(f"{name} is empty", hint="say what it is, or leave the option out")
    return text


class Ahead:
    """What was asked; the volume is None where no forecast was."""

    def __init__(self, volume: str | None, at: str | None, days: int | None = None) -> None:
        volume, at = given("--volume", volume), given("--at", at)
        self.volume = None if volume is None else Volume.parse(volume)
        if self.volume is not None and self.volume > practice.RESERVOIR.value:
            most = practice.RESERVOIR.value
            raise UsageError(
                f"--volume {volume}: no reservoir of these pumps holds more than {most}"
            )
        if self.volume is None and days is not None:
            raise UsageError("--days counts from a volume", hint='add --volume "38 mL"')
        self._at = None if at is None else Moment.parse(at)
        self._days = DAYS if days is None else days

    def json(self, program: Program) -> dict[str, Any]:
        """Flow, and the dates where a volume is known."""
        from pumpctl.therapy.figures import flow_of_largest_day

        if self.volume is None:
            return {"flow": str(flow_of_largest_day(program)), "low_date": None, "refill_by": None}
        from pumpctl.therapy.forecast import forecast

        told = forecast(program, self.volume, program.low_alarm, self.start())
        return {
            "flow": str(told.flow),
            "low_date": str(told.low_date),
            "refill_by": str(told.refill_by),
        }

    def start(self) -> Moment:
        """`--at`, or now; the same now for all that is asked."""
        if self._at is None:
            from pumpctl.cli import edge

            self._at = edge.wall()
        return self._at

    def outlook(self, program: Program, windows: tuple[Duration, ...]) -> Outlook | None:
        """The days ahead; None where no volume was given."""
        if self.volume is None:
            return None
        from pumpctl.therapy.forecast import outlook

        return outlook(
            program, self.volume, program.low_alarm, self.start(), self._days, windows=windows
        )
