"""A visit around an MRI scan: what was so before it, and two looks that show delivery after it.

Every look is an entry of the journal, so that a visit goes on in another process, at
the step that is recorded. A pump is only asked, never changed; whether it delivers
again is judged by the therapy floor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from pumpctl.errors import PumpctlError, StoreError
from pumpctl.named import NamedTuple
from pumpctl.pump.pump import Pump
from pumpctl.quantities import Duration
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.curve import HOUR_MS
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import MINUTE_MS, Moment
from pumpctl.therapy.mri import Guidance, Look, Point, guidance_for, obstacles, seen
from pumpctl.therapy.mri_after import Judged, Verdict, judge
from pumpctl.therapy.mri_stalls import Fallback, Stall, advice, fallback, stalls, without_drug
from pumpctl.therapy.state import PumpState, clock_difference_ms
from pumpctl.workflows.course.pump_log import NotKnown, PumpLog
from pumpctl.workflows.mri.entries import KIND, look_body, look_from
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit, visit

LOG_BACK_MS = 72 * HOUR_MS
"""Where nothing was recorded before the scan: further than a stall lasts before the fallback."""
MOST_WAIT_MS = 60 * MINUTE_MS
"""Own choice: whoever must wait longer comes back."""

_READY = "ready"


class Kept(NamedTuple):
    """A look as it stands in the journal: when, by the station's clock, and what came of it."""

    at: str
    look: Look
    verdict: str
    """Of `mri_after.Verdict`; of a look before the scan `ready` or `held`."""


class Before(NamedTuple):
    """What `mri before` found and wrote down."""

    state: PumpState
    at: str
    guidance: Guidance | None
    obstacles: tuple[Point, ...]
    reason: str | None
    never_closed: str | None
    """When an earlier visit of this pump began that nobody closed."""

    @property
    def ready(self) -> bool:
        """Does nothing speak against a scan, or somebody's reason for it?"""
        return not self.obstacles or self.reason is not None


class After(NamedTuple):
    """What `mri after` found and wrote down."""

    state: PumpState
    before: Kept | None
    looks: tuple[Kept, ...]
    """Of this visit, the present one last."""
    judged: Judged
    reason: str | None
    look_again: Moment | None
    """By the station's clock."""
    stalls: tuple[Stall, ...]
    without_drug: Duration | None
    """How long nothing has been given, where nothing is given now."""
    fallback: Fallback | None
    advice: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def closed(self) -> bool:
        """Is it shown that the pump delivers again?"""
        return self.judged.verdict is Verdict.CLOSED


class _Recorded(NamedTuple):
    """The open visit of one pump, by the journal."""

    before: Kept | None = None
    looks: tuple[Kept, ...] = ()
    last_closed: str | None = None

    @property
    def began(self) -> str | None:
        """When, by the station's clock."""
        kept = (*filter(None, (self.before,)), *self.looks)
        return kept[0].at if kept else None

    @property
    def first(self) -> Look | None:
        """The look against which the next one counts."""
        first: Look | None = None
        for kept in self.looks:
            if kept.verdict == Verdict.FIRST.value:
                first = kept.look
            elif kept.verdict == Verdict.FAULT.value:
                first = None
        return first


# --- before ---------------------------------------------------------------------------------


def before(station: Station, reason: str | None) -> Before:
    """Look at the pump, write down how it is, and say what speaks against a scan.

    Written down whatever was found: a scan that is made all the same is looked after by
    it. Raises StoreError, before the pump is asked, where there is no journal.
    """
    with Journal(station.home.journal) as journal, visit(station, changes=False) as open_visit:
        state = open_visit.state()
        entries = journal.entries(pump=state.serial)
        left = _recorded(entries)
        unresolved = bool(journal.unresolved(state.serial))
        found = Before(
            state,
            str(open_visit.now()),
            guidance_for(state.model),
            obstacles(state, unresolved=unresolved),
            reason,
            left.began if left.looks or (left.before and left.before.verdict == _READY) else None,
        )
        body = {
            "step": "before",
            "verdict": _READY if found.ready else "held",
            "look": look_body(seen(state)),
            "obstacles": [point.id for point in found.obstacles],
            "guidance": None if found.guidance is None else found.guidance.version,
        }
        _append(journal, open_visit, state, found.at, body, reason)
    return found


# --- after ----------------------------------------------------------------------------------


def after(station: Station, reason: str | None, wait: Callable[[int], None] | None) -> After:
    """One look after a scan; with `wait`, which is handed ms to wait, the second one too.

    Raises StoreError, before the pump is asked, where there is no journal.
    """
    found = _after(station, reason)
    again = found.judged.look_again
    if wait is None or again is None or found.closed:
        return found
    ms = max(0, again.utc_ms - found.state.clock.utc_ms) + 1_000
    if ms > MOST_WAIT_MS:
        return found._replace(notes=(*found.notes, "the second look is more than an hour away"))
    wait(ms)
    return _after(station._replace(only=found.state.serial), reason)


def _after(station: Station, reason: str | None) -> After:
    with Journal(station.home.journal) as journal, visit(station, changes=False) as open_visit:
        state, now = open_visit.state(), open_visit.now()
        recorded = _recorded(journal.entries(pump=state.serial))
        earlier, first = recorded.before, recorded.first
        log, notes = _log(open_visit.pump, state, earlier)
        judged = judge(
            state,
            log,
            open_visit.pump.identity.pulse,
            before=None if earlier is None else earlier.look,
            first=first,
            difference_ms=clock_difference_ms(state.clock, now),
            reason=reason,
        )
        kept = Kept(str(now), seen(state), judged.verdict.value)
        body = {
            "step": "look",
            "look": look_body(kept.look),
            "verdict": kept.verdict,
            "needed": [point.id for point in judged.needed],
            "accepted": [point.id for point in judged.accepted],
        }
        _append(journal, open_visit, state, kept.at, body, reason)
        if judged.verdict is Verdict.CLOSED:
            _append(journal, open_visit, state, kept.at, {"step": "closed"}, reason)
        unchanged = earlier is not None and earlier.look.program_hash == state.program_hash
        stood = stalls(log, state, state.program if unchanged or earlier is None else None)
        return After(
            state,
            earlier,
            (*recorded.looks, kept),
            judged,
            reason,
            _by_station(judged.look_again, state.clock, now),
            stood,
            without_drug(state, stood),
            fallback(log, state),
            advice(state, stood),
            (*notes, *_notes(journal, station, state.serial, recorded)),
        )


def _by_station(again: Moment | None, pump: Moment, now: Moment) -> Moment | None:
    """The same instant by the station's clock, rounded up to a whole second."""
    if again is None:
        return None
    at = now.plus(again.utc_ms - pump.utc_ms)
    return at.plus(-at.utc_ms % 1_000)


def _log(
    pump: Pump, state: PumpState, earlier: Kept | None
) -> tuple[tuple[LogEntry, ...], tuple[str, ...]]:
    """The pump's log since the look before the scan, and why not where it cannot be had."""
    since = state.counter_ms - LOG_BACK_MS if earlier is None else earlier.look.counter_ms
    try:
        found = PumpLog(pump, state).since(since)
    except NotKnown as error:
        return (), (f"{error}; stalls and the patient's own doses are not known",)
    return tuple(entry for entry in found if entry.counter_ms >= since), ()


def _notes(journal: Journal, station: Station, serial: str, recorded: _Recorded) -> tuple[str, ...]:
    found: list[str] = []
    if recorded.before is None:
        text = "nothing was recorded before this scan (pumpctl mri before)"
        if recorded.last_closed is not None:
            text += f"; the visit before was closed at {recorded.last_closed}"
        found.append(text)
    for other, kept in _others(journal, serial, station).items():
        found.append(f"pump {other} has an MRI visit since {kept}, not closed: was it meant?")
    if journal.unresolved(serial):
        found.append("an earlier operation has no known outcome: pumpctl resolve")
    return tuple(found)


def _others(journal: Journal, serial: str, station: Station) -> dict[str, str]:
    """Visits of other pumps that began within 24 h and are not closed."""
    all_ = [entry for entry in journal.entries() if entry.kind == KIND and entry.pump != serial]
    found: dict[str, str] = {}
    for pump in {entry.pump for entry in all_}:
        at = _recorded([entry for entry in all_ if entry.pump == pump]).began
        if at is not None and _hours_apart(station.wall(), at) < 24:
            found[pump] = at
    return found


def _hours_apart(now: Moment, at: str) -> int:
    return abs(now.utc_ms - Moment.parse(at).utc_ms) // HOUR_MS


# --- the journal ----------------------------------------------------------------------------


def _recorded(entries: list[Entry]) -> _Recorded:
    """The open visit. StoreError for an entry that cannot be read."""
    found = _Recorded()
    for entry in entries:
        if entry.kind != KIND:
            continue
        if entry.body.get("step") == "closed":
            found = _Recorded(last_closed=entry.at)
            continue
        with suppress(KeyError, TypeError, ValueError, PumpctlError):
            verdict = str(entry.body.get("verdict", ""))
            kept = Kept(entry.at, look_from(entry.body["look"]), verdict)
            if entry.body["step"] == "before":
                found = _Recorded(before=kept, last_closed=found.last_closed)
            else:
                found = found._replace(looks=(*found.looks, kept))
            continue
        raise StoreError(f"entry {entry.seq} of the journal is no look around a scan")
    return found


def _append(
    journal: Journal,
    open_visit: Visit,
    state: PumpState,
    at: str,
    body: Mapping[str, object],
    reason: str | None,
) -> None:
    journal.append(
        KIND,
        at=at,
        pump=open_visit.serial,
        operation=None,
        body={
            **body,
            "reason": reason,
            "tag": None if state.tag_hash is None else state.tag_hash.hex(),
            "operator": open_visit.station.operator,
            "rehearsal": open_visit.rehearsal,
        },
    )
