"""Pictures: the same bytes for the same chart, the right words in them, never over a file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pumpctl.errors import StoreError, UsageError
from pumpctl.report.chart import Axis, Chart, Line, Panel
from pumpctl.report.picture import checked_name, picture, write_picture
from pumpctl.report.program_chart import Side, program_chart
from pumpctl.therapy.moment import DAY_MS
from tests.report.test_text_chart import NEW, ROOT, of, side
from tests.therapy.samples import even, flex

CHANGE = program_chart(side("flex", *NEW), side("flex"))
TIP = Chart(
    "What leaves the catheter's tip, 500 → 2000 mcg/mL at 100 mcg/day",
    ("line 0.348 mL",),
    (
        Panel(
            "At the tip",
            "baclofen",
            "mcg/day",
            Axis.ELAPSED,
            0,
            8 * DAY_MS,
            (
                Line("with a bridge of 41.76 h", ((0, 100),)),
                Line("without: 25 mcg/day for 6.96 days", ((0, 25), (696 * DAY_MS // 100, 100))),
                Line("wanted", ((0, 100),)),
            ),
        ),
    ),
    ("plug flow: no mixing in the line is counted",),
)


def words(svg: bytes) -> list[str]:
    """Every text of an SVG, in order."""
    root = ET.fromstring(svg)  # noqa: S314 - our own file
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_same_chart_gives_the_same_bytes() -> None:
    for kind in (".svg", ".png"):
        assert picture(CHANGE, kind) == picture(CHANGE, kind)


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    """With another hash seed, and after another picture."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.report.test_picture import CHANGE, TIP, picture\n"
        "picture(TIP, '.png')\n"
        "Path(sys.argv[1]).write_bytes(picture(CHANGE, '.svg'))\n"
    )
    out = tmp_path / "chart.svg"
    subprocess.run([sys.executable, "-c", code, str(out)], cwd=ROOT, check=True, timeout=60)
    assert out.read_bytes() == picture(CHANGE, ".svg")


def test_what_a_user_has_set_for_other_pictures_changes_nothing() -> None:
    import matplotlib as mpl

    plain = picture(CHANGE, ".svg")
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 20, "svg.hashsalt": "mine"}):
        assert picture(CHANGE, ".svg") == plain
        assert mpl.rcParams["axes.facecolor"] == "black", "and what was set stays"


def test_an_svg_says_in_text_what_it_shows() -> None:
    svg = picture(CHANGE, ".svg")
    told = words(svg)
    for wanted in (
        "baclofen 2000 mcg/mL · patient P-0417",
        "old: flex.toml",
        "Mon-Fri",
        "Sat-Sun",
        "The week",
        "new 472.2 mcg/day = 0.2361 mL/day (+7.8 %)",
        "old 438 mcg/day = 0.219 mL/day",
        "new largest hour 50.5 mcg = 0.02525 mL, from 06:10",
        "07:00 20 → 22.5 mcg",
        "21:00 20 mcg removed",
        "22:00 22.5 mcg new",
        "26 → 28",
        "basal rate, mcg/h",
        "hour of the day",
        "day of the week",
        "Sun",
        "▼ a bolus on top of the basal rate; the height of its mark means nothing",
    ):
        assert wanted in told, wanted
    assert b"<title>baclofen 2000 mcg/mL" in svg


def test_an_svg_names_no_date_and_no_computer() -> None:
    svg = picture(CHANGE, ".svg").decode()
    assert "dc:date" not in svg and "dc:creator" not in svg
    assert "Matplotlib" not in svg and str(Path.home()) not in svg
    assert not re.search(r"\d{4}-\d\d-\d\dT", svg)


def test_a_png_is_one_and_names_no_date() -> None:
    png = picture(CHANGE, ".png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82")
    assert b"tEXt" not in png and b"tIME" not in png


def test_any_steps_can_be_drawn() -> None:
    """Three lines over days: what leaves the catheter's tip."""
    told = words(picture(TIP, ".svg"))
    assert TIP.title in told and "time since the start, d" in told and "baclofen, mcg/day" in told
    assert [line.label for line in TIP.panels[0].lines] == [
        text for text in told if text in {line.label for line in TIP.panels[0].lines}
    ]


@pytest.mark.parametrize("count", [0, 5])
def test_more_lines_than_strokes_are_refused(count: int) -> None:
    panel = TIP.panels[0]._replace(lines=(Line("x", ((0, 1),)),) * count)
    with pytest.raises(ValueError, match="1 to 4 lines"):
        picture(TIP._replace(panels=(panel,)), ".svg")


def test_a_number_never_stands_at_a_line_that_it_does_not_belong_to() -> None:
    """Of a new rate just below old ones, nothing is written but `old → new`."""
    old = of(flex([[(0, "14"), (720, "15")]]))
    near = words(picture(program_chart(of(flex([[(0, "13")]])), old), ".svg"))
    assert "13" not in near
    far = words(picture(program_chart(of(flex([[(0, "8")]])), old), ".svg"))
    assert "8" in far and "14 → 8" not in far
    equal = words(picture(program_chart(of(flex([[(0, "8")]])), of(flex([[(0, "14")]]))), ".svg"))
    assert "14 → 8" in equal


def test_a_long_title_goes_on_below() -> None:
    other = program_chart(side("flex"), Side("x", even(concentration=500), "A" * 60))
    assert sum("PATIENTS" in text or "AAAA" in text for text in words(picture(other, ".svg"))) == 2


def test_labels_that_touch_stand_upright_and_go_where_days_are_many() -> None:
    every = [(day, 60 * at, "5 mcg", "1 min") for day in range(7) for at in range(24)]
    one = picture(program_chart(of(flex([[(0, "10")]], every))), ".svg").decode()
    upright = r"rotate\(-90 [\d.]+ [\d.]+\)\">23:00 5 mcg<"
    assert re.search(upright, one)
    close = [(0, 600 + at, "5 mcg", "1 min") for at in range(6)]
    told = words(picture(program_chart(of(flex([[(0, "10")]] * 7, close))), ".svg"))
    assert "10:00 5 mcg" in told and "10:01 5 mcg" not in told, "no label lies on another"
    days = [[(0, str(10 + day))] for day in range(7)]
    seven = picture(program_chart(of(flex(days, every))), ".svg")
    assert not any(text == "23:00 5 mcg" for text in words(seven)), "the notes name them"
    assert any("5 mcg = 0.0025 mL over 1 min at 00:00, 01:00" in text for text in words(seven))


def test_names_are_text_and_nothing_else() -> None:
    """No formula, no tag of XML, no letter that the font lacks does any harm."""
    odd = program_chart(Side("a $x^$ <b>&\u4e2d\udcff.toml", even(), "P&1"))
    for kind in (".svg", ".png"):
        assert picture(odd, kind)
    assert "a $x^$ <b>&\u4e2d?.toml" in words(picture(odd, ".svg"))


# --- the file ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chart.svg", "chart.PNG"])
def test_a_new_file_is_written_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_picture(path, CHANGE)
    drawn = path.read_bytes()
    assert drawn == picture(CHANGE, Path(name.lower()).suffix)
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="is there already") as found:
        write_picture(path, CHANGE)
    assert "--force" in found.value.hint and path.read_bytes() == b"mine"
    write_picture(path, CHANGE, force=True)
    assert path.read_bytes() == drawn


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chart.svg"

    def slow(_chart: Chart, _kind: str) -> bytes:
        path.write_bytes(b"mine")
        return b"drawn"

    monkeypatch.setattr("pumpctl.report.picture.picture", slow)
    with pytest.raises(UsageError, match="is there already"):
        write_picture(path, CHANGE)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["chart.pdf", "chart", ".svg", "chart.svg.gz"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="format is not known"):
        checked_name(tmp_path / name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_picture(tmp_path / "no" / "chart.svg", CHANGE)


def test_without_matplotlib_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="not installed") as found:
        write_picture(tmp_path / "chart.svg", CHANGE)
    assert 'pip install "pumpctl[charts]"' in found.value.hint
    assert not any(tmp_path.iterdir())
