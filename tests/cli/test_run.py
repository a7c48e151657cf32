"""``pulse-sim run`` as its users meet it: rows, exit statuses, and one clear line for every mistake."""

from pathlib import Path

import pytest

from pulse_sim.cli.exit_status import ExitStatus, combined
from tests.cli.command import RESILIENCE, pulse_sim

pytestmark = pytest.mark.system

QUIET = """\
version: 1
id: {id}
title: Nothing much
hypothesis: Nothing goes wrong.
start: 2026-02-09T00:00:00Z
duration: {duration}
appliances:
  nas-1: {{release: "24.10", fixture: small-office}}
connections:
  nas-1: {{appliance: nas-1, poll_interval: 60s}}
timeline: {timeline}
abort: safety
checks:
  - {{check: poll_success_rate, connection: nas-1, at_least: 0.1}}
"""


def write(directory: Path, name: str, timeline: str = "[]", duration: str = "20m") -> Path:
    file = directory / f"{name}.yaml"
    file.write_text(QUIET.format(id=name, timeline=timeline, duration=duration), "utf-8")
    return file


def test_json_prints_one_row_a_run_in_the_order_of_files_then_matrix_then_seeds(tmp_path: Path) -> None:
    done = pulse_sim(
        "run",
        write(tmp_path, "second", duration="2m"),
        RESILIENCE / "auth-revoked-mid-session.yaml",
        "--seeds",
        "3..4",
        "--json",
        "--out",
        tmp_path,
    )
    assert (done.status, done.err) == (0, "")
    assert [(row["scenario"], row["seed"]) for row in done.rows] == [
        ("second", 3),
        ("second", 4),
        ("auth-revoked-mid-session[tls=false]", 3),
        ("auth-revoked-mid-session[tls=false]", 4),
        ("auth-revoked-mid-session[tls=true]", 3),
        ("auth-revoked-mid-session[tls=true]", 4),
    ]
    first = done.rows[0]
    assert list(first) == [
        "scenario",
        "seed",
        "world",
        "sut",
        "outcome",
        "checks",
        "trace_digest",
        "outcome_digest",
        "virtual_seconds",
        "wall_seconds",
        "bundle",
    ]
    assert (first["world"], first["sut"], first["outcome"], first["virtual_seconds"]) == (
        "simulated",
        "reference",
        "passed",
        120,
    )
    bundle = Path(first["bundle"])
    assert bundle.name == f"second-3-{first['trace_digest'][:8]}"
    assert {file.name for file in bundle.iterdir()} == {
        "manifest.json",
        "attestation.json",
        "environment.json",
        "scenario.yaml",
        "observations.jsonl",
        "metrics.om",
        "journal.jsonl",
        "checkpoints.jsonl",
        "resources.jsonl",
        "checks.json",
        "report.md",
        "report.html",
        "timeline.json",
        "timeline.svg",
        "junit.xml",
    }


def test_a_failed_run_prints_the_line_that_replays_it(tmp_path: Path) -> None:
    file = RESILIENCE / "api-timeout.yaml"
    done = pulse_sim("run", file, "--sut", "tests.broken:no_deadlines", "--seed", "5", "--out", tmp_path)
    assert done.status == ExitStatus.FAILED
    assert f"replay: pulse-sim run {file} --seed 5 --sut tests.broken:no_deadlines" in done.out


@pytest.mark.parametrize(
    "timeline",
    [
        "[{at: 2m10s, for: 5s, fault: http.status, on: nas-1, with: {status: 502}}]",
        "[{at: 2m, for: 5m, fault: http.status, on: nas-1, with: {status: 502, path: /nobody/calls/this}}]",
    ],
    ids=["between two polls", "a path nobody calls"],
)
def test_a_fault_that_never_takes_effect_leaves_the_run_inconclusive(tmp_path: Path, timeline: str) -> None:
    done = pulse_sim("run", write(tmp_path, "in-vain", timeline), "--json", "--out", tmp_path)
    assert done.status == ExitStatus.OPEN
    (row,) = done.rows
    assert row["outcome"] == "inconclusive"
    assert [check["check"] for check in row["checks"] if check["outcome"] != "passed"] == ["faults_took_effect"]


def test_every_mistake_of_a_file_is_told_at_once_with_its_place_and_the_nearest_spelling(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "version: 1\n"
        "id: wrong\n"
        "title: Everything at once\n"
        "hypotesis: The loader tells all of it.\n"
        "start: 2026-02-09T00:00:00Z\n"
        "duration: 25 minutes\n"
        "appliances:\n"
        "  nas-1: {release: 24.10, fixture: small-offise}\n"
        "  nas-1: {release: '24.10', fixture: baseline}\n"
        "connections:\n"
        "  nas-1: {appliance: nas-1, poll_interval: 60}\n"
        "timeline:\n"
        "  - {at: 5m, for: 5m, fault: auth.revoke_keys, on: nas-1}\n"
        "abort: safety\n"
        "checks:\n"
        "  - {check: never_crashs}\n",
        "utf-8",
    )
    done = pulse_sim("run", file, "--out", tmp_path / "out")
    assert done.status == ExitStatus.USAGE
    assert done.out == ""
    assert "Traceback" not in done.err
    places = [line.removeprefix(f"{file}:").split(": ")[0] for line in done.err.splitlines()]
    assert places == sorted(places, key=lambda place: [int(number) for number in place.split(":")])
    for place, hint in [
        ("4:1", "hypothesis"),
        ("6:11", "25m"),
        ("8:20", '"24.10"'),
        ("8:36", "small-office"),
        ("9:3", "nas-1"),
        ("11:44", "60s"),
        ("13:30", "auth.revoke_key"),
        ("16:13", "never_crashes"),
    ]:
        assert any(f"{file}:{place}: " in line and hint in line for line in done.err.splitlines()), (place, done.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sut", "nowhere"], "neither 'reference' nor 'package.module:factory'"),
        (["--sut", "no.such.module:thing"], "cannot be imported"),
        (["--sut", "tests.broken:nothing"], "no_deadlines"),
        (["--seeds", "9..1"], "empty"),
        (["--seeds", "x"], "1..20"),
        (["--seed", "1", "--seeds", "1..2"], "exclude each other"),
        (["--out", "/proc/nowhere"], "name a directory"),
        (["--set", "nothing=1"], "nothing"),
        (["--world", "live"], "only the simulated world is built yet"),
        (["--schedule", "lifo"], "'fifo', 'random'"),
    ],
)
def test_wrong_usage_ends_with_status_2_and_one_clear_message(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = pulse_sim("run", write(tmp_path, "quiet"), "--out", tmp_path / "out", *arguments)
    assert done.status == ExitStatus.USAGE
    assert told in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("out/*"))


def test_two_scenarios_of_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = write(tmp_path, "twin"), write(tmp_path / "other", "twin")
    done = pulse_sim("run", first, second, "--out", tmp_path / "out")
    assert done.status == ExitStatus.USAGE
    assert f"{second}:2:" in done.err


def test_development_mode_is_refused(tmp_path: Path) -> None:
    done = pulse_sim("run", write(tmp_path, "quiet"), environment={"PYTHONDEVMODE": "1"})
    assert done.status == ExitStatus.USAGE
    assert "development mode" in done.err


def test_a_field_can_be_set_from_the_command_line(tmp_path: Path) -> None:
    file = write(tmp_path, "quiet")
    done = pulse_sim("run", file, "--set", "duration=3m", "--json", "--out", tmp_path)
    assert [row["virtual_seconds"] for row in done.rows] == [180]


def test_the_worst_status_wins_in_the_fixed_order() -> None:
    order = [ExitStatus.USAGE, ExitStatus.BROKEN, ExitStatus.FAILED, ExitStatus.OPEN, ExitStatus.OK]
    for rank, better in enumerate(order):
        assert all(combined([worse, better]) is worse for worse in order[:rank])
    assert combined([]) is ExitStatus.OPEN


def test_a_bundle_is_whole_or_not_there(tmp_path: Path) -> None:
    pulse_sim("run", write(tmp_path, "quiet", duration="2m"), "--out", tmp_path / "out")
    assert not list((tmp_path / "out").glob(".partial-*"))
