"""Many runs of one command are rehearsed before the workers are forked; nothing of it shows."""

from pathlib import Path

import pytest

from pulse_sim.cli.rehearsal import rehearse
from pulse_sim.cli.workers import REHEARSED_FROM
from tests.cli.command import pulse_sim
from tests.cli.test_run import write

pytestmark = pytest.mark.system


def test_a_rehearsed_worker_leaves_the_evidence_of_one_that_was_not(tmp_path: Path) -> None:
    scenario = write(tmp_path, "quiet", duration="2m")
    many = pulse_sim("run", scenario, "--seeds", f"1..{REHEARSED_FROM}", "--json", "--out", tmp_path / "many")
    one = pulse_sim("run", scenario, "--seed", "2", "--json", "--out", tmp_path / "one")

    digests = [(row["trace_digest"], row["outcome_digest"]) for row in many.rows]
    assert digests[1] == (one.rows[0]["trace_digest"], one.rows[0]["outcome_digest"])
    assert len(set(digests)) == REHEARSED_FROM
    assert (many.err, one.err) == ("", "")
    assert len([*(tmp_path / "many").iterdir()]) == REHEARSED_FROM


def test_the_rehearsal_itself_passes_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert rehearse() == "passed"
    assert not [*tmp_path.iterdir()]
