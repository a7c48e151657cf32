"""Whole commands as a user types them: scenario in, sealed bundles out, checks included; CPU time of all processes."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.figures import MeasurementFailed
from benchmarks.interpreters import ROOT
from benchmarks.processes import cpu_seconds, output_of

TEN_MINUTES: Final = Path(__file__).with_name("ten-minutes.yaml")
SOAKS: Final = tuple(sorted((ROOT / "scenarios" / "soak").glob("*.yaml")))
PROGRAM: Final = (sys.executable, "-m", "pulse_sim.cli.main")
LATE_CHANGE: Final = "timeline.3.for=36s"
"""Two ten-minute runs, one with this, are the same for the first 130 of their 600 virtual seconds."""


def soak_s(scenario: Path) -> Callable[[], float]:
    """CPU seconds of one soak."""
    return lambda: _run(scenario, "1..1")


def ten_minutes_per_s(seeds: int) -> Callable[[], float]:
    """Ten-minute runs a core does in a second, start of the command included."""
    return lambda: seeds / _run(TEN_MINUTES, f"1..{seeds}")


def _run(scenario: Path, seeds: str) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as out:
        # Outcomes other than passed give the command a status of its own, so a figure is always one of good runs.
        return cpu_seconds([*PROGRAM, "run", scenario, "--seeds", seeds, "--jobs", "1", "--json", "--out", out])


def diff_s() -> float:
    """CPU seconds `pulse-sim diff` takes for two ten-minute runs that part after 130 s. Fails where it is not built."""
    try:
        output_of([*PROGRAM, "diff", "--help"])
    except MeasurementFailed as failure:
        raise MeasurementFailed("pulse-sim has no diff yet") from failure
    with tempfile.TemporaryDirectory(prefix="bench-") as out:
        bundles = []
        for name, overrides in (("left", []), ("right", ["--set", LATE_CHANGE])):
            directory = Path(out) / name
            output_of([*PROGRAM, "run", TEN_MINUTES, "--jobs", "1", "--out", directory, *overrides])
            bundles += [path for path in directory.iterdir() if path.is_dir()]
        return cpu_seconds(["sh", "-c", '"$@" || test $? -eq 1', "diff", *PROGRAM, "diff", *bundles])
