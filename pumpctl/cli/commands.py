"""The one table of commands: words, where they live, and one line of what they do.

Help and completions are made of it, and it is what makes start-up quick: only
the module of the command that was asked for is imported.
"""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """`words` as they are typed; `place` is module and function below `pumpctl.cli`."""

    words: str
    place: str
    help: str
    section: str
    """Under which heading the help shows it."""


COMMANDS = (
    Command("list", "look:list_", "Show serial ports, built-in pumps and known pumps.", "Look"),
    Command("status", "look:status", "Show what a pump is doing now. Changes nothing.", "Look"),
    Command("interrogate", "look:interrogate", "Read everything and keep it as a record.", "Look"),
    Command("alarm test", "alarm:sound", "Sound the alarm signal; record if it was heard.", "Look"),
    Command("doctor", "doctor:doctor", "Check this station: home, journal, keys, ports.", "Look"),
    Command("explain", "profile:explain", "Say why a check exists and what it saves from.", "Look"),
    Command("logs pull", "logs:pull", "Bring the pump's log into the records.", "Log"),
    Command("logs show", "logs:show", "Show log entries from the records.", "Log"),
    Command("logs export", "logs:export", "Write log entries to NDJSON, CSV or Parquet.", "Log"),
    Command("profile new", "profile:new", "Write a new dose profile to start from.", "Profiles"),
    Command(
        "profile check", "profile:check", "Check a dose profile; no pump is asked.", "Profiles"
    ),
    Command(
        "profile show", "profile:show", "Show what a dose profile gives, hour by hour.", "Profiles"
    ),
    Command("profile diff", "profile:diff", "Show what a new dose profile changes.", "Profiles"),
    Command(
        "profile plot", "profile:plot", "Draw a profile, or old and new, as a chart.", "Profiles"
    ),
    Command(
        "profile schema",
        "profile:schema",
        "Print the JSON Schema of profiles for editors.",
        "Profiles",
    ),
    Command(
        "emergency overdose",
        "emergency:overdose",
        "What to do in an overdose, with this pump's facts.",
        "Decide",
    ),
    Command(
        "emergency withdrawal",
        "emergency:withdrawal",
        "What to do in a withdrawal, with this pump's facts.",
        "Decide",
    ),
    Command("titrate", "titrate:titrate", "Show what the next daily dose may be.", "Decide"),
    Command("trial", "trial:trial", "Keep the record of a screening trial.", "Decide"),
    Command(
        "program show", "history:show", "Show the program that runs, or ran at a time.", "Therapy"
    ),
    Command(
        "program history",
        "history:history",
        "Show every program that the pump ran, and by whom.",
        "Therapy",
    ),
    Command(
        "program plan",
        "program:plan",
        "Plan a new program and write the plan to a file.",
        "Therapy",
    ),
    Command(
        "program push", "program:push", "Plan, confirm, apply and verify a new program.", "Therapy"
    ),
    Command("bolus single", "bolus:single", "Give one bolus on top of the program.", "Therapy"),
    Command("bolus prime", "prime:prime", "Fill the line where it is free of drug.", "Therapy"),
    Command("bolus bridge", "bridge:bridge", "Repair a bridge that was forgotten.", "Therapy"),
    Command("bolus cancel", "bolus:cancel", "End the running bolus; asks for Enter.", "Therapy"),
    Command("refill", "refill:refill", "Record a refill, in one activation.", "Therapy"),
    Command("stop", "stop:stop", "Stop delivery now. Abrupt withdrawal can kill.", "Therapy"),
    Command("resume", "stop:resume", "Go on with the stored program after a stop.", "Therapy"),
    Command("mri before", "mri:before", "Look at a pump before an MRI scan.", "Therapy"),
    Command("mri after", "mri:after", "Look twice after a scan: does it deliver?", "Therapy"),
    Command("clock", "clock:clock", "Show the pump's clock; set it with --set.", "Therapy"),
    Command(
        "confirm",
        "program:confirm",
        "Confirm a plan on a terminal; prints its token.",
        "For all therapy",
    ),
    Command(
        "apply", "program:apply", "Apply a plan with its confirmation token.", "For all therapy"
    ),
    Command(
        "resolve",
        "resolve:resolve",
        "Find out what became of an unknown operation.",
        "For all therapy",
    ),
    Command("pair", "pairing:pair", "Pair this operator with a pump.", "Station"),
    Command("unpair", "pairing:unpair", "Remove this operator's pairing from a pump.", "Station"),
    Command("patient assign", "patient:assign", "Assign the pump to a patient.", "Station"),
    Command("patient clear", "patient:clear", "Assign the pump to nobody.", "Station"),
    Command("implant record", "implant:record", "Write the implant's record.", "Station"),
    Command("implant revise", "implant:revise", "Revise it after an event.", "Station"),
    Command("implant show", "implant:show", "Show what the line holds, and why.", "Station"),
    Command("operator add", "operators:add", "Add an operator, or change a role.", "Station"),
    Command("operator list", "operators:list_", "List operators, roles and pumps.", "Station"),
    Command("operator revoke", "operators:revoke", "Revoke an operator, for good.", "Station"),
    Command("library show", "library:show", "Show the drug library in force.", "Station"),
    Command("library check", "library:check", "Check a drug library's file.", "Station"),
    Command("library sign", "library:sign", "Sign a drug library.", "Station"),
    Command("library install", "library:install", "Put a signed drug library in force.", "Station"),
    Command(
        "library keys", "library_keys:keys", "List, make, trust or revoke library keys.", "Station"
    ),
    Command("emulator new", "emulator:new", "Make a built-in pump.", "Engineers"),
    Command(
        "emulator serve", "emulator:serve", "Run a built-in pump on a pty or on TCP.", "Engineers"
    ),
    Command(
        "emulator advance", "emulator:advance", "Move a built-in pump's time forward.", "Engineers"
    ),
    Command(
        "emulator inspect",
        "emulator_inspect:inspect",
        "Show a built-in pump's own truth.",
        "Engineers",
    ),
    Command(
        "emulator fault",
        "emulator_faults:fault",
        "Let something go wrong with a built-in pump.",
        "Engineers",
    ),
    Command(
        "emulator press",
        "emulator:press",
        "Open it for pairing, or take a patient dose.",
        "Engineers",
    ),
    Command(
        "emulator play",
        "emulator_play:play",
        "Replay a patient story on a new built-in pump.",
        "Engineers",
    ),
    Command("emulator list", "emulator:list_", "List built-in pumps.", "Engineers"),
    Command("emulator remove", "emulator:remove", "Delete a built-in pump.", "Engineers"),
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
}
