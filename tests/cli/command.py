"""Runs ``pulse-sim`` as a user would: a process of its own, with its output and exit status."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESILIENCE = ROOT / "scenarios" / "resilience"
SOAK = ROOT / "scenarios" / "soak"
TRR_04 = ROOT / "scenarios" / "plans" / "trr-04.yaml"
TIMEOUT_S = 300
PATIENCE_S = 60


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
    done = subprocess.run(
        _argv(arguments, before),
        cwd=cwd,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@contextmanager
def under_way(
    *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """The command line at work, in a session of its own; killed at the end when it is still there."""
    with subprocess.Popen(
        _argv(arguments),
        cwd=ROOT,
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: "subprocess.Popen[str]") -> Finished:
    """Wait for the end of a command under way."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    return Finished(process.returncode, out, err)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something outside this process; fails when it does not come."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        time.sleep(0.01)


def _argv(arguments: Sequence[str | Path], before: str = "") -> list[str]:
    program = f"{before}\nfrom pulse_sim.cli.main import main\nmain()"
    return [sys.executable, "-c", program, *map(str, arguments)]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in ("PATH", "PULSE_SIM_SIGNING_KEY_FILE") if name in os.environ}
    return {**passed_on, "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), **(more or {})}
