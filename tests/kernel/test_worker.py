"""Jobs in worker processes: ordered, isolated, and never a hang or a stray process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pulse_sim.kernel.worker import WorkerFailure, run_jobs

JOBS = "tests.kernel.worker_jobs"


def test_results_come_in_the_order_of_the_arguments() -> None:
    assert run_jobs(f"{JOBS}:square", list(range(7)), jobs=3, preload=()) == [0, 1, 4, 9, 16, 25, 36]


def test_no_arguments_need_no_process() -> None:
    assert run_jobs("no.such.module:function", []) == []


def test_every_job_has_a_process_of_its_own() -> None:
    results = run_jobs(f"{JOBS}:identify", [0, 1, 2], jobs=1, preload=(JOBS,))
    assert len({pid for pid, _ in results}) == 3
    assert {calls for _, calls in results} == {1}


def test_every_way_to_fail_is_a_value_in_its_place() -> None:
    ways = ["fine", "raise", "die", "exit", "unpicklable", "hang", "print"]
    results = run_jobs(f"{JOBS}:misbehave", ways, jobs=2, timeout_s=3, preload=())
    assert [result.kind if isinstance(result, WorkerFailure) else result for result in results] == [
        *("fine", "raised", "died", "raised", "raised", "overdue", "print")
    ]
    assert results[1].reason == "ValueError: no good"
    assert "worker_jobs" in results[1].detail


def test_jobs_that_do_not_fit_the_budget_are_killed_or_never_begun_and_told_in_their_places() -> None:
    told: list[int] = []
    results = run_jobs(
        f"{JOBS}:misbehave",
        ["hang", "hang", "print"],
        jobs=2,
        budget_s=2,
        preload=(),
        on_progress=lambda index, _result: told.append(index),
    )
    assert {result.kind for result in results} == {"unfinished"}
    assert results[2].reason == "not begun when the budget ended"
    assert told == [0, 1, 2]


def test_a_budget_that_suffices_changes_nothing() -> None:
    assert run_jobs(f"{JOBS}:square", [2, 3, 4], jobs=2, budget_s=600, preload=()) == [4, 9, 16]


def test_a_function_that_does_not_exist_is_a_failure_of_its_job() -> None:
    (result,) = run_jobs("no.such.module:function", [1], preload=())
    assert isinstance(result, WorkerFailure)
    assert result.reason.startswith("ModuleNotFoundError")


def test_large_arguments_and_results_pass_whole() -> None:
    assert run_jobs(f"{JOBS}:large", [5_000_000], preload=()) == [b"x" * 5_000_000]


def test_progress_is_told_as_each_job_ends() -> None:
    told: list[tuple[int, Any]] = []
    run_jobs(f"{JOBS}:square", [2, 3], on_progress=lambda index, result: told.append((index, result)), preload=())
    assert told == [(0, 4), (1, 9)]


def test_the_environment_of_a_worker_is_pinned() -> None:
    (result,) = run_jobs(f"{JOBS}:environment", [0], preload=())
    assert result == {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}


def test_a_tls_policy_of_the_machine_does_not_reach_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "openssl.cnf"
    policy.write_text(
        "openssl_conf = d\n[d]\nssl_conf = s\n[s]\nsystem_default = x\n[x]\nMaxProtocol = TLSv1.2\n", "utf-8"
    )
    monkeypatch.setenv("OPENSSL_CONF", str(policy))
    program = f"from {JOBS} import newest_tls; print(newest_tls(0))"
    unshielded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert unshielded.stdout.strip() == "TLSv1_2"
    assert run_jobs(f"{JOBS}:newest_tls", [0], preload=()) == ["MAXIMUM_SUPPORTED"]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_parent_leaves_no_process(blow: signal.Signals, tmp_path: Path) -> None:
    program = (
        "from pulse_sim.kernel.worker import run_jobs\n"
        f"run_jobs({JOBS + ':note_and_hang'!r}, [{str(tmp_path)!r}] * 2, jobs=2)\n"
    )
    # A shell that starts the tests in the background has them ignore SIGINT, and whatever they start.
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 30
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < deadline
        assert parent.poll() is None
        os.sched_yield()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    parent.send_signal(blow)
    parent.wait(30)
    while any(map(_alive, workers)):
        assert time.monotonic() < deadline
        os.sched_yield()
