"""The one table of self-tests, and those of them that need nothing but values (PMP-02).

Each test says when it is done and into which declared alarm it fails. Where a
test needs the pump's memory or its motor, it is done there; here it is only
named, so that the table is whole. No alarm is raised here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from google_crc32c import value as crc32c

from pumpctl.emulator.engine.clock import DAY_MS, HOUR_MS, MINUTE_MS
from pumpctl.emulator.engine.exact import ZERO, ratio
from pumpctl.emulator.engine.motor import Motor
from pumpctl.emulator.engine.schedule import bolus_flow, flow_of
from pumpctl.named import NamedTuple
from pumpctl.wire.codes import AlarmCode

CHECK_EVERY_MS: Final = HOUR_MS
"""Of memory, arithmetic, label and volume (own choice)."""
MOTOR_CHECK_MS: Final = 20 * MINUTE_MS
"""Of the motor: a withdrawal takes hours, and half an hour's loss is far from one (own choice)."""


class When(Enum):
    """How often a test is done."""

    POWER_ON = "at power-on"
    HOURLY = "every hour"
    EVERY_20_MIN = "every 20 min"
    CONTINUOUSLY = "continuously"


class SelfTest(NamedTuple):
    """One test, as it is declared."""

    name: str
    looks_at: str
    when: tuple[When, ...]
    fails_into: tuple[AlarmCode, ...]
    then: str
    """What the pump does about it, beside the alarm's own reaction."""


_REGULAR: Final = (When.POWER_ON, When.HOURLY)
_ONE: Final = (AlarmCode.MEMORY_ONE_COPY,)
_BOTH: Final = (AlarmCode.MEMORY_ONE_COPY, AlarmCode.MEMORY_BOTH_COPIES)

SELF_TESTS: Final = (
    SelfTest(
        "program",
        "both copies of the running program, and of the one bridged from: each its check, "
        "and that they are equal",
        _REGULAR,
        _BOTH,
        "one bad: written again from the other; both of either: the fallback rate",
    ),
    SelfTest(
        "fallback",
        "both copies of the fallback rate",
        _REGULAR,
        _BOTH,
        "one bad: written again from the other; both: made again from the program while "
        "that is whole, or else delivery stops",
    ),
    SelfTest(
        "control block",
        "both copies of the control block in force",
        _REGULAR,
        _BOTH,
        "one bad: written again from the other; both while the pump runs: written anew; both "
        "at power-on: nobody knows which program ran, and the fallback rate is given",
    ),
    SelfTest(
        "implant record",
        "both copies of the factory's record and of the implant's",
        _REGULAR,
        _ONE,
        "one bad: written again from the other; the implant's lost: its contents are "
        "unknown; the factory's lost: the pump does not start",
    ),
    SelfTest(
        "limits",
        "both copies of the table of hard limits, where one was installed",
        _REGULAR,
        _ONE,
        "one bad: written again from the other; both: no dose is taken until a table is "
        "installed again",
    ),
    SelfTest(
        "log",
        "that the newest entries are whole and follow each other",
        _REGULAR,
        _ONE,
        "a bad entry is left out and shows as a missing number",
    ),
    SelfTest(
        "always-on memory",
        "the check of the memory that never loses its power",
        (When.POWER_ON,),
        (AlarmCode.BATTERY_RESET, AlarmCode.CLOCK_LOST),
        "volume, pulses and counter are taken from the log, the charge is reckoned from them",
    ),
    SelfTest(
        "arithmetic",
        "known answers: flow of a rate and of a bolus, pulses and what they carry, CRC-32C",
        _REGULAR,
        (AlarmCode.MEMORY_BOTH_COPIES,),
        "a schedule that cannot be computed is not followed: the fallback rate",
    ),
    SelfTest(
        "motor",
        "that every pulse comes; and, while none do, whether the motor turns again",
        (When.CONTINUOUSLY, When.EVERY_20_MIN),
        (AlarmCode.MOTOR_STALL,),
        "the pulses that did not come are counted, and never made up",
    ),
    SelfTest(
        "clock",
        "that the label lies in the pump's possible life",
        _REGULAR,
        (AlarmCode.CLOCK_LOST,),
        "the pump goes on by its counter",
    ),
    SelfTest(
        "cell",
        "the charge against its reserve, and the age of the pump",
        (When.HOURLY,),
        (AlarmCode.ELECTIVE_REPLACEMENT, AlarmCode.END_OF_SERVICE),
        "the motor stops 90 days after elective replacement began, or when no charge is left",
    ),
    SelfTest(
        "reservoir sensor",
        "sensed against computed volume, where the model has a sensor",
        _REGULAR,
        (AlarmCode.VOLUME_DISAGREES,),
        "the sensed volume never replaces the computed one",
    ),
    SelfTest(
        "line",
        "what strangers on the line have cost, against its budget",
        (When.CONTINUOUSLY,),
        (AlarmCode.LINK_FLOOD,),
        "the pump stops listening to strangers until the budget has recovered",
    ),
)

# --- those that need nothing but values -----------------------------------------------------

_CRC_OF_DIGITS: Final = 0xE306_9283
"""CRC-32C of the nine characters 123456789: docs/protocol.md, section 2."""


def arithmetic_known_answer() -> bool:
    """Does the arithmetic of delivery still give what was worked out by hand?

    100 mcg/day at 500 mcg/mL is 0.2 mL: in a day 2000 pulses of 100 nL and no rest.
    50 mcg at 500 mcg/mL over 10 min is 0.1 mL, a published case: in 7 min 700 pulses,
    the 700th not a millisecond sooner. 1 nL/ms for a third of 1 ms and more carries.
    """
    basal = Motor(pulse=100, pulses=0, lost=0, carry=ZERO)
    basal.run(flow_of(100_000, 500), DAY_MS)
    dose = bolus_flow(50_000, 10 * MINUTE_MS, 500)
    bolus = Motor(pulse=100, pulses=0, lost=0, carry=ZERO)
    due = bolus.until(dose, 700)
    bolus.run(dose, 7 * MINUTE_MS - 1)
    early = bolus.pulses
    bolus.run(dose, 1)
    thirds = Motor(pulse=1, pulses=0, lost=0, carry=ratio(2, 3))
    thirds.run(ratio(1, 2), 1)
    return (
        (basal.pulses, basal.carry) == (2_000, ZERO)
        and (due, early, bolus.pulses) == (7 * MINUTE_MS, 699, 700)
        and (thirds.pulses, thirds.carry) == (1, ratio(1, 6))
        and crc32c(b"123456789") == _CRC_OF_DIGITS
    )


_BEFORE_MS: Final = DAY_MS
"""A clock may have been set back a little on the first day."""
_LIFE_MS: Final = 10 * 366 * DAY_MS
"""Seven years of service, and time on a shelf: no pump of this kind is older."""


def label_plausible(utc: int, *, made_at: int) -> bool:
    """Can this label (UTC ms) be one of a pump made then?"""
    return made_at - _BEFORE_MS <= utc <= made_at + _LIFE_MS


LOG_LOOK: Final = 51
"""How many of the newest entries are looked at: a page of the log, about a day's."""


def entries_follow(numbers: Iterable[int], *, first: int, then: int) -> bool:
    """Are these the numbers of all the entries from `first` on, before number `then`?"""
    return list(numbers) == list(range(first, then))


_SMALL_PUMP: Final = 20_000_000
_APART_SMALL: Final = 1_000_000
_APART_LARGE: Final = 2_000_000
"""nL: more than 1 mL in a 20 mL pump, 2 mL in a 40 mL pump, is of consequence
(C5.8 and C5.10 of docs/safety.md)."""


def volumes_agree(*, capacity: int, computed: int, sensed: int) -> bool:
    """Are the two volumes (nL) near enough for a pump of this capacity?"""
    most = _APART_SMALL if capacity <= _SMALL_PUMP else _APART_LARGE
    return abs(sensed - computed) <= most
