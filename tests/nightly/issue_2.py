"""The good stack over many seeds of the resilience catalogue, each broken stack over some, and the soaks."""

import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.nightly.measurement import Measurement
from tests.nightly.runs import SOAKS, run, sweep

BROKEN: Final = ("no_deadlines", "errors_swallowed", "never_stale", "no_reconnect", "one_task_for_all")
GOOD_SEEDS: Final = 40
BROKEN_SEEDS: Final = 10


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


def measure(seeds: int | None = None) -> dict[str, Any]:
    """Everything, in the order in which the memory figure stays that of the soaks."""
    good, broken = (f"1..{min(wanted, seeds or wanted)}" for wanted in (GOOD_SEEDS, BROKEN_SEEDS))
    return {
        "soaks_on_one_core": {scenario.stem: soak(scenario) for scenario in SOAKS},
        "good_stack": sweep(good),
        "broken_stacks": {name: sweep(broken, f"tests.broken:{name}") for name in BROKEN},
    }


MEASUREMENT: Final = Measurement(
    2, ("pulse_sim", "mock_truenas", "scenarios", "tests/broken", "requirements.lock"), measure
)
