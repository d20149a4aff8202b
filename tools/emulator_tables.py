"""The tables of docs/emulator.md: alarms, self-tests, faults, scenarios and their keys.

It returns text and writes nothing; `generate` writes, and a test fails when the
page is stale.
"""

from __future__ import annotations

from pumpctl.emulator.edge import faulting
from pumpctl.emulator.engine.alarms import ALARMS, AlarmSpec
from pumpctl.emulator.engine.self_tests import SELF_TESTS, SelfTest
from pumpctl.wire.codes import AlarmCode
from pumpctl.workflows.scenario import scenarios
from pumpctl.workflows.scenario import shape as scenario_shape
from tools.model import GenerateError


def tables() -> dict[str, str]:
    """Every generated part of the page by the name that its markers carry."""
    return {
        "alarms": _alarms(),
        "self-tests": _self_tests(),
        "faults": _faults(),
        "scenarios": _scenarios(),
        "scenario-keys": _scenario_keys(),
    }


def refreshed(page: str) -> str:
    """The page with its tables as they should be now; GenerateError where one has no place."""
    for name, table in tables().items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, found_start, rest = page.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            raise GenerateError(f"docs/emulator.md has no markers for its table of {name}")
        page = f"{before}{start}\n{table}\n{end}{after}"
    return page


def _alarms() -> str:
    lines = [
        "| alarm | priority | cause | delivery | why | clears | bolus refused |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_alarm_row(code, ALARMS[code]) for code in AlarmCode]
    return "\n".join(lines) + "\n"


def _alarm_row(code: AlarmCode, spec: AlarmSpec) -> str:
    refused = "yes" if spec.blocks_bolus else "–"
    return (
        f"| `{code.name}` | {spec.priority.name.lower()} | {spec.cause} "
        f"| **{spec.reaction.value}** | {spec.why} | {spec.clears} | {refused} |"
    )


def _faults() -> str:
    lines = ["| kind | what it does | for how long | it takes |", "|---|---|---|---|"]
    return "\n".join([*lines, *faulting.rows()]) + "\n"


def _scenarios() -> str:
    lines = ["| scenario | story | incident |", "|---|---|---|"]
    for name in scenarios.shipped():
        told = scenarios.read(name)
        incident = "" if told.incident is None else str(told.incident)
        story = told.story.split(".")[0].strip()
        lines.append(f"| `{name}` | {told.title}: {story}. | {incident} |")
    return "\n".join(lines) + "\n"


def _scenario_keys() -> str:
    lines = ["| key | must be there | what it is |", "|---|---|---|"]
    return "\n".join([*lines, *scenario_shape.rows()]) + "\n"


def _self_tests() -> str:
    lines = ["| test | looks at | when | fails into | then |", "|---|---|---|---|---|"]
    lines += [_test_row(test) for test in SELF_TESTS]
    return "\n".join(lines) + "\n"


def _test_row(test: SelfTest) -> str:
    when = ", ".join(each.value for each in test.when)
    into = ", ".join(f"`{code.name}`" for code in test.fails_into)
    return f"| {test.name} | {test.looks_at} | {when} | {into} | {test.then} |"
