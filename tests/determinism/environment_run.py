"""Runs jobs in this very process, which nothing shields, and prints a row of digests for each.

Run as a script: ``environment_run.py JSON`` with ``heap``, ``out``, ``seed``, ``sut``, ``schedule`` and ``runs``:
pairs of scenario file and expanded id, in their order. The heap is shaped before anything of the project is imported.
The first row tells what this process sees of its surroundings.
"""

import json
import sys

if __name__ == "__main__":
    OPTIONS = json.loads(sys.argv[1])
    HEAP: list[object] = []
    if OPTIONS["heap"] == "crowded":
        HEAP = [object() for _ in range(300_000)]
    elif OPTIONS["heap"] == "holed":
        HEAP = [bytearray(number * 7919 % 977) for number in range(150_000)]
        del HEAP[::2]

import hashlib
import locale
import time
from pathlib import Path
from typing import Any

from pulse_sim.cli.job import RunJob, perform
from pulse_sim.scenario.load import expand, load_scenario

NOT_EVIDENCE = ("environment.json", "resources.jsonl", "manifest.json", "attestation.json")
"""What a bundle says of this machine and this hour, the list of hashes that includes theirs, and its signature."""


def surroundings() -> dict[str, Any]:
    """What the process sees of what was varied around it."""
    return {
        "hash": hash("pulse"),
        "live_objects": len(HEAP),
        "directory": str(Path.cwd()),
        "winter_and_summer": [time.localtime(at).tm_hour for at in (1_767_225_600, 1_782_864_000)],
        "encoding": locale.getpreferredencoding(False),
    }


def run(place: int, file: str, wanted: str, options: dict[str, Any]) -> dict[str, Any]:
    """The ``place``-th run of this process: digests, and the SHA-256 of every file of evidence."""
    (scenario,) = [scenario for scenario in expand(load_scenario(file)) if scenario.id == wanted]
    out = Path(options["out"]) / str(place)
    row = perform(RunJob(scenario, options["seed"], options["sut"], options["schedule"], out, file, ()))
    bundle = Path(row["bundle"])
    files = sorted(path for path in bundle.iterdir() if path.name not in NOT_EVIDENCE)
    return {
        "scenario": wanted,
        "outcome": row["outcome"],
        "trace_digest": row["trace_digest"],
        "outcome_digest": row["outcome_digest"],
        "evidence": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "bundle": str(bundle),
    }


if __name__ == "__main__":
    print(json.dumps(surroundings()))
    for number, (file, wanted) in enumerate(OPTIONS["runs"]):
        print(json.dumps(run(number, file, wanted, OPTIONS)))
