"""What strangers may cost the pump: an energy budget, and ever slower answers (SEC-07).

Whoever has not proved a key yet is served from a small store of energy that
fills slowly; a station that proves one finds it full again, so that ordinary
use never meets it. Time is the pump's counter alone. It knows no keys and no
bytes but their number, and delivery does not know it (PMP-01).
"""

from typing import Annotated, Final, NamedTuple

from pumpctl.emulator.engine import battery
from pumpctl.emulator.engine.battery import Nanojoules
from pumpctl.emulator.engine.clock import MINUTE_MS
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import UInt
from pumpctl.wire.vocabulary import U16, MaybeMs, Ms, Yes

GREETING: Final = 120 * battery.SEND
"""nJ to answer a greeting: about so many bytes."""
HANDSHAKE: Final = battery.HANDSHAKE + 75 * battery.SEND
"""nJ to answer a handshake, or to compute that it is none."""
ASKED: Final = 200 * battery.RECEIVE
"""nJ to receive what a station says before its first record: two greetings, a handshake."""

BUDGET: Final = 60_000_000
"""nJ when full: some 60 sessions begun and not proved, or 60 kB of noise (own choice)."""
REFILL: Final = 4
"""nJ/ms. Somebody who never rests takes 0.35 J a day, less than a sixth of what a pump
at 1 mL a day uses, and its seven years of service still end before its cell (own
choice). From empty to full: 4 h 10 min."""
AWAKE: Final = 2 * GREETING + HANDSHAKE + ASKED
"""nJ at which a receiver that went to sleep listens again: what one session takes to
begin, its greeting sent twice; there are so many 5 min and 8 s after there were none."""

FREE: Final = 48
"""Greetings in a row that are answered at once. More than one list of a large ward
takes, and in itself less than a third of the budget (own choice)."""
FIRST_WAIT_MS: Final = 1_000
MOST_WAIT_MS: Final = MINUTE_MS
"""A greeting is remembered for a minute: to wait longer would gain nothing."""
HANDSHAKES: Final = 8
"""For each greeting answered. A station tries three times, and a line may double each."""
QUIET_MS: Final = 10 * MINUTE_MS
"""After so much quiet a row is over, and LINK_FLOOD clears."""


class BudgetState(NamedTuple):
    """What the pump keeps of it."""

    energy: Nanojoules
    at: Ms
    """Counter at which there was so much."""
    greetings: U16
    """Answered in a row, none of them followed by an authentic record."""
    next_at: Ms
    """Counter from which the next one is answered."""
    handshakes: Annotated[int, UInt(1, HANDSHAKES)]
    """Still taken for the greetings that were answered."""
    asleep: Yes
    """The budget was spent: nothing is received until there is enough for a session."""
    refused_at: MaybeMs
    """Counter at which somebody was last turned away for want of energy."""


def fresh(counter: int) -> BudgetState:
    """A full budget and nobody waiting."""
    return BudgetState(BUDGET, counter, 0, counter, 0, False, None)


class LinkBudget:
    """Asked before anything is done for somebody who has not proved a key."""

    def __init__(self, state: BudgetState) -> None:
        self._state = state

    @property
    def held(self) -> BudgetState:
        """What is to be stored."""
        return self._state

    def heard(self, size: int, counter: int) -> int:
        """So many bytes came while no session runs or waits for its first record.

        How many of them are received, the first ones; the rest fell on a receiver that
        sleeps, has cost nothing, and is to be dropped unread.
        """
        self._refill(counter)
        received = 0
        if not self._state.asleep:
            received = min(size, self._state.energy // battery.RECEIVE)
            self._spend(received * battery.RECEIVE)
            if received < size:
                self._fall_asleep()
        if received < size:
            self._turn_away(counter)
        return received

    def admit(self, kind: FrameKind, counter: int) -> bool:
        """May this greeting or handshake be worked on? If so, its answer is paid for.

        Receiving it is not: that was paid in `heard`, or a session keeps the receiver on.
        """
        self._refill(counter)
        if self._state.asleep:
            return self._turn_away(counter)
        if kind is FrameKind.GREETING:
            return self._admit_greeting(counter)
        return self._admit_handshake(counter)

    def authentic(self, counter: int) -> None:
        """A session's first record was authentic: what came before it is given back."""
        self._state = self._state._replace(
            energy=BUDGET, at=counter, greetings=0, next_at=counter, asleep=False
        )

    def flooded(self, counter: int) -> bool:
        """Is LINK_FLOOD raised?"""
        refused = self._state.refused_at
        return refused is not None and counter < refused + QUIET_MS

    # --- underneath ----------------------------------------------------------------------

    def _admit_greeting(self, counter: int) -> bool:
        if counter >= self._state.next_at + QUIET_MS:
            self._state = self._state._replace(greetings=0)  # the row is over
        if counter < self._state.next_at:
            return False
        if not self._pay(GREETING, counter):
            return False
        row = self._state.greetings + 1
        wait = 0 if row < FREE else min(FIRST_WAIT_MS << min(row - FREE, 16), MOST_WAIT_MS)
        self._state = self._state._replace(
            greetings=min(row, 0xFFFF), next_at=counter + wait, handshakes=HANDSHAKES
        )
        return True

    def _admit_handshake(self, counter: int) -> bool:
        left = self._state.handshakes
        if left == 0 or not self._pay(HANDSHAKE, counter):
            return False
        self._state = self._state._replace(handshakes=left - 1)
        return True

    def _refill(self, counter: int) -> None:
        state = self._state
        energy = min(BUDGET, state.energy + REFILL * max(0, counter - state.at))
        asleep = state.asleep and energy < AWAKE
        self._state = state._replace(energy=energy, at=max(counter, state.at), asleep=asleep)

    def _pay(self, energy: int, counter: int) -> bool:
        """False where there is not enough: then the receiver goes to sleep."""
        if self._state.energy < energy:
            self._fall_asleep()
            return self._turn_away(counter)
        self._spend(energy)
        return True

    def _spend(self, energy: int) -> None:
        self._state = self._state._replace(energy=self._state.energy - energy)

    def _fall_asleep(self) -> None:
        self._state = self._state._replace(asleep=True)

    def _turn_away(self, counter: int) -> bool:
        self._state = self._state._replace(refused_at=counter)
        return False
