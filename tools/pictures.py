"""The pictures of docs/dosing/: every one of them can be drawn again, and a test sees that it is.

    python -m tools.pictures            draw what is missing or out of date
    python -m tools.pictures --check    only say what is; exit 1 if anything is

Most are drawn by `pumpctl profile plot` itself, from the profiles that ship; what
no command draws comes from `charts_tip` and `charts_days`. The same input gives the same bytes
with the pinned matplotlib; another version of it may place a letter elsewhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pumpctl.cli.main import run
from pumpctl.report.chart import Chart
from pumpctl.report.picture import picture
from tools import charts_days, charts_tip

ROOT = Path(__file__).resolve().parent.parent
FOLDER: Final = "docs/dosing"
VISIT: Final = ("titrate", "profiles/flex.toml", "--by", "10 %", "-o", "visit.toml")
"""The page's own step: it writes visit.toml, beside which the old profile is drawn."""

PLOTTED: Final[dict[str, tuple[str, ...]]] = {
    "minimum-rate": ("profiles/minimum-rate.toml",),
    "continuous": ("profiles/continuous.toml",),
    "flex": ("profiles/flex.toml",),
    "scheduled-boluses": ("profiles/scheduled-boluses.toml",),
    "patient-doses": ("profiles/patient-doses.toml",),
    "bridge": ("profiles/bridge-old.toml", "profiles/bridge-new.toml"),
    "titration": ("profiles/flex.toml", "visit.toml"),
}
"""By the picture's name: what `pumpctl profile plot … -o NAME.svg` is given."""


COMPUTED: Final[dict[str, Callable[[], Chart]]] = {
    "boluses": charts_tip.boluses,
    "bridge-tip": charts_tip.bridge,
    "fallback": charts_days.fallback,
    "forecast": charts_days.forecast,
    "line": charts_tip.line,
    "line-unknown": charts_tip.line_unknown,
    "priming": charts_tip.priming,
    "refill": charts_days.refill,
    "weaning": charts_days.weaned,
}
"""What no command draws."""


class PictureError(Exception):
    """A picture cannot be drawn; the message is for its author."""


def pictures(kind: str = ".svg") -> dict[str, bytes]:
    """Every picture by its path from the root of the checkout."""
    drawn = _plotted(kind) | {name: picture(make(), kind) for name, make in COMPUTED.items()}
    return {f"{FOLDER}/{name}{kind}": content for name, content in sorted(drawn.items())}


def _plotted(kind: str) -> dict[str, bytes]:
    """What the command draws, in a home of its own so that no site's library counts."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        outside = {name: text for name, text in os.environ.items() if name.startswith("PUMPCTL_")}
        for name in outside:
            del os.environ[name]
        os.environ["PUMPCTL_HOME"] = str(folder / "home")
        try:
            _command(folder, *VISIT, "--at", "2026-03-02T09:00:00+00:00")
            for name, files in PLOTTED.items():
                _command(folder, "profile", "plot", *files, "-o", f"{name}{kind}")
        finally:
            del os.environ["PUMPCTL_HOME"]
            os.environ.update(outside)
        return {name: (folder / f"{name}{kind}").read_bytes() for name in PLOTTED}


def _command(folder: Path, *arguments: str) -> None:
    """A command line as it stands on a page: files that ship, or that lie in the folder."""
    whole = [_placed(folder, argument) for argument in arguments]
    told = StringIO()
    with redirect_stdout(told):
        code = run(whole)
    if code:
        raise PictureError(f"exit {code} from pumpctl {' '.join(arguments)}: {told.getvalue()}")


def _placed(folder: Path, argument: str) -> str:
    if argument.startswith("profiles/"):
        return str(ROOT / argument)
    return (
        str(folder / argument) if Path(argument).suffix in {".toml", ".svg", ".png"} else argument
    )


def stale(root: Path, drawn: dict[str, bytes]) -> list[str]:
    """The pictures that are missing or differ, and files that nobody draws any more."""
    late = [path for path, content in drawn.items() if _held(root / path) != content]
    there = (path.relative_to(root).as_posix() for path in (root / FOLDER).glob("*.svg"))
    return late + sorted(path for path in there if path not in drawn)


def _held(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 where something is out of date or cannot be drawn, 2 for usage."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("pictures takes no argument but --check\n")
        return 2
    try:
        drawn = pictures()
    except PictureError as error:
        sys.stderr.write(f"pictures: {error}; nothing was written\n")
        return 1
    late = stale(ROOT, drawn)
    for path in late:
        if not arguments and path in drawn:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(drawn[path])
        what = "out of date" if arguments else "written"
        sys.stdout.write(f"{what if path in drawn else 'drawn by nobody'}: {path}\n")
    return 1 if any(arguments or path not in drawn for path in late) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
