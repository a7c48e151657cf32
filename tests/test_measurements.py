"""The committed nightly measurements are there and say what is claimed; a sample of them is run again.

A small sample of issue 3's sweep is in ``tests/determinism/test_sweep.py``.
"""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.broken.expectations import EXPECTED
from tests.clients.cells import CLIENTS, TABLE
from tests.contract.shape import REST
from tests.determinism.environments import COMBINATIONS, DIMENSIONS
from tests.determinism.sweep import SCENARIOS, Sitting, hold
from tests.nightly import issue_2, issue_3, issue_4, issue_5, runs
from tests.nightly.measurement import ROOT, Measurement, git
from tests.nightly.table import MEASUREMENTS
from tests.stack.store_sweep import CRASHES, MUTATIONS

RUNS_SWEPT = 1_000
SCHEDULES = DIMENSIONS["schedule"]


def committed(measurement: Measurement) -> dict[str, Any]:
    """What was measured; fails when nobody has committed it."""
    assert measurement.file.is_file(), (
        f"run `make nightly ISSUE={measurement.issue}` and commit {measurement.file.name}"
    )
    measured: dict[str, Any] = measurement.committed()["measured"]
    return measured


def test_there_is_a_measurement_for_every_committed_file_and_a_file_for_every_measurement() -> None:
    files = {path.name for path in (ROOT / "docs" / "measurements").glob("*.json")}
    assert files == {measurement.file.name for measurement in MEASUREMENTS}


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda measurement: f"issue-{measurement.issue}")
def test_a_measurement_says_how_where_when_and_of_what_it_was_made(measurement: Measurement) -> None:
    told = measurement.committed()
    assert re.fullmatch(rf"make nightly( ISSUE={measurement.issue})?( ARGS='--seeds \d+')?", told["command"])
    assert re.fullmatch("[0-9a-f]{40}", told["commit"])
    if git("rev-parse", "--is-shallow-repository") == "false":  # elsewhere history is cut off before it
        assert git("cat-file", "-t", told["commit"]) == "commit"
    assert told.get("uncommitted_files", 0) == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["date"])
    assert told["machine"].keys() == {"cores", "machine", "python"}


@pytest.mark.parametrize("content", ["{", "[]", '{"command": "make nightly", "measured": {}}'])
def test_a_malformed_measurement_is_refused(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.nightly.measurement.ROOT", tmp_path)
    measurement = replace(issue_3.MEASUREMENT)
    measurement.file.parent.mkdir(parents=True)
    measurement.file.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"issue-3\.json|Expecting"):
        measurement.committed()


def test_a_measurement_of_a_tree_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    states = iter(["before", "after"])

    class Edited(Measurement):
        def state(self) -> str:
            return next(states)

    with pytest.raises(RuntimeError, match="changed while they were measured"):
        Edited(3, ("pulse_sim",), lambda seeds: {}).taken("make nightly")


def test_a_measurement_is_told_to_be_older_than_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.nightly.measurement.ROOT", tmp_path)
    file, other = tmp_path / "measured.py", tmp_path / "other.py"
    file.write_text("1\n")
    other.write_text("1\n")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "First")):
        git(*command)
    first = git("rev-parse", "HEAD")
    measurement = replace(issue_3.MEASUREMENT, paths=("measured.py", "more"))
    other.write_text("2\n")
    assert measurement.changed_since(first) == []
    file.write_text("2\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "new.py").write_text("1\n")
    assert measurement.changed_since(first) == ["measured.py", "more/new.py"]


# ---- issue 2


def test_the_good_stack_never_failed_and_each_broken_one_was_caught_for_every_seed() -> None:
    measured = committed(issue_2.MEASUREMENT)
    assert measured["good_stack"]["outcomes"] == {"passed": measured["good_stack"]["runs"]}
    assert measured["good_stack"]["seeds"] >= 40
    assert measured["broken_stacks"].keys() == set(issue_2.BROKEN)
    for name, swept in measured["broken_stacks"].items():
        assert swept["seeds_not_passed"] == swept["seeds"] >= 10, name


def test_both_soaks_passed() -> None:
    soaks = committed(issue_2.MEASUREMENT)["soaks_on_one_core"]
    assert {name: soak["outcome"] for name, soak in soaks.items()} == {
        "phase1-48h": "passed",
        "endurance-48h": "passed",
    }


@pytest.mark.system
def test_a_sample_of_the_sweep_comes_out_the_same_today() -> None:
    good = runs.sweep("101..101")
    assert good["outcomes"] == {"passed": good["runs"]}


# ---- issue 3


def test_every_run_in_all_surroundings_had_one_digest_for_each_scenario_and_seed() -> None:
    measured = committed(issue_3.MEASUREMENT)
    assert measured["faults"] == []
    assert measured["scenarios"] == SCENARIOS
    assert len(measured["combinations"]) == len(COMBINATIONS)
    swept = measured["sweep"]
    assert swept["passed"] == swept["runs"] >= RUNS_SWEPT
    assert 0 < swept["cold_runs"] < swept["runs"]
    assert swept["digests"].keys() == SCENARIOS.keys()
    seeds = {tuple(found) for found in swept["digests"].values()}
    assert len(seeds) == 1
    faces = [face for found in swept["digests"].values() for faces in found.values() for face in faces]
    assert len({face["trace"] for face in faces}) == len(faces) == len(SCENARIOS) * len(*seeds) * len(SCHEDULES)


def test_the_good_stack_passes_under_the_random_schedule_too() -> None:
    swept = committed(issue_3.MEASUREMENT)["random_schedule"]
    assert swept["outcomes"] == {"passed": swept["runs"]}
    assert swept["runs"] > 0


def test_other_minor_versions_agree_on_every_outcome_or_it_is_said_why_nobody_knows() -> None:
    minors = committed(issue_3.MEASUREMENT)["other_minors"]
    assert minors
    for told in minors.values():
        if isinstance(told, str):
            assert told.startswith("not measured: ")
        else:
            assert told["outcome_digests_equal"] == told["runs"] > 0
            assert told["own_sweep"]["runs"] > 0 == len(told["own_sweep"]["faults"])


@pytest.mark.system
def test_a_digest_of_the_sweep_is_the_committed_one_while_nothing_it_measured_has_changed(tmp_path: Path) -> None:
    told = issue_3.MEASUREMENT.committed()
    same_minor = told["machine"]["python"].rpartition(".")[0] == "{}.{}".format(*sys.version_info)
    scenario = next(iter(SCENARIOS))
    seed, (face, *_) = next(iter(told["measured"]["sweep"]["digests"][scenario].items()))
    _, (ran,) = hold(Sitting(COMBINATIONS[0], int(seed), (scenario,)), tmp_path)
    stale = issue_3.MEASUREMENT.changed_since(told["commit"])
    assert stale or not same_minor or ran.row["trace_digest"] == face["trace"]


# ---- issue 4: a sample is in ``tests/fuzz`` and ``tests/clients``


def test_nothing_generated_broke_the_mock_and_every_client_got_what_it_is_for() -> None:
    measured = committed(issue_4.MEASUREMENT)
    assert measured["faults"] == []
    assert measured["rest"].keys() == set(REST)
    assert all(told["requests"] >= 1_000 and "500" not in told["statuses"] for told in measured["rest"].values())
    assert measured["control"]["requests"] > 0
    assert sum(told["messages"] for told in measured["messages"].values()) >= issue_4.MESSAGES
    for client in CLIENTS:
        assert list(measured["clients"][client]) == TABLE[client]["releases"]
        assert all(told["calls"] > 30 for told in measured["clients"][client].values())


def test_what_it_costs_to_ask_the_mock_was_measured_or_it_is_said_why_not() -> None:
    figures = committed(issue_4.MEASUREMENT)["figures"]
    assert figures.keys() == set(issue_4.BENCHMARKS)
    for told in figures.values():
        assert (
            told.startswith("not measured: ") if isinstance(told, str) else all("title" in row for row in told.values())
        )


# ---- issue 5: samples are in ``tests/stack`` and ``tests/broken``


def test_the_subsystem_was_swept_whole_and_nothing_was_not_as_it_must_be() -> None:
    measured = committed(issue_5.MEASUREMENT)
    assert measured["faults"] == []
    assert measured["store"]["crashes"]["tried"] >= CRASHES
    assert measured["store"]["mutations"]["tried"] >= MUTATIONS
    assert measured["broken_stacks"].keys() == EXPECTED.keys()
    assert all(told["failed_exactly_as_named"] == told["seeds"] > 0 for told in measured["broken_stacks"].values())
    assert {told["verdict"] for told in measured["verdicts"].values()} == {"NO_GO"}
    assert all(told["outcomes"] == {"passed": told["runs"]} for told in measured["catalogue"].values())


@pytest.mark.system
def test_the_nightly_command_knows_its_issues() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.nightly", "99"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no measurement for issue 99" in done.stderr
