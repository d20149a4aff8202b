"""Completing a word in bash: our generated script beside typer's dynamic way.

Both are asked by one bash, a word at a time, as Tab asks them. Typer's way starts
the program for each Tab; the program that it starts here has our own commands,
by their names alone, which is the least that it would have to load.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks import peers
from benchmarks.axis import Axis, Options, Result, Row, Target, missing
from benchmarks.processes import ROOT, environment

SCRIPT = ROOT / "completions" / "pumpctl.bash"
AT_MOST = 1 / 50
CASES = (("a command", "sta"), ("a command of a group", "profile ch"), ("an option", "status --wa"))

TIMED = """\
source "$1"
COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
COMP_LINE="pumpctl $2" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
COMP_WORDS=(pumpctl $2) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_POINT=${#COMP_LINE}
for ((round = 0; round < $4; round++)); do
    COMPREPLY=()
    begun=${EPOCHREALTIME/[.,]/}
    "$3" pumpctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
    echo "$((${EPOCHREALTIME/[.,]/} - begun)) ${COMPREPLY[*]}"
done
"""
PROGRAM = """\
import typer

app = typer.Typer()
groups = {{}}


def command():
    \"\"\"Do something.\"\"\"


def watching(watch: bool = False):
    \"\"\"Do something.\"\"\"


for words in {commands!r}:
    first, _, second = words.partition(" ")
    target = app
    if second:
        if first not in groups:
            groups[first] = typer.Typer()
            app.add_typer(groups[first], name=first)
        target = groups[first]
    target.command(second or first)(watching if words == "status" else command)

app()
"""


def run(options: Options) -> Result:
    """Each case in turn."""
    bash = shutil.which("bash")
    if bash is None:
        return Result((missing("pumpctl.bash", "ms", "no bash here"),))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        dynamic = _dynamic(Path(folder))
        for name, words in CASES:
            wanted = {"sta": "status", "profile ch": "check", "status --wa": "--watch"}[words]
            rounds = options.times(200)
            ours = _timed(bash, SCRIPT, words, "_pumpctl", rounds, wanted)
            rows.append(Row(f"{name}: ours", ours, "ms"))
            if dynamic is None:
                rows.append(missing(f"{name}: typer's dynamic way", "ms"))
                continue
            theirs = _timed(bash, dynamic, words, "_pumpctl_completion", options.times(11), wanted)
            rows.append(Row(f"{name}: typer's dynamic way", theirs, "ms"))
            middle = sorted(theirs)[len(theirs) // 2]
            share = tuple(each / middle for each in ours)
            target = Target(AT_MOST, least=False)
            rows.append(Row(f"{name}: ours / the median of typer's", share, "×", target))
    return Result(tuple(rows), ("one call of the completion function, inside a running bash",))


def _timed(
    bash: str, script: Path, words: str, function: str, rounds: int, wanted: str
) -> tuple[float, ...]:
    """Milliseconds of each call; SystemExit where it does not find the word."""
    done = subprocess.run(
        [bash, "--norc", "-c", TIMED, "bash", str(script), words, function, str(rounds)],
        env=environment(PATH=f"{script.parent}:/usr/bin:/bin"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    if len(lines) != rounds or any(wanted not in line[1:] for line in lines):
        raise SystemExit(f"bench: {script} does not complete {words!r}: {done.stdout}{done.stderr}")
    return tuple(int(line[0]) / 1000 for line in lines)


def _dynamic(folder: Path) -> Path | None:
    """Typer's script for bash, with a `pumpctl` of the same commands beside it."""
    from pumpctl.cli.commands import COMMANDS

    python = peers.tool_python()
    if python is None or not peers.has("typer"):
        return None
    program = folder / "pumpctl"
    text = PROGRAM.format(commands=[command.words for command in COMMANDS])
    program.write_text(f"#!{python}\n{text}", "utf-8")
    program.chmod(0o755)
    done = subprocess.run(
        [str(program)],
        env=environment(_PUMPCTL_COMPLETE="source_bash"),
        capture_output=True,
        text=True,
        check=True,
    )
    script = folder / "dynamic.bash"
    script.write_text(done.stdout, "utf-8")
    return script


AXIS = Axis("completion", "completion of a word in bash", run)
