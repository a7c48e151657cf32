"""The gate of a pipeline as Markdown and JUnit: what a job shows is what was decided, whatever things are called."""

from xml.etree import ElementTree as ET

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.report.ci_gate import comparison_in_a_line, gate_in_a_line, render_gate_junit, render_gate_markdown
from pulse_sim.verdict.ci_gate import CiGate, Comparison
from tests.report.gates import run, told
from tests.report.hostile import HOSTILE_POOL, RAW, invisible


def test_a_hostile_name_comes_to_life_in_neither() -> None:
    markdown, junit = render_gate_markdown(told(HOSTILE_POOL)), render_gate_junit(told(HOSTILE_POOL)).decode()
    fences = markdown.split("```")
    assert [raw for raw in RAW if raw in fences[0] or raw in junit] == []
    assert (invisible(markdown), invisible(junit)) == ([], [])
    assert len(fences) == 3  # one fence, opened and closed by the page itself
    ET.fromstring(junit)  # noqa: S314 - made two lines above


@pytest.mark.parametrize("name", ["small", HOSTILE_POOL], ids=["plain", "hostile"])
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    tables = [block.splitlines() for block in render_gate_markdown(told(name)).split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for head, *rows in tables:
        assert {row.replace("\\|", "").count("|") for row in rows} == {head.count("|")}


def test_junit_has_a_case_for_whatever_keeps_the_gate_from_passing() -> None:
    gate, *runs = ET.fromstring(render_gate_junit(told("small")))  # noqa: S314 - made here
    names = [(case.get("name"), [part.tag for part in case]) for case in gate.findall("testcase")]
    assert names == [
        ("the gate as a whole", ["error"]),
        ("small seed 3", ["failure"]),
        ("small seed 1: small", ["failure"]),
        ("small seed 1: small #2", ["failure"]),
    ]
    assert [(suite.get("name"), suite.get("failures"), suite.get("errors")) for suite in runs] == [
        ("small seed 1", "1", "1"),
        ("small seed 2", "0", "0"),
    ]


def test_a_gate_in_a_line_counts_what_came_of_every_run() -> None:
    assert gate_in_a_line(told("small")) == "gate NOT passed (errored): 3 runs: 1 passed, 1 failed, 1 not run"
    passed = CiGate((("small", 1),), (run("small", Outcome.PASSED),))
    assert gate_in_a_line(passed) == "gate passed: 1 runs: 1 passed"
    assert render_gate_markdown(passed).startswith("# ✅ gate passed")


def test_a_comparison_in_a_line_counts_every_way_a_check_can_change() -> None:
    compared = told("small").comparison
    assert compared is not None
    assert comparison_in_a_line(compared) == (
        "beside the baseline: 1 worse, 1 gone, 9 same, 1 better, 1 runs that the baseline misses, "
        "4 runs of the baseline with other seeds"
    )
    assert (
        comparison_in_a_line(Comparison((), ("x is missing",))) == "not compared: the baseline is damaged in 1 places"
    )


def test_a_list_too_long_to_read_is_cut_and_says_so() -> None:
    many = CiGate((), tuple(run("small", Outcome.FAILED, seed) for seed in range(60)))
    assert "… and 70 more" in render_gate_markdown(many)


def test_of_very_many_runs_those_that_are_not_passed_are_shown_first_and_the_page_stays_small() -> None:
    runs = [run("small", Outcome.FAILED if seed == 9_999 else Outcome.PASSED, seed) for seed in range(10_000)]
    page = render_gate_markdown(CiGate((), tuple(runs)))
    assert len(page.encode()) < 100_000
    assert "| ❌ failed | **small** | 9999 |" in page
    assert "… and 9800 more rows, in the bundle's `gate.json`" in page
