"""Commands as evidence: no shell, no time beyond the limit, no process left behind, no secret kept, no path told."""

import sys
import time
from pathlib import Path

import pytest

from pulse_sim.canonical import sha256_hex
from pulse_sim.cli import commands
from pulse_sim.cli.commands import Executed, execute
from pulse_sim.outcome import Outcome
from pulse_sim.verdict.commands import judge_command
from tests.cli.command import ROOT, wait_until

pytestmark = pytest.mark.system


def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, *arguments: str, timeout_s: float = 20.0
) -> Executed:
    """Python code in the place of ``pulse-sim``; everything else is the real execution."""
    monkeypatch.setattr(commands, "_OURS", {"pulse-sim": ("-c", code)})
    return execute(["pulse-sim", *arguments], runs=tmp_path / "runs", cwd=tmp_path, timeout_s=timeout_s)


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return True


def test_a_command_is_recorded_with_its_status_duration_and_whole_output(tmp_path: Path) -> None:
    done = execute(["pulse-sim", "--version"], runs=tmp_path, cwd=ROOT, timeout_s=60)
    record = done.record
    assert (record.argv, record.exit_status, record.timed_out) == (("pulse-sim", "--version"), 0, False)
    assert (record.output_bytes, record.output_sha256) == (len(done.output), sha256_hex(done.output))
    assert record.duration_s > 0
    assert judge_command("version", ["pulse-sim", "--version"], record, done.output).outcome is Outcome.PASSED


def test_wrong_usage_is_a_failed_command(tmp_path: Path) -> None:
    done = execute(["mock-truenas", "--no-such-option"], runs=tmp_path, cwd=ROOT, timeout_s=60)
    assert (done.record.exit_status, b"No such option" in done.output) == (2, True)


def test_a_suite_that_selects_nothing_ran_no_test(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text("def test_it():\n    pass\n", "utf-8")
    argv = ["pytest", "-q", "-p", "no:mock_truenas", "-k", "nothing", "test_none.py"]
    done = execute(argv, runs=tmp_path, cwd=tmp_path, timeout_s=60)
    result = judge_command("suite", argv, done.record, done.output)
    assert result.outcome is not Outcome.PASSED, done.output


def test_a_suite_with_a_test_is_passed(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_it():\n    pass\n", "utf-8")
    argv = ["pytest", "-q", "test_one.py"]
    done = execute(argv, runs=tmp_path, cwd=tmp_path, timeout_s=60)
    result = judge_command("suite", argv, done.record, done.output)
    assert (result.outcome, result.reason) == (Outcome.PASSED, ""), done.output


def test_no_shell_reads_the_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = run(monkeypatch, tmp_path, "import sys; print(sys.argv[1:])", "$HOME; touch x", "`id`")
    assert done.output == b"['$HOME; touch x', '`id`']\n"
    assert not (tmp_path / "x").exists()


def test_the_directory_of_the_runs_is_filled_in_and_not_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = run(monkeypatch, tmp_path, "import sys; print(len(sys.argv[1]), sys.argv[1])", "${runs}")
    assert done.record.argv == ("pulse-sim", "${runs}")
    assert done.output == f"{len(str(tmp_path / 'runs'))} ${{runs}}\n".encode()


def test_what_overruns_is_killed_with_everything_it_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(300)\n"
    )
    done = run(monkeypatch, tmp_path, code, timeout_s=2)
    assert (done.record.timed_out, done.record.exit_status) == (True, None)
    wait_until(lambda: is_gone(int(done.output)), "the command's child to end")


def test_what_a_command_leaves_running_ends_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']).pid, flush=True)\n"
    )
    started_s = time.monotonic()
    done = run(monkeypatch, tmp_path, code)
    assert (done.record.timed_out, done.record.exit_status) == (False, 0)
    assert time.monotonic() - started_s < 15
    wait_until(lambda: is_gone(int(done.output)), "what was left running to end")


def test_output_is_bounded_and_the_rest_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(commands, "OUTPUT_AT_MOST", 1000)
    done = run(monkeypatch, tmp_path, "print('x' * 300000)")
    assert (done.record.truncated, len(done.output), done.record.exit_status) == (True, 1000, 0)


def test_output_that_shows_a_secret_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = run(monkeypatch, tmp_path, "print('key 7-PSIM' + 'SECRETa1b2c3d4')")
    assert (done.record.withheld, done.output) == (True, b"")
    assert judge_command("x", ["pulse-sim"], done.record, done.output).outcome is Outcome.FAILED


def test_a_command_sees_no_variable_that_may_hold_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_API_TOKEN", "something")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--co")
    done = run(monkeypatch, tmp_path, "import os; print(sorted(os.environ))")
    assert b"TOKEN" not in done.output
    assert b"ADDOPTS" not in done.output


def test_a_program_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    done = execute(["promtool", "--version"], runs=tmp_path, cwd=tmp_path, timeout_s=5)
    assert done.record.trouble == "promtool is not installed here"
    assert judge_command("x", ["promtool", "--version"], done.record, done.output).outcome is Outcome.INCONCLUSIVE


def test_a_command_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = execute(["pulse-sim", "--version"], runs=tmp_path, cwd=tmp_path / "nowhere", timeout_s=5)
    assert done.record.trouble.startswith("pulse-sim cannot be started")
