"""The parts of what issue 6 measures: tampering, kills, thresholds, broken stacks over seeds, and mutation."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.cli.killing import sweep_kills
from tests.evidence.keys import key_file, signing_with
from tests.evidence.tampering import sweep_flips, sweep_tampering
from tests.nightly import broken_sweep
from tests.nightly.issue_6 import BROKEN_SEEDS, FLIPS, KILLED_SHARE_WANTED, KILLS, TAMPERINGS, THRESHOLD_SEEDS
from tests.nightly.mutation.mutating import ROOMS, mutated
from tests.thresholds.nudged import sweep_thresholds

SURVIVORS_TOLD = 200


def measured(seeds: int) -> dict[str, Any]:
    """Everything, with so many seeds for every broken stack and a matching share of mutmut's changes."""
    faults: list[str] = []
    told = {
        "tampering": tampering(faults),
        "kills": kills(faults),
        "thresholds": thresholds(faults),
        "broken": broken_stacks(seeds, faults),
        "mutation": mutation(max(1, 10 * seeds // BROKEN_SEEDS), faults),
    }
    return {**told, "faults": faults}


def tampering(faults: list[str]) -> dict[str, int]:
    """Single bytes flipped in every file, and files deleted, cut, added, swapped, linked or signed anew."""
    flips, others = sweep_flips(FLIPS), sweep_tampering(TAMPERINGS)
    faults += (f"tampering: {fault}" for fault in (*flips, *others))
    _say(f"tampering: {len(flips) + len(others)} faults")
    return {"flips": FLIPS, "others": TAMPERINGS, "trusted": len(flips) + len(others)}


def kills(faults: list[str]) -> dict[str, int]:
    """Verdicts killed at random points and resumed."""
    with tempfile.TemporaryDirectory() as directory, signing_with(key_file(Path(directory), "nightly")):
        found = sweep_kills(KILLS)
    faults += (f"kills: {fault}" for fault in found)
    _say(f"kills: {len(found)} faults")
    return {"kills": KILLS, "faults": len(found)}


def thresholds(faults: list[str]) -> dict[str, int]:
    """Every threshold just above and just below, with the true stack and with one whose threshold is another."""
    with tempfile.TemporaryDirectory() as directory:
        found = sweep_thresholds(range(1, THRESHOLD_SEEDS + 1), Path(directory))
    faults += (f"thresholds: {fault}" for fault in found)
    _say(f"thresholds: {len(found)} faults")
    return {"seeds": THRESHOLD_SEEDS, "faults": len(found)}


def broken_stacks(seeds: int, faults: list[str]) -> dict[str, Any]:
    """Every broken stack over seeds, until the first run that is not passed, and the good one."""
    told = broken_sweep.measured(seeds)
    faults += (f"broken stacks: {fault}" for fault in told.pop("faults"))
    _say(f"broken stacks: {len(faults)} faults so far")
    return told


def mutation(tenths: int, faults: list[str]) -> dict[str, Any]:
    """What so many tenths of mutmut's changes of checks, verdict and evidence came to."""
    told = mutated(tenths=tenths)
    share = told["all"]["killed_share"]
    if share < KILLED_SHARE_WANTED:
        faults.append(f"mutation: {share:.1%} of {told['all']['mutants']} changes were killed")
    for room in ROOMS:
        told[room]["survivors"] = told[room]["survivors"][:SURVIVORS_TOLD]
    _say(f"mutation: {share:.1%} killed")
    return told


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
