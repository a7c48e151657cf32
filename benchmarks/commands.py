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
CHANGE: Final = "timeline.3.for=64s"
"""Two ten-minute runs, one with this, are the same for the first 55 of their 600 virtual seconds."""


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


def diff_s() -> tuple[float, float]:
    """CPU seconds to the first differing checkpoint, loading of the command apart, and from there to the event.

    Of two ten-minute runs that part after 55 s. Raises MeasurementFailed where the command is not built.
    """
    try:
        loading_s = cpu_seconds([*PROGRAM, "diff", "--help"])
    except MeasurementFailed as failure:
        raise MeasurementFailed("pulse-sim has no diff yet") from failure
    with tempfile.TemporaryDirectory(prefix="bench-") as out:
        bundles: list[Path] = []
        for name, overrides in (("left", []), ("right", ["--set", CHANGE])):
            directory = Path(out) / name
            output_of([*PROGRAM, "run", TEN_MINUTES, "--jobs", "1", "--out", directory, *overrides])
            bundles += [path for path in directory.iterdir() if path.is_dir()]
        checkpoint_s, event_s = (
            cpu_seconds(["sh", "-c", '"$@" || test $? -eq 1', "diff", *PROGRAM, "diff", *options, *bundles])
            for options in (["--no-rerun"], [])
        )
    return max(0.0, checkpoint_s - loading_s), event_s - checkpoint_s
