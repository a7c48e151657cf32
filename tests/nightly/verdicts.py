"""A plan through ``pulse-sim verdict``, as its word, its reasons and what its runs were judged to be."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.nightly.measurement import ROOT


def verdict(plan: Path, sut: str) -> tuple[str, list[str], list[dict[str, Any]]]:
    """Word, reasons, and ``checks.json`` of every run. Raises RuntimeError with what the command said."""
    command = [sys.executable, "-m", "pulse_sim.cli.main", "verdict", str(plan), "--sut", sut, "--json"]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([*command, "--out", out], cwd=ROOT, capture_output=True, text=True, check=False)
        if not done.stdout:
            raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip()}")
        row = json.loads(done.stdout)
        bundle = Path(row["bundle"])
        reasons = json.loads((bundle / "verdict.json").read_bytes())["reasons"]
        runs = [json.loads((run / "checks.json").read_bytes()) for run in sorted((bundle / "runs").iterdir())]
    return row["verdict"], reasons, runs
