"""Long sweeps: ``python -m tests.nightly`` measures them and writes ``docs/measurements/issue-2.json``.

The good stack over many seeds of the resilience catalogue, each broken stack over some, and the two soaks on one core.
``tests/test_measurements.py`` runs a sample and holds the committed file to its shape.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILE: Final = ROOT / "docs" / "measurements" / "issue-2.json"
RESILIENCE: Final = tuple(sorted((ROOT / "scenarios" / "resilience").glob("*.yaml")))
SOAKS: Final = tuple(sorted((ROOT / "scenarios" / "soak").glob("*.yaml")))
BROKEN: Final = ("no_deadlines", "errors_swallowed", "never_stale", "no_reconnect", "one_task_for_all")
GOOD_SEEDS: Final = "1..40"
BROKEN_SEEDS: Final = "1..10"
MEASURED: Final = ("pulse_sim", "mock_truenas", "scenarios", "tests/broken", "requirements.lock")
"""What the figures depend on; the file is older than what it measured when one of these changed after its commit."""


def run(
    scenarios: Sequence[Path], seeds: str, sut: str = "reference", *, one_core: bool = False
) -> list[dict[str, Any]]:
    """The rows of ``pulse-sim run --json``."""
    command = [sys.executable, "-m", "pulse_sim.cli.main", "run", *map(str, scenarios), "--seeds", seeds]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [*command, "--sut", sut, "--json", "--out", out, *(["--jobs", "1"] if one_core else [])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=(lambda: os.sched_setaffinity(0, {0})) if one_core else None,
        )
    return [json.loads(line) for line in done.stdout.splitlines()]


def sweep(seeds: str, sut: str = "reference") -> dict[str, Any]:
    """How often each outcome came out over the resilience catalogue, and for how many seeds any run was not passed."""
    rows = run(RESILIENCE, seeds, sut)
    caught = {row["seed"] for row in rows if row["outcome"] != "passed"}
    outcomes = Counter(row["outcome"] for row in rows)
    return {
        "seeds": len({row["seed"] for row in rows}),
        "runs": len(rows),
        "outcomes": dict(sorted(outcomes.items())),
        "seeds_not_passed": len(caught),
    }


def soak(scenario: Path) -> dict[str, Any]:
    """One soak as a whole command on one core: seconds, and the peak memory of its largest process."""
    before = datetime.now(UTC)
    (row,) = run([scenario], "1..1", one_core=True)
    seconds = (datetime.now(UTC) - before).total_seconds()
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "outcome": row["outcome"],
        "command_seconds": round(seconds, 1),
        "peak_memory_mib": round(peak_kib / 1024, 1),
    }


def measure() -> dict[str, Any]:
    """Everything, in the order in which the memory figure stays that of the soaks."""
    soaks = {scenario.stem: soak(scenario) for scenario in SOAKS}
    good = sweep(GOOD_SEEDS)
    broken = {name: sweep(BROKEN_SEEDS, f"tests.broken:{name}") for name in BROKEN}
    return {"soaks_on_one_core": soaks, "good_stack": good, "broken_stacks": broken}


def git(*arguments: str) -> str:
    """What git says, or nothing."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def main() -> None:
    """Measure and write the file."""
    commit = git("rev-parse", "HEAD")
    measured = measure()
    told = {
        "command": "make nightly",
        "commit": commit,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "measured": measured,
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
