"""The one table of commands: words, where they live, and one line of what they do.

Help and completions are made of it, and it is what makes start-up quick: only
the module of the command that was asked for is imported.
"""

from __future__ import annotations

from pumpctl.named import NamedTuple


class Command(NamedTuple):
    """`words` as they are typed; `place` is module and function below `pumpctl.cli`."""

    words: str
    place: str
    help: str
    section: str
    """Under which heading the help shows it."""


COMMANDS = (
    Command(
        "list", "look.listing:list_", "Show serial ports, built-in pumps and known pumps.", "Look"
    ),
    Command(
        "status", "look.look:status", "Show what a pump is doing now. Changes nothing.", "Look"
    ),
    Command(
        "interrogate", "look.look:interrogate", "Read everything and keep it as a record.", "Look"
    ),
    Command(
        "alarm test", "look.alarm:sound", "Sound the alarm signal; record if it was heard.", "Look"
    ),
    Command(
        "doctor", "look.doctor:doctor", "Check this station: home, journal, keys, ports.", "Look"
    ),
    Command(
        "explain",
        "profile.commands:explain",
        "Say why a check exists and what it saves from.",
        "Look",
    ),
    Command("logs pull", "look.logs:pull", "Bring the pump's log into the records.", "Log"),
    Command("logs show", "look.logs:show", "Show log entries from the records.", "Log"),
    Command(
        "logs export", "look.logs:export", "Write log entries to NDJSON, CSV or Parquet.", "Log"
    ),
    Command(
        "profile new", "profile.commands:new", "Write a new dose profile to start from.", "Profiles"
    ),
    Command(
        "profile check",
        "profile.checking:check",
        "Check a dose profile; no pump is asked.",
        "Profiles",
    ),
    Command(
        "profile show",
        "profile.commands:show",
        "Show what a dose profile gives, hour by hour.",
        "Profiles",
    ),
    Command(
        "profile diff", "profile.commands:diff", "Show what a new dose profile changes.", "Profiles"
    ),
    Command(
        "profile plot",
        "profile.commands:plot",
        "Draw a profile, or old and new, as a chart.",
        "Profiles",
    ),
    Command(
        "profile schema",
        "profile.commands:schema",
        "Print the JSON Schema of profiles for editors.",
        "Profiles",
    ),
    Command(
        "emergency overdose",
        "look.emergency:overdose",
        "What to do in an overdose, with this pump's facts.",
        "Decide",
    ),
    Command(
        "emergency withdrawal",
        "look.emergency:withdrawal",
        "What to do in a withdrawal, with this pump's facts.",
        "Decide",
    ),
    Command("titrate", "decide.titrate:titrate", "Show what the next daily dose may be.", "Decide"),
    Command("trial", "decide.trial:trial", "Keep the record of a screening trial.", "Decide"),
    Command(
        "program show",
        "therapy.history:show",
        "Show the program that runs, or ran at a time.",
        "Therapy",
    ),
    Command(
        "program history",
        "therapy.history:history",
        "Show every program that the pump ran, and by whom.",
        "Therapy",
    ),
    Command(
        "program plan",
        "therapy.program:plan",
        "Plan a new program and write the plan to a file.",
        "Therapy",
    ),
    Command(
        "program push",
        "therapy.program:push",
        "Plan, confirm, apply and verify a new program.",
        "Therapy",
    ),
    Command(
        "bolus single", "therapy.bolus:single", "Give one bolus on top of the program.", "Therapy"
    ),
    Command(
        "bolus prime", "therapy.prime:prime", "Fill the line where it is free of drug.", "Therapy"
    ),
    Command(
        "bolus bridge", "refill.bridge:bridge", "Repair a bridge that was forgotten.", "Therapy"
    ),
    Command(
        "bolus cancel", "therapy.bolus:cancel", "End the running bolus; asks for Enter.", "Therapy"
    ),
    Command("refill", "refill.commands:refill", "Record a refill, in one activation.", "Therapy"),
    Command(
        "stop", "therapy.stop:stop", "Stop delivery now. Abrupt withdrawal can kill.", "Therapy"
    ),
    Command(
        "resume", "therapy.stop:resume", "Go on with the stored program after a stop.", "Therapy"
    ),
    Command("mri before", "look.mri:before", "Look at a pump before an MRI scan.", "Therapy"),
    Command("mri after", "look.mri:after", "Look twice after a scan: does it deliver?", "Therapy"),
    Command("clock", "therapy.clock:clock", "Show the pump's clock; set it with --set.", "Therapy"),
    Command(
        "confirm",
        "therapy.program:confirm",
        "Confirm a plan on a terminal; prints its token.",
        "For all therapy",
    ),
    Command(
        "apply",
        "therapy.program:apply",
        "Apply a plan with its confirmation token.",
        "For all therapy",
    ),
    Command(
        "resolve",
        "therapy.resolve:resolve",
        "Find out what became of an unknown operation.",
        "For all therapy",
    ),
    Command("pair", "people.pairing:pair", "Pair this operator with a pump.", "Station"),
    Command(
        "unpair", "people.pairing:unpair", "Remove this operator's pairing from a pump.", "Station"
    ),
    Command("patient assign", "therapy.patient:assign", "Assign the pump to a patient.", "Station"),
    Command("patient clear", "therapy.patient:clear", "Assign the pump to nobody.", "Station"),
    Command("implant record", "therapy.implant:record", "Write the implant's record.", "Station"),
    Command("implant revise", "therapy.implant:revise", "Revise it after an event.", "Station"),
    Command(
        "implant show", "therapy.implant:show", "Show what the line holds, and why.", "Station"
    ),
    Command(
        "operator add", "people.operators:add", "Add an operator, or change a role.", "Station"
    ),
    Command(
        "operator list", "people.operators:list_", "List operators, roles and pumps.", "Station"
    ),
    Command(
        "operator revoke", "people.operators:revoke", "Revoke an operator, for good.", "Station"
    ),
    Command("library show", "library.commands:show", "Show the drug library in force.", "Station"),
    Command("library check", "library.commands:check", "Check a drug library's file.", "Station"),
    Command("library sign", "library.commands:sign", "Sign a drug library.", "Station"),
    Command(
        "library install",
        "library.commands:install",
        "Put a signed drug library in force.",
        "Station",
    ),
    Command(
        "library keys", "library.keys:keys", "List, make, trust or revoke library keys.", "Station"
    ),
    Command("emulator new", "emulator.pumps:new", "Make a built-in pump.", "Engineers"),
    Command(
        "emulator serve",
        "emulator.pumps:serve",
        "Run a built-in pump on a pty or on TCP.",
        "Engineers",
    ),
    Command(
        "emulator advance",
        "emulator.pumps:advance",
        "Move a built-in pump's time forward.",
        "Engineers",
    ),
    Command(
        "emulator inspect",
        "emulator.inspect:inspect",
        "Show a built-in pump's own truth.",
        "Engineers",
    ),
    Command(
        "emulator fault",
        "emulator.faults:fault",
        "Let something go wrong with a built-in pump.",
        "Engineers",
    ),
    Command(
        "emulator press",
        "emulator.pumps:press",
        "Open it for pairing, or take a patient dose.",
        "Engineers",
    ),
    Command(
        "emulator play",
        "emulator.play:play",
        "Replay a patient story on a new built-in pump.",
        "Engineers",
    ),
    Command("emulator list", "emulator.pumps:list_", "List built-in pumps.", "Engineers"),
    Command("emulator remove", "emulator.pumps:remove", "Delete a built-in pump.", "Engineers"),
    Command("link ping", "line.ping:ping", "Measure the line to a pump.", "Engineers"),
    Command("link capture", "line.capture:capture", "Record what passes on a line.", "Engineers"),
    Command("link decode", "line.decode:decode", "Explain every frame of a capture.", "Engineers"),
    Command("link replay", "line.replay:replay", "Say it again to a pump on a bench.", "Engineers"),
    Command(
        "conformance",
        "conformance:conformance",
        "Test whether a device keeps the duties of a pump.",
        "Engineers",
    ),
    Command(
        "demo", "demo:demo", "The first minute: a whole visit on a built-in pump.", "First minute"
    ),
)

GROUPS = {
    "alarm": "The pump's alarm signal: test.",
    "logs": "The pump's log: pull, show, export.",
    "profile": "Dose profiles: write, check, show, compare, draw.",
    "program": "The pump's program: show, history, plan, push.",
    "bolus": "A dose on top of the program: single, prime, cancel.",
    "patient": "Whose pump it is: assign, clear.",
    "implant": "The line and what it holds: record, revise, show.",
    "operator": "Who acts at this station: add, list, revoke.",
    "emergency": "What to do in an overdose or a withdrawal, with this pump's facts.",
    "mri": "Around an MRI scan: before, after.",
    "library": "The drug library: show, check, sign, install, keys.",
    "emulator": "Built-in pumps for rehearsal and development.",
    "link": "The line to a pump: ping, capture, decode, replay.",
}
