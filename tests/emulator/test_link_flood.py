"""What an attack on the line costs a pump's cell, and what it may not delay: a station's STOP."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from pumpctl.emulator.engine import battery
from pumpctl.emulator.engine import link_budget as lb
from pumpctl.emulator.engine.battery import FULL, Battery
from pumpctl.emulator.engine.clock import DAY_MS
from pumpctl.emulator.engine.link_budget import LinkBudget
from pumpctl.emulator.firmware import Firmware
from pumpctl.wire import messages as m
from pumpctl.wire.codes import Delivery, FrameKind, Purpose, Role
from pumpctl.wire.greeting import StationGreeting
from pumpctl.wire.initiator import Answer, Greeted, Initiator, Ready
from pumpctl.wire.responder import Responder
from pumpctl.wire.session import plain_frame
from tests.emulator.support import MINUTE, MONDAY, Bench, flex, op, paired

# --- what it means for the cell ------------------------------------------------------------

LANES_FULL = (1 + lb.LANES) * lb.BUDGET
"""nJ that an attack takes at its beginning, if it knows the name of every key."""
ATTACK_A_DAY = (lb.REFILL + lb.KEYS_REFILL) * DAY_MS
AFTER_A_SESSION = 2 * lb.BUDGET
"""nJ that an authentic session gives back to those who attack: strangers' lane and its own."""
VISIT = {"received": 200 * 7, "sent": 1_300 * 7}
"""An interrogation of 10 kB, once a week."""


def lasts(pulses: int, *, attacked: bool) -> Battery:
    """A cell after seven years at so many pulses a day, interrogated once a week."""
    cell = Battery(FULL, made_at=MONDAY)
    if attacked:
        cell._use(LANES_FULL)
    for day in range(1, (SEVEN + DAY_MS - 1) // DAY_MS):
        cell.idle(DAY_MS)
        cell.pulses(pulses)
        if day % 7 == 0:
            cell.bytes(**VISIT)
        if attacked:
            cell._use(ATTACK_A_DAY + (AFTER_A_SESSION if day % 7 == 0 else 0))
        cell.look(day * DAY_MS)
    return cell


SEVEN = battery.years_later(MONDAY, 7) - MONDAY


@pytest.mark.requirement("SEC-07")
def test_the_cell_outlasts_its_seven_years_under_an_attack_that_never_ends() -> None:
    cell = lasts(10_000, attacked=True)
    assert cell.held.ends_at is not None
    assert cell.held.ends_at >= SEVEN - DAY_MS, "as without it: by age"
    assert cell.held.charge > 0


@pytest.mark.requirement("SEC-07")
def test_what_an_attack_that_never_ends_takes_to_the_last_nanojoule() -> None:
    days, weeks = 2557, 365
    assert days * DAY_MS == SEVEN
    taken = LANES_FULL + days * ATTACK_A_DAY + weeks * AFTER_A_SESSION
    assert ATTACK_A_DAY == 259_200_000
    assert taken == 707_594_400_000
    assert taken * 1_000 // battery.CELL == 98, "less than a tenth of the cell"
    alone, attacked = lasts(10_000, attacked=False), lasts(10_000, attacked=True)
    assert alone.held.ends_at == attacked.held.ends_at


def test_at_the_largest_flow_it_costs_days() -> None:
    alone, attacked = lasts(240_000, attacked=False), lasts(240_000, attacked=True)
    assert alone.held.eri_at is not None
    assert attacked.held.eri_at is not None
    assert (alone.held.eri_at // DAY_MS, attacked.held.eri_at // DAY_MS) == (693, 672)


def test_without_a_budget_noise_alone_empties_it_within_days() -> None:
    cell = Battery(FULL, made_at=MONDAY)
    days = 0
    while cell.held.charge:
        cell.idle(DAY_MS)
        cell.bytes(received=10_000 * DAY_MS // 1_000)  # 10 kB a second, all received
        days += 1
    print(f"{days} days")
    assert days < 10


# --- what it may not delay -----------------------------------------------------------------

MINUTES = 20
Attack = Callable[["Scene"], bytes]


class Scene:
    """A pump with a program, a station and a colleague's that are paired, and an attacker."""

    def __init__(self) -> None:
        self.dice = Random("an attacker")
        self.bench = Bench()
        self.line = paired(self.bench)
        self.colleague = paired(self.bench, Role.CLINICIAN, "a colleague's station")
        assert self.colleague.ask(m.Close()) == m.Closed()
        self.bench.program(flex(300_007, 511_013))
        self.quiet = self.bench.copy()
        self.answered = 0

    def greeting(self, key: bytes, purpose: Purpose = Purpose.SESSION) -> bytes:
        return Initiator(entropy=self.bench.entropy, purpose=purpose, key=key).greet()

    def hit(self, attack: Attack, times: int = 1) -> None:
        for _ in range(times):
            self.answered += bool(self.bench.firmware.receive(attack(self)))

    def session(self, attack: Attack, message: object) -> Any:
        """Greeting, handshake and request, each sent once, with the attack after each."""
        receive = self.bench.firmware.receive
        end = Initiator(entropy=self.bench.entropy, purpose=Purpose.SESSION, key=self.line.key)
        heard = receive(end.greet())
        self.hit(attack, 5)
        if not any(isinstance(event, Greeted) for event in end.feed(heard)):
            return None
        line = self.line
        heard = receive(b"\0" + end.shake(own=line.private, peer=line.pump, psk=line.psk))
        self.hit(attack, 5)
        if not any(isinstance(event, Ready) for event in end.feed(heard)):
            return None
        told = []
        for asked in (message, m.Close()):
            _, data = end.request(asked)
            told += end.feed(receive(b"\0" + data))
            self.hit(attack, 5)
        return next((event.message for event in told if isinstance(event, Answer)), None)

    def minutes(self, attack: Attack, every: int, message: object) -> list[Any]:
        """A session every minute, between what the attacker sends; each one's answer."""
        answers = []
        for _ in range(MINUTES):
            for _ in range(MINUTE // every):
                self.bench.host += every
                self.hit(attack)
            answers.append(self.session(attack, message))
        return answers


def greetings(scene: Scene) -> bytes:
    purpose = scene.dice.choice([Purpose.SESSION, Purpose.LOOK, Purpose.PAIR])
    return scene.greeting(scene.dice.randbytes(8), purpose)


def one_greeting_again_and_again(scene: Scene) -> bytes:
    return Initiator(entropy=bytes, purpose=Purpose.LOOK).greet()


def false_handshakes(scene: Scene) -> bytes:
    return b"\0" + plain_frame(FrameKind.HANDSHAKE, scene.dice.randbytes(48))


def garbage(scene: Scene) -> bytes:
    return scene.dice.randbytes(scene.dice.choice((1, 30, 700, 5_000)))


def a_colleague_s_key_id(scene: Scene) -> bytes:
    """Overheard, and with false handshakes behind it."""
    return scene.greeting(scene.colleague.key) + false_handshakes(scene)


def everything(scene: Scene) -> bytes:
    return scene.dice.choice(ATTACKS)(scene)


ATTACKS: tuple[Attack, ...] = (
    greetings,
    one_greeting_again_and_again,
    false_handshakes,
    garbage,
    a_colleague_s_key_id,
)
FLOODS = [(attack, 1_000) for attack in (*ATTACKS, everything)]


@pytest.mark.requirement("SEC-07")
@pytest.mark.requirement("STP-01")
@pytest.mark.parametrize(("attack", "every"), [*FLOODS, (greetings, 100), (everything, 100)])
def test_a_stop_gets_through_at_once_whatever_others_send(attack: Attack, every: int) -> None:
    scene = Scene()
    answers = scene.minutes(attack, every, m.Stop(op(99), bytes(32)))
    assert [type(answer) for answer in answers] == [m.Done] * MINUTES
    assert scene.bench.status().delivery is Delivery.STOPPED


@pytest.mark.requirement("PMP-01")
def test_delivery_does_not_know_of_it() -> None:
    scene = Scene()
    answers = scene.minutes(everything, 500, m.GetStatus())
    assert [type(answer) for answer in answers] == [m.Status] * MINUTES
    scene.quiet.wait(scene.bench.host - scene.quiet.host)
    scene.bench.wait(0)
    gave, quiet = scene.bench.core.engine, scene.quiet.core.engine
    assert gave.motor.pulses == quiet.motor.pulses > 0
    assert (gave.motor.carry, gave.reservoir) == (quiet.motor.carry, quiet.reservoir)


@pytest.mark.requirement("SEC-07")
@pytest.mark.parametrize("attack", [*ATTACKS, everything])
def test_the_cell_pays_no_more_than_the_lanes_hold(attack: Attack) -> None:
    """As far as the battery: also what the filter lets pass is paid for, and nothing else."""
    scene = Scene()
    for _ in range(MINUTES * 60):
        scene.bench.host += 1_000
        scene.hit(attack, 3)
    scene.quiet.wait(scene.bench.host - scene.quiet.host)
    used = scene.quiet.core.engine.battery.held.charge - scene.bench.core.engine.battery.held.charge
    held = scene.bench.core.budget.held
    print(f"{attack.__name__}: {used} nJ, {scene.answered} answers")
    lanes = (1 + len(held.keys)) * lb.BUDGET
    assert used <= lanes + MINUTES * MINUTE * (lb.REFILL + lb.KEYS_REFILL)


def as_one_lane(patch: pytest.MonkeyPatch) -> None:
    """Whoever names a key is a stranger like everybody."""
    patch.setattr(Responder, "_named", lambda _self, _station: None)


def without_a_filter(patch: pytest.MonkeyPatch) -> None:
    """A receiver that sleeps hears nothing."""
    receive = Firmware.receive

    def deaf(self: Firmware, data: bytes) -> bytes:
        if self._end.in_session:
            return receive(self, data)
        size = LinkBudget(self.core.budget.held).heard(len(data), self.core.clock.counter)
        return receive(self, data[:size])

    patch.setattr(Firmware, "receive", deaf)


def one_lane_for_all_keys(patch: pytest.MonkeyPatch) -> None:
    named = Responder._named

    def same(self: Responder, station: StationGreeting) -> bytes | None:
        return None if named(self, station) is None else b"a key..."

    patch.setattr(Responder, "_named", same)


@pytest.mark.requirement("SEC-07")
@pytest.mark.parametrize(
    ("remove", "attack"),
    [
        (as_one_lane, greetings),
        (as_one_lane, a_colleague_s_key_id),
        (without_a_filter, garbage),
        (one_lane_for_all_keys, a_colleague_s_key_id),
    ],
)
def test_without_lanes_or_filter_stops_are_lost(
    remove: Callable[[pytest.MonkeyPatch], None], attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    remove(monkeypatch)
    answers = scene.minutes(attack, 1_000, m.Stop(op(99), bytes(32)))
    assert answers.count(None) > MINUTES // 2


@pytest.mark.requirement("SEC-07")
def test_who_has_overheard_our_own_key_id_can_delay_us_until_somebody_acts_at_the_pump() -> None:
    """What remains, and is said in the protocol: the id is in clear."""
    scene = Scene()

    def ours(scene: Scene) -> bytes:
        return scene.greeting(scene.line.key) + false_handshakes(scene)

    answers = scene.minutes(ours, 1_000, m.GetStatus())
    assert None in answers
    colleague = scene.colleague
    assert colleague.open(), "nobody else is delayed"
    assert colleague.ask(m.Close()) == m.Closed()
    scene.bench.firmware.press()
    assert scene.line.open()
