#!/usr/bin/env python3
"""All that a fresh computer needs: python3 dev.py demo, python3 dev.py test.

    python3 dev.py demo            the first minute with pumpctl
    python3 dev.py run ARGS...     pumpctl itself:  dev.py run status --json
    python3 dev.py test [ARGS...]  the tests; arguments go to pytest
    python3 dev.py lint [--fix]    ruff, its formatter, and mypy
    python3 dev.py cover           branch coverage of therapy/ and quantities: 100 % or it fails
    python3 dev.py bench [AXIS...] how fast, beside its peers; --help tells the axes, --quick,
                                   --output DIR; --peers installs the peers in Python
    python3 dev.py generate        completions/ and the tables in docs/ (--check: only look)
    python3 dev.py setup           only make .venv; every other command does so too

It makes .venv beside itself from requirements/dev.txt (pinned, with hashes),
installs pumpctl there as it lies here, and does nothing twice. DEV_VENV=DIR
puts the environment elsewhere, to try several Pythons side by side.

Standard library only. The syntax stays within Python 3.6, so that a Python
that is too old can still say so.
"""

import sys

OLDEST = (3, 11)
TOO_NEW = (3, 15)  # the pinned packages have no wheels for it yet


def unsuitable(version: "tuple[int, ...]") -> str:
    """Why a Python of this version cannot be used, or an empty string if it can."""
    if OLDEST <= version[:2] < TOO_NEW:
        return ""
    import shutil

    named = ["python3.%d" % minor for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1)]  # noqa: UP031
    found = [name for name in named if shutil.which(name)]
    hint = f"try: {found[0]} dev.py" if found else "install one of these first"
    return (
        f"dev.py: this is Python {version[0]}.{version[1]} ({sys.executable}); "
        f"pumpctl needs {OLDEST[0]}.{OLDEST[1]} to {TOO_NEW[0]}.{TOO_NEW[1] - 1}; {hint}"
    )


if unsuitable(sys.version_info[:2]):
    sys.exit(unsuitable(sys.version_info[:2]))

import os  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402

RECIPE = "1"  # raise it when the way of installing changes: every .venv is then made anew
WINDOWS = os.name == "nt"


class SetupError(Exception):
    """The environment cannot be made; the message is for the person at the keyboard."""


class Place:
    """Where everything lies. Nothing is created by asking."""

    def __init__(self, root: Path, venv: Path | None = None) -> None:
        self.root = root
        self.venv = venv or root / ".venv"
        self.bin = self.venv / ("Scripts" if WINDOWS else "bin")
        self.stamp = self.venv / "dev.stamp"
        self.log = self.venv / "dev.log"
        self.lock = self.venv.with_name(self.venv.name + ".lock")
        self.requirements = root / "requirements" / "dev.txt"
        self.pyproject = root / "pyproject.toml"

    def tool(self, name: str) -> str:
        """The path of an installed command."""
        return str(self.bin / (name + ".exe" if WINDOWS else name))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- is there anything to do? ------------------------------------------------


def stamp_of(place: Place) -> tuple[str, str]:
    """What .venv should say of itself: (environment, project).

    A new environment line means a new .venv, a new project line (metadata or
    scripts may have changed) only installs the project again. The path counts
    because an environment that was copied still points to where it came from.
    """
    from hashlib import sha256

    try:
        pins = place.requirements.read_bytes()
        project = place.pyproject.read_bytes()
    except OSError as error:
        raise SetupError(f"this is not a whole checkout: {error}") from error
    tag = f"{RECIPE} {sys.implementation.cache_tag} {sys.platform} {place.venv} {place.root}"
    return (
        sha256(tag.encode() + b"\0" + pins).hexdigest(),
        sha256(project).hexdigest(),
    )


def stamp_held(place: Place) -> tuple[str, str]:
    """What .venv does say of itself; empty strings where it is absent or half-made."""
    try:
        lines = place.stamp.read_text(encoding="ascii").split("\n")
    except (OSError, ValueError):
        return ("", "")
    if len(lines) != 3 or not os.path.exists(place.tool("python")):  # noqa: PTH110 - fast
        return ("", "")
    return (lines[0], lines[1])


def ensure(place: Place, build: Callable[[Place, int], None] | None = None) -> None:
    """Make or refresh .venv if it needs it. The stamp is the last thing written."""
    wanted = stamp_of(place)
    if stamp_held(place) == wanted:
        return
    check_python()
    with locked(place.lock) as fd:
        held = stamp_held(place)
        if held == wanted:  # another dev.py has just done it
            return
        place.stamp.unlink(missing_ok=True)
        if held[0] == wanted[0]:
            install_project(place, fd)
        else:
            (build or build_all)(place, fd)
        part = place.stamp.with_suffix(".part")
        part.write_text("\n".join(wanted) + "\n", encoding="ascii")
        part.replace(place.stamp)


def check_python() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"this Python ({sys.executable}) comes without {' and '.join(missing)}; "
            "on Debian and Ubuntu: sudo apt install python3-venv"
        )


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a lock that the system gives back however the holder ends.

    Child processes inherit it (POSIX), so an installer that outlives a killed
    dev.py still keeps the next one out.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not try_lock(fd):
            if not told:
                say("dev.py: another dev.py is making .venv; waiting for it")
                told = True
            time.sleep(0.2)
        yield fd
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the lock if it is free."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: go on as if alone
    return True


# --- doing it ----------------------------------------------------------------

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
PINNED = ("install", "--require-hashes", "--only-binary", ":all:", "--no-deps")


def build_all(place: Place, fd: int) -> None:
    """A new .venv: current pip first (its scripts start faster), then all the rest."""
    say(f"dev.py: making {place.venv} (once; about half a minute)")
    started = time.monotonic()
    remove(place)
    place.venv.mkdir(parents=True, exist_ok=True)
    base = getattr(sys, "_base_executable", "") or sys.executable
    step(place, fd, "the environment", [base, "-m", "venv", str(place.venv)])
    python = place.tool("python")
    pip_only = place.venv / "dev-pip.txt"
    pip_only.write_text(pin_of("pip", place.requirements.read_text(encoding="utf-8")))
    step(place, fd, "pip", [python, *PIP, *PINNED, "-r", str(pip_only)])
    pip_only.unlink()
    if sys.version_info < (3, 12):  # venv adds setuptools there, which slows every start
        step(place, fd, "setuptools", [python, *PIP, "uninstall", "--yes", "setuptools"])
    step(place, fd, "packages", [python, *PIP, *PINNED, "-r", str(place.requirements)])
    install_project(place, fd)
    say(f"dev.py: done in {time.monotonic() - started:.0f} s")


def install_project(place: Place, fd: int) -> None:
    """Install the checkout itself, editable; needs no network."""
    flags = ("install", "--no-deps", "--no-index", "--no-build-isolation", "--editable")
    python = place.tool("python")
    step(place, fd, "pumpctl", [python, *PIP, *flags, str(place.root)])
    # An editable install is not compiled by pip, and some machines never write bytecode.
    step(place, fd, "bytecode", [python, "-m", "compileall", "-q", str(place.root / "pumpctl")])


def remove(place: Place) -> None:
    """Remove what is left of an older environment, and nothing that is not one."""
    import shutil

    if not place.venv.exists():
        return
    ours = place.venv == place.root / ".venv" or (place.venv / "pyvenv.cfg").exists()
    if not ours and any(place.venv.iterdir()):
        raise SetupError(f"{place.venv} is not a Python environment; it is left as it is")
    try:
        shutil.rmtree(place.venv)
    except OSError as error:
        raise SetupError(f"{place.venv} is in use and cannot be made anew: {error}") from error


def pin_of(name: str, requirements: str) -> str:
    """The lines of one package, hashes included, out of a requirements file."""
    lines: list[str] = []
    for line in requirements.splitlines():
        if line.startswith(name + "==") or (lines and line.startswith(" ")):
            lines.append(line)
        elif lines:
            break
    if not lines:
        raise SetupError(f"requirements/dev.txt does not pin {name}")
    return "\n".join(lines) + "\n"


def step(place: Place, fd: int, what: str, command: Sequence[str]) -> None:
    """Run one installer with its output in the log, showing progress on a terminal."""
    import subprocess

    drop = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
    env = {key: value for key, value in os.environ.items() if key not in drop}
    env.update(PIP_USER="0", PYTHONUTF8="1")
    with place.log.open("ab") as log:
        start = log.tell()
        log.write(f"--- {what}\n".encode())
        log.flush()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=place.root,
            pass_fds=() if WINDOWS else (fd,),
        )
        try:
            while process.poll() is None:
                show_progress(place, what, start)
                try:
                    process.wait(0.3)
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            show_progress(place, "", start)
    if process.returncode:
        with place.log.open("rb") as log:
            log.seek(start)
            output = log.read().decode("utf-8", "replace")
        raise SetupError(diagnosis(what, output) + f"\n(the whole story: {place.log})")


def show_progress(place: Place, what: str, start: int) -> None:
    if not sys.stderr.isatty():
        return
    text = ""
    if what:
        with place.log.open("rb") as log:
            log.seek(start)
            count = log.read().count(b"\nCollecting ")
        text = f"  installing {what}" + (f": {count} found" if count > 1 else "")
    print(f"\r{text:<50}\r", end="", file=sys.stderr, flush=True)


HASHES = """a downloaded file is not the one that is pinned, and was not installed; \
if a second try says the same, tell the maintainers"""
CERTIFICATE = """the package index shows a certificate that is not trusted here; \
behind a company proxy, give pip its certificate (PIP_CERT)"""
WHEEL = "a pinned package has no wheel for this computer, or this package index does not offer it"
NO_VENV = """this Python cannot install pip into an environment; \
on Debian and Ubuntu: sudo apt install python3-venv"""

# A word in the installer's output and what it means; the first that fits is told.
CAUSES = (
    ("DO NOT MATCH THE HASHES", HASHES),
    ("No space left on device", "the disk is full"),
    ("CERTIFICATE_VERIFY_FAILED", CERTIFICATE),
    ("Permission denied", "a file may not be written"),
    ("ProxyError", "the proxy does not let pip through (HTTPS_PROXY)"),
    ("NewConnectionError", "no network"),
    ("NameResolutionError", "no network"),
    ("Temporary failure in name resolution", "no network"),
    ("getaddrinfo failed", "no network"),
    ("Connection refused", "no network"),
    ("Network is unreachable", "no network"),
    ("timed out", "the network is too slow or blocked"),
    ("No matching distribution", WHEEL),
    ("ensurepip", NO_VENV),
)


def diagnosis(what: str, output: str) -> str:
    """One sentence on why an installer failed, and its last lines."""
    cause = next((cause for word, cause in CAUSES if word in output), "")
    tail = "\n".join(f"  | {line:.160}" for line in output.strip().splitlines()[-4:])
    first = f"could not install {what}" + (f": {cause}" if cause else "")
    return f"{first}\n{tail}"


# --- the commands ------------------------------------------------------------


def environment(place: Place) -> dict[str, str]:
    """What the tools see: .venv first on the path."""
    env = dict(os.environ)
    env.pop("PYTHONHOME", None)
    env["VIRTUAL_ENV"] = str(place.venv)
    env["PATH"] = str(place.bin) + os.pathsep + env.get("PATH", "")
    return env


def become(place: Place, command: Sequence[str], cwd: Path | None = None) -> int:
    """Go on as another program (POSIX), or wait for it and pass its exit code on."""
    if cwd is not None:
        os.chdir(cwd)
    sys.stdout.flush()
    if not WINDOWS:
        os.execve(command[0], list(command), environment(place))  # noqa: S606
    return run(place, command)


def run(place: Place, command: Sequence[str], cwd: Path | None = None) -> int:
    import subprocess

    process = subprocess.Popen(command, env=environment(place), cwd=cwd)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the other program has got it, too, and decides


def test_command(place: Place, args: Sequence[str]) -> list[str]:
    """Pytest on all cores, unless the arguments speak of that or name one test."""
    alone = {"--pdb", "--trace", "-s", "--co", "--collect-only", "no:xdist", "-pno:xdist"}
    cores = usable_cores()
    one = any(arg in alone or "::" in arg or arg.startswith(("-n", "--num")) for arg in args)
    spread = [] if one or cores < 2 else ["-n", str(cores), "--dist", "worksteal"]
    return [place.tool("python"), "-m", "pytest", *spread, *args]


def usable_cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)  # not on Windows and macOS
    return min(len(allowed(0)) if allowed else os.cpu_count() or 1, 8)


def lint_commands(place: Place, args: Sequence[str]) -> list[list[str]]:
    fix = list(args) == ["--fix"]
    if args and not fix:
        raise SetupError("lint takes no argument but --fix")
    ruff = place.tool("ruff")
    return [
        [ruff, "check", *(["--fix"] if fix else [])],
        [ruff, "format", *([] if fix else ["--check"])],
        [place.tool("python"), "-m", "mypy"],
    ]


def cover_commands(place: Place, args: Sequence[str]) -> list[list[str]]:
    """The dosing floor's own tests under coverage, then its verdict; arguments go to pytest."""
    coverage = [place.tool("python"), "-m", "coverage"]
    tests = ["tests/therapy", "tests/property", "tests/test_quantities.py"]
    measured = "--include=pumpctl/therapy/*,pumpctl/quantit*"
    return [
        [*coverage, "run", "--branch", measured, "-m", "pytest", "-q", *(args or tests)],
        [*coverage, "report", measured, "--show-missing", "--skip-covered", "--fail-under=100"],
    ]


def bench_commands(place: Place, args: Sequence[str]) -> list[list[str]]:
    """The one benchmark command; with --peers the environment of those it is measured beside."""
    if "--peers" not in args:
        return [[place.tool("python"), "-m", "benchmarks", *args]]
    if list(args) != ["--peers"]:
        raise SetupError("bench --peers takes nothing else; it only makes .venv-peers")
    peers = Place(place.root, place.root / ".venv-peers")
    pins = place.root / "benchmarks" / "peers.txt"
    wanted = [line for line in pins.read_text(encoding="utf-8").splitlines() if "==" in line]
    base = getattr(sys, "_base_executable", "") or sys.executable
    install = [peers.tool("python"), *PIP, "install", "--constraint", str(pins)]
    # One by one: a peer that cannot be had here leaves the others.
    return [[base, "-m", "venv", str(peers.venv)], *([*install, each] for each in wanted)]


def main(argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print((__doc__ or "").split("\n\nStandard")[0], file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    command, args = argv[0], list(argv[1:])
    if command not in ("demo", "run", "test", "lint", "cover", "bench", "generate", "setup"):
        say(f"dev.py: no command {command}; see python3 dev.py --help")
        return 2
    root = Path(__file__).resolve().parent
    venv = os.environ.get("DEV_VENV")
    place = Place(root, Path(venv).absolute() if venv else None)
    try:
        ensure(place)
        if command == "setup":
            say(f"dev.py: ready in {place.venv}")
            return 0
        if command in ("demo", "run"):
            words = ["demo", *args] if command == "demo" else args
            return become(place, [place.tool("pumpctl"), *words])
        if command == "test":
            return become(place, test_command(place, args), place.root)
        if command == "generate":
            generate = [place.tool("python"), "-m", "tools.generate", *args]
            return become(place, generate, place.root)
        several = {"lint": lint_commands, "cover": cover_commands, "bench": bench_commands}
        return max([run(place, each, place.root) for each in several[command](place, args)])
    except SetupError as error:
        say(f"dev.py: {error}")
        return 1
    except OSError as error:
        say(f"dev.py: {error.strerror or error}: {error.filename or ''}")
        return 1
    except KeyboardInterrupt:
        say("dev.py: interrupted; the next call begins .venv afresh if it was not ready")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
