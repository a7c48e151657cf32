"""Verdicts that are killed while they are under way, and begun again; the nightly run asks for more points than tests.

``sweep_kills`` finds nothing when a kill leaves no bundle or a whole one, and the next verdict ends as an undisturbed
one does, with nothing half-made left behind.
"""

import json
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulse_sim.evidence import recheck
from tests.cli.command import Finished, ended, pulse_sim, under_way
from tests.run.rehearsal import scenario

SCENARIOS = ("one", "two", "three", "four")
PLAN: dict[str, Any] = {
    "version": 1,
    "id": "tiny",
    "title": "Four scenarios, a command and the inventory",
    "packets": [
        {
            "id": "P-1",
            "title": "All of it",
            "evidence": [
                *({"id": name, "scenario": f"{name}.yaml"} for name in SCENARIOS),
                {"id": "inventory", "inventory": "resolved"},
                {"id": "verified", "command": ["pulse-sim", "verify", "${runs}"]},
            ],
            "gates": [
                {"id": "G-1", "title": "It runs", "priority": "P0", "evidence": list(SCENARIOS)},
                {"id": "G-2", "title": "It is pinned", "priority": "P0", "evidence": ["inventory"]},
                {"id": "G-3", "title": "It is verified", "priority": "P0", "evidence": ["verified"]},
            ],
        }
    ],
}
SAME = ("outcome_digest", "verdict")


def tiny_plan(directory: Path) -> Path:
    """A plan of four short scenarios in ``directory``; the file."""
    for name in SCENARIOS:
        (directory / f"{name}.yaml").write_text(scenario(id=name, duration="2m"), "utf-8")
    file = directory / "plan.yaml"
    file.write_text(json.dumps(PLAN), "utf-8")
    return file


@dataclass(frozen=True)
class Undisturbed:
    """A verdict nobody killed: its row, what its documents say, and how long it took in seconds."""

    row: dict[str, Any]
    documents: tuple[bytes, ...]
    took_s: float


def decided(plan: Path, out: Path) -> Finished:
    """The verdict on ``plan``, in a process of its own."""
    return pulse_sim("verdict", plan, "--json", "--jobs", "2", "--out", out)


def documents(bundle: Path) -> tuple[bytes, ...]:
    """What must be the same however often a verdict was interrupted."""
    names = ("verdict.json", "packets.json", "inventory.json", "report.md", "commands/verified.txt")
    return tuple((bundle / name).read_bytes() for name in names)


def undisturbed(plan: Path, out: Path) -> Undisturbed:
    """Decide without disturbance."""
    started_s = time.monotonic()
    done = decided(plan, out)
    (row,) = done.rows
    return Undisturbed(row, documents(Path(row["bundle"])), time.monotonic() - started_s)


def kill_after(plan: Path, out: Path, delay_s: float) -> bool:
    """Begin a verdict and kill it; whether it was still under way."""
    with under_way("verdict", plan, "--json", "--jobs", "2", "--out", out) as process:
        time.sleep(delay_s)
        alive = process.poll() is None
        if alive:
            os.kill(process.pid, signal.SIGKILL)
        ended(process)
    return alive


def faults_of(plan: Path, out: Path, expected: Undisturbed) -> list[str]:
    """What is wrong after a kill, and after the verdict that follows it."""
    faults = [f"half a bundle: {path.name}" for path in visible(out) if not recheck(path).is_intact]
    done = decided(plan, out)
    if done.status != 0:
        return [*faults, f"the resumed verdict ended with {done.status}: {done.err[-500:]}"]
    (row,) = done.rows
    if any(row[name] != expected.row[name] for name in SAME):
        faults.append(f"the resumed verdict is {row['verdict']} {row['outcome_digest']}")
    if documents(Path(row["bundle"])) != expected.documents:
        faults.append("the resumed verdict says something else")
    return [*faults, *(f"left behind: {path.name}" for path in out.iterdir() if path.name.startswith("."))]


def visible(out: Path) -> list[Path]:
    """The bundles in ``out``, half ones under a partial name excluded."""
    if not out.is_dir():
        return []
    return [path for path in out.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != "."]


def sweep_kills(count: int, seed: int = 1) -> list[str]:
    """Kill ``count`` verdicts at random points between their first and their last moment; every fault, by its point."""
    stream = random.Random(f"{seed}:kills")
    with tempfile.TemporaryDirectory(prefix="pulse-sim-kills-") as place:
        directory = Path(place)
        plan = tiny_plan(directory)
        expected = undisturbed(plan, directory / "undisturbed")
        faults = [f"undisturbed: {expected.row}"] if expected.row["verdict"] != "GO" else []
        for number in range(count):
            out = directory / f"out-{number}"
            delay_s = stream.uniform(0.0, expected.took_s)
            alive = kill_after(plan, out, delay_s)
            told = f"kill {number} after {delay_s:.2f} s{'' if alive else ' (it had ended)'}"
            faults += [f"{told}: {fault}" for fault in faults_of(plan, out, expected)]
        return faults
