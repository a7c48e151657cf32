"""The results file: what was measured, of which commit, when and on what; and the one committed last."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import NotMeasured
from benchmarks.interpreters import ROOT

if TYPE_CHECKING:
    from benchmarks.speed import Bench

RESULTS: Final = Path(__file__).with_name("results.json")


def committed() -> Mapping[str, Any]:
    """The figures of the last committed results by key; none when there are none."""
    told = _git("show", f"HEAD:{RESULTS.relative_to(ROOT)}")
    return figures_of(told)


def figures_of(told: str) -> Mapping[str, Any]:
    """The figures in the text of a results file; none in one that is missing or of another shape."""
    try:
        figures = json.loads(told)["figures"]
    except (ValueError, KeyError, TypeError):
        return {}
    return figures if isinstance(figures, dict) else {}


def describe(found: "Sequence[Bench]") -> dict[str, Any]:
    """Everything about a sitting except its figures."""
    return {
        "command": "make bench",
        "commit": _git("rev-parse", "HEAD").strip(),
        "changed_since_the_commit": bool(_git("status", "--porcelain", "--untracked-files=no").strip()),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "load": round(os.getloadavg()[0], 2),
        },
        "python": sorted({bench.python.version for bench in found if not isinstance(bench.python, NotMeasured)}),
        "aiohttp": version("aiohttp"),
    }


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name"))
    return next(names, platform.processor())


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
