"""Runs ``pulse-sim`` as a user would: a process of its own, with its output and exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESILIENCE = ROOT / "scenarios" / "resilience"
SOAK = ROOT / "scenarios" / "soak"
TRR_04 = ROOT / "scenarios" / "plans" / "trr-04.yaml"
TIMEOUT_S = 300


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects of stdout, one a line; anything else there fails."""
        return [json.loads(line) for line in self.out.splitlines()]


def pulse_sim(
    *arguments: str | Path, cwd: Path = ROOT, environment: Mapping[str, str] | None = None, before: str = ""
) -> Finished:
    """Run the command line in ``cwd``. ``before`` is Python executed in the same process ahead of it."""
    program = f"{before}\nfrom pulse_sim.cli.main import main\nmain()"
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), **(environment or {})}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
