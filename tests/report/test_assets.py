"""The chart library is the one that was vendored, with its licence, and reaches an installed package."""

import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.report.page import policy, scripts, style
from pulse_sim.report.timeline import read_timeline
from pulse_sim.report.timeline_data import timeline_data
from tests.report.page_reader import Page
from tests.report.stories import read_log

ASSETS = Path(__file__).resolve().parents[2] / "pulse_sim" / "report" / "assets"
UPLOT_1_6_32 = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


@pytest.mark.parametrize("name", UPLOT_1_6_32)
def test_a_vendored_file_is_byte_for_byte_what_was_published(name: str) -> None:
    assert sha256((ASSETS / name).read_bytes()).hexdigest() == UPLOT_1_6_32[name]
    assert f"| `{UPLOT_1_6_32[name]}` |" in (ASSETS / "README.md").read_text("utf-8")


def test_the_licence_is_mit_and_a_page_names_it() -> None:
    assert (ASSETS / "uPlot.LICENSE.txt").read_text("utf-8").startswith("The MIT License (MIT)")
    assert "(v1.6.32)" in scripts()[0]


def test_nothing_else_is_vendored() -> None:
    assert {path.name for path in ASSETS.iterdir()} == {*UPLOT_1_6_32, "README.md", "timeline.js"}


def test_no_script_or_style_can_end_its_own_element_or_ask_for_anything() -> None:
    for text in (*scripts(), style()):
        assert not re.search(r"</(script|style)|<!--", text, re.IGNORECASE)
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|importScripts|eval|Function)\(", text)
        assert not re.search(r"url\(|@import|innerHTML\s*=|document\.write|insertAdjacentHTML", text)


def test_a_script_with_one_letter_changed_is_not_allowed() -> None:
    page = Page(f'<meta http-equiv="Content-Security-Policy" content="{policy()}">')
    for script in scripts():
        assert page.allows(script)
        assert not page.allows(script.replace("e", "f", 1))


def test_the_data_of_the_package_names_every_kind_of_asset() -> None:
    patterns = re.findall(r'"\*\.([a-z]+)"', (ASSETS.parents[2] / "pyproject.toml").read_text("utf-8"))
    for place in (ASSETS, ASSETS.with_name("templates")):
        assert {path.suffix[1:] for path in place.iterdir()} - {"md"} <= set(patterns)
    assert files("pulse_sim.report").joinpath("assets", "timeline.js").is_file()


def test_the_script_reads_only_what_the_data_of_a_timeline_has(tmp_path: Path) -> None:
    data: dict[str, Any] = timeline_data(read_timeline(read_log(tmp_path)))
    script = (ASSETS / "timeline.js").read_text("utf-8")
    taken = re.findall(r"\{([\w, :]+)\} = this\.data", script)
    named = {part.split(":")[0].strip() for parts in taken for part in parts.split(",")}
    assert named | set(re.findall(r"\bdata\.(\w+)", script)) <= data.keys()
    (lane,) = data["lanes"]
    asked = set(re.findall(r"\blane\.(\w+)", script))
    assert asked <= lane.keys()
    assert lane.keys() <= asked
