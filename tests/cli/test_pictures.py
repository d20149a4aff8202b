"""The pictures of docs/dosing/ are those that the code draws now, and every page shows its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import pictures

ROOT = pictures.ROOT
FOLDER = ROOT / pictures.FOLDER
PAGES = sorted(FOLDER.glob("*.md"))
WITHOUT = {"README", "drug-library"}
"""Pages of no way of dosing."""


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return pictures.pictures()


def shown(page: Path) -> list[str]:
    """The files that a page shows as pictures."""
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))


def test_no_picture_is_stale(drawn: dict[str, bytes]) -> None:
    assert pictures.stale(ROOT, drawn) == [], "run: python -m tools.pictures"


def test_what_would_make_one_stale_is_seen(tmp_path: Path, drawn: dict[str, bytes]) -> None:
    for path, content in drawn.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert pictures.stale(tmp_path, drawn) == []
    flex = f"{pictures.FOLDER}/flex.svg"
    (tmp_path / flex).write_bytes(drawn[flex].replace(b"438 mcg/day", b"439 mcg/day"))
    (tmp_path / pictures.FOLDER / "line.svg").unlink()
    (tmp_path / pictures.FOLDER / "old.svg").write_bytes(b"")
    late = pictures.stale(tmp_path, drawn)
    assert late == [flex, f"{pictures.FOLDER}/line.svg", f"{pictures.FOLDER}/old.svg"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_shows_its_picture_first(page: Path) -> None:
    files = shown(page)
    if page.stem in WITHOUT:
        assert files == []
    else:
        assert files[:1] == [f"{page.stem}.svg"]
    assert all((FOLDER / file).is_file() for file in files)


def test_no_picture_is_drawn_for_nobody(drawn: dict[str, bytes]) -> None:
    used = {f"{pictures.FOLDER}/{file}" for page in PAGES for file in shown(page)}
    assert used == set(drawn)


def test_a_profile_that_cannot_be_drawn_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pictures, "PLOTTED", {"flex": ("profiles/ghost.toml",)})
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    assert pictures.main([]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
    assert pictures.main(["--force"]) == 2


def test_stale_pictures_are_drawn_and_only_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: dict[str, bytes]
) -> None:
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    monkeypatch.setattr(pictures, "pictures", lambda: drawn)
    assert pictures.main(["--check"]) == 1
    assert not any(tmp_path.iterdir()), "looking writes nothing"
    assert pictures.main([]) == 0
    assert pictures.main(["--check"]) == 0
    (tmp_path / pictures.FOLDER / "old.svg").write_bytes(b"")
    assert pictures.main(["--check"]) == 1
    assert pictures.main([]) == 1, "what nobody draws is not thrown away, but told"
