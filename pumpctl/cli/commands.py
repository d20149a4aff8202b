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


COMMANDS = (
    Command("list", "look:list_", "Show serial ports, built-in pumps and known pumps."),
    Command("status", "look:status", "Show what a pump is doing now. Changes nothing."),
    Command("interrogate", "look:interrogate", "Read everything and keep it as a record."),
    Command("doctor", "doctor:doctor", "Check this station: home, journal, keys, ports."),
    Command("explain", "profile:explain", "Say why a check exists and what it saves from."),
    Command("logs pull", "logs:pull", "Bring the pump's log into the records."),
    Command("logs show", "logs:show", "Show log entries from the records."),
    Command("logs export", "logs:export", "Write log entries to NDJSON, CSV or Parquet."),
    Command("profile new", "profile:new", "Write a new dose profile to start from."),
    Command("profile check", "profile:check", "Check a dose profile; no pump is asked."),
    Command("profile show", "profile:show", "Show what a dose profile gives, hour by hour."),
    Command("profile schema", "profile:schema", "Print the JSON Schema of profiles for editors."),
    Command("program show", "program:show", "Show the program that the pump runs."),
    Command("program plan", "program:plan", "Plan a new program and write the plan to a file."),
    Command("program push", "program:push", "Plan, confirm, apply and verify a new program."),
    Command("stop", "stop:stop", "Stop delivery now. Abrupt withdrawal can kill."),
    Command("resume", "stop:resume", "Go on with the stored program after a stop."),
    Command("confirm", "program:confirm", "Confirm a plan on a terminal; prints its token."),
    Command("apply", "program:apply", "Apply a plan with its confirmation token."),
    Command("resolve", "program:resolve", "Find out what became of an unknown operation."),
    Command("pair", "pairing:pair", "Pair this operator with a pump."),
    Command("unpair", "pairing:unpair", "Remove this operator's pairing from a pump."),
    Command("emulator new", "emulator:new", "Make a built-in pump."),
    Command("emulator serve", "emulator:serve", "Run a built-in pump on a pty or on TCP."),
    Command("emulator advance", "emulator:advance", "Move a built-in pump's time forward."),
    Command("emulator inspect", "emulator:inspect", "Show a built-in pump's own truth."),
    Command("emulator press", "emulator:press", "Do the local act that pairing needs."),
    Command("emulator list", "emulator:list_", "List built-in pumps."),
    Command("emulator remove", "emulator:remove", "Delete a built-in pump."),
    Command("demo", "demo:demo", "The first minute: a whole visit on a built-in pump."),
)

GROUPS = {
    "logs": "The pump's log: pull, show, export.",
    "profile": "Dose profiles: write, check, show.",
    "program": "The pump's program: show, plan, push.",
    "emulator": "Built-in pumps for rehearsal and development.",
}
