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
    Command("titrate", "titrate:titrate", "Show what the next daily dose may be.", "Decide"),
    Command("program show", "program:show", "Show the program that the pump runs.", "Therapy"),
    Command(
        "program plan",
        "program:plan",
        "Plan a new program and write the plan to a file.",
        "Therapy",
    ),
    Command(
        "program push", "program:push", "Plan, confirm, apply and verify a new program.", "Therapy"
    ),
    Command("stop", "stop:stop", "Stop delivery now. Abrupt withdrawal can kill.", "Therapy"),
    Command("resume", "stop:resume", "Go on with the stored program after a stop.", "Therapy"),
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
        "program:resolve",
        "Find out what became of an unknown operation.",
        "For all therapy",
    ),
    Command("pair", "pairing:pair", "Pair this operator with a pump.", "Station"),
    Command("unpair", "pairing:unpair", "Remove this operator's pairing from a pump.", "Station"),
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
    "logs": "The pump's log: pull, show, export.",
    "profile": "Dose profiles: write, check, show, compare, draw.",
    "program": "The pump's program: show, plan, push.",
    "library": "The drug library: show, check, sign, install, keys.",
    "emulator": "Built-in pumps for rehearsal and development.",
}
