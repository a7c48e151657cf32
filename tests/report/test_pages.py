"""The HTML pages: the answer on the first screen, no script, no network, every name escaped, small."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.report import render_run_html, render_verdict_html
from pulse_sim.report.html import MAX_PAGE_BYTES
from tests.report.stories import CLASSES, EVIL, read_log, summary, told_run, told_verdict

TEMPLATES = Path(__file__).resolve().parents[2] / "pulse_sim" / "report" / "templates"
VOID = {"meta", "br", "rect", "path", "polyline", "polygon", "img"}


class Page(HTMLParser):
    """A page as a reader without JavaScript meets it: elements in order, text under the ids and classes above it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append(tag)
        self.addresses += [attributes[name] or "" for name in ("src", "href", "action", "data") if name in attributes]
        assert not [name for name in attributes if name.startswith("on")]
        if tag not in VOID:
            self._open.append((tag, f"#{attributes.get('id', '')} .{attributes.get('class', '')}"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in [tag for tag, _ in self._open]:
            self.texts.append((tuple(f"{tag}{marks}" for tag, marks in self._open), data.strip()))

    def under(self, mark: str) -> str:
        return " ".join(text for above, text in self.texts if any(mark in one for one in above))

    def body(self) -> list[tuple[tuple[str, ...], str]]:
        return [entry for entry in self.texts if any(one.startswith("main") for one in entry[0])]


def rules() -> dict[str, str]:
    """The page's own style sheet: selector to its first declarations, which are those outside media queries."""
    found: dict[str, str] = {}
    for selector, body in re.findall(r"([^{}@]+)\{([^{}]*)\}", (TEMPLATES / "page.css").read_text()):
        found.setdefault(selector.strip(), body)
    return found


def clamp(name: str) -> int:
    found = re.search(r"-webkit-line-clamp:(\d)", rules()[f".{name}"])
    assert found, name
    return int(found[1])


def pixels(selector: str, name: str) -> int:
    found = re.search(rf"(?:^|;|\s){name}:(\d+)px", rules()[selector])
    assert found, (selector, name)
    return int(found[1])


@pytest.mark.parametrize("bad", [(), ("auth-revoked",), CLASSES])
def test_verdict_why_first_reason_and_five_rows_come_before_all_else(bad: tuple[str, ...]) -> None:
    report = told_verdict(bad=bad, open_gate=True)
    page = Page(render_verdict_html(report))
    assert page.under("#verdict ") == report.verdict.verdict.value == ("NO_GO" if bad else "GO_WITH_CONDITIONS")
    assert page.under("#why ") == report.why
    assert report.first_reason in page.under("#first-reason ")
    rows = page.under("#failure-classes ")
    for row in report.rows:
        assert row.title in rows and row.injected in rows and row.happened in rows
    first_screen = [any("#first-screen" in one for one in above) for above, _ in page.body()]
    assert first_screen == sorted(first_screen, reverse=True)


def test_whatever_the_words_the_first_screen_fits_into_eight_hundred_pixels() -> None:
    """The sum of what every block may grow to: each text on it is cut by its class to one, two or three lines."""
    template = (
        (TEMPLATES / "verdict.html.jinja").read_text().partition('id="first-screen">')[2].partition("</section>")[0]
    )
    for text in re.findall(r"<(?:p|h1|b|span)\b[^>]*>", template):
        if text not in ("<b>",):
            assert re.search(r'class="[^"]*\b(one|two|three)\b', text) or 'class="injected"' in text, text
    assert [clamp(name) for name in ("one", "two", "three")] == [1, 2, 3]
    assert "overflow:hidden" in rules()[".one,.two,.three"]
    kicker = pixels(".kicker", "line-height") + pixels(".kicker", "margin-bottom")
    banner = 14 + pixels(".banner h1", "line-height") + 2 * pixels(".banner p", "line-height") + 16
    reason = 12 + 2 * 10 + 2 + pixels("h3", "line-height") + (2 + 3) * pixels(".reason p", "line-height")
    head = 14 + 16 + 2 * 6 + 1
    row = 3 * pixels("table", "line-height") + 2 * 7 + 1
    assert 16 + kicker + banner + reason + head + 5 * row <= 800


def test_a_go_says_that_nothing_is_open() -> None:
    page = Page(render_verdict_html(told_verdict()))
    assert page.under("#verdict ") == "GO"
    assert "nothing is open" in page.under("#first-reason ")


def test_a_verdict_page_tells_conditions_waivers_gates_and_what_is_left_out() -> None:
    text = " ".join(text for _, text in Page(render_verdict_html(told_verdict(open_gate=True))).texts)
    for words in ("rpc", "not spoken by it", "R-1", "sev-3", "2026-03-01", "tls", "closes", "TRR-03"):
        assert words in text


def test_a_verdict_page_has_each_run_with_its_timeline_and_a_way_to_its_own_page(tmp_path: Path) -> None:
    html = render_verdict_html(told_verdict(log=read_log(tmp_path)))
    page = Page(html)
    assert html.count("<svg") == len(CLASSES)
    assert page.addresses == [f"runs/{one}-7-abababab/report.html" for one in CLASSES]


def test_failed_runs_lie_open_and_passed_ones_folded() -> None:
    html = render_verdict_html(told_verdict(bad=("connection-flap",)))
    assert html.count('<details class="run" open>') == 1
    assert html.count('<details class="run">') == 4


def test_a_run_page_begins_with_outcome_reason_and_timeline(tmp_path: Path) -> None:
    report = told_run(read_log(tmp_path), outcome=Outcome.FAILED)
    html = render_run_html(report)
    page = Page(html)
    words = [text for _, text in page.body()]
    assert words.index("failed") < words.index("First failing reason") < words.index("phases") < words.index("Checks")
    assert "pulse-sim run auth-revoked.yaml --seed 7" in words


def test_a_run_without_a_log_still_has_a_page() -> None:
    assert "Nothing was checked" in render_run_html(told_run(None))


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_no_name_becomes_markup_script_or_an_address(tmp_path: Path, kind: str) -> None:
    log = read_log(tmp_path, EVIL)
    if kind == "run":
        html = render_run_html(told_run(log, title=EVIL))
    else:
        html = render_verdict_html(told_verdict(bad=("auth-revoked",), open_gate=True, name=EVIL, log=log))
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(page.elements)
    assert all(address.startswith("runs/") for address in page.addresses)
    assert not [character for character in html if character < " " and character != "\n"]
    assert "\u202e" not in html
    assert "alert(1)" in " ".join(text for _, text in page.texts)


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_a_page_asks_for_nothing_over_the_network_and_forbids_scripts(tmp_path: Path, kind: str) -> None:
    log = read_log(tmp_path)
    html = render_run_html(told_run(log)) if kind == "run" else render_verdict_html(told_verdict(log=log))
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|<script|<link|src=", html)
    assert set(re.findall(r"https?://[^\s\"']+", html)) <= {"http://www.w3.org/2000/svg"}


def test_a_page_with_forty_eight_hours_in_every_run_stays_below_two_megabytes(tmp_path: Path) -> None:
    log = read_log(tmp_path, minutes=2880)
    assert len(render_run_html(told_run(log)).encode()) < MAX_PAGE_BYTES // 8
    assert len(render_verdict_html(told_verdict(log=log)).encode()) < MAX_PAGE_BYTES


def test_a_verdict_on_hundreds_of_runs_keeps_its_page_small_and_the_failed_ones_in_full(tmp_path: Path) -> None:
    report = told_verdict(log=read_log(tmp_path), name="n" * 1500)
    failed = replace(report.runs[0], summary=summary("late", Outcome.FAILED))
    many = replace(report, runs=tuple(report.runs) * 200 + (failed,))
    html = render_verdict_html(many)
    assert len(html.encode()) <= MAX_PAGE_BYTES
    assert "501 more runs lie in runs/" in html
    assert html.count('<details class="run" open>') == 1
    assert "late stale until the end" in html
