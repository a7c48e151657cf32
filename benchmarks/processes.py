"""Starting what is measured: fresh processes in a clean environment, and what they cost in CPU time.

A command that forks workers which nobody waits for is counted whole by `perf stat`; without perf its wall time on one
core stands in, which is the same on a machine that does nothing else.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.figures import MeasurementFailed
from benchmarks.interpreters import ROOT

TIMEOUT_S: Final = 600
_CHANGING_WHAT_RUNS: Final = ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONMALLOC", "PYTHONWARNINGS", "PYTHONSTARTUP")


def environment() -> dict[str, str]:
    """Ours, without what would change how Python runs, and with this project importable by any interpreter."""
    kept = {name: value for name, value in os.environ.items() if name not in _CHANGING_WHAT_RUNS}
    signing_key = str(ROOT / "tests" / "evidence" / "published-test-key.pem")  # nobody's own key signs a benchmark
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PULSE_SIM_SIGNING_KEY_FILE": signing_key}


def output_of(command: Sequence[str | Path], *, one_core: bool = False) -> str:
    """Standard output. Raises MeasurementFailed when the command cannot be run or does not end well."""
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            preexec_fn=_to_one_core if one_core else None,
        )
    except subprocess.TimeoutExpired as overdue:
        raise MeasurementFailed(f"no result after {TIMEOUT_S} s") from overdue
    except OSError as missing:
        raise MeasurementFailed(f"not started: {missing.strerror}") from missing
    if done.returncode != 0:
        raise MeasurementFailed(f"ended with status {done.returncode}", (done.stdout + done.stderr)[-4000:])
    return done.stdout


def _to_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def cpu_seconds(command: Sequence[str | Path]) -> float:
    """CPU time of a command and everything it starts, on one core."""
    if not perf_counts():
        started_s = time.perf_counter()
        output_of(command, one_core=True)
        return time.perf_counter() - started_s
    with tempfile.NamedTemporaryFile("r", prefix="bench-") as told:
        output_of(["perf", "stat", "-x,", "-e", "task-clock", "-o", told.name, "--", *command], one_core=True)
        return task_clock_s(told.read())


@cache
def perf_counts() -> bool:
    """Whether `perf stat` is here and may count."""
    try:
        output_of(["perf", "stat", "-x,", "-e", "task-clock", "--", "true"])
    except MeasurementFailed:
        return False
    return True


def task_clock_s(told: str) -> float:
    """Seconds from what `perf stat -x,` writes. Raises MeasurementFailed when they are not there."""
    for line in told.splitlines():
        fields = line.split(",")
        if "task-clock" in line and not line.startswith("#"):
            try:
                return float(fields[0]) / 1000
            except ValueError:
                break
    raise MeasurementFailed("perf stat counted no CPU time", told)
