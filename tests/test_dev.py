"""dev.py: it does nothing twice, recovers from being killed, and says what is wrong.

No network: the installer is replaced wherever one would run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import dev

ROOT = Path(dev.__file__).resolve().parent


@pytest.fixture
def place(tmp_path: Path) -> dev.Place:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text(
        "# made by a tool\n"
        "pip==26.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "pip-tools==1 \\\n    --hash=sha256:cc\n"
    )
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return dev.Place(tmp_path)


class Builder:
    """Stands in for the real installation and counts its calls."""

    def __init__(self) -> None:
        self.built = 0
        self.dies = False

    def __call__(self, place: dev.Place, fd: int) -> None:
        self.built += 1
        assert not place.stamp.exists(), "a half-made environment must not look finished"
        place.bin.mkdir(parents=True, exist_ok=True)
        if self.dies:
            raise KeyboardInterrupt
        Path(place.tool("python")).touch()


def test_the_second_call_does_nothing(place: dev.Place) -> None:
    builder = Builder()
    for _ in range(3):
        dev.ensure(place, builder)
    assert builder.built == 1
    assert dev.stamp_held(place) == dev.stamp_of(place)


def test_an_interrupted_setup_is_done_again(place: dev.Place) -> None:
    builder = Builder()
    builder.dies = True
    with pytest.raises(KeyboardInterrupt):
        dev.ensure(place, builder)
    assert dev.stamp_held(place) == ("", "")
    builder.dies = False
    dev.ensure(place, builder)
    assert builder.built == 2
    assert dev.stamp_held(place) == dev.stamp_of(place)


def test_new_pins_make_a_new_environment(place: dev.Place) -> None:
    builder = Builder()
    dev.ensure(place, builder)
    place.requirements.write_text("pip==27.0 --hash=sha256:dd\n")
    dev.ensure(place, builder)
    assert builder.built == 2


def test_a_new_pyproject_only_installs_the_project(
    place: dev.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder()
    dev.ensure(place, builder)
    installed: list[Path] = []
    monkeypatch.setattr(dev, "install_project", lambda place, fd: installed.append(place.root))
    place.pyproject.write_text("[project]\nname = 'x'\n")
    dev.ensure(place, builder)
    dev.ensure(place, builder)
    assert builder.built == 1
    assert installed == [place.root]


@pytest.mark.parametrize("damage", ["python", "stamp", "torn stamp", "moved"])
def test_a_broken_environment_is_noticed(place: dev.Place, damage: str) -> None:
    dev.ensure(place, Builder())
    if damage == "python":
        Path(place.tool("python")).unlink()
    elif damage == "stamp":
        place.stamp.unlink()
    elif damage == "torn stamp":
        place.stamp.write_text(place.stamp.read_text()[:70])
    else:
        place.venv.rename(place.root / "elsewhere")
        place = dev.Place(place.root, place.root / "elsewhere")
    again = Builder()
    dev.ensure(place, again)
    assert again.built == 1


def test_a_failed_build_leaves_no_stamp(place: dev.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(place: dev.Place, fd: int) -> None:
        dev.step(place, fd, "packages", [sys.executable, "-c", "exit('NewConnectionError: x')"])

    place.venv.mkdir()
    with pytest.raises(dev.SetupError, match=r"could not install packages: no network"):
        dev.ensure(place, fails)
    assert dev.stamp_held(place) == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_the_lock_outlives_a_killed_setup_and_no_longer(place: dev.Place) -> None:
    script = (
        "import dev, sys, time\nwith dev.locked(dev.Path(sys.argv[1])):\n    print(1, flush=1)\n"
    )
    command = [sys.executable, "-c", script + "    time.sleep(60)", str(place.lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        fd = os.open(place.lock, os.O_RDWR)
        try:
            assert not dev.try_lock(fd)
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert dev.try_lock(fd)
        finally:
            os.close(fd)


def test_only_environments_are_removed(place: dev.Place) -> None:
    home = place.root / "home"
    home.mkdir()
    (home / "letters.txt").touch()
    with pytest.raises(dev.SetupError, match="left as it is"):
        dev.remove(dev.Place(place.root, home))
    assert (home / "letters.txt").exists()
    (home / "pyvenv.cfg").touch()
    dev.remove(dev.Place(place.root, home))
    assert not home.exists()
    place.venv.mkdir()  # our own, killed before venv wrote anything
    (place.venv / "dev.log").touch()
    dev.remove(place)
    assert not place.venv.exists()


def test_pip_alone_is_cut_out_of_the_pins(place: dev.Place) -> None:
    pins = place.requirements.read_text()
    assert dev.pin_of("pip", pins).splitlines() == pins.splitlines()[1:4]
    with pytest.raises(dev.SetupError, match="does not pin hatchling"):
        dev.pin_of("hatchling", pins)


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 6), False), ((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False)],
)
def test_python_versions(version: tuple[int, int], fits: bool) -> None:
    message = dev.unsuitable(version)
    assert (message == "") is fits
    if not fits:
        assert f"this is Python {version[0]}.{version[1]} " in message
        assert "needs 3.11 to 3.14" in message


def test_a_python_without_ensurepip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if "pip" in name else 1)
    with pytest.raises(dev.SetupError, match=r"without ensurepip.*apt install python3-venv"):
        dev.check_python()


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one that is pinned"),
        ("Retrying ... NewConnectionError(...)\nNo matching distribution found", "no network"),
        ("ERROR: No matching distribution found for x==1", "no wheel for this computer"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("something else", "could not install packages\n"),
    ],
)
def test_diagnosis(output: str, cause: str) -> None:
    said = dev.diagnosis("packages", output)
    assert cause in said
    assert output.splitlines()[-1] in said


def test_tests_use_all_cores_unless_told(place: dev.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "usable_cores", lambda: 2)
    spread = ["-n", "2", "--dist", "worksteal"]
    assert dev.test_command(place, ["-q"])[3:] == [*spread, "-q"]
    assert dev.test_command(place, ["--color=no"])[3:] == [*spread, "--color=no"]
    for own in (["-n0"], ["--pdb"], ["-p", "no:xdist"], ["tests/test_dev.py::test_diagnosis"]):
        assert dev.test_command(place, own)[3:] == own


def test_lint_and_bench_commands(place: dev.Place) -> None:
    assert [each[1] for each in dev.lint_commands(place, [])] == ["check", "format", "-m"]
    assert all("--fix" not in each for each in dev.lint_commands(place, []))
    assert "--fix" in dev.lint_commands(place, ["--fix"])[0]
    with pytest.raises(dev.SetupError):
        dev.lint_commands(place, ["--all"])
    assert "--fail-under=100" in dev.cover_commands(place, [])[1]
    assert dev.cover_commands(place, ["tests/wire"])[0][-1] == "tests/wire"
    (bench,) = dev.bench_commands(place, ["startup", "--rounds", "3"])
    assert bench[1:] == ["-m", "benchmarks", "startup", "--rounds", "3"]
    (place.root / "benchmarks").mkdir()
    pins = place.root / "benchmarks" / "peers.txt"
    pins.write_text("# a note\none==1.0\nother==2.0\n", encoding="utf-8")
    make, *installs = dev.bench_commands(place, ["--peers"])
    assert make[-1] == str(place.root / ".venv-peers")
    assert [each[-1] for each in installs] == ["one==1.0", "other==2.0"]
    with pytest.raises(dev.SetupError, match="nothing else"):
        dev.bench_commands(place, ["line", "--peers"])


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main([]) == 2
    assert dev.main(["--help"]) == 0
    assert dev.main(["frobnicate"]) == 2
    assert "no command frobnicate" in capsys.readouterr().err


def test_the_pins_are_whole() -> None:
    """Every package pinned with a hash, pip and the builder among them, and no address."""
    pins = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    assert "://" not in pins
    packages = [line for line in pins.splitlines() if line[:1].isalnum()]
    assert all("==" in line and line.endswith("\\") for line in packages)
    for name in ("pip", "hatchling", "pytest", "mypy", "ruff", "typer"):
        assert "--hash=sha256:" in dev.pin_of(name, pins)


def test_pins_and_pyproject_speak_of_the_same_pythons() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, too_new = (".".join(map(str, version)) for version in (dev.OLDEST, dev.TOO_NEW))
    assert project["requires-python"] == f">={oldest},<{too_new}"
