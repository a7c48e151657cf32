"""The HTML pages: the answer on the first screen, no script, no network, every name escaped, small."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.report import render_run_html, render_verdict_html
from pulse_sim.report.html import MAX_PAGE_BYTES
from pulse_sim.report.timeline import read_timeline
from tests.report.hostile import HOSTILE_POOL, RAW, invisible
from tests.report.page_reader import Page
from tests.report.stories import CLASSES, read_log, summary, told_run, told_verdict
from tests.report.whole_story import whole_story

TEMPLATES = Path(__file__).resolve().parents[2] / "pulse_sim" / "report" / "templates"


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
    reason = 12 + 2 * 10 + 2 + pixels(".label", "line-height") + (2 + 3) * pixels(".reason p", "line-height")
    nav = pixels("nav", "margin-top") + pixels("nav", "max-height")
    head = 14 + 16 + 2 * 6 + 1
    row = 3 * pixels("table", "line-height") + 2 * 7 + 1
    assert 16 + kicker + banner + reason + nav + head + 5 * row <= 800


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
    assert page.elements.count("svg") == len(page.data) == len(CLASSES)
    elsewhere = [address for address in page.addresses if not address.startswith("#")]
    assert elsewhere == [f"runs/{one}-7-abababab/report.html" for one in CLASSES]
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_failed_runs_lie_open_and_passed_ones_folded() -> None:
    html = render_verdict_html(told_verdict(bad=("connection-flap",)))
    runs = re.findall(r'<details class="run" id="run-\d+"( open)?>', html)
    assert sorted(runs) == ["", "", "", "", " open"]


def test_a_run_page_begins_with_outcome_reason_and_timeline(tmp_path: Path) -> None:
    report = told_run(read_log(tmp_path), outcome=Outcome.FAILED)
    html = render_run_html(report)
    page = Page(html)
    words = [text for _, text in page.body()]
    assert words.index("failed") < words.index("First failing reason") < words.index("phases") < words.index("Checks")
    assert "pulse-sim run auth-revoked.yaml --seed 7" in words


def test_a_run_without_a_log_still_has_a_page() -> None:
    assert "Nothing was checked" in render_run_html(told_run(None))


def rendered(kind: str, directory: Path, name: str = "nas-1") -> str:
    """A page with ``name`` wherever a name can stand."""
    log = read_log(directory, name)
    if kind == "run":
        return render_run_html(told_run(log, title=name))
    return render_verdict_html(whole_story(name, bad=("auth-revoked",), log=log))


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_no_name_becomes_markup_script_or_an_address(tmp_path: Path, kind: str) -> None:
    html = rendered(kind, tmp_path / "hostile", HOSTILE_POOL)
    page, plain = Page(html), Page(rendered(kind, tmp_path / "plain"))
    assert set(page.elements) == set(plain.elements)
    assert page.events == []
    assert all(address.startswith(("runs/", "#")) for address in page.addresses)
    assert page.scripts == plain.scripts and page.styles == plain.styles
    assert invisible(html) == []
    assert not [raw for raw in RAW if raw in html]
    assert "alert(1)" in " ".join(text for _, text in page.texts)
    assert "49" not in page.under(".lane") + page.under(".kicker")


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_names_in_the_data_of_a_chart_are_data(tmp_path: Path, kind: str) -> None:
    page = Page(rendered(kind, tmp_path, HOSTILE_POOL))
    names = {lane["connection"] for data in page.data for lane in data["lanes"]}
    assert len(names) == 1
    (name,) = names
    assert name.startswith("</td></script><script>alert(1)</script>")
    assert invisible(name) == []


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_a_page_asks_for_nothing_and_runs_only_what_its_policy_names(tmp_path: Path, kind: str) -> None:
    html = rendered(kind, tmp_path)
    page = Page(html)
    assert page.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in page.policy and "http" not in page.policy and "data:" not in page.policy
    assert len(page.scripts) == 2 and all(map(page.allows, page.scripts))
    assert len(page.styles) == 1 and page.allows(page.styles[0])
    outside = html
    for text in (*page.scripts, *page.styles):
        outside = outside.replace(text, "")
        assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|WebSocket|importScripts|\beval\b", text)
    assert not re.search(r"<link|\ssrc=|<script(?! type=\"application/json\"|>)", outside)
    assert set(re.findall(r"https?://[^\s\"']+", outside)) <= {"http://www.w3.org/2000/svg"}


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
    assert len(re.findall(r'<details class="run" id="run-\d+" open>', html)) == 1
    assert "late stale until the end" in html


def test_eighty_runs_of_a_week_with_eight_connections_fit_and_every_one_has_a_drawing(tmp_path: Path) -> None:
    timeline = read_timeline(read_log(tmp_path, minutes=7 * 1440))
    wide = replace(timeline, lanes=timeline.lanes * 8)
    report = whole_story(runs=80)
    checks = tuple(
        replace(line, check=f"check {number}") for number in range(10) for line in report.runs[0].summary.checks
    )
    runs = tuple(replace(run, timeline=wide, summary=replace(run.summary, checks=checks)) for run in report.runs)
    html = render_verdict_html(replace(report, runs=runs))
    page = Page(html)
    assert len(html.encode()) <= MAX_PAGE_BYTES
    assert page.elements.count("svg") == len(page.data) == 80
    assert html.count(">Full report of this run</a>") == 80


def test_a_page_of_a_week_shows_more_detail_than_its_drawing(tmp_path: Path) -> None:
    html = render_run_html(told_run(read_log(tmp_path, minutes=7 * 1440)))
    (data,) = Page(html).data
    assert len(html.encode()) <= MAX_PAGE_BYTES // 4
    times, values = data["lanes"][0]["staleness"]
    assert len(times) == len(values) > 1200
    assert max(value for value in values if value is not None) == 317


def test_phases_commands_risks_drift_debt_and_inventory_are_told() -> None:
    page = Page(render_verdict_html(whole_story("the name")))
    text = " ".join(words for _, words in page.body())
    for words in (
        "nobody signed the name",
        "may not end yet",
        "may end",
        "rehearsed for 48h of 48h",
        "rehearsed for unknown",
        "pytest -k the name",
        "4096 bytes, cut",
        "was not executed",
        "DRIFT-01",
        "DEBT-01",
        "R-9",
        "rollback: the name",
        "2026-02-08",
        "tools: python",
        "unblocked by: the name",
        "pulse-sim verdict plan.yaml --seed 7",
    ):
        assert words in text, words


def test_what_was_not_exercised_is_named_before_what_was() -> None:
    page = Page(render_verdict_html(whole_story()))
    text = " ".join(words for _, words in page.body())
    assert "2 pairs of release and face not exercised" in text
    for name in (
        "24.10 older WebSocket",
        "26.0 older WebSocket",
        "dns.slow it",
        "Flap",
        "kill (the system lacks it)",
        "restarts",
    ):
        assert text.index(name) < text.index("Fault kinds by failure class, release and face")
    assert "http.delay api-timeout 2 cannot" in text
    assert "net.down none 2 –" in text


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "paper"),
        ("dim", "paper"),
        ("dim", "card"),
        ("dim", "soft"),
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("idle", "idle-soft"),
        ("curve", "card"),
        ("second", "card"),
        ("on", "bad"),
        ("on", "warn"),
    ],
)
def test_words_stand_out_from_what_is_behind_them(scheme: str, ink: str, paper: str) -> None:
    """WCAG AA: 4.5 to 1 for text."""
    colours = scheme_colours(scheme)
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_white_words_stand_out_from_every_banner() -> None:
    for scheme in ("light", "dark"):
        for name in ("go", "conditions", "no-go", "idle") if scheme == "light" else ("go", "conditions", "no-go"):
            assert 1.05 / (luminance(scheme_colours(scheme)[name]) + 0.05) >= 4.5, (scheme, name)


def scheme_colours(scheme: str) -> dict[str, str]:
    """The colours of the page by name, those of light under those of dark or paper."""
    css = (TEMPLATES / "page.css").read_text()
    light, dark, printed = (
        re.search(pattern, css, re.DOTALL)
        for pattern in (r"^:root\{(.*?)\}", r"dark\)\{:root\{(.*?)\}", r"@media print\{:root\{(.*?)\}")
    )
    assert light and dark and printed
    chosen = {"light": "", "dark": dark[1], "print": printed[1]}[scheme]
    return dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", light[1] + ";" + chosen))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
