"""One digest for (scenario, seed) in every surroundings, the random schedule, and other minor versions of Python."""

import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pulse_sim.canonical import digest
from tests.determinism.environments import COMBINATIONS
from tests.determinism.sweep import SCENARIOS, Ran, differences, hold_all, sittings
from tests.nightly.interpreters import MINORS, THIS_MINOR, NotMeasured, version, with_locked_libraries
from tests.nightly.measurement import Measurement
from tests.nightly.runs import RESILIENCE, run, sweep

SWEPT_SEEDS: Final = 12
RANDOM_SEEDS: Final = 20
MINOR_SEEDS: Final = 3


def swept(seeds: Iterable[int], python: str | Path = sys.executable) -> dict[str, Any]:
    """Five scenarios in all combinations for each seed, on all cores: counts, digests, and whatever differed.

    Bundles are thrown away seed by seed; a difference is told with its first line and the command that repeats it.
    """
    cores = len(os.sched_getaffinity(0))
    runs: list[Ran] = []
    faults: list[str] = []
    processes = 0
    for seed in seeds:
        planned = list(sittings(seed))
        with tempfile.TemporaryDirectory() as out:
            held = hold_all(planned, Path(out), jobs=cores, python=str(python))
            faults += differences(held)
        processes += len(planned)
        runs += held
        print(f"seed {seed}: {len(held)} runs, {len(faults)} differences so far", file=sys.stderr, flush=True)
    return {
        "runs": len(runs),
        "processes": processes,
        "cold_runs": sum(ran.place == 0 for ran in runs),
        "passed": sum(ran.row["outcome"] == "passed" for ran in runs),
        "digests": _digests(runs),
        "faults": faults,
    }


def _digests(runs: Iterable[Ran]) -> dict[str, dict[str, list[dict[str, str]]]]:
    """By scenario and seed, each way in which it came out: one for each schedule, unless something differed."""
    found: dict[str, dict[str, list[dict[str, str]]]] = {scenario: {} for scenario in SCENARIOS}
    for ran in runs:
        faces = found[ran.scenario].setdefault(str(ran.sitting.seed), [])
        face = {
            "schedule": ran.sitting.combination.schedule,
            "trace": ran.row["trace_digest"],
            "outcome": ran.row["outcome_digest"],
            "evidence": digest(ran.row["evidence"]),
        }
        if face not in faces:
            faces.append(face)
    return found


def other_minors(seeds: int) -> dict[str, Any]:
    """Whether other minors agree on the outcome digests of the catalogue, and each on its own digests in a sweep."""
    here = _outcomes(seeds, sys.executable)
    told: dict[str, Any] = {}
    for minor in MINORS:
        if minor == THIS_MINOR:
            continue
        try:
            python = with_locked_libraries(minor)
        except NotMeasured as reason:
            told[minor] = f"not measured: {reason}"
            continue
        there = _outcomes(seeds, python)
        own = swept([1], python)
        told[minor] = {
            "python": version(python),
            "runs": len(there),
            "outcome_digests_equal": sum(there[key] == here[key] for key in here),
            "different": sorted(
                f"{scenario} seed {seed}" for scenario, seed in here if there[scenario, seed] != here[scenario, seed]
            ),
            "own_sweep": {
                "runs": own["runs"],
                "faults": [fault.replace(".venv", f".tools/locked-{minor}") for fault in own["faults"]],
            },
        }
    return told


def _outcomes(seeds: int, python: str | Path) -> dict[tuple[str, int], str]:
    rows = run(RESILIENCE, f"1..{seeds}", python=python)
    return {(row["scenario"], row["seed"]): row["outcome_digest"] for row in rows}


def measure(seeds: int | None = None) -> dict[str, Any]:
    """Everything, and under ``faults`` whatever was not as it must be."""
    sweep_seeds, random_seeds, minor_seeds = (
        min(wanted, seeds or wanted) for wanted in (SWEPT_SEEDS, RANDOM_SEEDS, MINOR_SEEDS)
    )
    found = swept(range(1, sweep_seeds + 1))
    minors = other_minors(minor_seeds)
    return {
        "scenarios": SCENARIOS,
        "combinations": [asdict(combination) for combination in COMBINATIONS],
        "sweep": {name: value for name, value in found.items() if name != "faults"},
        "random_schedule": _random_schedule(random_seeds),
        "other_minors": minors,
        "faults": [*found["faults"], *_disagreements(minors)],
    }


def _random_schedule(seeds: int) -> dict[str, Any] | str:
    try:
        return sweep(f"1..{seeds}", schedule="random")
    except RuntimeError as reason:
        return f"not measured: {reason}"


def _disagreements(minors: dict[str, Any]) -> list[str]:
    measured = {minor: told for minor, told in minors.items() if isinstance(told, dict)}
    return [
        *(
            f"{minor}: another outcome digest for {name}"
            for minor, told in measured.items()
            for name in told["different"]
        ),
        *(f"{minor}: {fault}" for minor, told in measured.items() for fault in told["own_sweep"]["faults"]),
    ]


MEASUREMENT: Final = Measurement(
    3, ("pulse_sim", "mock_truenas", "scenarios", "tests/determinism", "requirements.lock"), measure
)
