"""What a pump must have given, by the rules of docs/protocol.md, section 10, in fractions.

Told what was done to a pump and when, it writes down the demanded flow as pieces
(from, until, nL/ms), integrates them from the pump's first instant on, and counts
the whole pulses in the integral; those whose instant falls where the motor stood
are lost. It looks ahead over whole weeks, and only what cannot be known before (a
bridge that has passed, a pulse that did not come) cuts a week short. It knows the
wire's program and nothing of the emulator. Counters in ms, volumes in nL.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction

from pumpctl.wire.program import Program
from tests.emulator.year.demand import (
    DAY,
    HOUR,
    MINUTE,
    PULSE,
    SCHEDULED,
    Bolus,
    Bridge,
    Ended,
    Piece,
    Standing,
    basal,
    flow_of,
    pieces,
    scheduled,
)
from tests.emulator.year.hunger import TWO_DAYS, Hunger
from tests.emulator.year.slugs import Fluids, Slug

MOTOR_CHECK = 20 * MINUTE
LATE = 2 * HOUR
_LOOK_AHEAD = 8 * DAY


class Oracle:
    """One pump's demand, pulses and fluids."""

    def __init__(
        self,
        program: Program,
        *,
        filled: int,
        line: int,
        pulse: int,
        label: int,
    ) -> None:
        """`filled` nL, `line` and the true `pulse` in pL; `label` is the local one at 0."""
        self.at = 0
        self.due = Fraction(0)
        self.lost = 0
        self.program = program
        self.concentration = program.concentration
        self.bridge: Bridge | None = None
        self.before: Program | None = None
        """What ran before the last refill."""
        self.stopped: int | None = None
        self.fallback = False
        self.label = label
        self.running: list[Bolus] = []
        self.started: list[Bolus] = []
        self.ended: list[Ended] = []
        self.course: list[Piece] = []
        self.world = Fluids(filled * 1000, line, program.concentration)
        self.belief = Fluids(0, line, program.concentration)
        self.stalled: int | None = None
        self.stuck = False
        self.bridges_passed = self.stalls = self.fallbacks = self.late = self.scheduled = 0
        self._pulse = pulse
        self._filled, self._filled_at = filled, 0
        self._turn = label
        """Every scheduled bolus up to this label has had its turn."""
        self._setting = label
        """The label at which this setting of the clock began."""
        self._served: list[tuple[int, int]] = []
        self._holds: list[Standing] = []
        self._stood: list[tuple[int, int]] = []
        self._hunger = Hunger()

    # --- figures ------------------------------------------------------------------------

    @property
    def given(self) -> int:
        """Pulses that moved."""
        return int(self.due // PULSE) - self.lost

    @property
    def estimate(self) -> int:
        """The pump's reckoning of its reservoir, nL."""
        return max(0, self._filled - PULSE * (self.given - self._filled_at))

    def pulses_at(self, counter: int) -> int:
        """How many the log must name at a counter of the course."""
        place = bisect_left(self.course, counter, key=lambda piece: piece.end)
        if place == len(self.course):
            return self.given
        piece = self.course[place]
        lost = piece.lost + (0 if piece.turns else piece.pulses_until(counter))
        return int(piece.due_at(counter) // PULSE) - lost

    def metered(self) -> int:
        """The concentration by which everything is metered now."""
        return self.concentration if self.bridge is None else self.bridge.concentration

    def played(self) -> Program | None:
        """None: the fallback rate."""
        if self.fallback:
            return None
        return (self.bridge and self.bridge.plays) or self.program

    def turns(self, counter: int) -> bool:
        """Would the motor turn?"""
        return not self.stuck and not any(
            hold.since <= counter and (hold.until is None or counter < hold.until)
            for hold in self._holds
        )

    def critical(self) -> bool:
        """Is an alarm raised after which a magnetic field leaves the motor stuck?"""
        too_long = not self._delivers and self._hunger.for_two_days(self.at)
        on_fallback = self.fallback and self.stopped is None
        return self.stalled is not None or too_long or on_fallback or not self.estimate

    @property
    def starved(self) -> bool:
        """More than 48 h without drug, and no 6 h with it since?"""
        hungry = self._hunger.since(self.at)
        return hungry is not None and self.at - hungry > TWO_DAYS

    # --- what is done to the pump -------------------------------------------------------

    def set_program(self, counter: int, program: Program) -> None:
        self.run(counter)
        self.program, self.fallback, self.stopped = program, False, None
        if self.bridge is not None:
            self.bridge = self.bridge._replace(plays=None)
        self._restart()

    def resume(self, counter: int) -> None:
        self.run(counter)
        self.stopped = None
        self._restart()

    def stop(self, counter: int) -> None:
        self.run(counter)
        if self.stopped is None:
            self.stopped = counter
        self._note_hunger()
        self._end(self.running)

    def cancel(self, counter: int) -> None:
        self.run(counter)
        self._end(self.running)

    def boot(self, counter: int) -> None:
        self.run(counter)
        self._end([bolus for bolus in self.running if bolus.kind != SCHEDULED])

    def bolus(self, counter: int, dose: int, over: int, kind: str) -> None:
        self.run(counter)
        self.running.append(Bolus(counter, dose, over, kind))

    def refill(
        self,
        counter: int,
        program: Program,
        *,
        volume: int,
        since: int,
        bridge: tuple[int, int] | None,
        by_record: tuple[int, int] | None,
    ) -> None:
        """`bridge`: volume and old concentration; `by_record`: drained and injected, no hands."""
        self.run(counter)
        was = self.bridge
        no_old_dose = self.fallback or self.starved
        if was is not None and no_old_dose:
            self.bridge = was._replace(plays=None)
        elif was is None and bridge is not None:
            self._bridge(*bridge, since, None if no_old_dose else self.program)
        if self.fallback:
            self.before = None
        elif was is None:
            self.before = self.program
        self.program, self.fallback, self.stopped = program, False, None
        self.concentration = program.concentration
        self._filled, self._filled_at = volume, since
        displaced = self.given - since
        self.belief.believe(displaced * PULSE * 1000, self.concentration)
        if by_record is not None:
            drained, injected = by_record
            self.world.record(
                drained=drained * 1000,
                injected=injected * 1000,
                concentration=self.concentration,
                since=displaced * self._pulse,
            )
        self._restart()

    def repair(self, counter: int, volume: int, old: int, *, plays_before: bool) -> None:
        """From the last injection on; the read-back says whether what ran before is played."""
        self.run(counter)
        self._bridge(volume, old, self._filled_at, self.before if plays_before else None)

    def reline(self, counter: int, *parts: Slug) -> None:
        """The implant's record was revised: the line holds this, from the tip back."""
        self.run(counter)
        self.world.reline(parts)
        self.belief.reline(parts)

    def clock(self, counter: int, change: int) -> None:
        """The local label jumps; one of the boluses that are jumped over may be given late."""
        self.run(counter)
        new = self.label + counter + change
        jumped = self._scheduled(self._turn, new)
        self._served.append((self._setting, self._turn))
        self.label += change
        self._setting, self._turn = new, new if new > self._turn else new - 1
        if jumped and new - jumped[-1].label <= LATE:
            late = jumped[-1]
            self._served.append((late.label, late.label))
            if self.stopped is None:
                self._begin([late._replace(start=counter)])
                self.late += 1

    def hold(self, counter: int, until: int | None, *, field: bool) -> None:
        """The motor stands from now on; in a magnetic field it may not come back."""
        self.run(counter)
        self.stuck |= field and self.critical()
        self._holds.append(Standing(counter, until))

    # --- time -----------------------------------------------------------------------------

    def run(self, to: int) -> None:
        """Everything up to and at this counter."""
        while self.at < to:
            self._overdue()
            until = min(to, self.at + _LOOK_AHEAD)
            ahead = self.label + until
            planned = [] if self.stopped is not None else self._scheduled(self._turn, ahead)
            course = self._foreseen(planned, until)
            when, surprise = self._surprise(course) or (until, None)
            passes = surprise == self._end_passed_bridge
            self._begin([each for each in planned if each.start < when + (not passes)])
            self._go(course, when)
            # What is scheduled for the very instant of a bridge's end is the next program's.
            self._turn = max(self._turn, self.label + when - passes)
            if surprise is not None:
                surprise()
        self._overdue()

    def _foreseen(self, planned: list[Bolus], until: int) -> list[Piece]:
        """The demand from now on, if nothing surprises."""
        span, program, metered = (self.at, until), self.played(), self.metered()
        if self.stopped is not None:
            steps = [(self.at, Fraction(0))]
        elif program is None:
            steps = [(self.at, flow_of(self.program.fallback, metered))]
        else:
            steps = basal(program, metered, self.label, span)
        edges = [edge for hold in self._holds for edge in hold if edge is not None]
        return pieces(
            steps,
            (*self.running, *planned),
            metered,
            edges=edges,
            span=span,
            so_far=(self.due, self.lost),
            turns=self.turns,
        )

    def _scheduled(self, after: int, upto: int) -> list[Bolus]:
        program = self.played()
        if program is None:
            return []
        return scheduled(program, self.label, (after, upto), self._served)

    def _surprise(self, course: list[Piece]) -> tuple[int, Callable[[], None]] | None:
        """The first instant that changes what was foreseen, and what it does."""
        for piece in course:
            found: list[tuple[int, int, Callable[[], None]]] = []
            if piece.turns and self.bridge is not None:
                when = piece.when(self.bridge.ends + piece.lost)
                found += [] if when is None else [(when, 0, self._end_passed_bridge)]
            if self.stalled is None and not piece.turns:
                when = piece.when(int(piece.due // PULSE) + 1)
                found += [] if when is None else [(when, 1, self._stall)]
            if self.stalled is not None:
                check = (piece.start // MOTOR_CHECK + 1) * MOTOR_CHECK
                while check <= piece.end and not self.turns(check):
                    check += MOTOR_CHECK
                found += [(check, 2, self._turns_again)]
                hungry = self._hunger.since(self.at)
                if hungry is not None and self.stopped is None and not self.fallback:
                    found += [(hungry + TWO_DAYS, 3, self._starve)]
            found = [each for each in found if piece.start < each[0] <= piece.end]
            if found:
                when, _, what = min(found, key=lambda each: each[:2])
                return when, what
        return None

    def _go(self, course: list[Piece], when: int) -> None:
        """Give what these pieces hold up to here."""
        moved = 0
        for piece in course:
            if piece.start >= when:
                break
            end = min(piece.end, when)
            pulses = piece.pulses_until(end)
            if piece.turns:
                moved += pulses
            else:
                self.lost += pulses
                self._stood.append((piece.start, end))
            self.course.append(piece._replace(end=end))
            self.due = piece.due_at(end)
        self.at = when
        self.world.pump(moved * self._pulse)
        self.belief.fill(moved * PULSE * 1000, self.concentration)  # it never runs empty
        self.belief.pump(moved * PULSE * 1000)
        self._end([bolus for bolus in self.running if bolus.end <= when])

    # --- surprises ------------------------------------------------------------------------

    def _end_passed_bridge(self) -> None:
        if self.bridge is not None and self.given >= self.bridge.ends:
            self.bridge = None
            self.bridges_passed += 1

    def _overdue(self) -> None:
        """What an act finds to be so already: a bridge passed, or 48 h of a stall that goes on."""
        self._end_passed_bridge()
        stands = self.stalled is not None and self.stopped is None and not self.fallback
        if stands and self._hunger.for_two_days(self.at):
            self._starve()

    def _stall(self) -> None:
        self.stalled = self.at
        self.stalls += 1
        self._note_hunger()
        if self.at % MOTOR_CHECK == 0:
            self._turns_again()

    def _turns_again(self) -> None:
        """A motor that is not driven shows nothing."""
        if self.stopped is None and self.turns(self.at):
            self.stalled = None
            self._note_hunger()

    def _starve(self) -> None:
        self.fallback = True
        self.fallbacks += 1

    def _restart(self) -> None:
        self.stuck = False
        self._turns_again()
        self._note_hunger()

    @property
    def _delivers(self) -> bool:
        return self.stopped is None and self.stalled is None

    def _note_hunger(self) -> None:
        self._hunger.note(self.at, delivers=self._delivers)

    # --- underneath -----------------------------------------------------------------------

    def _begin(self, boluses: list[Bolus]) -> None:
        self.running += boluses
        self.started += boluses
        self.scheduled += len(boluses)

    def _end(self, boluses: list[Bolus]) -> None:
        for bolus in list(boluses):
            end = min(self.at, bolus.end)
            stood = sum(
                max(0, min(end, until) - max(bolus.start, since)) for since, until in self._stood
            )
            given = Fraction(bolus.dose * (end - bolus.start - stood), bolus.over)
            self.ended.append(Ended(end, bolus.dose, int(given + Fraction(1, 2))))
            self.running.remove(bolus)
        self._stood = self._stood if self.running else []

    def _bridge(self, volume: int, old: int, since: int, plays: Program | None) -> None:
        self.bridge = Bridge(since + -(-volume // PULSE), old, plays)
