"""A run whose worker fails is an errored row; it takes no other run with it and leaves nothing behind."""

import os
import signal
from pathlib import Path

import pytest

from pulse_sim.cli.exit_status import ExitStatus
from tests.cli.command import SOAK, ended, pulse_sim, under_way, wait_until
from tests.run.rehearsal import scenario

pytestmark = pytest.mark.system

PLUGINS = "tests.sut.plugins"
MARK = "PULSE_SIM_TEST_MARK"


def write(directory: Path, name: str, system: str = "pulse") -> Path:
    file = directory / f"{name}.yaml"
    file.write_text(scenario(id=name, duration="2m", systems={system: {}}, connections={}), "utf-8")
    return file


def hidden(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.startswith(".")]


def test_a_worker_that_dies_is_an_errored_row_and_the_others_pass(tmp_path: Path) -> None:
    files = [write(tmp_path, "first"), write(tmp_path, "second", "bad"), write(tmp_path, "third")]
    out = tmp_path / "out"
    sut = f"{PLUGINS}:dies_if_it_is_called_bad"
    done = pulse_sim("run", *files, "--sut", sut, "--jobs", "2", "--json", "--out", out)
    assert done.status == ExitStatus.BROKEN
    assert [(row["scenario"], row["outcome"]) for row in done.rows] == [
        ("first", "passed"),
        ("second", "errored"),
        ("third", "passed"),
    ]
    dead = done.rows[1]
    assert {name: dead[name] for name in ("seed", "sut", "checks", "bundle", "trace_digest", "outcome_digest")} == {
        "seed": 1,
        "sut": sut,
        "checks": [],
        "bundle": None,
        "trace_digest": None,
        "outcome_digest": None,
    }
    assert list(dead) == list(done.rows[0])
    assert len(list(out.iterdir())) == 2
    assert hidden(out) == []


@pytest.mark.parametrize(
    ("sut", "told"),
    [
        ("dies_if_it_is_called_bad", "the worker died: the worker ended without a result"),
        ("cannot_be_made", "the worker raised: LookupError: this system cannot be made"),
        ("starts_a_thread", "threading.Thread.start left the simulation"),
        ("swallows_its_escape", "socket.getaddrinfo left the simulation"),
    ],
)
def test_what_happened_to_a_worker_is_told_and_how_to_repeat_it(tmp_path: Path, sut: str, told: str) -> None:
    file = write(tmp_path, "one", "bad")
    done = pulse_sim("run", file, "--sut", f"{PLUGINS}:{sut}", "--out", tmp_path / "out")
    assert done.status == ExitStatus.BROKEN
    assert told in done.out
    assert f"replay: pulse-sim run {file} --seed 1 --sut {PLUGINS}:{sut}" in done.out
    assert "1 runs: 1 errored" in done.out
    assert list((tmp_path / "out").iterdir()) == []


def test_what_died_in_the_harness_during_a_run_is_told(tmp_path: Path) -> None:
    done = pulse_sim("run", write(tmp_path, "one"), "--sut", f"{PLUGINS}:BreaksOnce", "--out", tmp_path / "out")
    assert done.status == ExitStatus.BROKEN
    assert "the harness crashed during the run: task on host operator: ArithmeticError: " in done.out
    (bundle,) = (tmp_path / "out").iterdir()
    assert b'"broken":["task on host operator: ArithmeticError: ' in (bundle / "observations.jsonl").read_bytes()


def processes_with(mark: str) -> list[int]:
    """Processes started by the marked command or by anything it started."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            try:
                environment = (place / "environ").read_bytes()
            except OSError:
                continue
            if f"{MARK}={mark}".encode() in environment:
                found.append(int(place.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_neither_half_a_bundle_nor_a_process(tmp_path: Path, number: signal.Signals) -> None:
    mark, out = str(tmp_path), tmp_path / "out"
    soak = SOAK / "phase1-48h.yaml"
    with under_way("run", soak, "--seeds", "1..40", "--jobs", "2", "--out", out, environment={MARK: mark}) as process:
        wait_until(lambda: out.is_dir() and len(hidden(out)) == 2, "two runs under way")
        assert len(processes_with(mark)) >= 3
        process.send_signal(number)
        done = ended(process)
    assert done.status == 128 + number
    assert done.err == f"{number.name}: stopped\n"
    assert hidden(out) == []
    wait_until(lambda: processes_with(mark) == [], "the end of every process")


def test_an_interrupted_verdict_leaves_no_bundle_and_no_latest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with under_way("verdict", "--out", out, environment={MARK: str(tmp_path)}) as process:
        wait_until(lambda: any(out.glob(".resume-*/runs/.partial-*")), "a run under way")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.status == 128 + signal.SIGINT
    assert [path.name[:8] for path in out.iterdir()] == [".resume-"]  # whole runs wait there for the next verdict
    assert list(out.rglob(".partial-*")) == []
    wait_until(lambda: processes_with(str(tmp_path)) == [], "the end of every process")
