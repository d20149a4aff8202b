"""A pump's log in words and in quantities, for people and for scripts.

Entries come as values of whole quanta; here they become text of the one grammar of
quantities. What an entry looks like on the wire is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pumpctl.quantities import Concentration, Duration, Mass, Quantity, Rate, Volume
from pumpctl.therapy.log import LogEntry
from pumpctl.therapy.moment import Moment

_QUANTITIES: tuple[tuple[str, type[Quantity]], ...] = (
    ("_ng_per_day", Rate),
    ("_ng", Mass),
    ("_nl", Volume),
)
_TIMES = ("over_ms", "next_in_ms", "stopped_for_ms", "lasts_ms")
_REFUSED = {
    "LOCKOUT": "too early, or the most of 24 h is taken",
    "BOLUS_RUNNING": "a bolus runs, or a scheduled one is due",
    "BRIDGE_RUNNING": "a bridge runs, or drug of two concentrations is in the line",
    "CRITICAL_ALARM": "a critical alarm is raised",
    "STOPPED": "the pump is stopped",
    "SELF_TEST": "a self-test was running",
    "UNSUPPORTED": "the program gives the patient none",
    "LIMIT_WINDOW": "it would exceed the limit of a time window",
    "LIMIT_RATE": "with all that is given it would exceed the maximum flow",
}
"""Why the pump did not give the patient's own dose (BOL-04)."""


def hours_text(duration: Duration) -> str:
    """`27 h 05 min`, or `5 min`, rounded down to a minute."""
    hours, minutes = divmod(duration.quanta // 60_000, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def refusal_text(code: object) -> str:
    """Why a patient's dose was not given, in words."""
    return _REFUSED.get(str(code), str(code).lower().replace("_", " "))


def readable_fields(entry: LogEntry) -> dict[str, int | str]:
    """An entry's fields with every quantity as the grammar writes it: `dose` "20 mcg"."""
    found: dict[str, int | str] = {}
    for name, value in entry.fields:
        kind = next(((end, kind) for end, kind in _QUANTITIES if name.endswith(end)), None)
        if not isinstance(value, int):
            found[name] = value
        elif name in _TIMES:
            found[name.removesuffix("_ms")] = str(Duration(value))
        elif name.endswith("_utc_ms"):
            found[name.removesuffix("_utc_ms")] = str(Moment(value, _offset(entry, name)))
        elif name.endswith("concentration"):
            found[name] = str(Concentration(value))
        elif kind is not None:
            found[name.removesuffix(kind[0])] = str(kind[1](value))
        else:
            found[name] = value
    return found


def _offset(entry: LogEntry, name: str) -> int:
    """The offset that stands beside one of the two labels of a clock that was set."""
    found = entry.get(f"{name.removesuffix('_utc_ms')}_offset_min")
    return found if isinstance(found, int) else 0


def told(entry: LogEntry) -> str:
    """An entry in words: what happened, the figures in it, no number and no time."""
    say = _WORDS.get(entry.kind)
    return entry.kind.replace("_", " ") if say is None else say(entry, readable_fields(entry))


Fields = Mapping[str, int | str]


def _bolus(fields: Fields) -> str:
    return f"{str(fields.get('bolus_kind', '')).lower()} bolus"


def _bolus_ended(entry: LogEntry, fields: Fields) -> str:
    given, ordered = entry.get("given_ng"), entry.get("dose_ng")
    what = _bolus(fields)
    if given == ordered:
        return f"{what} ended: {fields.get('given')} given"
    return f"{what} CUT SHORT: {fields.get('given')} given of {fields.get('dose')} ordered"


def _refused(entry: LogEntry, fields: Fields) -> str:
    wait = entry.get("next_in_ms")
    later = ""
    if isinstance(wait, int) and wait:
        later = f"; next in {hours_text(Duration(-(-wait // 60_000) * 60_000))}"
    return f"patient's dose REFUSED: {refusal_text(fields.get('refused'))}{later}"


def _resumed(entry: LogEntry, _fields: Fields) -> str:
    stood = entry.get("stopped_for_ms")
    after = f" after {hours_text(Duration(stood))} without drug" if isinstance(stood, int) else ""
    return f"delivery goes on{after}"


def _role(what: str) -> Callable[[LogEntry, Fields], str]:
    return lambda _entry, fields: f"{what}, role {str(fields.get('role')).lower()}"


_WORDS: dict[str, Callable[[LogEntry, Fields], str]] = {
    "hour": lambda _, f: f"reservoir {f.get('reservoir')}",
    "boot": lambda _, f: f"the pump starts, number {f.get('boots')}",
    "activated": lambda _, f: (
        f"{str(f.get('operation_kind')).lower()} activated, state version {f.get('state_version')}"
    ),
    "chain_head": lambda _, __: "head of the station's journal kept",
    "stopped": lambda _, f: f"delivery STOPPED, state version {f.get('state_version')}",
    "resumed": _resumed,
    "bolus_started": lambda _, f: f"{_bolus(f)} of {f.get('dose')} over {f.get('over')} begins",
    "bolus_ended": _bolus_ended,
    "bolus_missed": lambda _, f: (
        f"{_bolus(f)} of {f.get('dose')} NOT given" + (f", due {f['due']}" if "due" in f else "")
    ),
    "refilled": lambda _, f: f"refilled: {f.get('volume')} of {f.get('concentration')}",
    "bridge_started": lambda _, f: (
        f"bridge of {f.get('volume')} begins, old drug {f.get('old_concentration')}"
    ),
    "bridge_ended": lambda _, f: f"bridge ended: {f.get('passed')} of {f.get('volume')} passed",
    "clock_set": lambda _, f: f"clock set from {_face(f.get('old'))} to {_face(f.get('new'))}",
    "alarm_raised": lambda _, f: f"ALARM {f.get('alarm')} ({str(f.get('priority')).lower()})",
    "alarm_cleared": lambda _, f: f"alarm {f.get('alarm')} is over",
    "alarm_tested": lambda _, f: f"alarm signal tested ({str(f.get('priority')).lower()})",
    "pairing_opened": lambda _, __: "open for pairing",
    "paired": _role("paired"),
    "unpaired": _role("unpaired"),
    "granted": _role("granted"),
    "voided": lambda _, __: "an operation written down as void",
    "stage_dropped": lambda _, __: "staged work ended without activation",
    "fallback": lambda _, f: f"FALLBACK rate in force: {f.get('rate')}",
    "patient_dose": lambda _, f: f"patient takes a dose: {f.get('dose')} over {f.get('over')}",
    "patient_refused": _refused,
    "limits_set": lambda _, f: f"table of limits {f.get('table_version')} in force",
    "log_lost": lambda _, f: f"LOST: {f.get('lost')} entries from {f.get('first_lost')} on",
    "patient_assigned": lambda _, f: f"patient assigned, state version {f.get('state_version')}",
    "implant_set": lambda _, f: f"implant's record set, state version {f.get('state_version')}",
}


def _face(text: int | str | None) -> str:
    """The label of a clock's face, without date's T and the zone."""
    return str(text)[:16].replace("T", " ")
