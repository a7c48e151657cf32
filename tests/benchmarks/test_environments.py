"""Where benchmarks run: interpreters that are found or not, peers that install or not, and one aiohttp for all."""

import os
import re
import sys
from pathlib import Path

import pytest

from benchmarks.figures import MeasurementFailed, NotMeasured
from benchmarks.instructions import total
from benchmarks.interpreters import LOCK, ROOT, Interpreter, candidates, find, own, with_peers
from benchmarks.memory import slope
from benchmarks.processes import output_of, task_clock_s

PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def _program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_the_newest_patch_of_a_minor_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for version in ("3.12.9", "3.12.10", "3.13.0"):
        _program(tmp_path / version / "bin" / "python", "exit 0")

    assert [path.parts[-3] for path in candidates("3.12", tmp_path)] == ["3.12.10", "3.12.9"]


def test_a_program_that_does_not_run_or_is_another_python_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = _program(tmp_path / "shims" / "python3.12", "exit 127")
    monkeypatch.setenv("PATH", str(shim.parent))
    _program(tmp_path / "versions" / "3.12.3" / "bin" / "python", "echo 3.11.2")
    real = _program(tmp_path / "versions" / "3.12.1" / "bin" / "python", "echo 3.12.1")

    assert find("3.12", tmp_path / "versions") == Interpreter(real, "3.12.1")
    assert find("3.13", tmp_path / "versions") is None


def test_peers_that_do_not_install_are_a_reason_and_leave_nothing_that_looks_installed(tmp_path: Path) -> None:
    broken = Interpreter(_program(tmp_path / "bin" / "python", "exit 1"), "3.12.1")

    assert with_peers(broken, tmp_path / "tools") == NotMeasured("the peers could not be installed for Python 3.12")
    assert not list(tmp_path.glob("tools/*/installed"))


def test_an_environment_is_made_once_for_one_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("# nothing\n", "utf-8")
    made = with_peers(own(), tmp_path / "tools", lock)
    assert isinstance(made, Interpreter)
    stamp = tmp_path / "tools" / f"bench-{own().minor}" / "installed"
    first = stamp.stat().st_mtime_ns

    assert with_peers(own(), tmp_path / "tools", lock) == made
    assert stamp.stat().st_mtime_ns == first
    assert made.program.resolve() == Path(sys.executable).resolve()


def test_the_peers_run_on_the_same_libraries_as_the_project() -> None:
    ours = dict(PIN.findall((ROOT / "requirements.lock").read_text("utf-8")))
    theirs = dict(PIN.findall(LOCK.read_text("utf-8")))

    assert {"aiohttp", "simloop", "uvloop"} <= theirs.keys()
    assert {name: version for name, version in theirs.items() if name in ours} == {
        name: ours[name] for name in theirs if name in ours
    }


def test_a_command_that_ends_badly_or_does_not_exist_is_a_reason() -> None:
    with pytest.raises(MeasurementFailed, match="ended with status 7") as failure:
        output_of([sys.executable, "-c", "import sys; print('told'); sys.exit(7)"])
    assert failure.value.detail == "told\n"
    with pytest.raises(MeasurementFailed, match="not started: No such file"):
        output_of([ROOT / "no-such-program"])


def test_what_is_measured_runs_without_what_changes_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    told = output_of([sys.executable, "-c", "import sys, benchmarks; print(sys.flags.dev_mode)"], one_core=True)

    assert told == "False\n"
    assert os.environ["PYTHONDEVMODE"] == "1"


def test_cpu_time_is_read_from_what_perf_writes() -> None:
    assert (
        task_clock_s("# started on Monday\n\n4000.50,msec,task-clock,4000500000,100.00,0.9,CPUs utilized\n") == 4.0005
    )
    for told in ("", "<not supported>,,task-clock,0,100.00,,\n"):
        with pytest.raises(MeasurementFailed, match="no CPU time"):
            task_clock_s(told)


def test_instructions_are_read_from_what_callgrind_writes() -> None:
    assert total("events: Ir\nsummary: 0\nfn=(1)\n1 5\ntotals: 384619598\n") == 384_619_598
    with pytest.raises(MeasurementFailed, match="counted nothing"):
        total("events: Ir\n")


def test_growth_is_told_per_hour_between_the_first_and_the_last_reading() -> None:
    assert slope({6.0: 38.0, 24.0: 90.0, 48.0: 42.2}) == pytest.approx(0.1)
