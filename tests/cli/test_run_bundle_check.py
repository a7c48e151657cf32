"""``pulse-sim check`` on the bundle of one run: the outcome again, and never a better one."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pulse_sim.cli.main import cli
from tests.cli.command import Finished, pulse_sim
from tests.run.rehearsal import scenario

pytestmark = pytest.mark.system

IN_VAIN = [{"at": "2m10s", "for": "5s", "fault": "http.status", "on": "nas-1", "with": {"status": 502}}]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of one passed, one failed and one inconclusive run."""
    directory = tmp_path_factory.mktemp("runs")
    texts = {
        "passed": scenario(id="passed"),
        "failed": scenario(
            id="failed", checks=[{"check": "request_rate", "appliance": "nas-1", "at_most_per_minute": 1}]
        ),
        "inconclusive": scenario(id="inconclusive", timeline=IN_VAIN),
    }
    files = []
    for name, text in texts.items():
        files.append(directory / f"{name}.yaml")
        files[-1].write_text(text, "utf-8")
    done = pulse_sim("run", *files, "--json", "--out", directory / "out")
    assert [row["outcome"] for row in done.rows] == list(texts), done.err
    return {row["scenario"]: Path(row["bundle"]) for row in done.rows}


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


@pytest.mark.parametrize(("outcome", "status"), [("passed", 0), ("failed", 1), ("inconclusive", 3)])
def test_a_run_bundle_is_judged_again_to_the_same_outcome(runs: dict[str, Path], outcome: str, status: int) -> None:
    done = check(runs[outcome], "--json")
    row = json.loads(done.stdout)
    assert done.exit_code == status
    assert {name: row[name] for name in ("kind", "verdict", "outcome", "intact", "damages", "differences")} == {
        "kind": "run",
        "verdict": None,
        "outcome": outcome,
        "intact": True,
        "damages": [],
        "differences": [],
    }
    assert row["bundle"] == str(runs[outcome])


def test_people_are_told_in_a_line(runs: dict[str, Path]) -> None:
    done = check(runs["passed"])
    assert (done.exit_code, done.stdout) == (0, "passed, as recorded: 1 runs recomputed from their logs\n")


def test_a_run_made_better_by_hand_is_not_believed(runs: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(runs["failed"], tmp_path / "copy")
    checks = copy / "checks.json"
    checks.write_bytes(checks.read_bytes().replace(b'"outcome":"failed"', b'"outcome":"passed"'))
    done = check(copy, "--json")
    row = json.loads(done.stdout)
    assert (done.exit_code != 0, row["intact"], row["outcome"] == "passed") == (True, False, False)


def test_a_run_without_its_journal_is_not_passed(runs: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(runs["passed"], tmp_path / "copy")
    (copy / "journal.jsonl").unlink()
    done = check(copy)
    assert done.exit_code in (1, 3)
    assert "NOT as recorded" in done.stdout


def test_it_works_from_the_shell_with_the_whole_command(runs: dict[str, Path]) -> None:
    done: Finished = pulse_sim("check", runs["failed"], "--json")
    assert (done.status, done.err) == (1, "")
    assert done.rows[0]["outcome"] == "failed"
