"""Markdown, JUnit and terminal: the same story, each safe in its own way."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from pulse_sim.outcome import Outcome
from pulse_sim.report import (
    render_run_junit,
    render_run_markdown,
    render_verdict_html,
    render_verdict_junit,
    render_verdict_markdown,
)
from pulse_sim.report.terminal import print_verdict
from tests.report.hostile import HOSTILE_POOL, RAW, invisible
from tests.report.stories import CLASSES, read_log, told_run, told_verdict
from tests.report.whole_story import whole_story

ELEMENTS = {"testsuites", "testsuite", "testcase", "properties", "property", "skipped", "failure", "error"}
parsed = ET.fromstring  # what this package wrote itself


def terminal(*, name: str = "it", bad: tuple[str, ...] = ("auth-revoked",)) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    print_verdict(console, whole_story(name, bad=bad), Path(f"reports/{name}"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_markdown_of_equal_evidence_is_equal_and_names_no_wall_time(tmp_path: Path) -> None:
    one = render_run_markdown(told_run(read_log(tmp_path / "a")))
    other = render_run_markdown(told_run(read_log(tmp_path / "b")))
    assert one == other
    assert str(tmp_path) not in one
    assert render_verdict_markdown(told_verdict()) == render_verdict_markdown(told_verdict())


def test_the_markdown_of_a_verdict_tells_the_answer_first() -> None:
    lines = render_verdict_markdown(told_verdict(bad=("auth-revoked",), open_gate=True)).splitlines()
    assert lines[0].startswith("# ⛔ NO") and "Rollout it" in lines[0]
    assert lines[4].startswith("First reason: TRR-04 · gate g-auth-revoked")
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## Failure classes", "## Conditions", "## Waivers", "## Reproduce"]


def test_details_are_folded_below_what_is_read_at_a_glance() -> None:
    text = render_verdict_markdown(whole_story())
    glance, _, folded = text.partition("<details>")
    assert len(glance.splitlines()) < 60
    titles = re.findall(r"<summary>(.*?)</summary>", folded)
    assert titles == [
        "Packets and gates",
        "Phases and their transition checklists",
        "What this verdict did not exercise",
        "Commands",
        "Residual risks",
        "Drift",
        "Debt",
        "What this plan leaves out",
        "5 runs",
        "Facts",
    ]
    assert text.count("<details>") == text.count("</details>") == len(titles)
    assert "All reasons" in render_verdict_markdown(whole_story(bad=CLASSES))


def test_a_comment_holds_the_markdown_of_any_verdict_and_says_what_it_left_out() -> None:
    report = whole_story("n" * 1500, runs=300)
    text = render_verdict_markdown(report)
    assert len(text) < 65_536
    assert re.search(r"Too long for here, told in report\.html: .*300 runs", text)
    assert text.startswith("# ")


def test_the_wall_time_of_a_command_is_in_no_report() -> None:
    report = whole_story()
    for text in (render_verdict_markdown(report), render_verdict_html(report), render_verdict_junit(report).decode()):
        assert "pytest -k it" in text or "junit" in text or "<testsuites" in text
        assert "12.5" not in text


@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_no_name_breaks_out_of_a_markdown_table(tmp_path: Path, kind: str) -> None:
    if kind == "run":
        text = render_run_markdown(told_run(read_log(tmp_path, HOSTILE_POOL), title=HOSTILE_POOL))
    else:
        text = render_verdict_markdown(whole_story(HOSTILE_POOL, bad=("auth-revoked",)))
    assert not re.search(r"<(?!/?(?:details|summary)>)|http://|@all|(?<!\\)\]\(|(?<!\\)!\[|www\.", text)
    assert invisible(text) == [] and not [raw for raw in RAW if raw in text]
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    for table in tables:
        columns = {line.replace("\\|", "").count("|") for line in table}
        assert len(columns) == 1, table


def test_junit_has_a_case_for_every_gate_and_counts_them() -> None:
    root = parsed(render_verdict_junit(told_verdict(bad=("auth-revoked",), open_gate=True)))
    suites = {suite.get("name"): suite for suite in root}
    packet = suites["TRR-04 it"]
    assert (packet.get("tests"), packet.get("failures"), packet.get("skipped")) == ("8", "2", "1")
    failed = [case.get("name") for case in packet.iter("testcase") if case.find("failure") is not None]
    assert failed == ["g-auth-revoked (P0) it survives auth-revoked", "packet: CHANGES_REQUESTED"]


@pytest.mark.parametrize(
    ("outcome", "element"),
    [
        (Outcome.SKIPPED, "skipped"),
        (Outcome.INCONCLUSIVE, "failure"),
        (Outcome.FAILED, "failure"),
        (Outcome.ERRORED, "error"),
    ],
)
def test_junit_of_a_run_that_did_not_pass_is_never_green(outcome: Outcome, element: str) -> None:
    root = parsed(render_run_junit(told_run(None, outcome=outcome)))
    assert [child.tag for case in root.iter("testcase") for child in case] == [element]


def test_junit_parses_whatever_the_names(tmp_path: Path) -> None:
    report = whole_story(HOSTILE_POOL, bad=CLASSES)
    for content in (
        render_verdict_junit(report),
        render_run_junit(told_run(read_log(tmp_path, HOSTILE_POOL), title=HOSTILE_POOL)),
    ):
        root = parsed(content)
        assert not list(root.iter("script"))
        assert b"\x1b" not in content


def test_the_terminal_tells_verdict_rows_reason_conditions_bundle_and_replay() -> None:
    text = terminal()
    for words in ("NO_GO", *CLASSES, "first failing reason", "condition: rpc", "waiver: tls", "bundle: reports/it"):
        assert words in text
    assert "replay: pulse-sim verdict plan.yaml --seed 7" in text


def test_the_terminal_stays_short() -> None:
    assert len(terminal(bad=()).splitlines()) <= 24


def test_no_name_reaches_the_terminal_as_markup_or_escape() -> None:
    text = terminal(name=HOSTILE_POOL)
    assert invisible(text) == []
    assert "[red]" in text


def test_all_renderings_name_the_same_verdict() -> None:
    report = told_verdict(bad=("config-change",))
    renderings = (
        render_verdict_markdown(report),
        render_verdict_html(report),
        render_verdict_junit(report).decode(),
        terminal(bad=("config-change",)),
    )
    assert all("NO_GO" in text or "NO\\_GO" in text for text in renderings)
