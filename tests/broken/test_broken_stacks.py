"""Each broken stack is killed by exactly its named checks, is told, and differs from the good one by a short function.

One seed in one scenario each; ``make nightly`` takes more seeds and the whole plan of the rollout's TRR-04.
"""

import gc
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.outcome import Outcome
from pulse_sim.verdict import Verdict
from tests import broken
from tests.broken.expectations import EXPECTED, TRR_04, differences, scenario_of
from tests.broken.whole_plan import verdict_with
from tests.cli.command import ROOT, pulse_sim
from tests.run.rehearsal import rehearse

LINES_AT_MOST = 20
LIST = (ROOT / "docs" / "broken-stacks.md").read_text("utf-8")
FACTORIES = [name for name, value in vars(broken).items() if inspect.isfunction(value) and not name.startswith("_")]
PLAN = """\
version: 1
id: one-gate
title: One gate
packets:
  - id: TRR-04
    title: Failure injection
    objective: Stale data is shown as stale.
    evidence: [{id: silence, scenario: no-answer.yaml}]
    gates:
      - {id: stale-is-shown, title: Stale data is shown as stale, priority: P0, evidence: [silence]}
"""


# Some of them leave sockets behind; the interpreter says so when it collects them, here and not in another test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_stack_fails_exactly_its_named_checks(name: str, tmp_path: Path) -> None:
    text = scenario_of(name).read_text("utf-8")
    # What it breaks is looked for to the end of the run, also where an abort would have ended it before.
    done = rehearse(tmp_path / "run", text, factory=getattr(broken, name), ends_early=False)
    assert (done.outcome, done.broken) == (Outcome.FAILED, ())
    results = [result.to_data() for result in done.results]
    assert differences(EXPECTED[name]["kills"], results) == []
    assert_the_rollout_is_no_go_for(scenario_of(name), results)
    gc.collect()


def assert_the_rollout_is_no_go_for(scenario: Path, results: list[dict[str, Any]]) -> None:
    """Were everything else passed, the plan of the rollout would still be NO_GO, and the first reason names a check."""
    decided = verdict_with(scenario, results)
    failed = {result["check"] for result in results if result["outcome"] == "failed"}
    assert decided.verdict is Verdict.NO_GO
    assert any(f"check {check} in run" in decided.reasons[0] for check in failed), decided.reasons[0]


def test_with_everything_passed_people_are_all_the_rollout_waits_for() -> None:
    decided = verdict_with(Path("none.yaml"), [])
    assert decided.verdict is Verdict.GO_WITH_CONDITIONS
    assert {condition.reason.partition(" ")[0] for condition in decided.conditions} == {"human"}


# A stack that is killed leaves its sockets behind as well.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("scenario", sorted({scenario_of(name) for name in EXPECTED}), ids=lambda path: path.stem)
def test_the_good_stack_passes_every_scenario_that_kills_a_broken_one(scenario: Path, tmp_path: Path) -> None:
    done = rehearse(tmp_path / "run", scenario.read_text("utf-8"))
    assert [(result.check, result.reason) for result in done.results if result.outcome is not Outcome.PASSED] == []
    gc.collect()


def test_every_broken_stack_is_expected_to_die_and_the_list_for_people_is_closed() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `([\w/-]+)` \|$", LIST, re.MULTILINE)
    assert sorted(FACTORIES) == sorted(EXPECTED)
    assert sorted(rows) == sorted((name, EXPECTED[name]["scenario"]) for name in EXPECTED)
    assert set(TRR_04) <= set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_list_for_people_names_the_checks_that_kill_a_stack(name: str) -> None:
    (line,) = [line for line in LIST.splitlines() if line.startswith(f"| `{name}` |")]
    killers = {row["check"] for row in EXPECTED[name]["kills"] if row.get("outcome", "failed") == "failed"}
    assert set(re.findall(r"`(\w+)`", line.split("|")[5])) == killers


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_stack_overrides_one_function_of_at_most_twenty_lines(name: str) -> None:
    (part,) = [value for key, value in vars(broken).items() if inspect.isclass(value) and _factory_name(key) == name]
    functions = [value for value in vars(part).values() if inspect.isfunction(value)]
    assert len(functions) == 1
    assert len(inspect.getsource(inspect.unwrap(functions[0])).splitlines()) <= LINES_AT_MOST
    inherited = [base for base in part.__mro__[1:] if functions[0].__name__ in vars(base)]
    assert inherited, "it overrides nothing"


@pytest.mark.system
def test_a_broken_stack_is_no_go_for_the_gate_it_breaks(tmp_path: Path) -> None:
    (tmp_path / "no-answer.yaml").write_bytes(scenario_of("never_stale").read_bytes())
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN, "utf-8")
    done = pulse_sim("verdict", plan, "--sut", "tests.broken:never_stale", "--json", "--out", tmp_path / "out")
    (row,) = done.rows
    assert (done.status, row["verdict"]) == (1, "NO_GO")
    assert "stale-is-shown" in (Path(row["bundle"]) / "verdict.json").read_text("utf-8")


def _factory_name(class_name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in class_name).lstrip("_")
