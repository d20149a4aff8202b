"""Completions in real shells: bash in full, the others where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETIONS = Path(__file__).resolve().parent.parent.parent / "completions"
BASH = COMPLETIONS / "pumpctl.bash"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("emulators/ward-3", "emulators/bench", "pumps/SP40-000123"):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "my doses.toml").touch()
    return tmp_path / "home"


def environment(home: Path, path: str = "/nowhere") -> dict[str, str]:
    """With no program on the path, a completion that starts one is noticed."""
    return {"PATH": path, "HOME": str(home), "PUMPCTL_HOME": str(home), "TERM": "dumb"}


# --- bash ---------------------------------------------------------------------------------

CALL = """
source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; shift 2
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_pumpctl
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""


def cut(line: str) -> list[str]:
    """The words as bash cuts them: at blanks, and at : and = each a word of its own."""
    words = [part for word in line.split() for part in re.findall(r"[:=]+|[^:=]+", word)]
    return [*words, ""] if line.endswith(" ") else words


def in_bash(line: str, home: Path) -> list[str]:
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-c", CALL, "bash", str(BASH), line, *cut(line)],
        env=environment(home),
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == "", "something else than a built-in was called"
    return done.stdout.splitlines()


@posix
@needs("bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pumpctl prog", ["program"]),
        ("pumpctl --js", ["--json"]),
        ("pumpctl --json prog", ["program"]),
        ("pumpctl --home /tmp prog", ["program"]),
        ("pumpctl --port=emu://ward-3 prog", ["program"]),
        ("pumpctl --port emu://ward-3 prog", ["program"]),
        ("pumpctl program ", ["show", "history", "plan", "push"]),
        ("pumpctl program --json p", ["plan", "push"]),
        ("pumpctl --json program --pump SP40-1 pl", ["plan"]),
        ("pumpctl status --js", ["--json"]),
        ("pumpctl --json status --js", []),
        ("pumpctl pair --ro", ["--role"]),
        ("pumpctl pair --role admin --ro", []),
        ("pumpctl pair --role ", ["observer", "clinician", "engineer", "admin"]),
        ("pumpctl pair --role=c", ["clinician"]),
        ("pumpctl pair --json --role c", ["clinician"]),
        ("pumpctl status --check ", ["critical", "any"]),
        ("pumpctl --log-level w", ["warning"]),
        ("pumpctl stop --log-level w", ["warning"]),
        ("pumpctl profile new x.toml --mode f", ["flex"]),
        ("pumpctl emulator new x --model ", ["SP40", "SP40S", "SP20"]),
        ("pumpctl emulator new x --no", ["--no-bench"]),
        ("pumpctl emulator serve w", ["ward-3"]),
        ("pumpctl emulator serve ", ["bench", "ward-3"]),
        ("pumpctl emulator new ", []),
        ("pumpctl emulator advance ward-3 ", []),
        ("pumpctl --port emu://w", ["//ward-3"]),  # bash has cut emu: off
        ("pumpctl status --port=emu://w", ["//ward-3"]),
        ("pumpctl --port sock", ["socket://"]),
        ("pumpctl --pump ", ["SP40-000123"]),
        ("pumpctl --home /nowhere emulator serve ", []),
        ("pumpctl --home=/nowhere emulator serve ", []),
        ("pumpctl program plan a.toml --override DAILY", ["DAILY_DOSE_LOW=", "DAILY_DOSE_SOFT="]),
        ("pumpctl program plan --override A=b --over", ["--override"]),
        ("pumpctl explain daily", []),
        ("pumpctl explain DAILY_DOSE_S", ["DAILY_DOSE_SOFT"]),
        ("pumpctl frobnicate --js", ["--json"]),
        ("pumpctl stop -- --n", []),
    ],
)
def test_bash(line: str, offered: list[str], home: Path) -> None:
    assert sorted(in_bash(line, home)) == sorted(offered)


@posix
@needs("bash")
def test_bash_offers_options_where_no_argument_can_follow(home: Path) -> None:
    offered = in_bash("pumpctl stop ", home)
    assert offered[:2] == ["--now", "--reason"]
    assert {"--port", "--json", "--help"} <= set(offered)


@posix
@needs("bash")
def test_bash_finds_the_default_home(home: Path, tmp_path: Path) -> None:
    (tmp_path / ".local" / "share").mkdir(parents=True)
    home.rename(tmp_path / ".local" / "share" / "pumpctl")
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "--norc", "--noprofile", "-c", CALL, "bash", str(BASH), "", "pumpctl", "--pump", ""],
        env={"PATH": "/nowhere", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["SP40-000123"]


# --- at a real terminal: what stands on the line after TAB ---------------------------------

KEYS = {
    "bash": (["--norc", "--noprofile", "-i"], "source {file}; bind 'set bell-style none'"),
    "zsh": (
        ["-f", "-i"],
        "fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep",
    ),
}


@posix
@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("prog", "program "),
        ("--json prog", "program "),
        ("program --json sh", "show "),
        ("pair --role c", "clinician "),
        ("pair --role=c", "--role=clinician "),
        ("--port emu://w", "emu://ward-3 "),
        ("status --port=emu://w", "--port=emu://ward-3 "),
        ("emulator serve w", "ward-3 "),
        ("profile check my", "my\\ doses.toml "),
        ("program plan -o my", "my\\ doses.toml "),
    ],
)
@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in KEYS])
def test_typed_at_a_terminal(shell: str, typed: str, stands: str, home: Path) -> None:
    import pexpect

    arguments, setup = KEYS[shell]
    env = environment(home, "/usr/bin:/bin")
    child = pexpect.spawn(shell, arguments, env=env, cwd=str(home.parent), encoding="utf-8")
    try:
        child.sendline(setup.format(file=BASH, folder=COMPLETIONS))
        child.sendline("PS1='> '; echo rea''dy")
        child.expect("ready\r\n")
        child.expect("> ")
        child.send(f"pumpctl {typed}\t")
        child.expect(re.escape(stands) if shell == "bash" else re.escape(stands.rstrip()))
    finally:
        child.close(force=True)


# --- fish, zsh, PowerShell -----------------------------------------------------------------


PARSE = (
    "$faults = $null; [void][System.Management.Automation.Language.Parser]::ParseFile("
    "'{file}', [ref]$null, [ref]$faults); $faults; exit $faults.Count"
)


@pytest.mark.parametrize(
    ("shell", "arguments", "name"),
    [
        pytest.param("bash", ["-n", "{file}"], "pumpctl.bash", marks=needs("bash")),
        pytest.param("zsh", ["-n", "{file}"], "_pumpctl", marks=needs("zsh")),
        pytest.param("fish", ["--no-execute", "{file}"], "pumpctl.fish", marks=needs("fish")),
        pytest.param("pwsh", ["-NoProfile", "-c", PARSE], "pumpctl.ps1", marks=needs("pwsh")),
    ],
)
def test_syntax(shell: str, arguments: list[str], name: str) -> None:
    file = str(COMPLETIONS / name)
    found = shutil.which(shell)
    assert found
    words = [word.replace("{file}", file) for word in arguments]
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@needs("fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pumpctl prog", ["program"]),
        ("pumpctl --json prog", ["program"]),
        ("pumpctl --home /tmp program p", ["plan", "push"]),
        ("pumpctl --port emu://w", ["emu://ward-3"]),
        ("pumpctl status --port=emu://w", ["--port=emu://ward-3"]),
        ("pumpctl pair --role c", ["clinician"]),
        ("pumpctl pair --role admin --ro", []),
        ("pumpctl status --check ", ["any", "critical"]),
        ("pumpctl emulator serve ", ["bench", "ward-3"]),
        ("pumpctl --home /nowhere emulator serve ", []),
        ("pumpctl profile check my", ["my doses.toml"]),
        ("pumpctl profile check my.toml ", []),
        ("pumpctl --pump ", ["SP40-000123"]),
        ("pumpctl program plan --override A=b --over", ["--override"]),
    ],
)
def test_fish(line: str, offered: list[str], home: Path) -> None:
    fish = shutil.which("fish")
    assert fish
    script = f"source {COMPLETIONS / 'pumpctl.fish'}; complete -C $argv"
    done = subprocess.run(
        [fish, "--no-config", "-c", script, line],
        env=environment(home),
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    found = [each.split("\t")[0].replace("\\ ", " ") for each in done.stdout.splitlines()]
    assert sorted(found) == offered
