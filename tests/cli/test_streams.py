"""A command ends with its own status, however much of its output somebody read."""

from pathlib import Path

import pytest

from pulse_sim.cli.exit_status import ExitStatus
from tests.cli.command import TIMEOUT_S, under_way
from tests.run.rehearsal import SMALL

pytestmark = pytest.mark.system

PLAN = """\
version: 1
id: one-gate
title: One gate
packets:
  - id: TRR-04
    title: Failure injection
    objective: The poller recovers.
    evidence: [{id: small, scenario: small.yaml}]
    gates:
      - {id: recovers, title: The poller recovers, priority: P0, evidence: [small]}
"""


def unread_status(*arguments: str | Path) -> int:
    """The status of a command whose readers went before it wrote anything."""
    with under_way(*arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        return process.wait(TIMEOUT_S)


def test_a_verdict_nobody_reads_is_still_go(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    assert unread_status("verdict", tmp_path / "plan.yaml", "--out", tmp_path / "out") == ExitStatus.OK


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
def test_runs_nobody_reads_end_with_the_status_of_their_outcome(form: list[str], tmp_path: Path) -> None:
    small = tmp_path / "small.yaml"
    small.write_text(f"{SMALL}  - {{check: poll_success_rate, connection: nas-1, at_least: 1.0}}\n", "utf-8")
    assert unread_status("run", small, "--out", tmp_path / "out", *form) == ExitStatus.FAILED
    small.write_text(SMALL, "utf-8")
    assert unread_status("run", small, "--out", tmp_path / "out", *form) == ExitStatus.OK


def test_wrong_usage_nobody_reads_of_is_still_wrong_usage() -> None:
    assert unread_status("run", "no-such-file.yaml") == ExitStatus.USAGE
