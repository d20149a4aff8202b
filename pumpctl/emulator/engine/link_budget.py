"""What may be spent on those who have proved no key: energy, and ever slower answers (SEC-07).

Strangers share one lane, and every key that somebody names has a lane of its
own: so a flood by strangers takes nothing from a paired station, and a flood
under one overheard key id nothing from the other keys. A station that proves
its key finds everything full again, so that ordinary use never meets it. Time
is the pump's counter alone. It knows no keys but their names and no bytes but
their number, and delivery does not know it (PMP-01).
"""

from typing import Annotated, Final

from pumpctl.emulator.engine import battery
from pumpctl.emulator.engine.battery import Nanojoules
from pumpctl.emulator.engine.clock import MINUTE_MS
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import FrameKind
from pumpctl.wire.fields import Many, Struct, UInt
from pumpctl.wire.vocabulary import U16, KeyId, MaybeMs, Ms, Yes

GREETING_BYTES: Final = 43
HANDSHAKE_BYTES: Final = 62
"""On the line, delimiters included: what one that passes the filter costs to receive."""
GREETING: Final = 120 * battery.SEND
"""nJ to answer a greeting: about so many bytes."""
RESEND: Final = 75 * battery.SEND
"""nJ to answer a handshake from memory."""
HANDSHAKE: Final = battery.HANDSHAKE + RESEND
"""nJ to answer a handshake, or to compute that it is none."""
ASKED: Final = 200 * battery.RECEIVE
"""nJ to receive what a station says before its first record: two greetings, a handshake."""
KEY_GREETING: Final = GREETING + GREETING_BYTES * battery.RECEIVE
KEY_RESEND: Final = RESEND + HANDSHAKE_BYTES * battery.RECEIVE
KEY_HANDSHAKE: Final = HANDSHAKE + HANDSHAKE_BYTES * battery.RECEIVE
"""nJ of the same in a key's lane, which pays for receiving it, too: the store of the
strangers may be empty."""

BUDGET: Final = 60_000_000
"""nJ in a full lane: some 60 sessions begun and not proved, or 60 kB of noise (own choice)."""
REFILL: Final = 2
"""nJ/ms for the strangers' lane: from empty to full 8 h 20 min (own choice)."""
KEYS_REFILL: Final = 1
"""nJ/ms for all keys' lanes together, shared evenly by those that are not full. With
`REFILL` an attack that never ends takes 3 uW, 0.26 J a day, a ninth of what a pump at
1 mL a day uses, and its seven years of service still end before its cell (own choice)."""
AWAKE: Final = 2 * GREETING + HANDSHAKE + ASKED
"""nJ at which a pump whose strangers' lane was spent listens to strangers again: what one
session takes to begin, its greeting sent twice; there are so many after 10 min 15 s."""
KEY_LEFT: Final = 2 * KEY_HANDSHAKE
"""nJ that stay after a greeting in a key's lane: one handshake is tried for each of the two
greetings that are remembered."""

FREE: Final = 48
"""Greetings in a row that are answered at once. More than one list of a large ward
takes, and in itself less than a quarter of the budget (own choice)."""
FIRST_WAIT_MS: Final = 1_000
MOST_WAIT_MS: Final = MINUTE_MS
"""A greeting is remembered for a minute: to wait longer would gain nothing."""
RESENDS: Final = 8
"""Of the greetings that are remembered, since the last new one: a station sends one four
times, and a line may double each. More of them count as new ones."""
HANDSHAKES: Final = 8
"""For each of the strangers' greetings answered. A station tries three times, and a line
may double each."""
KEY_HANDSHAKES: Final = 32
"""For each greeting answered in a key's lane: a false handshake names no greeting and is
tried on every one, so that many must fit between a station's greeting and its handshake;
the lane is full enough for two such greetings in a row (own choice)."""
QUIET_MS: Final = 10 * MINUTE_MS
"""After so much quiet a row is over; and LINK_FLOOD clears, once strangers are heard again."""
LANES: Final = 16
"""Keys that a pump holds at most."""


class Lane(NamedTuple):
    """What one key's name, or all strangers together, may still cost."""

    key: KeyId
    """Zeros for the strangers."""
    energy: Nanojoules
    greetings: U16
    """Answered in a row, none of them followed by an authentic record."""
    next_at: Ms
    """Counter from which the next one is answered."""
    resends: Annotated[int, UInt(1, RESENDS)]
    """Still answered at once, of the greetings that are remembered."""
    handshakes: Annotated[int, UInt(1, KEY_HANDSHAKES)]
    """Still taken for the greetings that were answered."""


class BudgetState(NamedTuple):
    """What the pump keeps of it."""

    at: Ms
    """Counter at which the lanes held what they hold."""
    strangers: Annotated[Lane, Struct(Lane)]
    keys: Annotated[tuple[Lane, ...], Many(Struct(Lane), LANES)]
    """Only those that differ from a full one."""
    spare: Nanojoules
    """Of the keys' refill, what could not be shared evenly yet."""
    asleep: Yes
    """The strangers' lane was spent: they are not received until there is enough for a
    session. The filter of the receiver, a part of its idling, still lets pass what the
    lanes of the keys are asked for."""
    refused_at: MaybeMs
    """Counter at which somebody was last turned away for want of energy."""


_NOBODY: Final = bytes(8)


def _full(key: bytes, counter: int) -> Lane:
    return Lane(key, BUDGET, 0, counter, 0, 0)


def fresh(counter: int) -> BudgetState:
    """Every lane full and nobody waiting."""
    return BudgetState(counter, _full(_NOBODY, counter), (), 0, False, None)


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

        How many of them the receiver took, the first ones, paid by the strangers' lane. The
        rest met the filter of a receiver that sleeps: what is no greeting or handshake that
        `admit` lets into a key's lane has cost nothing.
        """
        self._refill(counter)
        received = 0
        if not self._state.asleep:
            lane = self._state.strangers
            received = min(size, lane.energy // battery.RECEIVE)
            self._keep(lane._replace(energy=lane.energy - received * battery.RECEIVE))
        if received < size:
            self._turn_away(counter)
            self._state = self._state._replace(asleep=True)
        return received

    def admit(
        self, kind: FrameKind, counter: int, *, key: bytes | None = None, again: bool = False
    ) -> bool:
        """May this greeting or handshake be worked on? If so, it is paid for.

        `key` is the name of a key that the pump holds, None for a stranger; `again` means
        that its answer is in memory.
        """
        self._refill(counter)
        lane = self._lane(key, counter)
        if kind is FrameKind.HANDSHAKE:
            after = lane._replace(handshakes=lane.handshakes - 1) if lane.handshakes else None
        elif again and lane.resends:  # it counts as its original
            after = lane._replace(resends=lane.resends - 1)
        else:
            after = _next(lane, counter) if counter >= lane.next_at else None
        if after is None:
            return False
        left = KEY_LEFT if kind is FrameKind.GREETING and key is not None else 0
        return self._pay(after, _price(kind, key, again), left, counter)

    def authentic(self, counter: int, key: bytes | None = None) -> None:
        """What the strangers and this key's lane have cost is given back, and their rows end.

        `key` has sealed a session's first record. None where the card's secret did, or
        somebody acts at the pump itself: then it is every lane.
        """
        self._refill(counter)
        state = self._state
        kept = tuple(_renewed(it, counter) if key in (None, it.key) else it for it in state.keys)
        self._state = state._replace(
            strangers=_renewed(state.strangers, counter), keys=kept, asleep=False
        )

    def flooded(self, counter: int) -> bool:
        """Is LINK_FLOOD raised?"""
        state = self._state
        asleep = state.asleep and _strangers_energy(state, counter) < AWAKE
        return asleep or (state.refused_at is not None and counter < state.refused_at + QUIET_MS)

    # --- underneath ----------------------------------------------------------------------

    def _refill(self, counter: int) -> None:
        state = self._state
        gone = max(0, counter - state.at)
        energy = _strangers_energy(state, counter)
        short = sum(lane.energy < BUDGET for lane in state.keys)
        share, spare = divmod(state.spare + KEYS_REFILL * gone, short) if short else (0, 0)
        filled = (it._replace(energy=min(BUDGET, it.energy + share)) for it in state.keys)
        self._state = state._replace(
            at=max(counter, state.at),
            strangers=state.strangers._replace(energy=energy),
            keys=tuple(it for it in filled if it.energy < BUDGET or not _rested(it, counter)),
            spare=spare,
            asleep=state.asleep and energy < AWAKE,
        )

    def _lane(self, key: bytes | None, counter: int) -> Lane:
        if key is None:
            return self._state.strangers
        found = (lane for lane in self._state.keys if lane.key == key)
        return next(found, _full(key, counter))

    def _keep(self, lane: Lane) -> None:
        if lane.key == self._state.strangers.key:
            self._state = self._state._replace(strangers=lane)
            return
        others = [it for it in self._state.keys if it.key != lane.key]
        if len(others) == LANES:  # one of a key that the pump does not hold any more
            others.remove(min(others, key=lambda it: it.next_at))
        self._state = self._state._replace(keys=(*others, lane))

    def _pay(self, lane: Lane, energy: int, left: int, counter: int) -> bool:
        """False where there is not enough, with so much left; then strangers are not heard."""
        strangers = lane.key == self._state.strangers.key
        if strangers and self._state.asleep:
            return self._turn_away(counter)
        if lane.energy < energy + left:
            self._state = self._state._replace(asleep=self._state.asleep or strangers)
            return self._turn_away(counter)
        self._keep(lane._replace(energy=lane.energy - energy))
        return True

    def _turn_away(self, counter: int) -> bool:
        self._state = self._state._replace(refused_at=counter)
        return False


def _strangers_energy(state: BudgetState, counter: int) -> int:
    return min(BUDGET, state.strangers.energy + REFILL * max(0, counter - state.at))


def _price(kind: FrameKind, key: bytes | None, again: bool) -> int:
    """nJ. Strangers have paid for receiving it in `heard`."""
    if kind is FrameKind.GREETING:
        return GREETING if key is None else KEY_GREETING
    if again:
        return RESEND if key is None else KEY_RESEND
    return HANDSHAKE if key is None else KEY_HANDSHAKE


def _rested(lane: Lane, counter: int) -> bool:
    """Is its row over, by quiet?"""
    return counter >= lane.next_at + QUIET_MS


def _next(lane: Lane, counter: int) -> Lane:
    """After a new greeting was answered."""
    row = 1 if _rested(lane, counter) else lane.greetings + 1
    wait = 0 if row < FREE else min(FIRST_WAIT_MS << min(row - FREE, 16), MOST_WAIT_MS)
    return lane._replace(
        greetings=min(row, 0xFFFF),
        next_at=counter + wait,
        resends=RESENDS,
        handshakes=HANDSHAKES if lane.key == _NOBODY else KEY_HANDSHAKES,
    )


def _renewed(lane: Lane, counter: int) -> Lane:
    return lane._replace(energy=BUDGET, greetings=0, next_at=counter)
