"""A short run in the process that forks the workers, its evidence thrown away: import this and fork.

An interpreter is slowest at what it does for the first time, and a worker does everything for the first time. It pays
for itself from a handful of runs on. Warm and cold workers leave the same evidence; the determinism tests hold them to
it.
"""

import gc
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import pulse_sim.cli.warm  # noqa: F401 - what is loaded first
from pulse_sim.cli.job import RunJob, perform
from pulse_sim.scenario.load import parse_scenario

SCENARIO: Final = b"""
version: 1
id: rehearsal
title: Two minutes with one NAS
hypothesis: Everything a run does is done once before the runs that count.
start: 2026-02-09T00:00:00Z
duration: 2m
appliances: {nas-1: {release: "24.10", fixture: baseline}}
connections: {nas-1: {appliance: nas-1, poll_interval: 10s}}
abort: safety
checks: [{check: poll_success_rate, connection: nas-1, at_least: 1.0}]
"""


def rehearse() -> str:
    """One run from scenario to sealed bundle; its outcome."""
    with tempfile.TemporaryDirectory(prefix="pulse-sim-rehearsal-") as out:
        scenario = parse_scenario("rehearsal.yaml", SCENARIO)
        row = perform(RunJob(scenario, 1, "reference", "fifo", Path(out), "rehearsal.yaml", ()))
    gc.collect()  # what is left of it must not be frozen into every worker
    outcome: str = row["outcome"]
    return outcome


with suppress(Exception):  # workers that were not rehearsed are only slower
    rehearse()
