"""``pulse-sim explain``: offline, from the bundle alone, and honest about damage."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulse_sim.cli.exit_status import ExitStatus
from pulse_sim.cli.explain import explain
from tests.cli.command import pulse_sim
from tests.evidence.recording import sealed_run
from tests.evidence.rollout import sealed_verdict
from tests.report.hostile import HOSTILE_POOL

LATER: dict[str, Any] = {"fails": (12, 14)}
"""A story in which the key is not refused while it is revoked: the errors come when nobody expects them."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_run(tmp_path_factory.mktemp("run"), **LATER).path


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed_verdict(tmp_path_factory.mktemp("verdict"), second=LATER).path


def asked(*arguments: str | Path) -> Result:
    return CliRunner().invoke(explain, [str(one) for one in arguments])


def row(*arguments: str | Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(asked(*arguments, "--json").stdout)
    return told


def test_a_failed_run_is_explained_down_to_its_records(run: Path) -> None:
    done = asked(run)
    assert done.exit_code == ExitStatus.FAILED
    lines = done.stdout.splitlines()
    assert lines[0] == f"run {run.name} is failed: 1 of 2 checks passed"
    assert lines[1].startswith("because check poll_errors failed: expected at least 1 auth error of nas-1")
    assert lines[3].startswith("first evidence at ")
    assert any(line.startswith("> ") for line in lines)


def test_a_verdict_is_explained_from_the_packet_to_the_record(verdict: Path) -> None:
    told = row(verdict)
    assert [step["kind"] for step in told["chain"]] == ["verdict", "packet", "gate", "evidence", "run", "check"]
    assert told["chain"][4]["id"].startswith("auth-revoked-tls=true-7-")
    assert (told["recorded"], told["intact"], told["check"]["check"]) == ("NO_GO", True, "poll_errors")
    assert next(one["seq"] for one in told["scene"]["records"] if one["evidence"]) == told["check"]["evidence"][0]
    assert asked(verdict).exit_code == ExitStatus.FAILED


def test_what_passed_is_explained_too(tmp_path: Path) -> None:
    whole = sealed_verdict(tmp_path).path
    done = asked(whole)
    assert done.exit_code == ExitStatus.OK
    assert "packet TRR-04 DONE: Failure injection: 2 of 2 gates passed" in done.stdout
    assert row(whole, "never_crashes")["check"]["outcome"] == "passed"


def test_an_unknown_check_names_the_nearest_and_those_there_are(run: Path, verdict: Path) -> None:
    for bundle in (run, verdict):
        done = asked(bundle, "pol_error")
        assert (done.exit_code, done.stdout) == (ExitStatus.USAGE, "")
        assert "nearest: poll_errors; there are" in done.stderr


def test_a_directory_that_is_no_bundle_is_wrong_usage(tmp_path: Path) -> None:
    done = asked(tmp_path)
    assert (done.exit_code, "has no manifest.json" in done.stderr) == (ExitStatus.USAGE, True)


@pytest.mark.parametrize("name", ["checks.json", "observations.jsonl", "manifest.json", "report.md"])
@pytest.mark.parametrize("kind", ["run", "verdict"])
def test_damage_is_said_first_and_nothing_damaged_ends_as_passed(kind: str, name: str, tmp_path: Path) -> None:
    whole = sealed_run(tmp_path).path if kind == "run" else sealed_verdict(tmp_path).path
    place = next(path for path in sorted(whole.rglob(name)))
    place.write_bytes(place.read_bytes()[:-2])
    done = asked(whole)
    assert done.exit_code in ((ExitStatus.OPEN,) if kind == "run" else (ExitStatus.FAILED, ExitStatus.OPEN))
    assert done.stdout.startswith("the bundle is damaged, nothing below is sure: ")
    assert name in done.stdout.splitlines()[0]
    assert row(whole)["intact"] is False


def test_a_missing_run_of_a_verdict_is_damage(verdict: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(verdict, copy)
    shutil.rmtree(next(path for path in (copy / "runs").iterdir() if "true" in path.name))
    done = asked(copy)
    assert done.exit_code == ExitStatus.FAILED
    assert "is missing" in done.stdout.splitlines()[0]


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    done = asked(sealed_run(tmp_path, connection=HOSTILE_POOL, **LATER).path)
    assert [line for line in done.stdout.splitlines() if not line.isprintable()] == []


@pytest.mark.system
def test_it_needs_neither_mock_nor_stack_nor_world(run: Path) -> None:
    gone = ("mock_truenas", *(f"pulse_sim.{room}" for room in ("stack", "world", "run", "kernel", "sut")))
    before = f"import sys\nsys.modules.update(dict.fromkeys({gone!r}))"
    done = pulse_sim("explain", run, "--json", before=before)
    assert (done.status, done.rows[0]["recorded"]) == (ExitStatus.FAILED, "failed"), done.err
