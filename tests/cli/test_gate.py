"""``pulse-sim gate``: what a pipeline hears, sees in its list of tests, and can take away afterwards."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from pulse_sim.cli import gate as command
from pulse_sim.cli.exit_status import ExitStatus
from tests.cli.command import ROOT, Finished, ended, pulse_sim, under_way, wait_until
from tests.run.rehearsal import SMALL, scenario

pytestmark = pytest.mark.system

QUIET = scenario(
    id="quiet", duration="10m", checks=[{"check": "poll_success_rate", "connection": "nas-1", "at_least": 1}]
)
NOTICED = f"{SMALL}  - {{check: poll_errors, connection: nas-1, error_type: auth, at_least: 1, between: [3m, 6m]}}\n"
HARSH = f"{SMALL}  - {{check: poll_success_rate, connection: nas-1, at_least: 1.0}}\n"
BROKEN = "tests.broken:errors_swallowed"


def catalogue(directory: Path, **files: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, "utf-8")
    return directory


def gate(tmp_path: Path, *arguments: str | Path) -> Finished:
    return pulse_sim("gate", *arguments, "--out", tmp_path / "out")


def recorded(done: Finished) -> dict[str, Any]:
    """``gate.json`` of the bundle a ``--json`` answer names."""
    content: dict[str, Any] = json.loads((Path(done.rows[0]["bundle"]) / "gate.json").read_bytes())
    return content


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A catalogue of two scenarios and its gate with two seeds, passed."""
    root = tmp_path_factory.mktemp("passed")
    scenarios = catalogue(root / "scenarios", small=NOTICED, quiet=QUIET)
    files = ("--junit", root / "gate.xml", "--summary", root / "gate.md")
    return root, pulse_sim("gate", scenarios, "--seeds", "1..2", "--json", *files, "--out", root / "out")


def test_a_gate_that_passes_says_so_in_one_object_and_leaves_every_run(passed: tuple[Path, Finished]) -> None:
    _, done = passed
    (row,) = done.rows
    assert (done.status, row["outcome"], row["reasons"], row["not_run"]) == (ExitStatus.OK, "passed", [], []), done.err
    bundle = Path(row["bundle"])
    assert (row["runs"], row["passed"], row["comparison"]) == (4, 4, None)
    assert len(list((bundle / "runs").iterdir())) == 4
    assert not (bundle / "repeats").exists()


def test_runs_come_seed_by_seed_so_that_a_short_budget_leaves_out_seeds_and_no_scenario(
    passed: tuple[Path, Finished],
) -> None:
    order = [(run["scenario"], run["seed"]) for run in recorded(passed[1])["runs"]]
    assert order == [("quiet", 1), ("small", 1), ("quiet", 2), ("small", 2)]


def test_the_list_of_tests_and_the_summary_are_those_of_the_bundle(passed: tuple[Path, Finished]) -> None:
    root, done = passed
    bundle = Path(done.rows[0]["bundle"])
    assert (root / "gate.xml").read_bytes() == (bundle / "junit.xml").read_bytes()
    assert (root / "gate.md").read_bytes() == (bundle / "report.md").read_bytes()
    suites = ET.parse(root / "gate.xml").getroot()  # noqa: S314 - written by the command under test
    assert [suite.get("name") for suite in suites] == [
        "gate",
        *(f"{s} seed {n}" for n in (1, 2) for s in ("quiet", "small")),
    ]
    assert {suite.get("failures") for suite in suites} == {"0"}
    assert (root / "gate.md").read_text("utf-8").startswith("# ✅ gate passed: 4 runs: 4 passed\n")


def test_the_bundle_of_a_gate_is_judged_again_offline(passed: tuple[Path, Finished], tmp_path: Path) -> None:
    bundle = Path(passed[1].rows[0]["bundle"])
    done = pulse_sim("check", bundle, "--json")
    assert (done.status, done.rows[0]["kind"], done.rows[0]["intact"]) == (ExitStatus.OK, "gate", True), done.out
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    (log,) = (copy / "runs").glob("quiet-2-*/observations.jsonl")
    log.write_bytes(log.read_bytes().replace(b'"status":200', b'"status":500', 1))
    done = pulse_sim("check", copy, "--json")
    assert (done.status, done.rows[0]["intact"]) == (ExitStatus.OPEN, False)


def test_beside_its_own_bundle_everything_is_the_same_and_the_gate_is_the_same_again(
    passed: tuple[Path, Finished], tmp_path: Path
) -> None:
    root, before = passed
    done = gate(tmp_path, root / "scenarios", "--seeds", "1..2", "--baseline", before.rows[0]["bundle"], "--json")
    (row,) = done.rows
    counts = row["comparison"]["counts"]
    assert done.status == ExitStatus.OK
    assert {name: count for name, count in counts.items() if count} == {"same": counts["same"]}
    assert Path(row["bundle"]).name == Path(before.rows[0]["bundle"]).name
    assert recorded(done)["runs"] == recorded(before)["runs"]


def test_a_broken_system_is_worse_than_the_baseline_and_fails_and_its_runs_repeat_themselves(
    passed: tuple[Path, Finished], tmp_path: Path
) -> None:
    root, before = passed
    options = ("--seeds", "1..1", "--sut", BROKEN, "--baseline", before.rows[0]["bundle"])
    done = gate(tmp_path, root / "scenarios", *options, "--summary", tmp_path / "gate.md", "--json")
    (row,) = done.rows
    assert (done.status, row["outcome"]) == (ExitStatus.FAILED, "failed")
    assert [run["repeat"]["same"] for run in recorded(done)["runs"] if run["repeat"]] == [True]
    assert not (Path(row["bundle"]) / "repeats").exists()
    worse = {(one["scenario"], one["check"]) for one in row["comparison"]["changes"] if one["change"] == "worse"}
    assert {("small", "poll_errors"), ("small", "the run as a whole")} <= worse
    assert any(reason.startswith("worse than the baseline: small seed 1: poll_errors") for reason in row["reasons"])
    assert f"pulse-sim run scenarios/small.yaml --seed 1 --sut {BROKEN}" in (tmp_path / "gate.md").read_text("utf-8")


def test_what_does_not_fit_the_budget_is_told_and_nothing_is_passed(tmp_path: Path) -> None:
    small = catalogue(tmp_path / "scenarios", small=SMALL)
    done = gate(tmp_path, small, "--seeds", "1..2", "--budget", "1ms", "--json", "--junit", tmp_path / "gate.xml")
    (row,) = done.rows
    assert (done.status, row["outcome"], row["runs"]) == (ExitStatus.OPEN, "inconclusive", 0)
    assert [(one["scenario"], one["seed"]) for one in row["not_run"]] == [("small", 1), ("small", 2)]
    (suite,) = ET.parse(tmp_path / "gate.xml").getroot()  # noqa: S314 - written by the command under test
    assert (suite.get("tests"), suite.get("failures")) == ("3", "3")


def test_a_failed_run_that_does_not_repeat_itself_is_a_failure_of_the_harness(tmp_path: Path) -> None:
    harsh = catalogue(tmp_path / "scenarios", harsh=HARSH)
    done = gate(tmp_path, harsh, "--seeds", "1..1", "--sut", "tests.cli.wavering:never_the_same")
    assert done.status == ExitStatus.BROKEN
    assert f"replay: pulse-sim run {harsh / 'harsh.yaml'} --seed 1 --sut tests.cli.wavering:never_the_same" in done.out
    assert "P0 failure of the harness: small seed 1 ended failed and, repeated with the same seed, failed" in done.out
    (advice,) = [line for line in done.out.splitlines() if line.startswith("what differs: pulse-sim ")]
    shown = pulse_sim(*advice.removeprefix("what differs: pulse-sim ").split(), "--no-rerun")
    assert "first differing checkpoint of run A" in shown.out


def test_a_damaged_baseline_is_said_and_a_foreign_one_too(passed: tuple[Path, Finished], tmp_path: Path) -> None:
    root, before = passed
    copy = tmp_path / "copy"
    shutil.copytree(before.rows[0]["bundle"], copy)
    (copy / "gate.json").write_bytes(b"{}")
    only = root / "scenarios" / "quiet.yaml"
    done = gate(tmp_path, only, "--seeds", "1..1", "--baseline", copy)
    assert (done.status, "the baseline is damaged: gate.json" in done.out) == (ExitStatus.OPEN, True)
    done = gate(tmp_path, only, "--seeds", "1..1", "--baseline", before.rows[0]["bundle"])
    assert (done.status, "of another catalogue: this one lacks small" in done.out) == (ExitStatus.OPEN, True)


def test_an_interrupted_gate_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    soak = ROOT / "scenarios" / "soak" / "phase1-48h.yaml"
    with under_way("gate", soak, "--seeds", "1..4", "--out", out) as process:
        wait_until(lambda: any(out.glob(".partial-*/runs/.partial-*")), "a run under way")
        process.send_signal(signal.SIGTERM)
        done = ended(process)
    assert (done.status, done.out) == (128 + signal.SIGTERM, "")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--budget", "0s"), "a budget is more than nothing"),
        (("--budget", "soon"), "is not a duration"),
        (("--baseline", "no-such-place"), "is not a directory"),
        (("--baseline", "tests/cli"), "is no bundle and has none directly in it"),
        (("--junit", "no-such-place/x.xml"), "no-such-place/x.xml cannot be written"),
        (("no-such-scenario.yaml",), "no-such-scenario.yaml"),
        (("tests/cli",), "tests/cli has no scenario file in it"),
        (("--sut", "tests.broken:none"), "tests.broken"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(command.gate, [*arguments, "--out", str(tmp_path / "out")])
    assert (done.exit_code, told in done.stderr, done.stdout) == (ExitStatus.USAGE, True, ""), done.stderr
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_without_a_scenario_the_catalogue_is_the_resilience_scenarios() -> None:
    resilience = sorted((ROOT / "scenarios" / "resilience").glob("*.yaml"))
    assert [file.resolve() for file in command._files(())] == resilience
