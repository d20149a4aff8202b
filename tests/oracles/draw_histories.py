"""Random histories of a pump: starts, stops, changes of program, boluses, and then a decision.

All instants of a history lie on a grid, mostly of some minutes, so that looking at every
window is quick; in a share they lie on two grids that are some ms apart, or on none.
Nothing of pumpctl is imported here.
"""

from __future__ import annotations

from random import Random

from tests.oracles.draw_programs import an_instant, any_of
from tests.oracles.plain import DAY, HOUR, MINUTE, Bolus, Program, weekday
from tests.oracles.sliding import Given, History, Run

GRIDS = (60, 30, 30, 20, 15, 15, 15, 10, 5)
"""Minutes."""


class Draw:
    """One history being thrown."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        kind = any_of(dice, [("minutes", 70), ("minute", 12), ("two", 12), ("none", 6)])
        self.kind = kind
        minutes = 1 if kind == "minute" else dice.choice(GRIDS)
        self.grid = minutes * MINUTE
        self.shift = dice.randrange(1, self.grid) if kind == "two" else 0
        self.now = self._instant(an_instant(dice) + 10 * DAY)

    def _instant(self, time: int) -> int:
        """A time near this one at which somebody may do something."""
        return time if self.kind == "none" else time // self.grid * self.grid + self.shift

    def _time(self) -> int:
        """A minute of the day at which a schedule may change."""
        minutes = self.grid // MINUTE
        return self.dice.randrange(0, 1_440, minutes)

    def _over(self) -> int:
        """How long a bolus takes."""
        dice = self.dice
        if self.kind == "none":
            return dice.randint(1, 4 * HOUR)
        most = max(1, (DAY if dice.random() < 0.15 else 4 * HOUR) // self.grid)
        whole = self.grid * (1 if dice.random() < 0.4 else dice.randint(1, most))
        return whole + (self.shift if self.kind == "two" and dice.random() < 0.3 else 0)

    def _rate(self) -> int:
        dice = self.dice
        if dice.random() < 0.6:
            return 1_440 * dice.randint(1, 1_000)  # whole ng in a minute: limits are met exactly
        return dice.randint(0, 1_500_000)

    def _dose(self) -> int:
        dice = self.dice
        return 1_000 * dice.randint(1, 80) if dice.random() < 0.7 else dice.randint(1, 100_000)

    def program(self) -> Program:
        """A program of a few steps, all days alike in most."""
        dice = self.dice
        mode = any_of(dice, [("minimum-rate", 4), ("continuous", 36), ("flex", 60)])
        days: list[list[tuple[int, int]]] = []
        boluses: list[Bolus] = []
        if mode == "continuous":
            days = [[(0, self._rate() or 1)]] * 7
        elif mode == "flex":
            days = [self._day()] * 7
            if dice.random() < 0.3:
                days = [*days[:5], *[self._day()] * 2]
        if mode != "minimum-rate" and dice.random() < 0.5:
            if dice.random() < 0.5:
                at, dose, over = self._time(), self._dose(), self._over()
                boluses = [Bolus(day=day, at=at, dose=dose, over=over) for day in range(7)]
            else:
                boluses = [self._weekly() for _ in range(dice.randint(1, 4))]
        return Program(mode=mode, concentration=dice.choice((500, 1_000, 2_000)), days=days,
                       boluses=boluses, patient=None, low_alarm=0, fallback=1)  # fmt: skip

    def _weekly(self) -> Bolus:
        """A bolus of one day; often such that it would be running when it is decided."""
        dice, over = self.dice, self._over()
        day, at = dice.randrange(7), self._time()
        if dice.random() < 0.4:
            start = (self.now - dice.randrange(over)) // self.grid * self.grid
            day, at = weekday(start), start % DAY // MINUTE
        return Bolus(day=day, at=at, dose=self._dose(), over=over)

    def _day(self) -> list[tuple[int, int]]:
        starts = {self._time() for _ in range(self.dice.randint(0, 2))} - {0}
        return [(start, self._rate()) for start in (0, *sorted(starts))]

    def bolus(self, at: int) -> Given:
        return Given(at=at, over=self._over(), dose=self._dose())

    def lengths(self) -> list[int]:
        """1 h, 24 h and odd ones; on a grid they are multiples of it, shifted in a share."""
        dice = self.dice
        found = {HOUR} if dice.random() < 0.9 else set[int]()
        if dice.random() < 0.6:
            found.add(DAY)
        if not found or dice.random() < 0.3:
            if self.kind == "none":
                found.add(dice.randint(1, 30 * HOUR))
            else:
                odd = dice.randint(1, max(1, 12 * HOUR // self.grid)) * self.grid
                found.add(odd + (dice.randrange(self.grid) if self.kind == "two" else 0))
        return sorted(found)

    def history(self) -> History:
        """The whole of it."""
        dice, now = self.dice, self.now
        runs: list[Run] = []
        boluses: list[Given] = []
        stops: list[int] = []
        running: tuple[Program, int] | None = None

        def end_of_run(time: int) -> None:
            if running is not None:
                runs.append(Run(program=running[0], start=running[1], end=time))

        span = dice.choice((2 * HOUR, 8 * HOUR, 30 * HOUR))
        count = dice.randint(0, 6)
        times = {self._instant(now - dice.randint(1, span)) for _ in range(count)}
        for time in sorted(each for each in times if each < now):
            if running is None:
                act = any_of(dice, [("start", 75), ("bolus", 15), ("nothing", 10)])
            else:
                act = any_of(dice, [("stop", 30), ("start", 20), ("bolus", 50)])
            if act == "start":
                end_of_run(time)
                running = self.program(), time
            elif act == "stop":
                end_of_run(time)
                stops.append(time)
                running = None
            elif act == "bolus":
                boluses.append(self.bolus(time))
        end_of_run(now)

        decided = any_of(dice, [("program", 35), ("bolus", 30), ("both", 20), ("stop", 15)])
        ahead = running[0] if running and decided == "bolus" else None
        if decided in {"program", "both"}:
            last = runs[-1]["program"] if runs else None
            ahead = last if last and dice.random() < 0.4 else self.program()
        if decided == "stop" and running is not None:
            stops.append(now)
        late = dice.choice((0, 0, 0, self.grid))
        bolus = self.bolus(now + late) if decided in {"bolus", "both"} else None
        return History(
            grid=0 if self.kind == "none" else self.grid,
            runs=runs,
            boluses=boluses,
            stops=stops,
            now=now,
            ahead=ahead,
            bolus=bolus,
            lengths=self.lengths(),
        )


def a_history(dice: Random) -> History:
    """One history and its decision."""
    return Draw(dice).history()
