"""The shape of a scenario file, declared once: keys, what each holds.

A scenario is a patient story for the emulator. What its values mean together is
in `scenarios`. Programs are written as in a profile.
"""

from __future__ import annotations

from collections.abc import Iterator

from pumpctl.emulator.body.faults import FAULTS
from pumpctl.emulator.memory.flash import CutKind
from pumpctl.emulator.memory.image import REGIONS
from pumpctl.emulator.memory.implant import MODELS
from pumpctl.emulator.player_steps import LINK_LOST_AFTER
from pumpctl.quantities import Concentration, Duration, Mass, Volume
from pumpctl.therapy.findings import Rule, Severity
from pumpctl.therapy.profile_shape import PROGRAM
from pumpctl.therapy.shape import (
    Choice,
    Count,
    Document,
    Exactly,
    Key,
    ListOf,
    Table,
    Text,
    amount,
)
from pumpctl.wire.codes import AlarmCode, Delivery, Refuse

FORMAT = 1
NONE = "none"
"""Written in `alarms` where none may be raised."""
ALL = "all"
FACTORY = "factory"
"""The program that a new pump runs."""
CUTS = {kind.name.lower(): kind for kind in CutKind}
DO = ("look", "stop", "resume", "cancel-bolus", "patient-dose", "late-bridge")
ACTS = ("fault", "clear", "program", "bolus", "refill", "clock", "do")
"""The keys of a step of which it has exactly one."""

_MOST_STEPS = 200
_NAME = Text(40)
_YES = Choice(("yes", "no"))
_AMOUNT = Text(20)

_FAULT = Table((
    Key("kind", Choice(tuple(effect.word for effect in FAULTS.values())), "What goes wrong."),
    Key("percent", _AMOUNT, "A share, in % or ppm.", required=False),
    Key("volume", _AMOUNT, "So much of it.", required=False),
    Key("concentration", _AMOUNT, "Of what is injected.", required=False),
    Key("delay", _AMOUNT, "Each way.", required=False),
    Key("count", Count(1, 1_000), "How many bits or copies.", required=False),
    Key("way", Choice(("more", "less")), "Of an amount that may be either.", required=False),
    Key("for", _AMOUNT, "How long; until it is cleared without it.", required=False),
    Key("at", Choice(tuple(REGIONS)), "The region of the flash.", required=False),
    Key("copy", Count(1, 2), "Which copy there.", required=False),
))  # fmt: skip

_BOLUS = Table((
    Key("dose", amount(Mass), "What it gives."),
    Key("over", amount(Duration), "How long it takes."),
    Key("kind", Choice(("single", "prime")), "Single without it.", required=False),
))  # fmt: skip

_REFILL = Table((
    Key("injected", amount(Volume), "By syringe; of the program's concentration."),
    Key("program", _NAME, "What runs from then on."),
    Key("drained", amount(Volume), "What the needle draws; all that comes without it.",
        required=False),
    Key("volume", amount(Volume), "What is recorded as in the reservoir; the injected without it.",
        required=False),
    Key("bridge", _YES, "Yes: over the recorded line's volume.", required=False),
))  # fmt: skip

_CLOCK = Table((
    Key("forward", amount(Duration), "How far its time is set forward.", required=False),
    Key("back", amount(Duration), "How far it is set back.", required=False),
    Key("utc_offset", Text(6), "The new offset, +HH:MM; the old one without it.", required=False),
))  # fmt: skip

_POWER_CUT = Table((
    Key("at", Count(1, 1_000), "At which operation of the flash in this step."),
    Key("kind", Choice(tuple(CUTS)), "Before it, torn, or with what was not flushed lost."),
))  # fmt: skip

_EXPECT = Table((
    Key("delivery", Choice(tuple(each.name.lower() for each in Delivery)),
        "What the pump says that it does.", required=False),
    Key("alarms", ListOf(Choice((NONE, *AlarmCode.__members__)), len(AlarmCode)),
        "All that are raised; [] or [\"none\"]: no alarm.", required=False),
    Key("refused", Choice(tuple(name for name in Refuse.__members__ if name != "NONE")),
        "The code with which the pump refuses the act.", required=False),
    Key("reservoir", amount(Volume), "As the pump reckons.", required=False),
    Key("true_reservoir", amount(Volume), "What is really in it.", required=False),
    Key("past_tip", amount(Mass), "Really, since the step before.", required=False),
    Key("believed_past_tip", amount(Mass), "As the pump reckons, since the step before.",
        required=False),
    Key("at_tip", amount(Concentration), "What really leaves the catheter next.", required=False),
    Key("drained", amount(Volume), "What came by needle in this step.", required=False),
    Key("running", _NAME, "Which program the pump says that it runs.", required=False),
    Key("boluses", Count(0, 1_000), "Scheduled ones begun since the step before.",
        required=False),
    Key("missed", Count(0, 1_000), "Scheduled ones logged as missed since.", required=False),
))  # fmt: skip

_STEP = Table((
    Key("at", _AMOUNT, "Since the beginning: 1 d 08:00, 08:00, or 6 h.", required=False),
    Key("after", amount(Duration), "Since the step before.", required=False),
    Key("note", Text(400), "What happens, for a reader."),
    Key("fault", _FAULT, "Something goes wrong.", required=False),
    Key("clear", Choice((ALL, *(effect.word for effect in FAULTS.values()))),
        "Faults of this kind end.", required=False),
    Key("program", _NAME, "This program is staged, read back, activated.", required=False),
    Key("bolus", _BOLUS, "A clinician's bolus.", required=False),
    Key("refill", _REFILL, "Needle, syringe, and one activation of all that changes.",
        required=False),
    Key("clock", _CLOCK, "The pump's clock is set.", required=False),
    Key("do", Choice(DO), "One of the acts without an amount.", required=False),
    Key("power_cut", _POWER_CUT, "The power goes in the middle of this act.", required=False),
    Key("link_lost", Choice(LINK_LOST_AFTER), "The line goes after this part of it.",
        required=False),
    Key("expect", _EXPECT, "What must be so right afterwards.", required=False),
))  # fmt: skip

_ROOT = Table((
    Key("format", Exactly(FORMAT, "SCENARIO_FORMAT"), "The version of this format."),
    Key("title", Text(100), "What it is about, in one line."),
    Key("story", Text(2_000), "A paragraph for a clinician."),
    Key("incident", Count(1, 99), "Its number among C5 of docs/safety.md.",
        required=False),
    Key("source", Text(400), "Where the story comes from."),
    Key("pump", Table((
        Key("clock", Text(32), "What its clock shows at the beginning, with its offset."),
        Key("model", Choice(tuple(MODELS)), "SP40 without it.", required=False),
        Key("volume", amount(Volume), "In the reservoir; full without it.", required=False),
        Key("concentration", amount(Concentration), "Of what is in it."),
        Key("pulse_error", _AMOUNT, "A pulse moves so much too much.", required=False),
        Key("pulse_way", Choice(("more", "less")), "Less: so much too little.", required=False),
    )), "The pump, new, its line primed, at minimum rate."),
    Key("profile", ListOf(Table((
        Key("name", _NAME, "By which steps know it."),
        Key("file", Text(200), "A profile, beside the scenario."),
    )), 16), "Programs that lie in profiles.", required=False),
    Key("program", ListOf(Table((
        Key("name", _NAME, "By which steps know it."),
        Key("concentration", amount(Concentration), "Of the reservoir."),
        Key("low_alarm", amount(Volume), "2 mL without it.", required=False),
        *PROGRAM.keys,
    )), 16), "Programs, each as the [program] of a profile.", required=False),
    Key("step", ListOf(_STEP, _MOST_STEPS), "What happens, in order."),
))  # fmt: skip


def _rule(name: str, why: str) -> Rule:
    return Rule(name, Severity.HARD, "scenario format 1", why)


RULES = {
    rule.id: rule
    for rule in (
        _rule("SCENARIO_FORMAT", "Another format could mean something else by the same words."),
        _rule("SCENARIO_TIME", "A story goes forward, from a date that a pump can show."),
        _rule("SCENARIO_PUMP", "A story begins with a pump as there are."),
        _rule("SCENARIO_ACT", "A step does one thing, so that what follows has one cause."),
        _rule("SCENARIO_NAME", "A program is known by one name."),
        _rule("SCENARIO_PROGRAM", "A program that cannot be formed cannot be sent."),
        _rule("SCENARIO_FAULT", "Each kind of fault takes what the table says."),
    )
}

SCENARIO = Document("scenario", _ROOT, RULES)


def rows() -> list[str]:
    """The rows of a table for people, in Markdown: key, whether it must be there, what it is.

    What a `[[program]]` holds beside its own keys is a profile's `[program]`.
    """
    return list(_rows(_ROOT, ""))


def _rows(table: Table, before: str) -> Iterator[str]:
    for key in table.keys:
        if key in PROGRAM.keys:
            continue
        kind = key.kind
        many = isinstance(kind, ListOf) and isinstance(kind.item, Table)
        name = f"{before}{key.name}{'[]' if many else ''}"
        yield f"| `{name}` | {'yes' if key.required else '–'} | {key.doc} |"
        inner = kind.item if isinstance(kind, ListOf) else kind
        if isinstance(inner, Table):
            yield from _rows(inner, f"{name}.")
