"""The shape of a visit file, format 1, as a table: what a refill's script hands in.

What its values mean together is `workflows/refill/file`'s matter.
"""

from __future__ import annotations

from pumpctl.quantities import Concentration, Mass, Volume
from pumpctl.therapy.findings import Rule, Severity
from pumpctl.therapy.shape import Choice, DateText, Document, Exactly, Key, Table, Text, amount

FORMAT = 1
LONGEST_REASON = 500
"""Characters of the reason for a deviation."""
NO_BRIDGE = "none"
"""The one word of [injected] bridge: it is left out, which needs its reason."""

_SOURCE = "format 1 of visit files"
RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "VISIT_FORMAT",
            Severity.HARD,
            _SOURCE,
            "A file of another format could mean something else by the same words.",
        ),
        Rule(
            "VISIT_TIME",
            Severity.HARD,
            "UNI-03",
            "A time without its offset is another instant for another reader.",
        ),
        Rule(
            "VISIT_CONTRADICTION",
            Severity.HARD,
            "REF-01",
            "A visit either injected drug or was given up; a file that says both, or neither, "
            "says nothing that may be recorded.",
        ),
        Rule(
            "VISIT_REASON",
            Severity.HARD,
            "LIM-02",
            "A deviation is recorded with the reason of the person who decided it.",
        ),
        Rule(
            "VISIT_TAG",
            Severity.HARD,
            "SEC-08",
            "These words are kept in the journal, which knows a patient by a hash only; and an "
            "order whose reference could not be kept as it is would not be known again.",
        ),
        Rule(
            "VISIT_PATIENT",
            Severity.HARD,
            "REF-01",
            "A program for one patient must never go into another one's pump.",
        ),
    )
}

_ROOT = Table((
    Key("format", Exactly(FORMAT, "VISIT_FORMAT"), "The version of this format."),
    Key("patient", Table((
        Key("tag", Text(64), "The clinic's own label of the patient, never a name."),
    )), "Who is at the visit."),
    Key("pump", Table((
        Key("serial", Text(32), "The pump that was identified."),
    )), "Only this pump; left out, the one on the line.", required=False),
    Key("order", Table((
        Key("prescriber", Text(80), "Who ordered it."),
        Key("reference", Text(80), "The order's reference: one order is one refill."),
    )), "The prescriber's order."),
    Key("drained", Table((
        Key("volume", amount(Volume), "What came out of the reservoir."),
        Key("left", amount(Volume), "Known to be left inside; nothing without it.",
            required=False),
    )), "Left out where nothing could be drained, and the refill was given up.",
        required=False),
    Key("drug", Table((
        Key("name", Text(32), "As printed on the ampoule."),
        Key("concentration", amount(Concentration), "As printed on the ampoule."),
        Key("lot", Text(40), "The lot number."),
        Key("expiry", DateText(), "The last day on which it may be used."),
        Key("ampoule", Table((
            Key("mass", amount(Mass), "In one ampoule."),
            Key("volume", amount(Volume), "Of one ampoule."),
        )), "What is printed on one ampoule, read out.", required=False),
    )), "What was drawn up.", required=False),
    Key("injected", Table((
        Key("volume", amount(Volume), "What went in."),
        Key("at", Text(40), "When, with an offset; now without it.", required=False),
        Key("bridge", Choice((NO_BRIDGE,)), "Leave out the bridge that is needed.",
            required=False),
    )), "What went into the reservoir.", required=False),
    Key("program", Table((
        Key("profile", Text(256), "A dose profile, its path from this file."),
    )), "What is to run; without it the same program goes on.", required=False),
    Key("next", Table((
        Key("visit", DateText(), "When the next refill is planned."),
    )), "The next visit.", required=False),
    Key("given_up", Table((
        Key("why", Text(200), "Why nothing was injected."),
    )), "In place of [drug] and [injected].", required=False),
))  # fmt: skip

VISIT = Document("visit", _ROOT, RULES)
"""`reasons` stands beside these: its keys are the ids of findings."""


def longest(table: str, name: str) -> int:
    """So many characters a text of this table may have, in a file and at a terminal."""
    tables = {key.name: key.kind for key in _ROOT.keys if isinstance(key.kind, Table)}
    kind = next(key.kind for key in tables[table].keys if key.name == name)
    assert isinstance(kind, Text)  # noqa: S101  a slip of ours
    return kind.longest
