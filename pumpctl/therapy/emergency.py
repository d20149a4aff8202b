"""What the guidance says of an overdose and of a withdrawal, and a pump's facts beside it.

The texts are those of the guidance; each step names where it is said, C5 being the list
in docs/safety.md.
Facts are read from the data of a status, fresh or kept, so that a card is made of one
and the same thing whether the pump answers or not. Pure; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from pumpctl.named import NamedTuple
from pumpctl.quantities import (
    Concentration,
    Duration,
    Mass,
    Rate,
    Volume,
    flow_of,
    mass_of,
    round_half_up,
    volume_of,
)
from pumpctl.therapy import practice
from pumpctl.therapy.log_text import hours_text
from pumpctl.therapy.moment import Moment

OVERDOSE, WITHDRAWAL = "overdose", "withdrawal"


class Step(NamedTuple):
    """One thing to do, and where it is said."""

    text: str
    source: str
    command: str = ""
    """The name of the command that does it at this station."""


class Guidance(NamedTuple):
    """One emergency: how it shows, and what is to be done, in this order."""

    kind: str
    title: str
    signs: str
    steps: tuple[Step, ...]


_OVERDOSE, _WITHDRAWAL = "practice: overdose", "practice: withdrawal (boxed warning)"
"""As `practice` names what is done rather than printed on a label."""

GUIDANCE: Mapping[str, Guidance] = {
    OVERDOSE: Guidance(
        OVERDOSE,
        "OVERDOSE of intrathecal baclofen",
        "drowsiness, respiratory depression, coma",
        (
            Step("STOP delivery at once:", _OVERDOSE, "stop"),
            Step("Where telemetry fails: by needle, emptying the reservoir.", _OVERDOSE),
            Step(
                "Aspirate a pocket fill (drug injected beside the reservoir).",
                f"{_OVERDOSE}; C5.10",
            ),
            Step("Support breathing. Intensive care. There is no antidote.", _OVERDOSE),
            Step("Drainage of CSF where specialists advise it.", _OVERDOSE),
            Step(
                "Plan the restart now: withdrawal follows, 12 to 96 h after the last drug.",
                _OVERDOSE,
            ),
        ),
    ),
    WITHDRAWAL: Guidance(
        WITHDRAWAL,
        "WITHDRAWAL of intrathecal baclofen",
        "high fever, altered mental status, rebound spasticity, rigidity; can kill",
        (
            Step(
                "Contact a physician who knows this therapy NOW, even if it is mild.", _WITHDRAWAL
            ),
            Step("Restore delivery of the drug.", _WITHDRAWAL, "resume"),
            Step(
                "Interrogate: catheter, motor, battery or reservoir? Dose, drug, concentration?",
                _WITHDRAWAL,
                "interrogate",
            ),
            Step("Onset is 12 to 96 h after loss of drug; it may still be coming.", _WITHDRAWAL),
            Step(
                "Drained far above expected: NOT given; a restart can then be an overdose.",
                "C5.5",
            ),
        ),
    ),
}


class Fact(NamedTuple):
    """One line of a pump's facts; `key` is what scripts read."""

    key: str
    name: str
    text: str
    alert: bool = False


def facts(data: Mapping[str, Any], age: Duration | None) -> tuple[Fact, ...]:
    """The facts of a pump from `status` → `data`; what an older record lacks is left out.

    `age` is how long ago they were told, None where nobody knows: a pause that ran then
    is judged with it.
    """
    return tuple(_facts(data, age))


def _facts(data: Mapping[str, Any], age: Duration | None) -> Iterator[Fact]:
    delivery = str(data.get("delivery", "not known"))
    still = delivery in ("stopped", "stalled", "fallback", "empty")
    yield Fact("delivery", "delivery", delivery.upper(), still)
    drug = data.get("drug") or {}
    strength = _read(Concentration, drug.get("concentration"))
    rate, metered = _read(Rate, data.get("rate")), _metered(data)
    yield Fact("rate", "rate now", _rate_text(rate, metered, delivery))
    real = rate_at_tip(data)
    if real is not None:
        text = f"{real.per_hour_text()} = {real}: the line holds another strength"
        yield Fact("rate_at_tip", "really given", text, True)
    pause = without_drug(data)
    if pause is not None:
        yield Fact("stopped_for", "without drug", _pause_text(pause, age), True)
    program = data.get("program") or {}
    dose = _read(Rate, program.get("daily_dose"))
    if dose is not None:
        runs = ", after the bridge" if data.get("bridge") else ""
        if delivery in ("stopped", "stalled", "fallback"):
            runs = ", NOT running"
        yield Fact(
            "daily_dose", "daily dose", f"{dose}{_flow(dose, strength)}, {program['mode']}{runs}"
        )
    held = f"{drug.get('name', 'not known')} {strength or ''}".strip()
    tip = _at_tip(data, strength)
    yield Fact("drug", "drug", held + tip, "NO DRUG" in tip)
    bolus = data.get("last_bolus")
    doubt = data.get("last_bolus_doubt")
    yield Fact("last_bolus", "last bolus", _bolus_text(bolus, metered, doubt), bool(doubt))
    yield from _reservoir(data.get("reservoir") or {}, strength)
    alarms = [str(alarm["code"]) for alarm in data.get("alarms") or ()]
    yield Fact("alarms", "alarms", ", ".join(alarms) or "none", bool(alarms))
    if data.get("unresolved"):
        yield Fact("unresolved", "unresolved", "an operation: run pumpctl resolve", True)


def _rate_text(rate: Rate | None, strength: Concentration | None, delivery: str) -> str:
    if rate is None:
        why = delivery if delivery in ("stopped", "stalled") else "the pump says none"
        return f"nothing: {why}"
    more = {
        "bolus": " basal, and a bolus runs",
        "empty": " ordered: by its own count it is EMPTY",
    }.get(delivery, "")
    return f"{rate.per_hour_text()} = {rate}{_flow(rate, strength)}{more}"


def _metered(data: Mapping[str, Any]) -> Concentration | None:
    """By what the rate is metered: what is at the tip in a bridge (REF-08), else the reservoir."""
    of = _tip(data) if data.get("bridge") else data.get("drug") or {}
    found: Concentration | None = _read(Concentration, of.get("concentration"))
    return found


def rate_at_tip(data: Mapping[str, Any]) -> Rate | None:
    """The mass that really leaves the tip, half up; None where it is what the pump says.

    Without a bridge a line of another concentration is moved at the reservoir's flow
    (C5.12). Another drug is no mass of this one, and of an empty pump nobody can tell.
    """
    drug, tip = data.get("drug") or {}, _tip(data)
    rate, strength = _read(Rate, data.get("rate")), _read(Concentration, drug.get("concentration"))
    line = _read(Concentration, tip.get("concentration"))
    if data.get("bridge") or data.get("delivery") == "empty" or not rate or not strength:
        return None
    if line is None or line == strength or (line and tip.get("name") != drug.get("name")):
        return None
    return Rate(round_half_up(Fraction(rate.quanta * line.quanta, strength.quanta)))


def _tip(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (data.get("line") or {}).get("at_tip") or {}
    return found


def _at_tip(data: Mapping[str, Any], strength: Concentration | None) -> str:
    tip = _read(Concentration, _tip(data).get("concentration"))
    if tip in (None, strength):
        return ""
    front = (data.get("line") or {}).get("front_arrives")
    until = f" until {Moment.parse(front).label()}" if front else ""
    return f"; at the catheter's tip {tip or 'NO DRUG'}{until}"


def _flow(rate: Rate, strength: Concentration | None) -> str:
    return f" = {flow_of(rate, strength)}" if strength else ""


def without_drug(data: Mapping[str, Any]) -> Duration | None:
    """How long nothing had been given; None where something was."""
    found: Duration | None = _read(Duration, data.get("stopped_for"))
    return found


def after_pause(pause: Duration) -> str:
    """What a resume is allowed after so long without drug (STP-03)."""
    soft, hard = practice.STOPPED_SOFT.value, practice.STOPPED_HARD.value
    if pause < soft:
        return "the same dose may be resumed"
    if pause <= hard:
        return "the same dose needs an override with its reason"
    return f"over {hard.text_in('h')}: the old dose is refused, begin by the starting rule"


def _pause_text(pause: Duration, age: Duration | None) -> str:
    long = hours_text(pause)
    if age is None:
        return f"{long} then; how long ago that was nobody knows"
    if age:
        long += f" then, {hours_text(pause + age)} if it still stands"
    return f"{long}: {after_pause(pause + age)}"


def may_resume(data: Mapping[str, Any], age: Duration | None) -> bool:
    """Whether going on with the old dose is more than a refusal, `age` after it was told."""
    pause = without_drug(data)
    if data.get("delivery") != "stopped" or pause is None or age is None:
        return False
    return pause + age <= practice.STOPPED_HARD.value


def _bolus_text(
    bolus: Mapping[str, Any] | None, strength: Concentration | None, doubt: object
) -> str:
    """`strength` by which it is metered, `doubt` why there may be a newer one."""
    if doubt and (bolus is None or not bolus.get("running")):
        return f"NOT KNOWN: {doubt}" + (
            "" if bolus is None else f"; before that {_bolus_text(bolus, strength, None)}"
        )
    if bolus is None:
        return "none among the newest entries of the log"
    dose, given = _read(Mass, bolus.get("dose")), _read(Mass, bolus.get("given"))
    when = _when(bolus.get("ended") or bolus.get("started"))
    if bolus.get("running"):
        volume = ""
        if strength and given is not None:
            volume = f" = {Volume(round_half_up(volume_of(given, strength)))}"
        return f"RUNNING, {bolus['kind']}: {given}{volume} of {dose} given so far"
    if given is None:
        return f"{bolus['kind']}: {dose} ordered{when}; its end is not known"
    cut = f" of {dose} ordered, CUT SHORT" if bolus.get("partial") else ""
    return f"{bolus['kind']}: {given} given{cut}{when}"


def _reservoir(told: Mapping[str, Any], strength: Concentration | None) -> Iterator[Fact]:
    volume = _read(Volume, told.get("volume"))
    if volume is None:
        return
    holds = ""
    if strength:
        holds = f" = {Mass(round_half_up(mass_of(volume, strength)))}"
    sensed = f"; sensed {told['sensed']}" if told.get("sensed") else ""
    yield Fact(
        "reservoir", "reservoir", f"{volume}{holds} of {told.get('capacity')}, estimated{sensed}"
    )


def _when(text: object) -> str:
    return "" if not isinstance(text, str) else f", {Moment.parse(text).label()}"


def _read(kind: Any, text: object) -> Any:
    return kind.parse(text) if isinstance(text, str) and text else None


def facts_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same for scripts: quantities as the contract writes them."""
    drug, program = data.get("drug") or {}, data.get("program") or {}
    reservoir = data.get("reservoir") or {}
    rate = _read(Rate, data.get("rate"))
    volume = _read(Volume, reservoir.get("volume"))
    strength = _read(Concentration, drug.get("concentration"))
    metered = _metered(data)
    held = Mass(round_half_up(mass_of(volume, strength))) if volume and strength else None
    return {
        "delivery": data.get("delivery"),
        "rate": data.get("rate"),
        "rate_per_hour": None if rate is None else rate.per_hour_text(),
        "flow": str(flow_of(rate, metered)) if rate and metered else None,
        "rate_at_tip": None if (real := rate_at_tip(data)) is None else str(real),
        "daily_dose": program.get("daily_dose"),
        "drug": drug.get("name"),
        "concentration": drug.get("concentration"),
        "last_bolus": data.get("last_bolus"),
        "reservoir": reservoir.get("volume"),
        "reservoir_mass": None if held is None else str(held),
        "alarms": [alarm["code"] for alarm in data.get("alarms") or ()],
        "stopped_for": data.get("stopped_for"),
        "unresolved": data.get("unresolved"),
    }


def age_text(then: Moment, now: Moment) -> str:
    """`3 days ago`, `5 h ago`, `12 min ago`; a time that lies ahead is told as such."""
    minutes = (now.utc_ms - then.utc_ms) // 60_000
    if minutes < 0:
        return "by a clock ahead of this one"
    days, hours = minutes // 1_440, minutes // 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'} ago"
    return f"{hours} h ago" if hours else f"{minutes} min ago"
