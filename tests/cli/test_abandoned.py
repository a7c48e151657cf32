"""Half a bundle of a worker that died is swept away; one that somebody is still writing is not."""

from pathlib import Path

from pulse_sim.cli.abandoned import held, sweep
from pulse_sim.evidence.partial import PartialBundle
from pulse_sim.evidence.run_bundle import RunBundle
from pulse_sim.observation import Header


def partial(directory: Path, label: str) -> Path:
    path = PartialBundle(directory, label).path
    (path / "observations.jsonl").write_bytes(b"half a li")
    return path


def test_what_nobody_holds_is_removed_with_its_content(tmp_path: Path) -> None:
    path = partial(tmp_path, "soak[tls=true]-7")
    sweep(tmp_path, [("soak[tls=true]", 7)])
    assert not path.exists()


def test_the_name_is_the_one_a_run_bundle_has(tmp_path: Path) -> None:
    path = RunBundle(tmp_path, Header("soak[tls=true]", 7, "2026-02-09T00:00:00Z", "simulated", "x", "fifo")).path
    sweep(tmp_path, [("soak[tls=true]", 7)])
    assert not path.exists()


def test_what_somebody_holds_stays_until_it_is_let_go(tmp_path: Path) -> None:
    path = partial(tmp_path, "soak-7")
    with held(path):
        sweep(tmp_path, [("soak", 7)])
        assert path.exists()
    sweep(tmp_path, [("soak", 7)])
    assert not path.exists()


def test_other_runs_and_finished_bundles_stay(tmp_path: Path) -> None:
    kept = [partial(tmp_path, label) for label in ("soak-8", "soak-77", "soaker-7", "trr-04-7")]
    finished = tmp_path / "soak-7-0123abcd"
    finished.mkdir()
    elsewhere = partial(tmp_path / "elsewhere", "soak-7")
    (tmp_path / ".partial-soak-7-link").symlink_to(elsewhere)
    sweep(tmp_path, [("soak", 7)])
    assert all(path.exists() for path in (*kept, finished, elsewhere))


def test_where_there_is_no_directory_there_is_nothing_to_sweep(tmp_path: Path) -> None:
    sweep(tmp_path / "nowhere", [("soak", 7)])
    assert not (tmp_path / "nowhere").exists()
