"""Looking at a pump: its status, with what follows from it. Nothing here changes one."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from pumpctl.errors import StoreError
from pumpctl.named import NamedTuple
from pumpctl.pump.told import Identity
from pumpctl.quantities import Rate
from pumpctl.station.journal import Entry, Journal
from pumpctl.therapy import figures
from pumpctl.therapy.boluses_seen import LastBolus, last_bolus
from pumpctl.therapy.forecast import Forecast, forecast
from pumpctl.therapy.moment import Date, Moment
from pumpctl.therapy.program import Mode, Program, continuous, make_program
from pumpctl.therapy.state import Delivery, PumpState, clock_difference_ms
from pumpctl.workflows.look.newest import LogTail, NewEntries
from pumpctl.workflows.surroundings import Station
from pumpctl.workflows.visit import Visit

STANDING_STILL = (Delivery.STOPPED, Delivery.STALLED)
"""Nothing is moved: no rate applies, and no date follows from one."""


class Look(NamedTuple):
    """A pump as it is now, and the station's view of it."""

    state: PumpState
    identity: Identity
    station_clock: Moment
    difference_ms: int
    """How far the pump's clock is ahead of the station's, as labels."""
    rate: Rate | None
    """The basal rate that the pump says applies now; None while nothing is moved."""
    forecast: Forecast | None
    """By what is given now; None where nothing is, or nobody can say."""
    unresolved: Entry | None
    rehearsal: bool
    last_bolus: LastBolus | None = None
    """The newest of the log's newest entries, or the one that runs."""
    log: NewEntries = NewEntries()
    """What came of the log with this look."""
    refill_unfinished: str | None = None
    """What of a refill was done and is not known to the pump, by this station's record."""
    last_bolus_doubt: str | None = None
    """Why there may have been a newer bolus than the last one that is known."""


def front_arrives(state: PumpState) -> Moment | None:
    """When the reservoir's drug is at the tip, by the program; None where it is, or nobody knows.

    In a bridge another program is played, which only the pump knows.
    """
    front, program = state.line.front_remaining, state.program
    if front is None or program is None or state.bridge is not None:
        return None
    if state.delivery in (*STANDING_STILL, Delivery.FALLBACK):
        return None
    from pumpctl.therapy.delivery import when_moved  # only where there is a front

    return when_moved(program, front.quanta, state.clock)


def forecast_of(state: PumpState, rate: Rate | None, expiry: Date | None = None) -> Forecast | None:
    """Until when the reservoir lasts at what is given now: the program, or the fallback's `rate`.

    `expiry`: the last day of the drug inside, where it is on record.
    None while nothing is moved, and for the fallback in a bridge: it is metered at
    the tip's concentration, which changes on the way.
    """
    if state.delivery in STANDING_STILL or rate is None:
        return None
    given = state.program
    if state.delivery is Delivery.FALLBACK or given is None:
        given = None if state.bridge is not None else _steady(state, rate)
    if given is None:
        return None
    left, at = state.reservoir, state.clock
    return forecast(given, left, state.low_alarm, at, state.filled_at, expiry=expiry)


def _steady(state: PumpState, rate: Rate) -> Program | None:
    """This rate day and night, with what the reservoir holds."""
    if not state.concentration:
        return None
    return make_program(
        Mode.CONTINUOUS,
        state.drug,
        state.concentration,
        low_alarm=state.low_alarm,
        fallback=rate,
        days=continuous(rate),
    )


def look(visit: Visit, tail: LogTail | None = None, before: PumpState | None = None) -> Look:
    """Ask everything that `status` shows.

    `tail` keeps the log's newest entries from look to look, so that a second one asks
    for those that are new only. `before` is what the last look at the same pump saw: its
    program is fetched again only where the pump names another one.
    """
    if before is not None and before.program is not None:
        visit.pump.expect(before.program)
    state = visit.state()
    tail = LogTail() if tail is None else tail
    log = tail.follow(visit.pump, state)
    rate = state.rate if state.rate and state.delivery not in STANDING_STILL else None
    now = visit.now()
    unresolved, expiry, half = _on_record(visit.station, state)
    return Look(
        state,
        visit.pump.identity,
        now,
        clock_difference_ms(state.clock, now),
        rate,
        forecast_of(state, rate, expiry),
        unresolved,
        visit.rehearsal,
        last_bolus(tail.entries, state.bolus),
        log,
        half,
        tail.doubt(state),
    )


def status_data(seen: Look) -> dict[str, Any]:
    """The contract's `status` → `data`."""
    state = seen.state
    program, staged, bolus = state.program, state.staged, state.bolus
    return {
        "state_version": state.state_version,
        "delivery": state.delivery.value,
        "rate": None if seen.rate is None else str(seen.rate),
        "program": None
        if program is None or state.program_hash is None
        else {
            "hash": state.program_hash.hex(),
            "mode": program.mode.value,
            "daily_dose": str(figures.daily_dose_rounded(program, state.clock.day)),
            "largest_hour": str(max(day.largest_hour for day in figures.week(program))),
        },
        "drug": {"name": state.drug, "concentration": str(state.concentration)},
        "reservoir": {
            "volume": str(state.reservoir),
            # A key only where the pump has a sensor.
            **({} if state.sensed is None else {"sensed": str(state.sensed)}),
            "capacity": str(state.capacity),
            "low_alarm": str(state.low_alarm),
            "low_date": None if seen.forecast is None else str(seen.forecast.low_date),
            "refill_by": None if seen.forecast is None else str(seen.forecast.refill_by),
        },
        "line": {
            "volume": str(state.line.volume),
            "at_tip": {
                "name": state.line.at_tip.drug,
                "concentration": str(state.line.at_tip.concentration),
            },
            "front_arrives": None if (front := front_arrives(state)) is None else str(front),
        },
        "bolus": None
        if bolus is None
        else {
            "kind": bolus.kind,
            "dose": str(bolus.dose),
            "given": str(bolus.delivered),
            "started": str(bolus.started),
            "ends": str(bolus.ends),
        },
        "bridge": None
        if state.bridge is None
        else {"volume": str(state.bridge.volume), "passed": str(state.bridge.passed)},
        "staged": None
        if staged is None
        else {"content": staged.program_hash.hex(), "expires_in": str(staged.expires_in)},
        "patient_dose": None
        if state.patient_dose is None
        else {
            "left": state.patient_dose.left,
            "next_at": None
            if state.patient_dose.next_at is None
            else str(state.patient_dose.next_at),
        },
        "patient_dose_settings": None
        if program is None or program.patient_dose is None
        else {
            "dose": str(program.patient_dose.dose),
            "over": str(program.patient_dose.over),
            "lockout": str(program.patient_dose.lockout),
            "max_per_24h": program.patient_dose.max_per_24h,
        },
        "last_bolus": None if seen.last_bolus is None else _bolus_json(seen.last_bolus),
        "last_bolus_doubt": seen.last_bolus_doubt,
        "battery": {
            "state": state.battery.state.value,
            "replace_by": None
            if state.battery.replace_by is None
            else str(state.battery.replace_by),
        },
        "clock": {
            "pump": str(state.clock),
            "station": str(seen.station_clock),
            "difference": f"{'-' if seen.difference_ms <= -1_000 else ''}"
            f"{abs(seen.difference_ms) // 1_000} s",
        },
        "alarms": [
            {
                "code": alarm.code,
                "priority": alarm.priority.value,
                "cause": alarm.cause,
                "since": str(alarm.since),
            }
            for alarm in state.alarms
        ],
        "unresolved": None
        if seen.unresolved is None
        else {"operation": seen.unresolved.operation, "since": seen.unresolved.at},
        "refill_unfinished": seen.refill_unfinished,
        "stopped_for": None if state.stopped_for is None else str(state.stopped_for),
        "rehearsal": seen.rehearsal,
    }


def _bolus_json(bolus: LastBolus) -> dict[str, Any]:
    return {
        "kind": bolus.kind,
        "dose": str(bolus.ordered),
        "given": None if bolus.given is None else str(bolus.given),
        "started": None if bolus.started is None else str(bolus.started),
        "ended": None if bolus.ended is None else str(bolus.ended),
        "running": bolus.running,
        "partial": bolus.partial,
        "operation": None if bolus.operation is None else str(bolus.operation),
    }


def keep_interrogation(station: Station, seen: Look, data: dict[str, Any]) -> str | None:
    """Keep an interrogation as a record; what went wrong, where it could not be."""
    from pumpctl.station.records import Records

    try:
        with closing(Records(station.database_url())) as records:
            records.add_interrogation(
                seen.state.serial,
                at=str(seen.station_clock),
                operator=station.operator,
                body=json.dumps(data, sort_keys=True),
            )
    except StoreError as error:
        return error.message
    return None


def _on_record(station: Station, state: PumpState) -> tuple[Entry | None, Date | None, str | None]:
    """The open operation, the last day of the drug inside (C5.7), a refill that is half done.

    Read without making a journal where there is none.
    """
    if not station.home.journal.exists():
        return None, None, None
    try:
        with Journal(station.home.journal) as journal:
            waiting = journal.unresolved(state.serial)
            expiry = _expiry(journal, state)
            half = _half_done(journal, state)
    except StoreError as error:
        station.tell(error.message)
        return None, None, None
    return waiting[0] if waiting else None, expiry, half


def _half_done(journal: Journal, state: PumpState) -> str | None:
    entries = journal.entries(pump=state.serial)
    if not any(each.kind == "visit" for each in entries):
        return None
    from pumpctl.workflows.refill.unfinished import begun, half_done  # only after a visit

    found = begun(entries)
    return None if found is None else half_done(found, state)


def _expiry(journal: Journal, state: PumpState) -> Date | None:
    """The pump does not keep it: it is in the intent of the refill that it holds."""
    entries = journal.entries(pump=state.serial)
    if not any(each.kind == "intent" and each.body.get("kind") == "refill" for each in entries):
        return None
    from pumpctl.workflows.refill.once import expiry_inside  # only where there was a refill

    return expiry_inside(journal, state)
