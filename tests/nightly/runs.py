"""Runs of the catalogue through ``pulse-sim run``, as rows."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.nightly.measurement import ROOT

RESILIENCE: Final = tuple(sorted((ROOT / "scenarios" / "resilience").glob("*.yaml")))
SOAKS: Final = tuple(sorted((ROOT / "scenarios" / "soak").glob("*.yaml")))


def run(
    scenarios: Sequence[Path],
    seeds: str,
    sut: str = "reference",
    *,
    schedule: str = "fifo",
    python: str | Path = sys.executable,
    one_core: bool = False,
) -> list[dict[str, Any]]:
    """The rows of ``pulse-sim run --json``. Raises RuntimeError with what it said when it gave none."""
    command = [str(python), "-m", "pulse_sim.cli.main", "run", *map(str, scenarios), "--seeds", seeds]
    command += ["--sut", sut, "--json", *(["--schedule", schedule] if schedule != "fifo" else [])]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [*command, "--out", out, *(["--jobs", "1"] if one_core else [])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=(lambda: os.sched_setaffinity(0, {0})) if one_core else None,
        )
    if not done.stdout:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def sweep(seeds: str, sut: str = "reference", schedule: str = "fifo") -> dict[str, Any]:
    """How often each outcome came out over the resilience catalogue, and for how many seeds any run was not passed."""
    rows = run(RESILIENCE, seeds, sut, schedule=schedule)
    caught = {row["seed"] for row in rows if row["outcome"] != "passed"}
    outcomes = Counter(row["outcome"] for row in rows)
    return {
        "seeds": len({row["seed"] for row in rows}),
        "runs": len(rows),
        "outcomes": dict(sorted(outcomes.items())),
        "seeds_not_passed": len(caught),
    }
