"""What digest and checkpoints cost in instructions: ``python -m benchmarks.instructions ENGINE WORKLOAD ROUNDS``.

That command runs under callgrind, which counts only between its two calls of callgrind_control. Hardware counters are
not asked: most virtual machines have none, and a figure must mean the same everywhere.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.engines import ENGINES
from benchmarks.figures import MeasurementFailed
from benchmarks.processes import output_of
from benchmarks.workloads import WORKLOADS

_TOTAL: Final = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
_WARM_UP_ROUNDS: Final = 4


def share_of_trace(workload: str, rounds: int) -> float:
    """The part of all instructions, in per cent, that a simulation with trace spends on it."""
    traced, untraced = (_counted(engine, workload, rounds) for engine in ("simulation", "untraced"))
    return 100 * (traced - untraced) / traced


def _counted(engine: str, workload: str, rounds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        written = Path(directory) / "callgrind.out"
        valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={written}"]
        output_of([*valgrind, sys.executable, "-m", "benchmarks.instructions", engine, workload, str(rounds)])
        return total(written.read_text("utf-8"))


def total(written: str) -> int:
    """Instructions in a callgrind file. Raises MeasurementFailed when it has no total."""
    found = _TOTAL.findall(written)
    if not found:
        raise MeasurementFailed("callgrind counted nothing")
    return int(found[-1])


def main(engine: str, workload: str, rounds: int) -> None:
    """Run once unseen, so that caches are warm, and once counted."""
    run, chosen = ENGINES[engine], WORKLOADS[workload]
    run(chosen, _WARM_UP_ROUNDS, None)
    _counting("on")
    run(chosen, rounds, None)
    _counting("off")


def _counting(state: str) -> None:
    subprocess.run(["callgrind_control", "-i", state, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
