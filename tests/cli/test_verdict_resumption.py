"""A verdict that was interrupted is resumed: nothing finished is made again, nothing changed is taken over, and it ends
as one that nobody disturbed.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pulse_sim.cli.abandoned import begun, sweep_dead, unswept
from pulse_sim.cli.resumption import Kept, kept_runs
from pulse_sim.evidence.names import PARTIAL
from pulse_sim.evidence.partial import PartialBundle
from tests.cli.command import under_way, wait_until
from tests.cli.killing import (
    SCENARIOS,
    Undisturbed,
    decided,
    documents,
    faults_of,
    sweep_kills,
    tiny_plan,
    undisturbed,
)

pytestmark = pytest.mark.system

KEY = {"plan": "a", "sut": "reference", "code": "c"}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def expected(plan: Path) -> Undisturbed:
    """The verdict nobody disturbed."""
    found = undisturbed(plan, plan.parent / "undisturbed")
    assert found.row["verdict"] == "GO"
    return found


def rows_of(out: Path) -> list[Path]:
    return sorted(out.glob(".resume-*/rows/*.json"))


@pytest.fixture
def interrupted(plan: Path, tmp_path: Path) -> Path:
    """Where a verdict was killed after its first run was sealed."""
    out = tmp_path / "out"
    with under_way("verdict", plan, "--json", "--jobs", "1", "--out", out) as process:
        wait_until(lambda: bool(rows_of(out)), "the first run to be kept")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 0 < len(rows_of(out)) < len(SCENARIOS)
    return out


def test_what_was_finished_is_taken_over_told_and_ends_with_the_same_documents(
    plan: Path, interrupted: Path, expected: Undisturbed
) -> None:
    kept = len(rows_of(interrupted))
    done = decided(plan, interrupted)
    (row,) = done.rows
    assert f"{kept} of 4 runs are taken over from a verdict that was interrupted" in done.err
    bundle = Path(row["bundle"])
    assert (row["verdict"], row["outcome_digest"]) == ("GO", expected.row["outcome_digest"])
    assert documents(bundle) == expected.documents
    environment = json.loads((bundle / "environment.json").read_bytes())
    assert len(environment["taken_over"]) == kept
    page = (bundle / "report.html").read_text("utf-8")
    assert f"interrupted, as they were sealed then: {', '.join(environment['taken_over'])}." in page
    assert [path.name for path in interrupted.iterdir() if path.name.startswith(".")] == []


def test_a_run_that_was_changed_since_is_made_again(plan: Path, interrupted: Path, expected: Undisturbed) -> None:
    for log in interrupted.glob(".resume-*/runs/*/journal.jsonl"):
        log.write_bytes(log.read_bytes().replace(b'"status":200', b'"status":201', 1))
    done = decided(plan, interrupted)
    assert "taken over" not in done.err
    (row,) = done.rows
    assert documents(Path(row["bundle"])) == expected.documents


def test_another_plan_takes_nothing_over_and_what_was_kept_for_the_old_one_goes(interrupted: Path, plan: Path) -> None:
    changed = plan.parent / "changed.yaml"
    changed.write_text(plan.read_text("utf-8").replace("It runs", "It still runs"), "utf-8")
    done = decided(changed, interrupted)
    assert "taken over" not in done.err
    assert [path.name for path in interrupted.iterdir() if path.name.startswith(".")] == []


def test_killed_at_random_points_it_leaves_whole_bundles_or_none_and_ends_the_same() -> None:
    assert sweep_kills(1) == []


def test_the_sweep_finds_half_a_bundle_and_what_is_left_behind(
    plan: Path, expected: Undisturbed, tmp_path: Path
) -> None:
    (tmp_path / "tiny-1-00000000").mkdir()
    (tmp_path / "tiny-1-00000000" / "manifest.json").write_bytes(b"{}")
    (tmp_path / ".something").mkdir()
    assert faults_of(plan, tmp_path, expected) == ["half a bundle: tiny-1-00000000", "left behind: .something"]


def test_a_dead_ones_half_bundle_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead = PartialBundle(tmp_path, "plan-1").path
    latest = tmp_path / f"{PARTIAL}latest-abc"
    latest.mkdir()
    with begun(tmp_path, lambda: PartialBundle(tmp_path, "plan-1")) as alive:
        sweep_dead(tmp_path)
        assert alive.path.exists()
    assert not dead.exists()
    assert not latest.exists()
    sweep_dead(tmp_path / "nowhere")


def test_nothing_is_swept_while_a_bundle_is_being_begun(tmp_path: Path) -> None:
    import fcntl

    with unswept(tmp_path), unswept(tmp_path):
        descriptor = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


@contextmanager
def kept(out: Path, **change: str) -> Iterator[Kept]:
    with kept_runs(out, "plan", 1, {**KEY, **change}) as found:
        yield found


def test_two_verdicts_at_once_do_not_share_their_runs(tmp_path: Path) -> None:
    with kept(tmp_path) as one:
        with kept(tmp_path) as other:
            assert one.runs_path != other.runs_path
            assert other.runs_path.parent.name.startswith(PARTIAL)
        assert not other.runs_path.exists()
        assert one.runs_path.exists()


def test_runs_are_found_again_only_for_the_same_plan_system_and_code(tmp_path: Path) -> None:
    with kept(tmp_path) as one:
        first = one.runs_path
    with kept(tmp_path) as again:
        assert again.runs_path == first
    for change in ({"plan": "b"}, {"sut": "other:stack"}, {"code": "d"}):
        with kept(tmp_path, **change) as other:
            assert other.runs_path != first
    assert not first.exists()


def test_what_another_process_still_uses_is_not_taken_away(tmp_path: Path) -> None:
    with kept(tmp_path) as one, kept(tmp_path, code="d"):
        assert one.runs_path.exists()


def test_a_sealed_verdict_leaves_nothing_to_resume(tmp_path: Path) -> None:
    with kept(tmp_path) as one:
        one.discard()
    assert list(tmp_path.iterdir()) == []
