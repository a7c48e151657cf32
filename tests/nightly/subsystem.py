"""The parts of what issue 5 measures: catalogue and broken stacks over seeds, the store, payloads and a fleet."""

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests import broken
from tests.broken.expectations import EXPECTED, TRR_04, differences, scenario_of
from tests.cli.command import TRR_04 as PLAN
from tests.nightly.issue_5 import BROKEN_SEEDS, PAYLOADS
from tests.nightly.measurement import ROOT
from tests.nightly.runs import run
from tests.nightly.verdicts import verdict
from tests.run.rehearsal import rehearse
from tests.stack.fleet_sweep import a_day
from tests.stack.payload_sweep import sweep as sweep_payloads
from tests.stack.store_sweep import CRASHES, MUTATIONS, sweep_crashes, sweep_mutations

DIRECTORIES: Final = ("runbook", "lifecycle", "resilience", "network", "safeguards", "thresholds", "aborts")
HOURS: Final = 24.0
HEALTHY_GAP_S: Final = 65.0
"""The longest a healthy connection among hanging ones may go without a poll, at an interval of 60 s."""


def measured(seeds: int) -> dict[str, Any]:
    """Everything, with so many seeds of the catalogue and of the broken stacks, which take the longest."""
    faults: list[str] = []
    logging.disable(logging.CRITICAL)  # stacks in trouble write a line for each failure, and these are all in trouble
    try:
        told = {
            "store": store(faults),
            "payloads": payloads(PAYLOADS, faults),
            "fleet": fleet(HOURS, faults),
        }
    finally:
        logging.disable(logging.NOTSET)
    return {
        **told,
        "broken_stacks": broken_stacks(min(seeds, BROKEN_SEEDS), faults),
        "verdicts": verdicts(faults),
        "catalogue": catalogue(seeds, faults),
        "faults": faults,
    }


def catalogue(seeds: int, faults: list[str]) -> dict[str, Any]:
    """The good stack in every scenario but the soaks, directory by directory."""
    told = {}
    for name in DIRECTORIES:
        files = sorted((ROOT / "scenarios" / name).glob("*.yaml"))
        rows = run(files, f"1..{seeds}")
        told[name] = {"runs": len(rows), "outcomes": dict(sorted(Counter(row["outcome"] for row in rows).items()))}
        faults += (f"{row['scenario']} seed {row['seed']}: {row['outcome']}" for row in rows if _failed(row))
    return told


def broken_stacks(seeds: int, faults: list[str]) -> dict[str, Any]:
    """Each broken stack in its own scenario: for how many seeds it failed exactly the checks named for it."""
    told = {}
    for name, expected in EXPECTED.items():
        exact = 0
        text = scenario_of(name).read_text("utf-8")
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as directory:
                done = rehearse(
                    Path(directory) / "run", text, seed=seed, factory=getattr(broken, name), ends_early=False
                )
            found = differences(expected["kills"], [result.to_data() for result in done.results])
            faults += (f"{name} seed {seed}: {difference}" for difference in found)
            exact += not found
        told[name] = {"scenario": expected["scenario"], "seeds": seeds, "failed_exactly_as_named": exact}
    return told


def verdicts(faults: list[str]) -> dict[str, Any]:
    """The plan of TRR-04 on the stacks that are broken in one failure class each: NO_GO, for the gates named."""
    told = {}
    for name, expected in TRR_04.items():
        word, reasons, runs = verdict(PLAN, f"tests.broken:{name}")
        told[name] = {"verdict": word, "runs": len(runs)}
        if word != "NO_GO" or not any(expected["gate"] in reason for reason in reasons):
            faults.append(f"{name}: {word} without {expected['gate']}: {json.dumps(reasons)}")
        for run_told in runs:
            scenario = run_told["scenario"].partition("[")[0]
            if scenario in expected:
                found = differences(expected[scenario], run_told["checks"])
                faults += (f"{name} in {run_told['scenario']}: {difference}" for difference in found)
    return told


def store(faults: list[str]) -> dict[str, Any]:
    """Crashes at drawn write points, and mutated files."""
    crashes = sweep_crashes(CRASHES, seed=5)
    mutations = sweep_mutations(MUTATIONS, seed=5)
    faults += _first([*crashes.faults, *mutations.faults])
    return {"crashes": crashes.told(), "mutations": mutations.told()}


def payloads(count: int, faults: list[str]) -> dict[str, Any] | str:
    """Any fault of the mock's catalogue, with any parameters, over every transport."""
    try:
        return sweep_payloads(count, number=5)
    except AssertionError as broken_rule:
        faults.append(f"payloads: {broken_rule}")
        return "a rule was broken"


def fleet(hours: float, faults: list[str]) -> dict[str, Any]:
    """Five hundred connections, a twentieth of which hang."""
    told = a_day(hours=hours)
    if told["longest_gap_s"] > HEALTHY_GAP_S:
        faults.append(f"fleet: {told['longest_gap_s']} s without a poll of a healthy connection")
    early, late = told["most_counts_first_half"], told["most_counts_second_half"]
    if any(after > before for before, after in zip(early, late, strict=True)):
        faults.append(f"fleet: counts grew from {early} to {late}")
    return told


def _failed(row: dict[str, Any]) -> bool:
    return bool(row["outcome"] != "passed")


def _first(found: Sequence[str], most: int = 20) -> list[str]:
    left = len(found) - most
    return [*found[:most], *([f"and {left} more"] if left > 0 else [])]
