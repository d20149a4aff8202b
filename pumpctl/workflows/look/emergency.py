"""An emergency's card: the guidance, and this pump's facts from wherever they can be had.

From the pump where it answers; else from the last interrogation that is kept, with what
this station has done to the pump since; else the guidance alone. Nothing of a pump, a
port or a record makes it fail. It reads only, and decides nothing.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from pumpctl.errors import Corrupt, NotPaired, PumpctlError, VersionSkew
from pumpctl.named import NamedTuple
from pumpctl.quantities import Duration
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy.emergency import GUIDANCE, Guidance, age_text, facts, facts_json
from pumpctl.therapy.moment import Moment
from pumpctl.workflows.look.looking import look, status_data
from pumpctl.workflows.road.became import kind_of
from pumpctl.workflows.road.stopping import unbarred
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import visit

NOT_LIVE = "NOT_LIVE"
"""The code of the warning that these facts, or their lack, are not the pump's own of now."""


class Card(NamedTuple):
    """What is shown."""

    guidance: Guidance
    now: Moment
    serial: str | None = None
    model: str = ""
    data: dict[str, Any] | None = None
    """As `status` → `data`; None where nothing is known of a pump."""
    as_of: Moment | None = None
    """When these facts were told, by the station's clock."""
    live: bool = False
    since: tuple[str, ...] = ()
    """What this station did to the pump after that."""
    why: str = ""
    """Why they are not the pump's own of now."""
    warnings: tuple[tuple[str, str], ...] = ()

    @property
    def age(self) -> Duration | None:
        """How old the facts are, rounded down to 1 min; None where a clock ran backwards."""
        if self.as_of is None or self.live:
            return Duration(0)
        ms = self.now.utc_ms - self.as_of.utc_ms
        return None if ms < 0 else Duration(ms // 60_000 * 60_000)


class _Kept(NamedTuple):
    """What the station itself knows of a pump."""

    serial: str
    data: dict[str, Any]
    at: Moment


def card(station: Station, kind: str) -> Card:
    """The card of `overdose` or `withdrawal`; it is made whatever the pump does."""
    station = unbarred(station)
    blank = Card(GUIDANCE[kind], station.wall())
    why, meant, answered = "no port was given", station.only, False
    if station.port:
        try:
            with visit(station, changes=False, urgent=True) as open_visit:
                seen = look(open_visit)
            data = _readable(status_data(seen))
        except Exception as error:  # noqa: BLE001  whatever it is, the card must come
            why = error.message if isinstance(error, PumpctlError) else str(error)
            if isinstance(error, NotPaired):
                why += f"; pair first: pumpctl --port {station.port} pair --secret-file CARD"
            heard = error.greeted if isinstance(error, PumpctlError) else None
            answered = heard is not None or isinstance(error, (Corrupt, VersionSkew))
            meant = meant or heard
        else:
            return blank._replace(
                serial=seen.state.serial,
                model=seen.state.model,
                data=data,
                as_of=seen.station_clock,
                now=seen.station_clock,
                live=True,
            )
    try:
        kept, reason = _kept(station, meant, alone=not answered)
    except Exception as error:  # noqa: BLE001  the same
        kept, reason = None, error.message if isinstance(error, PumpctlError) else str(error)
    if kept is None:
        told = f"no facts of this pump: {why}; {reason}"
        return blank._replace(why=f"{why}; {reason}", warnings=((NOT_LIVE, told),))
    try:
        since = _since(station, kept)
    except Exception as error:  # noqa: BLE001  the same
        why_not = error.message if isinstance(error, PumpctlError) else str(error)
        since = (f"NOT KNOWN: {why_not}",)
    ago = age_text(kept.at, blank.now)
    told = f"these facts are of {kept.at.label()}, {ago}, and may have changed: {why}"
    return blank._replace(
        serial=kept.serial,
        model=str(kept.data.get("identity", {}).get("model", "")),
        data=kept.data,
        as_of=kept.at,
        since=since,
        why=why,
        warnings=((NOT_LIVE, told),),
    )


def _kept(station: Station, serial: str | None, *, alone: bool) -> tuple[_Kept | None, str]:
    """The last interrogation of the pump that is meant, or why there is none.

    Where none is named, the only one that this station knows, if it is `alone`: not
    where a pump did answer, since that one would be somebody else's.
    """
    if station.database is None and not station.home.records.exists():
        return None, "nothing is kept at this station"
    from pumpctl.station.records import Records

    with closing(Records(station.database_url())) as records:
        if serial is None:
            paired = {serial for serial, _ in station.home.pairings()}
            known = sorted(paired | set(records.interrogated()))
            if not alone:
                return None, "--pump SERIAL shows what is kept of a pump"
            if len(known) != 1:
                several = f"--pump, one of {', '.join(known)}" if known else "nothing is kept"
                return None, several
            (serial,) = known
        found = records.last_interrogation(serial)
    if found is None:
        return None, f"no interrogation of pump {serial} is kept"
    try:
        return _Kept(serial, _readable(json.loads(found.body)), Moment.parse(found.at)), ""
    except (PumpctlError, ValueError, TypeError, LookupError, AttributeError) as error:
        return None, f"the kept interrogation of pump {serial} is damaged: {error}"


def _readable(data: Any) -> dict[str, Any]:
    """These data, of which a card can be made; whatever is raised says that none can."""
    if not isinstance(data, dict) or "delivery" not in data:
        raise ValueError("no status of a pump")
    facts(data, Duration(0))
    facts_json(data)
    return data


def _since(station: Station, kept: _Kept) -> tuple[str, ...]:
    """Changes of therapy that this station has sent since, newest last.

    Told by the pump's state version where both tell one: a clock that was set back makes
    nothing unsent. Raises whatever a damaged journal does.
    """
    if not station.home.journal.exists():
        return ()
    with Journal(station.home.journal, wait_s=0) as journal:
        entries = journal.entries(pump=kept.serial)
        waiting = {entry.operation for entry in journal.unresolved(kept.serial)}
    kinds = {each.operation: kind_of(each) for each in entries if each.kind == "intent"}
    done = []
    for entry in entries:
        if entry.operation is None or not _later(entry, kept):
            continue
        kind, at = kinds.get(entry.operation, "change"), Moment.parse(entry.at).label()
        if entry.kind == "intent" and entry.operation in waiting:
            done.append(f"{kind}, outcome NOT KNOWN, {at}")
        elif entry.kind in ("outcome", "resolved") and entry.body.get("outcome") == "applied":
            done.append(f"{kind}, {at}")
    return tuple(done)


def _later(entry: Entry, kept: _Kept) -> bool:
    """Whether an entry is of after the interrogation."""
    was, version = kept.data.get("state_version"), entry.body.get("state_version")
    if isinstance(was, int) and isinstance(version, int):
        # An intent names the version that it was made for, an outcome the one it made.
        return version >= was if entry.kind == "intent" else version > was
    return Moment.parse(entry.at).utc_ms >= kept.at.utc_ms
