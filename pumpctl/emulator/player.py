"""Plays a patient story on a pump of its own, in memory and in the pump's own time.

The player is a clinician's hand at the bench: it stages, reads back and
activates through the pump's handlers as a paired key would, presses, and uses
needle, syringe and faults. It holds what it sees against what the story expects.
It knows no files; the pump's image is handed in, and comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pumpctl.emulator.acts.caller import Caller
from pumpctl.emulator.acts.dispatch import handle
from pumpctl.emulator.body.fluid import FG_PER_NG, PL_PER_NL
from pumpctl.emulator.edge import faulting
from pumpctl.emulator.edge.inspection import Inspection, inspect_core
from pumpctl.emulator.engine.exact import ratio
from pumpctl.emulator.firmware import Firmware
from pumpctl.emulator.memory.flash import MemoryStore, PowerCut, PowerLost
from pumpctl.emulator.memory.image import flash_of
from pumpctl.emulator.player_steps import (
    FACTORY_PROGRAM,
    Act,
    Break,
    CancelBolus,
    Change,
    Expect,
    LateBridge,
    LinkLost,
    Look,
    Mend,
    PatientDose,
    Refill,
    Seen,
    Step,
    Stop,
    Told,
)
from pumpctl.errors import UsageError
from pumpctl.named import NamedTuple
from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.wire import messages as m
from pumpctl.wire.codes import BolusKind, Delivery, LogKind, Role
from pumpctl.wire.logentry import unpack
from pumpctl.wire.messages_acts import Bridge, StageBridge, StageResume

_NO_CHAIN = bytes(32)
_STANDS_STILL = (Delivery.STOPPED, Delivery.STALLED)


class Played(NamedTuple):
    """The pump as the story left it, and the timeline."""

    content: bytes
    timeline: tuple[Told, ...]


class Refusal(NamedTuple):
    """The pump's own."""

    code: str
    detail: str


class _Unheard(Exception):
    """The line went away in the middle."""


def play(
    content: bytes,
    steps: Iterable[Step],
    *,
    began: int,
    tag: bytes,
    entropy: Callable[[int], bytes],
) -> Played:
    """Play all steps on this image of a frozen pump in bench mode, made at `began` (UTC ms)."""
    player = _Player(content, began, tag, entropy)
    timeline = tuple(player.step(each) for each in steps)
    return Played(bytes(player.store.image), timeline)


class _Player:
    """The pump, and what the hand remembers."""

    def __init__(
        self, content: bytes, began: int, tag: bytes, entropy: Callable[[int], bytes]
    ) -> None:
        self.store = MemoryStore(content)
        self._began, self._tag, self._entropy = began, tag, entropy
        self.firmware = self._attached()
        if not (self.firmware.core.implant.frozen and self.firmware.core.implant.bench):
            raise UsageError("a story is played on a frozen pump in bench mode")
        self._gone = 0
        self._before = self._truth()
        self._factory = self._before.program_hash
        self._filled: m.Status | None = None
        """What the pump said right before the last injection."""
        self._drained: int | None = None
        self._failed = ""
        """Why the fault of this step could not be."""

    def _attached(self, cut: PowerCut | None = None) -> Firmware:
        return Firmware.attach(
            flash_of(self.store, cut), now=lambda: self._began, entropy=self._entropy
        )

    # --- one step ---------------------------------------------------------------------------

    def step(self, step: Step) -> Told:
        """Go there, do it, look, compare."""
        self.firmware.advance(step.at - self._gone)
        self._gone, self._drained, self._failed = step.at, None, ""
        refusal, became = self._done(step)
        seen = self._look()
        failed = (self._failed,) if self._failed else ()
        wrong = (*failed, *_unhit(step, became), *self._wrong(step.expect, seen, refusal))
        self._before = self._truth()
        clock = self.firmware.core.clock
        code, detail = (None, became) if refusal is None else refusal
        return Told(step, clock.utc, clock.offset_min, code, detail, seen, wrong)

    def _done(self, step: Step) -> tuple[Refusal | None, str]:
        """Do it; the pump's refusal, and what became of a cut, empty where it did not come."""
        if isinstance(step.cut, PowerCut):
            self.firmware = self._attached(step.cut)
        try:
            refusal = self._do(step.act, step.cut.after if isinstance(step.cut, LinkLost) else "")
        except PowerLost as lost:
            self.firmware = Firmware.boot(
                flash_of(self.store), now=lambda: self._began, entropy=self._entropy
            )
            return None, f"{lost}, and came again"
        except _Unheard:
            self.firmware.link_lost()
            return None, "the line was lost, and nobody heard more"
        if isinstance(step.cut, PowerCut):  # it must not come later
            self.firmware = self._attached()
        return refusal, ""

    def _do(self, act: Act, lost_after: str) -> Refusal | None:
        match act:
            case Look():
                return None
            case Break(fault):
                try:
                    faulting.do(self, fault)
                except UsageError as error:  # nothing to draw, no such region, one too many
                    self._failed = f"it could not be done: {error.message}"
                return None
            case Mend(kind):
                faulting.clear(self, kind)
                return None
            case Change(message):
                return self._road(message, lost_after)
            case Refill():
                return self._refill(act, lost_after)
            case LateBridge():
                return self._road(self._late_bridge(), lost_after)
            case Stop():
                return _refusal(self._ask(m.Stop(self._entropy(16), _NO_CHAIN)))
            case CancelBolus():
                return _refusal(self._ask(m.CancelBolus(self._entropy(16), _NO_CHAIN)))
            case PatientDose():
                no = self.firmware.patient_dose()
                return None if no is None else Refusal(no.code.name, no.detail)

    # --- the pump, asked ---------------------------------------------------------------------

    def _ask(self, message: object) -> Any:
        """What the handlers answer a clinician's key."""
        self.firmware.tick()
        core = self.firmware.core
        answer = handle(core, Caller(1, Role.CLINICIAN, b"the hand"), message)
        core.save()
        return answer

    def _status(self) -> m.Status:
        status: m.Status = self._ask(m.GetStatus())
        return status

    def _road(self, message: Any, lost_after: str) -> Refusal | None:
        """Stage, read back, activate (PRG-01)."""
        if "tag" in message._fields:
            message = message._replace(tag=self._tag)
        if isinstance(message, StageResume):
            message = message._replace(program_hash=self._status().program_hash)
        staged = self._ask(message)
        if (no := _refusal(staged)) is not None:
            return no
        _cut("staged", lost_after)
        if (no := _refusal(self._ask(m.GetReadback()))) is not None:
            return no
        _cut("read-back", lost_after)
        done = self._ask(
            m.Activate(
                self._entropy(16),
                staged.content,
                self._status().state_version,
                staged.nonce,
                _NO_CHAIN,
            )
        )
        if (no := _refusal(done)) is not None:
            return no
        _cut("activated", lost_after)
        return None

    def _refill(self, act: Refill, lost_after: str) -> Refusal | None:
        """As a nurse does it: what the needle draws is what is recorded."""
        message, before = act.message, self._status()
        core = self.firmware.core
        wanted = None if act.drained is None else act.drained * PL_PER_NL
        self._drained = core.world.drain(wanted).volume // PL_PER_NL
        core.world.fill(
            message.injected * PL_PER_NL,
            message.program.drug,
            message.program.concentration,
            core.engine.world_time,
        )
        self.firmware.tick()
        self._filled = before
        bridge = Bridge(before.line, before.drug, before.concentration) if act.bridge else None
        return self._road(
            message._replace(
                drained=self._drained,
                filled_at=before.time,
                since=before.pulses,
                bridge=bridge,
            ),
            lost_after,
        )

    def _late_bridge(self) -> StageBridge:
        before = self._filled
        if before is None:
            raise UsageError("a late bridge without a refill before it")
        old = Bridge(before.line, before.drug, before.concentration)
        return StageBridge(self._tag, old, before.pulses)

    # --- seen and compared ----------------------------------------------------------------------

    def _truth(self) -> Inspection:
        return inspect_core(self.firmware.core, "")

    def _look(self) -> Seen:
        status, truth, before = self._status(), self._truth(), self._before
        entries = [unpack(raw) for raw in self._log_since(before.log_next)]
        begun = [
            entry
            for entry in entries
            if entry.kind is LogKind.BOLUS_STARTED
            and int.from_bytes(entry.data[:2], "big") == BolusKind.SCHEDULED
        ]
        return Seen(
            delivery=status.delivery.name.lower(),
            rate=None if status.delivery in _STANDS_STILL else status.rate,
            alarms=tuple(alarm.code.name for alarm in status.alarms),
            reservoir=status.reservoir,
            running=status.program_hash,
            believed_past_tip=_more(before.believed.given, truth.believed.given),
            true_reservoir=truth.reservoir.quanta,
            past_tip=_sum(truth.delivered) - _sum(before.delivered),
            at_tip=truth.truth.line[0].concentration.quanta,
            drained=self._drained,
            boluses=len(begun),
            missed=sum(entry.kind is LogKind.BOLUS_MISSED for entry in entries),
        )

    def _log_since(self, number: int) -> Iterator[bytes]:
        return self.firmware.core.log.read(number, self.firmware.core.log.next - number)

    def _wrong(self, expect: Expect, seen: Seen, refusal: Refusal | None) -> Iterator[str]:
        """What is not as expected; volumes and masses to within one pulse of the motor."""
        code = None if refusal is None else refusal.code
        if code != expect.refused:
            why = "" if refusal is None else f" ({refusal.detail})"
            yield f"refused: {code or 'nothing'}{why}, expected {expect.refused or 'nothing'}"
        raised = None if expect.alarms is None else frozenset(seen.alarms)
        if raised != expect.alarms:
            yield f"alarms: {_names(raised)}, expected {_names(expect.alarms)}"
        running = self._factory if expect.running == FACTORY_PROGRAM else expect.running
        if running not in {None, seen.running}:
            yield "running: another program than expected"
        pulse = self._truth().truth.pulse
        nominal = self.firmware.core.implant.pulse
        strongest = max(seen.at_tip, self._before.truth.line[0].concentration.quanta)
        for name, least, text in (
            ("delivery", 0, str),
            ("boluses", 0, str),
            ("missed", 0, str),
            ("at_tip", 0, lambda value: str(Concentration(value))),
            ("reservoir", nominal, _volume),
            ("true_reservoir", -(-pulse // PL_PER_NL), _volume),
            ("drained", -(-pulse // PL_PER_NL), _volume),
            ("past_tip", ratio(pulse * strongest, FG_PER_NG).up(), _mass),
            ("believed_past_tip", ratio(nominal * strongest, 1_000).up(), _mass),
        ):
            found, wanted = getattr(seen, name), getattr(expect, name)
            if wanted is None:
                continue
            if found is None or (found != wanted and (not least or abs(found - wanted) > least)):
                yield f"{name}: {'none' if found is None else text(found)}, expected {text(wanted)}"


def _refusal(answer: object) -> Refusal | None:
    return Refusal(answer.code.name, answer.detail) if isinstance(answer, m.Refusal) else None


def _cut(here: str, lost_after: str) -> None:
    if here == lost_after:
        raise _Unheard


def _unhit(step: Step, became: str) -> Iterator[str]:
    """A cut that never came shows nothing."""
    if step.cut is not None and not became:
        yield "the cut never came: the step was over before it"


def _more(before: dict[str, Mass], now: dict[str, Mass]) -> int | None:
    """ng by which it has grown; None where the count began anew: a count never goes down."""
    if any(drug not in now or now[drug] < mass for drug, mass in before.items()):
        return None
    return _sum(now) - _sum(before)


def _sum(masses: dict[str, Mass]) -> int:
    return sum(mass.quanta for mass in masses.values())


def _volume(quanta: int) -> str:
    return str(Volume(quanta))


def _mass(quanta: int) -> str:
    return str(Mass(quanta))


def _names(raised: frozenset[str] | None) -> str:
    return ", ".join(sorted(raised or ())) or "none"
