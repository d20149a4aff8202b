"""Thousands of log streams over lines that hurt: each is judged, none may lie or hang.

    python -m tests.link.storm --count 2000 [--seed N] [--jobs 2] [--seconds S]

Each world is drawn from one number: a line, a log, a pump with its oddities, places where
the line is cut. A cut, or a pull that gave up, is followed by a new session that goes on
after the last slice. It ends with 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from pumpctl.errors import NoAnswer
from pumpctl.link.line_rate import LEAST_RATE
from pumpctl.link.slices import Slice
from pumpctl.link.streaming import GIVE_UP_FRAMES, GIVE_UP_S, UNPROVED
from pumpctl.wire.codes import Encoding
from pumpctl.wire.records import MOST_KEPT_BYTES
from tests.link.stream_pumps import LogPump, Oddity, entries
from tests.link.stream_world import Hurt, World

BAUDS = (1_200, 9_600, 19_200, 57_600, 115_200, 921_600)
MOST_SESSIONS = 12
FRAME = 656
TOLD_EACH = 40
"""Worlds from one line of the report to the next."""


class Case(NamedTuple):
    """What is played."""

    hurt: Hurt
    odd: Oddity
    numbers: int
    torn: frozenset[int]
    first: int
    encoding: Encoding
    cuts: tuple[float, ...]
    """When the line is cut in each session, in seconds from its beginning."""


class Judged(NamedTuple):
    """How it went; `faults` is empty where it went well."""

    seed: int
    case: Case
    faults: tuple[str, ...]
    how: str
    sessions: int
    seconds: float
    """Of the line's own time."""
    bytes_down: float


def drawn(seed: int, *, most: int = 1500) -> Case:
    """A world from one number."""
    dice = random.Random(f"storm {seed}")

    def sometimes(value: float) -> float:
        return value if dice.random() < 0.35 else 0.0

    baud = dice.choice(BAUDS)
    hurt = Hurt(
        baud=baud,
        latency=dice.choice((0.0, 0.001, 0.02, 0.1, 0.5)),
        flips=dice.choice((0.0, 0.0, 1e-6, 1e-5, 1e-4, 1e-3)),
        drop=sometimes(dice.choice((0.01, 0.05, 0.3))),
        double=sometimes(dice.choice((0.01, 0.1, 0.3))),
        late=sometimes(dice.choice((0.01, 0.1, 0.3))),
        junk=sometimes(dice.choice((0.01, 0.2))),
        forged=sometimes(dice.choice((0.05, 0.5, 1.0))),
        piece=dice.choice((16, 64, 512)),
    )
    if hurt.forged > 0.1:  # until it gives up, a fast line would carry forged frames by the million
        hurt = hurt._replace(baud=min(baud, 19_200))
    if dice.random() < 0.2:
        every = dice.uniform(0.1, 2)
        hurt = hurt._replace(burst_every=every, burst_s=every * dice.choice((0.01, 0.05)))
    if dice.random() < 0.25:
        dead = dice.uniform(0, 5)
        heals = dead + dice.choice((0.5, 5, 15)) if dice.random() < 0.6 else float("inf")
        hurt = hurt._replace(dead_from=dead, dead_until=heals, raving=dice.random() < 0.5)
    odd = Oddity()
    if dice.random() < 0.4:
        odd = Oddity(
            fewer=dice.choice((1, 7, 100, 2048)),
            overwrites=dice.choice((0, 0, 1, 30)),
            forgets=dice.choice((0, 0, 1, 3)),
            deaf=dice.choice((0, 0, 3, 20)),
        )
    wide = most if baud > 9_600 else max(most // 8, 100)
    numbers = dice.choice((0, 1, 2, dice.randrange(3, 60), dice.randrange(60, wide)))
    if odd.fewer == 1:
        numbers = min(numbers, 60)
    torn = (
        frozenset(dice.sample(range(1, numbers + 1), numbers // 9)) if dice.random() < 0.3 else ()
    )
    cuts = tuple(dice.uniform(0, 8) for _ in range(dice.choice((0, 0, 1, 3))))
    return Case(
        hurt, odd, numbers, frozenset(torn), dice.choice((1, 1, 1, 1 << 40)),
        dice.choice((Encoding.RAW, Encoding.DIFFERENCE)), cuts,
    )  # fmt: skip


def gives_up_after(hurt: Hurt) -> float:
    """Seconds without an authentic answer within which a pull has ended with NoAnswer."""
    patience = GIVE_UP_S + GIVE_UP_FRAMES * FRAME / LEAST_RATE
    return UNPROVED * (patience + MOST_KEPT_BYTES / min(max(hurt.baud / 20, LEAST_RATE), 11_520))


def judge(seed: int, case: Case | None = None) -> Judged:
    """Play one and look at everything that came."""
    case = case or drawn(seed)
    whole = {
        int.from_bytes(each[:8], "big"): each
        for each in entries(case.numbers, case.first)
        if int.from_bytes(each[:8], "big") - case.first + 1 not in case.torn
    }
    until = case.first + case.numbers
    pump = LogPump(list(whole.values()), case.first, case.odd)
    pump.next = until
    found: list[Slice] = []
    faults: list[str] = []
    hurt, at, sessions, total, down = case.hurt, case.first, 0, 0.0, 0.0
    gave_up = 0
    while at < until and sessions < MOST_SESSIONS and not faults:
        sessions += 1
        cut = case.cuts[sessions - 1] if sessions <= len(case.cuts) else None
        world = World(pump, hurt, seed * 100 + sessions)
        came: list[Slice] = []
        bound = 3 * gives_up_after(hurt) + 40 * case.numbers * 80 * 10 / hurt.baud
        try:
            world.run(at, until, encoding=case.encoding, cut_at=cut, longest=bound, found=came)
        except NoAnswer:
            gave_up += 1
            if hurt.dead_until == float("inf"):  # somebody puts the cable right
                hurt = hurt._replace(dead_from=float("inf"), raving=False)
        except AssertionError as error:
            faults.append(str(error))
        except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
            faults.append(f"{type(error).__name__}: {error}")
        total, down = total + world.now, down + world.down.busy * hurt.baud / 10
        faults += _looked_at(came, at, until, whole, pump)
        found += came
        at = found[-1].until if found else at
    if at < until and not faults and not _hopeless(case):
        faults.append(f"not whole after {sessions} sessions: {at - case.first} of {case.numbers}")
    how = "whole" if at >= until else "given up"
    if gave_up and at >= until:
        how = "whole after giving up"
    elif sessions > 1 and at >= until:
        how = "whole after cuts"
    return Judged(seed, case, tuple(faults), how, sessions, total, down)


def _hopeless(case: Case) -> bool:
    """May no pull come through this?"""
    hurt, odd = case.hurt, case.odd
    harmed = hurt.flips or hurt.drop or hurt.double or hurt.late or hurt.junk or hurt.burst_every
    if harmed and (odd.forgets == 1 or odd.deaf == 3):
        return True
    return (
        hurt.forged > 0.1
        or hurt.flips >= 1e-3
        or hurt.drop >= 0.3
        or (hurt.double + hurt.late + hurt.junk > 0.15)
    )


def _looked_at(
    came: list[Slice], at: int, until: int, whole: dict[int, bytes], pump: LogPump
) -> list[str]:
    faults = []
    for each in came:
        if each.first != at or not each.first < each.until <= until:
            faults.append(f"a slice from {each.first} to {each.until} where {at} is due")
        numbers = [int.from_bytes(entry[:8], "big") for entry in each.entries]
        if any(whole.get(n) != entry for n, entry in zip(numbers, each.entries, strict=True)):
            faults.append(f"a wrong byte in the slice from {each.first}")
        if numbers != sorted(set(numbers)) or (
            numbers and not each.first <= numbers[0] <= numbers[-1] < each.until
        ):
            faults.append(f"numbers out of order or place in the slice from {each.first}")
        lost = [
            n for n in range(each.first, each.until) if n in pump.held and n not in set(numbers)
        ]
        if lost:
            faults.append(f"{len(lost)} entries that the pump holds are left out, from {lost[0]}")
        at = each.until
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="storm", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=86_400, help="no new worlds after this")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    judged: list[Judged] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        while len(judged) < given.count and time.monotonic() - started < given.seconds:
            begin = given.seed + len(judged)
            seeds = range(begin, min(begin + TOLD_EACH, given.seed + given.count))
            for each in pool.map(judge, seeds):
                judged.append(each)
                if each.faults:
                    print(
                        f"WRONG {each.seed}: {'; '.join(each.faults)}\n    {each.case}", flush=True
                    )
            print(_told(judged, time.monotonic() - started), flush=True)
    print(
        ", ".join(f"{how} {count}" for how, count in sorted(Counter(j.how for j in judged).items()))
    )
    return 1 if any(each.faults for each in judged) else 0


def _told(judged: list[Judged], seconds: float) -> str:
    """Where it stands, in a line."""
    return (
        f"{len(judged)} worlds, {sum(each.sessions for each in judged)} sessions, "
        f"{sum(each.seconds for each in judged) / 3600:.1f} h of lines, "
        f"{sum(each.bytes_down for each in judged) / 1e6:.1f} MB from pumps, "
        f"wrong {sum(bool(each.faults) for each in judged)}, "
        f"longest {max(each.seconds for each in judged):.0f} s, "
        f"seeds {judged[0].seed} to {judged[-1].seed}, in {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
